using SharpKeeper.Core.Zab;
using SharpKeeper.Protocol;
using SharpKeeper.Protocol.Quorum;
using SharpKeeper.Server;
using SharpKeeper.Server.Admin;
using SharpKeeper.Server.Configuration;
using SharpKeeper.Server.Metrics;

namespace SharpKeeper.ServerTests;

/// <summary>Replies of a server of an ensemble against what three Apache 3.8.0 servers sent.</summary>
public sealed class EnsembleWordsTests
{
    private const string Members = """
        server.1=127.0.0.1:37281:37381:participant
        server.2=127.0.0.1:37282:37382:participant;0.0.0.0:37192
        server.3=localhost:37283:37383:participant;0.0.0.0:37183
        server.4=localhost:37284:37384:observer
        version=200000002
        """;

    private readonly FixedStatusSource source = new();
    private readonly FourLetterWords words;
    private readonly EnsembleConfig config;

    public EnsembleWordsTests()
    {
        words = new FourLetterWords(source, new ServerMetrics(), new UtcTimeProvider());
        Assert.True(EnsembleConfig.TryParse(Members, out EnsembleConfig? parsed, out string problem), problem);
        config = parsed;
        source.Options = new ServerOptions
        {
            FourLetterWords = FourLetterWordWhitelist.All,
            Ensemble = new EnsembleSettings { Self = new ServerId(3), Config = config },
        };
    }

    [Fact]
    public void Srvr_of_a_leader_ends_with_the_sizes_of_proposals()
    {
        Be(ServerState.Leading, status => status with
        {
            ProposalSizes = ProposalSizes.None.With(48).With(247).With(60),
        });
        Assert.EndsWith("Mode: leader\nNode count: 11\nProposal sizes last/min/max: 60/48/247\n",
            words.Reply(FourLetterWord.Srvr), StringComparison.Ordinal);
    }

