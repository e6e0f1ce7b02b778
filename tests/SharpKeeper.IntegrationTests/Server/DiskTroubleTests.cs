using SharpKeeper.Protocol;
using SharpKeeper.Server.Storage;

namespace SharpKeeper.ServerTests;

/// <summary>What clients see of a disk that is full, comes back, or cannot be used at all.</summary>
public sealed class DiskTroubleTests
{
    private const int Pending = 20;

    [Theory]
    [InlineData("write", 0)]
    [InlineData("write", 37)]
    [InlineData("sync", 0)]
    public async Task Full_disk_refuses_writes_and_serves_reads_until_there_is_room(string failing, int failedBytes)
    {
        var files = new TroubledLogFiles { FailedWriteBytes = failedBytes };
        await using LiveServer server = await LiveServer.StartOnDiskAsync(files: files);
        using RawClient writer = server.Connect();
        using RawClient other = server.Connect();
        using RawClient idle = server.Connect();
        writer.Call(OpCode.Create, 1, Bodies.Create("/a", "before"));

        files.Failing = failing;
        PutPending(writer);
        LiveServer.Until(() => Words.Ask(server.Port, "isro") == "ro", "the server says that it is read-only");
        AssertReadOnly(server, other);
        AssertNoNewSession(server);
        AssertResumable(server, idle);

        files.Failing = null;
        AssertAnsweredInOrder(writer);
        LiveServer.Until(() => Words.Ask(server.Port, "isro") == "rw", "the server is writable again");
        Assert.Equal("standalone", Words.Line(server.Port, "srvr", "Mode"));
        Assert.Equal(Pending + 1, other.Call(OpCode.SetData, 9, Bodies.Set("/a", "after")).Stat().Version);

        await server.RestartOnGoodDiskAsync();
        Assert.False(server.Host.Completion.IsCompleted);
        using RawClient again = server.Connect();
        RawReply read = again.Call(OpCode.GetData, 1, Bodies.Watched("/a"));
        Assert.Equal(("after", Pending + 1), (read.Text(), read.Stat().Version));
    }

    [Fact]
    public async Task Server_stopped_on_a_full_disk_has_lost_nothing_acknowledged()
    {
        var files = new TroubledLogFiles();
        await using LiveServer server = await LiveServer.StartOnDiskAsync(files: files);
        using RawClient writer = server.Connect();
        writer.Call(OpCode.Create, 1, Bodies.Create("/a", "before"));
        Assert.Equal(1, writer.Call(OpCode.SetData, 2, Bodies.Set("/a", "acknowledged")).Stat().Version);
        files.Failing = "write";
        PutPending(writer);
        LiveServer.Until(() => Words.Ask(server.Port, "isro") == "ro", "the server says that it is read-only");

        await server.RestartOnGoodDiskAsync();
        using RawClient again = server.Connect();
        RawReply read = again.Call(OpCode.GetData, 1, Bodies.Watched("/a"));
        Assert.Equal(("acknowledged", 1), (read.Text(), read.Stat().Version));
        Assert.Equal(2, again.Call(OpCode.SetData, 2, Bodies.Set("/a", "more")).Stat().Version);
    }

    [Fact]
    public async Task Session_keeps_its_ephemerals_over_a_stall_longer_than_its_timeout()
    {
        var files = new TroubledLogFiles();
        await using LiveServer server = await LiveServer.StartOnDiskAsync(files: files);
        using RawClient owner = server.Connect(timeoutMs: 400);
        using RawClient other = server.Connect();
        owner.Call(OpCode.Create, 1, Bodies.Create("/e", "", CreateMode.Ephemeral));
        files.Failing = "write";
        other.Put(OpCode.Create, 1, Bodies.Create("/pending", ""));
        other.Flush();
        LiveServer.Until(() => Words.Ask(server.Port, "isro") == "ro", "the server says that it is read-only");
        long stalledMs = Environment.TickCount64;
        while (Environment.TickCount64 - stalledMs < 1000)
            Assert.Equal(ErrorCode.Ok, owner.Call(OpCode.Ping, Xids.Ping).Error);
        files.Failing = null;
        Assert.Equal(ErrorCode.Ok, other.ReadReply(1).Error);
        Assert.Equal(ErrorCode.Ok, owner.Call(OpCode.SetData, 2, Bodies.Set("/e", "still mine")).Error);
    }

    [Fact]
    public async Task Directory_that_cannot_be_made_is_named_with_the_way_out()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "only Linux has /proc");
        StorageException refusal = await Assert.ThrowsAsync<StorageException>(
            () => LiveServer.StartAsync(options => options with { InMemory = false, DataDir = "/proc/sharpkeeper" }));
        Assert.Contains("/proc/sharpkeeper", refusal.Message, StringComparison.Ordinal);
        Assert.Contains("dataDir", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Directory_whose_place_a_file_has_is_named()
    {
        string directory = Directory.CreateTempSubdirectory("sharpkeeper-server-").FullName;
        File.WriteAllBytes(Path.Combine(directory, "version-2"), []);
        StorageException refusal = await Assert.ThrowsAsync<StorageException>(
            () => LiveServer.StartAsync(options => options with { InMemory = false, DataDir = directory }));
        Assert.Contains(directory, refusal.Message, StringComparison.Ordinal);
        Directory.Delete(directory, recursive: true);
    }

    private static void PutPending(RawClient writer)
    {
        for (int i = 0; i < Pending; i++)
            writer.Put(OpCode.SetData, 100 + i, Bodies.Set("/a", $"pending {i}", version: i));
        writer.Put(OpCode.GetData, 100 + Pending, Bodies.Watched("/a"));
        writer.Flush();
    }

    private static void AssertAnsweredInOrder(RawClient writer)
    {
        for (int i = 0; i < Pending; i++)
        {
            RawReply reply = writer.ReadReply(100 + i);
            Assert.Equal(ErrorCode.Ok, reply.Error);
            Assert.Equal(i + 1, reply.Stat().Version);
        }
        Assert.Equal($"pending {Pending - 1}", writer.ReadReply(100 + Pending).Text());
    }

    private static void AssertReadOnly(LiveServer server, RawClient client)
    {
        Assert.Equal(ErrorCode.NotReadOnly, client.Call(OpCode.SetData, 1, Bodies.Set("/a", "refused")).Error);
        Assert.Equal(ErrorCode.NotReadOnly, client.Call(OpCode.Create, 2, Bodies.Create("/b", "")).Error);
        Assert.Equal("before", client.Call(OpCode.GetData, 3, Bodies.Watched("/a")).Text());
        Assert.Equal(ErrorCode.Ok, client.Call(OpCode.Ping, Xids.Ping).Error);
        Assert.Equal("read-only", Words.Line(server.Port, "srvr", "Mode"));
        Assert.Contains("zk_server_state\tread-only\n", Words.Ask(server.Port, "mntr"), StringComparison.Ordinal);
    }

    private static void AssertNoNewSession(LiveServer server)
    {
        using RawClient refused = RawClient.Open(server.Port);
        Assert.False(refused.Handshake());
    }

    private static void AssertResumable(LiveServer server, RawClient session)
    {
        using RawClient resumed = RawClient.Open(server.Port);
        Assert.True(resumed.Handshake(session: session.SessionId, password: session.Password));
        Assert.Equal("before", resumed.Call(OpCode.GetData, 1, Bodies.Watched("/a")).Text());
    }
}
