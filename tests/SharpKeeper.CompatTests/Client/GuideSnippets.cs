using System.Text;
using SharpKeeper.Client;
using SharpKeeper.Protocol;

namespace SharpKeeper.CompatTests.Client;

/// <summary>
/// The examples of docs/guide/client.md, between its region marks. <see cref="ClientGuideTests"/> holds the page
/// against this file, and runs them.
/// </summary>
internal static class GuideSnippets
{
    public static async Task ConnectAsync(string connectString, CancellationToken cancellation)
    {
        #region connect
        await using KeeperClient client = await KeeperClient.ConnectAsync(new KeeperClientOptions
        {
            ConnectString = connectString,
            SessionTimeout = TimeSpan.FromSeconds(20),
        }, cancellation);

        client.StateChanged += state => Console.WriteLine($"now {state}");
        #endregion
        Assert.Equal(KeeperState.Connected, client.State);
    }

    public static async Task ReadAndWriteAsync(KeeperClient client)
    {
        #region read-write
        await client.EnsurePathAsync("/app/config");
        await client.SetAsync("/app/config", "colour=blue");

        ZnodeData config = await client.GetAsync("/app/config");
        Console.WriteLine($"version {config.Stat.Version}: {config.Text}");

        // Only if nobody else has written since; null says that somebody has.
        Stat? written =
            await client.TrySetAsync("/app/config", Encoding.UTF8.GetBytes("colour=red"), config.Stat.Version);

        // Goes with the session; the server numbers the name.
        string member = await client.CreateAsync("/app/member-", "host:1234", CreateMode.EphemeralSequential);
        IReadOnlyList<string> names = await client.GetChildrenAsync("/app");

        await client.DeleteAsync(member);
        await client.DeleteRecursiveAsync("/app");
        #endregion
        Assert.NotNull(written);
        Assert.Equal(2, names.Count);
    }

    public static async Task ReadLatestAsync(KeeperClient client, string path)
    {
        #region read-latest
        ZnodeData now = await client.GetLatestAsync(path);
        Stat? exists = await client.ExistsLatestAsync(path);
        ZnodeChildren children = await client.GetChildrenLatestAsync(path);
        #endregion
        Assert.Equal(now.Stat, exists);
        Assert.Empty(children.Names);
    }

    public static async Task WatchOnceAsync(KeeperClient client, string path)
    {
        #region watch-once
        Watched<ZnodeData> watched = await client.WatchDataAsync(path);
        Console.WriteLine(watched.Value.Text);
        WatchedEvent change = await watched.Changed;
        if (change.IsSessionEvent)
            Console.WriteLine($"the session has ended: {change.State}");
        #endregion
        Assert.Equal(WatchEventType.NodeDataChanged, change.Type);
    }

    public static async Task WatchCallbackAsync(KeeperClient client, string path, Action<string?> show)
    {
        #region watch-callback
        async Task ShowAsync(WatchedEvent change)
        {
            if (change.IsSessionEvent)
                return;
            ZnodeData now = await client.GetAsync(path, Watch.Call(ShowAsync));
            show(now.Text);
        }
        await client.GetAsync(path, Watch.Call(ShowAsync));
        #endregion
    }

    public static async Task WatchTreeAsync(
        KeeperClient client, string path, Func<Task> readAllAsync, CancellationToken cancellation)
    {
        #region watch-tree
        await foreach (WatchedEvent change in client.WatchAsync(path, AddWatchMode.PersistentRecursive, cancellation))
        {
            if (!change.IsSessionEvent)
                Console.WriteLine($"{change.Type} {change.Path}");
            else if (change.State.IsConnected())
                await readAllAsync(); // At the start, and whenever something may have been missed.
        }
        #endregion
    }

    public static async Task MultiAsync(KeeperClient client)
    {
        #region multi
        try
        {
            IReadOnlyList<MultiResult> results = await client.MultiAsync(
            [
                MultiOp.Check("/orders", version: 0),
                MultiOp.Create("/orders/o-", Encoding.UTF8.GetBytes("2 coffees"), CreateMode.PersistentSequential),
                MultiOp.Set("/orders", Encoding.UTF8.GetBytes("open")),
            ]);
            Console.WriteLine($"created {results[1].Path}, now at version {results[2].Stat!.Value.Version}");
        }
        catch (MultiException e)
        {
            Console.WriteLine($"operation {e.FailedIndex} failed with {e.Code}; nothing was changed");
        }
        #endregion
    }

    public static async Task AuthAsync(KeeperClient client)
    {
        #region auth
        await client.AddAuthAsync(AuthInfo.Digest("bob", "secret"));
        await client.CreateAsync("/private", acl:
        [
            new Acl(Permissions.All, AclIds.Digest("bob", "secret")),
            new Acl(Permissions.Read, AclIds.Ip("10.0.0.0/8")),
        ]);
        #endregion
    }

    public static async Task SeveralServersAsync(string connectString)
    {
        #region several-servers
        await using var client = new KeeperClient(new KeeperClientOptions
        {
            ConnectString = connectString,
            FollowConfig = true,
            ReadOnlyAllowed = true,
        });
        #endregion
        await client.WaitForStateAsync(KeeperState.Connected, TestContext.Current.CancellationToken);
        Assert.False(client.UpdateServers(connectString));
    }

    public static async Task ErrorsAsync(KeeperClient client)
    {
        #region errors
        try
        {
            await client.CreateAsync("/jobs/1", "payload");
        }
        catch (NodeExistsException)
        {
            // Somebody was faster.
        }
        catch (NoNodeException)
        {
            await client.EnsurePathAsync("/jobs");
        }
        catch (ConnectionLossException)
        {
            // It may or may not have been created: look before trying again.
        }
        catch (SessionExpiredException)
        {
            // The session and its ephemerals are gone: start over with a new client.
        }
        catch (KeeperException e)
        {
            Console.WriteLine($"{e.Code}: {e.Message}");
        }
        #endregion
    }
}