    [Fact]
    public void Srvr_of_a_leader_without_proposals_says_minus_one()
    {
        Be(ServerState.Leading);
        Assert.EndsWith("Proposal sizes last/min/max: -1/-1/-1\n", words.Reply(FourLetterWord.Srvr),
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(ServerState.Following, false, "follower")]
    [InlineData(ServerState.Observing, false, "observer")]
    [InlineData(ServerState.Looking, true, "read-only")]
    public void Srvr_of_another_server_has_its_mode_and_no_proposals(ServerState state, bool isReadOnly, string mode)
    {
        Be(state, status => status with { IsReadOnly = isReadOnly });
        Assert.EndsWith($"Mode: {mode}\nNode count: 11\n", words.Reply(FourLetterWord.Srvr), StringComparison.Ordinal);
    }

    [Fact]
    public void Conf_of_a_read_only_server_has_no_members()
    {
        Be(ServerState.Looking, status => status with { IsReadOnly = true });
        Assert.EndsWith("electionPort=37383\nquorumPort=37283\npeerType=0\n", words.Reply(FourLetterWord.Conf),
            StringComparison.Ordinal);
    }

    [Fact]
    public void Conf_adds_limits_ports_and_members_without_a_last_line_end()
    {
        Be(ServerState.Following);
        Assert.EndsWith(
            "serverId=3\ninitLimit=10\nsyncLimit=5\nelectionAlg=3\nelectionPort=37383\nquorumPort=37283\npeerType=0\n" +
            "membership: \n" + Members.ReplaceLineEndings("\n"),
            words.Reply(FourLetterWord.Conf), StringComparison.Ordinal);
    }

    [Fact]
    public void Conf_of_an_observer_with_several_addresses_joins_their_ports()
    {
        Assert.True(EnsembleConfig.TryParse("server.1=a:1:2\nserver.3=a:11:12|b:21:22:observer\nversion=1",
            out EnsembleConfig? other, out string problem), problem);
        Be(ServerState.Observing, status => status with { Config = other });
        Assert.Contains("electionPort=12|22\nquorumPort=11|21\npeerType=1\n", words.Reply(FourLetterWord.Conf),
            StringComparison.Ordinal);
    }

    [Fact]
    public void Mntr_of_a_leader_has_its_state_and_its_learners()
    {
        Be(ServerState.Leading, status => status with
        {
            PendingSyncs = 1,
            LeaderUptimeMs = 414_540,
            ProposalSizes = ProposalSizes.None.With(48),
            Learners =
            [
                new LearnerStatus(new ServerId(1), ServerRole.Participant, true, new Zxid(7), 2),
                new LearnerStatus(new ServerId(2), ServerRole.Participant, false, new Zxid(0), 9),
                new LearnerStatus(new ServerId(4), ServerRole.Observer, true, new Zxid(0), 0),
                new LearnerStatus(new ServerId(9), ServerRole.Participant, true, new Zxid(0), 0),
            ],
            Counters = new EnsembleCounters { Looking = 2, Proposals = 14, Commits = 10, DiffsSent = 6 },
            ElectionTimes = default(DurationTally).With(263).With(4249),
        });
        string reply = words.Reply(FourLetterWord.Mntr);
        Assert.StartsWith($"zk_version\t{ServerVersion.Text}\nzk_server_state\tleader\n" +
            "zk_peer_state\tleading - broadcast\n", reply, StringComparison.Ordinal);
        AssertLines(reply,
            "zk_quorum_size\t3", "zk_learners\t4", "zk_synced_followers\t1", "zk_synced_non_voting_followers\t1",
            "zk_synced_observers\t1", "zk_pending_syncs\t1", "zk_leader_uptime\t414540", "zk_last_proposal_size\t48",
            "zk_min_proposal_size\t48", "zk_max_proposal_size\t48", "zk_1_learner_lag\t2", "zk_2_learner_lag\t9",
            "zk_looking_count\t2", "zk_proposal_count\t14", "zk_commit_count\t10", "zk_diff_count\t6",
            "zk_snap_count\t0",
            "zk_avg_election_time\t2256.0", "zk_min_election_time\t263", "zk_max_election_time\t4249",
            "zk_cnt_election_time\t2", "zk_sum_election_time\t4512");
    }

    [Fact]
    public void Mntr_of_a_follower_has_what_it_received_and_nothing_of_a_leader()
    {
        Be(ServerState.Following, status => status with
        {
            Counters = new EnsembleCounters { ProposalsReceived = 5, CommitsReceived = 4 },
        });
        string reply = words.Reply(FourLetterWord.Mntr);
        AssertLines(reply, "zk_server_state\tfollower", "zk_peer_state\tfollowing - broadcast", "zk_quorum_size\t3",
            "zk_learner_proposal_received_count\t5", "zk_learner_commit_received_count\t4");
        string[] ofLeaders = ["zk_learners", "zk_synced_followers", "zk_leader_uptime", "zk_max_proposal_size"];
        foreach (string key in ofLeaders)
            Assert.DoesNotContain(key, reply, StringComparison.Ordinal);
    }

    [Fact]
    public void Dump_of_a_learner_lists_sessions_with_their_timeouts()
    {
        Be(ServerState.Following);
        source.FollowedSessions =
        [
            KeyValuePair.Create(new SessionId(0x10000186e010020), TimeSpan.FromMilliseconds(4000)),
            KeyValuePair.Create(new SessionId(0x10000186e010021), TimeSpan.FromSeconds(30)),
        ];
        Assert.StartsWith(
            "SessionTracker dump:\nGlobal Sessions(2):\n0x10000186e010020\t4000ms\n0x10000186e010021\t30000ms\n" +
            "ephemeral nodes dump:\n", words.Reply(FourLetterWord.Dump), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(ServerState.Following, "Global Sessions(0):\n")]
    [InlineData(ServerState.Leading, "Global Session Sets (0)/(0):\n")]
    public void Dump_shows_local_sessions_before_global_ones(ServerState state, string global)
    {
        Be(state);
        source.FollowedSessions = state == ServerState.Leading ? null : [];
        source.SessionExpiries = [];
        source.LocalSessionExpiries =
            [new ExpiryBucket<SessionId>(DateTimeOffset.UnixEpoch, [new SessionId(0x10000186e010020)])];
        Assert.StartsWith(
            "SessionTracker dump:\nLocal Session Sets (1)/(1):\n1 expire at Thu Jan 01 00:00:00 UTC 1970:\n" +
            "\t0x10000186e010020\n" + global, words.Reply(FourLetterWord.Dump), StringComparison.Ordinal);
    }

    private void Be(ServerState state, Func<EnsembleStatus, EnsembleStatus>? change = null)
    {
        EnsembleStatus status = new() { State = state, Phase = ZabPhase.Broadcast, IsServing = true, Config = config };
        source.Ensemble = change is null ? status : change(status);
        source.Mode = FourLetterWords.ModeOf(source.Ensemble);
        source.ServerId = 3;
    }

    private static void AssertLines(string reply, params string[] lines)
    {
        string[] actual = reply.Split('\n');
        foreach (string line in lines)
            Assert.Contains(line, actual);
    }
}
