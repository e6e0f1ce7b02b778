using System.Net.Sockets;
using SharpKeeper.Protocol;
using SharpKeeper.Server.Connections;
using static SharpKeeper.TransportTests.TransportHarness;

namespace SharpKeeper.TransportTests;

public sealed class ConnectionCloseTests
{
    public static TheoryData<bool> Kinds => new(false, true);

    [Theory, MemberData(nameof(Kinds))]
    public async Task Send_to_a_slow_reader_queues_and_drains_in_order(bool portable)
    {
        await using var harness = new TransportHarness(portable);
        using Socket client = harness.Connect();
        Connection connection = harness.TakeAccepted();
        using var expected = new MemoryStream();
        int queued = 0;
        harness.OnLoop(() =>
        {
            for (int i = 0; i < 300; i++)
            {
                byte[] small = Frame(i % 50, i);
                connection.Send(small);
                expected.Write(small);
                byte[] large = Frame(100_000, i);
                var buffer = new JuteBuffer();
                buffer.WriteRaw(large);
                connection.Send(buffer);
                expected.Write(large);
            }
            queued = connection.QueuedBytes;
        });
        Assert.InRange(queued, 1_000_000, 31_000_000);
        Assert.True(expected.ToArray().AsSpan().SequenceEqual(ReceiveExactly(client, (int)expected.Length)));
        // The reply follows what was queued.
        client.Send(Frame(5));
        Assert.Equal(Frame(5), ReceiveExactly(client, 9));
        harness.OnLoop(() => Assert.Equal(0, connection.QueuedBytes));
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task Close_with_flush_sends_all_that_is_queued_first(bool portable)
    {
        await using var harness = new TransportHarness(portable);
        using Socket client = harness.Connect();
        Connection connection = harness.TakeAccepted();
        byte[] large = Frame(8_000_000);
        harness.OnLoop(() =>
        {
            connection.Send(large);
            connection.Close(CloseReason.Protocol, flush: true);
            Assert.True(connection.IsClosed);
            connection.Send([1, 2, 3]);
            connection.Close(CloseReason.Timeout, flush: true);
        });
        Assert.True(large.AsSpan().SequenceEqual(ReceiveToEnd(client)));
        client.Dispose();
        Assert.Equal(CloseReason.Protocol, harness.TakeClosed(connection));
        Assert.Equal(0, harness.Transport.ConnectionCount);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task Close_with_flush_while_input_is_unread_loses_no_output(bool portable)
    {
        byte[] reply = Frame(200_000);
        await using var harness = new TransportHarness(portable, configure: handler =>
            handler.OnReceived = (connection, _) =>
            {
                connection.Send(reply);
                connection.Close(CloseReason.Protocol, flush: true);
                return 0;
            });
        using Socket client = harness.Connect();
        Connection connection = harness.TakeAccepted();
        client.Send(new byte[2_000_000]);
        Assert.True(reply.AsSpan().SequenceEqual(ReceiveToEnd(client)));
        client.Dispose();
        Assert.Equal(CloseReason.Protocol, harness.TakeClosed(connection));
        Assert.Equal(1, harness.Handler.ReceivedCalls);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task Close_with_flush_when_the_peer_does_nothing_ends_in_bounded_time(bool portable)
    {
        await using var harness = new TransportHarness(portable);
        using Socket client = harness.Connect();
        Connection connection = harness.TakeAccepted();
        harness.OnLoop(() => connection.Close(CloseReason.Refused, flush: true));
        Assert.Equal(CloseReason.Refused, harness.TakeClosed(connection));
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task Close_without_flush_ends_at_once_and_drops_the_queue(bool portable)
    {
        await using var harness = new TransportHarness(portable);
        using Socket client = harness.Connect();
        Connection connection = harness.TakeAccepted();
        harness.OnLoop(() =>
        {
            connection.Send(new byte[30_000_000]);
            Assert.True(connection.QueuedBytes > 0);
            connection.Close(CloseReason.Overflow, flush: false);
            Assert.Empty(harness.Handler.ClosedConnections);
        });
        Assert.Equal(CloseReason.Overflow, harness.TakeClosed(connection));
        harness.OnLoop(() => Assert.Equal(0, connection.QueuedBytes));
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task Close_inside_Received_stops_further_input(bool portable)
    {
        await using var harness = new TransportHarness(portable, configure: handler =>
            handler.OnReceived = (connection, bytes) =>
            {
                connection.Close(CloseReason.Server, flush: false);
                return bytes.Length / 2;
            });
        using Socket client = harness.Connect();
        Connection connection = harness.TakeAccepted();
        client.Send(new byte[100]);
        Assert.Equal(CloseReason.Server, harness.TakeClosed(connection));
        Assert.Equal(1, harness.Handler.ReceivedCalls);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task Peer_that_ends_its_side_gets_its_answer_and_is_closed(bool portable)
    {
        await using var harness = new TransportHarness(portable);
        using Socket client = harness.Connect();
        Connection connection = harness.TakeAccepted();
        client.Send(Frame(100));
        client.Shutdown(SocketShutdown.Send);
        Assert.Equal(Frame(100), ReceiveToEnd(client));
        Assert.Equal(CloseReason.Peer, harness.TakeClosed(connection));
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task Peer_that_ends_its_side_while_a_large_flush_goes_out_gets_all_of_it(bool portable)
    {
        byte[] reply = Frame(20_000_000);
        await using var harness = new TransportHarness(portable, configure: handler =>
            handler.OnReceived = (connection, bytes) =>
            {
                connection.Send(reply);
                connection.Close(CloseReason.Server, flush: true);
                return bytes.Length;
            });
        using Socket client = harness.Connect();
        Connection connection = harness.TakeAccepted();
        client.Send("mntr"u8);
        client.Shutdown(SocketShutdown.Send);
        Assert.True(reply.AsSpan().SequenceEqual(ReceiveToEnd(client)));
        Assert.Equal(CloseReason.Server, harness.TakeClosed(connection));
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task Peer_that_resets_in_the_middle_of_a_frame_is_closed_once(bool portable)
    {
        using var half = new SemaphoreSlim(0);
        await using var harness = new TransportHarness(portable, configure: handler =>
            handler.OnReceived = (_, _) =>
            {
                half.Release();
                return 0;
            });
        for (int i = 0; i < 50; i++)
        {
            Socket client = harness.Connect();
            client.Send(Frame(100)[..50]);
            Assert.True(await half.WaitAsync(WaitMs, TestContext.Current.CancellationToken));
            client.LingerState = new LingerOption(true, 0);
            client.Dispose();
            Assert.Equal(CloseReason.Error, harness.TakeClosed(harness.TakeAccepted()));
        }
        Assert.Equal(0, harness.Transport.ConnectionCount);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task Peer_that_resets_with_output_queued_is_closed_once(bool portable)
    {
        await using var harness = new TransportHarness(portable);
        Socket client = harness.Connect();
        Connection connection = harness.TakeAccepted();
        harness.OnLoop(() => connection.Send(new byte[30_000_000]));
        client.LingerState = new LingerOption(true, 0);
        client.Dispose();
        Assert.Equal(CloseReason.Error, harness.TakeClosed(connection));
        harness.OnLoop(() => Assert.Equal(0, connection.QueuedBytes));
        Assert.Empty(harness.Handler.ClosedConnections);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task DisposeAsync_while_clients_are_busy_closes_each_connection_once(bool portable)
    {
        const int count = 50;
        var harness = new TransportHarness(portable, loops: 2);
        var echoed = new CountdownEvent(count);
        Thread[] clients = [.. Enumerable.Range(0, count).Select(i => new Thread(() => Chat(harness, echoed)))];
        foreach (Thread client in clients)
            client.Start();
        Assert.True(echoed.Wait(WaitMs, TestContext.Current.CancellationToken));
        await harness.DisposeAsync();
        foreach (Thread client in clients)
            client.Join();
        Assert.Equal(count, harness.Handlers.Sum(handler => handler.Accepted.Count));
        Assert.Equal(count, harness.Handlers.Sum(handler => handler.ClosedConnections.Count));
        Assert.All(harness.Handlers, handler => Assert.All(handler.ClosedConnections, closed =>
            Assert.Equal(CloseReason.Server, closed.Reason)));
        Assert.Equal(0, harness.Transport.ConnectionCount);
        await harness.Transport.DisposeAsync();
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task DisposeAsync_sends_queued_output_to_a_peer_that_reads(bool portable)
    {
        byte[] large = Frame(5_000_000);
        await using var harness = new TransportHarness(portable);
        using Socket client = harness.Connect();
        Connection connection = harness.TakeAccepted();
        harness.OnLoop(() => connection.Send(large));
        Task<byte[]> reading = Task.Run(() => ReceiveToEnd(client), TestContext.Current.CancellationToken);
        await harness.Transport.DisposeAsync();
        byte[] received = await reading;
        Assert.True(large.AsSpan().SequenceEqual(received));
        Assert.Equal(CloseReason.Server, harness.TakeClosed(connection));
    }

    private static void Chat(TransportHarness harness, CountdownEvent echoed)
    {
        using Socket client = harness.Connect();
        byte[] frames = [.. Frame(1000), .. Frame(20)];
        byte[] received = new byte[64 * 1024];
        bool first = true;
        try
        {
            while (true)
            {
                client.Send(frames);
                if (client.Receive(received) == 0)
                    return;
                if (first)
                    echoed.Signal();
                first = false;
            }
        }
        catch (SocketException)
        {
            // The server has reset the connection: it stopped with input unread.
        }
    }
}
