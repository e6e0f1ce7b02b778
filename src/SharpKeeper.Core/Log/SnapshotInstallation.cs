using System.Globalization;
using SharpKeeper.Core.Transactions;
using SharpKeeper.Core.Tree;
using SharpKeeper.Protocol;

namespace SharpKeeper.Core.Log;

/// <summary>
/// Replaces everything a device holds by a tree that came from a leader. A crash at any point leaves what was there
/// before, whole, or exactly the new state; never an old snapshot or an old log together with the new.
/// </summary>
/// <remarks>
/// <para>The order, each step durable before the next:
/// 1. the new snapshot is written under a name that is none of a snapshot (installing.ZXID);
/// 2. the old snapshots are removed;
/// 3. the old logs are removed, newest first;
/// 4. the new snapshot gets its name.</para>
/// <para>Step 1 decides: before it recovery sees the old state, after it recovery goes through the other steps before
/// it reads anything. Without a name apart there is no order that is right at every point: old logs would be replayed
/// onto the new snapshot if that came first, and acknowledged transactions be lost if the old state went first. Apache,
/// given the directory within step 3, refuses to start from logs without a snapshot.</para>
/// <para>Nothing else may work on the device meanwhile: no log writer (<c>LogWriter.RunBetween</c>), no snapshot being
/// written, which would appear afterwards with the old tree, and no purge.</para>
/// </remarks>
public static class SnapshotInstallation
{
    private const string Prefix = "installing.";
    private const int SliceBytes = 1 << 18;

    /// <summary>Saves tree and sessions as the device's only state; durable when it returns.</summary>
    /// <param name="device">The old state stays where it is if the new one cannot be written, as on a full
    /// disk.</param>
    /// <param name="tree">Does not change meanwhile; its last processed transaction gives the snapshot its
    /// name.</param>
    /// <param name="sessions">The sessions that belong to it.</param>
    /// <returns>The snapshot's name. It is never compressed.</returns>
    public static string Run(IStorageDevice device, DataTree tree, SessionTimeouts sessions)
    {
        // An attempt that failed half-way may have removed a part of the old state: what it wrote is not to be replaced
        // before that is over.
        Finish(device, out _);
        using (ISnapshotSink sink = device.CreateSnapshot(NameOf(tree.LastProcessed)))
        {
            Write(tree, sessions, sink);
            sink.Commit();
        }
        bool isFinished = Finish(device, out string name);
        Invariant.Check(isFinished, "a snapshot that was saved is not there");
        return name;
    }

    /// <summary>
    /// Ends an installation that a crash interrupted; recovery begins with this. False if there is none, with nothing
    /// changed.
    /// </summary>
    /// <param name="device">Used by nothing else meanwhile.</param>
    /// <param name="name">The name of the snapshot, which is the only state now.</param>
    /// <exception cref="CorruptDataException">The new state is damaged; nothing has changed.</exception>
    public static bool Finish(IStorageDevice device, out string name)
    {
        name = "";
        if (!TryFind(device, out SnapshotFile pending))
            return false;
        if (!StorageListing.LooksWhole(device, pending))
            throw Damaged(device, pending);
        foreach (SnapshotFile old in StorageListing.Snapshots(device))
            device.Delete(StorageArea.Snapshots, old.Name);
        device.SyncDirectory(StorageArea.Snapshots);
        foreach (LogFile old in StorageListing.Logs(device).Reverse())
            device.Delete(StorageArea.Logs, old.Name);
        device.SyncDirectory(StorageArea.Logs);
        name = StorageNames.Snapshot(pending.Zxid);
        device.Rename(StorageArea.Snapshots, pending.Name, name);
        return true;
    }

    /// <summary>Is it the name of a state that is being installed, or of its temporary file?</summary>
    public static bool IsName(string name) => name.StartsWith(Prefix, StringComparison.Ordinal);

    private static string NameOf(Zxid zxid) => Prefix + zxid.Value.ToString("x", CultureInfo.InvariantCulture);

    private static bool TryFind(IStorageDevice device, out SnapshotFile pending)
    {
        foreach (StorageFile file in device.List(StorageArea.Snapshots))
        {
            if (IsName(file.Name) && long.TryParse(
                file.Name.AsSpan(Prefix.Length), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture,
                out long zxid))
            {
                pending = new SnapshotFile(file.Name, new Zxid(zxid), file.Bytes);
                return true;
            }
        }
        pending = default;
        return false;
    }

    private static void Write(DataTree tree, SessionTimeouts sessions, ISnapshotSink sink)
    {
        using var writer = new SnapshotWriter(tree, sessions.ToArray());
        using var buffer = new JuteBuffer();
        bool hasMore;
        do
        {
            hasMore = writer.WriteSlice(buffer, SliceBytes);
            sink.Write(buffer.WrittenSpan);
            buffer.Clear();
        }
        while (hasMore);
    }

    private static CorruptDataException Damaged(IStorageDevice device, in SnapshotFile pending) => new(
        $"{device.Describe(StorageArea.Snapshots, pending.Name)}, the state that this server received from its leader, "
        + "is damaged. Move the version-2 directories away: the server then joins with an empty state and is sent "
        + "everything again.");
}
