using SharpKeeper.Core.Zab;
using SharpKeeper.Protocol;
using SharpKeeper.Protocol.Quorum;

namespace SharpKeeper.ElectionTests;

public class ElectionTests
{
    [Fact]
    public void Start_proposes_itself_to_the_other_voters_in_order()
    {
        OneElection one = new(2, Ensembles.Of(3, observers: 1));

        Assert.Equal("1: Looking 2 500000007/1/5; 3: Looking 2 500000007/1/5", one.Start(0x5_0000_0007, epoch: 5));
        Assert.Equal(1, one.Election.Round);
        Assert.Equal("1: Looking 2 0/2/0; 3: Looking 2 0/2/0", one.Start());
    }

    [Fact]
    public void Start_with_a_proposed_configuration_reaches_its_voters_too()
    {
        OneElection one = new(1, Ensembles.Of(1), Ensembles.Of(3, version: 9));

        Assert.Equal("2: Looking 1 0/1/0; 3: Looking 1 0/1/0", one.Start());
        Assert.Equal("none", one.Decision());
        one.Link(3, isUp: false);
        one.GetLooking(2, 1);
        Assert.Equal("Leading 1", one.Decision());
    }

    [Fact]
    public void Start_of_a_voter_of_the_proposed_configuration_only_votes_for_others_in_whichever_round_they_are()
    {
        OneElection four = new(4, Ensembles.Of(3), Ensembles.Of(4, version: 9));
        four.Start();
        four.Start();

        Assert.Equal("1: Looking nobody 3; 2: Looking nobody 3; 3: Looking nobody 3", four.Start(isCandidate: false));
        Assert.Equal("1: Looking 3 0/2/0; 2: Looking 3 0/2/0; 3: Looking 3 0/2/0", four.GetLooking(1, 3, round: 2));
        four.GetLooking(2, 3, round: 2);
        Assert.Equal("none", four.Decision());
        four.GetLooking(3, 3, round: 2);
        Assert.Equal("Following 3", four.Decision());
    }

    [Fact]
    public void Proposal_of_nobody_is_answered_with_a_proposal_and_decides_nothing()
    {
        OneElection one = new(1, Ensembles.Of(3), Ensembles.Of(5, version: 9));
        one.Start();

        Assert.Equal("4: Looking 1 0/1/0", one.Get(4, ServerState.Looking, ServerId.Nobody.Value, long.MinValue));
        OneElection four = new(4, Ensembles.Of(3), Ensembles.Of(5, version: 9));
        four.Start(isCandidate: false);
        Assert.Equal("", four.Get(5, ServerState.Looking, ServerId.Nobody.Value, long.MinValue));
        Assert.Equal("none", four.Decision());
    }

    [Fact]
    public void Start_of_the_only_voter_decides_at_once()
    {
        OneElection one = new(1, Ensembles.Of(1));
        one.Start();

        Assert.Equal("Leading 1", one.Decision());
        Assert.Equal("none", one.Decision());
    }

    [Theory]
    [InlineData(1, 0, 6, true)]
    [InlineData(1, 0x9_0000_0000, 5, true)]
    [InlineData(3, 0x5_0000_0001, 5, true)]
    [InlineData(1, 0x5_0000_0001, 5, false)]
    [InlineData(3, 0x5_0000_0000, 5, false)]
    [InlineData(3, 0x9_0000_0000, 4, false)]
    public void Receive_of_a_vote_orders_by_epoch_then_zxid_then_id(long leader, long zxid, long epoch, bool isAdopted)
    {
        OneElection one = new(2, Ensembles.Of(3));
        one.Start(0x5_0000_0001, epoch: 5);

        string sent = one.GetLooking(leader, leader, zxid, epoch: epoch);

        string adopted = $"Looking {leader} {zxid:x}/1/{epoch}";
        Assert.Equal(isAdopted ? $"1: {adopted}; 3: {adopted}" : $"{leader}: Looking 2 500000001/1/5", sent);
    }

    [Fact]
    public void Receive_of_an_older_round_answers_and_does_not_count()
    {
        OneElection one = new(1, Ensembles.Of(3));
        one.Start();
        one.Start();

        Assert.Equal("3: Looking 1 0/2/0", one.GetLooking(3, 3, round: 1));
        Assert.Equal("3: Looking 1 0/2/0", one.GetLooking(3, 1, round: 1));
        one.TickAt(10_000);
        Assert.Equal("none", one.Decision());
    }

