using System.Text.RegularExpressions;
using SharpKeeper.CompatTests.Client;
using SharpKeeper.CompatTests.Clients;
using SharpKeeper.CompatTests.Peers;

namespace SharpKeeper.CompatTests.Ensembles;

/// <summary>The page docs/guide/move-from-apache.md, command by command, on an ensemble under load.</summary>
[Collection(EnsembleCollection.Name)]
public sealed partial class MoveFromApacheGuideTests
{
    private const string ZkServer = "/usr/share/zookeeper/bin/zkServer.sh";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public Task Page_moves_an_ensemble_there_and_back()
    {
        ClientPrograms.SkipUnlessThere(ZkServer, "apt install zookeeper");
        Dictionary<string, string> blocks = ReadBlocks();
        return Ensemble.RunAsync(
            EnsembleSetup.Of("AAA"),
            async ensemble =>
            {
                try
                {
                    await MoveAsync(ensemble, blocks);
                }
                finally
                {
                    foreach (EnsembleServer server in ensemble.Servers)
                        await EndAsync(server);
                }
            },
            start: false);
    }

    private static async Task MoveAsync(Ensemble ensemble, Dictionary<string, string> blocks)
    {
        foreach (EnsembleServer server in ensemble.Servers)
            await RunAsync(ensemble, server, blocks["start-apache"]);
        foreach (EnsembleServer server in ensemble.Servers)
            await RunAsync(ensemble, server, blocks["wait-apache"]);
        await using Load load = await Load.StartAsync(ensemble);
        await load.ProgressAsync(100);
        foreach (EnsembleServer server in await LeaderLastAsync(ensemble, blocks["look"]))
        {
            foreach (string step in new[] { "stop-apache", "copy", "start-sharpkeeper", "wait" })
                await RunAsync(ensemble, server, blocks[step]);
            await load.ProgressAsync(100);
        }
        foreach (EnsembleServer server in await LeaderLastAsync(ensemble, blocks["look"]))
        {
            foreach (string step in new[] { "stop-sharpkeeper", "start-apache", "wait-apache" })
                await RunAsync(ensemble, server, blocks[step]);
            await load.ProgressAsync(100);
        }
        await load.StopAsync();
    }

    private static async Task<IEnumerable<EnsembleServer>> LeaderLastAsync(Ensemble ensemble, string look)
    {
        await RunAsync(ensemble, ensemble[1], look);
        ServerStatus?[] seen = await Task.WhenAll(
            ensemble.Servers.Select(server => server.StatusAsync(Cancellation)));
        int leader = Array.FindIndex(seen, status => status?.Mode == "leader");
        Assert.True(leader >= 0, "no server leads");
        return ensemble.Servers.OrderBy(server => server.Id == leader + 1);
    }

    private static Task<ClientRun> RunAsync(Ensemble ensemble, EnsembleServer server, string commands) =>
        ClientProcess.RunWellAsync(
            "/bin/bash",
            ["-euo", "pipefail", "-c", commands],
            new Dictionary<string, string>
            {
                ["ZOOCFG"] = server.ConfigFile,
                ["ENSEMBLE"] = ensemble.ConnectString,
                ["JVMFLAGS"] = string.Join(' ', ApacheProgram.SmallMachine),
                ["PATH"] = string.Join(
                    ':', AppContext.BaseDirectory, Path.GetDirectoryName(ZkServer),
                    Environment.GetEnvironmentVariable("PATH")),
            });

    // Whatever still runs when a step has failed.
    private static Task EndAsync(EnsembleServer server) => ClientProcess.RunAsync(
        "/bin/bash", ["-c", $"kill -KILL $(cat '{server.DataDirectory}/zookeeper_server.pid') 2>&1 || true"]);

    private static Dictionary<string, string> ReadBlocks()
    {
        string page = File.ReadAllText(Path.Combine(ClientGuideTests.FindRoot(), "docs/guide/move-from-apache.md"));
        Dictionary<string, string> blocks = Blocks().Matches(page)
            .ToDictionary(match => match.Groups["name"].Value, match => match.Groups["text"].Value);
        // One more introduces the variables.
        Assert.Equal(Regex.Count(page, "^```sh", RegexOptions.Multiline) - 1, blocks.Count);
        return blocks;
    }

    [GeneratedRegex(
        "^<!-- block: (?<name>[a-z-]+) -->\n```sh\n(?<text>.*?)^```", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Blocks();
}
