using SharpKeeper.Client;
using SharpKeeper.Protocol;

namespace SharpKeeper.UnitTests.Client;

public class ClientWatchTests : SessionHarness
{
    [Fact]
    public async Task Reconnect_sends_credentials_then_watches_then_what_waited()
    {
        (KeeperClient client, FakeServer server) = await ConnectAsync(
            options => options with { Auth = [AuthInfo.Digest("bob", "pw")] });
        SentFrame auth = await server.ReadAsync(OpCode.Auth, Cancellation);
        server.Reply(auth.Xid);
        await WatchAllAsync(client, server);
        server.Close();
        await client.WaitForStateAsync(KeeperState.Disconnected, Cancellation);
        ValueTask<Stat?> waiting = client.ExistsAsync("/later", cancellation: Cancellation);
        FakeServer next = await Transport.AcceptAsync(Cancellation);
        await next.AcceptSessionAsync(Cancellation);

        Assert.Equal(Xids.Auth, (await next.ReadAsync(OpCode.Auth, Cancellation)).Xid);
        SentFrame watches = await next.ReadAsync(OpCode.SetWatches2, Cancellation);
        Assert.Equal("/later", (await next.ReadAsync(OpCode.Exists, Cancellation)).Path());
        Assert.Equal(Xids.SetWatches, watches.Xid);
        (long zxid, string[][] lists) = ReadSetWatches(watches, 5);
        Assert.Equal(7, zxid);
        Assert.Equal(["/data /there", "/missing", "/children", "/lasting", "/deep"],
            lists.Select(list => string.Join(' ', list.Order(StringComparer.Ordinal))));
        Assert.False(waiting.IsCompleted);
    }

    [Fact]
    public async Task Reconnect_with_one_shot_watches_only_uses_the_older_packet()
    {
        (KeeperClient client, FakeServer server) = await ConnectAsync();
        await GetAsync(client, server, "/data", Watch.Default);

        (_, FakeServer next) = await ReconnectAsync(server);

        (_, string[][] lists) = ReadSetWatches(await next.ReadAsync(OpCode.SetWatches, Cancellation), 3);
        Assert.Equal(["/data"], lists[0]);
    }

    [Fact]
    public async Task Reconnect_without_watches_sets_none()
    {
        (KeeperClient client, FakeServer server) = await ConnectAsync();

        (_, FakeServer next) = await ReconnectAsync(server);
        ValueTask<Stat?> request = client.ExistsAsync("/a", cancellation: Cancellation);

        await next.ReadAsync(OpCode.Exists, Cancellation);
        Assert.False(request.IsCompleted);
    }

    [Fact]
    public async Task Reconnect_with_many_watches_cuts_them_into_packets()
    {
        (KeeperClient client, FakeServer server) = await ConnectAsync(
            options => options with { ConnectString = "one:1/root" });
        string[] paths = [.. Enumerable.Range(0, 1500).Select(i => $"/{i}" + new string('x', 245))];
        foreach (string path in paths)
            await GetAsync(client, server, path, Watch.Default);

        (_, FakeServer next) = await ReconnectAsync(server);
        var packets = new List<string[]>();
        while (packets.Sum(packet => packet.Length) < paths.Length)
            packets.Add(ReadSetWatches(await next.ReadAsync(OpCode.SetWatches, Cancellation), 3).Lists[0]);

        Assert.True(packets.Count > 1);
        Assert.All(packets, packet => Assert.InRange(packet.Sum(path => path.Length), 1, 128 * 1024 + 300));
        Assert.Equal(paths.Select(path => "/root" + path).Order(), packets.SelectMany(packet => packet).Order());
    }

    [Fact]
    public async Task Reconnect_when_setting_watches_is_refused_tries_another_server()
    {
        (KeeperClient client, FakeServer server) = await ConnectAsync();
        await GetAsync(client, server, "/data", Watch.Default);
        (_, FakeServer next) = await ReconnectAsync(server);
        SentFrame watches = await next.ReadAsync(OpCode.SetWatches, Cancellation);

        next.Reply(watches.Xid, 1, ErrorCode.MarshallingError);

        FakeServer third = await Transport.AcceptAsync(Cancellation);
        await third.AcceptSessionAsync(Cancellation);
        await third.ReadAsync(OpCode.SetWatches, Cancellation);
    }

