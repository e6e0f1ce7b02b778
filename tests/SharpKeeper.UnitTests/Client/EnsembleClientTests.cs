using SharpKeeper.Client;
using SharpKeeper.Protocol;

namespace SharpKeeper.UnitTests.Client;

/// <summary>What a client does because there are several servers.</summary>
public class EnsembleClientTests : SessionHarness
{
    private const string Config = """
        server.1=10.0.0.1:2888:3888:participant;0.0.0.0:2181
        server.2=[::1]:2888:3888|10.1.0.2:2888:3888:participant;2182
        server.3=10.0.0.3:2888:3888:observer;three:2183
        server.4=10.0.0.4:2888:3888:participant
        version=100000004
        """;

    [Fact]
    public async Task Connection_lost_is_resumed_at_the_next_server_at_once()
    {
        (KeeperClient client, FakeServer server) = await ConnectAsync(
            options => options with { ReconnectDelayMax = TimeSpan.FromSeconds(1) });

        (ConnectRequest request, FakeServer next) = await ReconnectAsync(server);
        await client.WaitForStateAsync(KeeperState.Connected, Cancellation);

        Assert.Equal(FakeServer.SessionId, request.SessionId);
        Assert.NotEqual(server.Endpoint, next.Endpoint);
    }

    [Fact]
    public async Task Connection_lost_when_all_servers_fail_waits_before_the_next_round()
    {
        (_, FakeServer server) = await ConnectAsync(
            options => options with { ReconnectDelayMax = TimeSpan.FromSeconds(1) });
        server.Close();
        (await Transport.NextAsync(Cancellation)).Refuse();
        (await Transport.NextAsync(Cancellation)).Refuse();

        ValueTask<FakeTransport.Attempt> third = Transport.NextAsync(Cancellation);
        await Time.AdvanceToTimerAsync(TimeSpan.FromMilliseconds(50), Cancellation);

        Assert.NotNull(await third);
    }

    [Fact]
    public async Task Connection_refused_by_a_server_that_is_behind_goes_to_the_next_with_the_same_session()
    {
        (KeeperClient client, FakeServer server) = await ConnectAsync(
            options => options with { ConnectString = "one:1,two:2,three:3" });
        ValueTask<Stat?> exists = client.ExistsAsync("/a", cancellation: Cancellation);
        server.Reply((await server.ReadAsync(OpCode.Exists, Cancellation)).Xid, 0x500000007, ErrorCode.NoNode);
        await exists;
        server.Close();
        FakeServer behind = await Transport.AcceptAsync(Cancellation);
        await behind.ReadAsync(Cancellation);
        behind.Close();

        FakeServer ahead = await Transport.AcceptAsync(Cancellation);
        ConnectRequest request = await ahead.AcceptSessionAsync(Cancellation);

        Assert.Equal((0x500000007, FakeServer.SessionId), (request.LastZxidSeen, request.SessionId));
        Assert.Equal(3, new[] { server.Endpoint, behind.Endpoint, ahead.Endpoint }.Distinct().Count());
    }

    [Fact]
    public async Task Read_only_server_is_left_for_a_read_write_one_when_what_is_under_way_is_answered()
    {
        (KeeperClient client, FakeServer readOnly) = await ConnectReadOnlyAsync();
        Task<Stat?> exists = client.ExistsAsync("/a", cancellation: Cancellation).AsTask();
        SentFrame request = await readOnly.ReadAsync(OpCode.Exists, Cancellation);
        FakeServer asked = await AskedAsync();
        asked.SendRaw("rw"u8.ToArray());
        // The probe has its answer; the client stays until its own request has one too.
        readOnly.Reply(request.Xid, 1, ErrorCode.NoNode);
        Assert.Null(await exists);

        FakeServer readWrite = await Transport.AcceptAsync(Cancellation);
        ConnectRequest resumed = await readWrite.AcceptSessionAsync(Cancellation, sessionId: 99);
        await client.WaitForStateAsync(KeeperState.Connected, Cancellation);

        Assert.Equal(asked.Endpoint, readWrite.Endpoint);
        Assert.Equal((0L, true), (resumed.SessionId, resumed.ReadOnly!.Value));
        Assert.Equal(new SessionId(99), client.Session.Id);
    }

