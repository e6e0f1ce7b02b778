using SharpKeeper.CompatTests.Peers;

namespace SharpKeeper.CompatTests.Admin;

public sealed partial class FourLetterWordPeerTests
{
    [Fact]
    public async Task Replies_of_an_ensemble_have_the_lines_of_Apaches()
    {
        Dictionary<(string Mode, string Word), string> apache = await AskEnsembleAsync("AAA");
        Dictionary<(string Mode, string Word), string> ours = await AskEnsembleAsync("SSS");
        Assert.Equal(apache.Keys.Order(), ours.Keys.Order());
        foreach (((string mode, string word), string reply) in apache)
        {
            if (word != "mntr")
                Assert.Equal((mode, word, ShapeOf(reply)), (mode, word, ShapeOf(ours[(mode, word)])));
        }
        foreach (string mode in new[] { "leader", "follower" })
        {
            Dictionary<string, string> theirs = MetricsOf(apache[(mode, "mntr")]);
            Dictionary<string, string> here = MetricsOf(ours[(mode, "mntr")]);
            Assert.Equal([], here.Keys.Except(theirs.Keys).Except(s_newerMetrics)
                .Where(static key => !key.EndsWith("_learner_lag", StringComparison.Ordinal)));
            string[] same =
            [
                "zk_server_state", "zk_peer_state", "zk_quorum_size", "zk_learners", "zk_synced_followers",
                "zk_synced_non_voting_followers", "zk_synced_observers", "zk_pending_syncs",
            ];
            foreach (string key in same)
                Assert.Equal((mode, key, theirs.GetValueOrDefault(key)), (mode, key, here.GetValueOrDefault(key)));
        }
    }

    /// <summary>The replies of the leader and of a follower, without what differs from run to run.</summary>
    private static async Task<Dictionary<(string Mode, string Word), string>> AskEnsembleAsync(string kinds)
    {
        Dictionary<(string, string), string> replies = [];
        EnsembleSetup setup = EnsembleSetup.Of(kinds).With(("4lw.commands.whitelist", "*"));
        await Ensemble.RunAsync(setup, async ensemble =>
        {
            EnsembleServer leader = await ensemble.LeaderAsync();
            EnsembleServer follower = (await ensemble.LearnersAsync())[0];
            foreach ((string mode, EnsembleServer server) in new[] { ("leader", leader), ("follower", follower) })
            {
                foreach (string word in new[] { "srvr", "stat", "conf", "isro", "ruok", "dump", "mntr" })
                    replies[(mode, word)] = await server.CommandAsync(word, Cancellation);
            }
        });
        return replies;
    }
}
