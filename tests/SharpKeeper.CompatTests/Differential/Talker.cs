using System.Globalization;
using SharpKeeper.Core.Sessions;
using SharpKeeper.Protocol;

namespace SharpKeeper.CompatTests.Differential;

/// <summary>One connection of a script: sends requests and records what comes back, in the order it comes.</summary>
internal sealed class Talker(Side side, string name, WireConnection connection) : IAsyncDisposable
{
    private readonly Queue<(int Xid, WireRequest Request)> pending = new();
    private readonly List<long> unconfirmedEvents = [];
    private int lastXid;
    private bool isClosed;
    private bool isEstablished;

    public long SessionId { get; private set; }

    public byte[] Password { get; private set; } = [];

    /// <summary>Zxid in the last reply.</summary>
    public long LastZxid { get; private set; }

    /// <summary>The id that the next request will have.</summary>
    public int NextXid => lastXid + 1;

    /// <summary>Zxids of the events since the last call.</summary>
    public List<long> EventZxids { get; } = [];

    /// <summary>Sends a handshake and records the answer.</summary>
    public async Task HandshakeAsync(ConnectRequest request, bool isRecorded = true)
    {
        using var payload = new JuteBuffer();
        request.Write(payload);
        await HandshakeAsync(payload.WrittenSpan.ToArray(), isRecorded);
    }

    /// <inheritdoc cref="HandshakeAsync(ConnectRequest, bool)"/>
    public async Task HandshakeAsync(byte[] payload, bool isRecorded = true)
    {
        using CancellationTokenSource limit = side.NewLimit();
        await connection.SendFrameAsync(payload, limit.Token);
        await ExpectConnectResponseAsync(isRecorded);
        if (isEstablished)
            await PingAsync();
    }

    /// <summary>Records the answer to a handshake.</summary>
    public async Task ExpectConnectResponseAsync(bool isRecorded = true)
    {
        using CancellationTokenSource limit = side.NewLimit();
        if (await connection.ReceiveFrameAsync(limit.Token) is not { } answer)
        {
            isClosed = true;
            side.Record($"{name} closed without an answer");
            return;
        }
        Assert.True(ConnectResponse.TryRead(answer, out ConnectResponse response));
        SessionId = response.SessionId;
        Password = response.Password;
        if (SessionId != 0)
        {
            isEstablished = true;
            side.NameSession(SessionId, $"session-{name}");
        }
        if (!isRecorded)
            return;
        string password = SessionId == 0 ? Convert.ToHexString(Password)
            : SessionPassword.Matches(SessionId, Password) ? "derived" : "WRONG";
        string serverId = SessionId == 0 ? "-" : (SessionId >>> 56).ToString(CultureInfo.InvariantCulture);
        side.Record(string.Create(CultureInfo.InvariantCulture,
            $"{name} connected: {answer.Length} bytes, version {response.ProtocolVersion}, ")
            + string.Create(CultureInfo.InvariantCulture, $"timeout {response.TimeoutMs}, ")
            + $"session {side.SessionText(SessionId)} of server {serverId}, password {password}, "
            + $"readOnly {response.ReadOnly?.ToString() ?? "absent"}");
    }

    /// <summary>Sends requests all at once and records everything up to the last one's reply.</summary>
    public async Task DoAsync(params WireRequest[] requests)
    {
        using var frames = new JuteBuffer();
        foreach (WireRequest request in requests)
            AppendFrame(frames, request);
        using CancellationTokenSource limit = side.NewLimit();
        await connection.SendAsync(frames.WrittenMemory, limit.Token);
        await ReceiveAsync();
    }

    /// <summary>
    /// As <see cref="DoAsync"/>, but sends each request after the former's reply: for what Apache decides by the state
    /// that happens to be applied already.
    /// </summary>
    public async Task EachAsync(params WireRequest[] requests)
    {
        foreach (WireRequest request in requests)
            await DoAsync(request);
    }

    /// <summary>Sends bytes that need not be a frame.</summary>
    public async Task SendRawAsync(ReadOnlyMemory<byte> bytes)
    {
        using CancellationTokenSource limit = side.NewLimit();
        await connection.SendAsync(bytes, limit.Token);
    }

    /// <summary>Expects a reply to a request that was sent as raw bytes.</summary>
    public Task ExpectReplyAsync(int xid, OpCode op)
    {
        pending.Enqueue((xid, new WireRequest($"{op}", op, [])));
        return ReceiveAsync();
    }

    /// <summary>Records the events that have fired on this connection so far.</summary>
    public Task DrainAsync() => PingAsync();

    /// <summary>Waits until the server has closed the connection, recording what comes before.</summary>
    public async Task ExpectCloseAsync()
    {
        await ReceiveAsync();
        using CancellationTokenSource limit = side.NewLimit();
        while (!isClosed)
        {
            if (await connection.ReceiveFrameAsync(limit.Token) is { } frame)
                Take(frame);
            else
                MarkClosed();
        }
    }