    [Fact]
    public async Task Read_only_server_is_kept_while_the_others_are_read_only_too()
    {
        (KeeperClient client, _) = await ConnectReadOnlyAsync();

        (await AskedAsync()).SendRaw("ro"u8.ToArray());
        FakeServer again = await AskedAsync();

        Assert.Equal(KeeperState.ConnectedReadOnly, client.State);
        again.SendRaw("rw"u8.ToArray());
        await (await Transport.AcceptAsync(Cancellation)).AcceptSessionAsync(Cancellation);
        await client.WaitForStateAsync(KeeperState.Connected, Cancellation);
    }

    [Fact]
    public async Task UpdateServers_without_the_current_one_moves_when_all_is_answered()
    {
        (KeeperClient client, FakeServer old) = await ConnectAsync();
        Task<ZnodeData> before = client.GetAsync("/a", cancellation: Cancellation).AsTask();
        SentFrame request = await old.ReadAsync(OpCode.GetData, Cancellation);

        Assert.True(client.UpdateServers("three:3"));
        Task<ZnodeData> meanwhile = client.GetAsync("/b", cancellation: Cancellation).AsTask();
        Assert.True(old.IsQuiet);
        old.Reply(request.Xid, 7, body: WriteData);
        FakeServer next = await Transport.AcceptAsync(Cancellation);
        ConnectRequest resumed = await next.AcceptSessionAsync(Cancellation);
        SentFrame late = await next.ReadAsync(OpCode.GetData, Cancellation);
        next.Reply(late.Xid, 7, body: WriteData);

        Assert.Equal("abc", (await before).Text);
        Assert.Equal("abc", (await meanwhile).Text);
        Assert.Equal("/b", late.Path());
        Assert.Equal(("three", FakeServer.SessionId), (next.Endpoint.Host, resumed.SessionId));
    }

    [Fact]
    public async Task UpdateServers_while_a_request_stays_unanswered_moves_at_the_next_heartbeat()
    {
        (KeeperClient client, FakeServer old) = await ConnectAsync();
        Task<ZnodeData> read = client.GetAsync("/a", cancellation: Cancellation).AsTask();
        await old.ReadAsync(OpCode.GetData, Cancellation);

        Assert.True(client.UpdateServers("three:3"));
        Time.Advance(TimeSpan.FromSeconds(10));

        await (await Transport.AcceptAsync(Cancellation)).AcceptSessionAsync(Cancellation);
        await Assert.ThrowsAsync<ConnectionLossException>(() => read);
    }

    [Fact]
    public async Task UpdateServers_with_the_current_one_and_no_more_stays()
    {
        (KeeperClient client, FakeServer server) = await ConnectAsync();

        Assert.False(client.UpdateServers(server.Endpoint.ToString()));

        Task<ZnodeData> read = client.GetAsync("/a", cancellation: Cancellation).AsTask();
        server.Reply((await server.ReadAsync(OpCode.GetData, Cancellation)).Xid, 7, body: WriteData);
        Assert.Equal("abc", (await read).Text);
    }

    [Fact]
    public async Task UpdateServers_while_moving_lets_CloseAsync_end_the_session()
    {
        (KeeperClient client, FakeServer old) = await ConnectAsync();
        _ = client.GetAsync("/a", cancellation: Cancellation).AsTask();
        await old.ReadAsync(OpCode.GetData, Cancellation);
        Assert.True(client.UpdateServers("three:3"));

        Task closing = client.CloseAsync();

        SentFrame goodbye = await old.ReadAsync(OpCode.CloseSession, Cancellation);
        old.Close();
        await closing;
        Assert.Equal(OpCode.CloseSession, goodbye.Op);
    }

    [Theory]
    [InlineData("three:3/other")]
    [InlineData("three:x")]
    [InlineData("")]
    public void UpdateServers_with_a_wrong_list_is_refused(string list)
    {
        KeeperClient client = Start(options => options with { ConnectString = "one:1/app" });

        Assert.Throws<ArgumentException>(() => client.UpdateServers(list));
    }

