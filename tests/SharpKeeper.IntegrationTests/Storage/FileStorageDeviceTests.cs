using System.IO.Compression;
using System.Text.Json;
using SharpKeeper.Core.Log;
using SharpKeeper.Core.Transactions;
using SharpKeeper.Core.Tree;
using SharpKeeper.Protocol;
using SharpKeeper.Server.Storage;

namespace SharpKeeper.StorageTests;

public sealed class FileStorageDeviceTests : IDisposable
{
    private static readonly string Recorded = Path.Combine(AppContext.BaseDirectory, "testdata", "apache-3.8.0");
    private readonly string root = Directory.CreateTempSubdirectory("sharpkeeper-storage-").FullName;

    public void Dispose() => Directory.Delete(root, recursive: true);

    [Theory]
    [InlineData("standalone")]
    [InlineData("standalone-gz")]
    [InlineData("standalone-snappy")]
    public void Recovery_of_a_recorded_directory_gives_its_tree_from_every_snapshot(string recorded)
    {
        CopyRecorded(recorded);
        FileStorageDevice device = FileStorageDevice.Open(root, root);
        JsonElement expected = JsonDocument.Parse(
            File.ReadAllBytes(Path.Combine(Recorded, recorded, "expected.json"))).RootElement;
        int count = 0;
        foreach (SnapshotFile file in StorageListing.Snapshots(device))
        {
            RecoveryResult result = Recovery.Run(device, new RecoveryOptions { ExtendedTypesEnabled = true });
            using DataTree tree = result.Tree;
            Assert.Equal(file.Name, result.SnapshotName);
            Assert.Equal(expected.GetProperty("lastProcessedZxid").GetString(), result.Last.ToString());
            Assert.Equal(expected.GetProperty("treeDigestAtEnd").GetInt64(), tree.Digest);
            Assert.Equal(expected.GetProperty("nodeCount").GetInt32(), tree.Count);
            Assert.Empty(result.Notices);
            device.Delete(StorageArea.Snapshots, file.Name);
            count++;
        }
        Assert.True(count >= 5);
    }

    [Theory]
    [InlineData(SnapshotFormat.Plain)]
    [InlineData(SnapshotFormat.Gzip)]
    [InlineData(SnapshotFormat.Snappy)]
    public void Snapshot_written_in_each_format_reads_back(SnapshotFormat format)
    {
        CopyRecorded("standalone");
        FileStorageDevice device = FileStorageDevice.Open(root, root);
        RecoveryResult before = Recovery.Run(device, new RecoveryOptions { ExtendedTypesEnabled = true });
        using DataTree tree = before.Tree;
        Save(device, format, tree, before.Sessions);

        RecoveryResult after = Recovery.Run(device, new RecoveryOptions { ExtendedTypesEnabled = true });
        using DataTree again = after.Tree;
        Assert.Equal(StorageNames.Snapshot(before.Last, format), after.SnapshotName);
        Assert.Equal(0, after.TxnsApplied);
        Assert.Equal(before.Last, after.Last);
        Assert.Equal(tree.Digest, again.Digest);
        Assert.Equal(tree.Count, again.Count);
        Assert.Equal(before.Sessions.ToArray(), after.Sessions.ToArray());
        Assert.Empty(after.Notices);
    }

    [Fact]
    public void Snapshot_that_is_not_committed_leaves_nothing()
    {
        FileStorageDevice device = FileStorageDevice.Open(root, root);
        var store = new SnapshotStore(device, SnapshotFormat.Gzip);
        using (ISnapshotSink sink = store.Begin(new Zxid(7), out string name))
        {
            Assert.Equal("snapshot.7.gz", name);
            sink.Write(new byte[100_000]);
        }
        Assert.Empty(Directory.GetFiles(device.SnapshotDirectory));
    }

    [Fact]
    public void Open_removes_a_snapshot_that_was_being_written()
    {
        string directory = Directory.CreateDirectory(Path.Combine(root, "version-2")).FullName;
        File.WriteAllBytes(Path.Combine(directory, "snapshot.7.tmp"), new byte[10]);
        FileStorageDevice.Open(root, root);
        Assert.Empty(Directory.GetFiles(directory));
    }

    [Fact]
    public void Open_refuses_a_missing_directory_if_it_may_not_create_it()
    {
        string missing = Path.Combine(root, "missing");
        StorageException refusal = Assert.Throws<StorageException>(
            () => FileStorageDevice.Open(missing, missing, autoCreate: false));
        Assert.Contains(missing, refusal.Message, StringComparison.Ordinal);
        Assert.Contains("autocreate", refusal.Message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(missing));
    }

