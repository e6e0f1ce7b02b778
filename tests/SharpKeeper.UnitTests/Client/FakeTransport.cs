using System.Net.Sockets;
using System.Threading.Channels;
using SharpKeeper.Client.Internal;
using SharpKeeper.Protocol;

namespace SharpKeeper.UnitTests.Client;

/// <summary>Servers played by the test: each attempt to connect waits for the test to accept or refuse it.</summary>
internal sealed class FakeTransport : ITransport
{
    private readonly Channel<Attempt> attempts = Channel.CreateUnbounded<Attempt>();

    public async ValueTask<ITransportConnection> ConnectAsync(ServerEndpoint server, CancellationToken cancellation)
    {
        var attempt = new Attempt(server);
        attempts.Writer.TryWrite(attempt);
        return await attempt.Accepted.Task.WaitAsync(cancellation);
    }

    /// <summary>The next attempt to connect.</summary>
    public ValueTask<Attempt> NextAsync(CancellationToken cancellation) => attempts.Reader.ReadAsync(cancellation);

    /// <summary>Accepts the next attempt.</summary>
    public async Task<FakeServer> AcceptAsync(CancellationToken cancellation) =>
        (await NextAsync(cancellation)).Accept();

    internal sealed class Attempt(ServerEndpoint server)
    {
        public ServerEndpoint Server { get; } = server;

        public TaskCompletionSource<ITransportConnection> Accepted { get; } =
            new(TaskCreationOptions.RunContinuationsAsynchronously);

        public FakeServer Accept()
        {
            var connection = new FakeServer(Server);
            Accepted.SetResult(connection);
            return connection;
        }

        public void Refuse() => Accepted.SetException(new SocketException((int)SocketError.ConnectionRefused));
    }
}

/// <summary>A frame that the client has sent.</summary>
internal sealed record SentFrame(byte[] Payload)
{
    public int Xid => Reader().ReadInt32();

    public OpCode Op
    {
        get
        {
            JuteReader reader = Reader();
            reader.Skip(4);
            return (OpCode)reader.ReadInt32();
        }
    }

    /// <summary>Reads the body behind the header.</summary>
    public JuteReader Body()
    {
        JuteReader reader = Reader();
        reader.Skip(8);
        return reader;
    }

    public string? Path()
    {
        JuteReader body = Body();
        return body.ReadString();
    }

    private JuteReader Reader() => new(Payload);
}

/// <summary>The server's end of a connection, played by the test.</summary>
internal sealed class FakeServer(ServerEndpoint endpoint) : ITransportConnection
{
    public const long SessionId = 0x1234;
    private readonly Channel<byte[]> toClient = Channel.CreateUnbounded<byte[]>();
    private readonly Channel<byte[]> toServer = Channel.CreateUnbounded<byte[]>();
    private readonly MemoryStream received = new();
    private ReadOnlyMemory<byte> partly;

    public ServerEndpoint Endpoint { get; } = endpoint;

    public static byte[] Password { get; } = [.. Enumerable.Range(1, 16).Select(i => (byte)i)];

    public ValueTask SendAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        if (!toServer.Writer.TryWrite(bytes.ToArray()))
            throw new IOException("broken pipe");
        return ValueTask.CompletedTask;
    }

    public async ValueTask<int> ReceiveAsync(Memory<byte> buffer, CancellationToken cancellation)
    {
        if (partly.IsEmpty)
        {
            if (!await toClient.Reader.WaitToReadAsync(cancellation))
                return 0;
            toClient.Reader.TryRead(out byte[]? next);
            partly = next;
        }
        int count = Math.Min(buffer.Length, partly.Length);
        partly[..count].CopyTo(buffer);
        partly = partly[count..];
        return count;
    }

    public void Dispose()
    {
        toServer.Writer.TryComplete();
        received.Dispose();
    }

    /// <summary>Closes the connection, as a server does or a cut cable looks like.</summary>
    public void Close()
    {
        toClient.Writer.TryComplete();
        toServer.Writer.TryComplete();
    }

    /// <summary>The next bytes that the client sends, framed or not.</summary>
    public async Task<byte[]> ReadRawAsync(CancellationToken cancellation) =>
        await toServer.Reader.ReadAsync(cancellation);

    /// <summary>Has the client sent nothing that was not read?</summary>
    public bool IsQuiet => toServer.Reader.Count == 0 && received.Position == received.Length;

    /// <summary>The next frame that the client sends.</summary>
    public async Task<SentFrame> ReadAsync(CancellationToken cancellation)
    {
        byte[] length = await TakeAsync(4, cancellation);
        var reader = new JuteReader(length);
        return new SentFrame(await TakeAsync(reader.ReadInt32(), cancellation));
    }

    /// <summary>The next frame, which must be of this operation.</summary>
    public async Task<SentFrame> ReadAsync(OpCode op, CancellationToken cancellation)
    {
        SentFrame frame = await ReadAsync(cancellation);
        Assert.Equal(op, frame.Op);
        return frame;
    }

    /// <summary>Reads the connect request and accepts the session.</summary>
    public async Task<ConnectRequest> AcceptSessionAsync(
        CancellationToken cancellation, int timeoutMs = 30_000, long sessionId = SessionId, bool readOnly = false)
    {
        SentFrame frame = await ReadAsync(cancellation);
        Assert.True(ConnectRequest.TryRead(frame.Payload, out ConnectRequest request));
        Send(output => new ConnectResponse(0, timeoutMs, sessionId, Password, readOnly).Write(output));
        return request;
    }

    public void Send(Action<JuteBuffer> write)
    {
        using var output = new JuteBuffer();
        int frame = output.BeginFrame();
        write(output);
        output.EndFrame(frame);
        SendRaw(output.WrittenSpan.ToArray());
    }

    public void SendRaw(byte[] bytes) => toClient.Writer.TryWrite(bytes);

    public void Reply(int xid, long zxid = 0, ErrorCode error = ErrorCode.Ok, Action<JuteBuffer>? body = null) =>
        Send(output =>
        {
            output.WriteInt32(xid);
            output.WriteInt64(zxid);
            output.WriteInt32((int)error);
            body?.Invoke(output);
        });

    public void SendEvent(WatchEventType type, string path, long zxid = -1) =>
        Reply(Xids.WatchEvent, zxid, body: output =>
    {
        output.WriteInt32((int)type);
        output.WriteInt32(3);
        output.WriteString(path);
    });

    private async Task<byte[]> TakeAsync(int count, CancellationToken cancellation)
    {
        while (received.Length - received.Position < count)
        {
            byte[] more = await toServer.Reader.ReadAsync(cancellation);
            long at = received.Position;
            received.Position = received.Length;
            received.Write(more);
            received.Position = at;
        }
        byte[] bytes = new byte[count];
        received.ReadExactly(bytes);
        return bytes;
    }
}
