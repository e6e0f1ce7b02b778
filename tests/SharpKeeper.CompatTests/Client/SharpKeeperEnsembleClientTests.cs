using SharpKeeper.CompatTests.Ensembles;

namespace SharpKeeper.CompatTests.Client;

/// <summary>Our client at an ensemble of our servers.</summary>
[Collection(EnsembleCollection.Name)]
public sealed class SharpKeeperEnsembleClientTests : EnsembleClientSuite
{
    [Fact]
    public Task Session_moves_with_all_that_belongs_to_it() => SessionMovesWithAllThatBelongsToItAsync("SSS");

    [Fact]
    public Task Reads_as_of_now_see_every_write() => ReadsAsOfNowSeeEveryWriteAsync("SSS");

    [Fact]
    public Task Read_only_server_is_used_and_left_again() => ReadOnlyServerIsUsedAndLeftAgainAsync("SSS");

    [Fact]
    public Task Reconfiguration_succeeds_and_fails_by_type() => ReconfigurationSucceedsAndFailsByTypeAsync("SSS");

    [Fact]
    public Task Reconfiguration_is_disabled() => ReconfigurationIsDisabledAsync("SSS");

    [Fact]
    public Task Client_follows_the_configuration() => ClientFollowsTheConfigurationAsync("SSS");
}
