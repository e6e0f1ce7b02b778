using System.Buffers.Binary;

namespace SharpKeeper.Server.Storage;

/// <summary>
/// A transaction log file being written. One thread writes entries; another may fill the file with zeros ahead of
/// them, because a sync is much cheaper where blocks exist and the length does not change.
/// </summary>
internal sealed class LogSegment : IDisposable
{
    /// <summary>Length of the file header.</summary>
    public const int HeaderBytes = 16;

    private const int Magic = 0x5A4B4C47;
    private const int FormatVersion = 2;

    private readonly ILogFile file;
    private readonly Lock filling = new();

    // The end of what has been filled or given to the writer. The filler writes behind it only.
    private long reservedEnd;
    private long position = HeaderBytes;
    private ILogFile? fillFile;
    private bool isFillingOver;

    private LogSegment(ILogFile file, string path)
    {
        this.file = file;
        Path = path;
        reservedEnd = HeaderBytes;
    }

    /// <summary>The file's present name.</summary>
    public string Path { get; private set; }

    /// <summary>End of what has been written.</summary>
    public long Position => Volatile.Read(ref position);

    /// <summary>End of what is known to be on disk; at an entry's end.</summary>
    public long DurableEnd { get; private set; } = HeaderBytes;

    /// <summary>Whether the file's name is known to be on disk.</summary>
    public bool IsNameDurable { get; private set; }

    /// <summary>Bytes that can be written before the file grows.</summary>
    public long FilledAhead => Volatile.Read(ref reservedEnd) - Position;

    /// <summary>Creates the file with its header, on disk if <paramref name="sync"/> is set.</summary>
    public static LogSegment Create(ILogFiles files, string path, bool sync)
    {
        ILogFile file = files.Create(path);
        try
        {
            Span<byte> header = stackalloc byte[HeaderBytes];
            header.Clear();
            BinaryPrimitives.WriteInt32BigEndian(header, Magic);
            BinaryPrimitives.WriteInt32BigEndian(header[4..], FormatVersion);
            file.Write(header, 0);
            // Before it has the name of a log: a file without a whole header keeps Apache from starting.
            if (sync)
                file.SyncData();
            return new LogSegment(file, path);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Gives the file its name as a log.</summary>
    public void Rename(ILogFiles files, string path)
    {
        files.Rename(Path, path);
        Path = path;
    }

    /// <summary>Writes buffers behind what has been written.</summary>
    public void Write(IReadOnlyList<ReadOnlyMemory<byte>> buffers, long length)
    {
        long end = position + length;
        if (end > Volatile.Read(ref reservedEnd))
        {
            lock (filling)
                reservedEnd = Math.Max(reservedEnd, end);
        }
        if (buffers.Count == 1)
            file.Write(buffers[0].Span, position);
        else
            file.Write(buffers, position);
        Volatile.Write(ref position, end);
    }

    /// <summary>Puts what has been written on disk.</summary>
    public void Sync() => file.SyncData();

    /// <summary>Notes that what has been written counts as durable.</summary>
    public void MarkDurable() => DurableEnd = position;

    /// <summary>Notes that the directory has been synced since the file got its name.</summary>
    public void MarkNameDurable() => IsNameDurable = true;

    /// <summary>Takes back what is not durable, filling included.</summary>
    public void CutToDurable()
    {
        lock (filling)
        {
            file.Truncate(DurableEnd);
            Volatile.Write(ref reservedEnd, DurableEnd);
            Volatile.Write(ref position, DurableEnd);
        }
    }

    /// <summary>
    /// Appends zeros behind what is reserved; on the filler's thread. False when the segment is filled no more.
    /// </summary>
    public bool Fill(ILogFiles files, ReadOnlySpan<byte> zeros)
    {
        lock (filling)
        {
            if (isFillingOver)
                return false;
            // A descriptor of its own: an error that the filler's sync meets must show in the writer's sync too.
            fillFile ??= files.Open(Path);
            fillFile.Write(zeros, reservedEnd);
            Volatile.Write(ref reservedEnd, reservedEnd + zeros.Length);
            return true;
        }
    }

    /// <summary>Puts on disk what was filled; on the filler's thread.</summary>
    public void SyncFilled() => fillFile?.SyncData();

    /// <summary>Ends filling: the file's name may belong to another from now on.</summary>
    public void StopFilling()
    {
        lock (filling)
            isFillingOver = true;
    }

    /// <summary>Closes the file; on the filler's thread or when that has ended.</summary>
    public void Dispose()
    {
        fillFile?.Dispose();
        file.Dispose();
    }
}
