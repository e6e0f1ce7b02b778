using System.Net;
using System.Text;
using SharpKeeper.Core.Log;
using SharpKeeper.Core.Transactions;
using SharpKeeper.Core.Tree;
using SharpKeeper.Core.Zab;
using SharpKeeper.Protocol;
using SharpKeeper.Protocol.Quorum;
using SharpKeeper.Server.Peers;

namespace SharpKeeper.PeersTests;

public sealed class QuorumNetworkTests
{
    [Fact]
    public async Task Packets_go_both_ways_between_two_networks()
    {
        await using var leader = new QuorumHarness();
        await using var learner = new QuorumHarness();
        PeerLink up = learner.Dial(leader.Listen().Port);
        learner.Take("connected");
        PeerLink down = leader.Take("learner").Link;

        QuorumPackets.WriteEmpty(up.Output, QuorumPacketType.Ack, new Zxid(5));
        QuorumHarness.Flush(up);
        QuorumPackets.Write(down.Output, QuorumPacketType.Proposal, new Zxid(6), [1, 2, 3]);
        QuorumPackets.WriteEmpty(down.Output, QuorumPacketType.Commit, new Zxid(6));
        QuorumHarness.Flush(down);

        Assert.Equal(Encode(static it => QuorumPackets.WriteEmpty(it, QuorumPacketType.Ack, new Zxid(5))),
            leader.TakePackets(20));
        byte[] sent = Encode(static it =>
        {
            QuorumPackets.Write(it, QuorumPacketType.Proposal, new Zxid(6), [1, 2, 3]);
            QuorumPackets.WriteEmpty(it, QuorumPacketType.Commit, new Zxid(6));
        });
        Assert.Equal(sent, learner.TakePackets(sent.Length));
        Assert.Equal(0, down.Output.Length);
    }

    [Fact]
    public async Task Packets_are_handed_on_whole_however_they_are_cut()
    {
        await using var leader = new QuorumHarness();
        using ScriptedPeer learner = ScriptedPeer.Connect(leader.Listen());
        leader.Take("learner");
        byte[] data = new byte[300_000];
        Random.Shared.NextBytes(data);
        byte[] packets = Encode(it =>
        {
            for (int i = 0; i < 20; i++)
                QuorumPackets.Write(it, QuorumPacketType.Request, new Zxid(i), data.AsSpan(0, i * i * 750));
        });

        for (int at = 0, step = 1; at < packets.Length; at += step, step = Math.Min(step * 3, packets.Length - at))
            learner.Send(packets.AsSpan(at, step));

        var all = new MemoryStream();
        while (all.Length < packets.Length)
        {
            byte[] part = leader.Take("packets").Packets;
            AssertWhole(part);
            all.Write(part);
        }
        Assert.Equal(packets, all.ToArray());
    }

    [Fact]
    public async Task Bytes_that_are_no_packet_end_the_link_with_a_reason()
    {
        await using var leader = new QuorumHarness();
        using ScriptedPeer learner = ScriptedPeer.Connect(leader.Listen());
        leader.Take("learner");

        learner.Send("GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"u8);

        Assert.Contains("no packet", leader.Take("closed").Reason, StringComparison.Ordinal);
        learner.AwaitEnd();
    }

    [Theory]
    [InlineData(4096, true)]
    [InlineData(4097, false)]
    public async Task First_packet_of_who_connects_has_a_limit_of_its_own(int bytes, bool isTaken)
    {
        await using var leader = new QuorumHarness(static options => options with { FirstPacketBytesMax = 4096 });
        using ScriptedPeer learner = ScriptedPeer.Connect(leader.Listen());
        leader.Take("learner");

        learner.Send(Encode(it => QuorumPackets.Write(it, QuorumPacketType.FollowerInfo, default, new byte[bytes])));

        if (!isTaken)
        {
            Assert.Contains("4096", leader.Take("closed").Reason, StringComparison.Ordinal);
            return;
        }
        AssertWhole(leader.Take("packets").Packets);
        learner.Send(Encode(static it => QuorumPackets.Write(it, QuorumPacketType.Request, default, new byte[100_000])));
        AssertWhole(leader.Take("packets").Packets);
    }

