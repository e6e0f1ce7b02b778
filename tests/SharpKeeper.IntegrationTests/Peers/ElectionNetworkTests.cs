using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using SharpKeeper.Protocol;
using SharpKeeper.Protocol.Election;
using SharpKeeper.Server.Peers;

namespace SharpKeeper.PeersTests;

public sealed class ElectionNetworkTests
{
    private static readonly byte[] first = [1, 1, 1];
    private static readonly byte[] second = [2, 2];
    private static readonly byte[] third = [3];

    [Fact]
    public async Task Send_to_smaller_server_connects_and_keeps_the_connection()
    {
        await using ElectionHarness harness = await ElectionHarness.StartAsync(self: 3);
        using var other = new ScriptedListener();
        harness.Use((2, other.Port));

        harness.Network.Send(new ServerId(2), first);

        using ScriptedPeer peer = other.Accept();
        Assert.Equal((3, $"127.0.0.1:{harness.End.Port}"), peer.ReceiveIntroduction());
        Assert.Equal(first, peer.ReceiveMessage());
        harness.AwaitLink(2, isUp: true);
        peer.SendMessage(second);
        (ServerId from, byte[] payload) = harness.TakeVote();
        Assert.Equal(new ServerId(2), from);
        Assert.Equal(second, payload);
    }

    [Fact]
    public void Introduction_is_the_one_recorded_from_a_real_server()
    {
        byte[] recorded = Convert.FromHexString(
            "ffffffffffff000000000000000000030000000f3132372e302e302e313a3234333033");

        Assert.Equal(recorded, Introduction.Write(new ServerId(3), [new PeerAddress("127.0.0.1", 24303)], false));
    }

    [Fact]
    public async Task Send_to_larger_server_introduces_itself_closes_and_is_called_back()
    {
        await using ElectionHarness harness = await ElectionHarness.StartAsync(self: 1);
        using var other = new ScriptedListener();
        harness.Use((2, other.Port));

        harness.Network.Send(new ServerId(2), first);

        using (ScriptedPeer asking = other.Accept())
        {
            Assert.Equal(1, asking.ReceiveIntroduction().Sid);
            asking.AwaitEnd();
        }
        using ScriptedPeer kept = ScriptedPeer.Connect(harness.End);
        kept.Send(ScriptedPeer.Introduction(2, other.Address));
        Assert.Equal(first, kept.ReceiveMessage());
        harness.AwaitLink(2, isUp: true);
    }

    [Fact]
    public async Task Accept_from_smaller_server_closes_and_connects_to_the_address_it_gave()
    {
        await using ElectionHarness harness = await ElectionHarness.StartAsync(self: 3);
        using var other = new ScriptedListener();

        using ScriptedPeer asking = ScriptedPeer.Connect(harness.End);
        asking.Send(ScriptedPeer.Introduction(1, other.Address));

        asking.AwaitEnd();
        using ScriptedPeer kept = other.Accept();
        Assert.Equal(3, kept.ReceiveIntroduction().Sid);
        kept.SendMessage(first);
        Assert.Equal(first, harness.TakeVote().Payload);
    }

    [Fact]
    public async Task Accept_in_the_oldest_form_connects_to_the_configured_address()
    {
        await using ElectionHarness harness = await ElectionHarness.StartAsync(self: 3);
        using var other = new ScriptedListener();
        harness.Use((1, other.Port));

        using ScriptedPeer asking = ScriptedPeer.Connect(harness.End);
        asking.Send([0, 0, 0, 0, 0, 0, 0, 1]);

        asking.AwaitEnd();
        using ScriptedPeer kept = other.Accept();
        Assert.Equal(3, kept.ReceiveIntroduction().Sid);
    }

    [Fact]
    public async Task Accept_with_a_name_that_is_too_long_reports_it_and_can_be_called_again()
    {
        await using ElectionHarness larger = await ElectionHarness.StartAsync(5);
        using (ScriptedPeer first = ScriptedPeer.Connect(larger.End))
            first.Send(ScriptedPeer.Introduction(2, new string('a', 255) + ":3888"));
        larger.AwaitLink(2, isUp: false);

        using var listener = new ScriptedListener();
        using ScriptedPeer second = ScriptedPeer.Connect(larger.End);
        second.Send(ScriptedPeer.Introduction(2, $"127.0.0.1:{listener.Port}"));

        using ScriptedPeer called = listener.Accept();
        larger.AwaitLink(2, isUp: true);
    }

