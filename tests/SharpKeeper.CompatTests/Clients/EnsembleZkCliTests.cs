using System.Globalization;
using SharpKeeper.Client;
using SharpKeeper.CompatTests.Ensembles;
using SharpKeeper.CompatTests.Peers;

namespace SharpKeeper.CompatTests.Clients;

/// <summary>Apache's zkCli with three servers of ours, beside three of Apache's.</summary>
[Collection(EnsembleCollection.Name)]
public sealed class EnsembleZkCliTests
{
    private static readonly string[] s_commands =
    [
        "create /cli one", "create -e /cli/e", "create -s /cli/s-", "create -c /cli/box", "get -s /cli", "ls -R /cli",
        "whoami", "getEphemerals", "getEphemerals /cli", "getEphemerals /none", "getAllChildrenNumber /cli", "sync /cli",
        "config", "config -c", "reconfig -remove 1", "addauth digest super:test", "whoami", "version",
        "reconfig -remove 9", "reconfig -add server.9=nonsense", "reconfig -remove 1,2,3",
        "addWatch -m PERSISTENT /cli", "set /cli two", "set /cli three", "removewatches /cli", "removewatches /cli",
        "addWatch -m PERSISTENT_RECURSIVE /cli/box", "create /cli/box/a", "set /cli/box/a x", "delete /cli/box/a",
        "addWatch -m SOMETIMES /cli", "config -w",
    ];

    [Fact]
    public async Task ZkCli_prints_the_same_for_three_servers_of_either_kind()
    {
        ZkCli.SkipUnlessInstalled();
        ApacheProgram.SkipUnlessInstalled();
        string apaches = await RunAsync("AAA");
        string ours = await RunAsync("SSS");
        Assert.Equal(apaches, ours);
        Assert.Contains("Committed new configuration", ours, StringComparison.Ordinal);
        Assert.Contains("type:NodeDataChanged path:/zookeeper/config", ours, StringComparison.Ordinal);
    }

    private static async Task<string> RunAsync(string kinds)
    {
        var transcript = new List<string>();
        EnsembleSetup setup = EnsembleSetup.Of(kinds).With(
            ("DigestAuthenticationProvider.superDigest", "super:D/InIHSb7yEEbrWz8b9l71RjZJU="),
            // Without these Apache's server has no sessions to give in read-only mode.
            ("localSessionsEnabled", "true"), ("localSessionsUpgradingEnabled", "true")) with
        {
            CanReconfigure = true,
            Properties = new Dictionary<string, string> { ["readonlymode.enabled"] = "true" },
        };
        await Ensemble.RunAsync(setup, async ensemble =>
        {
            await using (KeeperClient client = await KeeperClient.ConnectAsync(
                ensemble.ConnectString, TestContext.Current.CancellationToken))
            {
                await client.CreateAsync(ZkCli.Mark, ZkCli.MarkText);
            }
            await using (ZkCli cli = ZkCli.Start("-server", ensemble.ConnectString))
            {
                await cli.AskAsync("ls /");
                foreach (string command in s_commands)
                    await TellAsync(transcript, cli, command);
                await ReconfigureAsync(ensemble, transcript, cli);
                await MoveAsync(ensemble, transcript, cli);
                transcript.AddRange(cli.Events);
            }
            await ReadOnlyAsync(ensemble, transcript);
        });
        return string.Join('\n', transcript);
    }

    /// <summary>A server that neither leads nor has this client leaves and comes back.</summary>
    private static async Task ReconfigureAsync(Ensemble ensemble, List<string> transcript, ZkCli cli)
    {
        EnsembleServer leader = await ensemble.LeaderAsync();
        EnsembleServer own = await ServerOfAsync(ensemble);
        EnsembleServer other = ensemble.Servers.First(server => server != leader && server != own);
        string id = other.Id.ToString(CultureInfo.InvariantCulture);
        transcript.AddRange(["> remove", .. await cli.AskAsync($"reconfig -remove {id}")]);
        await cli.ExpectEventAsync("type:NodeDataChanged path:/zookeeper/config");
        await TellAsync(transcript, cli, "config");
        transcript.AddRange(["> add", .. await cli.AskAsync($"reconfig -add {ensemble.ServerLine(other)}")]);
        await TellAsync(transcript, cli, "config -c");
    }

    /// <summary>The server that has the client ends, and the client goes on with another one.</summary>
    private static async Task MoveAsync(Ensemble ensemble, List<string> transcript, ZkCli cli)
    {
        await TellAsync(transcript, cli, "get -w /cli");
        EnsembleServer own = await ServerOfAsync(ensemble);
        await own.KillAsync();
        await ensemble.LeaderAsync();
        await cli.AskAsync("get /cli");
        await TellAsync(transcript, cli, "set /cli moved");
        await cli.ExpectEventAsync("type:NodeDataChanged path:/cli");
        foreach (string command in new[] { "get /cli", "getEphemerals", "whoami", "set /cli/box y", "get /zookeeper/config" })
            await TellAsync(transcript, cli, command);
        await ensemble.StartAsync(own);
        await cli.ReconnectAsync(ensemble.ConnectString);
        foreach (string command in new[] { "whoami", "getEphemerals", "get /cli" })
            await TellAsync(transcript, cli, command);
    }

    private static async Task ReadOnlyAsync(Ensemble ensemble, List<string> transcript)
    {
        await Task.WhenAll(ensemble.Servers.Skip(1).Select(server => server.KillAsync()));
        await ensemble.UntilAsync(
            "a read-only server", async stop => (await ensemble[1].StatusAsync(stop))?.Mode == "read-only");
        await using ZkCli cli = ZkCli.Start("-r", "-server", ensemble.ConnectString);
        // What comes before the connection is there fails.
        await cli.AskAsync("get /cli");
        foreach (string command in new[] { "get /cli", "set /cli no", "create /cli/no", "ls /cli", "delete /cli/box" })
            await TellAsync(transcript, cli, command);
    }

    private static async Task TellAsync(List<string> transcript, ZkCli cli, string command)
    {
        transcript.Add("> " + command);
        string[] answer = await cli.AskAsync(command);
        // Identities come in the order of a hash table.
        transcript.AddRange(command == "whoami" ? answer.Order(StringComparer.Ordinal) : answer);
    }

    /// <summary>The only server that has a session's connection.</summary>
    private static async Task<EnsembleServer> ServerOfAsync(Ensemble ensemble)
    {
        EnsembleServer? found = null;
        await ensemble.UntilAsync("a server with the client", async stop =>
        {
            foreach (EnsembleServer server in ensemble.Servers.Where(server => server.IsRunning))
            {
                if ((await server.CommandAsync("cons", stop)).Contains("sid=", StringComparison.Ordinal))
                    found = server;
            }
            return found is not null;
        });
        return found!;
    }
}
