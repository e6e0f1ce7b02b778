using SharpKeeper.Core.Log;
using SharpKeeper.Protocol;

namespace SharpKeeper.LogTests;

public class LogTruncationTests
{
    public static TheoryData<int> Seeds() => [.. Enumerable.Range(1, 15)];

    [Theory]
    [MemberData(nameof(Seeds))]
    public void CutAfter_any_transaction_leaves_its_state_or_says_that_it_cannot(int seed)
    {
        var life = new RecordedLife(seed, 120);
        for (int target = 0; target <= 121; target += 1 + (seed % 9))
        {
            var device = new CrashingDevice(life.Device);
            LogTruncationResult result = LogTruncation.CutAfter(device, new Zxid(target));
            bool isPossible = life.Ends.Any(one => one.Value.Value <= target);
            Assert.Equal((isPossible, isPossible), (result.IsDone, result.Problem.Length == 0));
            if (!isPossible)
            {
                Assert.Empty(device.Operations);
                continue;
            }
            Assert.Equal(Math.Min(target, 120), result.Last.Value);
            Assert.Equal(life.States[(int)result.Last.Value], RecordedLife.Recover(device, out _));
        }
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void CutAfter_that_a_power_failure_interrupts_leaves_a_state_from_the_target_on(int seed)
    {
        var life = new RecordedLife(seed, 90);
        int target = new Random(seed).Next(20, 90);
        for (int operations = 0; ; operations++)
        {
            var device = new CrashingDevice(life.Device, operations);
            bool isOver = false;
            try
            {
                LogTruncation.CutAfter(device, new Zxid(target));
                isOver = true;
            }
            catch (PowerFailure)
            {
                // Every moment of it is looked at in turn.
            }
            foreach (MemoryStorageDevice remains in device.Remains())
            {
                string state = RecordedLife.Recover(remains, out Zxid last);
                Assert.InRange(last.Value, target, life.Last.Value);
                Assert.Equal(life.States[(int)last.Value], state);
                LogTruncationResult again = LogTruncation.CutAfter(remains, new Zxid(target));
                Assert.Equal((true, new Zxid(target)), (again.IsDone, again.Last));
                Assert.Equal(life.States[target], RecordedLife.Recover(remains, out _));
            }
            if (isOver)
                return;
        }
    }

    [Fact]
    public void CutAfter_goes_in_the_order_that_crashes_cannot_harm()
    {
        MemoryStorageDevice start = Device(
            [0, 4], Log([1, 2]), Log([3, 4]), Log([5, 6]), Log([7]));
        start.Put(StorageArea.Logs, "log.8", [.. new LogImage().ToFile(), .. new byte[40]]);
        start.Put(StorageArea.Logs, "log.9", []);
        start.Put(StorageArea.Snapshots, "snapshot.6", SnapshotAt(6));
        var device = new CrashingDevice(start);
        LogTruncationResult result = LogTruncation.CutAfter(device, new Zxid(5));
        Assert.Equal(new LogTruncationResult(true, new Zxid(5), ""), result);
        Assert.Equal(
            [
                "delete snapshot.6", "sync Snapshots", "delete log.9", "sync Logs", "delete log.8", "sync Logs",
                "delete log.7", "sync Logs", "truncate log.5",
            ],
            device.Operations);
    }

    [Theory]
    [InlineData(0x100000002)]
    [InlineData(0x100000009)]
    [InlineData(0x200000000)]
    public void CutAfter_a_transaction_that_is_not_there_ends_behind_the_last_one_before_it(long target)
    {
        MemoryStorageDevice device = Device([0], Log([0x100000001, 0x100000002, 0x200000001, 0x200000002]));
        LogTruncationResult result = LogTruncation.CutAfter(device, new Zxid(target));
        Assert.Equal(new LogTruncationResult(true, new Zxid(0x100000002), ""), result);
        RecordedLife.Recover(device, out Zxid last);
        Assert.Equal(new Zxid(0x100000002), last);
    }

    [Fact]
    public void CutAfter_before_the_first_transaction_leaves_the_snapshot()
    {
        MemoryStorageDevice device = Device([3], Log([4, 5]), Log([6]));
        Assert.Equal(new LogTruncationResult(true, new Zxid(3), ""), LogTruncation.CutAfter(device, new Zxid(3)));
        Assert.Empty(device.List(StorageArea.Logs));
        RecordedLife.Recover(device, out Zxid last);
        Assert.Equal(new Zxid(3), last);
    }

    [Fact]
    public void CutAfter_the_end_or_later_changes_nothing()
    {
        MemoryStorageDevice start = Device([3], Log([4, 5]), Log([6]));
        foreach (long target in (long[])[6, 7, 0x500000000])
        {
            var device = new CrashingDevice(start);
            Assert.Equal(
                new LogTruncationResult(true, new Zxid(6), ""), LogTruncation.CutAfter(device, new Zxid(target)));
            Assert.Empty(device.Operations);
        }
    }

    [Fact]
    public void CutAfter_cuts_every_log_that_holds_a_transaction_twice()
    {
        // What a failed sync leaves: the old file kept what was written again to the next.
        MemoryStorageDevice device = Device([0], Log([1, 2, 3, 4, 5]), Log([3, 4, 5, 6]));
        Assert.Equal(new LogTruncationResult(true, new Zxid(3), ""), LogTruncation.CutAfter(device, new Zxid(3)));
        RecordedLife.Recover(device, out Zxid last);
        Assert.Equal(new Zxid(3), last);
    }

    [Fact]
    public void CutAfter_behind_a_torn_entry_drops_it_as_well()
    {
        byte[] torn = Log([1, 2, 3]).Bytes[..^5];
        MemoryStorageDevice device = Device([0], ("log.1", torn), Log([3, 4]));
        Assert.Equal(new LogTruncationResult(true, new Zxid(2), ""), LogTruncation.CutAfter(device, new Zxid(2)));
        RecordedLife.Recover(device, out Zxid last);
        Assert.Equal(new Zxid(2), last);
    }

    [Fact]
    public void CutAfter_older_than_every_snapshot_cannot_be_done()
    {
        MemoryStorageDevice start = Device([5, 9], Log([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]));
        Refuses(start, 4, "Every snapshot may hold transactions beyond 0x4");
    }

    [Fact]
    public void CutAfter_without_a_snapshot_cannot_be_done() =>
        Refuses(Device([], Log([1, 2, 3])), 2, "Every snapshot");

    [Fact]
    public void CutAfter_does_not_trust_a_snapshot_without_a_digest()
    {
        MemoryStorageDevice start = Device([], Log([1, 2, 3]));
        start.Put(StorageArea.Snapshots, "snapshot.1", SnapshotAt(1)[..^33]);
        Refuses(start, 2, "Every snapshot");
        start.Put(StorageArea.Snapshots, "snapshot.0", SnapshotAt(0));
        LogTruncationResult result = LogTruncation.CutAfter(start, new Zxid(2));
        Assert.Equal((true, 2), (result.IsDone, result.Last.Value));
        Assert.Equal("snapshot.0", Assert.Single(start.List(StorageArea.Snapshots)).Name);
    }

    [Fact]
    public void CutAfter_with_a_gap_between_snapshot_and_target_cannot_be_done() =>
        Refuses(Device([0], Log([1, 2]), Log([4, 5])), 4, "missing");

    [Fact]
    public void CutAfter_with_a_gap_behind_the_target_cannot_be_done_either()
    {
        // The logs lead to the target, but not to the end: a crash on the way would leave what recovery refuses.
        MemoryStorageDevice start = Device([0, 5], Log([1, 2, 3]), Log([6, 7]));
        Refuses(start, 2, "missing");
    }

    [Fact]
    public void CutAfter_with_damage_cannot_be_done()
    {
        (string name, byte[] bytes) = Log([1, 2, 3]);
        bytes[60] ^= 1;
        Refuses(Device([0], (name, bytes)), 2, "damaged");
    }

    private static void Refuses(MemoryStorageDevice start, long target, string expected)
    {
        var device = new CrashingDevice(start);
        LogTruncationResult result = LogTruncation.CutAfter(device, new Zxid(target));
        Assert.False(result.IsDone);
        Assert.Contains(expected, result.Problem, StringComparison.Ordinal);
        Assert.Empty(device.Operations);
    }

    private static MemoryStorageDevice Device(long[] snapshots, params (string Name, byte[] Bytes)[] logs)
    {
        var device = new MemoryStorageDevice();
        foreach (long zxid in snapshots)
            device.Put(StorageArea.Snapshots, StorageNames.Snapshot(new Zxid(zxid)), SnapshotAt(zxid));
        foreach ((string name, byte[] bytes) in logs)
            device.Put(StorageArea.Logs, name, bytes);
        return device;
    }

    private static byte[] SnapshotAt(long zxid)
    {
        using var tree = new Core.Tree.DataTree();
        tree.LastProcessed = new Zxid(zxid);
        return SnapshotCodecTests.Write(tree, new Core.Transactions.SessionTimeouts(), 4096);
    }

    private static (string Name, byte[] Bytes) Log(long[] zxids)
    {
        var image = new LogImage();
        foreach (long zxid in zxids)
            image.AddCreate(zxid, $"/n{zxid}");
        return (StorageNames.Log(new Zxid(zxids[0])), image.ToFile(padding: 100));
    }
}