    [Fact]
    public void Receive_of_a_greater_round_forgets_votes_and_compares_with_the_own_first_one()
    {
        OneElection one = new(2, Ensembles.Of(5));
        one.Start();
        one.GetLooking(5, 5);
        Assert.Equal(5, one.Election.CurrentVote.Leader.Value);

        string sent = one.GetLooking(1, 1, round: 7);

        Assert.Equal(
            "1: Looking 2 0/7/0; 3: Looking 2 0/7/0; 4: Looking 2 0/7/0; 5: Looking 2 0/7/0", sent);
        Assert.Equal(7, one.Election.Round);
        one.GetLooking(3, 2, round: 7);
        one.TickAt(10_000);
        Assert.Equal("none", one.Decision());
        one.GetLooking(4, 2, round: 7);
        one.TickAt(20_000);
        Assert.Equal("Leading 2", one.Decision());
    }

    [Fact]
    public void Tick_decides_when_the_wait_for_better_votes_is_over()
    {
        OneElection one = new(1, Ensembles.Of(3)) { NowMs = 1000 };
        one.Start();
        one.NowMs = 1050;
        one.GetLooking(2, 2);

        one.Election.Tick(1249);
        Assert.Equal("none", one.Decision());
        one.Election.Tick(1250);
        Assert.Equal("Following 2", one.Decision());
        Assert.Equal(long.MaxValue, one.Election.DueMs);
    }

    [Fact]
    public void Receive_of_a_better_vote_ends_the_wait()
    {
        OneElection one = new(1, Ensembles.Of(3));
        one.Start();
        one.GetLooking(2, 2);
        one.NowMs = 150;
        one.GetLooking(3, 3);

        // The vote of 3 completes a quorum for 3, whose wait begins anew.
        one.Election.Tick(349);
        Assert.Equal("none", one.Decision());
        one.Election.Tick(350);
        Assert.Equal("Following 3", one.Decision());
    }

    [Fact]
    public void Receive_of_agreeing_votes_from_all_decides_without_a_wait()
    {
        OneElection one = new(3, Ensembles.Of(3));
        one.Start();
        one.GetLooking(1, 3);
        Assert.Equal("none", one.Decision());
        one.GetLooking(2, 3);

        Assert.Equal("Leading 3", one.Decision());
        Assert.Equal(new Vote(new ServerId(3), Zxid.Zero, 1, 0), one.Election.CurrentVote);
    }

