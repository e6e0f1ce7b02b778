using SharpKeeper.CompatTests.Peers;

namespace SharpKeeper.CompatTests.Ensembles;

/// <summary>
/// The scenarios on Apache's servers alone. They show that the scenarios and their checks are right about a system that
/// is known to work; what fails only on SharpKeeper is then SharpKeeper's fault. They show nothing else, so they run
/// nightly.
/// </summary>
[Collection(EnsembleCollection.Name)]
[Trait(Lane.Trait, Lane.Nightly)]
public sealed class ApacheEnsembleTests : EnsembleSuite
{
    [Fact]
    public Task Load_is_served_with_a_small_id_leading() => ServesWithLeaderAsync("AAA", leader: 1);

    [Fact]
    public Task Each_server_may_die() => SurvivesEachServerAsync("AAA");

    [Fact]
    public Task Observer_serves() => ObserverServesAsync("AAAA");

    [Fact]
    public Task Servers_may_be_replaced_one_by_one() => MigratesAsync(ServerKind.Apache, ServerKind.Apache);
}

/// <summary>The ways of synchronisation among Apache's servers.</summary>
[Collection(EnsembleCollection.Name)]
[Trait(Lane.Trait, Lane.Nightly)]
public sealed class ApacheSyncTests : SyncSuite
{
    [Fact]
    public Task Diff() => DiffAsync("AAA");

    [Fact]
    public Task Diff_from_disk() => DiffFromDiskAsync("AAA");

    [Fact]
    public Task Snap() => SnapAsync("AAA");

    [Fact]
    public Task Snap_to_empty() => SnapToEmptyAsync("AAA");

    [Fact]
    public Task Trunc() => TruncAsync("AAA");

    [Fact]
    public Task Diverged() => DivergedAsync("AAA");
}

/// <summary>Changes of members among Apache's servers.</summary>
[Collection(EnsembleCollection.Name)]
[Trait(Lane.Trait, Lane.Nightly)]
public sealed class ApacheReconfigTests : ReconfigSuite
{
    [Fact]
    public Task Members_come_and_go() => MembersComeAndGoAsync("AAAA");

    [Fact]
    public Task Members_are_kept() => MembersAreKeptAsync("AAA");
}

/// <summary>Random trouble for Apache's servers.</summary>
[Collection(EnsembleCollection.Name)]
[Trait(Lane.Trait, Lane.Nightly)]
public sealed class ApacheChaosTests : ChaosSuite
{
    [Fact]
    public Task Kills() => KillsAsync("AAA", seed: 1, leaders: 1, followers: 1);

    [Fact]
    public Task Freezes() => FreezesAsync("AAA", seed: 1, leaders: 1, followers: 1);

    [Fact]
    public Task Cuts() => CutsAsync("AAA", seed: 1, leaders: 1, followers: 1);
}
