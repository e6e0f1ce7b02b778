using System.Buffers.Binary;

namespace SharpKeeper.Protocol.Quorum;

/// <summary>Types of the packets between leader and learner.</summary>
public enum QuorumPacketType
{
    /// <summary>A client's request, to the leader.</summary>
    Request = 1,

    /// <summary>A transaction to be logged and acknowledged.</summary>
    Proposal = 2,

    /// <summary>Logged, to the leader.</summary>
    Ack = 3,

    /// <summary>A proposed transaction is committed.</summary>
    Commit = 4,

    /// <summary>A sign of life; the learner's answer carries the sessions heard of.</summary>
    Ping = 5,

    /// <summary>Is a session still valid?</summary>
    Revalidate = 6,

    /// <summary>Everything committed before a sync request has been sent.</summary>
    Sync = 7,

    /// <summary>A committed transaction, to an observer.</summary>
    Inform = 8,

    /// <summary>A committed reconfiguration, to a follower.</summary>
    CommitAndActivate = 9,

    /// <summary>The learner has been sent all it needs; it acknowledges once that is durable.</summary>
    NewLeader = 10,

    /// <summary>A follower introduces itself.</summary>
    FollowerInfo = 11,

    /// <summary>The learner may serve.</summary>
    UpToDate = 12,

    /// <summary>The transactions that the learner lacks follow.</summary>
    Diff = 13,

    /// <summary>The learner is to cut its log.</summary>
    Trunc = 14,

    /// <summary>A snapshot follows.</summary>
    Snap = 15,

    /// <summary>An observer introduces itself.</summary>
    ObserverInfo = 16,

    /// <summary>The leader's new epoch.</summary>
    LeaderInfo = 17,

    /// <summary>The learner has promised the new epoch.</summary>
    AckEpoch = 18,

    /// <summary>A committed reconfiguration, to an observer.</summary>
    InformAndActivate = 19,
}

/// <summary>One packet, a view into the bytes it was read from.</summary>
public readonly ref struct QuorumPacket
{
    /// <summary>Its type.</summary>
    public QuorumPacketType Type { get; init; }

    /// <summary>Its zxid; the meaning depends on the type.</summary>
    public Zxid Zxid { get; init; }

    /// <summary>Its data; empty where they are null.</summary>
    public ReadOnlySpan<byte> Data { get; init; }

    /// <summary>Null data differ from empty data.</summary>
    public bool DataIsNull { get; init; }

    /// <summary>The encoded identities, without their count.</summary>
    public ReadOnlySpan<byte> AuthInfo { get; init; }

    /// <summary>Number of identities; -1 for a null vector.</summary>
    public int AuthCount { get; init; }
}

/// <summary>Outcome of an attempt to read a packet.</summary>
public enum PacketReadResult
{
    /// <summary>A whole packet was read.</summary>
    Complete,

    /// <summary>More bytes are needed.</summary>
    Incomplete,

    /// <summary>The bytes are not those of a packet.</summary>
    Corrupt,
}

/// <summary>How packets between leader and learner are encoded: back to back, without a length in front.</summary>
public static class QuorumPackets
{
    /// <summary>Bytes before the data: type, zxid, length of the data.</summary>
    public const int HeadBytes = 16;

    private const int IdentitiesMax = 10_000;

