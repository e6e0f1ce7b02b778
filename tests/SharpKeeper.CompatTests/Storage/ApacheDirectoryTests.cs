using System.Text;
using SharpKeeper.Client;
using SharpKeeper.CompatTests.Peers;
using SharpKeeper.Core.Log;
using SharpKeeper.Core.Tree;
using SharpKeeper.LogTests;
using SharpKeeper.Protocol;
using SharpKeeper.Server.Storage;

namespace SharpKeeper.CompatTests.Storage;

/// <summary>A real Apache server on a directory that SharpKeeper wrote, and the other way round.</summary>
public sealed class ApacheDirectoryTests : IDisposable
{
    private static readonly RecoveryOptions Options = new() { ExtendedTypesEnabled = true };

    private static readonly ApacheServerOptions ServerOptions = new()
    {
        SystemProperties = new Dictionary<string, string> { ["znode.container.checkIntervalMs"] = "6000000" },
    };

    private readonly string root = Directory.CreateTempSubdirectory("sharpkeeper-compat-").FullName;

    public void Dispose() => Directory.Delete(root, recursive: true);

    [Theory]
    [InlineData(SnapshotFormat.Plain, 1)]
    [InlineData(SnapshotFormat.Gzip, 2)]
    [InlineData(SnapshotFormat.Snappy, 3)]
    public async Task Apache_loads_what_SharpKeeper_wrote_and_saves_the_same_tree(SnapshotFormat format, int seed)
    {
        ApacheServer.SkipUnlessInstalled();
        FileStorageDevice device = FileStorageDevice.Open(root, root);
        using LiveState live = WriteRandomDirectory(device, format, seed);
        string expected = TreeAssert.Dump(live.Tree);

        await using (ApacheServer server = await ApacheServer.StartAsync(
            ServerOptions with { DataDirectory = root, Logs = true }, TestContext.Current.CancellationToken))
        {
            string status = await server.CommandAsync("srvr", TestContext.Current.CancellationToken);
            Assert.Contains($"Zxid: {live.Tree.LastProcessed}\n", status, StringComparison.Ordinal);
            string figures = await server.CommandAsync("mntr", TestContext.Current.CancellationToken);
            Assert.Contains("zk_digest_mismatches_count\t0\n", figures, StringComparison.Ordinal);
            // It does log what it reads, so that it would also log that it could not.
            Assert.Contains("Reading snapshot", server.Output, StringComparison.Ordinal);
            Assert.DoesNotContain("Digests are not matching", server.Output, StringComparison.Ordinal);
            // Those of other threads are about our own asking while it starts.
            Assert.DoesNotContain("[main] ERROR ", server.Output, StringComparison.Ordinal);
        }

        // It has saved the tree as it loaded it.
        string saved = StorageNames.Snapshot(live.Tree.LastProcessed);
        RecoveryResult result = Recovery.Run(device, Options);
        using DataTree tree = result.Tree;
        Assert.Equal(saved, result.SnapshotName);
        Assert.Equal(0, result.TxnsApplied);
        Assert.Equal(expected, TreeAssert.Dump(tree));
        Assert.Equal(live.Tree.Digest, tree.Digest);
        Assert.Equal(live.Sessions.ToArray(), result.Sessions.ToArray());
        Assert.Empty(result.Notices);
    }

    [Fact]
    public async Task SharpKeeper_loads_what_a_killed_Apache_server_wrote()
    {
        CancellationToken cancellation = TestContext.Current.CancellationToken;
        await using ApacheServer server = await ApacheServer.StartAsync(
            ServerOptions with { DataDirectory = root }, cancellation);
        await using KeeperClient client = await KeeperClient.ConnectAsync(server.ConnectString, cancellation);
        var answers = new Dictionary<string, (ZnodeData Data, ZnodeAcl Acl)>();
        foreach (string path in await WriteAsync(client, cancellation))
        {
            answers[path] = (await client.GetAsync(path, cancellation: cancellation),
                await client.GetAclAsync(path, cancellation));
        }
        await server.KillAsync();

        RecoveryResult result = Recovery.Run(FileStorageDevice.Open(root, root), Options);
        using DataTree tree = result.Tree;
        Assert.Empty(result.Notices);
        Assert.True(result.DigestsCompared > 30);
        Assert.Equal(0, result.DigestMismatches);
        foreach ((string path, (ZnodeData data, ZnodeAcl acl)) in answers)
        {
            ZnodeId id = tree.Find(Encoding.UTF8.GetBytes(path));
            Assert.False(id.IsNone, path);
            Assert.Equal((path, data.Stat), (path, tree.GetStat(id)));
            byte[] bytes = tree.GetData(id, out bool isNull).ToArray();
            Assert.Equal(data.Data, isNull ? null : bytes);
            Assert.Equal(acl.Acl, tree.Acls.Entries(tree.GetAclId(id)));
        }
        // The root, /zookeeper and its two children.
        Assert.Equal(answers.Count + 4, tree.Count);
        Assert.Equal(1, result.Sessions.Count);
    }

