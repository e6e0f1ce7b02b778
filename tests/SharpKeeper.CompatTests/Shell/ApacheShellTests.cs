using System.Text.RegularExpressions;
using SharpKeeper.CompatTests.Client;
using SharpKeeper.CompatTests.Peers;

namespace SharpKeeper.CompatTests.Shell;

/// <summary>Our shell against Apache's server, and beside Apache's zkCli.</summary>
public sealed partial class ApacheShellTests(ApacheFixture apache) : ShellSuite, IClassFixture<ApacheFixture>
{
    protected override string ConnectString
    {
        get
        {
            ApacheServer.SkipUnlessInstalled();
            return apache.Server!.ConnectString;
        }
    }

    /// <summary>Commands that both shells answer in the same words, on the same streams.</summary>
    private static readonly string[] SameCommands =
    [
        "ls /", "create /m \"a b\"", "create /m 'c d'", "get /m", "get -s /m", "get /m -s", "create /null", "get /null",
        "create /empty \"\"", "get /empty", "get -s -w /m", "set /m x", "set -s /m y", "set -v 77 /m z",
        "set -v 2 /m z",
        "stat /m", "stat /m true", "stat -w /later", "create /later", "stat /nope", "ls /nope", "get /nope",
        "set /nope x", "delete /nope", "getAcl /nope", "getAllChildrenNumber /nope", "create /no/parent",
        "create -s /seq- x", "create -es /seq- x", "create -e /eph x", "create /eph/child x",
        "create -c /container", "create -t 1000000 /ttl x", "create -c -e /x", "create -e -t 5 /x", "create -t abc /x",
        "create -t -4 /x", "create -c -t 5 /x", "create relative", "create /slash/", "ls \"\"", "stat relative",
        "create -s /m/ x", "create /m/child", "create /m/child/deep", "ls /m", "ls -s /m", "ls -w /m", "ls -R /",
        "ls -R /m",
        "delete /m", "delete -v 9 /null", "delete /null 0", "getAllChildrenNumber /m", "deleteall /m -b 2", "ls /",
        "getAcl /", "getAcl -s /", "create /acl x world:anyone:cdrwa,ip:127.0.0.1:r", "getAcl /acl",
        "setAcl -s /acl world:anyone:ra", "set /acl y", "create /acl/x y", "setAcl -v 9 /acl world:anyone:cdrwa",
        "setAcl /nope world:anyone:r", "create /digest x digest:bob:xyz=:cdrwa", "getAcl /digest", "get /digest",
        "addauth digest bob:secret", "create /mine x auth::cdrwa", "getAcl /mine", "whoami", "sync /", "sync /nope",
        "addWatch -m PERSISTENT /mine", "set /mine 2", "set /mine 3", "removewatches /mine", "removewatches /mine",
        "ls", "get", "stat", "create", "set /m", "delete", "deleteall", "getAcl", "setAcl /m", "sync", "listquota",
        "removewatches", "addauth digest a:b", "printwatches", "printwatches off", "printwatches", "set /acl zz",
        "printwatches on", "redo 99", "redo 0", "reconfig -remove 3", "close", "ls /", "stat /m",
    ];

    [Fact]
    public async Task Both_shells_answer_the_same_commands_alike()
    {
        (string[] theirs, string[] theirErrors) = await PlayAsync("/theirs", SameCommands, isOurs: false);
        (string[] ours, string[] ourErrors) = await PlayAsync("/ours", SameCommands, isOurs: true);
        Assert.Equal(WithoutEvents(theirs), WithoutEvents(ours));
        Assert.Equal(EventsOf(theirs), EventsOf(ours));
        Assert.Equal(theirErrors, ourErrors);
    }

    [Fact]
    public async Task Both_shells_keep_quotas_alike()
    {
        string[] commands =
        [
            "create /q", "create /q/a xxx", "create /q/a/b xxx", "setquota -n 5 /q", "setquota -n 2 /q", "listquota /q",
            "setquota -b 100 /q", "setquota -N 10 /q", "setquota -B 1000 /q", "listquota /q",
            "get /zookeeper/quota/q/zookeeper_limits", "get /zookeeper/quota/q/zookeeper_stats", "setquota -n 5 /q/a",
            "setquota -n 5 /nope", "setquota -n 5 /zookeeper/quota/x", "listquota /nope", "delquota -n /q",
            "delquota -N /q", "listquota /q", "delquota /q/a", "ls -R /zookeeper", "delquota /q", "delquota /q",
            "listquota /q", "ls -R /zookeeper", "setquota -n 3 /q/a", "setquota -n 3 /q", "setquota -n 3 /q/a/b",
            "delquota /q/a", "ls -R /zookeeper", "config", "config -c", "get /zookeeper/config", "delete /zookeeper",
            "deleteall /q",
        ];
        (string[] theirs, string[] theirErrors) = await PlayAsync("", commands, isOurs: false);
        (string[] ours, string[] ourErrors) = await PlayAsync("", commands, isOurs: true);
        Assert.Equal(theirs, ours);
        Assert.Equal(theirErrors, ourErrors);
    }

    [Fact]
    public async Task A_quota_of_ours_is_enforced_and_counted_by_the_server()
    {
        await using ShellProcess shell = ShellProcess.Ours("-q", "-server", ConnectString);
        foreach (string line in (string[])["create /counted", "setquota -n 9 /counted", "create /counted/x abc",
            "listquota /counted", "delquota /counted", "deleteall /counted"])
        {
            await shell.TypeAsync(line);
        }
        Assert.Equal(0, await shell.EndAsync());
        Assert.Equal(["Output quota for /counted count=9,bytes=-1=;byteHardLimit=-1;countHardLimit=-1",
            "Output stat for /counted count=2,bytes=3"], shell.Output);
    }

