namespace SharpKeeper.Cli.Bench.Report;

/// <summary>Results for people.</summary>
internal static class TextReport
{
    /// <summary>Writes one result, a few lines.</summary>
    public static void Write(TextWriter output, BenchResult result)
    {
        LatencyReport latency = result.LatencyUs;
        output.WriteLine($"{result.Operation}: {result.Sessions} sessions, depth {result.Depth}, {result.SizeBytes} B, "
            + $"{string.Join(", ", result.Servers)}");
        output.WriteLine($"  throughput   {result.PerSecond:N0}/s  ({result.Completed:N0} verified in "
            + $"{result.Seconds:0.00} s)");
        output.WriteLine($"  latency us   mean {latency.Mean:N0}  p50 {latency.P50:N0}  p90 {latency.P90:N0}  "
            + $"p99 {latency.P99:N0}  p99.9 {latency.P999:N0}  max {latency.Max:N0}");
        output.WriteLine($"  longest gap  {result.LongestGapMs:0.0} ms without a reply");
        string server = result.ServerCpuUsPerOp is { } cpu ? $"server {cpu:0.00}  " : "";
        output.WriteLine($"  CPU us/op    {server}client {result.ClientCpuUsPerOp:0.00}");
        foreach (ProcessReport process in result.Processes)
            output.WriteLine($"  process {process.Pid}  CPU {process.CpuSeconds:0.00} s, RSS "
                + $"{Mebibytes(process.RssBytesBefore)} -> {Mebibytes(process.RssBytesAfter)} MiB, "
                + $"peak {Mebibytes(process.RssBytesPeak)} MiB");
        if (result.Probe is { } probe)
            output.WriteLine($"  probe {probe.Operation}    {probe.Completed:N0} one by one, "
                + $"p50 {probe.LatencyUs.P50:N0} us, p99 {probe.LatencyUs.P99:N0} us, "
                + $"longest {probe.LatencyUs.Max / 1000:0.0} ms");
        foreach ((string name, double value) in result.Extra)
            output.WriteLine($"  {name} {value:N1}");
    }

    private static string Mebibytes(long bytes) => $"{bytes / 1048576.0:0.0}";
}
