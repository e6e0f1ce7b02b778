using SharpKeeper.Cli.Shell;

namespace SharpKeeper.ShellTests;

public class ShellCommandsTests
{
    private readonly ShellHarness shell = new();

    private static readonly string[] StatLines =
    [
        "cZxid = 0x10", $"ctime = {JavaDate.Format(1795373546_000, TimeZoneInfo.Local)}", "mZxid = 0x11",
        $"mtime = {JavaDate.Format(1795373547_000, TimeZoneInfo.Local)}", "pZxid = 0x12", "cversion = 0",
        "dataVersion = 0", "aclVersion = 0", "ephemeralOwner = 0x0", "dataLength = 5", "numChildren = 0", "",
    ];

    [Theory]
    [InlineData("create /a x", "Created /a\n")]
    [InlineData("create -s /n- x", "Created /n-0000000000\n")]
    [InlineData("create /a \"\"", "Created /a\n")]
    [InlineData("create -e -s /a", "Created /a0000000000\n")]
    public async Task Create_says_what_it_created_on_the_error_stream(string command, string said)
    {
        Assert.Equal(0, await shell.RunAsync(command));
        Assert.Equal(("", said), (shell.Output, shell.Errors));
    }

    [Theory]
    [InlineData("create /a", "create /a Persistent ")]
    [InlineData("create -e /a", "create /a Ephemeral ")]
    [InlineData("create -s /a", "create /a PersistentSequential ")]
    [InlineData("create -es /a", "create /a EphemeralSequential ")]
    [InlineData("create -c /a", "create /a Container ")]
    [InlineData("create -t 500 /a", "create /a PersistentWithTtl 500")]
    [InlineData("create -s -t 500 /a", "create /a PersistentSequentialWithTtl 500")]
    public async Task Create_asks_for_the_mode_of_its_options(string command, string call)
    {
        Assert.Equal(0, await shell.RunAsync(command));
        Assert.Equal(call, Assert.Single(shell.Keeper.Calls));
    }

    [Theory]
    [InlineData("create -c -e /x",
        "-c cannot be combined with -s or -e. Containers cannot be ephemeral or sequential.")]
    [InlineData("create -e -t 100 /x", "TTLs cannot be used with Ephemeral znodes")]
    [InlineData("create -c -t 100 /x", "TTLs cannot be used with Container znodes")]
    [InlineData("create -t abc /x", "-t argument must be a long value")]
    [InlineData("create -t -4 /x", "ttl must be positive and cannot be larger than: 1099511627775")]
    [InlineData("create -t 1099511627776 /x", "ttl must be positive and cannot be larger than: 1099511627775")]
    [InlineData("create", "create [-s] [-e] [-c] [-t ttl] path [data] [acl]")]
    [InlineData("create /x d bad", "bad does not have the form scheme:id:perm")]
    [InlineData("ls", "ls [-s] [-w] [-R] path")]
    [InlineData("ls -z /", "Unrecognized option: -z\nls [-s] [-w] [-R] path")]
    [InlineData("set /a", "set [-s] [-v version] path data")]
    [InlineData("set /a two words",
        "'words' is not a version; data with blanks need quotes. The command is: set [-s] [-v version] path data")]
    [InlineData("set -v x /a y", "-v takes a whole number, not 'x'")]
    [InlineData("create /x a world:anyone:r more",
        "Unexpected word 'more'; words with blanks need quotes\ncreate [-s] [-e] [-c] [-t ttl] path [data] [acl]")]
    [InlineData("deleteall /a -b 0", "-b takes a number of znodes above zero, not 0")]
    [InlineData("addWatch -m FOO /", "-m takes PERSISTENT or PERSISTENT_RECURSIVE, not 'FOO'")]
    [InlineData("removewatches -c -d /", "-d cannot be combined with -c\nremovewatches path [-c|-d|-a|-p|-r] [-l]")]
    [InlineData("printwatches maybe", "printwatches takes on or off, not 'maybe'")]
    [InlineData("setquota /q", "setquota needs one of -n, -b, -N, -B with a value")]
    [InlineData("setquota -n 0 /q", "the num quota must be greater than zero")]
    [InlineData("setquota -b -3 /q", "the bytes quota must be greater than or equal to zero")]
    [InlineData("setquota -n abc /q", "-n takes a whole number, not 'abc'")]
    [InlineData("reconfig", "reconfig needs -file, -members, -add or -remove")]
    [InlineData("reconfig -members a -add b", "reconfig takes either -file or -members, or -add and -remove")]
    [InlineData("redo x", "redo takes the number of a command, not 'x'")]
    [InlineData("help frob", "There is no command frob; \"help\" lists them")]
    public async Task A_wrong_command_line_is_explained_and_nothing_is_sent(string command, string message)
    {
        Assert.Equal(2, await shell.RunAsync(command));
        Assert.Equal(("", message + "\n"), (shell.Output, shell.Errors));
        Assert.Empty(shell.Keeper.Calls);
    }