    [Fact]
    public async Task Watch_fires_once_and_is_not_set_again()
    {
        (KeeperClient client, FakeServer server) = await ConnectAsync();
        WatchOnce watch = Watch.Once();
        await GetAsync(client, server, "/data", watch);

        server.SendEvent(WatchEventType.NodeDataChanged, "/data", 9);
        WatchedEvent fired = await watch.Fired;
        (_, FakeServer next) = await ReconnectAsync(server);
        ValueTask<Stat?> request = client.ExistsAsync("/a", cancellation: Cancellation);

        Assert.Equal(
            new WatchedEvent(WatchEventType.NodeDataChanged, KeeperState.Connected, "/data", new Zxid(9)), fired);
        await next.ReadAsync(OpCode.Exists, Cancellation);
        Assert.False(request.IsCompleted);
    }

    [Fact]
    public async Task Watch_of_a_failed_read_is_not_registered()
    {
        (KeeperClient client, FakeServer server) = await ConnectAsync();
        ValueTask<ZnodeData> read = client.GetAsync("/missing", Watch.Default, Cancellation);
        server.Reply((await server.ReadAsync(OpCode.GetData, Cancellation)).Xid, 1, ErrorCode.NoNode);
        await Assert.ThrowsAsync<NoNodeException>(async () => await read);

        (_, FakeServer next) = await ReconnectAsync(server);
        ValueTask<Stat?> request = client.ExistsAsync("/a", cancellation: Cancellation);

        await next.ReadAsync(OpCode.Exists, Cancellation);
        Assert.False(request.IsCompleted);
    }

    [Fact]
    public async Task Watch_has_fired_before_the_reply_that_shows_the_change()
    {
        (KeeperClient client, FakeServer server) = await ConnectAsync();
        WatchOnce watch = Watch.Once();
        await GetAsync(client, server, "/data", watch);
        ValueTask<ZnodeData> read = client.GetAsync("/data", cancellation: Cancellation);
        int xid = (await server.ReadAsync(OpCode.GetData, Cancellation)).Xid;

        server.SendEvent(WatchEventType.NodeDataChanged, "/data");
        server.Reply(xid, 8, body: WriteData);
        await read;

        Assert.True(watch.Fired.IsCompletedSuccessfully);
    }

    [Fact]
    public async Task Watch_callback_may_await_the_client()
    {
        (KeeperClient client, FakeServer server) = await ConnectAsync();
        var seen = new TaskCompletionSource<string?>();
        await GetAsync(client, server, "/data", Watch.Call(async watched =>
        {
            ZnodeData data = await client.GetAsync(watched.Path!);
            seen.SetResult(data.Text);
        }));

        server.SendEvent(WatchEventType.NodeDataChanged, "/data");
        server.Reply((await server.ReadAsync(OpCode.GetData, Cancellation)).Xid, 8, body: WriteData);

        Assert.Equal("abc", await seen.Task);
    }

    [Fact]
    public async Task Watch_callback_that_blocks_does_not_hold_up_replies()
    {
        (KeeperClient client, FakeServer server) = await ConnectAsync();
        using var release = new ManualResetEventSlim();
        var entered = new TaskCompletionSource();
        await GetAsync(client, server, "/data", Watch.Call(_ =>
        {
            entered.SetResult();
            release.Wait(Cancellation);
        }));
        server.SendEvent(WatchEventType.NodeDataChanged, "/data");
        await entered.Task;

        await GetAsync(client, server, "/other", null);

        release.Set();
    }

    [Fact]
    public async Task Watch_callback_that_throws_does_not_stop_the_next()
    {
        (KeeperClient client, FakeServer server) = await ConnectAsync();
        var second = new TaskCompletionSource<WatchedEvent>();
        await GetAsync(client, server, "/1", Watch.Call((Action<WatchedEvent>)(_ =>
            throw new InvalidOperationException("no"))));
        await GetAsync(client, server, "/2", Watch.Call(second.SetResult));

        server.SendEvent(WatchEventType.NodeDataChanged, "/1");
        server.SendEvent(WatchEventType.NodeDeleted, "/2");

        Assert.Equal(WatchEventType.NodeDeleted, (await second.Task).Type);
    }

    [Fact]
    public async Task Watch_set_by_several_operations_fires_once_per_event()
    {
        (KeeperClient client, FakeServer server) = await ConnectAsync();
        var events = new List<WatchedEvent>();
        var done = new TaskCompletionSource();
        Watch watch = Watch.Call(events.Add);
        await GetAsync(client, server, "/a", watch);
        await GetAsync(client, server, "/a", watch);
        await GetAsync(client, server, "/b", Watch.Call(_ => done.SetResult()));

        server.SendEvent(WatchEventType.NodeDeleted, "/a");
        server.SendEvent(WatchEventType.NodeDeleted, "/b");
        await done.Task;

        Assert.Single(events);
    }

