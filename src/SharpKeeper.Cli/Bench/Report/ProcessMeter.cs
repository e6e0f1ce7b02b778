using System.Diagnostics;

namespace SharpKeeper.Cli.Bench.Report;

/// <summary>CPU time and memory of a process at one moment.</summary>
internal readonly record struct ProcessSample(int Pid, TimeSpan Cpu, long RssBytes, long PeakRssBytes);

/// <summary>Reads what the operating system counts of the server's processes and of this one.</summary>
internal static class ProcessMeter
{
    /// <summary>Samples all processes.</summary>
    /// <exception cref="BenchException">One of them does not exist, or may not be looked at.</exception>
    public static ProcessSample[] Sample(IReadOnlyList<int> pids) => [.. pids.Select(Sample)];

    /// <summary>CPU time of this process so far.</summary>
    public static TimeSpan OwnCpu => Environment.CpuUsage.TotalTime;

    private static ProcessSample Sample(int pid)
    {
        try
        {
            using var process = Process.GetProcessById(pid);
            return new ProcessSample(
                pid, process.TotalProcessorTime, process.WorkingSet64, process.PeakWorkingSet64);
        }
        catch (Exception e) when (e is ArgumentException or InvalidOperationException
            or System.ComponentModel.Win32Exception)
        {
            throw new BenchException($"--server-pid {pid}: no such process, or it may not be looked at");
        }
    }
}
