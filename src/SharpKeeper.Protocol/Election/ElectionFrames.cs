using System.Buffers.Binary;
using SharpKeeper.Protocol.Quorum;

namespace SharpKeeper.Protocol.Election;

/// <summary>How messages follow each other on an election connection: a length, then the payload.</summary>
public static class ElectionFrames
{
    /// <summary>Longest payload, bytes; an empty one is not allowed either.</summary>
    public const int PayloadBytesMax = 524_288;

    /// <summary>Reads the frame at the start of <paramref name="bytes"/>.</summary>
    /// <param name="bytes">What has been received.</param>
    /// <param name="payload">The message, a view into <paramref name="bytes"/>.</param>
    /// <param name="consumed">The frame's length in bytes, if complete.</param>
    public static PacketReadResult TryRead(
        ReadOnlySpan<byte> bytes, out ReadOnlySpan<byte> payload, out int consumed)
    {
        payload = default;
        consumed = 0;
        if (bytes.Length < 4)
            return PacketReadResult.Incomplete;
        int length = BinaryPrimitives.ReadInt32BigEndian(bytes);
        if (length is < 1 or > PayloadBytesMax)
            return PacketReadResult.Corrupt;
        if (bytes.Length < 4 + length)
            return PacketReadResult.Incomplete;
        payload = bytes.Slice(4, length);
        consumed = 4 + length;
        return PacketReadResult.Complete;
    }

    /// <summary>Appends a frame.</summary>
    /// <exception cref="ArgumentException">The payload is empty or too long.</exception>
    public static void Write(JuteBuffer output, ReadOnlySpan<byte> payload)
    {
        if (payload.Length is < 1 or > PayloadBytesMax)
            throw new ArgumentException($"A message of {payload.Length} bytes cannot be sent.", nameof(payload));
        output.WriteBuffer(payload);
    }
}
