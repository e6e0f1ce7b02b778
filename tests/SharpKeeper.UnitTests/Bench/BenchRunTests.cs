using System.Net;
using SharpKeeper.Cli.Bench;
using SharpKeeper.Cli.Bench.Report;
using SharpKeeper.Protocol;

namespace SharpKeeper.BenchTests;

/// <summary>Whole runs against a server that tells the truth.</summary>
public sealed class BenchRunTests
{
    public static TheoryData<string> Operations => [.. Enum.GetNames<BenchOperation>()];

    [Theory]
    [MemberData(nameof(Operations))]
    public void Execute_with_a_count_verifies_that_many_and_leaves_nothing(string name)
    {
        var bench = new FakeBench();

        BenchResult result = bench.Run(Enum.Parse<BenchOperation>(name), options => options with { Count = 200 });

        long expected = name switch
        {
            "Idle" => 4,
            // One parent for up to 1,000 znodes counts as a create too.
            "Fill" => 201,
            _ => 200,
        };
        Assert.Equal(expected, result.Completed);
        Assert.Empty(bench.Server.Paths);
    }

    [Theory]
    [MemberData(nameof(Operations))]
    public void Execute_over_a_connection_that_takes_and_gives_few_bytes_verifies_all(string name)
    {
        var bench = new FakeBench { SendMax = 7, ReceiveMax = 5 };

        BenchResult result = bench.Run(Enum.Parse<BenchOperation>(name), options => options with { Count = 40 });

        Assert.True(result.Completed is 40 or 41 or 4, $"{result.Completed}");
    }

    [Theory]
    [MemberData(nameof(Operations))]
    public void Execute_with_sessions_that_hear_of_the_cleaning_up_late_verifies_all(string name)
    {
        var bench = new FakeBench { IsOneByOne = true };

        BenchResult result = bench.Run(Enum.Parse<BenchOperation>(name), options => options with { Count = 40 });

        Assert.True(result.Completed is 40 or 41 or 4, $"{result.Completed}");
        Assert.Empty(bench.Server.Paths);
    }

    [Theory]
    [InlineData(BenchOperation.Get)]
    [InlineData(BenchOperation.Set)]
    [InlineData(BenchOperation.Mixed)]
    [InlineData(BenchOperation.Watch)]
    [InlineData(BenchOperation.Delete)]
    [InlineData(BenchOperation.Connect)]
    internal void Execute_with_a_duration_ends_after_it(BenchOperation operation)
    {
        var bench = new FakeBench();

        BenchResult result = bench.Run(operation, options => options with
        {
            Duration = TimeSpan.FromMilliseconds(300),
            Warmup = TimeSpan.FromMilliseconds(50),
        });

        Assert.True(result.Completed > 0);
        Assert.InRange(result.Seconds, 0.25, 0.5);
    }

    [Fact]
    public void Execute_keeps_the_depth_in_flight()
    {
        var bench = new FakeBench();

        BenchResult result = bench.Run(
            BenchOperation.Get, options => options with { Count = 1000, Depth = 10, Sessions = 2 });

        // The fake server answers a whole window in one wait of a millisecond.
        Assert.Equal(0.05, result.Seconds, 3);
        Assert.Equal(1000, result.LatencyUs.P50, 1.0);
    }

    [Fact]
    public void Fill_with_keep_leaves_blocks_of_a_thousand()
    {
        var bench = new FakeBench();

        BenchResult result = bench.Run(
            BenchOperation.Fill, options => options with { Count = 2500, Keep = true, Sessions = 3 });

        Assert.Equal(2500, result.Extra["znodes"]);
        string[] parents = [.. bench.Server.Paths.Where(path => path.Count(c => c == '/') == 3)];
        Assert.Equal(["/bench/fill/a000000", "/bench/fill/a000001", "/bench/fill/a000002"], parents);
        Assert.Equal(2500, bench.Server.Paths.Count(path => path.Count(c => c == '/') == 4));
        Assert.Contains("/bench/fill/a000002/n000002499", bench.Server.Paths);
    }