    [Fact]
    public async Task Watch_still_set_when_the_session_ends_fires_with_the_state()
    {
        (KeeperClient client, FakeServer server) = await ConnectAsync();
        WatchOnce watch = Watch.Once();
        await GetAsync(client, server, "/a", watch);
        server.Close();
        FakeServer next = await Transport.AcceptAsync(Cancellation);

        await next.AcceptSessionAsync(Cancellation, timeoutMs: 0);

        Assert.Equal(
            new WatchedEvent(WatchEventType.None, KeeperState.Expired, null, WatchedEvent.NoZxid), await watch.Fired);
    }

    [Fact]
    public async Task WatchFired_reports_every_event_of_session_and_znodes()
    {
        (KeeperClient client, FakeServer server) = await ConnectAsync();
        var events = new List<string>();
        var last = new TaskCompletionSource();
        client.WatchFired += watched =>
        {
            events.Add(watched.ToString());
            if (watched.Path == "/unknown")
                last.SetResult();
        };
        await GetAsync(client, server, "/a", Watch.Default);

        server.SendEvent(WatchEventType.NodeDataChanged, "/a");
        (_, FakeServer next) = await ReconnectAsync(server);
        next.SendEvent(WatchEventType.NodeCreated, "/unknown");
        await last.Task;

        Assert.Equal(
            [
                "WatchedEvent state:SyncConnected type:NodeDataChanged path:/a",
                "WatchedEvent state:Disconnected type:None path:null",
                "WatchedEvent state:SyncConnected type:None path:null",
                "WatchedEvent state:SyncConnected type:NodeCreated path:/unknown",
            ], events);
    }

    [Fact]
    public async Task Chroot_is_added_to_requests_and_taken_off_replies_and_events()
    {
        (KeeperClient client, FakeServer server) = await ConnectAsync(
            options => options with { ConnectString = "one:1/app" });
        WatchOnce watch = Watch.Once();
        ValueTask<string> create =
            client.CreateAsync("/q-", mode: CreateMode.PersistentSequential, cancellation: Cancellation);
        SentFrame created = await server.ReadAsync(OpCode.Create, Cancellation);
        server.Reply(created.Xid, 1, body: output => output.WriteString("/app/q-0000000000"));
        ValueTask<IReadOnlyList<string>> list = client.GetChildrenAsync("/", watch, Cancellation);
        SentFrame listed = await server.ReadAsync(OpCode.GetChildren, Cancellation);
        server.Reply(listed.Xid, 1, body: output => output.WriteInt32(0));
        await list;
        server.SendEvent(WatchEventType.NodeChildrenChanged, "/app");

        Assert.Equal("/app/q-", created.Path());
        Assert.Equal("/q-0000000000", await create);
        Assert.Equal("/app", listed.Path());
        Assert.Equal("/", (await watch.Fired).Path);
    }

    [Fact]
    public async Task AddAuthAsync_is_answered_out_of_band()
    {
        (KeeperClient client, FakeServer server) = await ConnectAsync();
        ValueTask<ZnodeData> read = client.GetAsync("/a", cancellation: Cancellation);
        Task auth = client.AddAuthAsync(AuthInfo.Digest("bob", "pw"), Cancellation);
        int readXid = (await server.ReadAsync(OpCode.GetData, Cancellation)).Xid;
        SentFrame sent = await server.ReadAsync(OpCode.Auth, Cancellation);

        server.Reply(sent.Xid);
        await auth;
        server.Reply(Xids.Ping, 1);
        server.Reply(readXid, 1, body: WriteData);

        Assert.Equal("abc", (await read).Text);
        JuteReader body = sent.Body();
        Assert.Equal(0, body.ReadInt32());
        Assert.Equal("digest", body.ReadString());
        Assert.Equal("bob:pw"u8, body.ReadBuffer());
    }

    [Fact]
    public async Task AddAuthAsync_that_is_refused_ends_the_client()
    {
        (KeeperClient client, FakeServer server) = await ConnectAsync();
        ValueTask<ZnodeData> read = client.GetAsync("/a", cancellation: Cancellation);
        Task auth = client.AddAuthAsync(new AuthInfo("digest", default), Cancellation);
        await server.ReadAsync(OpCode.GetData, Cancellation);
        await server.ReadAsync(OpCode.Auth, Cancellation);

        server.Reply(Xids.Auth, 0, ErrorCode.AuthFailed);

        Assert.Equal(ErrorCode.AuthFailed, (await Assert.ThrowsAsync<KeeperException>(() => auth)).Code);
        Assert.Equal(ErrorCode.AuthFailed, (await Assert.ThrowsAsync<KeeperException>(async () => await read)).Code);
        Assert.Equal(KeeperState.AuthFailed, client.State);
    }

