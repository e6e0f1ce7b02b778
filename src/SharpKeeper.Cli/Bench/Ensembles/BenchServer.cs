using System.Diagnostics;
using System.Globalization;
using System.Net;
using SharpKeeper.Cli.Bench.Transport;

namespace SharpKeeper.Cli.Bench.Ensembles;

/// <summary>One server of an ensemble: its files, its ports, and its process while it runs.</summary>
internal sealed class BenchServer(int id, string directory, int clientPort, int quorumPort, int electionPort)
    : IDisposable
{
    private static readonly TimeSpan StopMax = TimeSpan.FromSeconds(30);
    private const int TailLines = 20;

    private readonly Queue<string> tail = new();
    private Process? process;

    /// <summary>Its number.</summary>
    public int Id { get; } = id;

    /// <summary>Where clients connect.</summary>
    public IPEndPoint EndPoint { get; } = new(IPAddress.Loopback, clientPort);

    /// <summary>Its process; 0 while it does not run.</summary>
    public int Pid => process?.Id ?? 0;

    /// <summary>Has it been started?</summary>
    public bool IsRunning => process is { HasExited: false };

    /// <summary>The line by which all servers know it.</summary>
    public string ServerLine => string.Create(CultureInfo.InvariantCulture,
        $"server.{Id}=127.0.0.1:{quorumPort}:{electionPort}:participant;127.0.0.1:{clientPort}");

    private string DataDirectory => Path.Combine(directory, "data");

    private string ConfigFile => Path.Combine(directory, "zoo.cfg");

    /// <summary>Writes zoo.cfg and myid.</summary>
    public void WriteFiles(IEnumerable<string> config, IEnumerable<BenchServer> all)
    {
        Directory.CreateDirectory(DataDirectory);
        WriteMyId();
        File.WriteAllLines(
            ConfigFile, [.. config, $"dataDir={DataDirectory}", .. all.Select(server => server.ServerLine)]);
    }

    /// <summary>Starts the process and does not wait.</summary>
    /// <exception cref="BenchException">The program cannot be started.</exception>
    public void Start(EnsembleSide side)
    {
        string[] command = side.CommandFor(ConfigFile);
        var info = new ProcessStartInfo(command[0], command[1..])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = directory,
        };
        try
        {
            process = Process.Start(info)!;
        }
        catch (Exception e) when (e is System.ComponentModel.Win32Exception or InvalidOperationException)
        {
            throw new BenchException($"cannot start {command[0]}: {e.Message}");
        }
        // A server that logs must not stand still because nobody reads.
        process.OutputDataReceived += (_, line) => Note(line.Data);
        process.ErrorDataReceived += (_, line) => Note(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    /// <summary>Ends the process as a power cut would.</summary>
    public void Kill()
    {
        if (process is not { } running)
            return;
        running.Kill(entireProcessTree: true);
        running.WaitForExit();
        Forget();
    }

    /// <summary>Asks the process to end, and ends it when it does not.</summary>
    public void Stop()
    {
        if (process is not { } running)
            return;
        if (!running.HasExited && !OperatingSystem.IsWindows())
            _ = UnixCalls.Kill(running.Id, UnixCalls.Terminate);
        if (!running.WaitForExit(StopMax))
            running.Kill(entireProcessTree: true);
        running.WaitForExit();
        Forget();
    }

    /// <summary>Deletes all that it has stored; it starts as a server that has never run.</summary>
    public void Wipe()
    {
        Directory.Delete(DataDirectory, recursive: true);
        Directory.CreateDirectory(DataDirectory);
        WriteMyId();
    }

    /// <summary>Gives up if the process has ended by itself.</summary>
    /// <exception cref="BenchException">It has; the message holds its last lines.</exception>
    public void ThrowIfEnded()
    {
        if (process is not { HasExited: true } ended)
            return;
        // Without a limit of time, this waits for what it has written besides.
        ended.WaitForExit();
        string lines;
        lock (tail)
            lines = string.Join('\n', tail);
        throw new BenchException($"server {Id} ended with exit code {ended.ExitCode}; it said:\n{lines}");
    }

    public void Dispose() => Kill();

    private void WriteMyId() => File.WriteAllText(
        Path.Combine(DataDirectory, "myid"), string.Create(CultureInfo.InvariantCulture, $"{Id}\n"));

    private void Forget()
    {
        process?.Dispose();
        process = null;
    }

    private void Note(string? line)
    {
        if (line is null)
            return;
        lock (tail)
        {
            tail.Enqueue(line);
            if (tail.Count > TailLines)
                tail.Dequeue();
        }
    }
}
