using SharpKeeper.Core;
using SharpKeeper.Core.Log;
using SharpKeeper.Protocol;

namespace SharpKeeper.LogTests;

public class SnapshotInstallationTests
{
    public static TheoryData<int, int> Cases()
    {
        // Below, at, between and above the transactions of the old state.
        var cases = new TheoryData<int, int>();
        for (int seed = 1; seed <= 3; seed++)
        {
            foreach (int zxid in (int[])[0, 10, 40, 60, 61, 200])
                cases.Add(seed, zxid);
        }
        return cases;
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Run_leaves_exactly_the_new_state(int seed, int zxid)
    {
        var old = new RecordedLife(seed, 60);
        old.Device.Put(StorageArea.Snapshots, "acceptedEpoch", [(byte)'3']);
        old.Device.Put(StorageArea.Logs, "preallocated.tmp", [0]);
        using NewState state = new(seed, zxid);
        var device = new CrashingDevice(old.Device);
        Assert.Equal(StorageNames.Snapshot(new Zxid(zxid)), state.Install(device));
        Assert.Equal(state.Expected, RecordedLife.Recover(device, out _));
        Assert.Equal(
            ["acceptedEpoch", StorageNames.Snapshot(new Zxid(zxid))],
            device.List(StorageArea.Snapshots).Select(file => file.Name).Order(StringComparer.Ordinal));
        Assert.Equal("preallocated.tmp", Assert.Single(device.List(StorageArea.Logs)).Name);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Run_that_power_failures_interrupt_leaves_the_old_state_or_the_new_one(int seed, int zxid)
    {
        var old = new RecordedLife(seed, 60);
        // The same transaction's snapshot in another form than the new one has.
        old.Device.Put(StorageArea.Snapshots, "snapshot.28.gz", new byte[30]);
        string before = RecordedLife.Recover(old.Device, out _);
        using NewState state = new(seed, zxid);
        bool isCommitted = false;
        for (int operations = 0; ; operations++)
        {
            var device = new CrashingDevice(old.Device, operations);
            bool isOver = !Crashes(() => state.Install(device));
            isCommitted |= device.Operations.Any(
                operation => operation.StartsWith("commit", StringComparison.Ordinal));
            foreach (MemoryStorageDevice remains in device.Remains())
            {
                string expected = isCommitted ? state.Expected : before;
                if (seed == 1)
                    RecoversTo(expected, remains);
                else
                    Assert.Equal(expected, RecordedLife.Recover(remains, out _));
            }
            if (isOver)
                return;
        }
    }

    [Fact]
    public void Run_goes_in_the_order_that_crashes_cannot_harm()
    {
        var start = new MemoryStorageDevice();
        foreach (string name in (string[])["snapshot.0", "snapshot.5", "snapshot.9.gz"])
            start.Put(StorageArea.Snapshots, name, new byte[20]);
        foreach (string name in (string[])["log.1", "log.10"])
            start.Put(StorageArea.Logs, name, new byte[20]);
        using NewState state = new(1, 7);
        var device = new CrashingDevice(start);
        state.Install(device);
        Assert.Equal(
            [
                "create installing.7", "commit installing.7", "delete snapshot.9.gz", "delete snapshot.5",
                "delete snapshot.0", "sync Snapshots", "delete log.10", "delete log.1", "sync Logs", "rename snapshot.7",
            ],
            device.Operations);
    }

    [Fact]
    public void Run_after_an_attempt_that_failed_half_way_ends_that_first()
    {
        var old = new RecordedLife(3, 60);
        using NewState first = new(1, 50);
        using NewState second = new(2, 45);
        var device = new CrashingDevice(old.Device, 4);
        Assert.True(Crashes(() => first.Install(device)));
        MemoryStorageDevice remains = device.Remains().First();
        Assert.Equal("snapshot.2d", second.Install(remains));
        Assert.Equal(second.Expected, RecordedLife.Recover(remains, out _));
    }

    [Fact]
    public void Run_on_an_empty_device_saves_the_state()
    {
        var device = new MemoryStorageDevice();
        using NewState state = new(1, 7);
        state.Install(device);
        Assert.Equal(state.Expected, RecordedLife.Recover(device, out _));
    }

    [Fact]
    public void Recovery_tells_that_it_ended_an_installation()
    {
        var old = new RecordedLife(3, 60);
        using NewState state = new(1, 50);
        var device = new CrashingDevice(old.Device, 2);
        Assert.True(Crashes(() => state.Install(device)));
        RecoveryResult result = Recovery.Run(device.Remains().First(), RecordedLife.Options);
        result.Tree.Dispose();
        RecoveryNotice notice = Assert.Single(result.Notices);
        Assert.Equal(RecoveryNoticeKind.InstallationFinished, notice.Kind);
        Assert.Contains("snapshot.32 had come from the leader", notice.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Finish_of_a_damaged_state_refuses_and_removes_nothing()
    {
        var old = new RecordedLife(3, 60);
        old.Device.Put(StorageArea.Snapshots, "installing.32", new byte[100]);
        var device = new CrashingDevice(old.Device);
        string message = Assert.Throws<CorruptDataException>(() => SnapshotInstallation.Finish(device, out _)).Message;
        Assert.Contains("installing.32", message, StringComparison.Ordinal);
        Assert.Contains("Move the version-2 directories away", message, StringComparison.Ordinal);
        Assert.Empty(device.Operations);
    }

    [Fact]
    public void Finish_without_an_installation_changes_nothing()
    {
        var old = new RecordedLife(3, 60);
        old.Device.Put(StorageArea.Snapshots, "installing.32.tmp", new byte[100]);
        old.Device.Put(StorageArea.Snapshots, "installing.txt", new byte[100]);
        var device = new CrashingDevice(old.Device);
        Assert.False(SnapshotInstallation.Finish(device, out _));
        Assert.Empty(device.Operations);
    }

    // Recovery is interrupted at every point as well.
    private static void RecoversTo(string expected, MemoryStorageDevice remains)
    {
        for (int operations = 0; ; operations++)
        {
            var device = new CrashingDevice(remains, operations);
            if (!Crashes(() => Assert.Equal(expected, RecordedLife.Recover(device, out _))))
                return;
            foreach (MemoryStorageDevice left in device.Remains())
                Assert.Equal(expected, RecordedLife.Recover(left, out _));
        }
    }

    private static bool Crashes(Action action)
    {
        try
        {
            action();
            return false;
        }
        catch (PowerFailure)
        {
            return true;
        }
    }

    // A state that came from a leader.
    private sealed class NewState : IDisposable
    {
        private readonly SnapshotStream stream;

        public NewState(int seed, int zxid)
        {
            using var live = new LiveState(new Random(seed + 1000));
            for (int i = 0; i < 30; i++)
                live.Step();
            byte[] bytes = SnapshotStreamTests.Write(live.Tree, live.Sessions, 1 << 20);
            stream = SnapshotStream.Load(new PieceReader(bytes), RecordedLife.Options);
            stream.Tree.LastProcessed = new Zxid(zxid);
            Expected = RecordedLife.StateOf(stream.Tree, stream.Sessions.ToArray());
        }

        public string Expected { get; }

        public string Install(IStorageDevice device) =>
            SnapshotInstallation.Run(device, stream.Tree, stream.Sessions);

        public void Dispose() => stream.Tree.Dispose();
    }
}
