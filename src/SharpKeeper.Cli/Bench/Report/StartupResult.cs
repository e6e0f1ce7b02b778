namespace SharpKeeper.Cli.Bench.Report;

/// <summary>One start.</summary>
/// <param name="ReadyMs">From before the process was made to the first reply.</param>
/// <param name="CpuMs">CPU time of the process until it had settled.</param>
/// <param name="RssBytesReady">Resident memory at the first reply.</param>
/// <param name="RssBytesSettled">Resident memory a while later.</param>
internal sealed record StartupRound(double ReadyMs, double CpuMs, long RssBytesReady, long RssBytesSettled);

/// <summary>All starts of a command, and their medians.</summary>
internal sealed record StartupResult
{
    public required string[] Command { get; init; }
    public required double MedianReadyMs { get; init; }
    public required double MedianCpuMs { get; init; }
    public required double MedianRssMiBReady { get; init; }
    public required double MedianRssMiBSettled { get; init; }
    public required StartupRound[] Rounds { get; init; }

    /// <summary>Takes the medians.</summary>
    public static StartupResult Of(IReadOnlyList<string> command, IReadOnlyList<StartupRound> rounds) => new()
    {
        Command = [.. command],
        MedianReadyMs = ComparisonResult.Median(rounds.Select(round => round.ReadyMs)),
        MedianCpuMs = ComparisonResult.Median(rounds.Select(round => round.CpuMs)),
        MedianRssMiBReady = ComparisonResult.Median(rounds.Select(round => round.RssBytesReady / 1048576.0)),
        MedianRssMiBSettled = ComparisonResult.Median(rounds.Select(round => round.RssBytesSettled / 1048576.0)),
        Rounds = [.. rounds],
    };

    /// <summary>Writes the medians for people.</summary>
    public void Write(TextWriter output)
    {
        output.WriteLine($"startup: median of {Rounds.Length} starts of {string.Join(' ', Command)}");
        output.WriteLine($"  first reply  {MedianReadyMs:0.0} ms");
        output.WriteLine($"  CPU          {MedianCpuMs:0} ms");
        output.WriteLine($"  RSS          {MedianRssMiBReady:0.0} MiB at the first reply, "
            + $"{MedianRssMiBSettled:0.0} MiB when settled");
    }
}