    [Fact]
    public async Task Accept_in_the_second_version_tries_all_addresses()
    {
        await using ElectionHarness harness = await ElectionHarness.StartAsync(self: 3);
        using var other = new ScriptedListener();
        int deadPort = FreePort();

        using ScriptedPeer asking = ScriptedPeer.Connect(harness.End);
        asking.Send(ScriptedPeer.Introduction(
            1, $"0.0.0.0:3888|127.0.0.1:{deadPort}|{other.Address}", version: -65535));

        asking.AwaitEnd();
        using ScriptedPeer kept = other.Accept();
        Assert.Equal(3, kept.ReceiveIntroduction().Sid);
    }

    [Fact]
    public async Task Accept_from_larger_server_replaces_the_older_connection()
    {
        await using ElectionHarness harness = await ElectionHarness.StartAsync(self: 1);
        using ScriptedPeer older = ScriptedPeer.Connect(harness.End);
        older.Send(ScriptedPeer.Introduction(2, "127.0.0.1:1"));
        harness.AwaitLink(2, isUp: true);

        using ScriptedPeer newer = ScriptedPeer.Connect(harness.End);
        newer.Send(ScriptedPeer.Introduction(2, "127.0.0.1:1"));

        older.AwaitEnd();
        newer.SendMessage(second);
        Assert.Equal(second, harness.TakeVote().Payload);
        harness.Network.Send(new ServerId(2), first);
        Assert.Equal(first, newer.ReceiveMessage());
    }

    [Fact]
    public async Task Smaller_server_that_calls_again_gets_a_new_connection_in_place_of_the_old_one()
    {
        await using ElectionHarness harness = await ElectionHarness.StartAsync(self: 3);
        using var other = new ScriptedListener();
        harness.Use((1, other.Port));
        harness.Network.Send(new ServerId(1), first);
        using ScriptedPeer older = other.Accept();
        older.ReceiveIntroduction();
        Assert.Equal(first, older.ReceiveMessage());

        using ScriptedPeer asking = ScriptedPeer.Connect(harness.End);
        asking.Send(ScriptedPeer.Introduction(1, other.Address));

        older.AwaitEnd();
        using ScriptedPeer newer = other.Accept();
        newer.ReceiveIntroduction();
        Assert.Equal(first, newer.ReceiveMessage());
        Assert.True(other.IsQuiet);
    }

    [Fact]
    public async Task New_connection_with_nothing_to_send_begins_with_the_last_message()
    {
        await using ElectionHarness harness = await ElectionHarness.StartAsync(self: 1);
        using (ScriptedPeer older = ScriptedPeer.Connect(harness.End))
        {
            older.Send(ScriptedPeer.Introduction(2, "127.0.0.1:1"));
            harness.AwaitLink(2, isUp: true);
            harness.Network.Send(new ServerId(2), first);
            Assert.Equal(first, older.ReceiveMessage());
        }
        harness.AwaitLink(2, isUp: false);

        using ScriptedPeer newer = ScriptedPeer.Connect(harness.End);
        newer.Send(ScriptedPeer.Introduction(2, "127.0.0.1:1"));

        Assert.Equal(first, newer.ReceiveMessage());
    }

    [Fact]
    public async Task Send_without_connection_keeps_only_the_newest_message()
    {
        await using ElectionHarness harness = await ElectionHarness.StartAsync(self: 1);
        harness.Use((2, FreePort()));
        harness.Network.Send(new ServerId(2), first);
        harness.Network.Send(new ServerId(2), second);
        harness.Network.Send(new ServerId(2), third);

        using ScriptedPeer peer = ScriptedPeer.Connect(harness.End);
        peer.Send(ScriptedPeer.Introduction(2, "127.0.0.1:1"));

        Assert.Equal(third, peer.ReceiveMessage());
    }