    [Fact]
    public void Fill_where_an_earlier_one_was_kept_says_how_to_remove_it()
    {
        var bench = new FakeBench();
        bench.Run(BenchOperation.Fill, options => options with { Count = 10, Keep = true });

        BenchException failure = Assert.Throws<BenchException>(
            () => bench.Run(BenchOperation.Fill, options => options with { Count = 10 }));

        Assert.Contains("/bench/fill exists already", failure.Message, StringComparison.Ordinal);
        Assert.Contains("bench clean", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Clean_deletes_the_root_and_all_below()
    {
        var bench = new FakeBench();
        bench.Run(BenchOperation.Fill, options => options with { Count = 1500, Keep = true });

        long deleted = BenchRun.Clean(bench.Options, TextWriter.Null, TestContext.Current.CancellationToken);

        Assert.Equal(1504, deleted);
        Assert.Empty(bench.Server.Paths);
    }

    [Fact]
    public void Execute_with_a_deep_root_creates_what_is_missing_and_removes_only_that()
    {
        var bench = new FakeBench();
        bench.Run(BenchOperation.Fill, options => options with { Count = 1, Root = "/a/b", Keep = true });
        string[] before = [.. bench.Server.Paths];

        bench.Run(BenchOperation.Get, options => options with { Count = 10, Root = "/a/b/c/d" });

        Assert.Contains("/a/b", before);
        Assert.Equal(before, bench.Server.Paths);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(7)]
    [InlineData(8)]
    [InlineData(5000)]
    public void Mixed_checks_data_of_every_size(int size)
    {
        var bench = new FakeBench();

        BenchResult result = bench.Run(
            BenchOperation.Mixed, options => options with { Count = 200, Size = size, ReadRatio = 0.5 });

        Assert.Equal(200, result.Completed);
        Assert.True(bench.Server.Counts[OpCode.GetData] > 50);
        Assert.True(bench.Server.Counts[OpCode.SetData] > 50);
    }

    [Fact]
    public void Execute_with_a_probe_reports_both()
    {
        var bench = new FakeBench();

        BenchResult result = bench.Run(
            BenchOperation.Fill, options => options with { Count = 1000, Probe = BenchOperation.Set });

        Assert.Equal("set", result.Probe!.Operation);
        Assert.True(result.Probe.Completed > 0);
        Assert.Equal(5, bench.Server.Sessions);
    }

    [Fact]
    public void Idle_sends_pings()
    {
        var bench = new FakeBench();

        bench.Run(BenchOperation.Idle, options => options with { Duration = TimeSpan.FromSeconds(25) });

        Assert.Equal(8, bench.Server.Counts[OpCode.Ping]);
    }

    [Fact]
    public void Watch_counts_a_notification_for_each_session_and_change()
    {
        var bench = new FakeBench();

        BenchResult result = bench.Run(
            BenchOperation.Watch, options => options with { Count = 40, Sessions = 10, Persistent = true });

        Assert.Equal(40, result.Completed);
        Assert.Equal(4, result.Extra["changes"]);
        Assert.Equal(10, bench.Server.Counts[OpCode.AddWatch]);
    }

    [Fact]
    public void Execute_that_is_canceled_cleans_up()
    {
        var bench = new FakeBench();
        using var stop = new CancellationTokenSource();
        bench.Server.Tamper = (operation, before, payload) =>
        {
            if (operation == OpCode.SetData && before == 100)
                stop.Cancel();
            return payload;
        };

        BenchResult result = BenchRun.Execute(BenchOperation.Set, bench.Options, TextWriter.Null, stop.Token);

        Assert.True(result.Completed < 1000);
        Assert.Empty(bench.Server.Paths);
    }

    [Fact]
    public void Execute_against_several_servers_spreads_the_sessions()
    {
        var bench = new FakeBench();
        var first = new IPEndPoint(IPAddress.Loopback, 1);
        var second = new IPEndPoint(IPAddress.Loopback, 2);

        bench.Run(BenchOperation.Get, options => options with { Count = 10, Servers = [first, second] });

        Assert.Equal([first, second, first, second], bench.Transport.EndPoints);
    }
}
