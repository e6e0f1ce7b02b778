using SharpKeeper.CompatTests.Peers;

namespace SharpKeeper.CompatTests.Ensembles;

/// <summary>The scenarios on SharpKeeper's servers alone.</summary>
[Collection(EnsembleCollection.Name)]
public sealed class SharpKeeperEnsembleTests : EnsembleSuite
{
    [Fact]
    public Task Load_is_served_with_a_small_id_leading() => ServesWithLeaderAsync("SSS", leader: 1);

    [Fact]
    public Task Each_of_five_servers_may_die() => SurvivesEachServerAsync("SSSSS");

    [Fact]
    public Task Observer_serves() => ObserverServesAsync("SSSS");

    [Fact]
    public Task Servers_may_be_replaced_one_by_one() => MigratesAsync(ServerKind.SharpKeeper, ServerKind.SharpKeeper);
}

/// <summary>The ways of synchronisation among SharpKeeper's servers.</summary>
[Collection(EnsembleCollection.Name)]
public sealed class SharpKeeperSyncTests : SyncSuite
{
    [Fact]
    public Task Diff() => DiffAsync("SSS");

    [Fact]
    public Task Diff_from_disk() => DiffFromDiskAsync("SSS");

    [Fact]
    public Task Snap() => SnapAsync("SSS");

    [Fact]
    public Task Snap_to_empty() => SnapToEmptyAsync("SSS");

    [Fact]
    public Task Trunc() => TruncAsync("SSS");

    [Fact]
    public Task Diverged() => DivergedAsync("SSS");
}

/// <summary>Changes of members among SharpKeeper's servers.</summary>
[Collection(EnsembleCollection.Name)]
public sealed class SharpKeeperReconfigTests : ReconfigSuite
{
    [Fact]
    public Task Members_come_and_go() => MembersComeAndGoAsync("SSSS");

    [Fact]
    public Task Members_are_kept() => MembersAreKeptAsync("SSS");
}

/// <summary>Random trouble for SharpKeeper's servers.</summary>
[Collection(EnsembleCollection.Name)]
public sealed class SharpKeeperChaosTests : ChaosSuite
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public Task Three_servers_survive_kills(int seed) => KillsAsync("SSS", seed, leaders: 2, followers: 1);

    [Theory]
    [InlineData(4)]
    [InlineData(5)]
    public Task Five_servers_survive_kills(int seed) => KillsAsync("SSSSS", seed, leaders: 1, followers: 1);

    [Theory]
    [InlineData(6)]
    [InlineData(7)]
    public Task Freezes(int seed) => FreezesAsync("SSS", seed, leaders: 1, followers: 1);

    [Theory]
    [InlineData(8)]
    [InlineData(9)]
    public Task Cuts(int seed) => CutsAsync("SSS", seed, leaders: 1, followers: 1);
}
