using SharpKeeper.CompatTests.Ensembles;

namespace SharpKeeper.CompatTests.Clients;

/// <summary>Programs on Apache's clients that know three servers.</summary>
[Collection(EnsembleCollection.Name)]
public sealed class EnsembleProgramTests
{
    private const string Kinds = "SSS";

    [Fact]
    public async Task Java_client_works_unchanged()
    {
        await using ClientsEnsemble ensemble = await ClientsEnsemble.StartAsync(Kinds);
        await ClientPrograms.RunJavaAsync("JavaClient", ensemble);
    }

    [Fact]
    public async Task Java_sessions_move_between_servers()
    {
        await using ClientsEnsemble ensemble = await ClientsEnsemble.StartAsync(Kinds);
        await ClientPrograms.RunJavaAsync("JavaSessions", ensemble);
    }

    [Fact]
    public async Task C_client_works_unchanged()
    {
        await using ClientsEnsemble ensemble = await ClientsEnsemble.StartAsync(Kinds);
        await ClientPrograms.RunCAsync("c_client", ensemble);
    }

    [Fact]
    public async Task C_client_moves_between_servers()
    {
        await using ClientsEnsemble ensemble = await ClientsEnsemble.StartAsync(
            Kinds, ("localSessionsEnabled", "true"), ("localSessionsUpgradingEnabled", "true"));
        await ClientPrograms.RunCAsync("c_ensemble", ensemble);
    }
}

/// <summary>kazoo with three servers.</summary>
[Collection(EnsembleCollection.Name)]
public sealed class EnsembleKazooTests : KazooSuite
{
    [Fact]
    public Task Operations_do_what_kazoo_expects() => RunAsync("operations.py");

    [Fact]
    public Task Sessions_move_between_servers() => RunAsync("sessions.py");

    [Fact]
    public Task Clients_live_on_when_all_servers_restart_on_their_data() => RunAsync("restart.py");

    [Fact]
    public Task Reconfiguration_passes_kazoos_own_tests() =>
        RunOwnTestsAsync("test_client.TestReconfig", "test_client.TestClient.test_update_host_list");

    [Fact]
    public Task Locks_and_leases_pass_kazoos_own_tests() =>
        RunOwnTestsAsync("test_lock", "test_lease", "test_election");

    private protected override async Task<IClientsPeer> StartAsync() => await ClientsEnsemble.StartAsync("SSS");
}

/// <summary>kazoo with a follower, through which several clients see each other's changes at once.</summary>
[Collection(EnsembleCollection.Name)]
public sealed class FollowerKazooTests : KazooSuite
{
    [Fact]
    public Task Recipes_work_among_several_clients() => RunAsync("recipes.py");

    private protected override async Task<IClientsPeer> StartAsync() => await ClientsFollower.StartAsync("SSS");
}

/// <summary>kazoo with a server that has lost the others.</summary>
[Collection(EnsembleCollection.Name)]
public sealed class ReadOnlyKazooTests : KazooSuite
{
    private string kinds = "";

    [Theory]
    [InlineData("AAA")]
    [InlineData("SSS")]
    public Task Read_only_server_is_used_and_left_again(string kinds)
    {
        this.kinds = kinds;
        return RunAsync("readonly.py");
    }

    [Fact]
    public Task Read_only_mode_passes_kazoos_own_test()
    {
        kinds = "SSS";
        return RunOwnTestsAsync("test_connection.TestReadOnlyMode");
    }

    private protected override async Task<IClientsPeer> StartAsync() => await ClientsEnsemble.StartAsync(
        kinds, ("localSessionsEnabled", "true"), ("localSessionsUpgradingEnabled", "true"));
}
