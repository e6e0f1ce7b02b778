using SharpKeeper.Server.Storage;

namespace SharpKeeper.StorageTests;

/// <summary>
/// A file system in memory that knows what a power failure would leave, can refuse operations by script and shows
/// its state before each operation.
/// </summary>
internal sealed class MemoryLogFiles : ILogFiles
{
    private readonly Lock gate = new();
    private readonly Dictionary<string, Inode> names = [];
    private Dictionary<string, Inode> durableNames = [];

    /// <summary>Called before each operation with its name and path; what it throws is the operation's.</summary>
    public Action<string, string>? Before { get; set; }

    /// <summary>Whether a sync that fails has put the data on disk all the same.</summary>
    public bool FailedSyncPersists { get; set; }

    /// <summary>How many bytes of a write that fails are in the file.</summary>
    public int FailedWriteBytes { get; set; }

    public List<string> Operations { get; } = [];

    public string[] Names
    {
        get
        {
            lock (gate)
                return [.. names.Keys.Order(StringComparer.Ordinal)];
        }
    }

    public byte[] Content(string path)
    {
        lock (gate)
            return names[path].Content.ToArray();
    }

    /// <summary>What a power failure would leave: synced bytes, under synced names or under the present ones.</summary>
    public Dictionary<string, byte[]> AfterPowerFailure(bool presentNames)
    {
        lock (gate)
            return (presentNames ? names : durableNames).ToDictionary(pair => pair.Key, pair => pair.Value.Durable);
    }

    public void Put(string path, byte[] content)
    {
        lock (gate)
            names[path] = durableNames[path] = new Inode { Content = [.. content], Durable = content };
    }

    public ILogFile Create(string path)
    {
        Run("create", path);
        lock (gate)
        {
            // An empty file in place of one that is open elsewhere keeps the identity of the old one.
            if (!names.TryGetValue(path, out Inode? inode))
                names[path] = inode = new Inode();
            inode.Content.Clear();
            return new MemoryFile(this, inode, path);
        }
    }

    public ILogFile Open(string path)
    {
        Run("open", path);
        lock (gate)
        {
            return names.TryGetValue(path, out Inode? inode)
                ? new MemoryFile(this, inode, path)
                : throw new FileNotFoundException(path);
        }
    }

    public void Rename(string from, string to)
    {
        Run("rename", to);
        lock (gate)
        {
            names[to] = names.Remove(from, out Inode? inode) ? inode : throw new FileNotFoundException(from);
        }
    }

    public void Delete(string path)
    {
        Run("delete", path);
        lock (gate)
            names.Remove(path);
    }

    public void SyncDirectory(string directory)
    {
        Run("syncdir", directory);
        lock (gate)
            durableNames = new Dictionary<string, Inode>(names);
    }

    private void Run(string operation, string path)
    {
        lock (gate)
            Operations.Add(operation);
        Before?.Invoke(operation, path);
    }

    private sealed class Inode
    {
        public List<byte> Content { get; init; } = [];

        public byte[] Durable { get; set; } = [];
    }

    private sealed class MemoryFile(MemoryLogFiles owner, Inode inode, string path) : ILogFile
    {
        public void Write(ReadOnlySpan<byte> bytes, long position)
        {
            try
            {
                owner.Run("write", path);
            }
            catch
            {
                Store(bytes[..Math.Min(bytes.Length, owner.FailedWriteBytes)], position);
                throw;
            }
            Store(bytes, position);
        }

        public void Write(IReadOnlyList<ReadOnlyMemory<byte>> buffers, long position) =>
            Write(buffers.SelectMany(buffer => buffer.ToArray()).ToArray(), position);

        public void SyncData()
        {
            try
            {
                owner.Run("sync", path);
            }
            catch
            {
                if (owner.FailedSyncPersists)
                    Persist();
                throw;
            }
            Persist();
        }

        public void Truncate(long length)
        {
            owner.Run("truncate", path);
            lock (owner.gate)
            {
                if (length < inode.Content.Count)
                    inode.Content.RemoveRange((int)length, inode.Content.Count - (int)length);
            }
        }

        public void Dispose()
        {
            lock (owner.gate)
                owner.Operations.Add("close");
        }

        private void Persist()
        {
            lock (owner.gate)
                inode.Durable = inode.Content.ToArray();
        }

        private void Store(ReadOnlySpan<byte> bytes, long position)
        {
            lock (owner.gate)
            {
                while (inode.Content.Count < position + bytes.Length)
                    inode.Content.Add(0);
                for (int i = 0; i < bytes.Length; i++)
                    inode.Content[(int)position + i] = bytes[i];
            }
        }
    }
}
