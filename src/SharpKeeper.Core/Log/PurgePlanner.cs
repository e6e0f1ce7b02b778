using SharpKeeper.Protocol;

namespace SharpKeeper.Core.Log;

/// <summary>What a purge removes.</summary>
/// <param name="Snapshots">Names of snapshots.</param>
/// <param name="Logs">Names of logs.</param>
public sealed record PurgePlan(IReadOnlyList<string> Snapshots, IReadOnlyList<string> Logs)
{
    /// <summary>Removes nothing.</summary>
    public static PurgePlan Empty { get; } = new([], []);
}

/// <summary>Decides which old files a server can do without.</summary>
public static class PurgePlanner
{
    /// <summary>The least number of snapshots that are kept, whatever is asked for.</summary>
    public const int KeptMin = 3;

    /// <summary>
    /// Keeps the newest <paramref name="kept"/> snapshots that look whole and all logs that the oldest of these needs.
    /// Snapshots that look broken count for nothing. If fewer whole ones exist than are to be kept, nothing goes.
    /// </summary>
    public static PurgePlan Plan(IStorageDevice device, int kept)
    {
        IReadOnlyList<SnapshotFile> snapshots = StorageListing.Snapshots(device);
        var whole = new List<Zxid>();
        foreach (SnapshotFile file in snapshots)
        {
            if (StorageListing.LooksWhole(device, file))
                whole.Add(file.Zxid);
        }
        int keptCount = Math.Max(kept, KeptMin);
        if (whole.Count < keptCount)
            return PurgePlan.Empty;
        IReadOnlyList<LogFile> logs = StorageListing.Logs(device);
        Zxid oldestKept = whole[keptCount - 1];
        // The log that was being written when the oldest kept snapshot began may hold transactions behind it.
        int firstNeeded = StorageListing.LastUpTo(device, logs, oldestKept);
        return new PurgePlan(
            [.. snapshots.Where(file => file.Zxid < oldestKept).Select(file => file.Name)],
            [.. logs.Take(firstNeeded).Select(log => log.Name)]);
    }
}
