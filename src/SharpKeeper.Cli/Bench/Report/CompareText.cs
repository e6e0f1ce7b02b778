namespace SharpKeeper.Cli.Bench.Report;

/// <summary>Comparisons for people.</summary>
internal static class CompareText
{
    /// <summary>Writes one operation as a small table.</summary>
    public static void Write(TextWriter output, ComparisonResult result)
    {
        string title = $"{result.Operation} {result.Sessions}x{result.Depth} {result.SizeBytes} B";
        output.WriteLine($"{title,-24} {"A",12} {"B",12} {"B/A",8}   median of {result.Rounds} rounds");
        Row(output, "throughput /s", result.Throughput, "N0");
        Row(output, "p50 us", result.P50Us, "N0");
        Row(output, "p99 us", result.P99Us, "N0");
        Row(output, "p99.9 us", result.P999Us, "N0");
        Row(output, "longest gap ms", result.LongestGapMs, "N1");
        if (result.ServerCpuUsPerOp is { } cpu)
            Row(output, "server CPU us/op", cpu, "N2");
        if (result.RssMiB is { } memory)
            Row(output, "server RSS MiB", memory, "N1");
    }

    private static void Row(TextWriter output, string name, ComparedFigure figure, string format)
    {
        string ratio = figure.Ratio is { } value ? $"{value:0.000}" : "-";
        output.WriteLine($"  {name,-22} {Text(figure.A, format),12} {Text(figure.B, format),12} {ratio,8}");
    }

    private static string Text(double value, string format) =>
        value.ToString(format, System.Globalization.CultureInfo.InvariantCulture);
}