    [Fact]
    public async Task AddAuthAsync_while_disconnected_is_sent_on_the_next_connection()
    {
        KeeperClient client = Start();
        Task auth = client.AddAuthAsync(AuthInfo.Digest("bob", "pw"), Cancellation);

        FakeServer server = await Transport.AcceptAsync(Cancellation);
        await server.AcceptSessionAsync(Cancellation);
        server.Reply((await server.ReadAsync(OpCode.Auth, Cancellation)).Xid);

        await auth;
    }

    [Fact]
    public async Task WatchAsync_begins_with_a_session_event_and_tells_of_each_reconnect()
    {
        (KeeperClient client, FakeServer server) = await ConnectAsync();
        await using IAsyncEnumerator<WatchedEvent> events =
            client.WatchAsync("/a", AddWatchMode.PersistentRecursive, Cancellation).GetAsyncEnumerator(Cancellation);
        ValueTask<bool> first = events.MoveNextAsync();
        SentFrame add = await server.ReadAsync(OpCode.AddWatch, Cancellation);
        server.Reply(add.Xid, 1, body: output => output.WriteInt32(0));

        Assert.True(await first);
        Assert.Equal(WatchedEvent.ForState(KeeperState.Connected), events.Current);
        server.SendEvent(WatchEventType.NodeCreated, "/a/b/c", 5);
        Assert.True(await events.MoveNextAsync());
        Assert.Equal("/a/b/c", events.Current.Path);
        (_, FakeServer next) = await ReconnectAsync(server);
        await next.ReadAsync(OpCode.SetWatches2, Cancellation);
        Assert.True(await events.MoveNextAsync());
        Assert.Equal(WatchedEvent.ForState(KeeperState.Disconnected), events.Current);
        Assert.True(await events.MoveNextAsync());
        Assert.Equal(WatchedEvent.ForState(KeeperState.Connected), events.Current);
        next.SendEvent(WatchEventType.NodeChildrenChanged, "/a/b");
        next.SendEvent(WatchEventType.NodeDeleted, "/a");
        Assert.True(await events.MoveNextAsync());
        Assert.Equal(WatchEventType.NodeDeleted, events.Current.Type);
    }

    [Fact]
    public async Task WatchAsync_with_a_slow_reader_forgets_and_says_so()
    {
        (KeeperClient client, FakeServer server) =
            await ConnectAsync(options => options with { WatchStreamEventsMax = 3 });
        await using IAsyncEnumerator<WatchedEvent> events = await StreamAsync(client, server, "/a");
        for (int i = 0; i < 4; i++)
            server.SendEvent(WatchEventType.NodeDataChanged, "/a");
        server.SendEvent(WatchEventType.NodeDeleted, "/a");
        await GetAsync(client, server, "/other", null);

        Assert.True(await events.MoveNextAsync());
        Assert.Equal(WatchedEvent.ForState(KeeperState.Connected), events.Current);
        Assert.True(await events.MoveNextAsync());
        Assert.Equal(WatchEventType.NodeDeleted, events.Current.Type);
    }

    [Fact]
    public async Task WatchAsync_ended_removes_the_watch_when_no_other_needs_it()
    {
        (KeeperClient client, FakeServer server) = await ConnectAsync();
        IAsyncEnumerator<WatchedEvent> one = await StreamAsync(client, server, "/a");
        IAsyncEnumerator<WatchedEvent> two = await StreamAsync(client, server, "/a");

        await one.DisposeAsync();
        await GetAsync(client, server, "/other", null);
        await two.DisposeAsync();

        SentFrame remove = await server.ReadAsync(OpCode.RemoveWatches, Cancellation);
        JuteReader body = remove.Body();
        Assert.Equal("/a", body.ReadString());
        Assert.Equal((int)WatcherType.Persistent, body.ReadInt32());
    }

