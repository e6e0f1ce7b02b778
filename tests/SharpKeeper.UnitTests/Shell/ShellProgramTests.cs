using SharpKeeper.Cli.Shell;
using SharpKeeper.Client;

namespace SharpKeeper.ShellTests;

public class ShellProgramTests
{
    private const string Connected =
        "Connecting to localhost:2181\n\nWATCHER::\n\nWatchedEvent state:SyncConnected type:None path:null\n";

    private const string Closed = "\nWATCHER::\n\nWatchedEvent state:Closed type:None path:null\n";
    private const string Welcome = Connected + "Welcome to ZooKeeper!\nJLine support is disabled\n";

    private readonly ShellHarness shell = new();

    [Fact]
    public async Task One_command_prints_zkClis_connection_lines_and_its_result()
    {
        Assert.Equal(0, await shell.RunAsync(new ShellOptions { Command = ["ls", "/"] }));
        Assert.Equal(Connected + "[zookeeper]\n", shell.Output);
        Assert.True(shell.Keeper.IsDisposed);
    }

    [Fact]
    public async Task A_pipe_is_welcomed_and_run_line_by_line()
    {
        Assert.Equal(1, await shell.RunLinesAsync("create /a x", "", "  ", "# remark", "get /a", "get /b"));
        Assert.Equal(Welcome + "x\n", shell.Output);
        Assert.Equal("Created /a\nNode does not exist: /b\n", shell.Errors);
        Assert.True(shell.Keeper.IsDisposed);
    }

    [Fact]
    public async Task Quit_closes_the_session_says_so_and_ends_the_pipe()
    {
        Assert.Equal(0, await shell.RunLinesAsync("get /nope", "quit", "ls /"));
        Assert.Equal(Welcome + Closed, shell.Output);
    }

    [Fact]
    public async Task Close_leaves_a_shell_that_can_connect_again()
    {
        await shell.RunLinesAsync("close", "ls /", "version", "connect h:5", "ls /zookeeper");
        Assert.Equal(Welcome + Closed + "Not connected\nZooKeeper CLI version: " + Server.ServerVersion.Text
            + "\n\nWATCHER::\n\nWatchedEvent state:SyncConnected type:None path:null\n[config, quota]\n", shell.Output);
        Assert.Equal(["localhost:2181", "h:5"], shell.Connects);
    }

    [Fact]
    public async Task Watches_are_printed_until_they_are_switched_off()
    {
        await shell.RunLinesAsync("create /m", "stat -w /nope", "ls /m true", "create /m/x", "printwatches off",
            "get -w /m", "set /m x", "printwatches", "create /nope");
        Assert.Equal(Welcome + "[]\n\nWATCHER::\n\n"
            + "WatchedEvent state:SyncConnected type:NodeChildrenChanged path:/m\nnull\nprintwatches is off\n",
            shell.Output);
    }

