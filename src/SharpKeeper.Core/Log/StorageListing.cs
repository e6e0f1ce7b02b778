using SharpKeeper.Protocol;

namespace SharpKeeper.Core.Log;

/// <summary>A snapshot in a listing.</summary>
/// <param name="Name">The file's name.</param>
/// <param name="Zxid">Last transaction applied when it was begun.</param>
/// <param name="Bytes">The file's length.</param>
public readonly record struct SnapshotFile(string Name, Zxid Zxid, long Bytes);

/// <summary>A log in a listing.</summary>
/// <param name="Name">The file's name.</param>
/// <param name="First">Its first transaction.</param>
/// <param name="Bytes">The file's length.</param>
public readonly record struct LogFile(string Name, Zxid First, long Bytes);

/// <summary>Which snapshots and logs a device holds, in a defined order.</summary>
public static class StorageListing
{
    private const int PlainBytesMin = 10;

    /// <summary>All snapshots, newest first.</summary>
    public static IReadOnlyList<SnapshotFile> Snapshots(IStorageDevice device)
    {
        var found = new List<SnapshotFile>();
        foreach (StorageFile file in device.List(StorageArea.Snapshots))
        {
            if (StorageNames.TryParseSnapshot(file.Name, out Zxid zxid))
                found.Add(new SnapshotFile(file.Name, zxid, file.Bytes));
        }
        found.Sort(static (a, b) => b.Zxid != a.Zxid
            ? b.Zxid.CompareTo(a.Zxid)
            : string.CompareOrdinal(a.Name, b.Name));
        return found;
    }

    /// <summary>All logs, oldest first.</summary>
    public static IReadOnlyList<LogFile> Logs(IStorageDevice device)
    {
        var found = new List<LogFile>();
        foreach (StorageFile file in device.List(StorageArea.Logs))
        {
            if (StorageNames.TryParseLog(file.Name, out Zxid first))
                found.Add(new LogFile(file.Name, first, file.Bytes));
        }
        found.Sort(static (a, b) => a.First != b.First
            ? a.First.CompareTo(b.First)
            : string.CompareOrdinal(a.Name, b.Name));
        return found;
    }

    /// <summary>
    /// Does a log hold entries, whole or damaged? One that a crash left with nothing but zeros or a part of its first
    /// entry does not.
    /// </summary>
    public static bool HasEntries(IStorageDevice device, in LogFile file)
    {
        using var reader = new TxnLogReader(device.Open(StorageArea.Logs, file.Name));
        return reader.Next() || reader.Status == LogReadStatus.Damage;
    }

    /// <summary>
    /// Index of the newest log whose first transaction is not later than <paramref name="zxid"/>; 0 if there is none.
    /// Logs without entries do not count: a crash may leave one with a later name than the log that was written next.
    /// </summary>
    public static int LastUpTo(IStorageDevice device, IReadOnlyList<LogFile> logs, Zxid zxid)
    {
        for (int index = logs.Count - 1; index > 0; index--)
        {
            if (logs[index].First <= zxid && HasEntries(device, logs[index]))
                return index;
        }
        return 0;
    }

    /// <summary>
    /// Does a snapshot look whole from its ends? The check that servers make before they read one, and before they
    /// count it as a reason to remove older ones.
    /// </summary>
    public static bool LooksWhole(IStorageDevice device, in SnapshotFile file)
    {
        Span<byte> bytes = stackalloc byte[8];
        switch (StorageNames.FormatOf(file.Name))
        {
            case SnapshotFormat.Gzip:
                return device.ReadAt(StorageArea.Snapshots, file.Name, 0, bytes[..2]) == 2
                    && bytes[..2].SequenceEqual((ReadOnlySpan<byte>)[0x1f, 0x8b]);
            case SnapshotFormat.Snappy:
                return device.ReadAt(StorageArea.Snapshots, file.Name, 0, bytes) == 8
                    && bytes.SequenceEqual((ReadOnlySpan<byte>)[0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00]);
            default:
                return file.Bytes >= PlainBytesMin
                    && device.ReadAt(StorageArea.Snapshots, file.Name, file.Bytes - 5, bytes[..5]) == 5
                    && bytes[..5].SequenceEqual((ReadOnlySpan<byte>)[0, 0, 0, 1, (byte)'/']);
        }
    }
}
