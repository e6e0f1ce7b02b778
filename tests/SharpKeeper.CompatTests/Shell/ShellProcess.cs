using System.Diagnostics;
using System.Text;

namespace SharpKeeper.CompatTests.Shell;

/// <summary>
/// A shell in a process of its own, ours or Apache's, driven through pipes. Tests wait for lines that it prints; a line
/// that does not come within <see cref="LineMax"/> fails the test with all that was printed.
/// </summary>
internal sealed class ShellProcess : IAsyncDisposable
{
    private static readonly TimeSpan LineMax = TimeSpan.FromSeconds(60);
    private const string ZkCli = "/usr/share/zookeeper/bin/zkCli.sh";

    private readonly Process process;
    private readonly Transcript output = new();
    private readonly Transcript errors = new();
    private readonly Task reading;

    private ShellProcess(ProcessStartInfo start)
    {
        start.RedirectStandardInput = true;
        start.RedirectStandardOutput = true;
        start.RedirectStandardError = true;
        process = Process.Start(start)!;
        reading = Task.WhenAll(output.FollowAsync(process.StandardOutput), errors.FollowAsync(process.StandardError));
    }

    /// <summary>Starts our shell, as built beside the tests.</summary>
    public static ShellProcess Ours(params string[] arguments)
    {
        ProcessStartInfo start = new("dotnet");
        start.ArgumentList.Add(Path.Combine(AppContext.BaseDirectory, "sharpkeeper.dll"));
        start.ArgumentList.Add("shell");
        return Launch(start, arguments);
    }

    /// <summary>Starts Apache's zkCli; skips the test where it is not installed.</summary>
    public static ShellProcess Apache(params string[] arguments)
    {
        if (!File.Exists(ZkCli))
            Assert.Skip($"Apache's shell is not installed ({ZkCli} is missing; on Debian: apt install zookeeper).");
        return Launch(new ProcessStartInfo(ZkCli), arguments);
    }

    private static ShellProcess Launch(ProcessStartInfo start, string[] arguments)
    {
        foreach (string argument in arguments)
            start.ArgumentList.Add(argument);
        start.Environment["NO_COLOR"] = "1";
        start.Environment["SHARPKEEPER_HISTORY"] = "";
        return new ShellProcess(start);
    }

    /// <summary>All lines of the output so far.</summary>
    public string[] Output => output.Lines;

    /// <summary>All lines of the error stream so far.</summary>
    public string[] Errors => errors.Lines;

    /// <summary>Types a line.</summary>
    public async Task TypeAsync(string line)
    {
        await process.StandardInput.WriteAsync(line + "\n");
        await process.StandardInput.FlushAsync();
    }

    /// <summary>Waits for a line of the output behind those waited for before.</summary>
    public Task ExpectAsync(string line) => ExpectAsync(output, line);

    /// <summary>Waits for a line of the error stream behind those waited for before.</summary>
    public Task ExpectErrorAsync(string line) => ExpectAsync(errors, line);

    /// <summary>Sends a signal by its name.</summary>
    public async Task SignalAsync(string name)
    {
        using Process kill = Process.Start("kill", [$"-{name}", $"{process.Id}"]);
        await kill.WaitForExitAsync();
    }

    /// <summary>Closes the input and waits for the end; gives the exit code.</summary>
    public async Task<int> EndAsync()
    {
        process.StandardInput.Close();
        using CancellationTokenSource limit = new(LineMax);
        await process.WaitForExitAsync(limit.Token);
        await reading.WaitAsync(limit.Token);
        return process.ExitCode;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (!process.HasExited)
            process.Kill(entireProcessTree: true);
        await process.WaitForExitAsync();
        process.Dispose();
    }

    private async Task ExpectAsync(Transcript transcript, string line)
    {
        try
        {
            await transcript.FindAsync(line).WaitAsync(LineMax);
        }
        catch (Exception e) when (e is TimeoutException or EndOfStreamException)
        {
            StringBuilder report = new($"The line \"{line}\" did not come.\n--- output\n");
            report.AppendJoin('\n', output.Lines).Append("\n--- errors\n").AppendJoin('\n', errors.Lines);
            Assert.Fail(report.ToString());
        }
    }

    /// <summary>The lines of one stream, and a place in them up to which tests have looked.</summary>
    private sealed class Transcript
    {
        private readonly List<string> lines = [];
        private int place;
        private bool isEnded;
        private TaskCompletionSource grown = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public string[] Lines
        {
            get
            {
                lock (lines)
                    return [.. lines];
            }
        }

        public async Task FollowAsync(StreamReader reader)
        {
            while (await reader.ReadLineAsync() is { } line)
                Grow(() => lines.Add(line));
            Grow(() => isEnded = true);
        }

        public async Task FindAsync(string line)
        {
            while (true)
            {
                Task more;
                lock (lines)
                {
                    while (place < lines.Count)
                    {
                        if (lines[place++] == line)
                            return;
                    }
                    if (isEnded)
                        throw new EndOfStreamException();
                    more = grown.Task;
                }
                await more;
            }
        }

        private void Grow(Action change)
        {
            TaskCompletionSource old;
            lock (lines)
            {
                change();
                old = grown;
                grown = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            }
            old.SetResult();
        }
    }
}
