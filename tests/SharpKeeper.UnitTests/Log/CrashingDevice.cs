using SharpKeeper.Core.Log;

namespace SharpKeeper.LogTests;

/// <summary>The power fails.</summary>
internal sealed class PowerFailure : Exception;

/// <summary>
/// Files in memory over which the power fails before an operation of choice. What may then be there is told: deletions
/// that were not made durable may be undone, each by itself.
/// </summary>
internal sealed class CrashingDevice : IStorageDevice
{
    private readonly MemoryStorageDevice files = new();
    private readonly Dictionary<(StorageArea Area, string Name), byte[]> undoable = [];
    private readonly int operationsMax;

    /// <param name="start">What is there at first.</param>
    /// <param name="operationsMax">Operations that succeed; the next one is the power failure.</param>
    public CrashingDevice(MemoryStorageDevice start, int operationsMax = int.MaxValue)
    {
        Copy(start, files);
        this.operationsMax = operationsMax;
    }

    /// <summary>Operations that changed anything.</summary>
    public List<string> Operations { get; } = [];

    /// <summary>What may be found after the power failure.</summary>
    public IEnumerable<MemoryStorageDevice> Remains()
    {
        (StorageArea Area, string Name)[] keys = [.. undoable.Keys];
        foreach (int chosen in Choices(keys.Length))
        {
            var remains = new MemoryStorageDevice();
            Copy(files, remains);
            for (int i = 0; i < keys.Length; i++)
            {
                if ((chosen >> i & 1) != 0)
                    remains.Put(keys[i].Area, keys[i].Name, undoable[keys[i]]);
            }
            yield return remains;
        }
    }

    // As bits: every choice among few; among many none, each alone, each but one, all.
    private static IEnumerable<int> Choices(int count)
    {
        int all = (1 << count) - 1;
        if (count <= 2)
            return Enumerable.Range(0, 1 << count);
        IEnumerable<int> ones = Enumerable.Range(0, count).Select(i => 1 << i);
        return [0, .. ones, .. ones.Select(one => all ^ one), all];
    }

    public static void Copy(MemoryStorageDevice from, MemoryStorageDevice to)
    {
        foreach (StorageArea area in (ReadOnlySpan<StorageArea>)[StorageArea.Snapshots, StorageArea.Logs])
        {
            foreach (StorageFile file in from.List(area))
                to.Put(area, file.Name, from.Get(area, file.Name));
        }
    }

    public IReadOnlyList<StorageFile> List(StorageArea area) => files.List(area);

    public IStorageReader Open(StorageArea area, string name) => files.Open(area, name);

    public int ReadAt(StorageArea area, string name, long offset, Span<byte> destination) =>
        files.ReadAt(area, name, offset, destination);

    public ISnapshotSink CreateSnapshot(string name)
    {
        Note("create " + name);
        return new Sink(this, files.CreateSnapshot(name), name);
    }

    public void Delete(StorageArea area, string name)
    {
        Note("delete " + name);
        if (files.List(area).Any(file => file.Name == name))
            undoable[(area, name)] = files.Get(area, name);
        files.Delete(area, name);
    }

    public void WriteFile(StorageArea area, string name, ReadOnlySpan<byte> bytes)
    {
        Note("write " + name);
        files.WriteFile(area, name, bytes);
        undoable.Remove((area, name));
    }

    public void Truncate(StorageArea area, string name, long length)
    {
        Assert.True(length < files.Get(area, name).Length, "nothing was to be cut");
        Note("truncate " + name);
        files.Truncate(area, name, length);
    }

    public void Rename(StorageArea area, string from, string to)
    {
        Note("rename " + to);
        files.Rename(area, from, to);
        undoable.Remove((area, to));
    }

    // Everything is durable once written here, deletions apart.
    public void Sync(StorageArea area, string name)
    {
    }

    public void SyncDirectory(StorageArea area)
    {
        Note("sync " + area);
        foreach ((StorageArea Area, string Name) key in undoable.Keys.Where(key => key.Area == area).ToArray())
            undoable.Remove(key);
    }

    public string Describe(StorageArea area, string name) => files.Describe(area, name);

    private void Note(string operation)
    {
        if (Operations.Count == operationsMax)
            throw new PowerFailure();
        Operations.Add(operation);
    }

    private sealed class Sink(CrashingDevice device, ISnapshotSink sink, string name) : ISnapshotSink
    {
        public void Write(ReadOnlySpan<byte> bytes) => sink.Write(bytes);

        public void Commit()
        {
            device.Note("commit " + name);
            sink.Commit();
            device.undoable.Remove((StorageArea.Snapshots, name));
        }

        public void Dispose() => sink.Dispose();
    }
}
