using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace SharpKeeper.CliTests;

/// <summary>The commands that run a server in the background, as processes.</summary>
public sealed partial class DaemonTests : IDisposable
{
    private const int SigTerm = 15;

    private readonly SharpKeeperProcess _program = new();

    public void Dispose() => _program.Dispose();

    [Fact]
    public async Task Server_is_started_asked_restarted_and_stopped_by_its_pid_file()
    {
        int port = SharpKeeperProcess.FreePort();
        string config = _program.WriteConfig(port);

        ProgramResult started = await _program.RunAsync("start", config);
        Assert.Equal((0, "Starting zookeeper ... STARTED"), (started.ExitCode, started.Output.Trim()));
        Assert.Equal($"Using config: {config}", started.Error.Trim());
        string first = File.ReadAllText(_program.PidFile);

        ProgramResult again = await _program.RunAsync("start", config);
        Assert.Equal((1, $"Starting zookeeper ... already running as process {first}."),
            (again.ExitCode, again.Output.Trim()));

        await AssertRunsAsync(config, port);
        ProgramResult restarted = await _program.RunAsync("restart", config);
        Assert.Equal(0, restarted.ExitCode);
        Assert.Equal(["Stopping zookeeper ... STOPPED", "Starting zookeeper ... STARTED"], Lines(restarted.Output));
        Assert.NotEqual(first, File.ReadAllText(_program.PidFile));
        await AssertRunsAsync(config, port);

        ProgramResult stopped = await _program.RunAsync("stop", config);
        Assert.Equal((0, "Stopping zookeeper ... STOPPED"), (stopped.ExitCode, stopped.Output.Trim()));
        Assert.False(File.Exists(_program.PidFile));
        ProgramResult status = await _program.RunAsync("status", config);
        Assert.Equal(1, status.ExitCode);
        Assert.Equal("Error contacting service. It is probably not running.", Lines(status.Output)[^1]);
    }

    [Fact]
    public async Task Server_whose_configuration_has_become_wrong_is_asked_and_stopped_all_the_same()
    {
        int port = SharpKeeperProcess.FreePort();
        string config = _program.WriteConfig(port);
        Assert.Equal(0, (await _program.RunAsync("start", config)).ExitCode);
        // As after its removal from an ensemble: the file names the others only, and the number in myid is not there.
        File.AppendAllText(config, "\nserver.1=127.0.0.1:1:2\nserver.2=127.0.0.1:3:4\ninitLimit=5\nsyncLimit=2\n");
        File.WriteAllText(Path.Combine(_program.DataDirectory, "myid"), "3");

        ProgramResult restarted = await _program.RunAsync("restart", config);
        Assert.Equal(2, restarted.ExitCode);
        Assert.Contains("there is no line server.3", restarted.Error, StringComparison.Ordinal);
        await AssertRunsAsync(config, port);
        ProgramResult stopped = await _program.RunAsync("stop", config);
        Assert.Equal((0, "Stopping zookeeper ... STOPPED"), (stopped.ExitCode, stopped.Output.Trim()));
    }

