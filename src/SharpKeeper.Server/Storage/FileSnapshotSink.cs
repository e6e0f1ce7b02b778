using System.IO.Compression;
using SharpKeeper.Core.Log;

namespace SharpKeeper.Server.Storage;

/// <summary>Writes a snapshot beside its final name and gives it that name when it is whole and durable.</summary>
internal sealed class FileSnapshotSink : ISnapshotSink
{
    // One sync of a large snapshot at its end would hold up the log's syncs on the same disk.
    private const long SyncEveryBytes = 2 << 20;

    private readonly string path;
    private readonly string temporaryPath;
    private readonly FileStream file;
    private readonly Stream stream;
    private long syncedUpTo;
    private bool isDone;

    /// <summary>Creates the temporary file.</summary>
    /// <exception cref="IOException">It cannot be created.</exception>
    /// <exception cref="UnauthorizedAccessException">The user may not create it.</exception>
    public FileSnapshotSink(string path)
    {
        this.path = path;
        temporaryPath = path + StorageNames.TemporarySuffix;
        file = new FileStream(temporaryPath, new FileStreamOptions
        {
            Mode = FileMode.Create,
            Access = FileAccess.Write,
            Share = FileShare.Read,
            BufferSize = 0,
        });
        stream = StorageNames.FormatOf(path) switch
        {
            SnapshotFormat.Gzip => new GZipStream(file, CompressionLevel.Optimal, leaveOpen: true),
            SnapshotFormat.Snappy => new SnappyFrameStream(file),
            _ => file,
        };
    }

    /// <inheritdoc/>
    public void Write(ReadOnlySpan<byte> bytes)
    {
        stream.Write(bytes);
        if (file.Position - syncedUpTo < SyncEveryBytes)
            return;
        FileSync.Data(file.SafeFileHandle);
        syncedUpTo = file.Position;
    }

    /// <inheritdoc/>
    public void Commit()
    {
        stream.Flush();
        if (stream != file)
            stream.Dispose();
        FileSync.Data(file.SafeFileHandle);
        file.Dispose();
        File.Move(temporaryPath, path, overwrite: true);
        isDone = true;
        FileSync.Directory(Path.GetDirectoryName(path)!);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (isDone)
            return;
        isDone = true;
        file.Dispose();
        File.Delete(temporaryPath);
    }
}
