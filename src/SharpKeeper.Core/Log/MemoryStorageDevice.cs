namespace SharpKeeper.Core.Log;

/// <summary>
/// Files in memory: for servers without a disk, tests and the simulator. A suffix of compression changes nothing here:
/// bytes are kept as they are given. Not safe for use by two threads at once.
/// </summary>
public sealed class MemoryStorageDevice : IStorageDevice
{
    private readonly Dictionary<(StorageArea Area, string Name), byte[]> files = [];

    /// <inheritdoc/>
    public IReadOnlyList<StorageFile> List(StorageArea area)
    {
        var listing = new List<StorageFile>();
        foreach (((StorageArea fileArea, string name), byte[] bytes) in files)
        {
            if (fileArea == area)
                listing.Add(new StorageFile(name, bytes.Length));
        }
        return listing;
    }

    /// <inheritdoc/>
    /// <exception cref="CorruptDataException">There is no such file.</exception>
    public IStorageReader Open(StorageArea area, string name) => new Reader(Get(area, name));

    /// <inheritdoc/>
    public int ReadAt(StorageArea area, string name, long offset, Span<byte> destination)
    {
        byte[] bytes = Get(area, name);
        if (offset >= bytes.Length)
            return 0;
        int count = (int)Math.Min(destination.Length, bytes.Length - offset);
        bytes.AsSpan((int)offset, count).CopyTo(destination);
        return count;
    }

    /// <inheritdoc/>
    public ISnapshotSink CreateSnapshot(string name) => new Sink(this, name);

    /// <inheritdoc/>
    public void Delete(StorageArea area, string name) => files.Remove((area, name));

    /// <inheritdoc/>
    public void WriteFile(StorageArea area, string name, ReadOnlySpan<byte> bytes) => Put(area, name, bytes.ToArray());

    /// <inheritdoc/>
    /// <exception cref="CorruptDataException">There is no such file.</exception>
    public void Truncate(StorageArea area, string name, long length) =>
        Put(area, name, Get(area, name)[..(int)length]);

    /// <inheritdoc/>
    /// <exception cref="CorruptDataException">There is no such file.</exception>
    public void Rename(StorageArea area, string from, string to)
    {
        Put(area, to, Get(area, from));
        files.Remove((area, from));
    }

    /// <inheritdoc/>
    public void Sync(StorageArea area, string name)
    {
    }

    /// <inheritdoc/>
    public void SyncDirectory(StorageArea area)
    {
    }

    /// <inheritdoc/>
    public string Describe(StorageArea area, string name) => "memory:" + name;

    /// <summary>Creates or replaces a file; the array is kept, not copied.</summary>
    public void Put(StorageArea area, string name, byte[] bytes) => files[(area, name)] = bytes;

    /// <summary>A file's bytes; the array is the one kept.</summary>
    /// <exception cref="CorruptDataException">There is no such file.</exception>
    public byte[] Get(StorageArea area, string name) =>
        files.TryGetValue((area, name), out byte[]? bytes)
            ? bytes
            : throw new CorruptDataException($"There is no file {name}.");

    private sealed class Reader(byte[] bytes) : IStorageReader
    {
        private int position;

        public int Read(Span<byte> destination)
        {
            int count = Math.Min(destination.Length, bytes.Length - position);
            bytes.AsSpan(position, count).CopyTo(destination);
            position += count;
            return count;
        }

        public void Dispose()
        {
        }
    }

    private sealed class Sink(MemoryStorageDevice device, string name) : ISnapshotSink
    {
        private readonly System.Buffers.ArrayBufferWriter<byte> written = new();

        public void Write(ReadOnlySpan<byte> bytes)
        {
            bytes.CopyTo(written.GetSpan(bytes.Length));
            written.Advance(bytes.Length);
        }

        public void Commit() => device.Put(StorageArea.Snapshots, name, written.WrittenSpan.ToArray());

        public void Dispose()
        {
        }
    }
}