    private static LiveState WriteRandomDirectory(FileStorageDevice device, SnapshotFormat format, int seed)
    {
        var random = new Random(seed);
        var live = new LiveState(random);
        for (int i = 0; i < 400; i++)
            live.Step();
        using (var writer = new SnapshotWriter(live.Tree, live.Sessions.ToArray()))
        using (ISnapshotSink sink = new SnapshotStore(device, format).Begin(writer.Start, out _))
        using (var slice = new JuteBuffer())
        {
            bool more = true;
            while (more)
            {
                slice.Clear();
                more = writer.WriteSlice(slice, 300);
                sink.Write(slice.WrittenSpan);
                live.Step();
            }
            sink.Commit();
        }
        for (int i = 0; i < 200; i++)
            live.Step();
        live.PutLogs(random, (name, bytes) => File.WriteAllBytes(device.Describe(StorageArea.Logs, name), bytes));
        return live;
    }

    // One of everything that a log can hold; returns the paths that exist afterwards.
    private static async Task<List<string>> WriteAsync(KeeperClient client, CancellationToken cancellation)
    {
        var paths = new List<string>
        {
            await client.CreateAsync("/app", "root"u8.ToArray(), cancellation: cancellation),
            await client.CreateAsync("/app/null", null, cancellation: cancellation),
            await client.CreateAsync("/app/日本", "名"u8.ToArray(), cancellation: cancellation),
            await client.CreateAsync("/app/eph", "e"u8.ToArray(), CreateMode.Ephemeral, cancellation: cancellation),
            await client.CreateAsync("/app/cont", "c"u8.ToArray(), CreateMode.Container, cancellation: cancellation),
            await client.CreateAsync(
                "/app/ttl", "t"u8.ToArray(), CreateMode.PersistentWithTtl, ttl: TimeSpan.FromHours(1),
                cancellation: cancellation),
            await client.CreateAsync(
                "/app/acl", "a"u8.ToArray(), acl: [new(Permissions.Read | Permissions.Admin, AuthId.Anyone)],
                cancellation: cancellation),
        };
        for (int i = 0; i < 20; i++)
        {
            paths.Add(await client.CreateAsync(
                "/app/seq-", new byte[i], CreateMode.PersistentSequential, cancellation: cancellation));
        }
        for (int i = 0; i < 5; i++)
        {
            await client.SetAsync("/app", new byte[] { (byte)i }, i, cancellation);
            await client.DeleteAsync(paths[^1], cancellation: cancellation);
            paths.RemoveAt(paths.Count - 1);
        }
        await client.SetAclAsync(
            "/app/null", [new(Permissions.All, AuthId.Anyone), new(Permissions.Read, new AuthId("ip", "10.0.0.1"))],
            cancellation: cancellation);
        await client.MultiAsync(
            [
                MultiOp.Create("/app/m", "1"u8.ToArray()), MultiOp.Set("/app/m", "2"u8.ToArray()),
                MultiOp.Check("/app/m", 1), MultiOp.Create("/app/m/x"), MultiOp.Delete("/app/m/x"),
            ],
            cancellation);
        paths.Add("/app/m");
        IReadOnlyList<MultiResult> failed = await client.TryMultiAsync(
            [MultiOp.Create("/app/never"), MultiOp.Check("/app/m", 77)], cancellation);
        Assert.Equal(ErrorCode.BadVersion, failed[1].Error);
        Assert.False(await client.TryDeleteAsync("/app/none", cancellation: cancellation));
        return paths;
    }
}
