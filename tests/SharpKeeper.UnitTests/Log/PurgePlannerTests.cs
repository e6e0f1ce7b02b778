using SharpKeeper.Core.Log;
using SharpKeeper.Core.Transactions;
using SharpKeeper.Core.Tree;

namespace SharpKeeper.LogTests;

public class PurgePlannerTests
{
    private static readonly byte[] Whole = SnapshotCodecTests.Write(new DataTree(), new SessionTimeouts(), 4096);

    [Fact]
    public void Plan_keeps_the_newest_whole_snapshots_and_the_log_that_the_oldest_needs()
    {
        MemoryStorageDevice device = Device([0, 10, 20, 30, 40], [1, 8, 15, 21, 35]);
        PurgePlan plan = PurgePlanner.Plan(device, 3);
        Assert.Equal(["snapshot.a", "snapshot.0"], plan.Snapshots);
        // snapshot.14 needs what follows 0x14: log.f may hold it.
        Assert.Equal(["log.1", "log.8"], plan.Logs);
    }

    [Fact]
    public void Plan_counts_no_broken_snapshot()
    {
        MemoryStorageDevice device = Device([0, 10, 20, 30, 40], [1, 8, 15, 21, 35]);
        device.Put(StorageArea.Snapshots, "snapshot.14", new byte[100]);
        device.Put(StorageArea.Snapshots, "snapshot.28", []);
        PurgePlan plan = PurgePlanner.Plan(device, 3);
        Assert.Empty(plan.Snapshots);
        Assert.Empty(plan.Logs);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-5)]
    [InlineData(3)]
    public void Plan_never_keeps_fewer_than_three(int kept) =>
        Assert.Equal(2, PurgePlanner.Plan(Device([0, 10, 20, 30, 40], []), kept).Snapshots.Count);

    [Fact]
    public void Plan_removes_nothing_without_enough_whole_snapshots()
    {
        PurgePlan plan = PurgePlanner.Plan(Device([30, 40], [1, 8, 15, 21, 35]), 3);
        Assert.Empty(plan.Snapshots);
        Assert.Empty(plan.Logs);
    }

    [Fact]
    public void Plan_looks_past_a_log_without_entries()
    {
        // log.13 was begun and never written; what follows snapshot.14 is in log.12, written after a restart.
        MemoryStorageDevice device = Device([0, 10, 20, 30, 40], [1, 8, 18]);
        device.Put(StorageArea.Logs, "log.13", []);
        Assert.Equal(["log.1", "log.8"], PurgePlanner.Plan(device, 3).Logs);
    }

    [Fact]
    public void Plan_leaves_other_files_alone()
    {
        MemoryStorageDevice device = Device([0, 10, 20, 30, 40], [1, 8, 15, 21, 35]);
        foreach (string name in (string[])["snapshot.x", "log.", "acceptedEpoch", "snapshot.1.tmp", "snap.0"])
        {
            device.Put(StorageArea.Snapshots, name, Whole);
            device.Put(StorageArea.Logs, name, Whole);
        }
        PurgePlan plan = PurgePlanner.Plan(device, 3);
        Assert.Equal(2, plan.Snapshots.Count);
        Assert.Equal(2, plan.Logs.Count);
    }

    private static MemoryStorageDevice Device(long[] snapshots, long[] logs)
    {
        var device = new MemoryStorageDevice();
        foreach (long zxid in snapshots)
            device.Put(StorageArea.Snapshots, StorageNames.Snapshot(new(zxid)), Whole);
        foreach (long zxid in logs)
            device.Put(StorageArea.Logs, StorageNames.Log(new(zxid)), new LogImage().AddCreate(zxid, "/a").ToFile());
        return device;
    }
}
