using SharpKeeper.Client;
using SharpKeeper.CompatTests.Peers;
using SharpKeeper.Protocol;

namespace SharpKeeper.CompatTests.Client;

public abstract partial class ClientSuite
{
    [Fact]
    public async Task Connection_cut_is_resumed_and_ephemerals_stay()
    {
        await using CutProxy proxy = CutProxy.Start(ConnectString);
        KeeperClient client = await ConnectThroughAsync(proxy);
        await client.CreateAsync(At("e"), mode: CreateMode.Ephemeral, cancellation: Cancellation);
        SessionId session = client.Session.Id;
        Task disconnected = client.WaitForStateAsync(KeeperState.Disconnected, Cancellation);

        proxy.Cut();
        await disconnected;
        Stat? stat = await client.ExistsAsync(At("e"), cancellation: Cancellation);

        Assert.Equal(session, client.Session.Id);
        Assert.Equal(session.Value, stat!.Value.EphemeralOwner);
        Assert.Equal(KeeperState.Connected, client.State);
    }

    [Fact]
    public async Task Connection_cut_with_requests_under_way_loses_no_confirmed_write()
    {
        await using CutProxy proxy = CutProxy.Start(ConnectString);
        KeeperClient client = await ConnectThroughAsync(proxy);
        await client.CreateAsync(At("n"), cancellation: Cancellation);
        var confirmed = 0;
        for (int round = 0; round < 5; round++)
        {
            Task<Stat>[] sets =
            [
                .. Enumerable.Range(0, 500).Select(
                    _ => client.SetAsync(At("n"), "x", cancellation: Cancellation).AsTask())
            ];
            await sets[100];
            Task disconnected = client.WaitForStateAsync(KeeperState.Disconnected, Cancellation);
            proxy.Cut();
            await disconnected;
            foreach (Task<Stat> set in sets)
            {
                try
                {
                    confirmed = Math.Max(confirmed, (await set).Version);
                }
                catch (ConnectionLossException)
                {
                    // Carried out or not: nobody knows, and nobody was told so.
                }
            }
        }

        Assert.InRange((await client.GetAsync(At("n"), cancellation: Cancellation)).Stat.Version, confirmed, 2500);
    }

    [Fact]
    public async Task Watches_missed_while_disconnected_fire_after_the_reconnect()
    {
        await using CutProxy proxy = CutProxy.Start(ConnectString);
        KeeperClient client = await ConnectThroughAsync(proxy);
        foreach (string name in (string[])["set", "delete", "children", "kept"])
            await Client.CreateAsync(At(name), cancellation: Cancellation);
        Watched<ZnodeData> set = await client.WatchDataAsync(At("set"), Cancellation);
        Watched<ZnodeData> delete = await client.WatchDataAsync(At("delete"), Cancellation);
        Watched<ZnodeChildren> children = await client.WatchChildrenAsync(At("children"), Cancellation);
        Watched<Stat?> create = await client.WatchExistsAsync(At("create"), Cancellation);
        Watched<ZnodeData> kept = await client.WatchDataAsync(At("kept"), Cancellation);
        await DisconnectAsync(proxy, client);

        await Client.SetAsync(At("set"), "x", cancellation: Cancellation);
        await Client.DeleteAsync(At("delete"), cancellation: Cancellation);
        await Client.CreateAsync(At("children/c"), cancellation: Cancellation);
        await Client.CreateAsync(At("create"), cancellation: Cancellation);
        proxy.Refuse(false);
        await client.SyncAsync(Home, Cancellation);

        Assert.Equal(WatchEventType.NodeDataChanged, (await set.Changed).Type);
        Assert.Equal(WatchEventType.NodeDeleted, (await delete.Changed).Type);
        Assert.Equal(WatchEventType.NodeChildrenChanged, (await children.Changed).Type);
        Assert.Equal(WatchEventType.NodeCreated, (await create.Changed).Type);
        Assert.False(kept.Changed.IsCompleted);
        await Client.SetAsync(At("kept"), "x", cancellation: Cancellation);
        Assert.Equal(At("kept"), (await kept.Changed.WaitAsync(Cancellation)).Path);
    }

    [Fact]
    public async Task WatchAsync_goes_on_after_a_reconnect()
    {
        await using CutProxy proxy = CutProxy.Start(ConnectString);
        KeeperClient client = await ConnectThroughAsync(proxy);
        await using IAsyncEnumerator<WatchedEvent> events =
            await StreamAsync(client, Home, AddWatchMode.PersistentRecursive);

        proxy.Cut();
        Assert.True(await events.MoveNextAsync());
        Assert.Equal(KeeperState.Disconnected, events.Current.State);
        Assert.True(await events.MoveNextAsync());
        Assert.Equal(KeeperState.Connected, events.Current.State);
        // The session event comes when the watch is on its way to the server; a reply says that it is there.
        await client.SyncAsync(Home, Cancellation);
        await Client.CreateAsync(At("a"), cancellation: Cancellation);

        Assert.Equal($"NodeCreated {At("a")}", await NextAsync(events));
    }

