using System.Text.Json;
using SharpKeeper.Cli.Ensemble;
using SharpKeeper.UnitTests.Client;

namespace SharpKeeper.CliTests;

public sealed class EnsembleStatusTests
{
    private const string NotWhitelisted = "mntr is not executed because it is not in the whitelist.\n";
    private const string LeaderMntr =
        "zk_version\t3.8.0\nzk_synced_followers\t2\nzk_synced_observers\t1\nzk_quorum_size\t3\n";
    private static readonly ServerAddress[] s_three = [new("a", 1), new("b", 2), new("c", 3)];

    private readonly Dictionary<string, string> replies = [];

    [Fact]
    public async Task Report_of_a_whole_ensemble_finds_leader_lag_and_quorum()
    {
        Serve("a:1", "follower", 0x200000002);
        Serve("b:2", "leader", 0x200000004, LeaderMntr);
        Serve("c:3", "follower", 0x100000009);
        EnsembleReport report = await AskAsync();
        Assert.Equal("b:2", report.Leader);
        Assert.True(report.HasQuorum);
        Assert.Equal((3, 3), (report.ServingVoters, report.Voters));
        Assert.Equal([2, 0, null], report.Servers.Select(static server => server.Lag));
        Assert.Equal([2, 2, 1], report.Servers.Select(static server => server.Epoch));
        Assert.Equal("b:2 leads, 3 of 3 voters serve: there is a quorum", report.Summary);
        Assert.Equal("3.8.0", report.Servers[0].Version);
        Assert.Equal(1.0405, report.Servers[0].LatencyAvgMs);
    }

    [Fact]
    public async Task Report_by_srvr_alone_counts_the_followers_that_answer()
    {
        Serve("a:1", "follower", 4);
        Serve("b:2", "leader", 4, NotWhitelisted);
        EnsembleReport report = await AskAsync();
        Assert.Equal((2, 3, true), (report.ServingVoters, report.Voters, report.HasQuorum));
        Assert.Null(report.Servers[1].SyncedFollowers);
        Assert.Equal("refused", report.Servers[2].Problem);
    }

    [Fact]
    public async Task Report_without_observers_among_the_voters()
    {
        Serve("a:1", "observer", 4);
        Serve("b:2", "leader", 4, NotWhitelisted);
        Serve("c:3", "observer", 4);
        EnsembleReport report = await AskAsync();
        Assert.Equal((1, 1, true), (report.ServingVoters, report.Voters, report.HasQuorum));
    }

    [Fact]
    public async Task Report_of_a_leader_without_followers_has_no_quorum()
    {
        Serve("b:2", "leader", 4, NotWhitelisted);
        EnsembleReport report = await AskAsync();
        Assert.False(report.HasQuorum);
        Assert.Equal("b:2 leads, 1 of 3 voters serve: there is NO quorum", report.Summary);
    }