    [Fact]
    public async Task FollowConfig_takes_the_servers_from_the_configuration_and_from_each_change_of_it()
    {
        (KeeperClient client, FakeServer server) = await ConnectAsync(
            options => options with { FollowConfig = true, ConnectString = "one:1/app" });
        await AnswerConfigAsync(server, Config);
        FakeServer next = await Transport.AcceptAsync(Cancellation);
        await next.AcceptSessionAsync(Cancellation);

        // The watch goes along to the next server, outside the chroot.
        JuteReader watches = (await next.ReadAsync(OpCode.SetWatches, Cancellation)).Body();
        watches.Skip(8);
        Assert.Equal(1, watches.ReadInt32());
        Assert.Equal("/zookeeper/config", watches.ReadString());
        Assert.Contains(next.Endpoint.ToString(), new[] { "10.0.0.1:2181", "[::1]:2182", "three:2183" });

        next.SendEvent(WatchEventType.NodeDataChanged, "/zookeeper/config");
        await AnswerConfigAsync(next, "server.9=h:1:2:participant;nine:9\nversion=5");
        FakeServer last = await Transport.AcceptAsync(Cancellation);
        Assert.Equal("nine:9", last.Endpoint.ToString());
        Assert.Equal("/app", client.Chroot);
    }

    [Fact]
    public async Task FollowConfig_of_a_configuration_without_client_addresses_stays()
    {
        (KeeperClient client, FakeServer server) = await ConnectAsync(options => options with { FollowConfig = true });

        await AnswerConfigAsync(server, "");

        Task<ZnodeData> read = client.GetAsync("/a", cancellation: Cancellation).AsTask();
        server.Reply((await server.ReadAsync(OpCode.GetData, Cancellation)).Xid, 7, body: WriteData);
        Assert.Equal("abc", (await read).Text);
    }

    [Fact]
    public async Task GetConfigAsync_with_a_chroot_watches_outside_of_it()
    {
        (KeeperClient client, FakeServer server) = await ConnectAsync(
            options => options with { ConnectString = "one:1/zookeeper" });
        WatchOnce ofConfig = Watch.Once();
        WatchOnce ofOwn = Watch.Once();
        Task<ZnodeData> read = client.GetConfigAsync(ofConfig, Cancellation).AsTask();
        await AnswerConfigAsync(server, Config);
        await read;
        // Inside this chroot the same znode has another name.
        Task<ZnodeData> own = client.GetAsync("/config", ofOwn, Cancellation).AsTask();
        server.Reply((await server.ReadAsync(OpCode.GetData, Cancellation)).Xid, 7, body: WriteData);
        await own;

        server.SendEvent(WatchEventType.NodeDataChanged, "/zookeeper/config");

        Assert.Equal(WatchEventType.NodeDataChanged, (await ofConfig.Fired.WaitAsync(Cancellation)).Type);
        Assert.Equal("/config", (await ofOwn.Fired.WaitAsync(Cancellation)).Path);
    }

    [Fact]
    public async Task GetLatestAsync_sends_sync_and_read_together()
    {
        (KeeperClient client, FakeServer server) = await ConnectAsync();

        Task<ZnodeData> read = client.GetLatestAsync("/a", cancellation: Cancellation).AsTask();

        byte[] sent = await server.ReadRawAsync(Cancellation);
        var first = new JuteReader(sent);
        int length = first.ReadInt32();
        int xid = first.ReadInt32();
        Assert.Equal(OpCode.Sync, (OpCode)first.ReadInt32());
        var second = new JuteReader(sent.AsSpan(4 + length + 4));
        Assert.Equal(xid + 1, second.ReadInt32());
        Assert.Equal(OpCode.GetData, (OpCode)second.ReadInt32());
        server.Reply(xid, 7, body: output => output.WriteString("/a"));
        server.Reply(xid + 1, 7, body: WriteData);
        Assert.Equal("abc", (await read).Text);
    }

