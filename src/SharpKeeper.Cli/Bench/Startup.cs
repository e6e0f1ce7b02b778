using System.Diagnostics;
using System.Net;
using SharpKeeper.Cli.Bench.Report;
using SharpKeeper.Cli.Bench.Transport;

namespace SharpKeeper.Cli.Bench;

/// <summary>How to measure a start.</summary>
/// <param name="Server">Where the server will answer.</param>
/// <param name="Command">Program and arguments.</param>
/// <param name="Rounds">How often.</param>
/// <param name="ReadyMax">A start that takes longer is given up.</param>
/// <param name="Settle">Time between the first reply and the second look at the memory.</param>
internal sealed record StartupOptions(
    IPEndPoint Server, IReadOnlyList<string> Command, int Rounds, TimeSpan ReadyMax, TimeSpan Settle);

/// <summary>
/// Starts a server again and again and takes the time from there to the reply to a first request. The command must be
/// the server itself, or a script that becomes it by exec: its process is measured, and ended afterwards.
/// </summary>
internal static class Startup
{
    private static readonly TimeSpan StopMax = TimeSpan.FromSeconds(20);

    /// <summary>Runs all rounds.</summary>
    /// <exception cref="BenchException">The server did not start, or the address is in use.</exception>
    public static StartupResult Execute(StartupOptions options, TextWriter errors, CancellationToken cancel)
    {
        var rounds = new List<StartupRound>();
        for (int round = 0; round < options.Rounds && !cancel.IsCancellationRequested; round++)
        {
            rounds.Add(MeasureOne(options, cancel));
            errors.WriteLine($"startup: round {round + 1} of {options.Rounds}: {rounds[^1].ReadyMs:0.0} ms, RSS "
                + $"{rounds[^1].RssBytesReady / 1048576.0:0.0} MiB");
        }
        return StartupResult.Of(options.Command, rounds);
    }

    private static StartupRound MeasureOne(StartupOptions options, CancellationToken cancel)
    {
        if (FirstReply.TryGet(options.Server))
            throw new BenchException($"startup: a server answers at {options.Server} already; stop it first");
        long start = Stopwatch.GetTimestamp();
        using Process process = Launch(options.Command);
        try
        {
            while (!FirstReply.TryGet(options.Server))
                WaitForNextTry(options, process, start, cancel);
            TimeSpan ready = Stopwatch.GetElapsedTime(start);
            process.Refresh();
            long rssReady = process.WorkingSet64;
            cancel.WaitHandle.WaitOne(options.Settle);
            process.Refresh();
            return new StartupRound(
                ready.TotalMilliseconds, process.TotalProcessorTime.TotalMilliseconds, rssReady, process.WorkingSet64);
        }
        catch (InvalidOperationException)
        {
            throw new BenchException("startup: the server ended by itself after its first reply");
        }
        finally
        {
            Stop(process);
        }
    }

    private static Process Launch(IReadOnlyList<string> command)
    {
        var info = new ProcessStartInfo(command[0], command.Skip(1))
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        try
        {
            Process process = Process.Start(info)!;
            // A server that logs must not stand still because nobody reads.
            process.BeginOutputReadLine();
            process.BeginErrorReadLine();
            return process;
        }
        catch (Exception e) when (e is System.ComponentModel.Win32Exception or InvalidOperationException)
        {
            throw new BenchException($"startup: cannot start {command[0]}: {e.Message}");
        }
    }

    private static void WaitForNextTry(StartupOptions options, Process process, long start, CancellationToken cancel)
    {
        if (process.HasExited)
            throw new BenchException(
                $"startup: the server ended with exit code {process.ExitCode} before it answered");
        if (cancel.IsCancellationRequested)
            throw new BenchException("startup: stopped");
        if (Stopwatch.GetElapsedTime(start) > options.ReadyMax)
            throw new BenchException(
                $"startup: no answer at {options.Server} within {options.ReadyMax.TotalSeconds:0} s");
        Thread.Sleep(1);
    }

    private static void Stop(Process process)
    {
        if (process.HasExited)
            return;
        if (!OperatingSystem.IsWindows())
        {
            _ = UnixCalls.Kill(process.Id, UnixCalls.Terminate);
            if (process.WaitForExit(StopMax))
                return;
        }
        process.Kill(entireProcessTree: true);
        process.WaitForExit();
    }
}
