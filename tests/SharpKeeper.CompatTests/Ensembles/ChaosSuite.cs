using SharpKeeper.CompatTests.Peers;
using SharpKeeper.ServerTests;

namespace SharpKeeper.CompatTests.Ensembles;

/// <summary>
/// Leaders and followers die, freeze and are cut off at random under load. SHARPKEEPER_TEST_SCALE multiplies how often,
/// up to ten times; SHARPKEEPER_TEST_SEED, which is added to the seeds, chooses other courses.
/// </summary>
public abstract class ChaosSuite
{
    // A dead or frozen server is noticed within two seconds, and a session outlives that by far.
    private static readonly (string Key, string Value)[] Timing =
        [("syncLimit", "4"), ("maxSessionTimeout", "30000"), ("snapCount", "2000")];

    /// <summary>SIGKILL for leaders and followers.</summary>
    protected static Task KillsAsync(string kinds, int seed, int leaders, int followers) => RunAsync(
        seed,
        EnsembleSetup.Of(kinds).With(Timing),
        syncIsFresh: true,
        [.. Enumerable.Repeat(KillLeaderAsync, leaders), .. Enumerable.Repeat(KillFollowerAsync, followers)]);

    /// <summary>SIGSTOP and SIGCONT for leaders and followers.</summary>
    protected static Task FreezesAsync(string kinds, int seed, int leaders, int followers) => RunAsync(
        seed,
        EnsembleSetup.Of(kinds).With(Timing),
        IsSyncFresh(kinds),
        [.. Enumerable.Repeat(FreezeLeaderAsync, leaders), .. Enumerable.Repeat(FreezeFollowerAsync, followers)]);

    /// <summary>Leaders and followers are cut off from all others or from one.</summary>
    protected static Task CutsAsync(string kinds, int seed, int leaders, int followers) => RunAsync(
        seed,
        EnsembleSetup.Of(kinds).With(Timing) with { HasLinks = true },
        IsSyncFresh(kinds),
        [
            .. Enumerable.Repeat(CutLeaderAsync, leaders), .. Enumerable.Repeat(CutFollowerAsync, followers),
            CutPairAsync, StallLeaderAsync,
        ]);

    // Nothing dies in these, so a leader may have been replaced without knowing.
    private static bool IsSyncFresh(string kinds) => !kinds.Contains('A', StringComparison.Ordinal);

    private static Task RunAsync(
        int seed, EnsembleSetup setup, bool syncIsFresh, List<Func<Chaos, Task>> events) => Ensemble.RunAsync(
        setup,
        async ensemble =>
        {
            seed += TestScale.Seed(0);
            var chaos = new Chaos(
                ensemble, await Load.StartAsync(ensemble, seed: seed, syncIsFresh: syncIsFresh), new Random(seed));
            await using Load load = chaos.Load;
            for (int round = 0; round < TestScale.Of(1, factorMax: 10); round++)
            {
                Func<Chaos, Task>[] course = [.. events];
                chaos.Random.Shuffle(course);
                foreach (Func<Chaos, Task> happening in course)
                {
                    await load.ProgressAsync(chaos.Random.Next(20, 200));
                    await happening(chaos);
                }
            }
            await load.ProgressAsync(100);
            await load.StopAsync();
            await EnsembleChecks.NoMismatchesAsync(ensemble);
            await EnsembleChecks.AllIsEqualAsync(ensemble);
        });

    private static async Task KillLeaderAsync(Chaos chaos)
    {
        EnsembleServer leader = await chaos.Ensemble.LeaderAsync();
        await leader.KillAsync();
        await chaos.Load.ProgressAsync(chaos.Random.Next(1, 100));
        await chaos.Ensemble.StartAsync(leader);
    }

    private static async Task KillFollowerAsync(Chaos chaos)
    {
        EnsembleServer follower = await chaos.FollowerAsync();
        await follower.KillAsync();
        await chaos.Load.ProgressAsync(chaos.Random.Next(1, 100));
        await chaos.Ensemble.StartAsync(follower);
    }

    private static async Task FreezeLeaderAsync(Chaos chaos)
    {
        EnsembleServer leader = await chaos.Ensemble.LeaderAsync();
        await leader.FreezeAsync();
        await chaos.Ensemble.LeaderAsync(except: leader);
        await chaos.Load.ProgressAsync(20);
        await leader.ThawAsync();
        await chaos.Ensemble.WaitServingAsync();
    }

    private static async Task FreezeFollowerAsync(Chaos chaos)
    {
        EnsembleServer follower = await chaos.FollowerAsync();
        await follower.FreezeAsync();
        await chaos.Load.ProgressAsync(20);
        await follower.ThawAsync();
        await chaos.Ensemble.WaitServingAsync();
    }

    private static async Task CutLeaderAsync(Chaos chaos)
    {
        EnsembleServer leader = await chaos.Ensemble.LeaderAsync();
        chaos.Ensemble.Links.Cut([leader.Id], chaos.OthersThan(leader));
        await chaos.Ensemble.LeaderAsync(except: leader);
        await chaos.Load.ProgressAsync(20);
        chaos.Ensemble.Links.Heal();
        await chaos.Ensemble.WaitServingAsync();
    }

    private static async Task CutFollowerAsync(Chaos chaos)
    {
        EnsembleServer follower = await chaos.FollowerAsync();
        chaos.Ensemble.Links.Cut([follower.Id], chaos.OthersThan(follower));
        await chaos.Load.ProgressAsync(20);
        chaos.Ensemble.Links.Heal();
        await chaos.Ensemble.WaitServingAsync();
    }

    // Each of the two still reaches everybody else.
    private static async Task CutPairAsync(Chaos chaos)
    {
        EnsembleServer leader = await chaos.Ensemble.LeaderAsync();
        EnsembleServer follower = await chaos.FollowerAsync();
        chaos.Ensemble.Links.Cut([leader.Id], [follower.Id]);
        await chaos.Load.ProgressAsync(20);
        chaos.Ensemble.Links.Heal();
        await chaos.Ensemble.WaitServingAsync();
    }

    private static async Task StallLeaderAsync(Chaos chaos)
    {
        EnsembleServer leader = await chaos.Ensemble.LeaderAsync();
        chaos.Ensemble.Links.Stall([leader.Id], chaos.OthersThan(leader));
        await chaos.Ensemble.LeaderAsync(except: leader);
        await chaos.Load.ProgressAsync(20);
        chaos.Ensemble.Links.Heal();
        await chaos.Ensemble.WaitServingAsync();
    }

    private sealed record Chaos(Ensemble Ensemble, Load Load, Random Random)
    {
        public async Task<EnsembleServer> FollowerAsync()
        {
            IReadOnlyList<EnsembleServer> learners = await Ensemble.LearnersAsync();
            return learners[Random.Next(learners.Count)];
        }

        public IEnumerable<int> OthersThan(EnsembleServer server) =>
            Ensemble.Servers.Where(other => other != server).Select(other => other.Id);
    }
}
