using System.Text.Json;

namespace SharpKeeper.CompatTests.Shell;

/// <summary>
/// What our shell must do against any server, with real processes. Each server has a class that says where it is.
/// </summary>
public abstract class ShellSuite
{
    private const string NodeDeleted = "WatchedEvent state:SyncConnected type:NodeDeleted path:/master";

    /// <summary>Where the server is; skips the test if there is none.</summary>
    protected abstract string ConnectString { get; }

    /// <summary>The walk of docs/guide/master-worker.md, line by line.</summary>
    [Fact]
    public async Task The_master_worker_walk_is_playable_in_three_shells()
    {
        string root = await MakeRootAsync("/walk");
        await using ShellProcess first = await OpenAsync(root);
        await using ShellProcess second = await OpenAsync(root);

        // One master at a time: the second is refused and watches.
        await first.TypeAsync("create -e /master \"master1.example.com:2223\"");
        await first.ExpectErrorAsync("Created /master");
        await first.TypeAsync("ls /");
        await first.ExpectAsync("[master]");
        await first.TypeAsync("get /master");
        await first.ExpectAsync("master1.example.com:2223");
        await second.TypeAsync("create -e /master \"master2.example.com:2223\"");
        await second.ExpectErrorAsync("Node already exists: /master");
        await second.TypeAsync("stat /master true");
        await second.ExpectAsync("numChildren = 0");
        Assert.Contains("dataLength = 24", second.Output);

        // The first master goes; the second hears of it and takes over.
        await first.TypeAsync("quit");
        Assert.Equal(0, await first.EndAsync());
        await second.ExpectAsync("WATCHER::");
        await second.ExpectAsync(NodeDeleted);
        await second.TypeAsync("create -e /master \"master2.example.com:2223\"");
        await second.ExpectErrorAsync("Created /master");
        await AssignAsync(second, root);
    }

    private static async Task AssignAsync(ShellProcess master, string root)
    {
        // The parents, and the master's watches on them.
        foreach (string parent in (string[])["/workers", "/tasks", "/assign"])
        {
            await master.TypeAsync($"create {parent} \"\"");
            await master.ExpectErrorAsync($"Created {parent}");
        }
        await master.TypeAsync("ls /");
        await master.ExpectAsync("[assign, master, tasks, workers]");
        await master.TypeAsync("ls /workers true");
        await master.ExpectAsync("[]");
        await master.TypeAsync("ls /tasks true");
        await master.ExpectAsync("[]");

        // A worker shows up and waits for assignments.
        await using ShellProcess worker = await OpenAsync(root);
        await worker.TypeAsync("create -e /workers/worker1.example.com \"worker1.example.com:2224\"");
        await worker.ExpectErrorAsync("Created /workers/worker1.example.com");
        await master.ExpectAsync("WatchedEvent state:SyncConnected type:NodeChildrenChanged path:/workers");
        await worker.TypeAsync("create /assign/worker1.example.com \"\"");
        await worker.ExpectErrorAsync("Created /assign/worker1.example.com");
        await worker.TypeAsync("ls /assign/worker1.example.com true");
        await worker.ExpectAsync("[]");

        // A client asks for a task and waits for its status.
        await using ShellProcess client = await OpenAsync(root);
        await client.TypeAsync("create -s /tasks/task- \"cmd\"");
        await client.ExpectErrorAsync("Created /tasks/task-0000000000");
        await client.TypeAsync("ls /tasks/task-0000000000 true");
        await client.ExpectAsync("[]");

        // The master assigns it.
        await master.ExpectAsync("WatchedEvent state:SyncConnected type:NodeChildrenChanged path:/tasks");
        await master.TypeAsync("ls /tasks");
        await master.ExpectAsync("[task-0000000000]");
        await master.TypeAsync("ls /workers");
        await master.ExpectAsync("[worker1.example.com]");
        await master.TypeAsync("create /assign/worker1.example.com/task-0000000000 \"\"");
        await master.ExpectErrorAsync("Created /assign/worker1.example.com/task-0000000000");

        // The worker does it and says so; the client reads the status.
        await worker.ExpectAsync(
            "WatchedEvent state:SyncConnected type:NodeChildrenChanged path:/assign/worker1.example.com");
        await worker.TypeAsync("ls /assign/worker1.example.com");
        await worker.ExpectAsync("[task-0000000000]");
        await worker.TypeAsync("create /tasks/task-0000000000/status \"done\"");
        await worker.ExpectErrorAsync("Created /tasks/task-0000000000/status");
        await client.ExpectAsync(
            "WatchedEvent state:SyncConnected type:NodeChildrenChanged path:/tasks/task-0000000000");
        await client.TypeAsync("get /tasks/task-0000000000");
        await client.ExpectAsync("cmd");
        await client.TypeAsync("get /tasks/task-0000000000/status");
        await client.ExpectAsync("done");
    }