    [Theory]
    [InlineData("create /a x", "Node already exists: /a")]
    [InlineData("create /b/c x", "Node does not exist: /b/c")]
    [InlineData("create /e/x y", "Ephemerals cannot have children: /e/x")]
    [InlineData("create a", "Path must start with / character")]
    [InlineData("create /a/", "Path must not end with / character")]
    [InlineData("ls \"\"", "Path length must be > 0")]
    [InlineData("stat /nope", "Node does not exist: /nope")]
    [InlineData("get /nope", "Node does not exist: /nope")]
    [InlineData("ls -R /nope", "Node does not exist: /nope")]
    [InlineData("set -v 7 /a y", "version No is not valid : /a")]
    [InlineData("delete /zookeeper", "Node not empty: /zookeeper")]
    [InlineData("deleteall /nope", "Node does not exist: /nope")]
    [InlineData("deleteall /", "deleteall does not empty the whole tree; name the znodes below / one by one")]
    [InlineData("removewatches /a", "KeeperErrorCode = No such watcher for /a")]
    [InlineData("reconfig -remove 3", "KeeperErrorCode = Reconfig is disabled")]
    [InlineData("setquota -n 5 /nope", "/nope does not exist.")]
    [InlineData("setquota -n 5 /zookeeper/quota", "cannot set a quota under the path: /zookeeper/quota")]
    [InlineData("redo 1", "Command index out of range")]
    public async Task A_refused_command_says_so_as_zkCli_does(string command, string message)
    {
        await shell.RunAsync("create /a hello");
        await shell.RunAsync("create -e /e");
        Assert.Equal(1, await shell.RunAsync(command));
        Assert.Equal(("", message + "\n"), (shell.Output, shell.Errors));
    }

    [Fact]
    public async Task Ls_sorts_and_prints_a_list()
    {
        Assert.Equal(0, await shell.RunAsync("ls /zookeeper"));
        Assert.Equal("[config, quota]\n", shell.Output);
    }

    [Fact]
    public async Task Ls_recursive_prints_children_before_what_is_below_them()
    {
        foreach (string path in (string[])["/t", "/t/a", "/t/a/b", "/t/a/b/x", "/t/c", "/t/c/d"])
            await shell.RunAsync($"create {path}");
        Assert.Equal(0, await shell.RunAsync("ls -R /t"));
        Assert.Equal("/t\n/t/a\n/t/c\n/t/a/b\n/t/a/b/x\n/t/c/d\n", shell.Output);
    }

    [Fact]
    public async Task Get_with_a_stat_prints_data_and_stat()
    {
        await shell.RunAsync("create /a hello");
        Assert.Equal(0, await shell.RunAsync("get -s /a"));
        Assert.Equal("hello\n" + string.Join('\n', StatLines), shell.Output);
    }

    [Theory]
    [InlineData("create /x", "get /x", "null\n")]
    [InlineData("create /x ''", "get /x", "\n")]
    [InlineData("create /x æø", "get -b /x", "w6bDuA==\n")]
    public async Task Get_tells_null_from_empty_and_prints_base64(string create, string command, string printed)
    {
        await shell.RunAsync(create);
        Assert.Equal(0, await shell.RunAsync(command));
        Assert.Equal(printed, shell.Output);
    }