    [Fact]
    public async Task Send_to_a_server_that_is_not_there_reports_it_and_goes_on_trying()
    {
        await using ElectionHarness harness = await ElectionHarness.StartAsync(self: 3);
        int port = FreePort();
        harness.Use((1, port));

        harness.Network.Send(new ServerId(1), first);

        harness.AwaitLink(1, isUp: false);
        harness.AwaitLink(1, isUp: false);
        using var late = new ScriptedListener(port);
        using ScriptedPeer peer = late.Accept();
        peer.ReceiveIntroduction();
        Assert.Equal(first, peer.ReceiveMessage());
    }

    [Fact]
    public async Task Send_to_a_server_that_does_not_answer_holds_up_no_other()
    {
        await using ElectionHarness harness = await ElectionHarness.StartAsync(self: 3);
        using var other = new ScriptedListener();
        using var deaf = new DeafPort();
        harness.Use((1, deaf.Port), (2, other.Port));

        harness.Network.Send(new ServerId(1), first);
        harness.Network.Send(new ServerId(2), second);

        using ScriptedPeer peer = other.Accept();
        peer.ReceiveIntroduction();
        Assert.Equal(second, peer.ReceiveMessage());
    }

    [Fact]
    public async Task Lost_connection_is_made_again_by_the_larger_server()
    {
        await using ElectionHarness harness = await ElectionHarness.StartAsync(self: 3);
        using var other = new ScriptedListener();
        harness.Use((1, other.Port));
        harness.Network.Send(new ServerId(1), first);
        using (ScriptedPeer peer = other.Accept())
        {
            peer.ReceiveIntroduction();
            peer.ReceiveMessage();
        }

        using ScriptedPeer again = other.Accept();

        again.ReceiveIntroduction();
        Assert.Equal(first, again.ReceiveMessage());
    }

    [Theory]
    [InlineData("ffffffffffff0002000000000000000200000001")]
    [InlineData("ffffffffffff0000000000000000000200000000")]
    [InlineData("ffffffffffff00000000000000000002ffffffff")]
    [InlineData("ffffffffffff0000000000000000000200000801")]
    [InlineData("ffffffffffff000000000000000000020000000b6e6f20616464726573733a")]
    [InlineData("ffffffffffff00000000000000000002000000013a")]
    [InlineData("ffffffffffff0000000000000000000200000007683a3939393939")]
    [InlineData("ffffffffffff0000fffffffffffffffe0000000b3132372e302e302e313a31")]
    [InlineData("0000000000000001")]
    public async Task Accept_of_bytes_that_nobody_may_send_closes_and_disturbs_nothing(string hex)
    {
        await using ElectionHarness harness = await ElectionHarness.StartAsync(self: 1);
        using ScriptedPeer hostile = ScriptedPeer.Connect(harness.End);
        hostile.Send(Convert.FromHexString(hex));
        hostile.AwaitEnd();

        using ScriptedPeer peer = ScriptedPeer.Connect(harness.End);
        peer.Send(ScriptedPeer.Introduction(2, "127.0.0.1:1"));
        peer.SendMessage(first);

        Assert.Equal(first, harness.TakeVote().Payload);
    }

    [Fact]
    public async Task Accept_from_somebody_who_says_nothing_ends_after_the_time_for_that()
    {
        await using ElectionHarness harness = await ElectionHarness.StartAsync(
            self: 1, static options => options with { HandshakeTimeout = TimeSpan.FromMilliseconds(50) });
        using ScriptedPeer silent = ScriptedPeer.Connect(harness.End);
        silent.Send([0xff, 0xff]);

        silent.AwaitEnd();
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(ElectionFrames.PayloadBytesMax + 1)]
    [InlineData(int.MaxValue)]
    public async Task Message_of_a_length_that_nobody_may_send_ends_the_connection(int length)
    {
        await using ElectionHarness harness = await ElectionHarness.StartAsync(self: 1);
        using ScriptedPeer peer = ScriptedPeer.Connect(harness.End);
        peer.Send(ScriptedPeer.Introduction(2, "127.0.0.1:1"));
        harness.AwaitLink(2, isUp: true);
        byte[] head = new byte[4];
        BinaryPrimitives.WriteInt32BigEndian(head, length);

        peer.Send(head);

        peer.AwaitEnd();
        harness.AwaitLink(2, isUp: false);
        Assert.False(harness.HasVotes);
    }