    [Fact]
    public async Task One_command_gives_its_result_and_exit_code()
    {
        string root = await MakeRootAsync("/once");
        Assert.Equal((0, "", "Created /a b"), await OnceAsync("-q", "-server", root, "create", "/a b", "x y"));
        Assert.Equal((0, "x y", ""), await OnceAsync("-q", "-server", root, "get", "/a b"));
        Assert.Equal((1, "", "Node already exists: /a b"), await OnceAsync("-q", "-server", root, "create", "/a b"));
        Assert.Equal((0, "Connecting to " + root + "\n\nWATCHER::\n\n"
            + "WatchedEvent state:SyncConnected type:None path:null\n[a b]", ""),
            await OnceAsync("-server", root, "ls", "/"));
        (int exitCode, string output, string errors) = await OnceAsync("-server", root, "lss", "/");
        Assert.Equal((127, "Connecting to " + root), (exitCode, output));
        Assert.EndsWith(
            "Command not found: Command not found lss\nDid you mean 'ls'?", errors, StringComparison.Ordinal);
        Assert.Equal((2, "", "ls [-s] [-w] [-R] path"), await OnceAsync("-q", "-server", root, "ls"));
    }

    [Fact]
    public async Task One_command_gives_json()
    {
        string root = await MakeRootAsync("/json");
        Assert.Equal((0, "{\"path\":\"/a\"}", ""), await OnceAsync("-server", root, "--json", "create", "/a", "x"));
        (int exitCode, string output, string errors) = await OnceAsync("-server", root, "get", "-s", "/a", "--json");
        Assert.Equal((0, ""), (exitCode, errors));
        using JsonDocument json = JsonDocument.Parse(output);
        Assert.Equal("x", json.RootElement.GetProperty("data").GetString());
        Assert.Equal(1, json.RootElement.GetProperty("stat").GetProperty("dataLength").GetInt32());
    }

    [Fact]
    public async Task A_signal_closes_the_session_so_that_its_ephemerals_go_at_once()
    {
        if (OperatingSystem.IsWindows())
            Assert.Skip("Windows has no SIGTERM to send to a process.");
        string root = await MakeRootAsync("/signal");
        await using ShellProcess watching = await OpenAsync(root);
        await using ShellProcess owner = await OpenAsync(root);
        await owner.TypeAsync("create -e /master me");
        await owner.ExpectErrorAsync("Created /master");
        await watching.TypeAsync("stat -w /master");
        await watching.ExpectAsync("numChildren = 0");
        await owner.SignalAsync("TERM");
        await watching.ExpectAsync(NodeDeleted);
        Assert.Equal(128 + 15, await owner.EndAsync());
    }

    [Fact]
    public async Task Lasting_watches_report_until_they_are_removed()
    {
        string root = await MakeRootAsync("/lasting");
        await using ShellProcess shell = await OpenAsync(root);
        await shell.TypeAsync("addWatch /");
        await shell.TypeAsync("create /a x");
        await shell.ExpectAsync("WatchedEvent state:SyncConnected type:NodeCreated path:/a");
        await shell.TypeAsync("set /a y");
        await shell.ExpectAsync("WatchedEvent state:SyncConnected type:NodeDataChanged path:/a");
        await shell.TypeAsync("removewatches /");
        await shell.ExpectAsync("WatchedEvent state:SyncConnected type:PersistentWatchRemoved path:/");
        await shell.TypeAsync("removewatches /");
        await shell.ExpectErrorAsync("KeeperErrorCode = No such watcher for /");
    }

    private static async Task<(int ExitCode, string Output, string Errors)> OnceAsync(params string[] arguments)
    {
        await using ShellProcess shell = ShellProcess.Ours(arguments);
        int exitCode = await shell.EndAsync();
        return (exitCode, string.Join('\n', shell.Output), string.Join('\n', shell.Errors));
    }

    private static async Task<ShellProcess> OpenAsync(string connectString)
    {
        ShellProcess shell = ShellProcess.Ours("-server", connectString);
        await shell.ExpectAsync("WatchedEvent state:SyncConnected type:None path:null");
        return shell;
    }

    // Each test has a subtree of its own, as a chroot.
    private async Task<string> MakeRootAsync(string name)
    {
        Assert.Equal((0, "", $"Created {name}"), await OnceAsync("-q", "-server", ConnectString, "create", name));
        return ConnectString + name;
    }
}
