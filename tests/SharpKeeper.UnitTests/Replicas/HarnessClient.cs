using System.Globalization;
using SharpKeeper.Core;
using SharpKeeper.Core.Clients;
using SharpKeeper.Core.Sessions;
using SharpKeeper.Core.Watches;
using SharpKeeper.Protocol;

namespace SharpKeeper.ReplicaTests;

/// <summary>
/// One connection to the harness's replica. It plays the connection's thread: reads are answered on the spot unless the
/// replica holds requests of the connection, everything else is handed to the replica.
/// </summary>
internal sealed class HarnessClient
{
    private readonly ReplicaHarness harness;
    private readonly Queue<OpCode> asked = new();
    private bool isHandshaken;
    private int lastXid;

    public HarnessClient(ReplicaHarness harness, WatchTable watches, string name)
    {
        this.harness = harness;
        Name = name;
        Link = new ClientLink(watches, this);
    }

    public string Name { get; }

    public ClientLink Link { get; }

    public long SessionId => Link.Session.Value;

    /// <summary>The connection is gone: dropped by the client or by the server.</summary>
    public bool IsGone { get; private set; }

    /// <summary>The server closed it without another word.</summary>
    public bool IsHungUp { get; private set; }

    /// <summary>May the client still send requests?</summary>
    public bool CanSend => !IsGone && !Link.IsClosing && Link.Session != Protocol.SessionId.None;

    /// <summary>The xid of the last request.</summary>
    public int LastXid => lastXid;

    /// <summary>Requests that are not answered yet.</summary>
    public int Unanswered => asked.Count;

    /// <summary>Asks for a session, a new one by default.</summary>
    public void Connect(
        int timeoutMs = 10_000, long session = 0, byte[]? password = null, long lastZxid = 0, bool? readOnly = false)
    {
        var request = new ConnectRequest(
            0, lastZxid, timeoutMs, session, password ?? SessionPassword.Derive(session), readOnly);
        asked.Enqueue(OpCode.CreateSession);
        Link.Posted++;
        harness.Step(Input.ClientConnect(Link, request, harness.NowMs, harness.WallMs));
    }

    /// <summary>Sends a request; returns its xid.</summary>
    public int Send(OpCode op, byte[] body, int? xid = null)
    {
        Assert.False(IsGone, "the connection is gone");
        int used = xid ?? ++lastXid;
        asked.Enqueue(op);
        Link.LastHeardMs = harness.NowMs;
        if (OpTable.Find(op).Class == OpClass.Read && !Link.HasUnanswered)
        {
            harness.Replica.Reads.Answer(Link, used, op, body);
            return used;
        }
        Link.Posted++;
        harness.Step(Input.ClientRequest(Link, op, used, body, harness.NowMs, harness.WallMs));
        return used;
    }

    /// <summary>A request that the connection's thread refuses; the answer takes its turn.</summary>
    public void Refuse(OpCode op, ErrorCode error)
    {
        asked.Enqueue(op);
        Link.Posted++;
        harness.Step(Input.ClientRefusal(Link, op, ++lastXid, error, harness.NowMs, harness.WallMs));
    }

    /// <summary>Sends a request and returns its reply, passing events over.</summary>
    public Frame Call(OpCode op, byte[] body)
    {
        Send(op, body);
        return Take().Last(frame => !frame.IsEvent);
    }

    /// <summary>The connection breaks.</summary>
    public void Drop()
    {
        if (IsGone)
            return;
        IsGone = true;
        Link.Watches.RemoveAll(Link);
        Link.Output.Reset();
        harness.Step(Input.ClientClosed(Link, harness.NowMs, harness.WallMs));
    }

    /// <summary>The server closed the connection.</summary>
    public void HungUp()
    {
        IsHungUp = true;
        Drop();
    }

    /// <summary>Decodes and takes everything that the replica wrote, in order.</summary>
    public List<Frame> Take()
    {
        var frames = new List<Frame>();
        var reader = new JuteReader(Link.Output.WrittenSpan);
        while (reader.Remaining > 0)
        {
            ReadOnlySpan<byte> payload = reader.ReadBuffer();
            Assert.False(reader.Failed, "a frame is cut off");
            frames.Add(Decode(payload));
        }
        Link.Output.Clear();
        return frames;
    }

    private Frame Decode(ReadOnlySpan<byte> payload)
    {
        if (!isHandshaken)
        {
            isHandshaken = true;
            Assert.Equal(OpCode.CreateSession, asked.Dequeue());
            return new Frame(OpCode.CreateSession, 0, 0, ErrorCode.Ok, DecodeHandshake(payload));
        }
        var reader = new JuteReader(payload);
        int xid = reader.ReadInt32();
        long zxid = reader.ReadInt64();
        var error = (ErrorCode)reader.ReadInt32();
        Assert.False(reader.Failed, "a reply is shorter than its header");
        if (xid == Xids.WatchEvent)
            return new Frame(OpCode.Notification, xid, zxid, error, WireText.Event(reader.Rest));
        Assert.True(asked.TryDequeue(out OpCode op), "a reply that nobody asked for");
        string body = error == ErrorCode.Ok || op == OpCode.MultiRead
            ? (error != ErrorCode.Ok && reader.Remaining == 0 ? "" : WireText.Body(op, reader.Rest))
            : reader.Remaining == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $"AND {reader.Remaining} BYTES");
        return new Frame(op, xid, zxid, error, body);
    }

    private static string DecodeHandshake(ReadOnlySpan<byte> payload)
    {
        Assert.True(ConnectResponse.TryRead(payload, out ConnectResponse response));
        bool isZero = response.Password.All(b => b == 0);
        string password = isZero ? "zeros"
            : SessionPassword.Matches(response.SessionId, response.Password) ? "good" : "wrong";
        return string.Create(
            CultureInfo.InvariantCulture,
            $"session={response.SessionId:x} timeout={response.TimeoutMs} password={password} " +
            $"readOnly={response.ReadOnly?.ToString() ?? "absent"} bytes={payload.Length}");
    }
}
