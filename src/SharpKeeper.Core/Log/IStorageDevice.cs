namespace SharpKeeper.Core.Log;

/// <summary>The two directories of a server; they may be the same one.</summary>
public enum StorageArea
{
    /// <summary><c>dataDir/version-2</c>.</summary>
    Snapshots,

    /// <summary><c>dataLogDir/version-2</c>.</summary>
    Logs,
}

/// <summary>A file as a listing shows it.</summary>
/// <param name="Name">Its name without directory.</param>
/// <param name="Bytes">Its length as stored.</param>
public readonly record struct StorageFile(string Name, long Bytes);

/// <summary>
/// What recovery, snapshots and the tools need from the world. Failures of the device itself surface as the exceptions
/// of the implementation; bytes that cannot be decompressed as <see cref="CorruptDataException"/>.
/// </summary>
public interface IStorageDevice
{
    /// <summary>The files of an area in no defined order; none if it does not exist.</summary>
    IReadOnlyList<StorageFile> List(StorageArea area);

    /// <summary>Opens a file from its start; a name that ends in .gz or .snappy is decompressed.</summary>
    IStorageReader Open(StorageArea area, string name);

    /// <summary>
    /// Fills <paramref name="destination"/> with a file's bytes as stored, from <paramref name="offset"/> on, and
    /// returns how many there were.
    /// </summary>
    int ReadAt(StorageArea area, string name, long offset, Span<byte> destination);

    /// <summary>
    /// Starts a snapshot, compressed as its name's suffix says. It appears under its name, whole and durable, with
    /// <see cref="ISnapshotSink.Commit"/>, and replaces one of the same name; disposal before that leaves nothing.
    /// </summary>
    ISnapshotSink CreateSnapshot(string name);

    /// <summary>
    /// Removes a file; one that is not there is no error. Until <see cref="SyncDirectory"/> a power failure may bring
    /// it back.
    /// </summary>
    void Delete(StorageArea area, string name);

    /// <summary>
    /// Creates or replaces a small file. It appears whole and durable: a crash leaves the old contents or the new ones,
    /// and perhaps the temporary file <paramref name="name"/>.tmp.
    /// </summary>
    void WriteFile(StorageArea area, string name, ReadOnlySpan<byte> bytes);

    /// <summary>Makes durable what a file holds.</summary>
    void Sync(StorageArea area, string name);

    /// <summary>Cuts a file, durably, to its first <paramref name="length"/> bytes; it must be longer.</summary>
    void Truncate(StorageArea area, string name, long length);

    /// <summary>Renames a file, durably; one that has the new name already is replaced.</summary>
    void Rename(StorageArea area, string from, string to);

    /// <summary>Makes deletions durable.</summary>
    void SyncDirectory(StorageArea area);

    /// <summary>How a file is named in messages: its full path where there is one.</summary>
    string Describe(StorageArea area, string name);
}

/// <summary>A file open for reading once from start to end.</summary>
public interface IStorageReader : IDisposable
{
    /// <summary>Reads the next bytes; 0 means the end, fewer than asked for does not.</summary>
    int Read(Span<byte> destination);
}

/// <summary>A snapshot being written.</summary>
public interface ISnapshotSink : IDisposable
{
    /// <summary>Appends bytes.</summary>
    void Write(ReadOnlySpan<byte> bytes);

    /// <summary>Makes the snapshot durable under its name.</summary>
    void Commit();
}
