using SharpKeeper.Client;
using SharpKeeper.Protocol.Quorum;
using SharpKeeper.Server;
using SharpKeeper.Server.Configuration;
using SharpKeeper.Server.Testing;
using SharpKeeper.ServerTests;

namespace SharpKeeper.PeersTests;

public sealed class KeeperTestEnsembleTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Client_outlives_the_stop_of_the_leader_and_the_stopped_server_has_what_it_missed()
    {
        await using KeeperTestEnsemble ensemble = await KeeperTestEnsemble.StartAsync(
            new KeeperTestEnsembleOptions { Observers = 1 }, Cancellation);
        await using KeeperClient client = await KeeperClient.ConnectAsync(ensemble.ConnectString, Cancellation);
        await client.CreateAsync("/kept", "1", cancellation: Cancellation);
        long session = client.Session.Id.Value;
        int former = (await ensemble.FindLeaderAsync(Cancellation))!.Value;

        await ensemble.StopServerAsync(former);
        await ensemble.WaitUntilServingAsync(Cancellation);

        Assert.Equal(3, ensemble.RunningServerIds.Count);
        Assert.NotEqual(former, await ensemble.FindLeaderAsync(Cancellation));
        await RetryAsync(() => client.SetAsync("/kept", "2", cancellation: Cancellation).AsTask());
        Assert.Equal(session, client.Session.Id.Value);

        await ensemble.StartServerAsync(former, Cancellation);
        await ensemble.WaitUntilServingAsync(Cancellation);
        await using KeeperClient there = await KeeperClient.ConnectAsync(
            ensemble.ConnectStringOf(former), Cancellation);
        Assert.Equal("2", (await there.GetLatestAsync("/kept", cancellation: Cancellation)).Text);
    }

    [Fact]
    public async Task Leader_that_takes_no_clients_leads_and_saves_what_it_replayed()
    {
        await using KeeperTestEnsemble ensemble = await KeeperTestEnsemble.StartAsync(
            new KeeperTestEnsembleOptions
            {
                Configure = static it => it with { Ensemble = it.Ensemble! with { LeaderServes = false } },
            }, Cancellation);
        await using (KeeperClient client = await KeeperClient.ConnectAsync(ensemble.ConnectString, Cancellation))
            await client.CreateAsync("/kept", "1", cancellation: Cancellation);
        Dictionary<int, string[]> before = ensemble.ServerIds.ToDictionary(
            static id => id, id => Snapshots(ensemble, id));
        foreach (int id in ensemble.ServerIds)
            await ensemble.StopServerAsync(id);

        foreach (int id in ensemble.ServerIds)
            await ensemble.StartServerAsync(id, Cancellation);
        await ensemble.WaitUntilServingAsync(Cancellation);

        int leader = (await ensemble.FindLeaderAsync(Cancellation))!.Value;
        Assert.True(
            SpinWait.SpinUntil(() => Snapshots(ensemble, leader).Except(before[leader]).Any(), 30_000),
            "the leader wrote no snapshot of what it replayed");
        Assert.Equal("This ZooKeeper instance is not currently serving requests\n",
            Words.Ask(int.Parse(ensemble.ConnectStringOf(leader).Split(':')[1]), "srvr"));
    }

    [Fact]
    public async Task Restart_of_a_server_that_does_not_run_starts_it_and_a_second_start_is_refused()
    {
        await using KeeperTestEnsemble ensemble = await KeeperTestEnsemble.StartAsync(cancellationToken: Cancellation);
        string before = ensemble.ConnectString;
        await ensemble.StopServerAsync(2);
        await ensemble.StopServerAsync(2);
        Assert.Equal([1, 3], ensemble.RunningServerIds);

        await ensemble.RestartServerAsync(2, Cancellation);
        await ensemble.WaitUntilServingAsync(Cancellation);

        Assert.Equal([1, 2, 3], ensemble.RunningServerIds);
        Assert.Equal(before, ensemble.ConnectString);
        await Assert.ThrowsAsync<InvalidOperationException>(() => ensemble.StartServerAsync(2, Cancellation));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => ensemble.StopServerAsync(4));
    }

    [Fact]
    public async Task Wait_for_servers_without_a_quorum_says_who_does_not_serve()
    {
        TimeoutException timeout = await Assert.ThrowsAsync<TimeoutException>(() => KeeperTestEnsemble.StartAsync(
            new KeeperTestEnsembleOptions
            {
                ServingTimeout = TimeSpan.FromMilliseconds(100),
                Configure = static it => it with { Ensemble = WithoutOthers(it.Ensemble!) },
            }, Cancellation));
        foreach (int id in new[] { 1, 2, 3 })
            Assert.Contains($"server {id} does not serve", timeout.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Data_in_memory_is_refused_before_anything_starts()
    {
        ServerConfigurationException refused = await Assert.ThrowsAsync<ServerConfigurationException>(() =>
            KeeperTestEnsemble.StartAsync(
                new KeeperTestEnsembleOptions { Configure = static it => it with { InMemory = true } }, Cancellation));
        Assert.Contains("cannot keep everything in memory", refused.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() =>
            KeeperTestEnsemble.StartAsync(new KeeperTestEnsembleOptions { Voters = 1 }, Cancellation));
    }

    /// <summary>Settings of a server that looks for the others where nobody is.</summary>
    private static EnsembleSettings WithoutOthers(EnsembleSettings settings) => settings with
    {
        Config = new EnsembleConfig(settings.Config.Servers.Select(server => server.Id == settings.Self
            ? server : server with { Addresses = [new ServerAddress("127.0.0.1", 1, 2)] }), 0),
    };

    private static string[] Snapshots(KeeperTestEnsemble ensemble, int id) => Directory.GetFiles(
        ensemble.DataDirOf(id), "snapshot.*", SearchOption.AllDirectories);

    private static async Task RetryAsync(Func<Task> action)
    {
        while (true)
        {
            try
            {
                await action();
                return;
            }
            catch (ConnectionLossException)
            {
                Cancellation.ThrowIfCancellationRequested();
            }
        }
    }
}
