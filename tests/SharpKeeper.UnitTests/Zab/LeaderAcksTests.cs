using SharpKeeper.Core;
using SharpKeeper.Core.Zab;
using SharpKeeper.Protocol;
using SharpKeeper.Protocol.Election;
using SharpKeeper.Protocol.Quorum;

namespace SharpKeeper.ZabTests;

/// <summary>What a leader may count on, seen from its packets: it leads five servers, all peers are scripted.</summary>
public sealed class LeaderAcksTests : IZabHost
{
    private static readonly ServerId Self = new(5);
    private readonly Outbox outbox = new();
    private readonly ZabPeer peer;
    private Zxid committed;
    private Zxid applied;
    private int syncsAnswered;
    private bool mayStop;
    private long nowMs;

    public LeaderAcksTests()
    {
        string text = string.Join('\n', Enumerable.Range(1, 5).Select(static id => $"server.{id}=h{id}:1:2"));
        Assert.True(EnsembleConfig.TryParse(text, out EnsembleConfig? config, out string problem), problem);
        var options = new EnsembleOptions { Self = Self, Config = config };
        peer = new ZabPeer(options, outbox, this, new TxnHistory(500, 1 << 20), Zxid.Zero, 1000, false, 0);
    }

    Zxid IZabHost.Applied => applied;

    [Fact]
    public void Ack_over_an_earlier_link_does_not_count_once_the_follower_cuts_its_log()
    {
        PeerLink[] links = Lead(1, 2, 3);
        Propose(1);
        Propose(2);
        Send(links[0], static o => QuorumPackets.WriteEmpty(o, QuorumPacketType.Ack, Txn(2)));
        Assert.True(committed < Txn(1));

        peer.Step(Input.PeerClosed(links[0], nowMs, nowMs));
        PeerLink again = Introduce(1);
        Take(again);
        Promise(again, Txn(2), 1);
        // Neither of the two is committed, so the follower is told to forget them and gets them anew.
        Assert.Equal(QuorumPacketType.Trunc, Take(again)[0]);
        Send(links[1], static o => QuorumPackets.WriteEmpty(o, QuorumPacketType.Ack, Txn(2)));
        Assert.True(committed < Txn(1), $"{committed} is committed, and only servers 2 and 5 have it");

        Acknowledge(again, Epoch);
        Send(again, static o => QuorumPackets.WriteEmpty(o, QuorumPacketType.Ack, Txn(2)));
        Assert.Equal(Txn(2), committed);
    }

    [Fact]
    public void Sync_does_not_wait_for_answers_to_pings_that_a_joining_follower_passed_over()
    {
        PeerLink[] links = Lead(1, 2);
        PeerLink late = Introduce(3);
        Take(late);
        Promise(late, Epoch, 1);
        for (int i = 0; i < 6; i++)
        {
            nowMs += 500;
            peer.Step(Input.Tick(nowMs, nowMs));
            AnswerPings(links[0]);
            AnswerPings(links[1]);
        }
        Take(late);
        Acknowledge(late, Epoch);
        Take(late);
        peer.Step(Input.PeerClosed(links[0], nowMs, nowMs));

        // Server 1 has gone: the sync needs the answers of 2 and 3, both of which come at once.
        peer.Leader!.RequestSync(null, this);
        AnswerPings(links[1]);
        AnswerPings(late);
        Assert.Equal(1, syncsAnswered);
    }

    [Fact]
    public void Commit_of_what_came_after_a_sync_stands_behind_its_answer()
    {
        PeerLink[] links = Lead(1, 2, 3);
        Take(links[0]);
        Propose(1);
        peer.Leader!.RequestSync((LearnerState)links[0].Learner!, null);
        Propose(2);
        foreach (PeerLink link in links)
            Send(link, static o => QuorumPackets.WriteEmpty(o, QuorumPacketType.Ack, Txn(2)));

        // Both are committed, and nobody has confirmed the leader since the sync was asked for.
        Assert.Equal(Txn(2), committed);
        Assert.Equal(
            [QuorumPacketType.Proposal, QuorumPacketType.Ping, QuorumPacketType.Proposal, QuorumPacketType.Commit],
            Take(links[0]));
        Assert.Equal(2, Peek(links[1]).Count(static type => type == QuorumPacketType.Commit));

        AnswerPings(links[1]);
        AnswerPings(links[2]);
        Assert.Equal([QuorumPacketType.Sync, QuorumPacketType.Commit], Take(links[0]));
    }

