using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using SharpKeeper.Core;
using SharpKeeper.Core.Log;
using SharpKeeper.Core.Transactions;
using SharpKeeper.Core.Tree;
using SharpKeeper.Core.Zab;
using SharpKeeper.Protocol;
using SharpKeeper.Protocol.Quorum;
using SharpKeeper.Server.Storage;

namespace SharpKeeper.StorageTests;

/// <summary>What a server of an ensemble does to its files, on a real disk and between real writes.</summary>
public sealed class EnsembleStorageTests : IDisposable
{
    private const int WaitMs = 60_000;

    private readonly string root = Directory.CreateTempSubdirectory("sharpkeeper-ensemble-").FullName;

    public void Dispose() => Directory.Delete(root, recursive: true);

    [Theory, InlineData(true), InlineData(false)]
    public void Truncation_between_writes_leaves_what_is_recovered_and_written_on(bool isOneDirectory)
    {
        FileStorageDevice device = Open(isOneDirectory);
        SaveSnapshot(device, 0);
        using (var log = new Log(device))
        {
            log.Append(1, 10);
            log.Writer.Roll();
            log.Append(11, 10);
            log.Writer.Roll();
            log.Append(21, 10);
            LogTruncationResult result = default;
            log.Between(() => result = LogTruncation.CutAfter(device, new Zxid(15)));
            Assert.Equal(new LogTruncationResult(true, new Zxid(15), ""), result);
            log.Append(16, 3);
        }
        Assert.Equal(["log.1", "log.10", "log.b"], LogNames(device));
        var history = new TxnHistory(500, 0);
        Assert.Equal(new Zxid(18), Recover(Open(isOneDirectory), history, out int count));
        Assert.Equal((22, 18, new Zxid(1)), (count, history.Count, history.First));
    }

    [Theory, InlineData(true), InlineData(false)]
    public void Installation_between_writes_leaves_only_the_new_state(bool isOneDirectory)
    {
        FileStorageDevice device = Open(isOneDirectory);
        SaveSnapshot(device, 0);
        SaveSnapshot(device, 0x300000000);
        EpochFiles epochs = EpochFiles.Load(device, Zxid.Zero);
        using (var log = new Log(device))
        {
            log.Append(1, 10);
            using var tree = new DataTree();
            tree.Create("/new"u8, default, false, OpenAcl(), 0, 1, new Zxid(0x200000004), 0, out _);
            tree.LastProcessed = new Zxid(0x200000005);
            var sessions = new SessionTimeouts();
            sessions.Set(new SessionId(7), 4000);
            log.Between(() => SnapshotInstallation.Run(device, tree, sessions));
            epochs.SaveAccepted(2);
            log.Append(0x200000006, 3);
        }
        FileStorageDevice again = Open(isOneDirectory);
        Assert.Equal("snapshot.200000005", Assert.Single(StorageListing.Snapshots(again)).Name);
        Assert.Equal(["log.200000006"], LogNames(again));
        Assert.Equal(new Zxid(0x200000008), Recover(again, null, out int count));
        Assert.Equal(4 + 1 + 3, count);
        // The transactions were taken over before currentEpoch was written.
        Assert.Equal(2, EpochFiles.Load(again, new Zxid(0x200000008)).Current);
    }

    [Fact]
    public void Installation_that_a_crash_interrupted_is_ended_by_recovery()
    {
        FileStorageDevice device = Open(isOneDirectory: false);
        SaveSnapshot(device, 3);
        using (var log = new Log(device))
            log.Append(4, 5);
        SaveSnapshot(device, 6);
        device.Rename(StorageArea.Snapshots, "snapshot.6", "installing.6");
        File.WriteAllBytes(Path.Combine(device.SnapshotDirectory, "installing.9.tmp"), new byte[100]);
        FileStorageDevice again = Open(isOneDirectory: false);
        Assert.Equal(new Zxid(6), Recover(again, null, out _));
        Assert.Equal(["snapshot.6"], Directory.GetFiles(again.SnapshotDirectory).Select(Path.GetFileName));
        Assert.Empty(Directory.GetFiles(again.LogDirectory));
    }

    [Fact]
    public void Range_is_read_while_the_newest_log_is_written()
    {
        FileStorageDevice device = Open(isOneDirectory: true);
        using var log = new Log(device);
        log.Append(1, 500);
        log.Writer.Roll();
        log.Append(501, 500);
        Assert.Equal(
            new LogPosition(true, new Zxid(300), new Zxid(301)), LogQuery.Find(device, new Zxid(300), 0));
        using var range = new LogRange(device, new Zxid(300), new Zxid(1000));
        using var output = new JuteBuffer();
        for (int next = 1001; range.WriteSlice(output, 2000); next += 10)
            log.Append(next, 10);
        Assert.Equal(Enumerable.Range(301, 700).Select(i => (long)i), Proposals(output));
    }

