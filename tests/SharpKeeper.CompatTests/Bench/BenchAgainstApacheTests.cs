using System.CommandLine;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using SharpKeeper.Cli.Bench;
using SharpKeeper.Cli.Commands;
using SharpKeeper.CompatTests.Peers;

namespace SharpKeeper.CompatTests.Bench;

/// <summary>The benchmark as a user runs it, against a real Apache server.</summary>
public sealed class BenchAgainstApacheTests
{
    [Fact]
    public async Task Every_operation_ends_well_with_all_replies_verified()
    {
        await using ApacheServer server = await ApacheServer.StartAsync(
            cancellation: TestContext.Current.CancellationToken);
        string[] operations = [.. Enum.GetNames<BenchOperation>().Select(name => name.ToLowerInvariant())];

        (int exit, string output, string errors) = Run(
            ["bench", .. operations, "--server", server.ConnectString, "--count", "400", "--sessions", "4",
                "--depth", "16", "--duration", "0.1", "--server-pid", $"{Environment.ProcessId}", "--json"]);

        Assert.True(exit == 0, errors);
        using JsonDocument document = JsonDocument.Parse(output);
        foreach (JsonElement result in document.RootElement.EnumerateArray())
        {
            long expected = result.GetProperty("operation").GetString() switch
            {
                "idle" => 4,
                "fill" => 401,
                _ => 400,
            };
            Assert.Equal(expected, result.GetProperty("completed").GetInt64());
            Assert.True(result.GetProperty("perSecond").GetDouble() > 0);
        }
        Assert.Equal(operations.Length, document.RootElement.GetArrayLength());
    }

    [Theory]
    [InlineData("watch --persistent --sessions 20 --count 100")]
    [InlineData("connect --close --sessions 10 --count 20")]
    [InlineData("fill --probe set --count 2000")]
    [InlineData("mixed --portable-sockets --count 500 --read-ratio 0.5")]
    [InlineData("get --size 100000 --count 200")]
    [InlineData("set --size 0 --count 200")]
    [InlineData("compare --ops get:1x1,multi:2x4 --rounds 2 --count 100")]
    public async Task A_run_with_options_ends_well_and_leaves_nothing(string line)
    {
        await using ApacheServer server = await ApacheServer.StartAsync(
            cancellation: TestContext.Current.CancellationToken);
        string[] address = line.StartsWith("compare", StringComparison.Ordinal)
            ? ["--a", server.ConnectString, "--b", server.ConnectString] : ["--server", server.ConnectString];

        (int exit, string output, string errors) = Run(["bench", .. line.Split(' '), .. address]);
        (_, string cleaned, _) = Run(["bench", "clean", "--server", server.ConnectString]);

        Assert.True(exit == 0, errors);
        Assert.Contains("throughput", output, StringComparison.Ordinal);
        Assert.Equal("0 znodes deleted", cleaned.Trim());
    }

    [Fact]
    public void Startup_measures_the_time_to_the_first_reply()
    {
        ApacheServer.SkipUnlessInstalled();
        string data = Directory.CreateTempSubdirectory("bench-startup-").FullName;
        int port = FreePort();
        try
        {
            (int exit, string output, string errors) = Run(
                ["bench", "startup", "--server", $"127.0.0.1:{port}", "--rounds", "1", "--settle", "0", "--json", "--",
                    "java", "-Xmx128m", "-Dzookeeper.admin.enableServer=false", "-cp", "/usr/share/java/zookeeper.jar",
                    "org.apache.zookeeper.server.ZooKeeperServerMain", $"{port}", data]);

            Assert.True(exit == 0, errors);
            using JsonDocument document = JsonDocument.Parse(output);
            Assert.True(document.RootElement.GetProperty("medianReadyMs").GetDouble() > 0);
            Assert.True(document.RootElement.GetProperty("medianRssMiBReady").GetDouble() > 1);
        }
        finally
        {
            Directory.Delete(data, recursive: true);
        }
    }

    private static (int Exit, string Output, string Errors) Run(string[] arguments)
    {
        var output = new StringWriter();
        var errors = new StringWriter();
        int exit = new RootCommand { BenchCommand.Create() }
            .Parse(arguments, new ParserConfiguration { EnablePosixBundling = false })
            .Invoke(new InvocationConfiguration { Output = output, Error = errors });
        return (exit, output.ToString(), errors.ToString());
    }

    private static int FreePort()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }
}
