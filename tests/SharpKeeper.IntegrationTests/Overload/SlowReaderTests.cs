using SharpKeeper.Protocol;
using SharpKeeper.Server.Runtime;
using SharpKeeper.ServerTests;

namespace SharpKeeper.OverloadTests;

/// <summary>Clients that ask for much and take little.</summary>
public sealed class SlowReaderTests
{
    private const int DataBytes = 500_000;
    private const int Reads = 160;

    // The limit at which a connection is not read any more is 4 MiB; what was under way then comes on top.
    private const long HeldBytesMax = 16L << 20;
    private const long EventBytesMax = 33L << 20;

    [Fact]
    public async Task Client_that_takes_no_replies_is_not_read_any_more_and_gets_them_all_later()
    {
        await using LiveServer server = await StartWithDataAsync();
        using RawClient slow = server.Connect();
        using RawClient bystander = server.Connect();
        PutReads(slow, 0);
        slow.Flush();
        LiveServer.Until(() => server.Inspect(slow.SessionId, client => client.WaitsForPeer), "reading stops");
        for (int i = 0; i < 20; i++)
        {
            Assert.InRange(QueuedBytes(server, slow), 0, HeldBytesMax);
            server.AssertServes(bystander);
        }
        AssertReads(slow, 0);
        Assert.Equal(ErrorCode.Ok, slow.Call(OpCode.Ping, Xids.Ping).Error);
    }

    [Fact]
    public async Task Reads_pipelined_behind_a_write_are_all_answered_and_held_within_bounds()
    {
        await using LiveServer server = await StartWithDataAsync();
        using RawClient slow = server.Connect();
        using RawClient bystander = server.Connect();
        slow.Put(OpCode.Create, 1, Bodies.Create("/b", ""));
        PutReads(slow, 10);
        slow.Put(OpCode.Delete, 2, Bodies.Versioned("/b"));
        slow.Flush();
        LiveServer.Until(() => server.Inspect(slow.SessionId, client => client.IsWaiting), "the server stops reading");
        for (int i = 0; i < 20; i++)
        {
            server.AssertServes(bystander);
            Assert.InRange(QueuedBytes(server, slow), 0, HeldBytesMax);
        }
        Assert.Equal(ErrorCode.Ok, slow.ReadReply(1).Error);
        AssertReads(slow, 10);
        Assert.Equal(ErrorCode.Ok, slow.ReadReply(2).Error);
    }

    [Fact]
    public async Task Replies_that_nobody_could_foresee_cut_the_client_off_before_they_fill_the_memory()
    {
        await using LiveServer server = await LiveServer.StartAsync();
        using RawClient greedy = server.Connect();
        using RawClient bystander = server.Connect();
        greedy.Call(OpCode.Create, 1, Bodies.Create("/a", ""));
        greedy.Put(OpCode.SetData, 2, Bodies.Set("/a", new byte[DataBytes]));
        for (int i = 0; i < 1000; i++)
            greedy.Put(OpCode.GetData, 3, Bodies.Watched("/a"));
        greedy.Flush();
        Assert.InRange(greedy.ReadToEnd(), 0, EventBytesMax * 3);
        server.AssertServes(bystander);
        Assert.Equal(1, bystander.Call(OpCode.Exists, 4, Bodies.Watched("/a")).Stat().Version);
    }

    [Fact]
    public async Task Reads_behind_a_write_that_waits_for_the_disk_do_not_pile_up()
    {
        const int reads = 20_000;
        var files = new TroubledLogFiles();
        await using LiveServer server = await LiveServer.StartOnDiskAsync(files: files);
        using RawClient client = server.Connect();
        files.Hang();
        try
        {
            client.Put(OpCode.Create, 1, Bodies.Create("/b", ""));
            for (int i = 0; i < reads; i++)
                client.Put(OpCode.Exists, 2, Bodies.Watched("/b"));
            client.Flush();
            LiveServer.Until(
                () => server.Inspect(client.SessionId, connection => connection.IsWaiting), "the server stops reading");
            Assert.InRange(server.Inspect(client.SessionId, connection => connection.Link.Posted), 2, 1100);
        }
        finally
        {
            files.GoOn();
        }
        Assert.Equal(ErrorCode.Ok, client.ReadReply(1).Error);
        for (int i = 0; i < reads; i++)
            Assert.Equal(ErrorCode.Ok, client.ReadReply(2).Error);
    }

