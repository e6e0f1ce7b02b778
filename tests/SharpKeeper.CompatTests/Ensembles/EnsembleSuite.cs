using SharpKeeper.CompatTests.Peers;

namespace SharpKeeper.CompatTests.Ensembles;

/// <summary>
/// What an ensemble must do whatever its servers are; a class that derives from this names the programs: A for Apache
/// ZooKeeper and S for SharpKeeper, one letter for each server.
/// </summary>
public abstract class EnsembleSuite
{
    /// <summary>Serves a load while a server leads, and loses and gets back another one.</summary>
    protected static Task ServesWithLeaderAsync(string kinds, int leader) => Ensemble.RunAsync(
        EnsembleSetup.Of(kinds),
        async ensemble =>
        {
            await ensemble.MakeLeaderAsync(ensemble[leader]);
            await using Load load = await Load.StartAsync(ensemble);
            await load.ProgressAsync(300);
            foreach (EnsembleServer learner in await ensemble.LearnersAsync())
            {
                await learner.KillAsync();
                await load.ProgressAsync(200);
                await ensemble.StartAsync(learner);
            }
            Assert.Equal(leader, (await ensemble.LeaderAsync()).Id);
            await load.StopAsync();
            await EnsembleChecks.AllIsEqualAsync(ensemble);
        });

    /// <summary>Kills each server once, leader or not, under load.</summary>
    protected static Task SurvivesEachServerAsync(string kinds) => Ensemble.RunAsync(
        EnsembleSetup.Of(kinds),
        async ensemble =>
        {
            await using Load load = await Load.StartAsync(ensemble);
            foreach (EnsembleServer server in ensemble.Servers)
            {
                await load.ProgressAsync(200);
                await server.KillAsync();
                await load.ProgressAsync(200);
                await ensemble.StartAsync(server);
            }
            await load.StopAsync();
            await EnsembleChecks.AllIsEqualAsync(ensemble);
        });

    /// <summary>The last server observes: it serves clients, comes and goes, and has no vote.</summary>
    protected static Task ObserverServesAsync(string kinds) => Ensemble.RunAsync(
        EnsembleSetup.Of(kinds) with { Observers = new HashSet<int> { kinds.Length } },
        async ensemble =>
        {
            EnsembleServer observer = ensemble[kinds.Length];
            Assert.Equal("observer", (await observer.WaitServingAsync(TestContext.Current.CancellationToken)).Mode);
            await using Load load = await Load.StartAsync(ensemble);
            await load.ProgressAsync(300);
            await observer.KillAsync();
            await load.ProgressAsync(100);
            await ensemble.StartAsync(observer);
            EnsembleServer leader = await ensemble.LeaderAsync();
            await leader.KillAsync();
            await load.ProgressAsync(300);
            await ensemble.StartAsync(leader);
            Assert.Equal("observer", (await observer.WaitServingAsync(TestContext.Current.CancellationToken)).Mode);
            await load.StopAsync();
            await EnsembleChecks.AllIsEqualAsync(ensemble);
        });

    /// <summary>
    /// Every server in turn is stopped and served by the other program on the same directory, the leader last, and then
    /// the same way back; all the while sessions read and write.
    /// </summary>
    protected static Task MigratesAsync(ServerKind from, ServerKind to) => Ensemble.RunAsync(
        EnsembleSetup.Of(from == ServerKind.Apache ? "AAA" : "SSS"),
        async ensemble =>
        {
            await using Load load = await Load.StartAsync(ensemble);
            foreach (ServerKind kind in new[] { to, from })
            {
                EnsembleServer leader = await ensemble.LeaderAsync();
                foreach (EnsembleServer server in ensemble.Servers.OrderBy(server => server == leader))
                {
                    await load.ProgressAsync(200);
                    await server.StopAsync();
                    await ensemble.StartAsync(server, kind);
                }
                await load.ProgressAsync(200);
                await EnsembleChecks.NoMismatchesAsync(ensemble);
            }
            await load.StopAsync();
            await EnsembleChecks.AllIsEqualAsync(ensemble);
        });
}
