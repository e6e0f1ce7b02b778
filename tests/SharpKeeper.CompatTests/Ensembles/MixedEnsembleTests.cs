using SharpKeeper.CompatTests.Peers;

namespace SharpKeeper.CompatTests.Ensembles;

/// <summary>Ensembles of Apache's (A) and SharpKeeper's (S) servers.</summary>
[Collection(EnsembleCollection.Name)]
public sealed class MixedEnsembleTests : EnsembleSuite
{
    [Theory]
    [InlineData("AAS", 1)]
    [InlineData("AAS", 3)]
    [InlineData("ASS", 1)]
    [InlineData("ASS", 2)]
    public Task Load_is_served_with_each_kind_leading(string kinds, int leader) =>
        ServesWithLeaderAsync(kinds, leader);

    [Theory]
    [InlineData("AAAS")]
    [InlineData("SSSA")]
    public Task Observer_serves_with_voters_of_the_other_kind(string kinds) => ObserverServesAsync(kinds);

    [Fact]
    public Task Apache_is_replaced_server_by_server_and_back() =>
        MigratesAsync(ServerKind.Apache, ServerKind.SharpKeeper);
}

/// <summary>
/// The ways of synchronisation between the kinds. Up to a cut-off tail the first server leads and the second learns; for
/// the tails the second learns from the third.
/// </summary>
[Collection(EnsembleCollection.Name)]
public sealed class MixedSyncTests : SyncSuite
{
    [Theory]
    [InlineData("ASA")]
    [InlineData("SAS")]
    public Task Diff(string kinds) => DiffAsync(kinds);

    [Theory]
    [InlineData("ASA")]
    [InlineData("SAS")]
    public Task Diff_from_disk(string kinds) => DiffFromDiskAsync(kinds);

    [Theory]
    [InlineData("ASA")]
    [InlineData("SAS")]
    public Task Snap(string kinds) => SnapAsync(kinds);

    [Theory]
    [InlineData("ASA")]
    [InlineData("SAS")]
    public Task Snap_to_empty(string kinds) => SnapToEmptyAsync(kinds);

    [Theory]
    [InlineData("ASA")]
    [InlineData("SAS")]
    public Task Trunc(string kinds) => TruncAsync(kinds);

    [Theory]
    [InlineData("ASA")]
    [InlineData("SAS")]
    public Task Diverged(string kinds) => DivergedAsync(kinds);
}

/// <summary>Changes of members of mixed ensembles.</summary>
[Collection(EnsembleCollection.Name)]
public sealed class MixedReconfigTests : ReconfigSuite
{
    [Theory]
    [InlineData("AASS")]
    [InlineData("SSAA")]
    public Task Members_come_and_go(string kinds) => MembersComeAndGoAsync(kinds);

    [Fact]
    public Task Members_are_kept() => MembersAreKeptAsync("ASA");
}

/// <summary>Random trouble for mixed ensembles.</summary>
[Collection(EnsembleCollection.Name)]
public sealed class MixedChaosTests : ChaosSuite
{
    [Theory]
    [InlineData("ASS", 1)]
    [InlineData("SAA", 2)]
    public Task Kills(string kinds, int seed) => KillsAsync(kinds, seed, leaders: 2, followers: 2);
}