    [Fact]
    public void Commits_between_two_syncs_come_between_their_answers()
    {
        PeerLink[] links = Lead(1, 2, 3);
        var asking = (LearnerState)links[0].Learner!;
        peer.Leader!.RequestSync(asking, null);
        Propose(1);
        peer.Leader!.RequestSync(asking, null);
        Propose(2);
        foreach (PeerLink link in links)
            Send(link, static o => QuorumPackets.WriteEmpty(o, QuorumPacketType.Ack, Txn(2)));
        Assert.DoesNotContain(QuorumPacketType.Commit, Take(links[0]));

        // The round that was under way when the second was asked for does not confirm it.
        AnswerPings(links[1]);
        AnswerPings(links[2]);
        Assert.Equal(
            [QuorumPacketType.Sync, QuorumPacketType.Commit],
            Take(links[0]).Where(static type => type != QuorumPacketType.Ping));
        AnswerPings(links[1]);
        AnswerPings(links[2]);
        Assert.Equal([QuorumPacketType.Sync, QuorumPacketType.Commit], Take(links[0]));
    }

    [Fact]
    public void Second_sync_has_its_own_round_though_the_first_one_waits_for_a_commit()
    {
        PeerLink[] links = Lead(1, 2);
        Propose(1);
        peer.Leader!.RequestSync(null, this);
        peer.Leader!.RequestSync(null, this);
        foreach (PeerLink link in links)
            AnswerPings(link);
        Assert.Equal(0, syncsAnswered);
        foreach (PeerLink link in links)
            AnswerPings(link);
        foreach (PeerLink link in links)
            Acknowledge(link, Txn(1));
        Assert.Equal(2, syncsAnswered);
    }

    [Fact]
    public void Follower_that_says_it_has_promised_the_last_epoch_is_turned_away()
    {
        Elect();

        PeerLink hostile = Introduce(1, accepted: int.MaxValue);

        Assert.True(hostile.IsClosed);
        Assert.Equal(1, peer.Leader!.Epoch);
        Introduce(2);
        Introduce(3);
        Assert.Equal(1, peer.RequestedEpoch);
    }

    [Fact]
    public void Epoch_that_was_being_written_is_not_undercut_by_the_leader_of_an_older_one()
    {
        Elect();
        Introduce(1, accepted: 5);
        Introduce(2);
        Assert.Equal(6, peer.RequestedEpoch);

        // The disk is slow: before the epoch is durable this server gives up and finds a leader of epoch 5.
        mayStop = true;
        nowMs += 60_000;
        peer.Step(Input.Tick(nowMs, nowMs));
        var other = new ServerId(4);
        Hear(1, ServerState.Following, other, 7);
        Hear(2, ServerState.Following, other, 7);
        Hear(4, ServerState.Leading, other, 7);
        PeerLink up = peer.Learner!.Link;
        peer.Step(Input.PeerConnected(up, nowMs, nowMs));
        outbox.Effects.Clear();
        using var leaderInfo = new JuteBuffer();
        QuorumPackets.Write(leaderInfo, QuorumPacketType.LeaderInfo, new Zxid(5L << 32), [0, 1, 0, 0]);
        peer.Step(Input.PeerPackets(up, leaderInfo.WrittenSpan, nowMs, nowMs));

        Assert.DoesNotContain(outbox.Effects, static it => it.Kind == EffectKind.PersistAcceptedEpoch);
        Assert.Equal(ServerState.Looking, peer.State);
    }

    void IZabHost.Log(Zxid zxid, ReadOnlySpan<byte> payload) => Assert.Fail("a leader learns nothing");

    void IZabHost.QueueUnlogged(Zxid zxid, ReadOnlySpan<byte> payload) => Assert.Fail("a leader learns nothing");

    bool IZabHost.IsTxn(ReadOnlySpan<byte> payload) => true;

    void IZabHost.Commit(Zxid upTo) => committed = applied = upTo;

    void IZabHost.DropAfter(Zxid last) => Assert.Fail("nothing is to be dropped");

    void IZabHost.StartLeading(long epoch) => applied = Epoch;

    void IZabHost.StartLearning(long epoch) => Assert.Fail("a leader learns nothing");

    void IZabHost.StopServing(bool answersFirst) => Assert.True(mayStop, "it is to lead on");

    void IZabHost.ShowConfig(EnsembleConfig config)
    {
    }

    EnsembleConfig? IZabHost.ReadReconfig(ReadOnlySpan<byte> payload) => null;