    [Fact]
    public async Task History_lists_commands_with_numbers_and_redo_repeats_them()
    {
        Assert.Equal(1, await shell.RunLinesAsync("create /a x", "get /a", "redo 1", "history", "redo 4"));
        Assert.Equal(Welcome + "x\nx\n0 - create /a x\n1 - get /a\n2 - get /a\n3 - history\n", shell.Output);
        Assert.EndsWith("Command index out of range\n", shell.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task History_shows_the_last_eleven()
    {
        await shell.RunLinesAsync([.. Enumerable.Repeat("printwatches on", 20), "history"]);
        Assert.StartsWith(Welcome + "10 - printwatches on\n", shell.Output, StringComparison.Ordinal);
        Assert.EndsWith("20 - history\n", shell.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_exit_code_of_a_pipe_is_that_of_its_last_command()
    {
        Assert.Equal(127, await shell.RunLinesAsync("ls /", "frobnicate"));
        Assert.Equal(0, await shell.RunLinesAsync("frobnicate", "ls /"));
        Assert.Equal(2, await shell.RunLinesAsync("ls / \"open"));
    }

    [Fact]
    public async Task Refused_credentials_end_the_session_with_an_event()
    {
        Assert.Equal(1, await shell.RunLinesAsync("addauth digest a:b", "addauth nonsense", "ls /"));
        Assert.Equal(Welcome + "\nWATCHER::\n\nWatchedEvent state:AuthFailed type:None path:null\nNot connected\n",
            shell.Output);
        Assert.StartsWith("KeeperErrorCode = AuthFailed", shell.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Json_of_one_command_is_one_object()
    {
        Assert.Equal(0, await shell.RunAsync("create /a hello", json: true));
        Assert.Equal("{\"path\":\"/a\"}\n", shell.Output);
        await shell.RunAsync("get -s /a", json: true);
        Assert.Equal("{\"data\":\"hello\",\"encoding\":\"utf-8\",\"stat\":{\"cZxid\":\"0x10\",\"ctime\":1795373546000,"
            + "\"mZxid\":\"0x11\",\"mtime\":1795373547000,\"pZxid\":\"0x12\",\"cversion\":0,\"dataVersion\":0,"
            + "\"aclVersion\":0,\"ephemeralOwner\":\"0x0\",\"dataLength\":5,\"numChildren\":0}}\n", shell.Output);
    }

    [Theory]
    [InlineData("ls /zookeeper", 0, "{\"children\":[\"config\",\"quota\"]}")]
    [InlineData("ls -R /zookeeper", 0, "{\"paths\":[\"/zookeeper\",\"/zookeeper/config\",\"/zookeeper/quota\"]}")]
    [InlineData("get /zookeeper", 0, "{\"data\":null,\"encoding\":\"utf-8\"}")]
    [InlineData("get -b /zookeeper/config", 0, "{\"data\":\"\",\"encoding\":\"base64\"}")]
    [InlineData("getAcl /", 0, "{\"acl\":[{\"scheme\":\"world\",\"id\":\"anyone\",\"perms\":\"cdrwa\"}]}")]
    [InlineData("getAllChildrenNumber /", 0, "{\"number\":3}")]
    [InlineData("whoami", 0,
        "{\"identities\":[{\"scheme\":\"ip\",\"id\":\"127.0.0.1\"},{\"scheme\":\"digest\",\"id\":\"bob\"}]}")]
    [InlineData("set /zookeeper x", 0, "{\"ok\":true}")]
    [InlineData("set /zookeeper x 0", 0,
        "{\"ok\":true,\"notes\":[\"'set path data [version]' has been deprecated. Please use 'set [-s] [-v "
            + "version] path data' instead.\"]}")]
    [InlineData("listquota /x", 0,
        "{\"path\":\"/x\",\"quota\":null,\"notes\":[\"absolute path is /zookeeper/quota/x/zookeeper_limits\"]}")]
    [InlineData("delete /nope", 1,
        "{\"error\":{\"code\":\"NoNode\",\"message\":\"Node does not exist: /nope\",\"path\":\"/nope\"}}")]
    [InlineData("lss /", 127,
        "{\"error\":{\"code\":\"UnknownCommand\",\"message\":\"Command not found lss\",\"nearest\":\"ls\"}}")]
    [InlineData("get", 2, "{\"error\":{\"code\":\"Usage\",\"message\":\"get [-s] [-w] [-b|-x] path\"}}")]
    public async Task Json_has_a_form_for_every_result(string command, int exitCode, string printed)
    {
        Assert.Equal(exitCode, await shell.RunAsync(command, json: true));
        Assert.Equal((printed + "\n", ""), (shell.Output, shell.Errors));
    }

    [Fact]
    public async Task Json_of_a_pipe_has_events_between_the_results()
    {
        await shell.RunAsync(new ShellOptions { Json = true }, "get -w /zookeeper\nset /zookeeper x\nquit");
        Assert.Equal("{\"event\":{\"state\":\"SyncConnected\",\"type\":\"None\",\"path\":null}}\n"
            + "{\"data\":null,\"encoding\":\"utf-8\"}\n"
            + "{\"event\":{\"state\":\"SyncConnected\",\"type\":\"NodeDataChanged\",\"path\":\"/zookeeper\"}}\n"
            + "{\"ok\":true}\n{\"event\":{\"state\":\"Closed\",\"type\":\"None\",\"path\":null}}\n", shell.Output);
    }

    [Fact]
    public async Task A_lost_connection_and_its_return_are_reported_once_each()
    {
        ShellOptions options = new();
        StringWriter output = new() { NewLine = "\n" };
        await using ShellSession session = new(options, new HumanResults(output, output, TimeZoneInfo.Utc, false),
            new ShellClients(_ => shell.Keeper, (_, _) => Task.FromResult<IKeeperClient>(shell.Keeper)));
        await session.ConnectAsync("h:1", TestContext.Current.CancellationToken);
        shell.Keeper.Enter(KeeperState.Connected);
        Assert.Equal("[zk: h:1(CONNECTED) 0] ", session.Prompt);
        shell.Keeper.Enter(KeeperState.Disconnected);
        Assert.Equal("[zk: h:1(CONNECTING) 0] ", session.Prompt);
        shell.Keeper.Enter(KeeperState.Connected);
        shell.Keeper.Enter(KeeperState.Expired);
        Assert.Equal("[zk: h:1(CLOSED) 0] ", session.Prompt);
        Assert.Equal(["SyncConnected", "Disconnected", "SyncConnected", "Expired"], output.ToString().Split('\n')
            .Where(line => line.StartsWith("WatchedEvent", StringComparison.Ordinal))
            .Select(line => line.Split(':', ' ')[2]));
        Assert.Equal(1, await session.RunLineAsync("ls /", TestContext.Current.CancellationToken));
        Assert.EndsWith("Not connected\n", output.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_command_without_a_server_fails_when_the_session_must_be_over()
    {
        ShellOptions options = new() { SessionTimeout = TimeSpan.FromMilliseconds(1) };
        StringWriter output = new();
        await using ShellSession session = new(options, new HumanResults(output, output, TimeZoneInfo.Utc, false),
            new ShellClients(_ => shell.Keeper, (_, _) => Task.FromResult<IKeeperClient>(shell.Keeper)));
        await session.ConnectAsync("h:1", TestContext.Current.CancellationToken);
        shell.Keeper.Hangs = true;
        Task<int> command = session.RunLineAsync("ls /", TestContext.Current.CancellationToken);
        shell.Keeper.Enter(KeeperState.Disconnected);
        Assert.Equal(1, await command);
        Assert.Contains("KeeperErrorCode = ConnectionLoss: no server of h:1 has answered for 1 ms",
            output.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_interrupt_ends_the_command_and_the_session()
    {
        using CancellationTokenSource stopped = new();
        shell.Keeper.Hangs = true;
        Task<int> run = shell.RunUntilAsync(stopped.Token, new ShellOptions { Command = ["ls", "/"] });
        await stopped.CancelAsync();
        Assert.Equal(130, await run);
        Assert.True(shell.Keeper.IsDisposed);
        Assert.Equal("Interrupted\n", shell.Errors);
    }

    [Fact]
    public async Task Stats_have_colours_only_on_request()
    {
        StringWriter output = new();
        HumanResults results = new(output, output, TimeZoneInfo.Utc, hasColour: true);
        results.Stat(default);
        Assert.Contains("\u001b[36mnumChildren\u001b[0m = 0", output.ToString(), StringComparison.Ordinal);
        await shell.RunAsync("stat /");
        Assert.DoesNotContain("\u001b", shell.Output, StringComparison.Ordinal);
    }
}
