using System.Buffers;
using System.Buffers.Binary;

namespace SharpKeeper.Client.Internal;

/// <summary>The server broke the protocol; the connection is of no more use.</summary>
internal sealed class ProtocolViolationException(string message) : Exception(message);

/// <summary>
/// Cuts frames from what a connection receives. Of a frame over the limit only the first bytes are kept, so that the
/// request it answers can be failed, and the rest runs by.
/// </summary>
internal sealed class FrameReader(ITransportConnection transport, int frameBytesMax) : IDisposable
{
    /// <summary>What is kept of a frame over the limit: a reply header.</summary>
    public const int OversizedKept = 16;

    private const int BufferBytes = 32 * 1024;
    private const int SkippedMax = 1 << 30;

    private byte[] buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
    private int start;
    private int end;
    private int skipping;

    /// <summary>
    /// Takes a frame that has arrived whole; <paramref name="oversized"/> is the length of one over the limit, of which
    /// the first bytes are given, otherwise 0. The span lasts until the next call.
    /// </summary>
    public bool TryRead(out ReadOnlySpan<byte> frame, out int oversized)
    {
        frame = default;
        oversized = 0;
        if (skipping > 0)
        {
            int skipped = Math.Min(skipping, end - start);
            start += skipped;
            skipping -= skipped;
        }
        if (skipping > 0 || end - start < 4)
            return false;
        int length = BinaryPrimitives.ReadInt32BigEndian(buffer.AsSpan(start));
        if (length is < 0 or > SkippedMax)
            throw new ProtocolViolationException($"a frame claims to be {length} bytes long");
        int needed = length > frameBytesMax ? OversizedKept : length;
        if (end - start - 4 < needed)
        {
            MakeRoom(4 + needed);
            return false;
        }
        frame = buffer.AsSpan(start + 4, needed);
        start += 4 + needed;
        if (length > needed)
        {
            oversized = length;
            skipping = length - needed;
        }
        return true;
    }

    /// <summary>Receives more; false says that the server has closed the connection.</summary>
    public async ValueTask<bool> FillAsync(CancellationToken cancellation)
    {
        if (start == end)
        {
            start = end = 0;
            if (buffer.Length > 4 * BufferBytes)
                Exchange(BufferBytes);
        }
        if (end == buffer.Length)
            MakeRoom(buffer.Length - start + 1);
        int received = await transport.ReceiveAsync(buffer.AsMemory(end), cancellation).ConfigureAwait(false);
        end += received;
        return received > 0;
    }

    public void Dispose()
    {
        ArrayPool<byte>.Shared.Return(buffer);
        buffer = [];
    }

    /// <summary>Makes the buffer hold <paramref name="bytes"/> from <see cref="start"/> on.</summary>
    private void MakeRoom(int bytes)
    {
        if (buffer.Length - start >= bytes)
            return;
        if (buffer.Length >= bytes)
        {
            buffer.AsSpan(start, end - start).CopyTo(buffer);
            end -= start;
            start = 0;
        }
        else
        {
            Exchange(Math.Max(bytes, buffer.Length * 2));
        }
    }

    private void Exchange(int bytes)
    {
        byte[] old = buffer;
        buffer = ArrayPool<byte>.Shared.Rent(bytes);
        old.AsSpan(start, end - start).CopyTo(buffer);
        end -= start;
        start = 0;
        ArrayPool<byte>.Shared.Return(old);
    }
}
