using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Text;

namespace SharpKeeper.Protocol;

/// <summary>
/// Reads big-endian Jute values from a span without copying. A value that does not fit makes the reader
/// <see cref="Failed"/> for good: every later read then returns a default, so a decoder reads a whole record and asks
/// once at the end. It never throws on bad bytes and never allocates in proportion to a length it has not checked.
/// </summary>
public ref struct JuteReader
{
    private readonly ReadOnlySpan<byte> bytes;
    private int position;

    /// <summary>Starts reading at the first byte of <paramref name="bytes"/>.</summary>
    public JuteReader(ReadOnlySpan<byte> bytes)
    {
        this.bytes = bytes;
        position = 0;
        Failed = false;
    }

    /// <summary>True once a value was cut off or had an impossible length.</summary>
    public bool Failed { get; private set; }

    /// <summary>Bytes consumed so far.</summary>
    public readonly int Position => position;

    /// <summary>Bytes not yet consumed.</summary>
    public readonly int Remaining => bytes.Length - position;

    /// <summary>What has not been consumed.</summary>
    public readonly ReadOnlySpan<byte> Rest => bytes[position..];

    /// <summary>Marks the input as malformed; used by decoders for values that no correct peer sends.</summary>
    public void Fail() => Failed = true;

    /// <summary>Reads one byte.</summary>
    public byte ReadByte()
    {
        if (!Take(1, out int at))
            return 0;
        return bytes[at];
    }

    /// <summary>Reads a boolean: any byte other than zero is true.</summary>
    public bool ReadBoolean() => ReadByte() != 0;

    /// <summary>Reads a 32-bit integer.</summary>
    public int ReadInt32()
    {
        if (!Take(4, out int at))
            return 0;
        return BinaryPrimitives.ReadInt32BigEndian(bytes.Slice(at, 4));
    }

    /// <summary>Reads a 64-bit integer.</summary>
    public long ReadInt64()
    {
        if (!Take(8, out int at))
            return 0;
        return BinaryPrimitives.ReadInt64BigEndian(bytes.Slice(at, 8));
    }

    /// <summary>
    /// Reads a buffer or a string as raw bytes. A length of -1 gives an empty span and sets
    /// <paramref name="isNull"/>; any other negative length, or one beyond the input, fails.
    /// </summary>
    public ReadOnlySpan<byte> ReadBuffer(out bool isNull)
    {
        int length = ReadInt32();
        isNull = length == -1;
        if (Failed || isNull)
            return default;
        if (length < 0 || !Take(length, out int at))
        {
            Failed = true;
            return default;
        }
        return bytes.Slice(at, length);
    }

    /// <summary>Reads a buffer or a string as raw bytes, null as empty.</summary>
    public ReadOnlySpan<byte> ReadBuffer() => ReadBuffer(out _);

    /// <summary>Reads a string; malformed UTF-8 becomes U+FFFD, as it does in Apache.</summary>
    public string? ReadString()
    {
        ReadOnlySpan<byte> text = ReadBuffer(out bool isNull);
        return isNull ? null : Encoding.UTF8.GetString(text);
    }

    /// <summary>
    /// Reads the element count of a vector; -1 is a null vector. A count that cannot fit in the rest of the input,
    /// given that each element takes at least <paramref name="elementBytesMin"/> bytes, fails.
    /// </summary>
    public int ReadVectorCount(int elementBytesMin)
    {
        int count = ReadInt32();
        if (Failed)
            return 0;
        if (count < -1 || (long)count * elementBytesMin > Remaining)
        {
            Failed = true;
            return 0;
        }
        return count;
    }

    /// <summary>Consumes <paramref name="count"/> bytes unread.</summary>
    public void Skip(int count) => Take(count, out _);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private bool Take(int count, out int at)
    {
        at = position;
        if (Failed || (uint)count > (uint)(bytes.Length - position))
        {
            Failed = true;
            return false;
        }
        position += count;
        return true;
    }
}
