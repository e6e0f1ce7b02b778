using System.Buffers;
using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Text;

namespace SharpKeeper.Protocol;

/// <summary>
/// A growing byte buffer that Jute values are appended to. Its array comes from the shared pool and goes back with
/// <see cref="Dispose"/> or <see cref="Reset"/>. Not safe for use by two threads at once.
/// </summary>
public sealed class JuteBuffer : IBufferWriter<byte>, IDisposable
{
    private byte[] bytes;
    private int length;

    /// <summary>Creates a buffer; no array is rented before the first write.</summary>
    public JuteBuffer() => bytes = [];

    /// <summary>Bytes written so far.</summary>
    public int Length => length;

    /// <summary>Bytes the buffer holds memory for.</summary>
    public int Capacity => bytes.Length;

    /// <summary>What has been written.</summary>
    public ReadOnlySpan<byte> WrittenSpan => bytes.AsSpan(0, length);

    /// <summary>What has been written; valid until the next write, reset or disposal.</summary>
    public ReadOnlyMemory<byte> WrittenMemory => bytes.AsMemory(0, length);

    /// <summary>What has been written, for patching in place.</summary>
    public Span<byte> Written => bytes.AsSpan(0, length);

    /// <summary>The array behind the buffer; valid until the next write, reset or disposal.</summary>
    public byte[] Array => bytes;

    /// <summary>Forgets the contents and keeps the memory.</summary>
    public void Clear() => length = 0;

    /// <summary>Forgets the contents and gives the memory back.</summary>
    public void Reset()
    {
        byte[] old = bytes;
        bytes = [];
        length = 0;
        if (old.Length > 0)
            ArrayPool<byte>.Shared.Return(old);
    }

    /// <inheritdoc cref="Reset"/>
    public void Dispose() => Reset();

    /// <summary>Cuts the contents back to the first <paramref name="newLength"/> bytes.</summary>
    public void Truncate(int newLength)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)newLength, (uint)length, nameof(newLength));
        length = newLength;
    }

    /// <inheritdoc/>
    public void Advance(int count)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)count, (uint)(bytes.Length - length), nameof(count));
        length += count;
    }

    /// <inheritdoc/>
    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        Ensure(Math.Max(sizeHint, 1));
        return bytes.AsMemory(length);
    }

    /// <inheritdoc/>
    public Span<byte> GetSpan(int sizeHint = 0)
    {
        Ensure(Math.Max(sizeHint, 1));
        return bytes.AsSpan(length);
    }

    /// <summary>Appends <paramref name="count"/> bytes and returns them for filling.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Span<byte> Append(int count)
    {
        Ensure(count);
        Span<byte> span = bytes.AsSpan(length, count);
        length += count;
        return span;
    }

    /// <summary>Appends a byte.</summary>
    public void WriteByte(byte value) => Append(1)[0] = value;

    /// <summary>Appends a boolean as 0 or 1.</summary>
    public void WriteBoolean(bool value) => Append(1)[0] = value ? (byte)1 : (byte)0;

    /// <summary>Appends a 32-bit integer.</summary>
    public void WriteInt32(int value) => BinaryPrimitives.WriteInt32BigEndian(Append(4), value);

    /// <summary>Appends a 64-bit integer.</summary>
    public void WriteInt64(long value) => BinaryPrimitives.WriteInt64BigEndian(Append(8), value);

    /// <summary>Appends bytes as they are, without a length.</summary>
    public void WriteRaw(ReadOnlySpan<byte> value) => value.CopyTo(Append(value.Length));

    /// <summary>Appends a buffer, or a string already in UTF-8.</summary>
    public void WriteBuffer(ReadOnlySpan<byte> value)
    {
        Span<byte> span = Append(4 + value.Length);
        BinaryPrimitives.WriteInt32BigEndian(span, value.Length);
        value.CopyTo(span[4..]);
    }

    /// <summary>Appends a buffer, or the null buffer.</summary>
    public void WriteBuffer(ReadOnlySpan<byte> value, bool isNull)
    {
        if (isNull)
            WriteInt32(-1);
        else
            WriteBuffer(value);
    }

    /// <summary>Appends a string in UTF-8, or the null string.</summary>
    public void WriteString(string? value)
    {
        if (value is null)
        {
            WriteInt32(-1);
            return;
        }
        int count = Encoding.UTF8.GetByteCount(value);
        Span<byte> span = Append(4 + count);
        BinaryPrimitives.WriteInt32BigEndian(span, count);
        Encoding.UTF8.GetBytes(value, span[4..]);
    }

    /// <summary>Overwrites the 32-bit integer at <paramref name="offset"/>.</summary>
    public void PatchInt32(int offset, int value) =>
        BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(offset, 4), value);

    /// <summary>
    /// Appends room for a frame's length and returns its offset for <see cref="EndFrame"/>.
    /// </summary>
    public int BeginFrame()
    {
        int at = length;
        Append(4);
        return at;
    }

    /// <summary>Writes the length of the frame begun at <paramref name="frame"/>.</summary>
    public void EndFrame(int frame) => PatchInt32(frame, length - frame - 4);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Ensure(int count)
    {
        if (bytes.Length - length < count)
            Grow(count);
    }

    private void Grow(int count)
    {
        long needed = (long)length + count;
        if (needed > System.Array.MaxLength)
            throw new OutOfMemoryException("A Jute buffer cannot exceed 2 GiB.");
        long wanted = Math.Min(Math.Max(needed, Math.Max(256, (long)bytes.Length * 2)), System.Array.MaxLength);
        byte[] larger = ArrayPool<byte>.Shared.Rent((int)wanted);
        bytes.AsSpan(0, length).CopyTo(larger);
        byte[] old = bytes;
        bytes = larger;
        if (old.Length > 0)
            ArrayPool<byte>.Shared.Return(old);
    }
}
