using SharpKeeper.Protocol;
using SharpKeeper.Server.Configuration;

namespace SharpKeeper.ServerTests;

/// <summary>A whole server over its client port.</summary>
public sealed class ServerHostTests
{
    [Fact]
    public async Task Restart_keeps_data_sessions_and_ephemerals_and_expires_who_stays_away()
    {
        await using LiveServer server = await LiveServer.StartOnDiskAsync();
        using RawClient lasting = server.Connect();
        using RawClient brief = server.Connect(timeoutMs: 400);
        lasting.Call(OpCode.Create, 1, Bodies.Create("/data", "kept"));
        lasting.Call(OpCode.Create, 2, Bodies.Create("/lasting", "", CreateMode.Ephemeral));
        brief.Call(OpCode.Create, 1, Bodies.Create("/brief", "", CreateMode.Ephemeral));
        long lastZxid = brief.LastZxid;

        await server.RestartAsync();
        using RawClient resumed = RawClient.Open(server.Port);
        Assert.True(resumed.Handshake(session: lasting.SessionId, password: lasting.Password, lastZxid: lastZxid));
        Assert.Equal(lasting.SessionId, resumed.SessionId);
        Assert.Equal("kept", resumed.Call(OpCode.GetData, 1, Bodies.Watched("/data")).Text());
        RawReply ephemeral = resumed.Call(OpCode.Exists, 2, Bodies.Watched("/lasting"));
        Assert.Equal(lasting.SessionId, ephemeral.Stat().EphemeralOwner);
        // The other one starts with a whole timeout, and nobody takes it up.
        if (resumed.Call(OpCode.Exists, 3, Bodies.Watched("/brief", isWatched: true)).Error == ErrorCode.Ok)
            Assert.Equal((WatchEventType.NodeDeleted, "/brief"), resumed.Read().Event());
        Assert.Equal(ErrorCode.NoNode, resumed.Call(OpCode.Exists, 4, Bodies.Watched("/brief")).Error);
        using RawClient late = RawClient.Open(server.Port);
        Assert.False(late.Handshake(session: brief.SessionId, password: brief.Password));
    }

    [Fact]
    public async Task Session_is_refused_with_a_wrong_password_and_goes_on_with_the_right_one()
    {
        await using LiveServer server = await LiveServer.StartAsync();
        using RawClient client = server.Connect();
        using RawClient thief = RawClient.Open(server.Port);
        Assert.False(thief.Handshake(session: client.SessionId, password: new byte[16]));
        using RawClient owner = RawClient.Open(server.Port);
        Assert.True(owner.Handshake(session: client.SessionId, password: client.Password));
        Assert.Equal(0, client.ReadToEnd());
        Assert.Equal(ErrorCode.Ok, owner.Call(OpCode.Ping, Xids.Ping).Error);
    }

