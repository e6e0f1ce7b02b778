using SharpKeeper.Core.Log;
using SharpKeeper.Core.Zab;
using SharpKeeper.Protocol;

namespace SharpKeeper.Simulation;

internal sealed partial class SimServer
{
    private const int SnapshotsKept = 3;

    private SnapshotWriter? saving;

    /// <summary>Is a snapshot being saved beside live operation?</summary>
    public bool IsSavingSnapshot => saving is not null;

    /// <summary>Has a snapshot saved beside live operation.</summary>
    public void WantsSnapshot() => Post(SaveSnapshot);

    /// <summary>
    /// Changes a byte of the log while the server is down, where that can be seen: a changed end mark of the last entry
    /// looks like one that was cut off.
    /// </summary>
    public void RotLog(SimRandom choices)
    {
        LogFile[] logs = [.. StorageListing.Logs(Disk).Where(static log => log.Bytes > TxnLogReader.HeaderBytes)];
        if (logs.Length == 0)
            return;
        LogFile chosen = choices.Pick(logs);
        SimFile file = Disk.TryFind(StorageArea.Logs, chosen.Name)!;
        int offset = choices.Between(TxnLogReader.HeaderBytes, file.Length - 1);
        byte mask = (byte)(1 << choices.Below(8));
        file.Rot(offset, mask);
        using var reader = new TxnLogReader(Disk.Open(StorageArea.Logs, chosen.Name));
        while (reader.Next())
        {
        }
        if (reader.Status == LogReadStatus.Damage)
            world.Damaged(this);
        else
            file.Rot(offset, mask);
    }

    /// <summary>Removes all snapshots while the server is down.</summary>
    public void LoseSnapshots()
    {
        foreach (SnapshotFile file in StorageListing.Snapshots(Disk))
            Disk.Delete(StorageArea.Snapshots, file.Name);
        Disk.SyncDirectory(StorageArea.Snapshots);
        world.Damaged(this);
    }

    // The mistake of the planted bug: no snapshot is taken for a first start, whatever the logs say.
    private void ForgetLogsWithoutSnapshot()
    {
        if (!HasBug(PlantedBug.EmptyTreeWithoutSnapshot) || StorageListing.Snapshots(Disk).Count > 0)
            return;
        foreach (LogFile file in StorageListing.Logs(Disk))
            Disk.Delete(StorageArea.Logs, file.Name);
        Disk.SyncDirectory(StorageArea.Logs);
    }

    private void WriteSnapshotNow()
    {
        using var writer = new SnapshotWriter(Replica.Tree, Replica.CommittedSessions.ToArray());
        using ISnapshotSink sink = Disk.CreateSnapshot(StorageNames.Snapshot(writer.Start));
        using var slice = new JuteBuffer();
        while (writer.WriteSlice(slice, 4096))
        {
        }
        sink.Write(slice.WrittenSpan);
        sink.Commit();
    }

    private void SaveSnapshot()
    {
        if (saving is not null)
            return;
        saving = new SnapshotWriter(Replica.Tree, Replica.CommittedSessions.ToArray());
        Log.Roll();
        SaveSlice(saving, Disk.CreateSnapshot(StorageNames.Snapshot(saving.Start)));
    }

    private void SaveSlice(SnapshotWriter writer, ISnapshotSink sink)
    {
        if (saving != writer)
            return;
        using var slice = new JuteBuffer();
        TrySave(sink, () =>
        {
            bool more = writer.WriteSlice(slice, random.Between(64, 2048));
            sink.Write(slice.WrittenSpan);
            Zxid last = Replica.AppliedFromLog;
            Later(SyncUs() / 4, more ? () => SaveSlice(writer, sink) : () => CommitSnapshot(writer, sink, last));
        });
    }

    // After a loss of power it must not be ahead of the logs.
    private void CommitSnapshot(SnapshotWriter writer, ISnapshotSink sink, Zxid last)
    {
        if (saving != writer)
            return;
        if (Replica.Durable < last)
        {
            Later(SyncUs() / 4, () => CommitSnapshot(writer, sink, last));
            return;
        }
        TrySave(sink, () =>
        {
            sink.Commit();
            Purge();
            EndSaving();
            sink.Dispose();
        });
    }

    private void TrySave(ISnapshotSink sink, Action save)
    {
        Disk.Work = DiskWork.Snapshot;
        try
        {
            save();
        }
        catch (IOException)
        {
            world.Trace(Id, "could not save a snapshot");
            EndSaving();
            sink.Dispose();
        }
        finally
        {
            Disk.Work = DiskWork.Other;
        }
    }

    private void Purge()
    {
        PurgePlan plan = PurgePlanner.Plan(Disk, SnapshotsKept);
        foreach (string name in plan.Snapshots)
            Disk.Delete(StorageArea.Snapshots, name);
        foreach (string name in plan.Logs)
            Disk.Delete(StorageArea.Logs, name);
    }

    /// <summary>Gives up a snapshot that is being saved: the tree it is of goes.</summary>
    private void EndSaving()
    {
        saving?.Dispose();
        saving = null;
    }
}
