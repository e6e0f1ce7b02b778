using System.Globalization;
using System.Text.RegularExpressions;
using SharpKeeper.CompatTests.Peers;
using SharpKeeper.Server.Testing;

namespace SharpKeeper.CompatTests.Clients;

/// <summary>Apache's own clients, in Java and in C, against our server.</summary>
public sealed partial class ApacheClientProgramTests
{
    private const string ZkCli = "/usr/share/zookeeper/bin/zkCli.sh";

    [Fact]
    public async Task ZkCli_prints_the_same_for_both_servers()
    {
        ApacheServer.SkipUnlessInstalled();
        ClientPrograms.SkipUnlessThere(ZkCli, "apt install zookeeper");
        CancellationToken cancellation = TestContext.Current.CancellationToken;
        await using ApacheServer apache = await ApacheServer.StartAsync(cancellation: cancellation);
        await using KeeperTestServer ours = await KeeperTestServer.StartAsync(
            new KeeperTestServerOptions { TickTime = TimeSpan.FromSeconds(2) }, cancellation);

        Task<Transcript> expected = RunCliAsync(apache.ConnectString);
        Task<Transcript> actual = RunCliAsync(ours.ConnectString);

        Assert.Equal((await expected).Answers, (await actual).Answers);
        Assert.Equal((await expected).Errors, (await actual).Errors);
        Assert.Equal((await expected).Events, (await actual).Events);
        Assert.Contains("WatchedEvent state:SyncConnected type:NodeDataChanged path:/cli", (await actual).Events);
        Assert.Contains(
            (await actual).Errors, line => line.Contains("Node not empty: /cli/deep", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Java_client_works_unchanged()
    {
        await using ClientsServer server = await ClientsServer.StartAsync();
        await ClientPrograms.RunJavaAsync("JavaClient", server);
    }

    [Fact]
    public async Task C_client_works_unchanged()
    {
        await using ClientsServer server = await ClientsServer.StartAsync();
        await ClientPrograms.RunCAsync("c_client", server);
    }

    private static async Task<Transcript> RunCliAsync(string server)
    {
        string commands = await File.ReadAllTextAsync(Path.Combine(ClientProcess.Sources, "zkcli", "commands.txt"));
        ClientRun run = await ClientProcess.RunAsync(ZkCli, ["-server", server], input: commands);
        string[] output = Lines(run.Output);
        // Events are printed by a thread of their own, between any two lines of answers.
        return new Transcript(
            [.. output.Where(line => !IsEvent(line) && !line.StartsWith("Connecting to", StringComparison.Ordinal))],
            [.. output.Where(IsSureEvent)],
            [.. Lines(run.Errors).Where(line => !line.Contains("SLF4J", StringComparison.Ordinal))]);
    }

    private static bool IsEvent(string line) => line.StartsWith("WATCHER::", StringComparison.Ordinal)
        || line.StartsWith("WatchedEvent", StringComparison.Ordinal);

    // That it is closed is told to a thread that the end of the program may overtake.
    private static bool IsSureEvent(string line) => line.StartsWith("WatchedEvent", StringComparison.Ordinal)
        && !line.Contains("state:Closed", StringComparison.Ordinal);

    private static string[] Lines(string text) => [.. text.Split('\n')
        .Select(line => Normalise(line.TrimEnd())).Where(line => line.Length > 0)];

    // Times and session ids differ, and so does the order of children.
    private static string Normalise(string line)
    {
        line = SessionPattern().Replace(line, "SESSION");
        line = TimePattern().Replace(line, "$1 = TIME");
        if (!line.StartsWith('[') || !line.EndsWith(']'))
            return line;
        IEnumerable<string> names = line[1..^1].Split(", ").Order(StringComparer.Ordinal);
        return string.Create(CultureInfo.InvariantCulture, $"[{string.Join(", ", names)}]");
    }

    [GeneratedRegex("0x[0-9a-f]{12,}")]
    private static partial Regex SessionPattern();

    [GeneratedRegex("^([cm]time) = .*$")]
    private static partial Regex TimePattern();

    private sealed record Transcript(string[] Answers, string[] Events, string[] Errors);
}
