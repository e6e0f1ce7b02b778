using System.Buffers.Binary;

namespace SharpKeeper.Protocol.Election;

/// <summary>A message of the election: whom the sender proposes or follows. Who sent it is known by the connection.
/// </summary>
/// <param name="State">What the sender does.</param>
/// <param name="Leader">Whom it proposes.</param>
/// <param name="Zxid">The last transaction of the proposed leader.</param>
/// <param name="Round">The round of elections that the sender is in.</param>
/// <param name="PeerEpoch">currentEpoch of the proposed leader.</param>
/// <param name="Version">2 with a configuration; 0 from a sender that gave none, however old it is.</param>
/// <param name="Config">The sender's last committed configuration as text in UTF-8, not checked; null if the message
/// has none.</param>
public readonly record struct VoteNotification(
    ServerState State, ServerId Leader, Zxid Zxid, long Round, long PeerEpoch, int Version, byte[]? Config)
{
    /// <summary>The version that servers of today send.</summary>
    public const int CurrentVersion = 2;

    private const int OldestBytes = 28;
    private const int NoVersionBytes = 40;
    private const int HeadBytes = 44;

    /// <summary>Reads a message in any of its forms. False if it is to be dropped: too short, cut off, or of an
    /// unknown state.</summary>
    public static bool TryRead(ReadOnlySpan<byte> payload, out VoteNotification notification)
    {
        notification = default;
        if (payload.Length < OldestBytes)
            return false;
        var reader = new JuteReader(payload);
        int state = reader.ReadInt32();
        var leader = new ServerId(reader.ReadInt64());
        var zxid = new Zxid(reader.ReadInt64());
        long round = reader.ReadInt64();
        long peerEpoch = payload.Length == OldestBytes ? zxid.Epoch : reader.ReadInt64();
        // The four bytes behind the epoch are no version in messages of exactly this length.
        int version = payload.Length is OldestBytes or NoVersionBytes ? 0 : reader.ReadInt32();
        byte[]? config = null;
        if (version > 1)
        {
            ReadOnlySpan<byte> text = reader.ReadBuffer(out bool isNull);
            if (reader.Failed || isNull)
                return false;
            config = text.ToArray();
        }
        if (reader.Failed || state is < (int)ServerState.Looking or > (int)ServerState.Observing)
            return false;
        notification = new VoteNotification((ServerState)state, leader, zxid, round, peerEpoch, version, config);
        return true;
    }

    /// <summary>The message; without version and configuration if <see cref="Version"/> is below 2.</summary>
    public byte[] ToArray()
    {
        bool hasConfig = Version > 1;
        byte[] config = Config ?? [];
        byte[] bytes = new byte[hasConfig ? HeadBytes + config.Length : NoVersionBytes];
        BinaryPrimitives.WriteInt32BigEndian(bytes, (int)State);
        BinaryPrimitives.WriteInt64BigEndian(bytes.AsSpan(4), Leader.Value);
        BinaryPrimitives.WriteInt64BigEndian(bytes.AsSpan(12), Zxid.Value);
        BinaryPrimitives.WriteInt64BigEndian(bytes.AsSpan(20), Round);
        BinaryPrimitives.WriteInt64BigEndian(bytes.AsSpan(28), PeerEpoch);
        if (hasConfig)
        {
            BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(36), Version);
            BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(40), config.Length);
            config.CopyTo(bytes, HeadBytes);
        }
        return bytes;
    }

    /// <inheritdoc/>
    public bool Equals(VoteNotification other) => State == other.State && Leader == other.Leader && Zxid == other.Zxid
        && Round == other.Round && PeerEpoch == other.PeerEpoch && Version == other.Version
        && Config is null == other.Config is null && Config.AsSpan().SequenceEqual(other.Config);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(State, Leader, Zxid, Round, PeerEpoch, Version);
}
