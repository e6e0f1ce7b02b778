using System.Buffers.Binary;

namespace SharpKeeper.Protocol.Election;

/// <summary>What a server tells another one during an election, or to one that looks for a leader.</summary>
/// <param name="State">What the sender is doing.</param>
/// <param name="Leader">The leader it proposes or has.</param>
/// <param name="Zxid">The last transaction of that leader.</param>
/// <param name="Round">The sender's election round.</param>
/// <param name="PeerEpoch">The epoch of that leader.</param>
/// <param name="Version">Version of the message: 2 since 3.5, 0 if it has none.</param>
/// <param name="Config">Text of the sender's configuration; null before version 2.</param>
public readonly record struct VoteNotification(
    ServerState State, ServerId Leader, Zxid Zxid, long Round, long PeerEpoch, int Version, byte[]? Config)
{
    /// <summary>The version that is sent.</summary>
    public const int CurrentVersion = 2;

    /// <summary>Longest payload, bytes.</summary>
    public const int BytesMax = 512 * 1024;

    private const int OldestBytes = 28;
    private const int UnversionedBytes = 40;
    private const int HeadBytes = 44;

    /// <summary>Reads a payload as servers of all versions since 3.3 send it; false if it is none.</summary>
    public static bool TryRead(ReadOnlySpan<byte> payload, out VoteNotification notification)
    {
        notification = default;
        if (payload.Length < OldestBytes || payload.Length > BytesMax)
            return false;
        int state = BinaryPrimitives.ReadInt32BigEndian(payload);
        if ((uint)state > (uint)ServerState.Observing)
            return false;
        var zxid = new Zxid(BinaryPrimitives.ReadInt64BigEndian(payload[12..]));
        long epoch = zxid.Value >> 32;
        int version = 0;
        byte[]? config = null;
        if (payload.Length > OldestBytes)
        {
            if (payload.Length < UnversionedBytes)
                return false;
            epoch = BinaryPrimitives.ReadInt64BigEndian(payload[28..]);
            if (payload.Length > UnversionedBytes)
                version = BinaryPrimitives.ReadInt32BigEndian(payload[36..]);
            if (version > 1 && !TryReadConfig(payload, out config))
                return false;
        }
        notification = new VoteNotification(
            (ServerState)state, new ServerId(BinaryPrimitives.ReadInt64BigEndian(payload[4..])), zxid,
            BinaryPrimitives.ReadInt64BigEndian(payload[20..]), epoch, version, config);
        return true;
    }

    /// <summary>The payload of version 2.</summary>
    public byte[] ToArray()
    {
        byte[] config = Config ?? [];
        var payload = new byte[HeadBytes + config.Length];
        BinaryPrimitives.WriteInt32BigEndian(payload, (int)State);
        BinaryPrimitives.WriteInt64BigEndian(payload.AsSpan(4), Leader.Value);
        BinaryPrimitives.WriteInt64BigEndian(payload.AsSpan(12), Zxid.Value);
        BinaryPrimitives.WriteInt64BigEndian(payload.AsSpan(20), Round);
        BinaryPrimitives.WriteInt64BigEndian(payload.AsSpan(28), PeerEpoch);
        BinaryPrimitives.WriteInt32BigEndian(payload.AsSpan(36), CurrentVersion);
        BinaryPrimitives.WriteInt32BigEndian(payload.AsSpan(40), config.Length);
        config.CopyTo(payload.AsSpan(HeadBytes));
        return payload;
    }

    private static bool TryReadConfig(ReadOnlySpan<byte> payload, out byte[]? config)
    {
        config = null;
        if (payload.Length < HeadBytes)
            return false;
        int length = BinaryPrimitives.ReadInt32BigEndian(payload[40..]);
        if (length < 0 || length > payload.Length - HeadBytes)
            return false;
        config = payload.Slice(HeadBytes, length).ToArray();
        return true;
    }
}
