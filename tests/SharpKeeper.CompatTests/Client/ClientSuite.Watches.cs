using SharpKeeper.Client;
using SharpKeeper.Protocol;

namespace SharpKeeper.CompatTests.Client;

public abstract partial class ClientSuite
{
    /// <summary>A change of a znode or its child, and what each kind of watch on the znode says to it.</summary>
    public static TheoryData<string, string, string, string> Triggers => new()
    {
        { "create", "exists:NodeCreated", "", "NodeCreated" },
        { "set", "data:NodeDataChanged exists:NodeDataChanged", "", "NodeDataChanged" },
        { "delete", "data:NodeDeleted exists:NodeDeleted children:NodeDeleted", "", "NodeDeleted" },
        { "createChild", "children:NodeChildrenChanged", "child:NodeCreated", "NodeChildrenChanged" },
        { "setChild", "", "child:NodeDataChanged", "" },
        { "deleteChild", "children:NodeChildrenChanged", "child:NodeDeleted", "NodeChildrenChanged" },
        { "setAcl", "", "", "" },
    };

    [Theory]
    [MemberData(nameof(Triggers))]
    public async Task One_shot_watches_fire_as_the_trigger_table_says(
        string change, string oneShot, string recursive, string persistent)
    {
        _ = recursive + persistent;
        await PrepareAsync(change);
        KeeperClient watcher = await ConnectAsync();
        var watches = new Dictionary<string, WatchOnce>
        {
            ["data"] = Watch.Once(),
            ["exists"] = Watch.Once(),
            ["children"] = Watch.Once(),
        };
        await watcher.ExistsAsync(At("x"), watches["exists"], Cancellation);
        if (change != "create")
        {
            await watcher.GetAsync(At("x"), watches["data"], Cancellation);
            await watcher.GetChildrenAsync(At("x"), watches["children"], Cancellation);
        }

        await MakeAsync(change);
        await watcher.SyncAsync(Home, Cancellation);

        IEnumerable<string> fired = watches.Where(watch => watch.Value.Fired.IsCompleted)
            .Select(watch => $"{watch.Key}:{watch.Value.Fired.Result.Type}");
        Assert.Equal(oneShot.Split(' ', StringSplitOptions.RemoveEmptyEntries).Order(), fired.Order());
        Assert.All(watches.Values.Where(watch => watch.Fired.IsCompleted),
            watch => Assert.Equal(At("x"), watch.Fired.Result.Path));
    }

    [Theory]
    [MemberData(nameof(Triggers))]
    public async Task Persistent_watch_fires_as_the_trigger_table_says_every_time(
        string change, string oneShot, string recursive, string persistent)
    {
        _ = oneShot + recursive;
        await PrepareAsync(change);
        KeeperClient watcher = await ConnectAsync();
        await using IAsyncEnumerator<WatchedEvent> events =
            await StreamAsync(watcher, At("x"), AddWatchMode.Persistent);

        for (int round = 0; round < 2; round++)
        {
            await MakeAsync(change);
            if (persistent.Length > 0)
                Assert.Equal($"{persistent} {At("x")}", await NextAsync(events));
            await UndoAsync(change, events);
        }
    }

    [Theory]
    [MemberData(nameof(Triggers))]
    public async Task Recursive_watch_fires_as_the_trigger_table_says(
        string change, string oneShot, string recursive, string persistent)
    {
        _ = oneShot;
        await PrepareAsync(change);
        KeeperClient watcher = await ConnectAsync();
        await using IAsyncEnumerator<WatchedEvent> events =
            await StreamAsync(watcher, At("x"), AddWatchMode.PersistentRecursive);

        await MakeAsync(change);
        await Client.CreateAsync(At("x2"), cancellation: Cancellation);
        await Client.TryCreateAsync(At("x"), cancellation: Cancellation);
        await Client.CreateAsync(At("x/end"), cancellation: Cancellation);

        var seen = new List<string>();
        while (seen.Count == 0 || seen[^1] != $"NodeCreated {At("x/end")}")
            seen.Add(await NextAsync(events));
        var expected = new List<string>();
        if (recursive.Length > 0)
            expected.Add($"{recursive.Split(':')[1]} {At("x/c")}");
        else if (persistent.Length > 0)
            expected.Add($"{persistent} {At("x")}");
        if (change == "delete")
            expected.Add($"NodeCreated {At("x")}");
        expected.Add($"NodeCreated {At("x/end")}");
        Assert.Equal(expected, seen);
    }

