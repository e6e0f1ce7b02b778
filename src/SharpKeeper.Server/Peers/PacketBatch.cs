using SharpKeeper.Core.Zab;

namespace SharpKeeper.Server.Peers;

/// <summary>Whole packets as one receive has brought them. It belongs to its connection, which uses it again.</summary>
internal sealed class PacketBatch(QuorumConnection connection)
{
    /// <summary>Bytes of a batch as long as no packet needs more.</summary>
    public const int UsualBytes = 64 * 1024;

    // Larger arrays are not kept: they are for a rare large packet.
    private const int KeptBytesMax = 1024 * 1024;

    private byte[] bytes = new byte[UsualBytes];

    /// <summary>The link they came over.</summary>
    public PeerLink Link => connection.Link;

    /// <summary>Number of bytes that count.</summary>
    public int Length { get; set; }

    /// <summary>The packets.</summary>
    public ReadOnlySpan<byte> Packets => bytes.AsSpan(0, Length);

    /// <summary>Room behind them; at least one byte.</summary>
    public Memory<byte> GetFree()
    {
        if (Length == bytes.Length)
            Array.Resize(ref bytes, (int)Math.Min(bytes.Length * 2L, Array.MaxLength));
        return bytes.AsMemory(Length);
    }

    /// <summary>Appends bytes.</summary>
    public void Append(ReadOnlySpan<byte> more)
    {
        while (bytes.Length - Length < more.Length)
            Array.Resize(ref bytes, (int)Math.Min(bytes.Length * 2L, Array.MaxLength));
        more.CopyTo(bytes.AsSpan(Length));
        Length += more.Length;
    }

    /// <summary>Gives the batch back to its connection; its bytes are not valid any more.</summary>
    public void Return()
    {
        Length = 0;
        if (bytes.Length > KeptBytesMax)
            bytes = new byte[UsualBytes];
        connection.Return(this);
    }
}