    [Fact]
    public async Task Client_that_never_takes_its_events_is_cut_off()
    {
        await using LiveServer server = await LiveServer.StartAsync();
        using RawClient deaf = server.Connect();
        using RawClient writer = server.Connect();
        deaf.Call(OpCode.AddWatch, 1, Bodies.AddWatch("/", AddWatchMode.PersistentRecursive));
        string path = "/" + new string('p', 200_000);
        int version = 0;
        writer.Call(OpCode.Create, 1, Bodies.Create(path, ""));
        while (server.Inspect(deaf.SessionId, client => true))
        {
            Assert.True(version < 5000, "the client was not cut off");
            Assert.InRange(QueuedBytes(server, deaf), 0, EventBytesMax);
            Assert.Equal(++version, writer.Call(OpCode.SetData, 2, Bodies.Set(path, "")).Stat().Version);
        }
        server.AssertServes(writer);
        Assert.Equal(0, server.Inspect(runtime => runtime.Loops.Sum(loop => loop.Watches.Count)));
        // The session lives on and can be taken up.
        using RawClient again = RawClient.Open(server.Port);
        Assert.True(again.Handshake(session: deaf.SessionId, password: deaf.Password));
    }

    [Fact]
    public async Task Reply_much_longer_than_a_request_may_be_arrives_whole_however_slowly_it_is_taken()
    {
        const int children = 20_000;
        string padding = new('n', 2000);
        await using LiveServer server = await LiveServer.StartAsync();
        using RawClient slow = server.Connect();
        using RawClient writer = server.Connect();
        writer.Call(OpCode.Create, 1, Bodies.Create("/many", ""));
        foreach (int[] some in Enumerable.Range(0, children).Chunk(100))
        {
            foreach (int i in some)
                writer.Put(OpCode.Create, 1, Bodies.Create($"/many/{i}{padding}", ""));
            writer.Flush();
            foreach (int _ in some)
                Assert.Equal(ErrorCode.Ok, writer.ReadReply(1).Error);
        }

        slow.Put(OpCode.GetChildren, 2, Bodies.Watched("/many", isWatched: true));
        slow.Flush();
        LiveServer.Until(() => QueuedBytes(server, slow) > 33L << 20, "the reply waits for its reader");
        Assert.Equal(ErrorCode.Ok, writer.Call(OpCode.Create, 3, Bodies.Create("/many/more", "")).Error);

        Assert.Equal(children, slow.ReadReply(2).Names().Length);
        Assert.Equal((WatchEventType.NodeChildrenChanged, "/many"), slow.Read().Event());
    }

    private static async Task<LiveServer> StartWithDataAsync()
    {
        LiveServer server = await LiveServer.StartAsync();
        using RawClient writer = server.Connect();
        Assert.Equal(ErrorCode.Ok, writer.Call(OpCode.Create, 1, Bodies.Create("/a", new byte[DataBytes])).Error);
        return server;
    }

    private static void PutReads(RawClient client, int firstXid)
    {
        for (int i = 0; i < Reads; i++)
            client.Put(OpCode.GetData, firstXid + i, Bodies.Watched("/a"));
    }

    private static void AssertReads(RawClient client, int firstXid)
    {
        for (int i = 0; i < Reads; i++)
        {
            RawReply reply = client.ReadReply(firstXid + i);
            Assert.Equal(ErrorCode.Ok, reply.Error);
            Assert.Equal(DataBytes, reply.Stat().DataLength);
        }
    }

    private static long QueuedBytes(LiveServer server, RawClient client) =>
        server.Inspect(client.SessionId, Held);

    private static long Held(ClientConnection client) => client.QueuedBytes + (long)client.Link.Output.Length;
}
