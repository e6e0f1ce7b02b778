using SharpKeeper.Server.Storage;

namespace SharpKeeper.ServerTests;

/// <summary>Real log files on a disk that can fill up or hang.</summary>
internal sealed class TroubledLogFiles : ILogFiles
{
    private readonly DiskLogFiles disk = new();
    private readonly ManualResetEventSlim moves = new(initialState: true);

    /// <summary>The operation that fails as on a full disk: <c>write</c>, <c>sync</c> or <c>create</c>.</summary>
    public string? Failing { get; set; }

    /// <summary>How many bytes a failing write brings into the file all the same.</summary>
    public int FailedWriteBytes { get; set; }

    /// <summary>Makes syncs wait until <see cref="GoOn"/>.</summary>
    public void Hang() => moves.Reset();

    /// <summary>Ends what <see cref="Hang"/> began.</summary>
    public void GoOn() => moves.Set();

    public ILogFile Create(string path)
    {
        Check("create");
        return new TroubledFile(this, disk.Create(path));
    }

    public ILogFile Open(string path) => new TroubledFile(this, disk.Open(path));

    public void Rename(string from, string to) => disk.Rename(from, to);

    public void Delete(string path) => disk.Delete(path);

    public void SyncDirectory(string directory) => disk.SyncDirectory(directory);

    private void Check(string operation)
    {
        if (Failing == operation)
            throw new IOException("No space left on device");
    }

    private sealed class TroubledFile(TroubledLogFiles owner, ILogFile file) : ILogFile
    {
        public void Write(ReadOnlySpan<byte> bytes, long position)
        {
            if (owner.Failing == "write")
                file.Write(bytes[..Math.Min(bytes.Length, owner.FailedWriteBytes)], position);
            owner.Check("write");
            file.Write(bytes, position);
        }

        public void Write(IReadOnlyList<ReadOnlyMemory<byte>> buffers, long position) =>
            Write(buffers.SelectMany(buffer => buffer.ToArray()).ToArray(), position);

        public void SyncData()
        {
            owner.moves.Wait();
            owner.Check("sync");
            file.SyncData();
        }

        public void Truncate(long length) => file.Truncate(length);

        public void Dispose() => file.Dispose();
    }
}