    [Fact]
    public async Task Watch_of_ones_own_change_fires_before_the_reply()
    {
        await Client.CreateAsync(At("a"), cancellation: Cancellation);
        Watched<ZnodeData> watched = await Client.WatchDataAsync(At("a"), Cancellation);

        await Client.SetAsync(At("a"), "x", cancellation: Cancellation);

        Assert.True(watched.Changed.IsCompletedSuccessfully);
    }

    [Fact]
    public async Task Watch_of_a_read_that_fails_is_not_set()
    {
        WatchOnce watch = Watch.Once();
        await ThrowsAsync<NoNodeException>(
            ErrorCode.NoNode, async () => await Client.GetAsync(At("a"), watch, Cancellation));

        await Client.CreateAsync(At("a"), cancellation: Cancellation);

        Assert.False(watch.Fired.IsCompleted);
        Assert.False(await Client.CheckWatchesAsync(At("a"), WatcherType.Any, Cancellation));
    }

    [Fact]
    public async Task Watches_on_the_helpers_report_what_has_changed()
    {
        Watched<Stat?> missing = await Client.WatchExistsAsync(At("a"), Cancellation);
        Watched<ZnodeChildren> children = await Client.WatchChildrenAsync(Home, Cancellation);

        await Client.CreateAsync(At("a"), cancellation: Cancellation);

        Assert.Null(missing.Value);
        Assert.Empty(children.Value.Names);
        Assert.Equal(WatchEventType.NodeCreated, (await missing.Changed).Type);
        Assert.Equal(WatchEventType.NodeChildrenChanged, (await children.Changed).Type);
    }

    [Fact]
    public async Task Watch_callbacks_run_in_the_order_of_the_changes()
    {
        var seen = new List<string>();
        var done = new TaskCompletionSource();
        for (int i = 0; i < 100; i++)
        {
            await Client.ExistsAsync(At($"{i}"), Watch.Call(watched =>
            {
                seen.Add(watched.Path!);
                if (seen.Count == 100)
                    done.SetResult();
            }), Cancellation);
        }
        KeeperClient other = await ConnectAsync();

        for (int i = 0; i < 100; i++)
            await other.CreateAsync(At($"{i}"), cancellation: Cancellation);
        await done.Task.WaitAsync(Cancellation);

        Assert.Equal(Enumerable.Range(0, 100).Select(i => At($"{i}")), seen);
    }

    [Fact]
    public async Task Watch_callback_can_set_itself_again_and_read()
    {
        await Client.CreateAsync(At("a"), "0", cancellation: Cancellation);
        KeeperClient watcher = await ConnectAsync();
        var done = new TaskCompletionSource<string>();
        async Task OnChangeAsync(WatchedEvent watched)
        {
            ZnodeData data = await watcher.GetAsync(At("a"), Watch.Call(OnChangeAsync), Cancellation);
            if (data.Text == "20")
                done.SetResult(data.Text);
        }
        await watcher.GetAsync(At("a"), Watch.Call(OnChangeAsync), Cancellation);

        for (int i = 1; i <= 20; i++)
            await Client.SetAsync(At("a"), $"{i}", cancellation: Cancellation);

        Assert.Equal("20", await done.Task.WaitAsync(Cancellation));
    }

    [Fact]
    public async Task WatchFired_reports_watches_nobody_waits_for()
    {
        var seen = new TaskCompletionSource<WatchedEvent>();
        Client.WatchFired += watched => seen.TrySetResult(watched);
        await Client.ExistsAsync(At("a"), Watch.Default, Cancellation);

        await Client.CreateAsync(At("a"), cancellation: Cancellation);

        Assert.Equal($"WatchedEvent state:SyncConnected type:NodeCreated path:{At("a")}",
            (await seen.Task.WaitAsync(Cancellation)).ToString());
    }

    [Fact]
    public async Task RemoveWatchesAsync_takes_the_watch_off_the_server()
    {
        await Client.CreateAsync(At("a"), cancellation: Cancellation);
        WatchOnce data = Watch.Once();
        WatchOnce children = Watch.Once();
        await Client.GetAsync(At("a"), data, Cancellation);
        await Client.GetChildrenAsync(At("a"), children, Cancellation);
        Assert.True(await Client.CheckWatchesAsync(At("a"), WatcherType.Data, Cancellation));

        await Client.RemoveWatchesAsync(At("a"), WatcherType.Data, cancellation: Cancellation);

        Assert.Equal(WatchEventType.DataWatchRemoved, (await data.Fired).Type);
        Assert.False(children.Fired.IsCompleted);
        Assert.False(await Client.CheckWatchesAsync(At("a"), WatcherType.Data, Cancellation));
        Assert.True(await Client.CheckWatchesAsync(At("a"), WatcherType.Children, Cancellation));
        await ThrowsAsync<KeeperException>(ErrorCode.NoWatcher, async () =>
            await Client.RemoveWatchesAsync(At("a"), WatcherType.Data, cancellation: Cancellation));
    }