    /// <summary>Ends the session and the connection.</summary>
    public async Task CloseAsync(bool isRecorded = true)
    {
        if (isRecorded)
        {
            await DoAsync(Requests.CloseSession());
            await ExpectCloseAsync();
        }
        else
        {
            await EndQuietlyAsync();
        }
    }

    /// <summary>Drops the connection; the session lives on.</summary>
    public void Drop()
    {
        isClosed = true;
        connection.Dispose();
    }

    public async ValueTask DisposeAsync()
    {
        // A session left open would expire in the middle of another script and shift its zxids.
        if (isEstablished && !isClosed && pending.Count == 0)
            await EndQuietlyAsync();
        connection.Dispose();
    }

    private async Task EndQuietlyAsync()
    {
        using CancellationTokenSource limit = side.NewLimit();
        using var frame = new JuteBuffer();
        AppendFrame(frame, Requests.CloseSession(), isRecorded: false);
        await connection.SendAsync(frame.WrittenMemory, limit.Token);
        await connection.ReceiveAllAsync(limit.Token);
        isClosed = true;
    }

    private async Task PingAsync()
    {
        using var frame = new JuteBuffer();
        AppendFrame(frame, Requests.Ping(), isRecorded: false);
        using CancellationTokenSource limit = side.NewLimit();
        await connection.SendAsync(frame.WrittenMemory, limit.Token);
        await ReceiveAsync();
    }

    private void AppendFrame(JuteBuffer frames, WireRequest request, bool isRecorded = true)
    {
        int xid = request.Xid ?? ++lastXid;
        int frame = frames.BeginFrame();
        frames.WriteInt32(xid);
        frames.WriteInt32((int)request.Op);
        frames.WriteRaw(request.Body);
        frames.EndFrame(frame);
        pending.Enqueue((xid, request));
        if (isRecorded)
            side.Record($"{name}> {request.Label}");
    }

    private async Task ReceiveAsync()
    {
        using CancellationTokenSource limit = side.NewLimit();
        while (pending.Count > 0 && !isClosed)
        {
            byte[]? frame;
            try
            {
                frame = await connection.ReceiveFrameAsync(limit.Token);
            }
            catch (OperationCanceledException)
            {
                string who = side.IsApache ? "Apache" : "SharpKeeper";
                throw new TimeoutException($"{who} did not answer {pending.Peek().Request}.");
            }
            if (frame is null)
                MarkClosed();
            else
                Take(frame);
        }
    }

    private void MarkClosed()
    {
        isClosed = true;
        side.Record($"{name} closed");
        pending.Clear();
    }

    private void Take(byte[] frame)
    {
        var reader = new JuteReader(frame);
        int xid = reader.ReadInt32();
        long zxid = reader.ReadInt64();
        int error = reader.ReadInt32();
        if (xid == Xids.WatchEvent)
        {
            TakeEvent(ref reader, zxid, error);
            return;
        }
        Assert.False(pending.Count == 0, $"{name} got a reply to nothing, xid {xid}");
        (int expected, WireRequest request) = pending.Dequeue();
        CheckEvents(zxid);
        if (zxid > 0)
            LastZxid = zxid;
        if (request.Op == OpCode.Ping && expected == Xids.Ping)
        {
            side.SetBase(zxid);
            Assert.Equal((Xids.Ping, 0, 0), (xid, error, reader.Remaining));
            return;
        }
        string body = ReplyText.Body(side, request.Op, error, ref reader);
        side.Record(string.Create(
            CultureInfo.InvariantCulture, $"{name}: xid {xid} zxid {side.ZxidText(zxid)} err {error}{body}"));
    }

    private void TakeEvent(ref JuteReader reader, long zxid, int error)
    {
        var type = (WatchEventType)reader.ReadInt32();
        int state = reader.ReadInt32();
        string? path = reader.ReadString();
        Assert.False(reader.Failed);
        Assert.Equal(0, reader.Remaining);
        EventZxids.Add(zxid);
        if (side.IsApache)
            Assert.Equal(-1, zxid);
        else if (zxid != -1)
            unconfirmedEvents.Add(zxid);
        side.Record(string.Create(
            CultureInfo.InvariantCulture, $"{name}: event {type} {path} state {state} err {error}"));
    }

    // An event tells of a change that has happened: the next reply cannot be older (section 11 of the reference).
    private void CheckEvents(long replyZxid)
    {
        foreach (long zxid in unconfirmedEvents)
        {
            Assert.True(zxid > 0, "an event's zxid is not that of a transaction");
            Assert.True(replyZxid <= 0 || zxid <= replyZxid, "an event is newer than the reply behind it");
        }
        unconfirmedEvents.Clear();
    }
}
