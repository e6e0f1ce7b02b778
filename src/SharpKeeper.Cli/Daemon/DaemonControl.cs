using System.ComponentModel;
using System.Diagnostics;
using System.IO.Pipes;
using System.Net.Sockets;
using System.Text;
using SharpKeeper.Server;

namespace SharpKeeper.Cli.Daemon;

/// <summary>
/// Starts, stops and asks for servers in the background, with the messages and exit codes of <c>zkServer.sh</c>.
/// </summary>
internal sealed class DaemonControl(ServerWords words, ServerOptions options, TextWriter output, TextWriter error)
{
    private const string LogName = "sharpkeeper.out";
    private const string LogDirectoryVariable = "ZOO_LOG_DIR";
    private static readonly TimeSpan s_stopMax = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan s_answerMax = TimeSpan.FromSeconds(10);

    private readonly PidFile _pidFile = PidFile.Of(options);

    /// <summary>Starts a server and waits until it serves or has failed.</summary>
    internal async Task<int> StartAsync()
    {
        output.Write("Starting zookeeper ... ");
        using (Process? running = _pidFile.FindServer())
        {
            if (running is not null)
            {
                output.WriteLine($"already running as process {running.Id}.");
                return ExitCodes.Failed;
            }
        }
        string logFile;
        try
        {
            logFile = PrepareFiles();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            output.WriteLine("FAILED TO WRITE PID");
            error.WriteLine($"sharpkeeper: {e.Message}");
            return ExitCodes.Failed;
        }
        return await LaunchAsync(logFile).ConfigureAwait(false);
    }

    /// <summary>Stops the server and waits for its end.</summary>
    internal async Task<int> StopAsync()
    {
        output.Write("Stopping zookeeper ... ");
        if (_pidFile.Read() is not int pid)
        {
            output.WriteLine($"no zookeeper to stop (could not find file {_pidFile.Path})");
            return ExitCodes.Finished;
        }
        using Process? server = _pidFile.FindServer();
        if (server is null)
        {
            _pidFile.Delete();
            output.WriteLine($"no zookeeper to stop (process {pid} of {_pidFile.Path} is gone)");
            return ExitCodes.Finished;
        }
        try
        {
            BackgroundProcess.Terminate(server);
            await server.WaitForExitAsync().WaitAsync(s_stopMax).ConfigureAwait(false);
        }
        catch (Exception e) when (e is TimeoutException or Win32Exception)
        {
            output.WriteLine("FAILED TO STOP");
            error.WriteLine(e is TimeoutException
                ? $"sharpkeeper: process {pid} is still running after {s_stopMax.TotalSeconds:0} s"
                : $"sharpkeeper: process {pid} cannot be stopped: {e.Message}");
            return ExitCodes.Failed;
        }
        _pidFile.Delete();
        output.WriteLine("STOPPED");
        return ExitCodes.Finished;
    }

    /// <summary>Asks the server for its mode.</summary>
    internal async Task<int> StatusAsync()
    {
        string host = options.ClientAddress?.ToString() ?? "localhost";
        output.WriteLine($"Client port found: {options.ClientPort}. Client address: {host}. Client SSL: false.");
        string? mode = await AskForModeAsync(host).ConfigureAwait(false);
        output.WriteLine(mode ?? "Error contacting service. It is probably not running.");
        return mode is null ? ExitCodes.Failed : ExitCodes.Finished;
    }

    /// <summary>Makes sure that pid and log can be written before anything runs; returns the log file.</summary>
    private string PrepareFiles()
    {
        if (options.DataDirAutoCreate && options.DataDir.Length > 0)
            Directory.CreateDirectory(options.DataDir);
        string directory = Environment.GetEnvironmentVariable(LogDirectoryVariable) is { Length: > 0 } named
            ? named : options.DataDir;
        if (directory.Length > 0)
            Directory.CreateDirectory(directory);
        string logFile = Path.GetFullPath(Path.Combine(directory, LogName));
        using (new FileStream(logFile, FileMode.Append, FileAccess.Write, FileShare.ReadWrite))
        using (new FileStream(_pidFile.Path, FileMode.Create, FileAccess.Write))
            return logFile;
    }

    private async Task<int> LaunchAsync(string logFile)
    {
        using AnonymousPipeServerStream pipe = new(PipeDirection.In, HandleInheritability.Inheritable);
        string[] arguments =
        [
            "server", .. words.ToArguments(),
            "--background", logFile, "--ready-pipe", pipe.GetClientHandleAsString(),
        ];
        using Process server = BackgroundProcess.StartSelf(arguments);
        pipe.DisposeLocalCopyOfClientHandle();
        _pidFile.Write(server.Id);
        using StreamReader reader = new(pipe, Encoding.UTF8);
        string told = await reader.ReadToEndAsync().ConfigureAwait(false);
        if (told == StartReport.Serving)
        {
            output.WriteLine("STARTED");
            return ExitCodes.Finished;
        }
        await server.WaitForExitAsync().ConfigureAwait(false);
        _pidFile.Delete();
        output.WriteLine("FAILED TO START");
        error.WriteLine($"sharpkeeper: {(told.Length > 0 ? told : "the server ended without a word")}");
        error.WriteLine($"sharpkeeper: see {logFile}");
        return server.ExitCode == ExitCodes.Finished ? ExitCodes.Failed : server.ExitCode;
    }

    private async Task<string?> AskForModeAsync(string host)
    {
        using CancellationTokenSource limit = new(s_answerMax);
        try
        {
            using TcpClient client = new();
            await client.ConnectAsync(host, options.ClientPort, limit.Token).ConfigureAwait(false);
            NetworkStream stream = client.GetStream();
            await stream.WriteAsync("srvr"u8.ToArray(), limit.Token).ConfigureAwait(false);
            using StreamReader reader = new(stream, Encoding.UTF8);
            string reply = await reader.ReadToEndAsync(limit.Token).ConfigureAwait(false);
            return reply.Split('\n').FirstOrDefault(static l => l.StartsWith("Mode: ", StringComparison.Ordinal));
        }
        catch (Exception e) when (e is SocketException or IOException or OperationCanceledException)
        {
            return null;
        }
    }
}