    [Theory]
    [InlineData("ls", "/")]
    [InlineData("get", "/nope")]
    [InlineData("frobnicate", "/")]
    public async Task Both_shells_end_one_command_alike(params string[] command)
    {
        await using ShellProcess theirs =
            ShellProcess.Apache(["-waitforconnection", "-server", ConnectString, .. command]);
        int exitCode = await theirs.EndAsync();
        await using ShellProcess ours = ShellProcess.Ours(["-waitforconnection", "-server", ConnectString, .. command]);
        Assert.Equal(exitCode, await ours.EndAsync());
        // zkCli connects before it looks at the command; ours needs no server to say that there is no such command.
        if (exitCode != 127)
            Assert.Equal(theirs.Output, ours.Output);
    }

    [Fact]
    public async Task Loss_and_return_are_reported_as_by_zkCli()
    {
        await using ApacheServer server = await ApacheServer.StartAsync(null, TestContext.Current.CancellationToken);
        await using ShellProcess shell = ShellProcess.Ours("-server", server.ConnectString);
        await shell.ExpectAsync("WatchedEvent state:SyncConnected type:None path:null");
        await server.KillAsync();
        await shell.ExpectAsync("WatchedEvent state:Disconnected type:None path:null");
        await server.RestartAsync(TestContext.Current.CancellationToken);
        await shell.ExpectAsync("WatchedEvent state:SyncConnected type:None path:null");
        await shell.TypeAsync("ls /");
        await shell.ExpectAsync("[zookeeper]");
    }

    [Fact]
    public async Task Expiry_is_reported_as_by_zkCli_and_another_session_can_be_had()
    {
        if (OperatingSystem.IsWindows())
            Assert.Skip("Windows cannot stop and continue a process.");
        await using ApacheServer server = await ApacheServer.StartAsync(
            new ApacheServerOptions { Config = new Dictionary<string, string> { ["tickTime"] = "1000" } },
            TestContext.Current.CancellationToken);
        await using ShellProcess shell = ShellProcess.Ours("-timeout", "4000", "-server", server.ConnectString);
        await shell.TypeAsync("create -e /mine x");
        await shell.ExpectErrorAsync("Created /mine");
        await using ShellProcess watching = ShellProcess.Ours("-server", server.ConnectString);
        await watching.TypeAsync("stat -w /mine");
        await watching.ExpectAsync("numChildren = 0");
        // A process that is stopped sends no heartbeats; its ephemeral tells when the server has given it up.
        await shell.SignalAsync("STOP");
        await watching.ExpectAsync("WatchedEvent state:SyncConnected type:NodeDeleted path:/mine");
        await shell.SignalAsync("CONT");
        await shell.ExpectAsync("WatchedEvent state:Expired type:None path:null");
        await shell.TypeAsync("ls /");
        await shell.ExpectAsync("Not connected");
        await shell.TypeAsync("connect");
        await shell.ExpectAsync("WatchedEvent state:SyncConnected type:None path:null");
        await shell.TypeAsync("ls /");
        await shell.ExpectAsync("[zookeeper]");
    }

    private async Task<(string[] Output, string[] Errors)> PlayAsync(string chroot, string[] commands, bool isOurs)
    {
        string address = ConnectString + chroot;
        if (chroot.Length > 0)
        {
            await using ShellProcess maker = ShellProcess.Ours("-q", "-server", ConnectString, "create", chroot);
            Assert.Equal(0, await maker.EndAsync());
        }
        string[] arguments = ["-waitforconnection", "-server", address];
        await using ShellProcess shell = isOurs ? ShellProcess.Ours(arguments) : ShellProcess.Apache(arguments);
        foreach (string command in commands)
            await shell.TypeAsync(command);
        await shell.EndAsync();
        return ([.. shell.Output.Select(Normalise)], [.. shell.Errors.Where(IsZooKeepers).Select(Normalise)]);
    }

    // Java's logging library complains on the error stream.
    private static bool IsZooKeepers(string line) => !line.StartsWith("SLF4J:", StringComparison.Ordinal);

    // Transactions, times and the chroot differ between two runs. Usage lines of ours may have more options, and
    // parsing errors do without the name of a Java class.
    private static string Normalise(string line)
    {
        line = Variable().Replace(line, "*");
        line = line.Replace("/theirs", "/CHROOT", StringComparison.Ordinal)
            .Replace("/ours", "/CHROOT", StringComparison.Ordinal);
        return line switch
        {
            "get [-s] [-w] [-b|-x] path" => "get [-s] [-w] path",
            "removewatches path [-c|-d|-a|-p|-r] [-l]" => "removewatches path [-c|-d|-a] [-l]",
            _ => line,
        };
    }

    [GeneratedRegex(@"0x[0-9a-f]+|\w{3} \w{3} \d\d \d\d:\d\d:\d\d \w+ \d{4}")]
    private static partial Regex Variable();

    // Events come from another thread than results do: each have an order, but not both together.
    private static List<string> EventsOf(string[] lines) =>
        [.. lines.Where(line => line.StartsWith("WatchedEvent", StringComparison.Ordinal))];

    private static List<string> WithoutEvents(string[] lines)
    {
        List<string> rest = [];
        for (int i = 0; i < lines.Length; i++)
        {
            if (i + 3 < lines.Length && lines[i].Length == 0 && lines[i + 1] == "WATCHER::")
                i += 3;
            else
                rest.Add(lines[i]);
        }
        return rest;
    }
}