    void IZabHost.TakeForwarded(LearnerState learner, in QuorumPacket packet) => Assert.Fail("nothing is forwarded");

    bool IZabHost.TryMoveSession(LearnerState learner, long session, int timeoutMs) => false;

    void IZabHost.TouchSession(long session, int timeoutMs)
    {
    }

    void IZabHost.WriteTouches(JuteBuffer output)
    {
    }

    void IZabHost.Revalidated(long session, bool isValid) => Assert.Fail("a leader asks nobody");

    void IZabHost.SyncAnswered() => Assert.Fail("a leader asks nobody");

    void IZabHost.SyncAnswered(object client) => syncsAnswered++;

    private static Zxid Epoch => new(1L << 32);

    private static Zxid Txn(int counter) => new((1L << 32) + counter);

    /// <summary>Elects the server under test and brings it to lead with these followers.</summary>
    private PeerLink[] Lead(params int[] followers)
    {
        Elect();
        PeerLink[] links = [.. followers.Select(id => Introduce(id))];
        peer.Step(Input.AcceptedEpochDurable(1, nowMs, nowMs));
        foreach (PeerLink link in links)
            Promise(link, Zxid.Zero, 0);
        peer.Step(Input.CurrentEpochDurable(1, nowMs, nowMs));
        foreach (PeerLink link in links)
        {
            Acknowledge(link, Epoch);
            Take(link);
        }
        Assert.True(peer.IsSettled);
        return links;
    }

    private void Elect()
    {
        peer.Step(Input.Tick(nowMs, nowMs));
        foreach (int id in Enumerable.Range(1, 4))
            Hear(id, ServerState.Looking, Self, 1);
        Assert.Equal(ServerState.Leading, peer.State);
    }

    private void Hear(int id, ServerState state, ServerId leader, long round)
    {
        var vote = new VoteNotification(state, leader, Zxid.Zero, round, 0, 0, null);
        peer.Step(Input.VoteReceived(new ServerId(id), vote.ToArray(), nowMs, nowMs));
    }

    private PeerLink Introduce(int id, long accepted = 0)
    {
        var link = new PeerLink { Description = $"server {id}" };
        peer.Step(Input.LearnerConnected(link, nowMs, nowMs));
        Send(link, output =>
        {
            int begun = QuorumPackets.Begin(output, QuorumPacketType.FollowerInfo, new Zxid(accepted << 32));
            new LearnerInfo(new ServerId(id), LearnerInfo.CurrentVersion, 0).Write(output);
            QuorumPackets.End(output, begun);
        });
        return link;
    }

    private void Promise(PeerLink link, Zxid last, int epoch) =>
        Send(link, output =>
        {
            int begun = QuorumPackets.Begin(output, QuorumPacketType.AckEpoch, last);
            output.WriteInt32(epoch);
            QuorumPackets.End(output, begun);
        });

    private void Acknowledge(PeerLink link, Zxid zxid) =>
        Send(link, output => QuorumPackets.WriteEmpty(output, QuorumPacketType.Ack, zxid));

    private void Propose(int counter)
    {
        peer.Proposed(Txn(counter), new byte[40]);
        peer.Step(Input.LogDurable(Txn(counter), nowMs, nowMs));
    }

    private void Send(PeerLink link, Action<JuteBuffer> write)
    {
        using var output = new JuteBuffer();
        write(output);
        peer.Step(Input.PeerPackets(link, output.WrittenSpan, nowMs, nowMs));
        outbox.Effects.Clear();
    }

    private void AnswerPings(PeerLink link)
    {
        foreach (QuorumPacketType type in Take(link))
        {
            if (type == QuorumPacketType.Ping)
                Send(link, static o => QuorumPackets.Write(o, QuorumPacketType.Ping, Epoch, []));
        }
    }

    /// <summary>The packets that the leader has sent since the last time.</summary>
    private static List<QuorumPacketType> Take(PeerLink link)
    {
        List<QuorumPacketType> types = Peek(link);
        link.Output.Clear();
        return types;
    }

    private static List<QuorumPacketType> Peek(PeerLink link)
    {
        var types = new List<QuorumPacketType>();
        ReadOnlySpan<byte> bytes = link.Output.WrittenSpan;
        while (QuorumPackets.TryRead(bytes, 1 << 20, out QuorumPacket packet, out int consumed)
            == PacketReadResult.Complete)
        {
            types.Add(packet.Type);
            bytes = bytes[consumed..];
        }
        return types;
    }
}
