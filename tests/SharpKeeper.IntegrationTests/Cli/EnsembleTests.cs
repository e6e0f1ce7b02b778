using System.Diagnostics;
using System.Text.Json;
using SharpKeeper.Client;

namespace SharpKeeper.CliTests;

/// <summary>Servers of ensembles and the commands that look at them, as processes.</summary>
public sealed class EnsembleTests : IDisposable
{
    private static readonly TimeSpan s_max = TimeSpan.FromSeconds(90);

    private readonly SharpKeeperProcess program = new();
    private readonly List<Process> running = [];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        foreach (Process process in running)
        {
            if (!process.HasExited)
                process.Kill();
            process.WaitForExit(s_max);
            process.Dispose();
        }
        program.Dispose();
    }

    [Fact]
    public async Task Three_servers_from_three_files_serve_and_survive_the_loss_of_one()
    {
        int[] ports = [.. Enumerable.Range(0, 9).Select(static _ => SharpKeeperProcess.FreePort())];
        string list = string.Join(',', ports[..3].Select(static port => $"127.0.0.1:{port}"));
        for (int id = 1; id <= 3; id++)
            running.Add(Run("server", WriteServer(id, ports)));
        JsonElement whole = await WaitAsync(list, report => report.GetProperty("servingVoters").GetInt32() == 3);
        Assert.Equal(3, whole.GetProperty("voters").GetInt32());
        await using (KeeperClient client = await ConnectAsync(list))
            await client.CreateAsync("/a", "b"u8.ToArray(), cancellation: Cancellation);

        int leader = Array.IndexOf(list.Split(','), whole.GetProperty("leader").GetString());
        running[leader].Kill();
        await running[leader].WaitForExitAsync(Cancellation).WaitAsync(s_max, Cancellation);
        JsonElement after = await WaitAsync(list, report => report.GetProperty("servingVoters").GetInt32() == 2);
        Assert.True(after.GetProperty("hasQuorum").GetBoolean());
        Assert.Equal("connection refused", after.GetProperty("servers")[leader].GetProperty("problem").GetString());

        ProgramResult table = await program.RunAsync("ensemble", "status", list);
        Assert.Equal(0, table.ExitCode);
        Assert.Contains("2 of 3 voters serve: there is a quorum", table.Output, StringComparison.Ordinal);
        await using (KeeperClient client = await ConnectAsync(list))
            Assert.Equal("b"u8.ToArray(), (await client.GetAsync("/a", cancellation: Cancellation)).Data);
    }

    [Fact]
    public async Task Status_of_servers_that_are_not_there_ends_with_1()
    {
        ProgramResult result = await program.RunAsync(
            "ensemble", "status", $"127.0.0.1:{SharpKeeperProcess.FreePort()}");
        Assert.Equal(1, result.ExitCode);
        Assert.Contains("- connection refused", result.Output, StringComparison.Ordinal);
        Assert.Contains("no leader among the servers", result.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("ensemble", "status", "a:x")]
    [InlineData("ensemble", "status", "a:1", "--watch", "soon")]
    [InlineData("ensemble", "demo", "--servers", "0")]
    [InlineData("ensemble", "demo", "--servers", "many")]
    public async Task A_wrong_word_ends_with_2(params string[] words)
    {
        ProgramResult result = await program.RunAsync(words);
        Assert.Equal(2, result.ExitCode);
        Assert.NotEmpty(result.Error);
    }

    [Fact]
    public async Task Server_without_myid_ends_with_2_and_names_the_file()
    {
        int[] ports = [.. Enumerable.Range(0, 9).Select(static _ => SharpKeeperProcess.FreePort())];
        string config = WriteServer(1, ports);
        string myid = Path.Combine(program.Directory, "data-1", "myid");
        File.Delete(myid);
        ProgramResult result = await program.RunAsync("server", config);
        Assert.Equal(2, result.ExitCode);
        Assert.Contains($"the file {myid} is missing", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Demo_runs_until_it_is_told_to_quit_and_leaves_nothing_behind()
    {
        Process demo = StartDemo();
        string directory = (await LineAsync(demo, "Starting 3 servers in "))["Starting 3 servers in ".Length..].Trim();
        string connect = (await LineAsync(demo, "Connect string: "))["Connect string: ".Length..].Trim();
        Assert.Equal(3, connect.Split(',').Length);
        await LineAsync(demo, "Type status");
        await using (KeeperClient client = await ConnectAsync(connect))
            await client.CreateAsync("/a", cancellation: Cancellation);
        await demo.StandardInput.WriteLineAsync("stop 2");
        await LineAsync(demo, "server 2 is stopped");
        await demo.StandardInput.WriteLineAsync("start 2");
        await LineAsync(demo, "server 2 is started");
        await demo.StandardInput.WriteLineAsync("quit");
        await LineAsync(demo, "Stopping");
        await demo.WaitForExitAsync(Cancellation).WaitAsync(s_max, Cancellation);
        Assert.Equal(0, demo.ExitCode);
        Assert.False(Directory.Exists(directory));
    }

    private static Task<KeeperClient> ConnectAsync(string servers) =>
        KeeperClient.ConnectAsync(new KeeperClientOptions { ConnectString = servers }, Cancellation);

    private Process StartDemo()
    {
        ProcessStartInfo start = new(
            Path.Combine(AppContext.BaseDirectory, OperatingSystem.IsWindows() ? "sharpkeeper.exe" : "sharpkeeper"),
            ["ensemble", "demo"])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            UseShellExecute = false,
        };
        Process demo = Process.Start(start)!;
        running.Add(demo);
        return demo;
    }

    private static async Task<string> LineAsync(Process process, string beginning)
    {
        while (await process.StandardOutput.ReadLineAsync(Cancellation).AsTask().WaitAsync(s_max, Cancellation)
            is string line)
        {
            if (line.StartsWith(beginning, StringComparison.Ordinal))
                return line;
        }
        throw new InvalidOperationException($"the program ended before it said {beginning}");
    }

    private Process Run(params string[] arguments)
    {
        Process process = program.Start(arguments);
        // Pipes that nobody reads would stop the server once they are full.
        _ = process.StandardOutput.ReadToEndAsync(CancellationToken.None);
        _ = process.StandardError.ReadToEndAsync(CancellationToken.None);
        return process;
    }

    private async Task<JsonElement> WaitAsync(string servers, Func<JsonElement, bool> condition)
    {
        Stopwatch watch = Stopwatch.StartNew();
        string output = "";
        while (watch.Elapsed < s_max)
        {
            output = (await program.RunAsync("ensemble", "status", servers, "--json")).Output;
            JsonElement report = JsonDocument.Parse(output).RootElement;
            if (report.GetProperty("hasQuorum").GetBoolean() && condition(report))
                return report;
        }
        throw new TimeoutException(output);
    }

    private string WriteServer(int id, int[] ports)
    {
        string data = Path.Combine(program.Directory, $"data-{id}");
        Directory.CreateDirectory(data);
        File.WriteAllText(Path.Combine(data, "myid"), $"{id}\n");
        string path = Path.Combine(program.Directory, $"zoo-{id}.cfg");
        File.WriteAllLines(path,
        [
            $"dataDir={data.Replace("\\", "\\\\", StringComparison.Ordinal)}",
            $"clientPort={ports[id - 1]}", "clientPortAddress=127.0.0.1", "tickTime=500", "initLimit=20",
            "syncLimit=10",
            "4lw.commands.whitelist=mntr",
            .. Enumerable.Range(1, 3).Select(n => $"server.{n}=127.0.0.1:{ports[n + 2]}:{ports[n + 5]}"),
        ]);
        return path;
    }
}
