using System.Net.Sockets;
using SharpKeeper.Protocol;

namespace SharpKeeper.Client.Internal;

/// <summary>
/// One connection to one server, from its handshake to its loss. Requests are appended to a shared buffer under the
/// session's lock and whoever finds no send under way starts one; all that gathers meanwhile goes out in the next.
/// </summary>
internal sealed class Connection : IThreadPoolWorkItem, IDisposable
{
    private const int KeptBufferBytes = 1 << 20;
    private static readonly TimeSpan Shortest = TimeSpan.FromMilliseconds(1);

    private readonly ClientSession session;
    private readonly Lock gate;
    private readonly ITransportConnection transport;
    private readonly TimeProvider time;
    private readonly FrameReader reader;
    private readonly CancellationTokenSource ending;
    private readonly Queue<PendingRequest> inFlight = new();
    private readonly Queue<AuthEntry> authInFlight = new();
    private JuteBuffer outgoing = new();
    private JuteBuffer sending = new();
    private ITimer? heartbeat;
    private TimeSpan timeout;
    private long lastHeard;
    private long lastSent;
    private bool flushing;
    private string? retiring;
    private string? endReason;

    public Connection(
        ClientSession session, Lock gate, ServerEndpoint server, ITransportConnection transport, TimeProvider time,
        int replyBytesMax, CancellationToken stopping)
    {
        this.session = session;
        this.gate = gate;
        this.transport = transport;
        this.time = time;
        Server = server;
        reader = new FrameReader(transport, replyBytesMax);
        ending = CancellationTokenSource.CreateLinkedTokenSource(stopping);
    }

    public ServerEndpoint Server { get; }

    /// <summary>Is cancelled when the connection ends, for whatever reason.</summary>
    public CancellationToken Ending => ending.Token;

    /// <summary>Bytes that wait to be sent. Under the session's lock.</summary>
    public JuteBuffer Outgoing => outgoing;

    /// <summary>Sends the connect request and waits for the answer; null if the server closes instead.</summary>
    public async ValueTask<ConnectResponse?> HandshakeAsync(ConnectRequest request, CancellationToken cancellation)
    {
        int frame = sending.BeginFrame();
        request.Write(sending);
        sending.EndFrame(frame);
        await transport.SendAsync(sending.WrittenMemory, cancellation).ConfigureAwait(false);
        sending.Clear();
        do
        {
            if (TryReadResponse(out ConnectResponse response))
                return response;
        }
        while (await reader.FillAsync(cancellation).ConfigureAwait(false));
        return null;
    }

