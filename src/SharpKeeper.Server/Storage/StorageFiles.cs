using System.IO.Compression;
using SharpKeeper.Core;
using SharpKeeper.Core.Log;

namespace SharpKeeper.Server.Storage;

/// <summary>Opens logs and snapshots by path, decompressed as their names' suffixes say.</summary>
internal static class StorageFiles
{
    /// <summary>Opens a file for reading from start to end.</summary>
    /// <exception cref="IOException">It is not there or cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">The user may not read it.</exception>
    public static IStorageReader OpenRead(string path)
    {
        var reader = new FileReader(path);
        return StorageNames.FormatOf(path) switch
        {
            SnapshotFormat.Gzip => new StreamReader(new GZipStream(reader.ToStream(), CompressionMode.Decompress)),
            SnapshotFormat.Snappy => new SnappyFrameReader(reader),
            _ => reader,
        };
    }

    private sealed class FileReader(string path) : IStorageReader
    {
        // The caller reads in large chunks; a buffer in between would only copy.
        private readonly FileStream file = new(path, new FileStreamOptions
        {
            Mode = FileMode.Open,
            Access = FileAccess.Read,
            Share = FileShare.ReadWrite | FileShare.Delete,
            Options = FileOptions.SequentialScan,
            BufferSize = 0,
        });

        public Stream ToStream() => file;

        public int Read(Span<byte> destination) => file.Read(destination);

        public void Dispose() => file.Dispose();
    }

    private sealed class StreamReader(Stream stream) : IStorageReader
    {
        public int Read(Span<byte> destination)
        {
            try
            {
                return stream.Read(destination);
            }
            catch (InvalidDataException e)
            {
                throw new CorruptDataException($"it cannot be decompressed: {e.Message}");
            }
        }

        public void Dispose() => stream.Dispose();
    }
}
