using Microsoft.Win32.SafeHandles;

namespace SharpKeeper.Server.Storage;

/// <summary>Log files on a real disk.</summary>
internal sealed class DiskLogFiles : ILogFiles
{
    /// <inheritdoc/>
    public ILogFile Create(string path) => new DiskLogFile(OpenHandle(path, FileMode.Create));

    /// <inheritdoc/>
    public ILogFile Open(string path) => new DiskLogFile(OpenHandle(path, FileMode.Open));

    /// <inheritdoc/>
    public void Rename(string from, string to) => File.Move(from, to, overwrite: true);

    /// <inheritdoc/>
    public void Delete(string path) => File.Delete(path);

    /// <inheritdoc/>
    public void SyncDirectory(string directory) => FileSync.Directory(directory);

    private static SafeFileHandle OpenHandle(string path, FileMode mode) =>
        File.OpenHandle(path, mode, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete);

    private sealed class DiskLogFile(SafeFileHandle handle) : ILogFile
    {
        public void Write(ReadOnlySpan<byte> bytes, long position) => RandomAccess.Write(handle, bytes, position);

        public void Write(IReadOnlyList<ReadOnlyMemory<byte>> buffers, long position) =>
            RandomAccess.Write(handle, buffers, position);

        public void SyncData() => FileSync.Data(handle);

        public void Truncate(long length) => RandomAccess.SetLength(handle, length);

        public void Dispose() => handle.Dispose();
    }
}