    [Fact]
    public async Task Log_in_the_data_directory_grows_over_restarts()
    {
        string config = _program.WriteConfig(SharpKeeperProcess.FreePort(), "tickTme=2000");
        await _program.RunAsync("start", config);
        await _program.RunAsync("restart", config);
        await _program.RunAsync("stop", config);
        string[] lines = File.ReadAllLines(_program.LogFile);
        Assert.Equal(2, lines.Count(static line => line.Contains("did you mean tickTime?", StringComparison.Ordinal)));
        Assert.Equal(2, lines.Count(static line => line.Contains("Serving clients on", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Stop_without_a_server_has_nothing_to_do()
    {
        string config = _program.WriteConfig(SharpKeeperProcess.FreePort());
        ProgramResult stopped = await _program.RunAsync("stop", config);
        Assert.Equal((0, $"Stopping zookeeper ... no zookeeper to stop (could not find file {_program.PidFile})"),
            (stopped.ExitCode, stopped.Output.Trim()));
    }

    [Fact]
    public async Task Pid_file_of_another_program_neither_hinders_start_nor_harms_that_program()
    {
        int port = SharpKeeperProcess.FreePort();
        string config = _program.WriteConfig(port);
        string own = Environment.ProcessId.ToString(CultureInfo.InvariantCulture);
        Directory.CreateDirectory(_program.DataDirectory);
        File.WriteAllText(_program.PidFile, own);
        ProgramResult stopped = await _program.RunAsync("stop", config);
        Assert.Equal((0, $"Stopping zookeeper ... no zookeeper to stop (process {own} of {_program.PidFile} is gone)"),
            (stopped.ExitCode, stopped.Output.Trim()));

        File.WriteAllText(_program.PidFile, own);
        ProgramResult started = await _program.RunAsync("start", config);
        Assert.Equal((0, "Starting zookeeper ... STARTED"), (started.ExitCode, started.Output.Trim()));
        await AssertRunsAsync(config, port);
        Assert.Equal(0, (await _program.RunAsync("stop", config)).ExitCode);
    }

    [Fact]
    public async Task Start_on_a_port_in_use_tells_why_it_failed()
    {
        using TcpListener other = new(IPAddress.Loopback, 0);
        other.Start();
        string config = _program.WriteConfig(((IPEndPoint)other.LocalEndpoint).Port);
        ProgramResult started = await _program.RunAsync("start", config);
        Assert.Equal((1, "Starting zookeeper ... FAILED TO START"), (started.ExitCode, started.Output.Trim()));
        string[] errors = Lines(started.Error);
        Assert.Contains("in use", errors[1], StringComparison.OrdinalIgnoreCase);
        Assert.Equal($"sharpkeeper: see {_program.LogFile}", errors[2]);
        Assert.Contains("The server did not start", File.ReadAllText(_program.LogFile), StringComparison.Ordinal);
        Assert.False(File.Exists(_program.PidFile));
    }

    [Theory]
    [InlineData("start")]
    [InlineData("server")]
    [InlineData("restart")]
    public async Task Command_with_a_bad_configuration_names_it(string command)
    {
        string config = _program.WriteConfig(SharpKeeperProcess.FreePort(), "tickTime=0\nsecureClientPort=2182");
        ProgramResult result = await _program.RunAsync(command, config);
        Assert.Equal(2, result.ExitCode);
        Assert.Contains($"sharpkeeper: {config} line 4: tickTime=0 is not valid", result.Error,
            StringComparison.Ordinal);
        Assert.Contains($"sharpkeeper: {config} line 5: secureClientPort asks for TLS", result.Error,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task Server_without_its_data_directory_ends_with_3()
    {
        string config = _program.WriteConfig(SharpKeeperProcess.FreePort(), "datadir.autocreate=false");
        ProgramResult result = await _program.RunAsync("server", config);
        Assert.Equal(3, result.ExitCode);
        Assert.Contains("The server did not start", result.Output, StringComparison.Ordinal);
    }

    [Fact(Timeout = 120_000)]
    public async Task Server_in_the_foreground_ends_cleanly_on_sigterm()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no SIGTERM");
        CancellationToken stop = TestContext.Current.CancellationToken;
        using Process server = _program.Start("server", "--memory", "--port=0", "--log-format=json");
        string? line;
        do
        {
            line = await server.StandardOutput.ReadLineAsync(stop);
            Assert.NotNull(line);
        }
        while (!line.Contains("Serving clients on 127.0.0.1:", StringComparison.Ordinal));
        Assert.Equal(0, Kill(server.Id, SigTerm));
        string rest = await server.StandardOutput.ReadToEndAsync(stop);
        await server.WaitForExitAsync(stop);
        Assert.Equal(0, server.ExitCode);
        Assert.Contains("SIGTERM received", rest, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Path.Combine(_program.Directory, "sharpkeeper-data")));
    }

    private async Task AssertRunsAsync(string config, int port)
    {
        ProgramResult status = await _program.RunAsync("status", config);
        Assert.Equal(0, status.ExitCode);
        Assert.Equal([$"Client port found: {port}. Client address: 127.0.0.1. Client SSL: false.", "Mode: standalone"],
            Lines(status.Output));
    }

    private static string[] Lines(string text) =>
        text.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int pid, int signal);
}