    [Fact]
    public async Task Strangers_are_answered_and_their_number_is_limited()
    {
        await using ElectionHarness harness = await ElectionHarness.StartAsync(self: 1);
        var strangers = new List<ScriptedPeer>();
        for (int i = 0; i < 64; i++)
        {
            ScriptedPeer stranger = ScriptedPeer.Connect(harness.End);
            stranger.Send(ScriptedPeer.Introduction(100 + i, "127.0.0.1:1"));
            strangers.Add(stranger);
            harness.AwaitLink(100 + i, isUp: true);
        }
        harness.Network.Send(new ServerId(163), first);
        Assert.Equal(first, strangers[63].ReceiveMessage());

        using ScriptedPeer tooMany = ScriptedPeer.Connect(harness.End);
        tooMany.Send(ScriptedPeer.Introduction(200, "127.0.0.1:1"));

        tooMany.AwaitEnd();
        strangers.ForEach(static it => it.Dispose());
    }

    [Fact]
    public async Task Two_networks_that_call_each_other_at_once_end_with_one_connection()
    {
        await using ElectionHarness one = await ElectionHarness.StartAsync(self: 1);
        await using ElectionHarness two = await ElectionHarness.StartAsync(self: 2);
        one.Use((1, one.End.Port), (2, two.End.Port));
        two.Use((1, one.End.Port), (2, two.End.Port));

        for (byte round = 0; round < 50; round++)
        {
            one.Network.Send(new ServerId(2), [round, 1]);
            two.Network.Send(new ServerId(1), [round, 2]);
            while (one.TakeVote().Payload[0] != round)
            {
            }
            while (two.TakeVote().Payload[0] != round)
            {
            }
        }
        Assert.True(one.Network.IsConnected(new ServerId(2)));
        Assert.True(two.Network.IsConnected(new ServerId(1)));
    }

    [Fact]
    public async Task ListenAsync_on_a_port_in_use_tries_again_and_then_says_what_to_do()
    {
        using var taken = new ScriptedListener();
        await using var network = new ElectionNetwork(
            new ElectionNetworkOptions
            {
                Self = new ServerId(1),
                BindRetries = 2,
                BindRetryDelay = TimeSpan.FromMilliseconds(1),
            },
            new ElectionHarnessSink(), Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance);

        IOException failure = await Assert.ThrowsAsync<IOException>(() => network.ListenAsync(
            [new PeerAddress("127.0.0.1", taken.Port)], TestContext.Current.CancellationToken));

        Assert.Contains(taken.Address, failure.Message, StringComparison.Ordinal);
        Assert.Contains("electionPortBindRetry", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task DisposeAsync_while_connecting_ends_at_once_and_frees_the_port()
    {
        ElectionHarness harness = await ElectionHarness.StartAsync(self: 3);
        using var deaf = new DeafPort();
        harness.Use((1, deaf.Port), (2, FreePort()));
        harness.Network.Send(new ServerId(1), first);
        harness.Network.Send(new ServerId(2), first);
        harness.AwaitLink(2, isUp: false);
        int port = harness.End.Port;

        await harness.DisposeAsync();

        using var next = new ScriptedListener(port);
        Assert.Equal(port, next.Port);
    }

    private static int FreePort()
    {
        using var listener = new ScriptedListener();
        return listener.Port;
    }

    private sealed class ElectionHarnessSink : IElectionEvents
    {
        public void VoteReceived(ServerId from, byte[] payload)
        {
        }

        public void VoteLinkChanged(ServerId server)
        {
        }
    }

    /// <summary>A port whose queue is full: attempts to connect get no answer.</summary>
    private sealed class DeafPort : IDisposable
    {
        private readonly Socket listening = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        private readonly List<Socket> fill = [];

        public DeafPort()
        {
            listening.Bind(new IPEndPoint(IPAddress.Loopback, 0));
            listening.Listen(0);
            for (int i = 0; i < 4; i++)
            {
                var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp)
                {
                    Blocking = false,
                };
                fill.Add(socket);
                try
                {
                    socket.Connect(listening.LocalEndPoint!);
                }
                catch (SocketException)
                {
                    // Under way.
                }
            }
        }

        public int Port => ((IPEndPoint)listening.LocalEndPoint!).Port;

        public void Dispose()
        {
            fill.ForEach(static socket => socket.Dispose());
            listening.Dispose();
        }
    }
}
