using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;
using SharpKeeper.Protocol;

namespace SharpKeeper.ServerTests;

/// <summary>One reply or event as it came.</summary>
internal sealed record RawReply(int Xid, long Zxid, ErrorCode Error, byte[] Body)
{
    public bool IsEvent => Xid == Xids.WatchEvent;

    /// <summary>The first string or buffer of the body.</summary>
    public string Text()
    {
        var reader = new JuteReader(Body);
        return Encoding.UTF8.GetString(reader.ReadBuffer());
    }

    /// <summary>The stat that ends the body.</summary>
    public Stat Stat()
    {
        var reader = new JuteReader(Body.AsSpan(Body.Length - Protocol.Stat.Bytes));
        return Protocol.Stat.Read(ref reader);
    }

    /// <summary>The vector of strings that begins the body.</summary>
    public string[] Names()
    {
        var reader = new JuteReader(Body);
        var names = new string[reader.ReadVectorCount(4)];
        for (int i = 0; i < names.Length; i++)
            names[i] = reader.ReadString()!;
        return names;
    }

    /// <summary>Type and path of an event.</summary>
    public (WatchEventType Type, string Path) Event()
    {
        var reader = new JuteReader(Body);
        var type = (WatchEventType)reader.ReadInt32();
        reader.ReadInt32();
        return (type, reader.ReadString()!);
    }
}

/// <summary>
/// A client that speaks the protocol byte by byte and keeps no secrets: it can pipeline, stop reading, and break every
/// rule. Blocks; a server that does not answer within half a minute fails the test.
/// </summary>
internal sealed class RawClient : IDisposable
{
    private const int PatienceMs = 30_000;

    private readonly Socket socket;
    private byte[] input = new byte[4096];
    private int start;
    private int end;

    private RawClient(Socket socket) => this.socket = socket;

    /// <summary>Session id, once there is one.</summary>
    public long SessionId { get; private set; }

    /// <summary>What the session is resumed with.</summary>
    public byte[] Password { get; private set; } = new byte[16];

    /// <summary>Timeout that was granted, milliseconds.</summary>
    public int TimeoutMs { get; private set; }

    /// <summary>Highest zxid in a reply.</summary>
    public long LastZxid { get; set; }

    /// <summary>Events that came while a reply was waited for.</summary>
    public List<RawReply> Events { get; } = [];

    /// <summary>What is sent with the next <see cref="Flush"/>.</summary>
    public JuteBuffer Output { get; } = new();

    /// <summary>The socket itself.</summary>
    public Socket Socket => socket;