    [Theory]
    [InlineData("ls2 /zookeeper", "[config, quota]\ncZxid",
        "'ls2 path [watch]' has been deprecated. Please use 'ls -s [-w] path' instead.\n")]
    [InlineData("ls / true", "[a, zookeeper]\n",
        "'ls path [watch]' has been deprecated. Please use 'ls [-w] path' instead.\n")]
    [InlineData("get /a watch", "hello\n",
        "'get path [watch]' has been deprecated. Please use 'get [-s] [-w] path' instead.\n")]
    [InlineData("stat /a true", "cZxid",
        "'stat path [watch]' has been deprecated. Please use 'stat [-w] path' instead.\n")]
    [InlineData("set /a new 0", "",
        "'set path data [version]' has been deprecated. Please use 'set [-s] [-v version] path data' instead.\n")]
    [InlineData("delete /a 0", "",
        "'delete path [version]' has been deprecated. Please use 'delete [-v version] path' instead.\n")]
    [InlineData("rmr /a", "", "The command 'rmr' has been deprecated. Please use 'deleteall' instead.\n")]
    public async Task An_old_spelling_works_and_is_told_the_new_one(string command, string printed, string note)
    {
        await shell.RunAsync("create /a hello");
        Assert.Equal(0, await shell.RunAsync(command));
        Assert.StartsWith(printed, shell.Output, StringComparison.Ordinal);
        Assert.Equal(note, shell.Errors);
    }

