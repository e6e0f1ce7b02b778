using SharpKeeper.Core;
using SharpKeeper.Core.Log;
using SharpKeeper.Core.Tree;
using SharpKeeper.Protocol;

namespace SharpKeeper.LogTests;

public class RecoveryFixtureTests
{
    private static readonly RecoveryOptions Options = new() { ExtendedTypesEnabled = true };

    public static TheoryData<string, string> Snapshots()
    {
        var data = new TheoryData<string, string>();
        foreach (string directory in ApacheFixture.Directories)
        {
            foreach (SnapshotFile file in StorageListing.Snapshots(ApacheFixture.Load(directory)))
                data.Add(directory, file.Name);
        }
        return data;
    }

    [Theory]
    [MemberData(nameof(Snapshots))]
    public void Run_from_each_recorded_snapshot_gives_the_recorded_tree(string directory, string snapshot)
    {
        MemoryStorageDevice device = ApacheFixture.Load(directory);
        foreach (SnapshotFile file in StorageListing.Snapshots(device))
        {
            if (file.Name != snapshot)
                device.Delete(StorageArea.Snapshots, file.Name);
        }
        RecoveryResult result = Recovery.Run(device, Options);
        using DataTree tree = result.Tree;
        TreeAssert.Matches(ApacheFixture.Expected(directory), tree, result.Sessions);
        Assert.Equal(snapshot, result.SnapshotName);
        Assert.Empty(result.Notices);
        Assert.Equal(0, result.DigestMismatches);
        Assert.True(result.DigestsCompared > 0);
        Assert.Equal(result.Last.Value - result.SnapshotZxid.Value, result.TxnsApplied);
    }

    [Theory]
    [InlineData("standalone")]
    [InlineData("standalone-gz")]
    public void Run_without_snapshot_replays_all_logs_only_if_told_to(string directory)
    {
        MemoryStorageDevice device = ApacheFixture.Load(directory);
        foreach (SnapshotFile file in StorageListing.Snapshots(device))
            device.Delete(StorageArea.Snapshots, file.Name);
        Assert.Throws<CorruptDataException>(() => Recovery.Run(device, Options));
        RecoveryResult result = Recovery.Run(device, Options with { TrustEmptySnapshot = true });
        using DataTree tree = result.Tree;
        TreeAssert.Matches(ApacheFixture.Expected(directory), tree, result.Sessions);
        Assert.Equal(0, result.DigestMismatches);
    }

    [Fact]
    public void Run_of_an_empty_device_is_a_first_start()
    {
        RecoveryResult result = Recovery.Run(new MemoryStorageDevice(), Options);
        using DataTree tree = result.Tree;
        Assert.True(result.IsFresh);
        Assert.Equal(4, tree.Count);
        Assert.Equal(Zxid.Zero, result.Last);
    }
}