    /// <summary>Opens a connection and sends nothing.</summary>
    public static RawClient Open(int port, int receiveBuffer = 0)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp)
        {
            NoDelay = true,
            ReceiveTimeout = PatienceMs,
            SendTimeout = PatienceMs,
        };
        if (receiveBuffer > 0)
            socket.ReceiveBufferSize = receiveBuffer;
        try
        {
            socket.Connect(IPAddress.Loopback, port);
            return new RawClient(socket);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Opens a connection and a new session.</summary>
    public static RawClient Connect(int port, int timeoutMs = 30_000)
    {
        RawClient client = Open(port);
        if (client.Handshake(timeoutMs))
            return client;
        client.Dispose();
        throw new IOException("the server gave no session");
    }

    /// <summary>Sends a handshake; false when the server refuses the session or closes the connection.</summary>
    public bool Handshake(int timeoutMs = 30_000, long session = 0, byte[]? password = null, long lastZxid = 0)
    {
        PutHandshake(timeoutMs, session, password, lastZxid);
        Flush();
        return ReadHandshake();
    }

    /// <summary>Appends a handshake to what is sent next.</summary>
    public void PutHandshake(int timeoutMs, long session = 0, byte[]? password = null, long lastZxid = 0)
    {
        int frame = Output.BeginFrame();
        new ConnectRequest(0, lastZxid, timeoutMs, session, password ?? new byte[16], false).Write(Output);
        Output.EndFrame(frame);
    }

    /// <summary>Takes the answer to a handshake.</summary>
    public bool ReadHandshake()
    {
        if (!TryReadFrame(out ReadOnlySpan<byte> payload)
            || !ConnectResponse.TryRead(payload, out ConnectResponse response) || response.TimeoutMs <= 0)
            return false;
        (SessionId, Password, TimeoutMs) = (response.SessionId, response.Password, response.TimeoutMs);
        return true;
    }

    /// <summary>Appends a request to what is sent next.</summary>
    public void Put(OpCode op, int xid, Action<JuteBuffer>? body = null)
    {
        int frame = Output.BeginFrame();
        Output.WriteInt32(xid);
        Output.WriteInt32((int)op);
        body?.Invoke(Output);
        Output.EndFrame(frame);
    }

    /// <summary>Sends what was put together.</summary>
    public void Flush()
    {
        ReadOnlySpan<byte> bytes = Output.WrittenSpan;
        while (!bytes.IsEmpty)
            bytes = bytes[socket.Send(bytes)..];
        Output.Clear();
    }

    /// <summary>Sends bytes as they are.</summary>
    public void SendRaw(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
            bytes = bytes[socket.Send(bytes)..];
    }

    /// <summary>Sends a request and waits for its reply; events that come first are kept.</summary>
    public RawReply Call(OpCode op, int xid, Action<JuteBuffer>? body = null)
    {
        Put(op, xid, body);
        Flush();
        return ReadReply(xid);
    }

    /// <summary>Waits for the next reply, which must carry that xid; events that come first are kept.</summary>
    public RawReply ReadReply(int xid)
    {
        while (true)
        {
            RawReply reply = Read();
            if (reply.IsEvent)
                Events.Add(reply);
            else if (reply.Xid == xid)
                return reply;
            else
                throw new IOException($"a reply to {reply.Xid} came where one to {xid} was due");
        }
    }

    /// <summary>Waits for the next reply or event.</summary>
    public RawReply Read() => TryRead() ?? throw new IOException("the server closed the connection");

    /// <summary>Waits for the next reply or event; null at the end of the connection.</summary>
    public RawReply? TryRead()
    {
        if (!TryReadFrame(out ReadOnlySpan<byte> payload))
            return null;
        var reader = new JuteReader(payload);
        int xid = reader.ReadInt32();
        long zxid = reader.ReadInt64();
        var error = (ErrorCode)reader.ReadInt32();
        if (reader.Failed)
            throw new IOException($"a reply of {payload.Length} bytes has no header");
        LastZxid = Math.Max(LastZxid, zxid);
        return new RawReply(xid, zxid, error, reader.Rest.ToArray());
    }

    /// <summary>Is a whole frame here already?</summary>
    public bool HasFrame => end - start >= 4
        && end - start - 4 >= BinaryPrimitives.ReadInt32BigEndian(input.AsSpan(start));

    /// <summary>Waits for a frame; false at the end of the connection, in whatever way it ended.</summary>
    public bool TryReadFrame(out ReadOnlySpan<byte> payload)
    {
        payload = default;
        while (!HasFrame)
        {
            if (!Receive())
                return false;
        }
        int length = BinaryPrimitives.ReadInt32BigEndian(input.AsSpan(start));
        payload = input.AsSpan(start + 4, length);
        start += 4 + length;
        return true;
    }

    /// <summary>Waits for the end of the connection and returns how many bytes came before it.</summary>
    public long ReadToEnd()
    {
        long count = end - start;
        start = end = 0;
        while (Receive())
        {
            count += end;
            start = end = 0;
        }
        return count;
    }

    public void Dispose()
    {
        socket.Dispose();
        Output.Dispose();
    }

    // False at the end; time running out is no end but an error.
    private bool Receive()
    {
        if (start == end)
            start = end = 0;
        if (end == input.Length && start > 0)
        {
            input.AsSpan(start, end - start).CopyTo(input);
            (start, end) = (0, end - start);
        }
        if (end == input.Length)
            Array.Resize(ref input, input.Length * 2);
        try
        {
            int count = socket.Receive(input.AsSpan(end));
            end += count;
            return count > 0;
        }
        catch (SocketException exception) when (exception.SocketErrorCode
            is SocketError.ConnectionReset or SocketError.ConnectionAborted or SocketError.Shutdown)
        {
            return false;
        }
    }
}