    [Theory]
    [InlineData(AddWatchMode.Persistent, WatcherType.Persistent)]
    [InlineData(AddWatchMode.PersistentRecursive, WatcherType.PersistentRecursive)]
    public async Task RemoveWatchesAsync_of_a_lasting_watch_ends_its_stream(AddWatchMode mode, WatcherType type)
    {
        await using IAsyncEnumerator<WatchedEvent> events = await StreamAsync(Client, At("a"), mode);

        await Client.RemoveWatchesAsync(At("a"), type, cancellation: Cancellation);

        Assert.True(await events.MoveNextAsync());
        Assert.Equal(WatchEventType.PersistentWatchRemoved, events.Current.Type);
        Assert.False(await events.MoveNextAsync());
        Assert.False(await Client.CheckWatchesAsync(At("a"), WatcherType.Any, Cancellation));
    }

    [Fact]
    public async Task WatchAsync_left_by_its_reader_is_removed_at_the_server()
    {
        await foreach (WatchedEvent first in Client.WatchAsync(At("a"), cancellation: Cancellation))
        {
            Assert.True(first.IsSessionEvent);
            break;
        }

        // The removal is under way; whether it takes one request or two, it ends.
        while (await Client.CheckWatchesAsync(At("a"), WatcherType.Any, Cancellation))
            await Client.SyncAsync(Home, Cancellation);
    }

    [Fact]
    public async Task WatchAsync_with_a_chroot_reports_paths_below_it()
    {
        KeeperClient inner = await ConnectAsync(Home);
        await using IAsyncEnumerator<WatchedEvent> events =
            await StreamAsync(inner, "/", AddWatchMode.PersistentRecursive);

        await Client.CreateAsync(At("a"), cancellation: Cancellation);

        Assert.Equal("NodeCreated /a", await NextAsync(events));
    }

    private static async Task<IAsyncEnumerator<WatchedEvent>> StreamAsync(
        KeeperClient client, string path, AddWatchMode mode)
    {
        IAsyncEnumerator<WatchedEvent> events = client.WatchAsync(path, mode).GetAsyncEnumerator(Cancellation);
        Assert.True(await events.MoveNextAsync());
        Assert.True(events.Current.IsSessionEvent);
        return events;
    }

    private static async Task<string> NextAsync(IAsyncEnumerator<WatchedEvent> events)
    {
        Assert.True(await events.MoveNextAsync());
        return $"{events.Current.Type} {events.Current.Path}";
    }

    private async Task PrepareAsync(string change)
    {
        if (change != "create")
            await Client.CreateAsync(At("x"), cancellation: Cancellation);
        if (change is "setChild" or "deleteChild")
            await Client.CreateAsync(At("x/c"), cancellation: Cancellation);
    }

    private async Task MakeAsync(string change)
    {
        switch (change)
        {
            case "create":
                await Client.CreateAsync(At("x"), cancellation: Cancellation);
                break;
            case "set":
                await Client.SetAsync(At("x"), "new", cancellation: Cancellation);
                break;
            case "delete":
                await Client.DeleteAsync(At("x"), cancellation: Cancellation);
                break;
            case "createChild":
                await Client.CreateAsync(At("x/c"), cancellation: Cancellation);
                break;
            case "setChild":
                await Client.SetAsync(At("x/c"), "new", cancellation: Cancellation);
                break;
            case "deleteChild":
                await Client.DeleteAsync(At("x/c"), cancellation: Cancellation);
                break;
            case "setAcl":
                await Client.SetAclAsync(At("x"), Acl.OpenUnsafe, cancellation: Cancellation);
                break;
        }
    }

    private async Task UndoAsync(string change, IAsyncEnumerator<WatchedEvent> events)
    {
        string? undone = change switch
        {
            "create" => "NodeDeleted",
            "delete" => "NodeCreated",
            "createChild" or "deleteChild" => "NodeChildrenChanged",
            _ => null,
        };
        if (undone is null)
            return;
        await MakeAsync(change switch
        {
            "create" => "delete",
            "delete" => "create",
            "createChild" => "deleteChild",
            _ => "createChild",
        });
        Assert.Equal($"{undone} {At("x")}", await NextAsync(events));
    }
}
