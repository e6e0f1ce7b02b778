using System.Globalization;
using System.Text;
using SharpKeeper.Client;
using SharpKeeper.CompatTests.Peers;
using SharpKeeper.Protocol;

namespace SharpKeeper.CompatTests.Client;

/// <summary>What our client does because there are several servers, of one kind or mixed.</summary>
public abstract class EnsembleClientSuite
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>A session with an ephemeral, watches and writes outlives each server that serves it.</summary>
    protected static Task SessionMovesWithAllThatBelongsToItAsync(string kinds) => Ensemble.RunAsync(
        EnsembleSetup.Of(kinds),
        async ensemble =>
        {
            await using KeeperClient client = await OpenAsync(ensemble.ConnectString);
            await using KeeperClient other = await OpenAsync(ensemble.ConnectString);
            SessionId session = client.Session.Id;
            await client.CreateAsync("/once", "0", cancellation: Cancellation);
            await client.CreateAsync("/lasting", "0", cancellation: Cancellation);
            await client.CreateAsync("/mine", "x", CreateMode.Ephemeral, Cancellation);
            var lasting = new List<WatchedEvent>();
            await client.AddWatchAsync("/lasting", AddWatchMode.Persistent, Watch.Call(lasting.Add), Cancellation);
            for (int round = 1; round <= 2; round++)
            {
                Watched<ZnodeData> once = await client.WatchDataAsync("/once", Cancellation);
                EnsembleServer serving = ServerOf(ensemble, client);
                await serving.KillAsync();
                await client.WaitForStateAsync(KeeperState.Connected, Cancellation);
                await UntilDoneAsync(() => other.SetAsync("/once", $"{round}", cancellation: Cancellation).AsTask());
                Assert.Equal(WatchEventType.NodeDataChanged, (await once.Changed.WaitAsync(Cancellation)).Type);
                Assert.Equal($"{round}", (await client.GetLatestAsync("/once", cancellation: Cancellation)).Text);
                Stat? mine = await other.ExistsLatestAsync("/mine", cancellation: Cancellation);
                Assert.Equal(session.Value, mine?.EphemeralOwner);
                await ensemble.StartAsync(serving);
            }
            int before = lasting.Count;
            await UntilDoneAsync(() => other.SetAsync("/lasting", "1", cancellation: Cancellation).AsTask());
            await client.GetLatestAsync("/lasting", cancellation: Cancellation);
            await ensemble.UntilAsync("the lasting watch to fire", _ => Task.FromResult(lasting.Count > before));
            Assert.Equal(session, client.Session.Id);
        });

    /// <summary>
    /// What one client has written, another one reads as of now at a server that is not told in time.
    /// </summary>
    protected static Task ReadsAsOfNowSeeEveryWriteAsync(string kinds) => Ensemble.RunAsync(
        EnsembleSetup.Of(kinds),
        async ensemble =>
        {
            await using KeeperClient writer = await OpenAsync(ensemble[1].ConnectString);
            await writer.CreateAsync("/counter", "0", cancellation: Cancellation);
            KeeperClient[] readers =
                await Task.WhenAll(ensemble.Servers.Select(server => OpenAsync(server.ConnectString)));
            for (int i = 1; i <= 100; i++)
            {
                string value = i.ToString(CultureInfo.InvariantCulture);
                await writer.SetAsync("/counter", value, cancellation: Cancellation);
                await writer.CreateAsync($"/c{i}", "", cancellation: Cancellation);
                foreach (KeeperClient reader in readers)
                {
                    ValueTask<Stat?> exists = reader.ExistsLatestAsync($"/c{i}", cancellation: Cancellation);
                    Assert.NotNull(await exists);
                    Assert.Equal(value, (await reader.GetLatestAsync("/counter", cancellation: Cancellation)).Text);
                    ZnodeChildren children = await reader.GetChildrenLatestAsync("/", cancellation: Cancellation);
                    Assert.Contains($"c{i}", children.Names);
                }
            }
            foreach (KeeperClient reader in readers)
                await reader.DisposeAsync();
        });

    /// <summary>
    /// Without a quorum a server serves reads to who allows it, and with one they move back by themselves.
    /// </summary>
    protected static Task ReadOnlyServerIsUsedAndLeftAgainAsync(string kinds) => Ensemble.RunAsync(
        EnsembleSetup.Of(kinds).With(("localSessionsEnabled", "true"), ("localSessionsUpgradingEnabled", "true")) with
        {
            Properties = new Dictionary<string, string> { ["readonlymode.enabled"] = "true" },
        },
        async ensemble =>
        {
            await using (KeeperClient before = await OpenAsync(ensemble.ConnectString))
            {
                await before.CreateAsync("/a", "abc", cancellation: Cancellation);
                await ensemble.SettleAsync();
            }
            await Task.WhenAll(ensemble[1].StopAsync(), ensemble[2].StopAsync());
            await ensemble.UntilAsync("server 3 to be read-only",
                async stop => (await ensemble[3].StatusAsync(stop))?.Mode == "read-only");
            await using KeeperClient client = await OpenAsync(ensemble.ConnectString, readOnlyAllowed: true);

            Assert.Equal(KeeperState.ConnectedReadOnly, client.State);
            Assert.Equal("ro", await ensemble[3].CommandAsync("isro", Cancellation));
            Assert.Equal("abc", (await client.GetAsync("/a", cancellation: Cancellation)).Text);
            KeeperException refused = await Assert.ThrowsAsync<KeeperException>(
                async () => await client.SetAsync("/a", "x", cancellation: Cancellation));
            Assert.Equal(ErrorCode.NotReadOnly, refused.Code);

            ensemble[1].Start();
            ensemble[2].Start();
            await client.WaitForStateAsync(KeeperState.Connected, Cancellation);
            await UntilDoneAsync(() => client.SetAsync("/a", "x", cancellation: Cancellation).AsTask());
        });

    /// <summary>Incremental, full and conditional changes, and each way in which they fail.</summary>
    protected static Task ReconfigurationSucceedsAndFailsByTypeAsync(string kinds) => Ensemble.RunAsync(
        EnsembleSetup.Of(kinds) with { CanReconfigure = true },
        async ensemble =>
        {
            await using KeeperClient super = await OpenAsync(ensemble[1].ConnectString, SuperUser.Auth);
            WatchOnce changed = Watch.Once();
            string first = (await super.GetConfigAsync(changed, Cancellation)).Text!;
            long version = VersionOf(first);

            await Assert.ThrowsAsync<BadVersionException>(() => ReconfigAsync(super, leaving: "3", from: version + 5));
            await FailsWithAsync(ErrorCode.BadArguments, () => ReconfigAsync(super, joining: "server.9=nonsense"));
            string[] dead = [.. Enumerable.Range(7, 3).Select(id => $"server.{id}=127.0.0.1:1:2:participant;3")];
            await Assert.ThrowsAsync<NewConfigNoQuorumException>(
                () => ReconfigAsync(super, members: string.Join(',', dead)));
            await using (KeeperClient anybody = await OpenAsync(ensemble[2].ConnectString))
                await Assert.ThrowsAsync<NoAuthException>(() => ReconfigAsync(anybody, leaving: "3"));
            Assert.False(changed.Fired.IsCompleted);

            EnsembleServer leader = await ensemble.LeaderAsync();
            EnsembleServer leaves = ensemble.Servers.First(server => server != leader && server.Id != 1);
            string second = await ReconfigAsync(super, leaving: $"{leaves.Id}", from: version);
            Assert.DoesNotContain($"server.{leaves.Id}=", second, StringComparison.Ordinal);
            WatchedEvent fired = await changed.Fired.WaitAsync(Cancellation);
            Assert.Equal((WatchEventType.NodeDataChanged, "/zookeeper/config"), (fired.Type, fired.Path));
            await Assert.ThrowsAsync<BadVersionException>(
                () => ReconfigAsync(super, joining: ensemble.ServerLine(leaves), from: version));

            string all = string.Join(',', ensemble.Servers.Select(server => ensemble.ServerLine(server)));
            string third = await ReconfigAsync(super, members: all);
            Assert.All(ensemble.Servers, server => Assert.Contains(ensemble.ServerLine(server), third.Split('\n')));
        });

    /// <summary>Servers that do not allow changes say so.</summary>
    protected static Task ReconfigurationIsDisabledAsync(string kinds) => Ensemble.RunAsync(
        EnsembleSetup.Of(kinds),
        async ensemble =>
        {
            await using KeeperClient super = await OpenAsync(ensemble.ConnectString, SuperUser.Auth);

            await Assert.ThrowsAsync<ReconfigDisabledException>(() => ReconfigAsync(super, leaving: "3"));
        });

    /// <summary>
    /// A client that follows the configuration leaves a server that leaves, and finds those that come.
    /// </summary>
    protected static Task ClientFollowsTheConfigurationAsync(string kinds) => Ensemble.RunAsync(
        EnsembleSetup.Of(kinds) with { CanReconfigure = true },
        async ensemble =>
        {
            EnsembleServer leader = await ensemble.LeaderAsync();
            EnsembleServer[] others = [.. ensemble.Servers.Where(server => server != leader)];
            await using KeeperClient super = await OpenAsync(leader.ConnectString, SuperUser.Auth);
            // The client knows one server, through the configuration all of them.
            await using var client = new KeeperClient(new KeeperClientOptions
            {
                ConnectString = others[0].ConnectString + "/",
                FollowConfig = true,
            });
            await client.CreateAsync("/mine", "x", CreateMode.Ephemeral, Cancellation);
            SessionId session = client.Session.Id;
            Assert.Equal(others[0].ConnectString, client.ConnectedServer);

            await ReconfigAsync(super, leaving: $"{others[0].Id}");
            await ensemble.UntilAsync("the client to move", _ => Task.FromResult(
                client.State == KeeperState.Connected && client.ConnectedServer != others[0].ConnectString));
            Assert.Equal(session, client.Session.Id);

            await ReconfigAsync(super, joining: ensemble.ServerLine(others[0]));
            await ReconfigAsync(super, leaving: $"{others[1].Id}");
            // The one left out may serve on as long as it likes: the client knows where it is not wanted.
            await ensemble.UntilAsync("the client to leave the second", _ => Task.FromResult(
                client.State == KeeperState.Connected && client.ConnectedServer != others[1].ConnectString));
            Stat? mine = await super.ExistsLatestAsync("/mine", cancellation: Cancellation);
            Assert.Equal(session.Value, mine?.EphemeralOwner);
        });

    private static async Task<string> ReconfigAsync(
        KeeperClient client, string? joining = null, string? leaving = null, string? members = null, long from = -1)
    {
        try
        {
            ZnodeData config = await client.ReconfigAsync(joining, leaving, members, from, Cancellation);
            return Encoding.UTF8.GetString(config.Data!);
        }
        catch (ConnectionLossException)
        {
            // A server that takes another part drops its clients, and may do so before it answers.
            await UntilDoneAsync(() => client.SyncAsync("/", Cancellation).AsTask());
            return (await client.GetConfigAsync(cancellation: Cancellation)).Text!;
        }
    }

    private static async Task FailsWithAsync(ErrorCode code, Func<Task> action) =>
        Assert.Equal(code, (await Assert.ThrowsAnyAsync<KeeperException>(action)).Code);

    private static long VersionOf(string config) => long.Parse(
        config.Split('\n').Single(line => line.StartsWith("version=", StringComparison.Ordinal))["version=".Length..],
        NumberStyles.HexNumber, CultureInfo.InvariantCulture);

    private static EnsembleServer ServerOf(Ensemble ensemble, KeeperClient client) =>
        ensemble.Servers.Single(server => server.ConnectString == client.ConnectedServer);

    /// <summary>Repeats what a lost connection leaves undecided; it may be done twice.</summary>
    private static async Task UntilDoneAsync(Func<Task> action)
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
                // The next attempt waits for the next connection.
            }
        }
    }

    private static Task<KeeperClient> OpenAsync(
        string servers, AuthInfo? auth = null, bool readOnlyAllowed = false) => KeeperClient.ConnectAsync(
            new KeeperClientOptions
            {
                ConnectString = servers,
                SessionTimeout = TimeSpan.FromSeconds(10),
                ReadOnlyAllowed = readOnlyAllowed,
                Auth = auth is null ? [] : [auth],
            }, Cancellation);
}