    [Fact]
    public void Epochs_are_files_as_Apache_writes_them()
    {
        FileStorageDevice device = Open(isOneDirectory: true);
        EpochFiles epochs = EpochFiles.Load(device, new Zxid(0x500000001));
        epochs.SaveAccepted(12);
        File.WriteAllText(Path.Combine(device.SnapshotDirectory, "currentEpoch.tmp"), "1");
        Assert.Equal("12", File.ReadAllText(Path.Combine(device.SnapshotDirectory, "acceptedEpoch")));
        Assert.Equal("5", File.ReadAllText(Path.Combine(device.SnapshotDirectory, "currentEpoch")));
        EpochFiles again = EpochFiles.Load(Open(isOneDirectory: true), new Zxid(0x500000001));
        Assert.Equal((12, 5), (again.Accepted, again.Current));
        Assert.Equal(
            ["acceptedEpoch", "currentEpoch"],
            Directory.GetFiles(device.SnapshotDirectory).Select(Path.GetFileName).Order());
    }

    [Fact]
    public void Small_files_are_replaced_cut_and_renamed()
    {
        FileStorageDevice device = Open(isOneDirectory: false);
        device.WriteFile(StorageArea.Logs, "a", "first and longer"u8);
        device.WriteFile(StorageArea.Logs, "a", "second"u8);
        device.WriteFile(StorageArea.Logs, "b", "other"u8);
        device.Truncate(StorageArea.Logs, "a", 3);
        Assert.Equal("sec", File.ReadAllText(device.Describe(StorageArea.Logs, "a")));
        device.Rename(StorageArea.Logs, "a", "b");
        device.SyncDirectory(StorageArea.Logs);
        Assert.Equal("sec", File.ReadAllText(device.Describe(StorageArea.Logs, "b")));
        Assert.Equal(["b"], device.List(StorageArea.Logs).Select(file => file.Name));
        Assert.ThrowsAny<IOException>(() => device.Truncate(StorageArea.Logs, "a", 3));
        Assert.ThrowsAny<IOException>(() => device.Rename(StorageArea.Logs, "a", "c"));
    }

    private static byte[] OpenAcl()
    {
        using var buffer = new JuteBuffer();
        Acl.WriteVector(buffer, Acl.OpenUnsafe);
        return buffer.WrittenSpan.ToArray();
    }

    private static string[] LogNames(FileStorageDevice device) =>
        [.. StorageListing.Logs(device).Select(log => log.Name).Order(StringComparer.Ordinal)];

    private static Zxid Recover(FileStorageDevice device, TxnHistory? history, out int count)
    {
        RecoveryResult result = Recovery.Run(device, new RecoveryOptions { History = history });
        count = result.Tree.Count;
        result.Tree.Dispose();
        return result.Last;
    }

    private static void SaveSnapshot(FileStorageDevice device, long zxid)
    {
        using var tree = new DataTree();
        tree.LastProcessed = new Zxid(zxid);
        using ISnapshotSink sink = device.CreateSnapshot(StorageNames.Snapshot(tree.LastProcessed));
        using var writer = new SnapshotWriter(tree, []);
        using var buffer = new JuteBuffer();
        while (writer.WriteSlice(buffer, 4096))
        {
        }
        sink.Write(buffer.WrittenSpan);
        sink.Commit();
    }

    private static List<long> Proposals(JuteBuffer output)
    {
        var zxids = new List<long>();
        for (ReadOnlySpan<byte> rest = output.WrittenSpan; !rest.IsEmpty;)
        {
            Assert.Equal(
                PacketReadResult.Complete,
                QuorumPackets.TryRead(rest, 1 << 20, out QuorumPacket packet, out int consumed));
            if (packet.Type == QuorumPacketType.Proposal)
                zxids.Add(packet.Zxid.Value);
            rest = rest[consumed..];
        }
        return zxids;
    }

    private FileStorageDevice Open(bool isOneDirectory) => FileStorageDevice.Open(
        Path.Combine(root, "data"), Path.Combine(root, isOneDirectory ? "data" : "log"));

    // A log writer that is waited for.
    private sealed class Log : ILogCompletion, IDisposable
    {
        private readonly SemaphoreSlim done = new(0);

        public Log(FileStorageDevice device) => Writer = new LogWriter(
            new LogWriterOptions { Directory = device.LogDirectory, PreallocBytes = 1 << 20 }, this,
            NullLogger.Instance);

        public LogWriter Writer { get; }

        public void Append(long first, int count)
        {
            var batch = new TxnBatch();
            for (long zxid = first; zxid < first + count; zxid++)
            {
                JuteBuffer output = batch.BeginEntry();
                new TxnHeader(1, 1, zxid, 1_700_000_000_000, OpCode.Create).Write(output);
                TxnRecords.WriteCreate(output, Encoding.UTF8.GetBytes($"/n{zxid:x}"), default, false, OpenAcl(), false, -1);
                batch.EndEntry(new Zxid(zxid));
            }
            Writer.Append(batch);
            Wait();
        }

        public void Between(Action action)
        {
            Exception? failure = null;
            Writer.RunBetween(action, exception =>
            {
                failure = exception;
                done.Release();
            });
            Wait();
            Assert.Null(failure);
        }

        public void Durable(TxnBatch batch) => done.Release();

        public void DurableBatchEnd()
        {
        }

        public void Stalled(string reason, Exception cause)
        {
        }

        public void Resumed()
        {
        }

        public void Dispose()
        {
            Writer.Dispose();
            done.Dispose();
        }

        private void Wait() => Assert.True(done.Wait(WaitMs), "the log writer reports nothing");
    }
}