    [Fact]
    public void LinkChanged_to_down_of_all_that_are_missing_decides_without_a_wait()
    {
        OneElection one = new(1, Ensembles.Of(5));
        one.Link(5, isUp: false);
        one.Start();
        one.GetLooking(2, 3);
        one.GetLooking(3, 3);
        Assert.Equal("none", one.Decision());
        one.Link(4, isUp: false);

        Assert.Equal("Following 3", one.Decision());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void LinkChanged_back_to_up_or_a_message_makes_it_wait_again(bool byMessage)
    {
        OneElection one = new(1, Ensembles.Of(3));
        one.Link(3, isUp: false);
        one.Start();
        if (byMessage)
            one.GetLooking(3, 3, round: 0);
        else
            Assert.Equal("3: Looking 1 0/1/0", one.Link(3, isUp: true));
        one.GetLooking(2, 2);

        Assert.Equal("none", one.Decision());
    }

    [Fact]
    public void Receive_of_a_greater_round_during_the_wait_does_not_undo_the_decision()
    {
        OneElection one = new(2, Ensembles.Of(3));
        one.Start(epoch: 1);
        one.GetLooking(1, 2, epoch: 1);
        Assert.Equal("", one.GetLooking(3, 3, round: 9));

        Assert.Equal("3: Leading 2 0/1/1", one.TickAt(200));
        Assert.Equal("Leading 2", one.Decision());
        Assert.Equal(1, one.Election.Round);
    }

    [Fact]
    public void Receive_of_a_better_vote_during_the_wait_brings_put_off_votes_back()
    {
        OneElection one = new(2, Ensembles.Of(5));
        one.Start(epoch: 1);
        one.GetLooking(1, 2, epoch: 1);
        one.GetLooking(3, 2, epoch: 1);
        one.GetLooking(4, 4, round: 9);
        Assert.Equal(1, one.Election.Round);
        one.GetLooking(5, 5, epoch: 1);

        Assert.Equal(9, one.Election.Round);
        Assert.Equal(new Vote(new ServerId(2), Zxid.Zero, 9, 1), one.Election.CurrentVote);
    }

    [Fact]
    public void Receive_of_followers_alone_does_not_make_a_leader()
    {
        OneElection one = new(1, Ensembles.Of(5));
        one.Start();
        one.Get(2, ServerState.Following, 5, round: 4);
        one.Get(3, ServerState.Following, 5, round: 4);
        one.Get(4, ServerState.Following, 5, round: 4);
        one.Get(5, ServerState.Following, 5, round: 4);
        Assert.Equal("none", one.Decision());
        one.Get(5, ServerState.Leading, 5, round: 4);

        Assert.Equal("Following 5", one.Decision());
        Assert.Equal(4, one.Election.Round);
    }

    [Fact]
    public void Receive_of_settled_votes_of_different_rounds_and_zxids_joins_them()
    {
        OneElection one = new(1, Ensembles.Of(3));
        one.Start();
        one.Get(2, ServerState.Following, 3, zxid: 0x1_0000_0004, round: 8, epoch: 2);
        one.Get(3, ServerState.Leading, 3, zxid: 0x1_0000_0001, round: 5, epoch: 2);

        Assert.Equal("Following 3", one.Decision());
        Assert.Equal(5, one.Election.Round);
    }

    [Theory]
    [InlineData(0, true)]
    [InlineData(2, false)]
    public void Receive_of_settled_votes_compares_epochs_unless_one_is_of_the_oldest_form(int version, bool isJoined)
    {
        OneElection one = new(1, Ensembles.Of(3));
        one.Start();
        one.Get(2, ServerState.Following, 3, round: 8, epoch: 1, version: version);
        one.Get(3, ServerState.Leading, 3, round: 8, epoch: 2);

        Assert.Equal(isJoined ? "Following 3" : "none", one.Decision());
    }

    [Theory]
    [InlineData(1, "Leading 1")]
    [InlineData(2, "none")]
    public void Receive_of_followers_of_itself_leads_only_in_its_own_round(long round, string decision)
    {
        OneElection one = new(1, Ensembles.Of(3));
        one.Start();
        one.Get(2, ServerState.Following, 1, round: round);
        one.Get(3, ServerState.Following, 1, round: round);

        Assert.Equal(decision, one.Decision());
    }

    [Fact]
    public void Receive_of_settled_votes_needs_no_quorum_of_a_configuration_that_is_only_proposed()
    {
        OneElection one = new(1, Ensembles.Of(3), next: Ensembles.Of(5, version: 7));
        one.Start();
        one.Get(2, ServerState.Following, 3, round: 8);
        Assert.Equal("none", one.Decision());
        one.Get(3, ServerState.Leading, 3, round: 8);

        Assert.Equal("Following 3", one.Decision());
    }

    [Fact]
    public void Receive_of_followers_of_itself_leads_only_with_a_quorum_of_a_proposed_configuration_too()
    {
        OneElection one = new(1, Ensembles.Of(3), next: Ensembles.Of(5, version: 7));
        one.Start();
        one.Get(2, ServerState.Following, 1);
        one.Get(3, ServerState.Following, 1);
        Assert.Equal("Leading 1", one.Decision());

        OneElection other = new(1, Ensembles.Of(3), next: Ensembles.Of(7, version: 7));
        other.Start();
        other.Get(2, ServerState.Following, 1);
        other.Get(3, ServerState.Following, 1);
        Assert.Equal("none", other.Decision());
    }

    [Fact]
    public void Receive_of_votes_that_cannot_count_changes_nothing()
    {
        OneElection one = new(1, Ensembles.Of(3, observers: 1));
        one.Start();

        Assert.Equal("", one.Get(2, ServerState.Observing, 3));
        Assert.Equal("", one.GetLooking(2, 3, zxid: -1));
        Assert.Equal("", one.GetLooking(2, 4, epoch: 7));
        Assert.Equal("", one.Get(2, ServerState.Leading, 4, epoch: 7));
        Assert.Equal("", one.GetLooking(1, 3));
        Assert.Equal(1, one.Election.CurrentVote.Leader.Value);
    }

    [Fact]
    public void Receive_by_an_observer_follows_those_that_have_settled_only()
    {
        OneElection one = new(4, Ensembles.Of(3, observers: 1));
        Assert.Equal("1: Looking nobody 1; 2: Looking nobody 1; 3: Looking nobody 1", one.Start(isVoter: false));
        Assert.Equal("", one.GetLooking(1, 3));
        Assert.Equal("", one.GetLooking(2, 3));
        Assert.Equal("", one.GetLooking(3, 3));
        Assert.Equal("none", one.Decision());
        one.Get(1, ServerState.Following, 3);
        one.Get(3, ServerState.Leading, 3);

        Assert.Equal("Observing 3", one.Decision());
    }

    [Fact]
    public void Tick_of_an_observer_asks_often_while_voters_are_looking()
    {
        OneElection one = new(2, Ensembles.Of(1, observers: 1));
        one.Start(isVoter: false);
        for (int at = 200; at <= 2000; at += 200)
        {
            Assert.Equal("1: Looking nobody 1", one.TickAt(at));
            one.GetLooking(1, 1);
        }
    }

    [Fact]
    public void Receive_from_an_outsider_is_answered_but_not_word_for_word_again()
    {
        OneElection one = new(1, Ensembles.Of(3, observers: 1));
        one.Start();

        Assert.Equal("4: Looking 1 0/1/0", one.GetLooking(4, 2));
        Assert.Equal("", one.GetLooking(4, 2));
        Assert.Equal("4: Looking 1 0/1/0", one.GetLooking(4, 2, round: 2));
        Assert.Equal("", one.Get(4, ServerState.Observing, 2));
        one.NowMs = 200;
        Assert.Equal("4: Looking 1 0/1/0", one.GetLooking(4, 2, round: 2));
        one.Election.Settle(ServerState.Following, new Vote(new ServerId(3), new Zxid(7), 1, 2));
        Assert.Equal("4: Following 3 7/1/2", one.GetLooking(4, 2, round: 2));
    }

    [Fact]
    public void Receive_from_many_outsiders_answers_each()
    {
        OneElection one = new(1, Ensembles.Of(3));
        one.Start();
        for (int from = 10; from < 10 + (3 * OutsiderGate.RememberedMax); from++)
            Assert.Equal($"{from}: Looking 1 0/1/0", one.GetLooking(from, 2));
    }

    [Fact]
    public void Receive_while_settled_answers_lookers_only_with_the_established_epoch()
    {
        OneElection one = new(1, Ensembles.Of(3));
        one.Election.Settle(ServerState.Following, new Vote(new ServerId(3), new Zxid(5), 4, 1));
        one.Election.RaisePeerEpoch(2);
        one.Election.RaisePeerEpoch(1);

        Assert.Equal("2: Following 3 5/4/2", one.GetLooking(2, 2, round: 99, epoch: 99));
        Assert.Equal("", one.Get(2, ServerState.Leading, 2, epoch: 99));
        Assert.Equal("", one.TickAt(1_000_000));
        Assert.Equal(new Vote(new ServerId(3), new Zxid(5), 4, 2), one.Election.CurrentVote);
    }

    [Fact]
    public void Receive_before_the_start_is_silent()
    {
        OneElection one = new(1, Ensembles.Of(3));

        Assert.Equal("", one.GetLooking(2, 2));
        Assert.Equal("", one.TickAt(1000));
        Assert.Equal("none", one.Decision());
        Assert.Equal(0, one.Election.Round);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(27)]
    [InlineData(36)]
    [InlineData(43)]
    public void Receive_of_bytes_of_an_impossible_length_counts_and_drops_them(int length)
    {
        OneElection one = new(1, Ensembles.Of(3));
        one.Start();
        byte[] payload = new byte[length];
        if (length > 39)
            payload[39] = 2;
        one.Election.Receive(new ServerId(2), payload, 0);

        Assert.Equal(1, one.Election.MalformedCount);
        Assert.Equal("", one.Sent());
    }

    [Fact]
    public void Receive_of_random_bytes_never_fails()
    {
        OneElection one = new(1, Ensembles.Of(3));
        one.Start();
        Random random = new(7);
        for (int i = 0; i < 20_000; i++)
        {
            byte[] payload = new byte[random.Next(0, 80)];
            random.NextBytes(payload);
            if (payload.Length > 12)
                payload.AsSpan(0, 11).Clear();
            one.Election.Receive(new ServerId(random.Next(0, 6)), payload, i);
            one.Sent();
        }
        Assert.InRange(one.Election.MalformedCount, 1, 20_000);
    }

    [Fact]
    public void TakeNewerConfig_gives_the_newest_of_what_was_received_while_looking()
    {
        EnsembleConfig known = Ensembles.Of(3, version: 0x1_0000_0005);
        OneElection one = new(1, known);
        one.Election.Settle(ServerState.Following, new Vote(new ServerId(3), Zxid.Zero, 1, 1));
        one.Get(2, ServerState.Looking, 2, configText: Ensembles.Of(4, version: 0x1_0000_0007).Format());
        Assert.Null(one.Election.TakeNewerConfig());
        one.Start();
        foreach (long version in new long[] { 4, 0x1_0000_0005, 0x1_0000_0009, 0x1_0000_0006 })
            one.Get(2, ServerState.Looking, 2, configText: Ensembles.Of(4, version: version).Format());

        Assert.Equal(0x1_0000_0009, one.Election.TakeNewerConfig()?.Version);
        Assert.Null(one.Election.TakeNewerConfig());
    }

    [Fact]
    public void Receive_of_a_vote_with_a_broken_configuration_takes_the_vote()
    {
        OneElection one = new(1, Ensembles.Of(3));
        one.Start();
        one.Get(2, ServerState.Looking, 2, configText: "server.1=nonsense");

        Assert.Equal(2, one.Election.CurrentVote.Leader.Value);
        Assert.Equal(1, one.Election.MalformedCount);
        Assert.Null(one.Election.TakeNewerConfig());
    }

    [Fact]
    public void Tick_repeats_the_proposal_at_doubling_intervals_up_to_the_longest()
    {
        OneElection one = new(1, Ensembles.Of(3));
        one.Start();
        List<long> times = [];
        while (times.Count < 12)
        {
            long due = one.Election.DueMs;
            Assert.Equal("", one.TickAt(due - 1));
            Assert.Equal("2: Looking 1 0/1/0; 3: Looking 1 0/1/0", one.TickAt(due));
            times.Add(due);
        }

        long[] waits = [.. times.Zip(times.Skip(1), static (before, after) => after - before)];
        Assert.Equal([400, 800, 1600, 3200, 6400, 12_800, 25_600, 51_200, 60_000, 60_000, 60_000], waits);
        one.Link(2, isUp: true);
        Assert.Equal(one.NowMs + 200, one.Election.DueMs);
    }

    [Fact]
    public void UseMembers_forgets_the_votes_of_servers_that_are_voters_no_more()
    {
        OneElection one = new(1, Ensembles.Of(5));
        one.Start();
        one.GetLooking(4, 1, epoch: 0);
        one.GetLooking(5, 1, epoch: 0);
        one.Election.UseMembers(Ensembles.Members(Ensembles.Of(3)));
        one.Election.Tick(5000);

        Assert.Equal("none", one.Decision());
    }

    [Fact]
    public void Receive_by_a_server_without_weight_never_makes_it_leader()
    {
        EnsembleConfig config = Ensembles.InGroups();
        OneElection one = new(1, config);
        one.Start();

        Assert.Equal("", one.GetLooking(9, 9, epoch: 5));
        Assert.Equal(1, one.Election.CurrentVote.Leader.Value);
    }

    [Fact]
    public void Receive_in_weighted_groups_needs_a_majority_in_a_majority_of_groups()
    {
        OneElection one = new(6, Ensembles.InGroups());
        one.Start();
        foreach (int from in new[] { 4, 5, 7, 8, 9 })
            one.GetLooking(from, 6);
        one.GetLooking(1, 6);
        one.Election.Tick(10_000);
        Assert.Equal("none", one.Decision());
        one.GetLooking(2, 6);
        one.TickAt(20_000);

        Assert.Equal("Leading 6", one.Decision());
    }
}