    [Fact]
    public async Task Packet_above_the_limit_ends_the_link_after_those_before_it()
    {
        await using var leader = new QuorumHarness(static options => options with { PacketBytesMax = 1000 });
        using ScriptedPeer learner = ScriptedPeer.Connect(leader.Listen());
        leader.Take("learner");
        byte[] packets = Encode(static it =>
        {
            QuorumPackets.Write(it, QuorumPacketType.Request, default, new byte[1000]);
            QuorumPackets.Write(it, QuorumPacketType.Request, default, new byte[1001]);
        });

        learner.Send(packets);

        AssertWhole(leader.Take("packets").Packets);
        Assert.Contains("1000", leader.Take("closed").Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task StopListening_frees_the_port_at_once_and_leaves_links_alone()
    {
        await using var leader = new QuorumHarness();
        for (int round = 0; round < 20; round++)
        {
            IPEndPoint end = leader.Listen();
            using ScriptedPeer learner = ScriptedPeer.Connect(end);
            leader.Take("learner");

            leader.Network.StopListening();

            using (var next = new ScriptedListener(end.Port))
                Assert.Equal(end.Port, next.Port);
            learner.Send(Encode(static it => QuorumPackets.WriteEmpty(it, QuorumPacketType.Ping, default)));
            Assert.Equal(20, leader.Take("packets").Packets.Length);
            learner.Dispose();
            leader.Take("closed");
        }
    }

    [Fact]
    public async Task Listen_on_a_port_in_use_goes_on_until_it_is_free()
    {
        await using var leader = new QuorumHarness();
        var taken = new ScriptedListener();
        int port = taken.Port;
        leader.Network.Listen([new PeerAddress("127.0.0.1", port)]);
        Assert.Empty(leader.Network.ListeningOn);

        taken.Dispose();

        await using var learner = new QuorumHarness();
        learner.Dial(port);
        learner.Take("connected");
        leader.Take("learner");
    }

    [Fact]
    public async Task Dial_before_the_leader_listens_is_tried_again()
    {
        int port = FreePort();
        await using var learner = new QuorumHarness();
        PeerLink link = learner.Dial(port);

        await using var leader = new QuorumHarness();
        leader.Network.Listen([new PeerAddress("127.0.0.1", port)]);

        Assert.Same(link, learner.Take("connected").Link);
    }

    [Fact]
    public async Task Dial_of_several_addresses_takes_the_one_that_answers()
    {
        await using var leader = new QuorumHarness();
        int port = leader.Listen().Port;
        await using var learner = new QuorumHarness();

        learner.Dial(FreePort(), port, FreePort());

        learner.Take("connected");
        leader.Take("learner");
    }

    [Fact]
    public async Task Dial_without_an_address_ends_the_link()
    {
        await using var learner = new QuorumHarness();

        learner.Dial();

        Assert.Contains("not known", learner.Take("closed").Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Dial_of_a_machine_that_refuses_for_too_long_ends_the_link()
    {
        await using var learner = new QuorumHarness(
            static options => options with { RefusedTimeMax = TimeSpan.FromMilliseconds(50) });

        learner.Dial(FreePort());

        Assert.Contains("not reached", learner.Take("closed").Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task HangUp_while_dialling_ends_the_attempts()
    {
        await using var learner = new QuorumHarness();
        PeerLink link = learner.Dial(FreePort());

        ((QuorumConnection)link.Owner!).HangUp("another leader");

        learner.Take("closed");
    }

    [Fact]
    public async Task HangUp_sends_what_goes_at_once()
    {
        await using var leader = new QuorumHarness();
        using ScriptedPeer learner = ScriptedPeer.Connect(leader.Listen());
        PeerLink link = leader.Take("learner").Link;
        QuorumPackets.WriteEmpty(link.Output, QuorumPacketType.UpToDate, new Zxid(-1));

        ((QuorumConnection)link.Owner!).HangUp("enough");

        Assert.Equal(20, learner.Receive(20).Length);
        learner.AwaitEnd();
        Assert.Equal("enough", leader.Take("closed").Reason);
    }

    [Fact]
    public async Task Flush_to_a_slow_reader_keeps_everything_in_order()
    {
        await using var leader = new QuorumHarness();
        using ScriptedPeer learner = ScriptedPeer.Connect(leader.Listen());
        PeerLink link = leader.Take("learner").Link;
        byte[] data = new byte[1000];
        byte[] expected = Encode(it =>
        {
            for (int i = 0; i < 30_000; i++)
            {
                QuorumPackets.Write(it, QuorumPacketType.Proposal, new Zxid(i), data.AsSpan(0, i % 1000));
                QuorumPackets.Write(link.Output, QuorumPacketType.Proposal, new Zxid(i), data.AsSpan(0, i % 1000));
                if (i % 7 == 0)
                    QuorumHarness.Flush(link);
            }
        });
        QuorumHarness.Flush(link);
        Assert.True(((QuorumConnection)link.Owner!).UnsentBytes > 0);

        Assert.Equal(expected, learner.Receive(expected.Length));
        Assert.Equal(0, ((QuorumConnection)link.Owner!).UnsentBytes);
    }

    [Fact]
    public async Task Flush_to_somebody_who_never_reads_cuts_him_off_at_the_limit()
    {
        await using var leader = new QuorumHarness(static options => options with { UnsentBytesMax = 1 << 20 });
        using ScriptedPeer learner = ScriptedPeer.Connect(leader.Listen());
        PeerLink link = leader.Take("learner").Link;
        byte[] data = new byte[100_000];
        var connection = (QuorumConnection)link.Owner!;

        for (int i = 0; i < 1000 && !connection.IsClosed; i++)
        {
            QuorumPackets.Write(link.Output, QuorumPacketType.Proposal, new Zxid(i), data);
            connection.Flush();
        }

        Assert.Contains("unread", leader.Take("closed").Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Replica_that_takes_nothing_makes_the_other_side_wait()
    {
        await using var leader = new QuorumHarness { KeepsBatches = true };
        using ScriptedPeer learner = ScriptedPeer.Connect(leader.Listen());
        PeerLink link = leader.Take("learner").Link;
        byte[] packet = Encode(
            static it => QuorumPackets.Write(it, QuorumPacketType.Request, default, new byte[50_000]));
        learner.Socket.Blocking = false;

        // Ends when the system's buffers are full too, which they never were if the reader went on.
        int sent = 0;
        bool isWaiting = false;
        while (!isWaiting && sent < 1 << 30)
        {
            if (!learner.Socket.Poll(500_000, System.Net.Sockets.SelectMode.SelectWrite))
                isWaiting = true;
            else
                sent += learner.Socket.Send(packet, System.Net.Sockets.SocketFlags.None, out _);
        }

        Assert.True(isWaiting);
        ((QuorumConnection)link.Owner!).Close("enough");
        leader.TakeClosedBehindPackets();
    }

    [Fact]
    public async Task Snapshot_stream_comes_in_between_the_packets_around_it()
    {
        await using var leader = new QuorumHarness();
        await using var learner = new QuorumHarness();
        learner.Dial(leader.Listen().Port);
        learner.Take("connected");
        PeerLink down = leader.Take("learner").Link;
        var connection = (QuorumConnection)down.Owner!;
        using DataTree tree = MakeTree(5000);
        var sessions = new SessionTimeouts();
        sessions.Set(new SessionId(77), 4000);
        QuorumPackets.WriteEmpty(down.Output, QuorumPacketType.LeaderInfo, new Zxid(1L << 32));
        QuorumPackets.WriteEmpty(down.Output, QuorumPacketType.Snap, tree.LastProcessed);
        connection.Flush();
        down.IsTransferring = true;
        QuorumPackets.WriteEmpty(down.Output, QuorumPacketType.NewLeader, new Zxid(1L << 32));
        connection.Flush();

        SendStream(connection, tree, sessions);
        down.IsTransferring = false;
        connection.Flush();

        Assert.Equal(40, learner.TakePackets(40).Length);
        QuorumReport received = learner.Take("snapshot");
        Assert.Equal(tree.Count, received.Tree!.Count);
        Assert.Equal(tree.Digest, received.Tree.Digest);
        Assert.Equal(1, received.Sessions!.Count);
        Assert.Equal(Encode(static it => QuorumPackets.WriteEmpty(it, QuorumPacketType.NewLeader, new Zxid(1L << 32))),
            learner.TakePackets(20));
        received.Tree.Dispose();
    }

    [Fact]
    public async Task Snapshot_stream_that_breaks_off_gives_no_tree()
    {
        using var leader = new ScriptedListener();
        await using var learner = new QuorumHarness();
        learner.Dial(leader.Port);
        using (ScriptedPeer peer = leader.Accept())
        {
            using DataTree tree = MakeTree(100);
            using var writer = new SnapshotStreamWriter(tree, []);
            using var stream = new JuteBuffer();
            writer.WriteSlice(stream, 1 << 20);
            peer.Send(Encode(static it => QuorumPackets.WriteEmpty(it, QuorumPacketType.Snap, new Zxid(1))));
            peer.Send(stream.WrittenSpan[..^5]);
        }

        learner.Take("connected");
        learner.Take("packets");
        Assert.NotEmpty(learner.Take("closed").Reason);
    }

    [Fact]
    public async Task Snapshot_stream_that_stops_coming_ends_the_link()
    {
        using var leader = new ScriptedListener();
        await using var learner = new QuorumHarness(
            static options => options with { TransferSilenceMax = TimeSpan.FromMilliseconds(50) });
        learner.Dial(leader.Port);
        using ScriptedPeer peer = leader.Accept();
        peer.Send(Encode(static it => QuorumPackets.WriteEmpty(it, QuorumPacketType.Snap, new Zxid(1))));

        learner.Take("connected");
        learner.Take("packets");
        Assert.Contains("snapshot", learner.Take("closed").Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Transfer_to_somebody_who_takes_nothing_any_more_ends_the_link()
    {
        await using var leader = new QuorumHarness(
            static options => options with { TransferSilenceMax = TimeSpan.FromMilliseconds(50) });
        using ScriptedPeer learner = ScriptedPeer.Connect(leader.Listen());
        var connection = (QuorumConnection)leader.Take("learner").Link.Owner!;

        Task<bool> transfer = Task.Factory.StartNew(
            () => connection.Transfer(new byte[64 << 20]), TestContext.Current.CancellationToken,
            TaskCreationOptions.LongRunning, TaskScheduler.Default);

        Assert.Contains("transfer", leader.Take("closed").Reason, StringComparison.Ordinal);
        Assert.False(await transfer.WaitAsync(TimeSpan.FromMilliseconds(ScriptedPeer.WaitMs),
            TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Transfer_behind_output_that_is_never_taken_ends_the_link()
    {
        await using var leader = new QuorumHarness(
            static options => options with { TransferSilenceMax = TimeSpan.FromMilliseconds(50) });
        using ScriptedPeer learner = ScriptedPeer.Connect(leader.Listen());
        PeerLink link = leader.Take("learner").Link;
        QuorumPackets.Write(link.Output, QuorumPacketType.Proposal, default, new byte[32 << 20]);
        QuorumHarness.Flush(link);

        Assert.False(((QuorumConnection)link.Owner!).Transfer(new byte[1]));
        Assert.Contains("transfer", leader.Take("closed").Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Transfer_ends_when_the_learner_goes()
    {
        await using var leader = new QuorumHarness();
        ScriptedPeer learner = ScriptedPeer.Connect(leader.Listen());
        var connection = (QuorumConnection)leader.Take("learner").Link.Owner!;
        Task<bool> transfer = Task.Factory.StartNew(
            () => connection.Transfer(new byte[64 << 20]), TestContext.Current.CancellationToken,
            TaskCreationOptions.LongRunning, TaskScheduler.Default);

        learner.Receive(1000);
        learner.Dispose();

        Assert.False(await transfer.WaitAsync(TimeSpan.FromMilliseconds(ScriptedPeer.WaitMs),
            TestContext.Current.CancellationToken));
        leader.Take("closed");
    }

    [Fact]
    public async Task DisposeAsync_with_links_in_every_state_ends()
    {
        var leader = new QuorumHarness();
        IPEndPoint end = leader.Listen();
        using ScriptedPeer idle = ScriptedPeer.Connect(end);
        leader.Take("learner");
        using ScriptedPeer slow = ScriptedPeer.Connect(end);
        PeerLink stuck = leader.Take("learner").Link;
        QuorumPackets.Write(stuck.Output, QuorumPacketType.Proposal, default, new byte[32 << 20]);
        QuorumHarness.Flush(stuck);
        leader.Dial(FreePort());

        await leader.DisposeAsync().AsTask().WaitAsync(
            TimeSpan.FromMilliseconds(ScriptedPeer.WaitMs), TestContext.Current.CancellationToken);

        idle.AwaitEnd();
        using var next = new ScriptedListener(end.Port);
    }

    private static byte[] Encode(Action<JuteBuffer> write)
    {
        using var buffer = new JuteBuffer();
        write(buffer);
        return buffer.WrittenSpan.ToArray();
    }

    private static void AssertWhole(ReadOnlySpan<byte> packets)
    {
        while (!packets.IsEmpty)
        {
            Assert.Equal(PacketReadResult.Complete, QuorumPackets.TryRead(packets, 1 << 20, out _, out int consumed));
            packets = packets[consumed..];
        }
    }

    private static void SendStream(QuorumConnection connection, DataTree tree, SessionTimeouts sessions)
    {
        using var writer = new SnapshotStreamWriter(tree, sessions.ToArray());
        using var slice = new JuteBuffer();
        bool more = true;
        while (more)
        {
            more = writer.WriteSlice(slice, 10_000);
            Assert.True(connection.Transfer(slice.WrittenSpan));
            slice.Clear();
        }
    }

    private static DataTree MakeTree(int znodes)
    {
        var tree = new DataTree(1);
        byte[] acl = Encode(static it => Acl.WriteVector(it, [new Acl(Permissions.All, AuthId.Anyone)]));
        for (int i = 1; i <= znodes; i++)
        {
            Assert.Equal(ErrorCode.Ok, tree.Create(
                Encoding.UTF8.GetBytes($"/node-{i}"), new byte[i % 100], false, acl, 0, i, new Zxid(i), i, out _));
            tree.LastProcessed = new Zxid(i);
        }
        return tree;
    }

    private static int FreePort()
    {
        using var listener = new ScriptedListener();
        return listener.Port;
    }
}
