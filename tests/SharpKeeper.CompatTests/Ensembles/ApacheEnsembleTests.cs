using SharpKeeper.CompatTests.Peers;

namespace SharpKeeper.CompatTests.Ensembles;

/// <summary>
/// The scenarios on Apache's servers alone. They show that the scenarios and their checks are right about a system that
/// is known to work; what fails only on SharpKeeper is then SharpKeeper's fault.
/// </summary>
[Collection(EnsembleCollection.Name)]
public sealed class ApacheEnsembleTests
{
    private static readonly EnsembleSetup Three = EnsembleSetup.Of(ServerKind.Apache, 3);

    [Fact]
    public Task Load_through_three_servers_keeps_its_promises() => Ensemble.RunAsync(Three, async ensemble =>
    {
        await using Load load = await Load.StartAsync(ensemble);
        await load.ProgressAsync(1000);
        await load.StopAsync();
        await EnsembleChecks.AllIsEqualAsync(ensemble);
    });

    [Fact]
    public Task Any_server_can_be_made_leader() => Ensemble.RunAsync(Three, async ensemble =>
    {
        foreach (EnsembleServer wanted in ensemble.Servers)
        {
            await ensemble.MakeLeaderAsync(wanted);
            Assert.Same(wanted, await ensemble.LeaderAsync());
        }
        await EnsembleChecks.AllIsEqualAsync(ensemble);
    });
}

/// <summary>Ensembles run one at a time: each is several processes.</summary>
[CollectionDefinition(Name)]
public sealed class EnsembleCollection
{
    /// <summary>Its name.</summary>
    public const string Name = "ensembles";
}
