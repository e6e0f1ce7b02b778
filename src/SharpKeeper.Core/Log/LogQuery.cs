using SharpKeeper.Protocol;

namespace SharpKeeper.Core.Log;

/// <summary>Asks whether a learner can be brought up to date from the logs on disk.</summary>
public static class LogQuery
{
    /// <summary>
    /// Looks for the transactions around <paramref name="after"/>, a learner's last one, and checks that the logs hold
    /// everything from there on, whole and without a gap, to where they end now. The newest log may be written to
    /// meanwhile.
    /// </summary>
    /// <param name="device">Holds the logs.</param>
    /// <param name="after">The learner's last transaction.</param>
    /// <param name="sizeFactor">
    /// <c>zookeeper.snapshotSizeFactor</c>: the logs that would be read may be this much larger than the newest
    /// snapshot; 0 for no limit, negative for never.
    /// </param>
    public static LogPosition Find(IStorageDevice device, Zxid after, double sizeFactor)
    {
        if (sizeFactor < 0)
            return default;
        IReadOnlyList<LogFile> logs = StorageListing.Logs(device);
        int from = StorageListing.LastUpTo(device, logs, after);
        if (logs.Count == 0 || logs[from].First > after || !IsWithin(device, logs, from, sizeFactor))
            return default;
        try
        {
            return Read(device, logs, from, after);
        }
        catch (CorruptDataException)
        {
            // A snapshot helps the learner all the same; recovery reports the damage with the way out.
            return default;
        }
    }

    private static bool IsWithin(IStorageDevice device, IReadOnlyList<LogFile> logs, int from, double sizeFactor)
    {
        if (sizeFactor == 0)
            return true;
        long bytes = 0;
        for (int i = from; i < logs.Count; i++)
            bytes += logs[i].Bytes;
        foreach (SnapshotFile snapshot in StorageListing.Snapshots(device))
        {
            if (StorageListing.LooksWhole(device, snapshot))
                return bytes <= snapshot.Bytes * sizeFactor;
        }
        return false;
    }

    private static LogPosition Read(IStorageDevice device, IReadOnlyList<LogFile> logs, int from, Zxid after)
    {
        Zxid upTo = Zxid.Zero;
        Zxid next = Zxid.Zero;
        bool isUsable = false;
        using var scan = new LogScan(device, logs, from, last: null, isGrowing: true);
        while (scan.Next())
        {
            if (!scan.IsNew)
                continue;
            if (scan.Zxid <= after)
            {
                upTo = scan.Zxid;
                isUsable = true;
            }
            else if (!isUsable)
            {
                return default;
            }
            else if (next == Zxid.Zero)
            {
                next = scan.Zxid;
            }
        }
        // Logs that end before it tell nothing of what the learner has.
        bool isReached = upTo == after || next != Zxid.Zero;
        return isUsable && isReached ? new LogPosition(true, upTo, next) : default;
    }
}
