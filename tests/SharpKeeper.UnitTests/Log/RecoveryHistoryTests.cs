using SharpKeeper.Core.Log;
using SharpKeeper.Core.Tree;
using SharpKeeper.Core.Zab;
using SharpKeeper.Protocol;

namespace SharpKeeper.LogTests;

public class RecoveryHistoryTests
{
    [Theory]
    [InlineData(500, 1 << 20, 200)]
    [InlineData(50, 0, 50)]
    [InlineData(0, 0, 0)]
    public void Recovery_keeps_the_last_transactions_in_the_history(int txnsMin, long bytesMax, int expected)
    {
        var life = new RecordedLife(1, 200, snapshotEvery: 100_000);
        var history = new TxnHistory(txnsMin, bytesMax);
        history.Append(new Zxid(900), [1]);
        Recover(life.Device, history);
        Assert.Equal((expected, Zxid.Zero), (history.Count, history.Committed));
        for (int i = 0; i < expected; i++)
        {
            int number = 200 - expected + i;
            Assert.Equal(new Zxid(number + 1), history.ZxidAt(i));
            Assert.True(history.PayloadAt(i).SequenceEqual(life.Payloads[number]));
        }
    }

    [Fact]
    public void Recovery_from_a_snapshot_remembers_what_the_logs_hold_before_it_as_well()
    {
        MemoryStorageDevice device = Device(4, [1, 2, 3, 4, 5, 6]);
        Assert.Equal([1, 2, 3, 4, 5, 6], Remembered(device));
    }

    [Fact]
    public void Recovery_forgets_what_is_before_a_gap()
    {
        // The snapshot stands for what is missing in the log.
        Assert.Equal([6, 7], Remembered(Device(5, [1, 2, 3], [6, 7])));
        Assert.Equal([4, 5, 6], Remembered(Device(5, [1, 2, 4, 5, 6])));
        Assert.Equal([0x200000001], Remembered(Device(0x100000005, [0x100000001, 0x100000002], [0x200000001])));
    }

    [Fact]
    public void Recovery_with_logs_that_end_before_the_snapshot_leaves_the_history_empty()
    {
        Assert.Empty(Remembered(Device(5, [1, 2, 3])));
        Assert.Empty(Remembered(Device(5)));
        Assert.Equal([1, 2, 3], Remembered(Device(3, [1, 2, 3])));
    }

    [Fact]
    public void Recovery_remembers_what_stands_twice_once() =>
        Assert.Equal([1, 2, 3, 4, 5], Remembered(Device(0, [1, 2, 3, 4], [3, 4, 5])));

    private static long[] Remembered(MemoryStorageDevice device)
    {
        var history = new TxnHistory(500, 1 << 20);
        Recover(device, history);
        return [.. Enumerable.Range(0, history.Count).Select(i => history.ZxidAt(i).Value)];
    }

    private static void Recover(MemoryStorageDevice device, TxnHistory history)
    {
        RecoveryResult result = Recovery.Run(device, RecordedLife.Options with { History = history });
        result.Tree.Dispose();
    }

    private static MemoryStorageDevice Device(long snapshot, params long[][] logs)
    {
        var device = new MemoryStorageDevice();
        using var tree = new DataTree();
        tree.LastProcessed = new Zxid(snapshot);
        device.Put(
            StorageArea.Snapshots, StorageNames.Snapshot(tree.LastProcessed),
            SnapshotCodecTests.Write(tree, new Core.Transactions.SessionTimeouts(), 4096));
        foreach (long[] zxids in logs)
        {
            var image = new LogImage();
            foreach (long zxid in zxids)
                image.AddCreate(zxid, $"/n{zxid}");
            device.Put(StorageArea.Logs, StorageNames.Log(new Zxid(zxids[0])), image.ToFile());
        }
        return device;
    }
}