    [Theory]
    [InlineData("ruok", "imok")]
    [InlineData("isro", "rw")]
    [InlineData("srvr", "Mode: standalone\n")]
    [InlineData("stat", "Clients:\n")]
    [InlineData("mntr", "zk_znode_count\t")]
    [InlineData("conf", "clientPort=")]
    [InlineData("cons", "sid=0x")]
    [InlineData("envi", "Environment:\n")]
    [InlineData("dirs", "datadir_size: ")]
    [InlineData("dump", "SessionTracker dump:\n")]
    [InlineData("wchs", "watching")]
    [InlineData("wchc", "0x")]
    [InlineData("wchp", "/watched\n")]
    [InlineData("srst", "Server stats reset.\n")]
    [InlineData("crst", "Connection stats reset.\n")]
    [InlineData("gtmk", "306")]
    public async Task Word_over_the_client_port_is_answered_and_the_connection_ends(string word, string part)
    {
        await using LiveServer server = await LiveServer.StartAsync();
        using RawClient client = server.Connect();
        client.Call(OpCode.Create, 1, Bodies.Create("/watched", ""));
        client.Call(OpCode.GetData, 2, Bodies.Watched("/watched", isWatched: true));
        Assert.Contains(part, Words.Ask(server.Port, word), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Words_that_are_not_allowed_say_so()
    {
        await using LiveServer server = await LiveServer.StartAsync(
            options => options with { FourLetterWords = FourLetterWordWhitelist.Default });
        Assert.Equal(
            "ruok is not executed because it is not in the whitelist.\n", Words.Ask(server.Port, "ruok"));
        Assert.Contains("Mode: standalone\n", Words.Ask(server.Port, "srvr"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Word_that_comes_byte_by_byte_is_answered()
    {
        await using LiveServer server = await LiveServer.StartAsync();
        using RawClient client = RawClient.Open(server.Port);
        foreach (byte letter in "ruok"u8.ToArray())
            client.SendRaw([letter]);
        Assert.Equal(4, client.ReadToEnd());
    }

    [Fact]
    public async Task Snapshots_are_saved_and_purged_while_clients_write()
    {
        const int writes = 3000;
        await using LiveServer server = await LiveServer.StartOnDiskAsync(options => options with
        {
            SnapCount = 50,
            PurgeInterval = TimeSpan.FromMilliseconds(20),
        });
        using RawClient client = server.Connect();
        client.Call(OpCode.Create, 1, Bodies.Create("/a", ""));
        int version = 0;
        int rounds = 0;
        do
        {
            for (int i = 0; i < writes; i++)
                client.Put(OpCode.SetData, i, Bodies.Set("/a", $"{version + i}", version + i));
            client.Flush();
            for (int i = 0; i < writes; i++)
                Assert.Equal(ErrorCode.Ok, client.ReadReply(i).Error);
            version += writes;
        }
        while (!IsPurged(server) && ++rounds < 100);
        Assert.True(IsPurged(server), "nothing was purged");

        await server.RestartAsync();
        using RawClient again = server.Connect();
        RawReply read = again.Call(OpCode.GetData, 1, Bodies.Watched("/a"));
        Assert.Equal(($"{version - 1}", version), (read.Text(), read.Stat().Version));
    }

    // The first snapshot is made at the first start, and is there until it is purged.
    private static bool IsPurged(LiveServer server) => !File.Exists(Path.Combine(server.DataFiles, "snapshot.0"))
        && Directory.GetFiles(server.DataFiles, "snapshot.*").Length > 0;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(4)]
    public async Task Watch_event_comes_before_the_change_on_any_number_of_threads(int threads)
    {
        const int watchers = 12;
        const int changes = 100;
        await using LiveServer server = await LiveServer.StartAsync(
            options => options with { ConnectionThreads = threads });
        using RawClient writer = server.Connect();
        writer.Call(OpCode.Create, 1, Bodies.Create("/w", ""));
        using var ready = new CountdownEvent(watchers);
        Task[] all = [.. Enumerable.Range(0, watchers).Select(_ => Task.Factory.StartNew(
            () => Watch(server, changes, ready), TaskCreationOptions.LongRunning))];
        Assert.True(ready.Wait(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken));
        for (int i = 0; i < changes; i++)
            Assert.Equal(i + 1, writer.Call(OpCode.SetData, i, Bodies.Set("/w", $"{i}")).Stat().Version);
        await Task.WhenAll(all).WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken);
    }

    /// <summary>Reads without pause; a new version may be seen only after the event of the watch on the old one.</summary>
    private static void Watch(LiveServer server, int lastVersion, CountdownEvent ready)
    {
        using RawClient client = server.Connect();
        int version = client.Call(OpCode.GetData, 1, Bodies.Watched("/w", isWatched: true)).Stat().Version;
        ready.Signal();
        while (version < lastVersion)
        {
            int seen = client.Call(OpCode.GetData, 2, Bodies.Watched("/w")).Stat().Version;
            if (seen == version)
                continue;
            Assert.Equal((WatchEventType.NodeDataChanged, "/w"), Assert.Single(client.Events).Event());
            client.Events.Clear();
            version = client.Call(OpCode.GetData, 3, Bodies.Watched("/w", isWatched: true)).Stat().Version;
            Assert.Empty(client.Events);
        }
    }
}