    [Fact]
    public async Task Thousands_of_watches_survive_a_reconnect()
    {
        await using CutProxy proxy = CutProxy.Start(ConnectString);
        KeeperClient client = await ConnectThroughAsync(proxy);
        string suffix = new('x', 180);
        WatchOnce[] watches = [.. Enumerable.Range(0, 3000).Select(_ => Watch.Once())];
        await Task.WhenAll(watches.Select(
            (watch, i) => client.ExistsAsync(At($"{i}{suffix}"), watch, Cancellation).AsTask()));
        await DisconnectAsync(proxy, client);
        proxy.Refuse(false);
        await client.SyncAsync(Home, Cancellation);

        await Client.CreateAsync(At($"0{suffix}"), cancellation: Cancellation);
        await Client.CreateAsync(At($"2999{suffix}"), cancellation: Cancellation);

        await watches[0].Fired.WaitAsync(Cancellation);
        await watches[2999].Fired.WaitAsync(Cancellation);
        Assert.Equal(2998, watches.Count(watch => !watch.Fired.IsCompleted));
    }

    [Fact]
    public async Task Credentials_are_sent_again_after_a_reconnect()
    {
        await using CutProxy proxy = CutProxy.Start(ConnectString);
        KeeperClient client = await ConnectThroughAsync(proxy);
        await client.AddAuthAsync(AuthInfo.Digest("al", "pw"), Cancellation);
        await client.CreateAsync(At("mine"), acl: Acl.CreatorAll, cancellation: Cancellation);

        await DisconnectAsync(proxy, client);
        proxy.Refuse(false);

        Assert.Null((await client.GetAsync(At("mine"), cancellation: Cancellation)).Data);
    }

    [Fact]
    public async Task Session_taken_over_and_closed_expires_here()
    {
        await using CutProxy proxy = CutProxy.Start(ConnectString);
        KeeperClient client = await ConnectThroughAsync(proxy);
        await client.CreateAsync(At("e"), mode: CreateMode.Ephemeral, cancellation: Cancellation);
        Watched<Stat?> watched = await client.WatchExistsAsync(At("e"), Cancellation);
        await DisconnectAsync(proxy, client);

        KeeperClient heir = await ConnectAsync(change: options => options with { Session = client.Session });
        Assert.Equal(client.Session.Id, heir.Session.Id);
        await heir.CloseAsync();
        ValueTask<Stat?> waiting = client.ExistsAsync(At("e"), cancellation: Cancellation);
        proxy.Refuse(false);

        await ThrowsAsync<SessionExpiredException>(ErrorCode.SessionExpired, async () => await waiting);
        Assert.Equal(KeeperState.Expired, client.State);
        Assert.Equal(KeeperState.Expired, (await watched.Changed).State);
        Assert.Null(await Client.ExistsAsync(At("e"), cancellation: Cancellation));
    }

    [Fact]
    public async Task Session_with_a_wrong_password_is_refused()
    {
        var stranger = new KeeperSession(Client.Session.Id, new byte[16]);

        await ThrowsAsync<SessionExpiredException>(ErrorCode.SessionExpired,
            () => ConnectAsync(change: options => options with { Session = stranger }));
    }

    [Fact]
    public async Task Silent_network_is_noticed_and_left()
    {
        await using CutProxy proxy = CutProxy.Start(ConnectString);
        KeeperClient client = await ConnectThroughAsync(proxy, TimeSpan.FromSeconds(4));
        SessionId session = client.Session.Id;

        proxy.Stall();
        await client.WaitForStateAsync(KeeperState.Disconnected, Cancellation);
        proxy.Resume();
        await client.WaitForStateAsync(KeeperState.Connected, Cancellation);

        Assert.Equal(session, client.Session.Id);
    }

    [Fact]
    public async Task Request_cancelled_while_disconnected_stops_waiting()
    {
        await using CutProxy proxy = CutProxy.Start(ConnectString);
        KeeperClient client = await ConnectThroughAsync(proxy);
        await DisconnectAsync(proxy, client);
        using var cancelled = new CancellationTokenSource();
        ValueTask<string> create = client.CreateAsync(At("never"), cancellation: cancelled.Token);

        await cancelled.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await create);
        proxy.Refuse(false);
        Assert.Null(await client.ExistsAsync(At("never"), cancellation: Cancellation));
    }

    private Task<KeeperClient> ConnectThroughAsync(CutProxy proxy, TimeSpan? timeout = null) =>
        ConnectAsync(change: options => options with
        {
            ConnectString = proxy.ConnectString,
            SessionTimeout = timeout ?? options.SessionTimeout,
            ReconnectDelayMax = TimeSpan.FromMilliseconds(50),
        });

    private static async Task DisconnectAsync(CutProxy proxy, KeeperClient client)
    {
        Task disconnected = client.WaitForStateAsync(KeeperState.Disconnected, Cancellation);
        proxy.Refuse(true);
        proxy.Cut();
        await disconnected;
    }
}
