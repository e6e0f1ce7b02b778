using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using SharpKeeper.Server.Connections;

namespace SharpKeeper.TransportTests;

/// <summary>A running transport on a loopback port with blocking clients, each wait bounded.</summary>
internal sealed class TransportHarness : IAsyncDisposable
{
    public const int WaitMs = 20_000;

    private readonly Server.Connections.Transport transport;
    private readonly TaskCompletionSource<Exception> failure = new();

    public TransportHarness(bool portable, int loops = 1, IPAddress? address = null, ILogger? logger = null,
        int? descriptorsMax = null, Action<TestLoopHandler>? configure = null)
    {
        Handlers = [.. Enumerable.Range(0, loops).Select(_ => new TestLoopHandler())];
        foreach (TestLoopHandler handler in Handlers)
            configure?.Invoke(handler);
        var options = new TransportOptions
        {
            UsePortable = portable,
            Failed = failure.SetResult,
            DescriptorsMax = descriptorsMax,
        };
        transport = new Server.Connections.Transport(options, logger ?? NullLogger.Instance);
        transport.Start(new IPEndPoint(address ?? IPAddress.Loopback, 0), 1024, loops, i => Handlers[i]);
    }

    public TestLoopHandler[] Handlers { get; }

    public TestLoopHandler Handler => Handlers[0];

    public Server.Connections.Transport Transport => transport;

    public Task<Exception> Failure => failure.Task;

    public Socket Connect(IPAddress? address = null)
    {
        IPAddress to = address ?? IPAddress.Loopback;
        var socket = new Socket(to.AddressFamily, SocketType.Stream, ProtocolType.Tcp)
        {
            NoDelay = true,
            ReceiveTimeout = WaitMs,
            SendTimeout = WaitMs,
        };
        socket.Connect(to, transport.LocalEndPoint.Port);
        return socket;
    }

    public Connection TakeAccepted()
    {
        Assert.True(Handler.Accepted.TryTake(out Connection? connection, WaitMs));
        return connection;
    }

    public static CloseReason TakeClosedReason(TestLoopHandler handler)
    {
        Assert.True(handler.ClosedConnections.TryTake(out (Connection Connection, CloseReason Reason) closed, WaitMs));
        return closed.Reason;
    }

    public CloseReason TakeClosed(Connection expected)
    {
        Assert.True(Handler.ClosedConnections.TryTake(out (Connection Connection, CloseReason Reason) closed, WaitMs));
        Assert.Same(expected, closed.Connection);
        return closed.Reason;
    }

    public void OnLoop(Action action, int loop = 0)
    {
        var done = new TaskCompletionSource();
        transport.Loops[loop].Post(() =>
        {
            action();
            done.SetResult();
        });
        Assert.True(done.Task.Wait(WaitMs));
    }

    public async ValueTask DisposeAsync()
    {
        await transport.DisposeAsync();
        foreach (TestLoopHandler handler in Handlers)
            Assert.Empty(handler.Violations);
        if (failure.Task.IsCompleted)
            throw failure.Task.Result;
    }

    public static byte[] Frame(int payloadLength, int seed = 0)
    {
        byte[] frame = new byte[4 + payloadLength];
        BinaryPrimitives.WriteInt32BigEndian(frame, payloadLength);
        new Random(seed).NextBytes(frame.AsSpan(4));
        return frame;
    }

    public static byte[] ReceiveExactly(Socket socket, int count)
    {
        byte[] bytes = new byte[count];
        int got = 0;
        while (got < count)
        {
            int now = socket.Receive(bytes, got, count - got, SocketFlags.None);
            Assert.True(now > 0, $"the server closed after {got} of {count} bytes");
            got += now;
        }
        return bytes;
    }

    public static byte[] ReceiveToEnd(Socket socket)
    {
        using var all = new MemoryStream();
        byte[] chunk = new byte[64 * 1024];
        for (int count; (count = socket.Receive(chunk)) > 0;)
            all.Write(chunk, 0, count);
        return all.ToArray();
    }
}
