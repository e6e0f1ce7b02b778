using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using SharpKeeper.Core;
using SharpKeeper.Server.Connections;
using static SharpKeeper.TransportTests.TransportHarness;

namespace SharpKeeper.TransportTests;

public sealed class TransportTests
{
    public static TheoryData<bool> Kinds => new(false, true);

    [Theory, MemberData(nameof(Kinds))]
    public async Task Received_with_pipelined_frames_echoes_them_in_order(bool portable)
    {
        await using var harness = new TransportHarness(portable);
        using Socket client = harness.Connect();
        byte[] frames = [.. Enumerable.Range(0, 500).SelectMany(i => Frame(i % 97, i))];
        client.Send(frames);
        Assert.Equal(frames, ReceiveExactly(client, frames.Length));
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task MoveTo_serves_on_the_new_port_and_keeps_connections(bool portable)
    {
        await using var harness = new TransportHarness(portable);
        using Socket before = harness.Connect();
        harness.TakeAccepted();
        IPEndPoint former = harness.Transport.LocalEndPoint;
        byte[] frame = Frame(100);

        harness.Transport.MoveTo(new IPEndPoint(IPAddress.Loopback, 0), 16);

        Assert.NotEqual(former, harness.Transport.LocalEndPoint);
        using var freed = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        freed.Bind(former);
        using Socket after = harness.Connect();
        foreach (Socket client in (Socket[])[before, after])
        {
            client.Send(frame);
            Assert.Equal(frame, ReceiveExactly(client, frame.Length));
        }
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task MoveTo_a_port_in_use_stays_where_it_was(bool portable)
    {
        await using var harness = new TransportHarness(portable);
        using var taken = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        taken.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        taken.Listen();
        IPEndPoint former = harness.Transport.LocalEndPoint;

        Assert.Throws<SocketException>(() => harness.Transport.MoveTo((IPEndPoint)taken.LocalEndPoint!, 16));

        Assert.Equal(former, harness.Transport.LocalEndPoint);
        using Socket client = harness.Connect();
        client.Send(Frame(10));
        Assert.Equal(Frame(10), ReceiveExactly(client, 14));
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task Received_with_a_frame_byte_by_byte_presents_the_rest_again(bool portable)
    {
        using var seen = new SemaphoreSlim(0);
        await using var harness = new TransportHarness(portable, configure: handler =>
            handler.OnReceived = (connection, bytes) =>
            {
                int used = TestLoopHandler.Echo(connection, bytes);
                seen.Release();
                return used;
            });
        using Socket client = harness.Connect();
        byte[] frame = Frame(20);
        foreach (byte one in frame)
        {
            client.Send([one]);
            Assert.True(await seen.WaitAsync(WaitMs, TestContext.Current.CancellationToken));
        }
        Assert.Equal(frame, ReceiveExactly(client, frame.Length));
        Assert.Equal(frame.Length, harness.Handler.ReceivedCalls);
        harness.OnLoop(() => Assert.Null(harness.Handler.Accepted.Single().Rest));
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task Received_with_large_frames_collects_them_whole(bool portable)
    {
        await using var harness = new TransportHarness(portable);
        using Socket client = harness.Connect();
        foreach (int size in new[] { 15_000, 100_000, 300_000, 5_000_000 })
        {
            byte[] frames = [.. Frame(size, size), .. Frame(10)];
            Task<int> sending = Task.Run(() => client.Send(frames), TestContext.Current.CancellationToken);
            byte[] echoed = ReceiveExactly(client, frames.Length);
            await sending;
            Assert.True(frames.AsSpan().SequenceEqual(echoed));
        }
        harness.OnLoop(() => Assert.Null(harness.Handler.Accepted.Single().Rest));
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task Received_from_2000_connections_serves_each_on_its_loop(bool portable)
    {
        const int count = 2000;
        await using var harness = new TransportHarness(portable, loops: 2);
        var clients = new Socket[count];
        for (int i = 0; i < count; i++)
            clients[i] = harness.Connect();
        for (int i = 0; i < count; i++)
            clients[i].Send(Frame(30, i));
        for (int i = 0; i < count; i++)
            Assert.Equal(Frame(30, i), ReceiveExactly(clients[i], 34));
        Assert.Equal(count, harness.Transport.ConnectionCount);
        Assert.All(harness.Transport.Loops, loop => Assert.Equal(count / 2, loop.ConnectionCount));
        harness.OnLoop(() => Assert.Equal(count / 2, harness.Transport.Loops[0].Connections.Count()));
        foreach (Socket client in clients)
            client.Dispose();
        foreach (TestLoopHandler handler in harness.Handlers)
        {
            for (int i = 0; i < count / 2; i++)
                Assert.Equal(CloseReason.Peer, TakeClosedReason(handler));
            Assert.Empty(handler.ClosedConnections);
        }
        Assert.Equal(0, harness.Transport.ConnectionCount);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task PauseReading_holds_input_back_until_ResumeReading(bool portable)
    {
        bool paused = false;
        int calls = 0;
        await using var harness = new TransportHarness(portable, configure: handler =>
            handler.OnReceived = (connection, bytes) =>
            {
                Assert.False(paused);
                paused = true;
                calls++;
                connection.PauseReading();
                TestLoopHandler.Echo(connection, bytes[..10]);
                return 10;
            });
        using Socket client = harness.Connect();
        byte[] frames = [.. Enumerable.Range(0, 5).SelectMany(i => Frame(6, i))];
        client.Send(frames);
        Connection connection = harness.TakeAccepted();
        for (int i = 0; i < 5; i++)
        {
            Assert.Equal(frames[(10 * i)..(10 * i + 10)], ReceiveExactly(client, 10));
            harness.OnLoop(() =>
            {
                Assert.Equal(i + 1, calls);
                paused = false;
                connection.ResumeReading();
            });
        }
        client.Send(frames.AsSpan(0, 10));
        Assert.Equal(frames[..10], ReceiveExactly(client, 10));
        Assert.Equal(6, calls);
        Assert.False(harness.Failure.IsCompleted);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task Wake_from_many_threads_reaches_the_handler_and_coalesces(bool portable)
    {
        const int threads = 4;
        const int rounds = 5000;
        int posted = 0;
        int woken = 0;
        var all = new TaskCompletionSource();
        await using var harness = new TransportHarness(portable, configure: handler => handler.OnWoken = () =>
        {
            woken++;
            if (Volatile.Read(ref posted) == threads * rounds)
                all.TrySetResult();
        });
        ConnectionLoop loop = harness.Transport.Loops[0];
        await Task.WhenAll(Enumerable.Range(0, threads).Select(_ => Task.Run(() =>
        {
            for (int i = 0; i < rounds; i++)
            {
                Interlocked.Increment(ref posted);
                loop.Wake();
            }
        })));
        await all.Task.WaitAsync(TimeSpan.FromMilliseconds(WaitMs), TestContext.Current.CancellationToken);
        Assert.InRange(woken, 1, threads * rounds);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task Post_and_Wake_when_the_loop_sleeps_come_without_input(bool portable)
    {
        using var woken = new SemaphoreSlim(0);
        await using var harness = new TransportHarness(portable, configure: handler =>
            handler.OnWoken = () => woken.Release());
        for (int i = 0; i < 200; i++)
        {
            harness.Transport.Loops[0].Wake();
            Assert.True(await woken.WaitAsync(WaitMs, TestContext.Current.CancellationToken));
            harness.OnLoop(() => { });
        }
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task Accept_that_returns_null_closes_the_socket(bool portable)
    {
        await using var harness = new TransportHarness(portable, configure: handler => handler.OnAccept = _ => null);
        using Socket client = harness.Connect();
        Assert.Empty(ReceiveToEnd(client));
        Assert.Equal(0, harness.Transport.ConnectionCount);
        Assert.Empty(harness.Handler.ClosedConnections);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task Accept_on_the_wildcard_takes_both_families_and_names_IPv4_peers_as_such(bool portable)
    {
        await using var harness = new TransportHarness(portable, address: IPAddress.IPv6Any);
        using Socket v4 = harness.Connect(IPAddress.Loopback);
        Connection first = harness.TakeAccepted();
        using Socket v6 = harness.Connect(IPAddress.IPv6Loopback);
        Connection second = harness.TakeAccepted();
        Assert.Equal(v4.LocalEndPoint, first.Remote);
        Assert.Equal(IPAddress.IPv6Loopback, second.Remote.Address);
        Assert.Equal(((IPEndPoint)v6.LocalEndPoint!).Port, second.Remote.Port);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task Accept_at_the_limit_of_descriptors_closes_the_socket_and_reports_it_once(bool portable)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no limit of descriptors.");
        var logger = new CountingLogger();
        await using var harness = new TransportHarness(portable, logger: logger, descriptorsMax: 3);
        for (int i = 0; i < 20; i++)
        {
            using Socket client = harness.Connect();
            Assert.Empty(ReceiveToEnd(client));
        }
        Assert.Empty(harness.Handler.Accepted);
        Assert.InRange(logger.Errors, 1, 19);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task Start_on_an_address_in_use_throws(bool portable)
    {
        await using var harness = new TransportHarness(portable);
        await using var second = new Server.Connections.Transport(
            new TransportOptions { UsePortable = portable }, NullLogger.Instance);
        SocketException exception = Assert.Throws<SocketException>(() =>
            second.Start(harness.Transport.LocalEndPoint, 10, 1, _ => new TestLoopHandler()));
        Assert.Equal(SocketError.AddressAlreadyInUse, exception.SocketErrorCode);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task StopAccepting_refuses_new_peers_and_keeps_the_others(bool portable)
    {
        await using var harness = new TransportHarness(portable);
        using Socket client = harness.Connect();
        harness.TakeAccepted();
        harness.Transport.StopAccepting();
        Assert.Throws<SocketException>(() => harness.Connect());
        client.Send(Frame(3));
        Assert.Equal(Frame(3), ReceiveExactly(client, 7));
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task Tick_comes_again_and_again_without_traffic(bool portable)
    {
        using var ticks = new SemaphoreSlim(0);
        await using var harness = new TransportHarness(portable, configure: handler =>
            handler.OnTick = _ => ticks.Release());
        for (int i = 0; i < 3; i++)
            Assert.True(await ticks.WaitAsync(WaitMs, TestContext.Current.CancellationToken));
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task Received_that_throws_ends_the_loop_and_is_reported(bool portable)
    {
        var harness = new TransportHarness(portable, configure: handler =>
            handler.OnReceived = (_, bytes) => bytes.Length + 1);
        using Socket client = harness.Connect();
        client.Send([1]);
        Exception failure = await harness.Failure.WaitAsync(
            TimeSpan.FromMilliseconds(WaitMs), TestContext.Current.CancellationToken);
        Assert.IsType<InvariantException>(failure);
        await Assert.ThrowsAsync<InvariantException>(async () => await harness.DisposeAsync());
        Assert.Throws<SocketException>(() => harness.Connect());
    }

    private sealed class CountingLogger : ILogger
    {
        private int errors;

        public int Errors => Volatile.Read(ref errors);

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception,
            Func<TState, Exception?, string> formatter)
        {
            if (logLevel == LogLevel.Error)
                Interlocked.Increment(ref errors);
        }
    }
}