    [Fact]
    public async Task Report_of_two_leaders_or_none_has_no_leader()
    {
        Serve("a:1", "follower", 4);
        EnsembleReport none = await AskAsync();
        Assert.Equal((null, false), (none.Leader, none.HasQuorum));
        Assert.StartsWith("no leader among the servers", none.Summary, StringComparison.Ordinal);

        Serve("a:1", "leader", 4);
        Serve("c:3", "leader", 4);
        EnsembleReport two = await AskAsync();
        Assert.Equal((null, false), (two.Leader, two.HasQuorum));
        Assert.StartsWith("2 servers say that they lead: a:1, c:3", two.Summary, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Report_of_a_standalone_server_is_a_quorum_of_one()
    {
        Serve("a:1", "standalone", 4);
        EnsembleReport report = await EnsembleReport.AskAsync([s_three[0]], Ask, TestContext.Current.CancellationToken);
        Assert.Equal((1, 1, true), (report.ServingVoters, report.Voters, report.HasQuorum));
        Assert.Equal("a:1 stands alone", report.Summary);
    }

    [Theory]
    [InlineData("This ZooKeeper instance is not currently serving requests\n", "not serving: it has no leader")]
    [InlineData("", "closed the connection without an answer")]
    [InlineData("HTTP/1.1 400 Bad Request\r\n", "answered: HTTP/1.1 400 Bad Request")]
    public async Task Report_of_a_server_that_does_not_serve_says_what_it_said(string reply, string problem)
    {
        replies["a:1 srvr"] = reply;
        EnsembleReport report = await AskAsync();
        Assert.StartsWith(problem, report.Servers[0].Problem, StringComparison.Ordinal);
        Assert.Null(report.Servers[0].Mode);
    }

    [Fact]
    public async Task Table_has_a_line_for_each_server_and_a_summary()
    {
        Serve("a:1", "follower", 0x200000002);
        Serve("b:2", "leader", 0x200000004, LeaderMntr);
        string expected = """
            SERVER  MODE      EPOCH  ZXID         LAG  FOLLOWERS  CONNS  QUEUED  AVG/MAX MS  ZNODES  VERSION
            a:1     follower  2      0x200000002  2    -          3      5       1.04/40     38      3.8.0
            b:2     leader    2      0x200000004  -    2/2+1 obs  3      5       1.04/40     38      3.8.0
            c:3     - refused
            b:2 leads, 3 of 3 voters serve: there is a quorum

            """;
        Assert.Equal(expected.ReplaceLineEndings("\n"), StatusTable.Of(await AskAsync()));
    }

    [Fact]
    public async Task Once_tells_by_its_result_whether_there_is_a_quorum()
    {
        StringWriter output = new();
        StatusRun run = new(s_three, Ask, output) { AsJson = true };
        Assert.Equal(1, await run.OnceAsync(TestContext.Current.CancellationToken));
        Serve("a:1", "follower", 4);
        Serve("b:2", "leader", 4, LeaderMntr);
        output.GetStringBuilder().Clear();
        Assert.Equal(0, await run.OnceAsync(TestContext.Current.CancellationToken));

        using JsonDocument json = JsonDocument.Parse(output.ToString());
        Assert.True(json.RootElement.GetProperty("hasQuorum").GetBoolean());
        JsonElement server = json.RootElement.GetProperty("servers")[0];
        Assert.Equal("follower", server.GetProperty("mode").GetString());
        Assert.Equal("0x4", server.GetProperty("zxid").GetString());
        Assert.False(server.TryGetProperty("problem", out _));
    }

    [Fact]
    public async Task Watch_reports_at_every_interval_until_it_is_cancelled()
    {
        Serve("b:2", "leader", 4, LeaderMntr);
        using CancellationTokenSource stop = new();
        FakeTime time = new();
        TimeSpan interval = TimeSpan.FromSeconds(2);
        int asked = 0;
        StringWriter output = new();
        StatusRun run = new(s_three, Count, output);
        Task<int> watching = run.WatchAsync(interval, time, stop.Token);
        await time.AdvanceToTimerAsync(interval, TestContext.Current.CancellationToken);
        await time.AdvanceToTimerAsync(interval, TestContext.Current.CancellationToken);
        while (Volatile.Read(ref asked) < 3)
            await Task.Yield();
        await stop.CancelAsync();
        Assert.Equal(0, await watching);
        Assert.Equal(3, asked);
        Assert.InRange(output.ToString().Split("there is a quorum").Length, 3, 4);

        Task<string> Count(ServerAddress server, string word, CancellationToken cancel)
        {
            if (word == "mntr")
                Interlocked.Increment(ref asked);
            return Ask(server, word, cancel);
        }
    }

    [Theory]
    [InlineData("a", "a:2181")]
    [InlineData("a:1, b:2/app/x", "a:1,b:2")]
    [InlineData("[::1]:5,[::2]", "[::1]:5,[::2]:2181")]
    [InlineData("a:1,a:1", "a:1")]
    public void ParseList_reads_a_connect_string(string list, string servers) =>
        Assert.Equal(servers, string.Join(',', ServerAddress.ParseList(list)));

    [Theory]
    [InlineData("", "no server is given; write host:port,host:port,...")]
    [InlineData("/app", "no server is given; write host:port,host:port,...")]
    [InlineData("a:0", "a:0: the port must be a number from 1 to 65535")]
    [InlineData("a:65536", "a:65536: the port must be a number from 1 to 65535")]
    [InlineData("a:x", "a:x: the port must be a number from 1 to 65535")]
    [InlineData(":5", ":5: the host is missing; write host:port")]
    public void ParseList_of_a_bad_list_says_why(string list, string message) =>
        Assert.Equal(message, Assert.Throws<FormatException>(() => ServerAddress.ParseList(list)).Message);

    private Task<EnsembleReport> AskAsync() =>
        EnsembleReport.AskAsync(s_three, Ask, TestContext.Current.CancellationToken);

    private Task<string> Ask(ServerAddress server, string word, CancellationToken cancel) =>
        replies.TryGetValue($"{server} {word}", out string? reply)
            ? Task.FromResult(reply) : Task.FromException<string>(new IOException("refused"));

    private void Serve(string server, string mode, long zxid, string? mntr = null)
    {
        replies[$"{server} srvr"] = $"""
            Zookeeper version: 3.8.0-abc, built on 2024-12-29 17:54 UTC
            Latency min/avg/max: 0/1.0405/40
            Received: 769
            Sent: 821
            Connections: 3
            Outstanding: 5
            Zxid: 0x{zxid:x}
            Mode: {mode}
            Node count: 38

            """;
        if (mntr is not null)
            replies[$"{server} mntr"] = mntr;
    }
}