    [Fact]
    public async Task WatchAsync_ended_at_an_old_server_removes_all_and_sets_the_others_again()
    {
        (KeeperClient client, FakeServer server) = await ConnectAsync();
        await GetAsync(client, server, "/a", Watch.Default);
        IAsyncEnumerator<WatchedEvent> stream = await StreamAsync(client, server, "/a");

        await stream.DisposeAsync();
        server.Reply((await server.ReadAsync(OpCode.RemoveWatches, Cancellation)).Xid, 9, ErrorCode.MarshallingError);
        SentFrame any = await server.ReadAsync(OpCode.RemoveWatches, Cancellation);
        server.Reply(any.Xid, 9);

        JuteReader body = any.Body();
        Assert.Equal("/a", body.ReadString());
        Assert.Equal((int)WatcherType.Any, body.ReadInt32());
        (_, string[][] lists) = ReadSetWatches(await server.ReadAsync(OpCode.SetWatches, Cancellation), 3);
        Assert.Equal([["/a"], [], []], lists);
    }

    [Fact]
    public async Task WatchAsync_when_the_connection_breaks_before_the_answer_asks_again()
    {
        (KeeperClient client, FakeServer server) = await ConnectAsync();
        await using IAsyncEnumerator<WatchedEvent> events =
            client.WatchAsync("/a", cancellation: Cancellation).GetAsyncEnumerator(Cancellation);
        ValueTask<bool> first = events.MoveNextAsync();
        await server.ReadAsync(OpCode.AddWatch, Cancellation);

        (_, FakeServer next) = await ReconnectAsync(server);
        next.Reply((await next.ReadAsync(OpCode.AddWatch, Cancellation)).Xid, 1, body: output => output.WriteInt32(0));

        Assert.True(await first);
        Assert.True(events.Current.IsSessionEvent);
    }

    [Fact]
    public async Task WatchAsync_cancelled_before_the_answer_removes_the_watch()
    {
        (KeeperClient client, FakeServer server) = await ConnectAsync();
        using var cancelled = new CancellationTokenSource();
        IAsyncEnumerator<WatchedEvent> events =
            client.WatchAsync("/a", cancellation: cancelled.Token).GetAsyncEnumerator(CancellationToken.None);
        ValueTask<bool> first = events.MoveNextAsync();
        SentFrame add = await server.ReadAsync(OpCode.AddWatch, Cancellation);

        await cancelled.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await first);
        server.Reply(add.Xid, 1, body: output => output.WriteInt32(0));