    [Fact]
    public async Task GetLatestAsync_fails_as_its_sync_does_although_the_read_succeeds()
    {
        (KeeperClient client, FakeServer server) = await ConnectAsync();
        Task<ZnodeData> read = client.GetLatestAsync("/a", cancellation: Cancellation).AsTask();
        int xid = (await server.ReadAsync(OpCode.Sync, Cancellation)).Xid;

        server.Reply(xid, 7, ErrorCode.NotReadOnly);
        server.Reply(xid + 1, 7, body: WriteData);

        Assert.Equal(ErrorCode.NotReadOnly, (await Assert.ThrowsAsync<KeeperException>(() => read)).Code);
    }

    [Fact]
    public async Task ExistsLatestAsync_and_GetChildrenLatestAsync_read_behind_a_sync()
    {
        (KeeperClient client, FakeServer server) = await ConnectAsync();

        Task<Stat?> exists = client.ExistsLatestAsync("/a", cancellation: Cancellation).AsTask();
        int xid = (await server.ReadAsync(OpCode.Sync, Cancellation)).Xid;
        await server.ReadAsync(OpCode.Exists, Cancellation);
        server.Reply(xid, 7);
        server.Reply(xid + 1, 7, ErrorCode.NoNode);
        Assert.Null(await exists);

        Task<ZnodeChildren> children = client.GetChildrenLatestAsync("/a", cancellation: Cancellation).AsTask();
        xid = (await server.ReadAsync(OpCode.Sync, Cancellation)).Xid;
        await server.ReadAsync(OpCode.GetChildren2, Cancellation);
        server.Reply(xid, 7);
        server.Reply(xid + 1, 7, ErrorCode.NoNode);
        await Assert.ThrowsAsync<NoNodeException>(() => children);
    }

    [Theory]
    [InlineData(ErrorCode.ReconfigInProgress, typeof(ReconfigInProgressException))]
    [InlineData(ErrorCode.NewConfigNoQuorum, typeof(NewConfigNoQuorumException))]
    [InlineData(ErrorCode.ReconfigDisabled, typeof(ReconfigDisabledException))]
    [InlineData(ErrorCode.BadVersion, typeof(BadVersionException))]
    public async Task ReconfigAsync_fails_with_a_type_for_what_callers_handle(ErrorCode code, Type type)
    {
        (KeeperClient client, FakeServer server) = await ConnectAsync();
        Task<ZnodeData> change = client.ReconfigAsync(null, "3", null, cancellation: Cancellation).AsTask();

        server.Reply((await server.ReadAsync(OpCode.Reconfig, Cancellation)).Xid, 7, code);

        Assert.IsType(type, await Assert.ThrowsAnyAsync<KeeperException>(() => change));
    }

    private static async Task AnswerConfigAsync(FakeServer server, string config)
    {
        SentFrame request = await server.ReadAsync(OpCode.GetData, Cancellation);
        Assert.Equal("/zookeeper/config", request.Path());
        server.Reply(request.Xid, 7, body: output =>
        {
            output.WriteBuffer(System.Text.Encoding.UTF8.GetBytes(config));
            SomeStat.Write(output);
        });
    }

    private async Task<(KeeperClient Client, FakeServer Server)> ConnectReadOnlyAsync()
    {
        KeeperClient client = Start(options => options with { ReadOnlyAllowed = true });
        FakeServer server = await Transport.AcceptAsync(Cancellation);
        await server.AcceptSessionAsync(Cancellation, readOnly: true);
        await client.WaitForStateAsync(KeeperState.ConnectedReadOnly, Cancellation);
        return (client, server);
    }

    /// <summary>The server that the client asks whether it is read-only.</summary>
    private async Task<FakeServer> AskedAsync()
    {
        Task<FakeServer> asked = Transport.AcceptAsync(Cancellation);
        while (!asked.IsCompleted)
            await Task.WhenAny(asked, Time.AdvanceToTimerAsync(TimeSpan.FromSeconds(2), Cancellation));
        Assert.Equal("isro"u8.ToArray(), await (await asked).ReadRawAsync(Cancellation));
        return await asked;
    }
}
