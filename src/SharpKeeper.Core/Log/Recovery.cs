using System.Diagnostics.CodeAnalysis;
using SharpKeeper.Core.Transactions;
using SharpKeeper.Core.Tree;
using SharpKeeper.Protocol;

namespace SharpKeeper.Core.Log;

/// <summary>
/// Builds tree and sessions from snapshots and logs. It goes on only where the files show that nothing acknowledged can
/// be missing: a last entry cut off is dropped; damage, a gap between transactions, or traces of later ones make it
/// refuse, with a message that says which file, where, and what to do.
/// </summary>
public static class Recovery
{
    // Apache gives up after as many; more would mean something else than a broken snapshot.
    private const int CandidatesMax = 100;

    /// <summary>
    /// Recovers what the device holds, after ending a <see cref="SnapshotInstallation"/> that was interrupted; else it
    /// changes nothing there. What it has read is durable when it returns: a process that was killed leaves files that
    /// were written and not synced, and whoever goes on from them will promise that they are there.
    /// </summary>
    /// <exception cref="CorruptDataException">The state cannot be known.</exception>
    public static RecoveryResult Run(IStorageDevice device, RecoveryOptions options)
    {
        var notices = new List<RecoveryNotice>();
        if (SnapshotInstallation.Finish(device, out string installed))
        {
            notices.Add(new RecoveryNotice(
                RecoveryNoticeKind.InstallationFinished,
                $"{device.Describe(StorageArea.Snapshots, installed)} had come from the leader, and the server ended "
                + "before what it replaces was removed; that is done now."));
        }
        options.History?.Clear();
        IReadOnlyList<SnapshotFile> snapshots = StorageListing.Snapshots(device);
        IReadOnlyList<LogFile> logs = StorageListing.Logs(device);
        SnapshotLoad? load = LoadNewest(device, options, snapshots, notices, out SnapshotFile used);
        if (load is null)
            CheckEmptyStart(device, options, snapshots, logs);
        DataTree tree = load?.Tree ?? EmptyTree(options);
        SessionTimeouts sessions = load?.Sessions ?? new SessionTimeouts();
        tree.LastProcessed = used.Zxid;
        try
        {
            var replay = new LogReplay(device, options, tree, sessions, load?.Tail, notices);
            replay.Run(logs);
            CheckNothingLater(device, snapshots, used, tree.LastProcessed);
            device.SyncDirectory(StorageArea.Logs);
            device.SyncDirectory(StorageArea.Snapshots);
            return new RecoveryResult
            {
                Tree = tree,
                Sessions = sessions,
                SnapshotName = load is null ? null : used.Name,
                SnapshotZxid = used.Zxid,
                LogsRead = replay.LogsRead,
                TxnsApplied = replay.TxnsApplied,
                DigestsCompared = replay.DigestsCompared,
                DigestMismatches = replay.DigestMismatches,
                Notices = notices,
            };
        }
        catch
        {
            tree.Dispose();
            throw;
        }
    }

    private static SnapshotLoad? LoadNewest(
        IStorageDevice device, RecoveryOptions options, IReadOnlyList<SnapshotFile> snapshots,
        List<RecoveryNotice> notices, out SnapshotFile used)
    {
        foreach (SnapshotFile file in snapshots.Take(CandidatesMax))
        {
            used = file;
            string reason = "it is incomplete";
            if (StorageListing.LooksWhole(device, file) && TryLoad(device, options, file, out SnapshotLoad? load, out reason))
            {
                NoteMissingAcls(device, file, load, notices);
                return load;
            }
            notices.Add(new RecoveryNotice(
                RecoveryNoticeKind.SnapshotUnreadable,
                $"{device.Describe(StorageArea.Snapshots, file.Name)} cannot be read: {reason}."));
        }
        used = default;
        return null;
    }

    private static bool TryLoad(
        IStorageDevice device, RecoveryOptions options, in SnapshotFile file, [NotNullWhen(true)] out SnapshotLoad? load,
        out string reason)
    {
        reason = "";
        load = null;
        try
        {
            load = SnapshotLoad.Load(device.Open(StorageArea.Snapshots, file.Name), options);
            return true;
        }
        catch (CorruptDataException e)
        {
            reason = e.Message.TrimEnd('.');
            return false;
        }
    }

    private static void NoteMissingAcls(
        IStorageDevice device, in SnapshotFile file, SnapshotLoad load, List<RecoveryNotice> notices)
    {
        if (load.MissingAcls == 0)
            return;
        notices.Add(new RecoveryNotice(
            RecoveryNoticeKind.AclMissing,
            $"{device.Describe(StorageArea.Snapshots, file.Name)} lacks {load.MissingAcls} of the ACLs that its znodes "
            + "refer to; where the log does not tell the ACL either, nobody but a super user may use the znode."));
    }

    // Without a readable snapshot a start from the empty tree is right only if nothing ever happened.
    private static void CheckEmptyStart(
        IStorageDevice device, RecoveryOptions options, IReadOnlyList<SnapshotFile> snapshots,
        IReadOnlyList<LogFile> logs)
    {
        if (snapshots.Count > 0 && snapshots[0].Zxid > Zxid.Zero)
        {
            throw new CorruptDataException(
                $"None of the {snapshots.Count} snapshots can be read, the newest being "
                + $"{device.Describe(StorageArea.Snapshots, snapshots[0].Name)}. Restore a snapshot and the logs after "
                + "it from a backup or from another server; 'sharpkeeper snapshot verify FILE' tells what is wrong "
                + "with one.");
        }
        if (options.TrustEmptySnapshot)
            return;
        foreach (LogFile log in logs)
        {
            if (StorageListing.HasEntries(device, log))
            {
                throw new CorruptDataException(
                    $"There is no snapshot, but {device.Describe(StorageArea.Logs, log.Name)} holds transactions. "
                    + "Restore the newest snapshot from a backup or from another server. If there never was one, "
                    + "because the logs come from a version before 3.5, start once with snapshot.trust.empty=true.");
            }
        }
    }

    private static DataTree EmptyTree(RecoveryOptions options) => new(options.HashSeed)
    {
        ExtendedTypesEnabled = options.ExtendedTypesEnabled,
        Emulate353 = options.Emulate353,
    };

    // A newer snapshot that cannot be read still proves that its transaction happened.
    private static void CheckNothingLater(
        IStorageDevice device, IReadOnlyList<SnapshotFile> snapshots, in SnapshotFile used, Zxid last)
    {
        if (snapshots.Count == 0 || snapshots[0].Zxid <= last)
            return;
        string from = used.Name is null ? "the logs" : $"{used.Name} and the logs";
        throw new CorruptDataException(
            $"{device.Describe(StorageArea.Snapshots, snapshots[0].Name)} cannot be read, and {from} lead only to "
            + $"{last}: transactions {last.Next} to {snapshots[0].Zxid} would be lost. Restore that snapshot from a "
            + "backup or from another server. To go back to the older state on purpose, move the snapshot away.");
    }
}
