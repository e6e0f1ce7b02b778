using System.Buffers.Binary;
using SharpKeeper.Core;
using SharpKeeper.Core.Log;
using Snappier;

namespace SharpKeeper.Server.Storage;

/// <summary>The stream format of snappy-java: a header of 16 bytes, then blocks with their compressed lengths.</summary>
internal static class SnappyFrames
{
    /// <summary>Bytes of a block before compression, as snappy-java writes them.</summary>
    public const int BlockBytes = 32 << 10;

    /// <summary>A longer block, compressed or not, is taken for damage; snappy-java never writes one.</summary>
    public const int BlockBytesMax = 64 << 20;

    /// <summary>Mark, version and oldest version that can read it.</summary>
    public static ReadOnlySpan<byte> Header =>
        [0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00, 0, 0, 0, 1, 0, 0, 0, 1];
}

/// <summary>Decompresses a snappy-java stream.</summary>
internal sealed class SnappyFrameReader(IStorageReader source) : IStorageReader
{
    private byte[] compressed = [];
    private byte[] block = [];
    private int position;
    private int length;
    private bool started;

    /// <inheritdoc/>
    public int Read(Span<byte> destination)
    {
        while (position == length)
        {
            if (!ReadBlock())
                return 0;
        }
        int count = Math.Min(destination.Length, length - position);
        block.AsSpan(position, count).CopyTo(destination);
        position += count;
        return count;
    }

    /// <inheritdoc/>
    public void Dispose() => source.Dispose();

    private bool ReadBlock()
    {
        Span<byte> head = stackalloc byte[16];
        if (!started)
        {
            if (Fill(head) != 16 || !head[..8].SequenceEqual(SnappyFrames.Header[..8]))
                throw new CorruptDataException("it does not start with the mark of a snappy stream");
            started = true;
        }
        int read = Fill(head[..4]);
        if (read == 0)
            return false;
        int compressedLength = BinaryPrimitives.ReadInt32BigEndian(head);
        if (read != 4 || compressedLength is <= 0 or > SnappyFrames.BlockBytesMax)
            throw new CorruptDataException("the length of a snappy block is impossible");
        Decompress(compressedLength);
        return true;
    }

    private void Decompress(int compressedLength)
    {
        ReadCompressed(compressedLength);
        try
        {
            ReadOnlySpan<byte> input = compressed.AsSpan(0, compressedLength);
            int wanted = Snappy.GetUncompressedLength(input);
            // Snappy gains a factor of 21 at most, so a greater length is damage, not data.
            if (wanted < 0 || wanted > compressedLength * 64L + 64)
                throw new CorruptDataException("the length of a snappy block is impossible");
            if (block.Length < wanted)
                block = new byte[wanted];
            length = Snappy.Decompress(input, block);
            position = 0;
        }
        catch (InvalidDataException e)
        {
            throw new CorruptDataException($"a snappy block cannot be decompressed: {e.Message}");
        }
    }

    // Grows with what really arrives, so that a damaged length allocates nothing.
    private void ReadCompressed(int wanted)
    {
        int have = 0;
        while (have < wanted)
        {
            if (have == compressed.Length)
                Array.Resize(ref compressed, Math.Min(wanted, Math.Max(have * 2, 2 * SnappyFrames.BlockBytes)));
            int read = source.Read(compressed.AsSpan(have, Math.Min(compressed.Length, wanted) - have));
            if (read == 0)
                throw new CorruptDataException("the file ends within a snappy block");
            have += read;
        }
    }

    private int Fill(Span<byte> destination)
    {
        int have = 0;
        while (have < destination.Length)
        {
            int read = source.Read(destination[have..]);
            if (read == 0)
                break;
            have += read;
        }
        return have;
    }
}

/// <summary>Compresses into a snappy-java stream.</summary>
internal sealed class SnappyFrameStream : Stream
{
    private readonly Stream target;
    private readonly byte[] block = new byte[SnappyFrames.BlockBytes];
    private readonly byte[] compressed = new byte[4 + Snappy.GetMaxCompressedLength(SnappyFrames.BlockBytes)];
    private int length;

    public SnappyFrameStream(Stream target)
    {
        this.target = target;
        target.Write(SnappyFrames.Header);
    }

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        while (!buffer.IsEmpty)
        {
            int count = Math.Min(buffer.Length, block.Length - length);
            buffer[..count].CopyTo(block.AsSpan(length));
            length += count;
            buffer = buffer[count..];
            if (length == block.Length)
                WriteBlock();
        }
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override void Flush()
    {
        WriteBlock();
        target.Flush();
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    private void WriteBlock()
    {
        if (length == 0)
            return;
        int written = Snappy.Compress(block.AsSpan(0, length), compressed.AsSpan(4));
        BinaryPrimitives.WriteInt32BigEndian(compressed, written);
        target.Write(compressed.AsSpan(0, 4 + written));
        length = 0;
    }
}