    [Fact]
    public async Task Deleteall_deletes_children_before_their_parents()
    {
        foreach (string path in (string[])["/t", "/t/a", "/t/a/b", "/t/c"])
            await shell.RunAsync($"create {path}");
        shell.Keeper.Calls.Clear();
        Assert.Equal(0, await shell.RunAsync("deleteall /t -b 2"));
        Assert.Equal(["delete /t/a/b -1", "delete /t/a -1", "delete /t/c -1", "delete /t -1"],
            shell.Keeper.Calls.Where(call => call.StartsWith("delete", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task GetAcl_prints_what_setAcl_was_given()
    {
        await shell.RunAsync("setAcl /zookeeper world:anyone:r,digest:bob:x=:cdrwa");
        Assert.Equal(0, await shell.RunAsync("getAcl /zookeeper"));
        Assert.Equal("'world,'anyone\n: r\n'digest,'bob:x=\n: cdrwa\n", shell.Output);
    }

    [Fact]
    public async Task SetAcl_recursive_changes_the_whole_subtree()
    {
        Assert.Equal(0, await shell.RunAsync("setAcl -R /zookeeper world:anyone:r"));
        Assert.Equal(0, await shell.RunAsync("getAcl /zookeeper/quota"));
        Assert.Equal("'world,'anyone\n: r\n", shell.Output);
    }

    [Theory]
    [InlineData("whoami", "Auth scheme: User\nip: 127.0.0.1\ndigest: bob\n")]
    [InlineData("sync /", "Sync is OK\n")]
    [InlineData("getEphemerals", "[]\n")]
    [InlineData("getAllChildrenNumber /", "3\n")]
    [InlineData("config", "\n")]
    [InlineData("config -c", " \n")]
    [InlineData("printwatches", "printwatches is on\n")]
    [InlineData("help ls", "ls [-s] [-w] [-R] path\n\tList children\n")]
    public async Task A_question_is_answered_in_zkClis_form(string command, string printed)
    {
        Assert.Equal(0, await shell.RunAsync(command));
        Assert.Equal((printed, ""), (shell.Output, shell.Errors));
    }

    [Theory]
    [InlineData("removewatches /a -c -l", "removewatches /a Children True")]
    [InlineData("removewatches /a -d", "removewatches /a Data False")]
    [InlineData("removewatches /a", "removewatches /a Any False")]
    [InlineData("removewatches /a -p", "removewatches /a Persistent False")]
    [InlineData("removewatches /a -r", "removewatches /a PersistentRecursive False")]
    [InlineData("addWatch /a", "addWatch /a PersistentRecursive")]
    [InlineData("addWatch -m persistent /a", "addWatch /a Persistent")]
    [InlineData("reconfig -add server.5=h:1:2;3 -remove 1,2 -v 10a", "reconfig server.5=h:1:2;3 1,2  266")]
    public async Task A_command_sends_what_its_options_say(string command, string call)
    {
        await shell.RunAsync(command);
        Assert.Equal(call, Assert.Single(shell.Keeper.Calls));
    }

    [Fact]
    public async Task Quotas_are_set_listed_and_deleted()
    {
        await shell.RunAsync("create /q");
        Assert.Equal(0, await shell.RunAsync("setquota -n 5 /q"));
        Assert.Equal(0, await shell.RunAsync("setquota -B 1000 /q"));
        Assert.Equal(0, await shell.RunAsync("listquota /q"));
        Assert.Equal("Output quota for /q count=5,bytes=-1=;byteHardLimit=1000;countHardLimit=-1\n"
            + "Output stat for /q count=0,bytes=0\n", shell.Output);
        Assert.Equal("absolute path is /zookeeper/quota/q/zookeeper_limits\n", shell.Errors);
        Assert.Equal(0, await shell.RunAsync("delquota -n /q"));
        await shell.RunAsync("get /zookeeper/quota/q/zookeeper_limits");
        Assert.Equal("count=-1,bytes=-1=;byteHardLimit=1000;countHardLimit=-1\n", shell.Output);
        Assert.Equal(0, await shell.RunAsync("delquota /q"));
        await shell.RunAsync("ls /zookeeper/quota");
        Assert.Equal("[]\n", shell.Output);
        Assert.Equal(0, await shell.RunAsync("delquota /q"));
        Assert.Equal("Quota does not exist for /q\n", shell.Output);
        Assert.Equal(0, await shell.RunAsync("listquota /q"));
        Assert.EndsWith("quota for /q does not exist.\n", shell.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Setquota_refuses_nested_quotas_and_warns_of_less_than_there_is()
    {
        foreach (string path in (string[])["/q", "/q/a", "/q/a/b"])
            await shell.RunAsync($"create {path}");
        await shell.RunAsync("setquota -n 5 /q/a");
        Assert.Equal(1, await shell.RunAsync("setquota -n 5 /q"));
        Assert.Equal("/q has a child /q/a which has a quota\n", shell.Errors);
        Assert.Equal(1, await shell.RunAsync("setquota -n 5 /q/a/b"));
        Assert.Equal("/q/a/b has a parent /q/a which has a quota\n", shell.Errors);
        await shell.RunAsync("set /zookeeper/quota/q/a/zookeeper_stats count=9,bytes=70");
        Assert.Equal(0, await shell.RunAsync("setquota -b 7 /q/a"));
        Assert.Equal("[Warning]: the count quota you create is less than the existing count:9\n"
            + "[Warning]: the bytes quota you create is less than the existing bytes:70\n", shell.Output);
    }

    [Fact]
    public async Task An_unknown_command_lists_the_commands_and_the_nearest()
    {
        Assert.Equal(127, await shell.RunAsync("lss /"));
        string[] lines = shell.Errors.Split('\n');
        Assert.StartsWith("ZooKeeper -server host:port", lines[0], StringComparison.Ordinal);
        Assert.Contains("\tls [-s] [-w] [-R] path", lines);
        Assert.Equal(["Command not found: Command not found lss", "Did you mean 'ls'?", ""], lines[^3..]);
        Assert.Empty(shell.Connects);
    }

    [Fact]
    public async Task A_word_in_the_terminals_own_language_round_trips()
    {
        await shell.RunAsync("create /日本 \"データ\"");
        await shell.RunAsync("get /日本");
        Assert.Equal("データ\n", shell.Output);
    }
}
