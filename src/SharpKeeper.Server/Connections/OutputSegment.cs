using System.Buffers;
using SharpKeeper.Protocol;

namespace SharpKeeper.Server.Connections;

/// <summary>A stretch of unsent output: a rented array or a buffer that was taken over.</summary>
internal sealed class OutputSegment
{
    private readonly JuteBuffer? buffer;
    private readonly byte[] bytes;
    private int start;
    private int end;

    /// <summary>Takes over a filled buffer from offset <paramref name="start"/> on.</summary>
    public OutputSegment(JuteBuffer buffer, int start)
    {
        this.buffer = buffer;
        bytes = buffer.Array;
        this.start = start;
        end = buffer.Length;
    }

    /// <summary>Creates an empty segment with room for at least <paramref name="capacity"/> bytes.</summary>
    public OutputSegment(int capacity) => bytes = ArrayPool<byte>.Shared.Rent(capacity);

    /// <summary>The segment that is sent after this one.</summary>
    public OutputSegment? Next { get; set; }

    /// <summary>What is still to be sent.</summary>
    public ReadOnlyMemory<byte> Unsent => bytes.AsMemory(start, end - start);

    /// <summary>Bytes that can be appended; none behind a buffer that was taken over.</summary>
    public int Room => buffer is null ? bytes.Length - end : 0;

    /// <summary>Bytes the segment holds memory for.</summary>
    public int Capacity => bytes.Length;

    /// <summary>Appends no more than <see cref="Room"/> bytes.</summary>
    public void Append(ReadOnlySpan<byte> more)
    {
        more.CopyTo(bytes.AsSpan(end));
        end += more.Length;
    }

    /// <summary>Notes that <paramref name="count"/> bytes were sent.</summary>
    public void Advance(int count) => start += count;

    /// <summary>Gives the memory back; the segment must not be used after it.</summary>
    public void Release()
    {
        if (buffer is not null)
            buffer.Dispose();
        else
            ArrayPool<byte>.Shared.Return(bytes);
    }
}