        await server.ReadAsync(OpCode.RemoveWatches, Cancellation);
    }

    [Fact]
    public async Task WatchAsync_when_the_session_expires_reports_it_and_fails()
    {
        (KeeperClient client, FakeServer server) = await ConnectAsync();
        await using IAsyncEnumerator<WatchedEvent> events = await StreamAsync(client, server, "/a");
        server.Close();
        FakeServer next = await Transport.AcceptAsync(Cancellation);
        await next.AcceptSessionAsync(Cancellation, timeoutMs: 0);

        Assert.True(await events.MoveNextAsync());
        Assert.Equal(KeeperState.Disconnected, events.Current.State);
        Assert.True(await events.MoveNextAsync());
        Assert.Equal(KeeperState.Expired, events.Current.State);
        await Assert.ThrowsAsync<SessionExpiredException>(async () => await events.MoveNextAsync());
    }

    [Fact]
    public async Task RemoveWatchesAsync_fires_the_removed_watches()
    {
        (KeeperClient client, FakeServer server) = await ConnectAsync();
        WatchOnce watch = Watch.Once();
        await GetAsync(client, server, "/a", watch);

        ValueTask removal = client.RemoveWatchesAsync("/a", WatcherType.Data, cancellation: Cancellation);
        server.Reply((await server.ReadAsync(OpCode.RemoveWatches, Cancellation)).Xid, 1);
        await removal;

        Assert.Equal(WatchEventType.DataWatchRemoved, (await watch.Fired).Type);
        KeeperException error = await Assert.ThrowsAsync<KeeperException>(
            async () => await client.RemoveWatchesAsync("/a", WatcherType.Any, cancellation: Cancellation));
        Assert.Equal(ErrorCode.NoWatcher, error.Code);
    }

    [Fact]
    public async Task RemoveWatchesAsync_local_works_without_a_server()
    {
        (KeeperClient client, FakeServer server) = await ConnectAsync();
        WatchOnce watch = Watch.Once();
        await GetAsync(client, server, "/a", watch);
        server.Close();
        await client.WaitForStateAsync(KeeperState.Disconnected, Cancellation);

        await client.RemoveWatchesAsync("/a", WatcherType.Any, local: true, Cancellation);

        Assert.Equal(WatchEventType.DataWatchRemoved, (await watch.Fired).Type);
    }

    [Fact]
    public async Task Read_only_server_is_left_for_a_read_write_one()
    {
        KeeperClient client = Start(options => options with { ReadOnlyAllowed = true });
        FakeServer readOnly = await Transport.AcceptAsync(Cancellation);
        Assert.True((await readOnly.AcceptSessionAsync(Cancellation, sessionId: 5, readOnly: true)).ReadOnly);
        await client.WaitForStateAsync(KeeperState.ConnectedReadOnly, Cancellation);

        await Time.AdvanceToTimerAsync(TimeSpan.FromMilliseconds(100), Cancellation);
        FakeServer probe = await Transport.AcceptAsync(Cancellation);
        Assert.NotEqual(readOnly.Endpoint, probe.Endpoint);
        Assert.Equal("isro"u8.ToArray(), await probe.ReadRawAsync(Cancellation));
        probe.SendRaw("rw"u8.ToArray());

        FakeServer readWrite = await Transport.AcceptAsync(Cancellation);
        ConnectRequest request = await readWrite.AcceptSessionAsync(Cancellation, sessionId: 6);
        await client.WaitForStateAsync(KeeperState.Connected, Cancellation);
        Assert.Equal(probe.Endpoint, readWrite.Endpoint);
        Assert.Equal(0, request.SessionId);
        Assert.Equal(new SessionId(6), client.Session.Id);
    }

    private static async Task GetAsync(KeeperClient client, FakeServer server, string path, Watch? watch)
    {
        ValueTask<ZnodeData> read = client.GetAsync(path, watch, Cancellation);
        server.Reply((await server.ReadAsync(OpCode.GetData, Cancellation)).Xid, 7, body: WriteData);
        await read;
    }

    private static async Task<IAsyncEnumerator<WatchedEvent>> StreamAsync(
        KeeperClient client, FakeServer server, string path)
    {
        IAsyncEnumerator<WatchedEvent> events =
            client.WatchAsync(path, cancellation: Cancellation).GetAsyncEnumerator(Cancellation);
        ValueTask<bool> first = events.MoveNextAsync();
        server.Reply((await server.ReadAsync(OpCode.AddWatch, Cancellation)).Xid, 1, body: output =>
            output.WriteInt32(0));
        Assert.True(await first);
        return events;
    }

    private static async Task WatchAllAsync(KeeperClient client, FakeServer server)
    {
        await GetAsync(client, server, "/data", Watch.Default);
        ValueTask<Stat?> there = client.ExistsAsync("/there", Watch.Default, Cancellation);
        server.Reply((await server.ReadAsync(OpCode.Exists, Cancellation)).Xid, 7, body: SomeStat.Write);
        await there;
        ValueTask<Stat?> missing = client.ExistsAsync("/missing", Watch.Default, Cancellation);
        server.Reply((await server.ReadAsync(OpCode.Exists, Cancellation)).Xid, 7, ErrorCode.NoNode);
        await missing;
        ValueTask<IReadOnlyList<string>> children = client.GetChildrenAsync("/children", Watch.Default, Cancellation);
        server.Reply((await server.ReadAsync(OpCode.GetChildren, Cancellation)).Xid, 7, body: output =>
            output.WriteInt32(0));
        await children;
        ValueTask lasting = client.AddWatchAsync("/lasting", AddWatchMode.Persistent, cancellation: Cancellation);
        server.Reply((await server.ReadAsync(OpCode.AddWatch, Cancellation)).Xid, 7, body: output =>
            output.WriteInt32(0));
        await lasting;
        ValueTask deep = client.AddWatchAsync("/deep", AddWatchMode.PersistentRecursive, cancellation: Cancellation);
        server.Reply((await server.ReadAsync(OpCode.AddWatch, Cancellation)).Xid, 7, body: output =>
            output.WriteInt32(0));
        await deep;
    }

    private static (long Zxid, string[][] Lists) ReadSetWatches(SentFrame frame, int count)
    {
        JuteReader body = frame.Body();
        long zxid = body.ReadInt64();
        string[][] lists = new string[count][];
        for (int i = 0; i < count; i++)
        {
            lists[i] = new string[body.ReadVectorCount(4)];
            for (int j = 0; j < lists[i].Length; j++)
                lists[i][j] = body.ReadString()!;
        }
        Assert.False(body.Failed);
        Assert.Equal(0, body.Remaining);
        return (zxid, lists);
    }
}
