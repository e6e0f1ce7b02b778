using System.Net;
using SharpKeeper.Cli.Bench;
using SharpKeeper.Cli.Bench.Ensembles;
using SharpKeeper.Cli.Bench.Report;
using SharpKeeper.Protocol;

namespace SharpKeeper.UnitTests.Bench;

public class EnsembleBenchTests
{
    [Fact]
    public void Parse_of_a_command_puts_the_configuration_in()
    {
        var side = EnsembleSide.Parse("A", "/opt/keeper --config={cfg} -v", "");

        Assert.Equal(["/opt/keeper", "--config=/tmp/x/zoo.cfg", "-v"], side.CommandFor("/tmp/x/zoo.cfg"));
    }

    [Fact]
    public void Parse_of_sharpkeeper_is_this_program()
    {
        var side = EnsembleSide.Parse("B", "sharpkeeper", "");

        Assert.Equal(["server", "/c"], side.CommandFor("/c")[^2..]);
    }

    [Theory]
    [InlineData("zookeeper")]
    [InlineData("/opt/keeper zoo.cfg")]
    [InlineData("")]
    public void Parse_of_a_command_without_a_place_for_the_configuration_says_what_is_missing(string program)
    {
        BenchException error = Assert.Throws<BenchException>(() => EnsembleSide.Parse("B", program, ""));

        Assert.Contains("{cfg}", error.Message, StringComparison.Ordinal);
        Assert.StartsWith("--b:", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Zxid: 0x10000002a\nMode: leader\nNode count: 5\n", "leader", 0x10000002a, true)]
    [InlineData("Zxid: 0x0\r\nMode: follower\r\n", "follower", 0, true)]
    [InlineData("Zxid: 0x5\nMode: read-only\n", "read-only", 5, false)]
    public void ServerStatus_is_read_from_srvr(string answer, string mode, long zxid, bool isServing)
    {
        ServerStatus status = Assert.NotNull(ServerStatus.Read(answer));

        Assert.Equal((mode, new Zxid(zxid), isServing), (status.Mode, status.Zxid, status.IsServing));
    }

    [Theory]
    [InlineData("This ZooKeeper instance is not currently serving requests\n")]
    [InlineData("")]
    [InlineData("Mode: leader\n")]
    [InlineData("Zxid: 0xnothing\nMode: leader\n")]
    public void ServerStatus_of_a_server_that_does_not_serve_is_null(string answer) =>
        Assert.Null(ServerStatus.Read(answer));

    [Fact]
    public void EnsembleResult_takes_medians_and_the_median_of_the_ratios()
    {
        EnsembleResult result = EnsembleResult.Of("failover", Options(), [
            [Round(100, 0), Round(300, 0), Round(200, 0)],
            [Round(10, 0), Round(60, 0), Round(50, 1)],
        ]);

        Assert.Equal((200, 50, 0.2), (result.Figures[0].A, result.Figures[0].B, result.Figures[0].Ratio));
        Assert.Null(result.Figures[1].Ratio);
        var text = new StringWriter();
        result.Write(text);
        Assert.Contains("gap ms", text.ToString(), StringComparison.Ordinal);
        Assert.Contains("0.200", text.ToString(), StringComparison.Ordinal);
        Assert.Contains("A = a, B = b; median of 3 rounds", text.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void EnsembleResult_of_one_ensemble_has_no_ratio()
    {
        EnsembleResult result = EnsembleResult.Of("cold-start", Options() with { B = null }, [[[new("ms", 7)]]]);

        Assert.Equal((7.0, (double?)null, (double?)null),
            (result.Figures[0].A, result.Figures[0].B, result.Figures[0].Ratio));
    }

    [Fact]
    public void LoadWindow_counts_the_longest_time_without_a_write_up_to_its_end()
    {
        var window = new LoadWindow(1000);
        window.Note(1100, 50);
        window.Note(1150, 50);
        window.End(1450);

        Assert.Equal(2, window.Meter.Count);
        Assert.Equal(TimeProvider.System.GetElapsedTime(0, 300), window.LongestGap);
    }

    [Fact]
    public void ListeningProcess_reads_the_listening_sockets_of_the_servers_only()
    {
        Dictionary<string, int> found = [];
        ListeningProcess.ReadTable(
        [
            "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode",
            "   0: 0100007F:0885 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 111 1 0",
            "   1: 0100007F:0886 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 222 1 0",
            "   2: 0100007F:0885 0100007F:9999 01 00000000:00000000 00:00000000 00000000     0        0 333 1 0",
        ], [new IPEndPoint(IPAddress.Loopback, 2181)], found);

        Assert.Equal(new Dictionary<string, int> { ["socket:[111]"] = 2181 }, found);
    }

    private static List<EnsembleFigure> Round(double gap, double lost) => [new("gap ms", gap), new("lost", lost)];

    private static EnsembleBenchOptions Options() => new()
    {
        A = new EnsembleSide("A", "a", ["{cfg}"]),
        B = new EnsembleSide("B", "b", ["{cfg}"]),
    };
}