    /// <summary>Starts the heartbeats. Under the session's lock.</summary>
    public void Start(TimeSpan negotiatedTimeout)
    {
        timeout = negotiatedTimeout;
        lastHeard = lastSent = time.GetTimestamp();
        heartbeat = time.CreateTimer(
            static state => ((Connection)state!).OnHeartbeat(), this, negotiatedTimeout / 3, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Receives until the connection ends, and says why it did.</summary>
    public async Task<string> ReceiveAsync()
    {
        try
        {
            do
                ProcessFrames();
            while (await reader.FillAsync(ending.Token).ConfigureAwait(false));
            return Volatile.Read(ref endReason) ?? "the server closed it";
        }
        catch (Exception e) when (IsTransportFailure(e))
        {
            return Volatile.Read(ref endReason) ?? e.Message;
        }
        catch (ProtocolViolationException e)
        {
            return $"the server broke the protocol: {e.Message}";
        }
        catch (Exception e)
        {
            // The session outlives a defect here: its requests fail and it connects again.
            ClientLog.Defect(session.Logger, e);
            return $"the client failed: {e.Message}";
        }
    }

    /// <summary>Ends the connection; <see cref="ReceiveAsync"/> then returns the reason.</summary>
    public void Abort(string reason)
    {
        Interlocked.CompareExchange(ref endReason, reason, null);
        try
        {
            ending.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // It ended by itself in the meantime.
        }
    }

    /// <summary>
    /// Asks for the end as soon as all requests are answered, or at the next heartbeat. To be called under the
    /// session's lock; true asks the caller to <see cref="Abort"/> after leaving it, since nothing is under way.
    /// </summary>
    public bool Retire(string reason)
    {
        retiring = reason;
        return inFlight.Count == 0;
    }

    /// <summary>Takes back <see cref="Retire"/>. Under the session's lock.</summary>
    public void Stay() => retiring = null;

    /// <summary>Takes a request whose frame was appended to <see cref="Outgoing"/>. Under the session's lock.</summary>
    public void Enqueue(PendingRequest request) => inFlight.Enqueue(request);

    /// <summary>Appends an auth packet. Under the session's lock.</summary>
    public void AppendAuth(AuthEntry entry)
    {
        int frame = outgoing.BeginFrame();
        outgoing.WriteInt32(Xids.Auth);
        outgoing.WriteInt32((int)OpCode.Auth);
        outgoing.WriteInt32(0);
        outgoing.WriteString(entry.Info.Scheme);
        outgoing.WriteBuffer(entry.Info.Credentials.Span);
        outgoing.EndFrame(frame);
        authInFlight.Enqueue(entry);
    }

    /// <summary>
    /// To be called under the session's lock after appending. True asks the caller to call <see cref="Flush"/> after
    /// leaving the lock; otherwise whoever is sending takes what was appended along.
    /// </summary>
    public bool BeginFlush()
    {
        lastSent = time.GetTimestamp();
        if (flushing || outgoing.Length == 0)
            return false;
        flushing = true;
        return true;
    }

    /// <summary>
    /// Sends what is there. A lone request is sent by its caller, who would wait anyway; when others are under way the
    /// thread pool sends, so that more can gather.
    /// </summary>
    public void Flush()
    {
        if (inFlight.Count <= 1)
            _ = FlushAsync();
        else
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }

    void IThreadPoolWorkItem.Execute() => _ = FlushAsync();

    /// <summary>Takes all requests that were not answered, oldest first. Under the session's lock.</summary>
    public PendingRequest[] TakeInFlight()
    {
        PendingRequest[] requests = [.. inFlight];
        inFlight.Clear();
        return requests;
    }

    public void Dispose()
    {
        ending.Cancel();
        heartbeat?.Dispose();
        transport.Dispose();
        reader.Dispose();
        ending.Dispose();
    }

    /// <summary>Is it one of the ways in which a network fails?</summary>
    public static bool IsTransportFailure(Exception e) =>
        e is SocketException or IOException or OperationCanceledException or ObjectDisposedException;

    private async Task FlushAsync()
    {
        try
        {
            while (true)
            {
                lock (gate)
                {
                    if (outgoing.Length == 0)
                    {
                        flushing = false;
                        return;
                    }
                    (outgoing, sending) = (sending, outgoing);
                }
                await transport.SendAsync(sending.WrittenMemory, ending.Token).ConfigureAwait(false);
                if (sending.Capacity > KeptBufferBytes)
                    sending.Reset();
                else
                    sending.Clear();
            }
        }
        catch (Exception e)
        {
            // Nobody awaits this: whatever it was, the connection is of no more use.
            Abort($"sending failed: {e.Message}");
        }
    }

    private bool TryReadResponse(out ConnectResponse response)
    {
        response = default;
        if (!reader.TryRead(out ReadOnlySpan<byte> frame, out int oversized))
            return false;
        if (oversized > 0 || !ConnectResponse.TryRead(frame, out response))
        {
            var header = new JuteReader(frame);
            header.Skip(12);
            var error = (ErrorCode)header.ReadInt32();
            throw new ProtocolViolationException(header.Failed || oversized > 0
                ? "the answer to the connect request is malformed"
                : $"the answer to the connect request is the error {error}");
        }
        return true;
    }

    private void ProcessFrames()
    {
        while (reader.TryRead(out ReadOnlySpan<byte> frame, out int oversized))
        {
            Volatile.Write(ref lastHeard, time.GetTimestamp());
            var body = new JuteReader(frame);
            int xid = body.ReadInt32();
            long zxid = body.ReadInt64();
            var error = (ErrorCode)body.ReadInt32();
            if (body.Failed)
                throw new ProtocolViolationException("a reply is too short for its header");
            switch (xid)
            {
                case Xids.Ping:
                    break;
                case Xids.WatchEvent:
                    OnEvent(ref body, zxid, oversized);
                    break;
                case Xids.Auth:
                    OnAuthReply(error);
                    break;
                case Xids.SetWatches:
                    session.OnSetWatchesReply(this, error);
                    break;
                default:
                    OnReply(xid, zxid, error, ref body, oversized);
                    break;
            }
        }
        // While a frame longer than the silence allowed is on its way the server is not silent.
        Volatile.Write(ref lastHeard, time.GetTimestamp());
    }

    private void OnReply(int xid, long zxid, ErrorCode error, ref JuteReader body, int oversized)
    {
        PendingRequest? request;
        string? ended;
        lock (gate)
        {
            inFlight.TryDequeue(out request);
            ended = inFlight.Count == 0 ? retiring : null;
        }
        if (request is null)
            throw new ProtocolViolationException($"a reply with xid {xid} came, but no request is waiting");
        if (request.Xid != xid)
        {
            string reason = $"a reply with xid {xid} came where {request.Xid} was expected";
            request.Fail(ErrorCode.ConnectionLoss, reason);
            throw new ProtocolViolationException(reason);
        }
        session.OnReply(request, zxid, error, ref body, oversized);
        if (ended is not null)
            Abort(ended);
    }

    private void OnEvent(ref JuteReader body, long zxid, int oversized)
    {
        var type = (WatchEventType)body.ReadInt32();
        body.ReadInt32();
        string? path = body.ReadString();
        if (body.Failed || path is null || oversized > 0)
            throw new ProtocolViolationException("a watch event is malformed");
        session.OnEvent(type, path, zxid);
    }

    private void OnAuthReply(ErrorCode error)
    {
        AuthEntry? entry;
        lock (gate)
            authInFlight.TryDequeue(out entry);
        if (entry is null)
            throw new ProtocolViolationException("an auth reply came, but none is waiting");
        if (error == ErrorCode.Ok)
            entry.Accepted.TrySetResult();
        else
            session.OnAuthFailed(this);
    }

    /// <summary>
    /// A ping after a third of the timeout without sending; the end after two thirds without hearing.
    /// </summary>
    private void OnHeartbeat()
    {
        TimeSpan silence = time.GetElapsedTime(Volatile.Read(ref lastHeard));
        if (Volatile.Read(ref retiring) is { } reason)
        {
            Abort(reason);
            return;
        }
        if (silence >= timeout * 2 / 3)
        {
            Abort($"nothing was heard for {silence.TotalMilliseconds:F0} ms");
            return;
        }
        bool flush = false;
        TimeSpan idle;
        lock (gate)
        {
            idle = time.GetElapsedTime(lastSent);
            if (idle >= timeout / 3)
            {
                WritePing();
                flush = BeginFlush();
                idle = TimeSpan.Zero;
            }
        }
        if (flush)
            Flush();
        TimeSpan untilPing = timeout / 3 - idle;
        TimeSpan untilEnd = timeout * 2 / 3 - silence;
        TimeSpan next = untilPing < untilEnd ? untilPing : untilEnd;
        try
        {
            heartbeat?.Change(next > Shortest ? next : Shortest, Timeout.InfiniteTimeSpan);
        }
        catch (ObjectDisposedException)
        {
            // The connection ended in the meantime.
        }
    }

    private void WritePing()
    {
        int frame = outgoing.BeginFrame();
        outgoing.WriteInt32(Xids.Ping);
        outgoing.WriteInt32((int)OpCode.Ping);
        outgoing.EndFrame(frame);
    }
}

/// <summary>Credentials of the session, and whether a server has accepted them.</summary>
internal sealed class AuthEntry(AuthInfo info)
{
    public AuthInfo Info { get; } = info;

    public TaskCompletionSource Accepted { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
}
