using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace SharpKeeper.CompatTests.Peers;

/// <summary>
/// A program in a process group of its own, so that signals reach all of it. A test run that is killed cannot stop it;
/// it is ended then by <c>timeout</c>, under which it runs.
/// </summary>
internal sealed class ChildProcess : IAsyncDisposable
{
    private const string TimeoutPath = "/usr/bin/timeout";
    private static readonly TimeSpan LifeMax = TimeSpan.FromMinutes(30);

    private readonly Process process;
    private readonly StringBuilder output = new();

    private ChildProcess(Process process) => this.process = process;

    /// <summary>Has it ended?</summary>
    public bool HasExited => process.HasExited;

    /// <summary>How it ended.</summary>
    public int ExitCode => process.ExitCode;

    /// <summary>All that it has printed so far.</summary>
    public string Output
    {
        get
        {
            lock (output)
                return output.ToString();
        }
    }

    /// <summary>Starts a program.</summary>
    /// <param name="command">The program and its arguments.</param>
    /// <param name="directory">Where it works; null for here.</param>
    public static ChildProcess Start(IReadOnlyList<string> command, string? directory = null)
    {
        var start = new ProcessStartInfo
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = directory ?? "",
            FileName = command[0],
        };
        IEnumerable<string> arguments = command.Skip(1);
        if (File.Exists(TimeoutPath))
        {
            start.FileName = TimeoutPath;
            arguments = ["-sKILL", LifeMax.TotalSeconds.ToString(CultureInfo.InvariantCulture), .. command];
        }
        foreach (string argument in arguments)
            start.ArgumentList.Add(argument);
        var child = new ChildProcess(Process.Start(start)!);
        child.process.OutputDataReceived += (_, line) => child.Record(line.Data);
        child.process.ErrorDataReceived += (_, line) => child.Record(line.Data);
        child.process.BeginOutputReadLine();
        child.process.BeginErrorReadLine();
        return child;
    }

    /// <summary>Sends a signal by its name to the program and whatever it has started.</summary>
    public async Task SignalAsync(string name)
    {
        if (process.HasExited)
            return;
        string target = string.Create(
            CultureInfo.InvariantCulture, $"{(File.Exists(TimeoutPath) ? "-" : "")}{process.Id}");
        using Process kill = Process.Start("kill", [$"-{name}", "--", target]);
        await kill.WaitForExitAsync();
    }

    /// <summary>Ends it as a power cut would and waits until it is gone.</summary>
    public async Task KillAsync()
    {
        await SignalAsync("KILL");
        await process.WaitForExitAsync();
    }

    /// <summary>Asks it to end and waits until it has.</summary>
    /// <exception cref="TimeoutException">It did not end in time; it is killed then.</exception>
    public async Task StopAsync(TimeSpan patience)
    {
        await SignalAsync("TERM");
        using var limit = new CancellationTokenSource(patience);
        try
        {
            await process.WaitForExitAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            await KillAsync();
            throw new TimeoutException($"A process did not end when it was asked to:\n{Output}");
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await KillAsync();
        process.Dispose();
    }

    private void Record(string? line)
    {
        if (line is null)
            return;
        lock (output)
            output.AppendLine(line);
    }
}
