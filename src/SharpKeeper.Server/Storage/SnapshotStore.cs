using SharpKeeper.Core.Log;
using SharpKeeper.Protocol;

namespace SharpKeeper.Server.Storage;

/// <summary>Names snapshots, and removes what newer ones make superfluous. For any thread, one at a time.</summary>
internal sealed class SnapshotStore(IStorageDevice device, SnapshotFormat format)
{
    /// <summary>
    /// Starts a snapshot. It appears, whole and durable, with the sink's commit; disposing of the sink before leaves
    /// nothing behind, so a full disk costs the snapshot only.
    /// </summary>
    /// <param name="start">The last transaction in the tree when the snapshot began.</param>
    /// <param name="name">The name it will have.</param>
    public ISnapshotSink Begin(Zxid start, out string name)
    {
        name = StorageNames.Snapshot(start, format);
        return device.CreateSnapshot(name);
    }

    /// <summary>Removes snapshots and logs that the newest <paramref name="kept"/> snapshots do not need.</summary>
    /// <returns>What was removed.</returns>
    public PurgePlan Purge(int kept)
    {
        PurgePlan plan = PurgePlanner.Plan(device, kept);
        // Snapshots first: one that lost its logs would be of no use, logs without a snapshot do no harm.
        foreach (string name in plan.Snapshots)
            device.Delete(StorageArea.Snapshots, name);
        foreach (string name in plan.Logs)
            device.Delete(StorageArea.Logs, name);
        return plan;
    }
}
