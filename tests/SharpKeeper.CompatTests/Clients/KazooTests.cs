namespace SharpKeeper.CompatTests.Clients;

/// <summary>kazoo, the Python client, with its recipes against our servers.</summary>
public abstract class KazooSuite
{
    private const string Python = "/usr/bin/python3";

    /// <summary>Starts what the scripts are tried on.</summary>
    private protected virtual async Task<IClientsPeer> StartAsync() => await ClientsServer.StartAsync();

    /// <summary>Runs one of the scripts of Clients/kazoo; an assertion that fails there fails here.</summary>
    protected async Task RunAsync(string script, params string[] arguments)
    {
        await SkipUnlessInstalledAsync("import kazoo", "kazoo is not installed (on Debian: apt install python3-kazoo)");
        await using IClientsPeer peer = await StartAsync();
        await peer.ExplainAsync(() => ClientProcess.RunWellAsync(
            Python,
            ["-B", Path.Combine(ClientProcess.Sources, "kazoo", script), .. arguments],
            new Dictionary<string, string> { ["SHARPKEEPER"] = peer.ConnectString },
            fulfil: peer.FulfilAsync));
    }

    /// <summary>Runs tests that kazoo ships, where the package has them.</summary>
    protected async Task RunOwnTestsAsync(params string[] arguments)
    {
        await SkipUnlessInstalledAsync("import kazoo.tests.util", "this kazoo comes without its own tests");
        await RunAsync("own_tests.py", arguments);
    }

    private static async Task SkipUnlessInstalledAsync(string import, string reason)
    {
        if (!File.Exists(Python))
            Assert.Skip($"{Python} is missing.");
        ClientRun run = await ClientProcess.RunAsync(Python, ["-c", import]);
        if (run.ExitCode != 0)
            Assert.Skip(reason);
    }
}

/// <summary>Our own scripts.</summary>
public sealed class KazooScriptTests : KazooSuite
{
    [Fact]
    public Task Operations_do_what_kazoo_expects() => RunAsync("operations.py");

    [Fact]
    public Task Recipes_work_among_several_clients() => RunAsync("recipes.py");

    [Fact]
    public Task Clients_live_on_when_the_server_restarts_on_its_data() => RunAsync("restart.py");
}

/// <summary>kazoo's tests of locks and the like; the classes run side by side because they mostly wait.</summary>
public sealed class KazooLockTests : KazooSuite
{
    [Fact]
    public Task Locks_and_leases_pass_kazoos_own_tests() =>
        RunOwnTestsAsync("test_lock", "test_lease", "test_election");
}

/// <summary>kazoo's tests of collections and groups.</summary>
public sealed class KazooGroupTests : KazooSuite
{
    [Fact]
    public Task Groups_and_queues_pass_kazoos_own_tests() =>
        RunOwnTestsAsync("test_barrier", "test_counter", "test_party", "test_queue", "test_partitioner");
}

/// <summary>kazoo's tests of watchers and caches.</summary>
public sealed class KazooWatcherTests : KazooSuite
{
    [Fact]
    public Task Watchers_and_caches_pass_kazoos_own_tests() => RunOwnTestsAsync("test_watchers", "test_cache");
}

/// <summary>kazoo's tests of its client.</summary>
public sealed class KazooClientTests : KazooSuite
{
    [Fact]
    public Task Client_and_connection_pass_kazoos_own_tests() => RunOwnTestsAsync(
        "test_client", "test_connection",
        // These need several servers and run with an ensemble.
        "-TestReconfig.test_add_remove_observer", "-TestReconfig.test_bad_input", "-TestReconfig.test_no_super_auth",
        "-TestReadOnlyMode.test_read_only", "-TestClient.test_update_host_list");
}
