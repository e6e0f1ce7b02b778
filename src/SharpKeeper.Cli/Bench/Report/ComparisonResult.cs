namespace SharpKeeper.Cli.Bench.Report;

/// <summary>One operation on two servers: each figure as the medians of the rounds.</summary>
internal sealed record ComparisonResult
{
    public required string Operation { get; init; }
    public required int Sessions { get; init; }
    public required int Depth { get; init; }
    public required int SizeBytes { get; init; }
    public required int Rounds { get; init; }
    public required ComparedFigure Throughput { get; init; }
    public required ComparedFigure P50Us { get; init; }
    public required ComparedFigure P99Us { get; init; }
    public required ComparedFigure P999Us { get; init; }
    public required ComparedFigure LongestGapMs { get; init; }

    /// <summary>Null unless the process ids of both servers are known.</summary>
    public ComparedFigure? ServerCpuUsPerOp { get; init; }

    /// <summary>Resident memory after the run; null unless the process ids of both servers are known.</summary>
    public ComparedFigure? RssMiB { get; init; }

    /// <summary>Takes the medians of as many runs of A as of B, round by round.</summary>
    public static ComparisonResult Of(IReadOnlyList<BenchResult> a, IReadOnlyList<BenchResult> b)
    {
        bool hasProcesses = a[0].ServerCpuUsPerOp is not null && b[0].ServerCpuUsPerOp is not null;
        return new ComparisonResult
        {
            Operation = a[0].Operation,
            Sessions = a[0].Sessions,
            Depth = a[0].Depth,
            SizeBytes = a[0].SizeBytes,
            Rounds = a.Count,
            Throughput = Figure(a, b, result => result.PerSecond),
            P50Us = Figure(a, b, result => result.LatencyUs.P50),
            P99Us = Figure(a, b, result => result.LatencyUs.P99),
            P999Us = Figure(a, b, result => result.LatencyUs.P999),
            LongestGapMs = Figure(a, b, result => result.LongestGapMs),
            ServerCpuUsPerOp = hasProcesses ? Figure(a, b, result => result.ServerCpuUsPerOp ?? 0) : null,
            RssMiB = hasProcesses
                ? Figure(a, b, result => result.Processes.Sum(process => process.RssBytesAfter) / 1048576.0) : null,
        };
    }

    /// <summary>The middle value; of an even number the mean of the two in the middle.</summary>
    public static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        if (sorted.Length == 0)
            return 0;
        return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }

    private static ComparedFigure Figure(
        IReadOnlyList<BenchResult> a, IReadOnlyList<BenchResult> b, Func<BenchResult, double> read)
    {
        // Where A measured nothing, such as no CPU tick in a short run, there is no ratio.
        double[] ratios = [.. a.Zip(b, (x, y) => (A: read(x), B: read(y))).Where(pair => pair.A > 0)
            .Select(pair => pair.B / pair.A)];
        return new ComparedFigure(
            Median(a.Select(read)), Median(b.Select(read)), ratios.Length == 0 ? null : Median(ratios));
    }
}

/// <summary>A figure of both servers.</summary>
/// <param name="A">Median of A's rounds.</param>
/// <param name="B">Median of B's rounds.</param>
/// <param name="Ratio">Median of B / A over the rounds; null where A measured nothing.</param>
internal sealed record ComparedFigure(double A, double B, double? Ratio);
