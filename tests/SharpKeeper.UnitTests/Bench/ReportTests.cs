using System.Diagnostics;
using System.Text.Json;
using SharpKeeper.Cli.Bench.Driver;
using SharpKeeper.Cli.Bench.Report;

namespace SharpKeeper.BenchTests;

public sealed class ReportTests
{
    [Fact]
    public void Meter_of_a_known_series_gives_its_percentiles_within_a_thousandth()
    {
        var meter = new Meter();
        for (int us = 1; us <= 10_000; us++)
            meter.Record(Ticks(us), 1);

        Assert.Equal(10_000, meter.Count);
        AssertNear(5_000, meter.PercentileUs(50));
        AssertNear(9_000, meter.PercentileUs(90));
        AssertNear(9_900, meter.PercentileUs(99));
        AssertNear(9_990, meter.PercentileUs(99.9));
        AssertNear(10_000, meter.PercentileUs(100));
        AssertNear(5_000.5, meter.MeanUs);
    }

    [Fact]
    public void Meter_counts_what_is_recorded_together_one_by_one()
    {
        var meter = new Meter();
        meter.Record(Ticks(10), 99);
        meter.Record(Ticks(1000), 1);

        Assert.Equal(100, meter.Count);
        AssertNear(10, meter.PercentileUs(99));
        AssertNear(1000, meter.PercentileUs(99.5));
    }

    [Fact]
    public void Meter_without_records_gives_zeros()
    {
        var meter = new Meter();

        Assert.Equal(new LatencyReport(0, 0, 0, 0, 0, 0), LatencyReport.Of(meter));
    }

    [Fact]
    public void Meter_takes_what_is_beyond_its_range_as_an_hour()
    {
        var meter = new Meter();
        meter.Record(Ticks(10_000_000_000), 1);

        AssertNear(3_600_000_000, meter.PercentileUs(100));
    }

    [Fact]
    public void Meter_adds_up()
    {
        var first = new Meter();
        var second = new Meter();
        first.Record(Ticks(10), 1);
        second.Record(Ticks(30), 3);
        first.Add(second);

        Assert.Equal(4, first.Count);
        AssertNear(25, first.MeanUs);
    }

    [Theory]
    [InlineData(new double[] { }, 0)]
    [InlineData(new double[] { 5 }, 5)]
    [InlineData(new double[] { 9, 1, 5 }, 5)]
    [InlineData(new double[] { 4, 1, 3, 2 }, 2.5)]
    public void Median_takes_the_middle(double[] values, double expected) =>
        Assert.Equal(expected, ComparisonResult.Median(values));

    [Fact]
    public void Comparison_takes_the_median_of_the_ratios_of_the_rounds()
    {
        ComparisonResult result = ComparisonResult.Of(
            [Result(100, 20), Result(200, 20), Result(50, 20)], [Result(600, 1), Result(1000, 2), Result(500, 4)]);

        Assert.Equal(new ComparedFigure(100, 600, 6), result.Throughput);
        Assert.Equal(new ComparedFigure(20, 2, 0.1), result.ServerCpuUsPerOp);
        Assert.Equal(3, result.Rounds);
    }

    [Fact]
    public void Comparison_with_a_figure_of_zero_has_no_ratio()
    {
        ComparisonResult result = ComparisonResult.Of([Result(100, 0)], [Result(600, 1)]);

        Assert.Null(result.ServerCpuUsPerOp!.Ratio);
    }

    [Fact]
    public void Comparison_without_processes_has_no_cpu()
    {
        ComparisonResult result = ComparisonResult.Of([Result(100, null)], [Result(600, 1)]);

        Assert.Null(result.ServerCpuUsPerOp);
        Assert.Null(result.RssMiB);
    }

    [Fact]
    public void Comparison_as_text_has_a_line_for_each_figure()
    {
        var text = new StringWriter();

        CompareText.Write(text, ComparisonResult.Of([Result(100, 20)], [Result(600, 2)]));

        string[] lines = text.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(8, lines.Length);
        Assert.Equal(["throughput", "/s", "100", "600", "6.000"], Words(lines[1]));
        Assert.Equal(["server", "CPU", "us/op", "20.00", "2.00", "0.100"], Words(lines[6]));
    }

    [Fact]
    public void Result_as_json_has_its_figures_and_leaves_out_what_is_not_known()
    {
        string json = JsonSerializer.Serialize([Result(100, null)], BenchJson.Default.BenchResultArray);

        using JsonDocument document = JsonDocument.Parse(json);
        JsonElement result = document.RootElement[0];
        Assert.Equal("get", result.GetProperty("operation").GetString());
        Assert.Equal(100, result.GetProperty("perSecond").GetDouble());
        Assert.Equal(3, result.GetProperty("latencyUs").GetProperty("p99").GetDouble());
        Assert.False(result.TryGetProperty("serverCpuUsPerOp", out _));
    }

    [Fact]
    public void ProcessMeter_of_an_unknown_process_names_it()
    {
        SharpKeeper.Cli.Bench.BenchException failure = Assert.Throws<SharpKeeper.Cli.Bench.BenchException>(
            () => ProcessMeter.Sample([int.MaxValue]));

        Assert.Contains("--server-pid 2147483647", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ProcessMeter_of_this_process_has_cpu_and_memory()
    {
        ProcessSample sample = Assert.Single(ProcessMeter.Sample([Environment.ProcessId]));

        Assert.True(sample.Cpu > TimeSpan.Zero);
        Assert.True(sample.RssBytes > 1_000_000);
    }

    private static BenchResult Result(double perSecond, double? serverCpu) => new()
    {
        Operation = "get",
        Servers = ["127.0.0.1:1"],
        Sessions = 8,
        Depth = 64,
        SizeBytes = 100,
        Completed = 1,
        Seconds = 1,
        PerSecond = perSecond,
        LatencyUs = new LatencyReport(1, 1, 2, 3, 4, 5),
        LongestGapMs = 1,
        ClientCpuUsPerOp = 1,
        ServerCpuUsPerOp = serverCpu,
    };

    private static string[] Words(string line) => line.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);

    private static long Ticks(double us) => (long)(us * Stopwatch.Frequency / 1e6);

    private static void AssertNear(double expected, double actual) =>
        Assert.InRange(actual, expected * 0.999, expected * 1.001);
}
