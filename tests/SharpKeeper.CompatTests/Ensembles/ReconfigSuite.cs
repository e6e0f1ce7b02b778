using System.Globalization;
using SharpKeeper.Client;
using SharpKeeper.CompatTests.Peers;

namespace SharpKeeper.CompatTests.Ensembles;

/// <summary>Changes of an ensemble's members while it serves a load.</summary>
public abstract class ReconfigSuite
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>
    /// The last server joins as observer and becomes a voter; then a follower leaves, and then the leader; both come
    /// back. Requests go through a server that leads and through ones that do not.
    /// </summary>
    protected static Task MembersComeAndGoAsync(string kinds) => Ensemble.RunAsync(
        EnsembleSetup.Of(kinds) with { CanReconfigure = true, Outsiders = new HashSet<int> { kinds.Length } },
        async ensemble =>
        {
            EnsembleServer late = ensemble[kinds.Length];
            await using Load load = await Load.StartAsync(ensemble);
            await load.ProgressAsync(100);
            EnsembleServer leader = await ensemble.LeaderAsync();
            await JoinAsync(ensemble, leader, ensemble.ServerLine(late).Replace("participant", "observer"));
            await ModeIsAsync(ensemble, late, "observer");
            await load.ProgressAsync(100);
            await JoinAsync(ensemble, late, ensemble.ServerLine(late));
            await ModeIsAsync(ensemble, late, "follower");
            await load.ProgressAsync(100);

            EnsembleServer follower = ensemble.Servers.First(server => server != leader && server != late);
            await LeaveAsync(ensemble, late, follower.Id);
            await load.ProgressAsync(100);
            await LeaveAsync(ensemble, late, leader.Id);
            EnsembleServer next = await ensemble.LeaderAsync(except: leader);
            await load.ProgressAsync(100);
            await JoinAsync(ensemble, next, ensemble.ServerLine(follower), ensemble.ServerLine(leader));
            await ensemble.WaitServingAsync();
            await load.ProgressAsync(100);
            await load.StopAsync();
            await ConfigsAreEqualAsync(ensemble);
            await EnsembleChecks.AllIsEqualAsync(ensemble);
        });

    /// <summary>Members that were changed are what the servers start with afterwards.</summary>
    protected static Task MembersAreKeptAsync(string kinds) => Ensemble.RunAsync(
        EnsembleSetup.Of(kinds) with { CanReconfigure = true },
        async ensemble =>
        {
            EnsembleServer leader = await ensemble.LeaderAsync();
            EnsembleServer follower = ensemble.Servers.First(server => server != leader);
            await JoinAsync(ensemble, leader, ensemble.ServerLine(follower).Replace("participant", "observer"));
            await ModeIsAsync(ensemble, follower, "observer");
            await Task.WhenAll(ensemble.Servers.Select(server => server.StopAsync()));
            await ensemble.StartAsync();
            Assert.Equal("observer", (await follower.StatusAsync(Cancellation))?.Mode);
            await ConfigsAreEqualAsync(ensemble);
            await EnsembleChecks.AllIsEqualAsync(ensemble);
        });

    private static async Task JoinAsync(Ensemble ensemble, EnsembleServer through, params string[] joining)
    {
        string config = await ReconfigAsync(ensemble, through, string.Join(',', joining), null);
        foreach (string line in joining)
            Assert.Contains(line, config.Split('\n'));
    }

    private static async Task LeaveAsync(Ensemble ensemble, EnsembleServer through, int leaving)
    {
        string id = leaving.ToString(CultureInfo.InvariantCulture);
        string config = await ReconfigAsync(ensemble, through, null, id);
        Assert.DoesNotContain($"server.{id}=", config, StringComparison.Ordinal);
    }

    private static async Task<string> ReconfigAsync(
        Ensemble ensemble, EnsembleServer through, string? joining, string? leaving)
    {
        await using KeeperClient client = await OpenAsync(through);
        string config;
        try
        {
            config = (await client.ReconfigAsync(joining, leaving, null, cancellation: Cancellation)).Text!;
        }
        catch (ConnectionLossException)
        {
            // A server that takes another part drops its clients, and may do so before it answers.
            await client.SyncAsync("/", Cancellation);
            config = (await client.GetConfigAsync(cancellation: Cancellation)).Text!;
        }
        await ensemble.WaitServingAsync();
        return config;
    }

    private static Task ModeIsAsync(Ensemble ensemble, EnsembleServer server, string mode) => ensemble.UntilAsync(
        $"server {server.Id} to be {mode}", async stop => (await server.StatusAsync(stop))?.Mode == mode);

    private static async Task ConfigsAreEqualAsync(Ensemble ensemble)
    {
        var texts = new HashSet<string>();
        foreach (EnsembleServer server in ensemble.Servers.Where(server => server.IsRunning))
        {
            await using KeeperClient client = await OpenAsync(server);
            await client.SyncAsync("/", Cancellation);
            string text = (await client.GetConfigAsync(cancellation: Cancellation)).Text!;
            texts.Add(string.Join('\n', text.Split('\n').Order(StringComparer.Ordinal)));
        }
        Assert.Single(texts);
    }

    private static Task<KeeperClient> OpenAsync(EnsembleServer server) => KeeperClient.ConnectAsync(
        new KeeperClientOptions { ConnectString = server.ConnectString, Auth = [SuperUser.Auth] }, Cancellation);
}
