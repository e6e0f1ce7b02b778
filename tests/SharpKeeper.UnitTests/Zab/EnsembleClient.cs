using SharpKeeper.Core;
using SharpKeeper.Core.Clients;
using SharpKeeper.Core.Sessions;
using SharpKeeper.Protocol;

namespace SharpKeeper.ZabTests;

/// <summary>A client of one server of an <see cref="EnsembleHarness"/>.</summary>
internal sealed class EnsembleClient
{
    private readonly EnsembleHarness world;
    private readonly HarnessServer server;
    private int xid;

    public EnsembleClient(EnsembleHarness world, HarnessServer server, int timeoutMs, long session = 0, long lastZxid = 0,
        bool? readOnly = false, byte[]? password = null)
    {
        this.world = world;
        this.server = server;
        Link = server.Open(this);
        Link.Posted++;
        var request = new ConnectRequest(0, lastZxid, timeoutMs, session, password ?? SessionPassword.Derive(session), readOnly);
        server.Step(Input.ClientConnect(Link, request, world.NowMs, world.NowMs));
        world.Deliver();
    }

    public ClientLink Link { get; }

    public long SessionId => Link.Session.Value;

    /// <summary>Did the server take the client?</summary>
    public bool IsConnected => Link is { IsEstablished: true, IsClosed: false, IsHangingUp: false };

    /// <summary>Sends a request and says whether it was answered, after everything sent was delivered.</summary>
    public int Send(OpCode op, byte[] body)
    {
        Link.LastHeardMs = world.NowMs;
        Link.Posted++;
        server.Step(Input.ClientRequest(Link, op, ++xid, body, world.NowMs, world.NowMs));
        world.Deliver();
        return xid;
    }

    /// <summary>Sends a request without letting the network do anything.</summary>
    public void SendOnly(OpCode op, byte[] body)
    {
        Link.Posted++;
        server.Step(Input.ClientRequest(Link, op, ++xid, body, world.NowMs, world.NowMs));
    }

    /// <summary>The connection is gone; the session is not.</summary>
    public void Disconnect()
    {
        server.Step(Input.ClientClosed(Link, world.NowMs, world.NowMs));
        world.Deliver();
    }

    /// <summary>The replies so far, as (xid, error), and forgets them.</summary>
    public List<(int Xid, ErrorCode Error)> TakeReplies()
    {
        var replies = new List<(int, ErrorCode)>();
        var reader = new JuteReader(Link.Output.WrittenSpan);
        bool isFirst = !handshaken;
        while (reader.Remaining > 0)
        {
            int length = reader.ReadInt32();
            var frame = new JuteReader(reader.Rest[..length]);
            reader.Skip(length);
            if (isFirst)
            {
                isFirst = false;
                handshaken = true;
                continue;
            }
            int replyXid = frame.ReadInt32();
            frame.ReadInt64();
            replies.Add((replyXid, (ErrorCode)frame.ReadInt32()));
        }
        Link.Output.Clear();
        return replies;
    }

    private bool handshaken;

    /// <summary>Creates a znode and expects success.</summary>
    public void Create(string path, CreateMode mode = CreateMode.Persistent)
    {
        TakeReplies();
        int sent = Send(OpCode.Create, CreateBody(path, mode));
        Assert.Equal([(sent, ErrorCode.Ok)], TakeReplies());
    }

    public static byte[] CreateBody(string path, CreateMode mode = CreateMode.Persistent)
    {
        var body = new JuteBuffer();
        body.WriteString(path);
        body.WriteBuffer("x"u8);
        Acl.WriteVector(body, [new Acl(Permissions.All, AuthId.Anyone)]);
        body.WriteInt32((int)mode);
        return body.WrittenSpan.ToArray();
    }

    public static byte[] MultiBody(params (OpCode Op, byte[] Body)[] parts)
    {
        var body = new JuteBuffer();
        foreach ((OpCode op, byte[] part) in parts)
        {
            WriteMultiHeader(body, (int)op, isDone: false);
            body.WriteRaw(part);
        }
        WriteMultiHeader(body, -1, isDone: true);
        return body.WrittenSpan.ToArray();
    }

    private static void WriteMultiHeader(JuteBuffer body, int op, bool isDone)
    {
        body.WriteInt32(op);
        body.WriteBoolean(isDone);
        body.WriteInt32(-1);
    }

    public static byte[] PathBody(string path)
    {
        var body = new JuteBuffer();
        body.WriteString(path);
        return body.WrittenSpan.ToArray();
    }
}
