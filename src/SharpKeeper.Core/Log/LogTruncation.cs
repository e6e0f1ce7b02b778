using SharpKeeper.Protocol;

namespace SharpKeeper.Core.Log;

/// <summary>Outcome of <see cref="LogTruncation.CutAfter"/>.</summary>
/// <param name="IsDone">
/// The log is cut. Otherwise nothing on the device has changed, and the server needs a snapshot from its leader.
/// </param>
/// <param name="Last">
/// The last transaction of the state on disk now: the one asked for, or the last before it if there is no such one.
/// </param>
/// <param name="Problem">Why it could not be done, in a sentence; empty if it was.</param>
public readonly record struct LogTruncationResult(bool IsDone, Zxid Last, string Problem);

/// <summary>Makes a server forget the transactions that its leader does not have.</summary>
/// <remarks>
/// <para>A snapshot that holds any of them must go, or recovery would bring them back. Its name does not tell: it may
/// have been written while later transactions were applied, up to the one beside its digest. One without a digest may
/// hold anything. What stays is the newest snapshot that certainly holds nothing beyond the target, and it must lead to
/// the target with the logs after it, all of them whole; else nothing is done.</para>
/// <para>The order: first the snapshots go, while the log still leads on from the one that stays; then logs from the
/// newest on, each deletion durable before the next; last the log that holds the target is cut behind it. So a crash at
/// any point leaves a state that recovery accepts, and which ends at the target or later.</para>
/// <para>Nothing else may work on the device meanwhile: no log writer (<c>LogWriter.RunBetween</c>), no snapshot being
/// written, which would appear afterwards with the transactions that were cut, and no purge.</para>
/// </remarks>
public static class LogTruncation
{
    /// <summary>Cuts snapshots and logs so that nothing after <paramref name="target"/> is left; durable when it
    /// returns.</summary>
    public static LogTruncationResult CutAfter(IStorageDevice device, Zxid target)
    {
        IReadOnlyList<SnapshotFile> snapshots = StorageListing.Snapshots(device);
        var beyond = new List<SnapshotFile>();
        if (!TryFindBase(device, snapshots, target, beyond, out SnapshotFile found))
        {
            return new LogTruncationResult(
                false, Zxid.Zero,
                $"Every snapshot may hold transactions beyond {target}, so the state then cannot be rebuilt.");
        }
        IReadOnlyList<LogFile> logs = StorageListing.Logs(device);
        Cut[] cuts;
        Zxid last;
        try
        {
            cuts = Plan(device, logs, found.Zxid, target, out last);
        }
        catch (CorruptDataException e)
        {
            return new LogTruncationResult(false, Zxid.Zero, $"The state at {target} cannot be rebuilt. {e.Message}");
        }
        DeleteSnapshots(device, beyond);
        CutLogs(device, logs, cuts, target);
        return new LogTruncationResult(true, last, "");
    }

    // The newest snapshot of the state at the target or before. Newer ones go to `beyond`, except unreadable ones: if
    // such a one is not newer than the target, recovery passes it over as well.
    private static bool TryFindBase(
        IStorageDevice device, IReadOnlyList<SnapshotFile> snapshots, Zxid target, List<SnapshotFile> beyond,
        out SnapshotFile found)
    {
        foreach (SnapshotFile file in snapshots)
        {
            found = file;
            if (file.Zxid > target)
            {
                beyond.Add(file);
                continue;
            }
            if (!TryReadEnd(device, file, out Zxid? end))
                continue;
            if (end <= target)
                return true;
            beyond.Add(file);
        }
        found = default;
        return false;
    }

    // The last transaction of which the snapshot may hold anything; null if that cannot be known.
    private static bool TryReadEnd(IStorageDevice device, in SnapshotFile file, out Zxid? end)
    {
        end = null;
        if (!StorageListing.LooksWhole(device, file))
            return false;
        try
        {
            using var reader = new SnapshotReader(device.Open(StorageArea.Snapshots, file.Name));
            SnapshotTail tail = reader.SkipToTail();
            if (tail.Digest is not null && tail.DigestZxid >= file.Zxid)
                end = tail.DigestZxid;
            return true;
        }
        catch (CorruptDataException)
        {
            return false;
        }
    }

    private static Cut[] Plan(
        IStorageDevice device, IReadOnlyList<LogFile> logs, Zxid snapshot, Zxid target, out Zxid last)
    {
        last = snapshot;
        var cuts = new Cut[logs.Count];
        for (int i = 0; i < cuts.Length; i++)
            cuts[i] = new Cut(HoldsKept: false, FirstBeyond: -1);
        using var scan = new LogScan(
            device, logs, StorageListing.LastUpTo(device, logs, snapshot.Next), snapshot, isGrowing: false);
        while (scan.Next())
        {
            ref Cut cut = ref cuts[scan.FileIndex];
            if (scan.Zxid > target)
            {
                if (cut.FirstBeyond < 0)
                    cut = cut with { FirstBeyond = scan.Offset };
                continue;
            }
            cut = cut with { HoldsKept = true };
            if (scan.IsNew)
                last = scan.Zxid;
        }
        return cuts;
    }

    private static void DeleteSnapshots(IStorageDevice device, List<SnapshotFile> beyond)
    {
        if (beyond.Count == 0)
            return;
        foreach (SnapshotFile file in beyond)
            device.Delete(StorageArea.Snapshots, file.Name);
        device.SyncDirectory(StorageArea.Snapshots);
    }

    private static void CutLogs(IStorageDevice device, IReadOnlyList<LogFile> logs, Cut[] cuts, Zxid target)
    {
        for (int i = logs.Count - 1; i >= 0; i--)
        {
            if (cuts[i].HoldsKept && cuts[i].FirstBeyond >= 0)
            {
                device.Truncate(StorageArea.Logs, logs[i].Name, cuts[i].FirstBeyond);
            }
            else if (!cuts[i].HoldsKept && logs[i].First > target)
            {
                // Empty ones as well: their names say that there were transactions before them.
                device.Delete(StorageArea.Logs, logs[i].Name);
                device.SyncDirectory(StorageArea.Logs);
            }
        }
    }

    // What a log holds: anything that stays, and the offset of the first entry that does not, or -1.
    private readonly record struct Cut(bool HoldsKept, long FirstBeyond);
}