    [Theory]
    [InlineData("data", "log.5", "dataLogDir")]
    [InlineData("logs", "snapshot.5", "dataDir")]
    public void Open_refuses_files_in_the_wrong_one_of_two_directories(string folder, string name, string key)
    {
        string directory = Directory.CreateDirectory(Path.Combine(root, folder, "version-2")).FullName;
        File.WriteAllBytes(Path.Combine(directory, name), []);
        StorageException refusal = Assert.Throws<StorageException>(
            () => FileStorageDevice.Open(Path.Combine(root, "data"), Path.Combine(root, "logs")));
        Assert.Contains(Path.Combine(directory, name), refusal.Message, StringComparison.Ordinal);
        Assert.Contains(key, refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Open_of_a_path_that_is_a_file_says_so()
    {
        string file = Path.Combine(root, "file");
        File.WriteAllBytes(file, []);
        StorageException refusal = Assert.Throws<StorageException>(() => FileStorageDevice.Open(file, file));
        Assert.Contains(file, refusal.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("snapshot.5.gz")]
    [InlineData("snapshot.5.snappy")]
    public void Recovery_reports_a_compressed_snapshot_that_cannot_be_read(string name)
    {
        CopyRecorded("standalone");
        FileStorageDevice device = FileStorageDevice.Open(root, root);
        string path = device.Describe(StorageArea.Snapshots, name);
        // Right marks, then garbage: the newest by name.
        path = path.Replace("snapshot.5", "snapshot.e3", StringComparison.Ordinal);
        byte[] head = name.EndsWith("gz", StringComparison.Ordinal)
            ? [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0]
            : [.. SnappyFrames.Header];
        File.WriteAllBytes(path, [.. head, 0x7f, 0xff, 0xff, 0xff, 1, 2, 3, 4, 5, 6, 7, 8]);
        RecoveryResult result = Recovery.Run(device, new RecoveryOptions { ExtendedTypesEnabled = true });
        using DataTree tree = result.Tree;
        RecoveryNotice notice = Assert.Single(result.Notices);
        Assert.Equal(RecoveryNoticeKind.SnapshotUnreadable, notice.Kind);
        Assert.Contains(path, notice.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Purge_keeps_the_newest_whole_snapshots_and_their_logs()
    {
        CopyRecorded("standalone");
        FileStorageDevice device = FileStorageDevice.Open(root, root);
        File.WriteAllBytes(device.Describe(StorageArea.Snapshots, "snapshot.e0"), new byte[50]);
        PurgePlan removed = new SnapshotStore(device, SnapshotFormat.Plain).Purge(3);
        Assert.Equal(["snapshot.59", "snapshot.2d", "snapshot.0"], removed.Snapshots);
        Assert.Equal(["log.1", "log.2f"], removed.Logs);
        Assert.Equal(
            ["log.5b", "log.8a", "log.aa", "log.d4", "snapshot.88", "snapshot.a8", "snapshot.d2", "snapshot.e0"],
            Directory.GetFiles(device.LogDirectory).Select(Path.GetFileName).Order(StringComparer.Ordinal));
    }

    internal static void Save(
        FileStorageDevice device, SnapshotFormat format, DataTree tree, SessionTimeouts sessions)
    {
        using var writer = new SnapshotWriter(tree, sessions.ToArray());
        using ISnapshotSink sink = new SnapshotStore(device, format).Begin(writer.Start, out _);
        using var buffer = new JuteBuffer();
        bool more = true;
        while (more)
        {
            buffer.Clear();
            more = writer.WriteSlice(buffer, 4096);
            sink.Write(buffer.WrittenSpan);
        }
        sink.Commit();
    }

    private void CopyRecorded(string name)
    {
        string target = Directory.CreateDirectory(Path.Combine(root, "version-2")).FullName;
        foreach (string path in Directory.GetFiles(Path.Combine(Recorded, name, "data", "version-2")))
        {
            string file = Path.GetFileName(path);
            if (!file.StartsWith("log.", StringComparison.Ordinal))
            {
                File.Copy(path, Path.Combine(target, file));
                continue;
            }
            using var source = new GZipStream(File.OpenRead(path), CompressionMode.Decompress);
            using FileStream log = File.Create(Path.Combine(target, file[..^3]));
            source.CopyTo(log);
        }
    }
}