    /// <summary>Reads the packet at the start of <paramref name="bytes"/>.</summary>
    /// <param name="bytes">What has been received.</param>
    /// <param name="dataBytesMax">Longer data make the packet corrupt.</param>
    /// <param name="packet">The packet, a view into <paramref name="bytes"/>.</param>
    /// <param name="consumed">Its length in bytes, if complete.</param>
    public static PacketReadResult TryRead(
        ReadOnlySpan<byte> bytes, int dataBytesMax, out QuorumPacket packet, out int consumed)
    {
        packet = default;
        consumed = 0;
        if (bytes.Length < HeadBytes)
            return PacketReadResult.Incomplete;
        int length = BinaryPrimitives.ReadInt32BigEndian(bytes[12..]);
        if (length < -1 || length > dataBytesMax)
            return PacketReadResult.Corrupt;
        int at = HeadBytes + Math.Max(length, 0);
        if (bytes.Length < at + 4)
            return PacketReadResult.Incomplete;
        int identities = BinaryPrimitives.ReadInt32BigEndian(bytes[at..]);
        int authStart = at += 4;
        if (identities is < -1 or > IdentitiesMax)
            return PacketReadResult.Corrupt;
        for (int i = 0; i < identities * 2; i++)
        {
            if (bytes.Length < at + 4)
                return PacketReadResult.Incomplete;
            int part = BinaryPrimitives.ReadInt32BigEndian(bytes[at..]);
            if (part < -1 || part > dataBytesMax)
                return PacketReadResult.Corrupt;
            at += 4 + Math.Max(part, 0);
        }
        if (bytes.Length < at)
            return PacketReadResult.Incomplete;
        packet = new QuorumPacket
        {
            Type = (QuorumPacketType)BinaryPrimitives.ReadInt32BigEndian(bytes),
            Zxid = new Zxid(BinaryPrimitives.ReadInt64BigEndian(bytes[4..])),
            Data = bytes.Slice(HeadBytes, Math.Max(length, 0)),
            DataIsNull = length < 0,
            AuthInfo = bytes[authStart..at],
            AuthCount = identities,
        };
        consumed = at;
        return PacketReadResult.Complete;
    }

    /// <summary>The identities of a packet; none if the vector is null.</summary>
    public static AuthId[] ReadAuth(in QuorumPacket packet)
    {
        if (packet.AuthCount <= 0)
            return [];
        var reader = new JuteReader(packet.AuthInfo);
        var identities = new AuthId[packet.AuthCount];
        for (int i = 0; i < identities.Length; i++)
            identities[i] = new AuthId(reader.ReadString() ?? "", reader.ReadString() ?? "");
        return identities;
    }

    /// <summary>Appends a packet without data and identities.</summary>
    public static void WriteEmpty(JuteBuffer output, QuorumPacketType type, Zxid zxid)
    {
        Span<byte> bytes = output.Append(HeadBytes + 4);
        WriteHead(bytes, type, zxid, -1);
        BinaryPrimitives.WriteInt32BigEndian(bytes[HeadBytes..], -1);
    }

    /// <summary>Appends a packet without identities.</summary>
    public static void Write(JuteBuffer output, QuorumPacketType type, Zxid zxid, ReadOnlySpan<byte> data)
    {
        Span<byte> bytes = output.Append(HeadBytes + data.Length + 4);
        WriteHead(bytes, type, zxid, data.Length);
        data.CopyTo(bytes[HeadBytes..]);
        BinaryPrimitives.WriteInt32BigEndian(bytes[(HeadBytes + data.Length)..], -1);
    }

    /// <summary>Starts a packet whose data follow. The result goes to <see cref="End(JuteBuffer, int)"/>.</summary>
    public static int Begin(JuteBuffer output, QuorumPacketType type, Zxid zxid)
    {
        int begun = output.Length;
        WriteHead(output.Append(HeadBytes), type, zxid, 0);
        return begun;
    }

    /// <summary>Ends a packet: its data end here and it has no identities.</summary>
    public static void End(JuteBuffer output, int begun)
    {
        output.PatchInt32(begun + 12, output.Length - begun - HeadBytes);
        output.WriteInt32(-1);
    }

    /// <summary>Ends a packet: its data end here and the identities follow.</summary>
    public static void End(JuteBuffer output, int begun, ReadOnlySpan<AuthId> identities)
    {
        output.PatchInt32(begun + 12, output.Length - begun - HeadBytes);
        output.WriteInt32(identities.Length);
        foreach (AuthId identity in identities)
        {
            output.WriteString(identity.Scheme);
            output.WriteString(identity.Id);
        }
    }

    private static void WriteHead(Span<byte> bytes, QuorumPacketType type, Zxid zxid, int length)
    {
        BinaryPrimitives.WriteInt32BigEndian(bytes, (int)type);
        BinaryPrimitives.WriteInt64BigEndian(bytes[4..], zxid.Value);
        BinaryPrimitives.WriteInt32BigEndian(bytes[12..], length);
    }
}
