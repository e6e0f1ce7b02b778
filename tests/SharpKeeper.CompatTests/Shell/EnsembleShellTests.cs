using System.Text.RegularExpressions;
using SharpKeeper.CompatTests.Ensembles;
using SharpKeeper.CompatTests.Peers;

namespace SharpKeeper.CompatTests.Shell;

/// <summary>Our shell at an ensemble, beside Apache's zkCli.</summary>
[Collection(EnsembleCollection.Name)]
public sealed partial class EnsembleShellTests
{
    [Fact]
    public Task Both_shells_show_and_change_the_configuration_alike() => Ensemble.RunAsync(
        EnsembleSetup.Of("AAA") with { CanReconfigure = true },
        async ensemble =>
        {
            EnsembleServer leader = await ensemble.LeaderAsync();
            EnsembleServer other = ensemble.Servers.First(server => server != leader);
            EnsembleServer leaves = ensemble.Servers.Last(server => server != leader && server != other);
            string all = string.Join(',', ensemble.Servers.Select(server => ensemble.ServerLine(server)));
            string file = Path.Combine(leader.Directory, "members.txt");
            await File.WriteAllLinesAsync(file,
                ensemble.Servers.Select(server => ensemble.ServerLine(server)), TestContext.Current.CancellationToken);
            string[] commands =
            [
                "config", "config -c", "config -s", $"reconfig -remove {leaves.Id}", "addauth digest super:secret",
                $"reconfig -v 1 -remove {leaves.Id}", "config -w", $"reconfig -remove {leaves.Id}", "config -c",
                $"reconfig -s -add {ensemble.ServerLine(leaves)}", "reconfig -add server.9=nonsense",
                $"reconfig -remove {leaves.Id} -add server.9=127.0.0.1:1:2;3", "reconfig -remove 9",
                $"reconfig -members {all}", $"reconfig -file {file}", "reconfig", "reconfig -remove 77",
                "reconfig -members server.7=127.0.0.1:1:2;3,server.8=127.0.0.1:4:5;6",
                $"reconfig -members {all} -remove 1", "config",
            ];
            // Through the leader, which stays: the other servers change their part and drop their clients.
            (string[] theirs, string[] theirErrors) = await PlayAsync(leader.ConnectString, commands, isOurs: false);
            (string[] ours, string[] ourErrors) = await PlayAsync(leader.ConnectString, commands, isOurs: true);

            Assert.Equal(theirs, ours);
            // Behind the first three both say the same in words of their own.
            Assert.Equal(theirErrors[..3], ourErrors[..3]);
            Assert.Equal(3, theirErrors.Length - 3);
            Assert.Equal(
            [
                "reconfig needs -file, -members, -add or -remove",
                "No quorum of the new configuration is connected and up to date; start its servers first",
                "reconfig takes either -file or -members, or -add and -remove",
            ], ourErrors[3..]);
        });

    [Fact]
    public Task Shell_moves_between_servers_and_says_when_only_reads_are_possible() => Ensemble.RunAsync(
        EnsembleSetup.Of("AAA").With(("localSessionsEnabled", "true"), ("localSessionsUpgradingEnabled", "true")) with
        {
            Properties = new Dictionary<string, string> { ["readonlymode.enabled"] = "true" },
        },
        async ensemble =>
        {
            await Task.WhenAll(ensemble[1].StopAsync(), ensemble[2].StopAsync());
            await ensemble.UntilAsync("server 3 to be read-only",
                async stop => (await ensemble[3].StatusAsync(stop))?.Mode == "read-only");
            await using ShellProcess shell = ShellProcess.Ours("-r", "-server", ensemble.ConnectString);
            await shell.ExpectAsync("WatchedEvent state:ConnectedReadOnly type:None path:null");
            await shell.TypeAsync("ls /");
            await shell.ExpectAsync("[zookeeper]");
            await shell.TypeAsync("create /a x");
            await shell.ExpectErrorAsync("Not a read-only call: /a");
            ensemble[1].Start();
            ensemble[2].Start();
            await shell.ExpectAsync("WatchedEvent state:SyncConnected type:None path:null");
            await shell.TypeAsync("create /a x");
            await shell.ExpectErrorAsync("Created /a");
            Assert.Equal(0, await shell.EndAsync());
        });

    private static async Task<(string[] Output, string[] Errors)> PlayAsync(
        string address, string[] commands, bool isOurs)
    {
        string[] arguments = ["-waitforconnection", "-server", address];
        await using ShellProcess shell = isOurs ? ShellProcess.Ours(arguments) : ShellProcess.Apache(arguments);
        foreach (string command in commands)
            await shell.TypeAsync(command);
        await shell.EndAsync();
        return (
            [.. WithoutEvents(shell.Output).Select(Normalise)],
            [.. shell.Errors.Where(line => !line.StartsWith("SLF4J:", StringComparison.Ordinal)).Select(Normalise)]);
    }

    private static List<string> WithoutEvents(string[] lines)
    {
        List<string> rest = [];
        for (int i = 0; i < lines.Length; i++)
        {
            if (i + 3 < lines.Length && lines[i].Length == 0 && lines[i + 1] == "WATCHER::")
                i += 3;
            else
                rest.Add(lines[i]);
        }
        return rest;
    }

    // Versions of the configuration and times differ between two runs, and zkCli lists addresses in no order.
    private static string Normalise(string line)
    {
        line = Variable().Replace(line, "*");
        return line.StartsWith("* 127", StringComparison.Ordinal)
            ? "* " + string.Join(',', line[2..].Split(',').Order(StringComparer.Ordinal)) : line;
    }

    [GeneratedRegex(@"0x[0-9a-f]+|\b[1-9][0-9a-f]?0{3,}[0-9a-f]+|\w{3} \w{3} \d\d \d\d:\d\d:\d\d \w+ \d{4}")]
    private static partial Regex Variable();
}
