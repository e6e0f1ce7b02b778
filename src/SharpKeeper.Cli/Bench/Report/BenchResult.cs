using System.Text.Json.Serialization;
using SharpKeeper.Cli.Bench.Driver;

namespace SharpKeeper.Cli.Bench.Report;

/// <summary>What one operation measured; this is also the form of <c>--json</c>.</summary>
internal sealed record BenchResult
{
    public required string Operation { get; init; }
    public required string[] Servers { get; init; }
    public required int Sessions { get; init; }
    public required int Depth { get; init; }
    public required int SizeBytes { get; init; }

    /// <summary>Requests (for watch: notifications, for connect: sessions) that ended in the measured time.</summary>
    public required long Completed { get; init; }

    public required double Seconds { get; init; }
    public required double PerSecond { get; init; }
    public required LatencyReport LatencyUs { get; init; }

    /// <summary>Longest time without a reply although some were due.</summary>
    public required double LongestGapMs { get; init; }

    /// <summary>CPU time of this process for each of <see cref="Completed"/>.</summary>
    public required double ClientCpuUsPerOp { get; init; }

    /// <summary>CPU time of the server processes for each of <see cref="Completed"/>; null without ids.</summary>
    public double? ServerCpuUsPerOp { get; init; }

    public ProcessReport[] Processes { get; init; } = [];
    public ProbeReport? Probe { get; init; }

    /// <summary>Figures of this operation alone.</summary>
    public Dictionary<string, double> Extra { get; init; } = [];
}

/// <summary>Latency in microseconds.</summary>
internal sealed record LatencyReport(
    double Mean, double P50, double P90, double P99, double P999, double Max)
{
    /// <summary>Reads a meter.</summary>
    public static LatencyReport Of(Meter meter) => new(
        meter.MeanUs, meter.PercentileUs(50), meter.PercentileUs(90), meter.PercentileUs(99),
        meter.PercentileUs(99.9), meter.PercentileUs(100));
}

/// <summary>One server process.</summary>
internal sealed record ProcessReport(
    int Pid, double CpuSeconds, long RssBytesBefore, long RssBytesAfter, long RssBytesPeak);

/// <summary>The session that ran beside the operation.</summary>
internal sealed record ProbeReport(string Operation, long Completed, LatencyReport LatencyUs, double LongestGapMs);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(BenchResult[]))]
[JsonSerializable(typeof(ComparisonResult[]))]
[JsonSerializable(typeof(StartupResult))]
[JsonSerializable(typeof(EnsembleResult[]))]
internal sealed partial class BenchJson : JsonSerializerContext;
