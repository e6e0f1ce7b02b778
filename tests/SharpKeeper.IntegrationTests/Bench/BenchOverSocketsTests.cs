using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using SharpKeeper.BenchTests;
using SharpKeeper.Cli.Bench;
using SharpKeeper.Cli.Bench.Report;
using SharpKeeper.Cli.Bench.Transport;
using SharpKeeper.Protocol;

namespace SharpKeeper.BenchSocketTests;

/// <summary>Both transports, against the fake server behind real sockets on loopback.</summary>
public sealed class BenchOverSocketsTests
{
    [Theory]
    [CombinedData]
    public async Task Execute_over_sockets_verifies_all(string operation, bool portable)
    {
        await using var server = new SocketServer();

        BenchResult result = server.Run(
            Enum.Parse<BenchOperation>(operation), portable, options => options with { Count = 400 });

        Assert.True(result.Completed is 400 or 401 or 8, $"{result.Completed}");
        Assert.True(result.PerSecond > 0);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Execute_with_data_larger_than_the_socket_buffers_verifies_all(bool portable)
    {
        await using var server = new SocketServer();

        BenchResult result = server.Run(BenchOperation.Mixed, portable, options => options with
        {
            Count = 300,
            Sessions = 2,
            Depth = 30,
            Size = 300_000,
            ReadRatio = 0.5,
        });

        Assert.Equal(300, result.Completed);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Execute_against_a_lying_server_fails(bool portable)
    {
        await using var server = new SocketServer();
        server.Fake.Tamper = (operation, before, payload) =>
            operation == OpCode.GetData && before == 700 ? FakeServer.With(payload, 0, 1) : payload;

        Assert.Throws<WrongReplyException>(
            () => server.Run(BenchOperation.Get, portable, options => options with { Count = 2000 }));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Execute_against_a_server_that_closes_fails(bool portable)
    {
        await using var server = new SocketServer();
        server.Fake.Tamper = (operation, before, payload) =>
            operation == OpCode.GetData && before == 700 ? null : payload;

        BenchException failure = Assert.Throws<BenchException>(
            () => server.Run(BenchOperation.Get, portable, options => options with { Count = 2000 }));

        Assert.Contains("in flight", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Execute_where_nobody_listens_says_so(bool portable)
    {
        await using var server = new SocketServer();
        await server.DisposeAsync();

        BenchException failure = Assert.Throws<BenchException>(() => server.Run(BenchOperation.Get, portable));

        Assert.Contains($"cannot open session 1 at {server.EndPoint}", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Startup_where_a_server_answers_already_says_so()
    {
        await using var server = new SocketServer();

        BenchException failure = Assert.Throws<BenchException>(() => Startup.Execute(
            new StartupOptions(server.EndPoint, ["true"], 1, TimeSpan.FromSeconds(5), TimeSpan.Zero),
            TextWriter.Null, TestContext.Current.CancellationToken));

        Assert.Contains("answers at", failure.Message, StringComparison.Ordinal);
    }

    private sealed class CombinedDataAttribute : Xunit.v3.DataAttribute
    {
        public override ValueTask<IReadOnlyCollection<ITheoryDataRow>> GetData(
            System.Reflection.MethodInfo testMethod, Xunit.Sdk.DisposalTracker disposalTracker)
        {
            ITheoryDataRow[] rows = [.. Enum.GetNames<BenchOperation>().SelectMany(
                name => (ITheoryDataRow[])[new TheoryDataRow(name, false), new TheoryDataRow(name, true)])];
            return ValueTask.FromResult<IReadOnlyCollection<ITheoryDataRow>>(rows);
        }

        public override bool SupportsDiscoveryEnumeration() => true;
    }

    /// <summary>A fake server behind a listening socket; one lock makes it serve one request at a time.</summary>
    private sealed class SocketServer : IAsyncDisposable
    {
        private readonly Socket listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        private readonly ConcurrentDictionary<FakeConnection, Socket> sockets = new();
        private readonly Lock turn = new();
        private readonly Task accepting;
        private readonly ConcurrentBag<Task> serving = [];

        public SocketServer()
        {
            listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
            listener.Listen(512);
            EndPoint = (IPEndPoint)listener.LocalEndPoint!;
            accepting = Task.Run(AcceptAsync);
        }

        public FakeServer Fake { get; } = new();

        public IPEndPoint EndPoint { get; }

        public BenchResult Run(
            BenchOperation operation, bool portable, Func<BenchOptions, BenchOptions>? change = null)
        {
            var options = new BenchOptions
            {
                Servers = [EndPoint],
                Sessions = 8,
                Warmup = TimeSpan.Zero,
                Duration = TimeSpan.FromMilliseconds(50),
                Transport = () => Transports.Create(portable),
            };
            return BenchRun.Execute(
                operation, change?.Invoke(options) ?? options, TextWriter.Null,
                TestContext.Current.CancellationToken);
        }

        public async ValueTask DisposeAsync()
        {
            listener.Dispose();
            await accepting;
            foreach (Socket socket in sockets.Values)
                socket.Dispose();
            await Task.WhenAll(serving);
        }

        private async Task AcceptAsync()
        {
            try
            {
                while (true)
                {
                    Socket socket = await listener.AcceptAsync();
                    var connection = new FakeConnection(Fake);
                    sockets[connection] = socket;
                    serving.Add(Task.Run(() => ServeAsync(connection, socket)));
                }
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                // The test has ended.
            }
        }

        private async Task ServeAsync(FakeConnection connection, Socket socket)
        {
            byte[] received = new byte[65536];
            try
            {
                while (!connection.IsClosed)
                {
                    int count = await socket.ReceiveAsync(received);
                    if (count == 0)
                        break;
                    Answer(connection, received.AsSpan(0, count));
                }
                // What the client sent behind its last request stays unread, which would reset the connection.
                socket.Shutdown(SocketShutdown.Send);
                while (await socket.ReceiveAsync(received) > 0)
                {
                }
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                // The client has gone, or the test has ended.
            }
            sockets.TryRemove(connection, out _);
            socket.Dispose();
        }

        private void Answer(FakeConnection connection, ReadOnlySpan<byte> bytes)
        {
            // Sending within the turn keeps the order of a connection's bytes; the client always reads.
            lock (turn)
            {
                connection.Feed(bytes);
                // A write may have events for others, which must go out before anything that follows it.
                foreach ((FakeConnection its, Socket socket) in sockets)
                {
                    byte[] piece = new byte[its.Available];
                    if (its.Read(piece) > 0)
                        socket.Send(piece);
                }
            }
        }
    }
}
