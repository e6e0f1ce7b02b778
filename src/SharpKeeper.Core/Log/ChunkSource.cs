namespace SharpKeeper.Core.Log;

/// <summary>
/// A window over a file that is read once, in large chunks. It grows only as bytes really arrive, so a damaged length
/// cannot make it allocate more than about twice the file.
/// </summary>
internal sealed class ChunkSource(IStorageReader reader) : IDisposable
{
    private const int ChunkBytes = 1 << 18;

    private byte[] buffer = [];
    private int start;
    private int end;
    private int summed;
    private uint sum = 1;
    private long consumedBefore;
    private bool ended;

    /// <summary>Offset in the file of the first byte of <see cref="Available"/>.</summary>
    public long Position => consumedBefore + start;

    /// <summary>Bytes read and not consumed.</summary>
    public ReadOnlySpan<byte> Available => buffer.AsSpan(start, end - start);

    /// <summary>Makes at least <paramref name="count"/> bytes available; false if the file ends before.</summary>
    public bool Ensure(int count)
    {
        while (end - start < count)
        {
            if (!Fill())
                return false;
        }
        return true;
    }

    /// <summary>Makes more bytes available than there are; false at the end of the file.</summary>
    public bool EnsureMore() => Ensure(end - start + 1);

    /// <summary>Consumes bytes that are available.</summary>
    public void Consume(int count) => start += count;

    /// <summary>The Adler-32 of all bytes consumed so far.</summary>
    public uint SumConsumed()
    {
        sum = Adler32.Compute(buffer.AsSpan(summed, start - summed), sum);
        summed = start;
        return sum;
    }

    public void Dispose() => reader.Dispose();

    private bool Fill()
    {
        if (ended)
            return false;
        if (end == buffer.Length)
            MakeRoom();
        int read = reader.Read(buffer.AsSpan(end));
        ended = read == 0;
        end += read;
        return !ended;
    }

    private void MakeRoom()
    {
        SumConsumed();
        int kept = end - start;
        byte[] target = buffer;
        if (kept > buffer.Length / 2 || buffer.Length == 0)
        {
            long wanted = Math.Max(ChunkBytes, Math.Min(buffer.Length * 2L, Array.MaxLength));
            if (wanted == buffer.Length)
                throw new CorruptDataException("A record of more than 2 GiB cannot be read.");
            target = GC.AllocateUninitializedArray<byte>((int)wanted);
        }
        buffer.AsSpan(start, kept).CopyTo(target);
        buffer = target;
        consumedBefore += start;
        start = summed = 0;
        end = kept;
    }
}
