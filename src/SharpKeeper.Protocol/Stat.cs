using System.Buffers.Binary;

namespace SharpKeeper.Protocol;

/// <summary>A znode's metadata as clients see it; 68 bytes on the wire.</summary>
/// <param name="Czxid">Transaction that created the znode.</param>
/// <param name="Mzxid">Transaction that last wrote its data.</param>
/// <param name="Ctime">Creation time, milliseconds since 1970 by the leader's clock.</param>
/// <param name="Mtime">Time of the last data write, milliseconds since 1970 by the leader's clock.</param>
/// <param name="Version">Number of data writes.</param>
/// <param name="Cversion">Number of changes to the list of children.</param>
/// <param name="Aversion">Number of ACL changes.</param>
/// <param name="EphemeralOwner">Session of an ephemeral znode, otherwise 0.</param>
/// <param name="DataLength">Length of the data in bytes; 0 for null data.</param>
/// <param name="NumChildren">Number of children.</param>
/// <param name="Pzxid">Transaction that last created or deleted a child.</param>
public readonly record struct Stat(
    long Czxid, long Mzxid, long Ctime, long Mtime, int Version, int Cversion, int Aversion,
    long EphemeralOwner, int DataLength, int NumChildren, long Pzxid)
{
    /// <summary>Size on the wire.</summary>
    public const int Bytes = 68;

    /// <summary>Reads the wire form.</summary>
    public static Stat Read(ref JuteReader reader) => new(
        reader.ReadInt64(), reader.ReadInt64(), reader.ReadInt64(), reader.ReadInt64(),
        reader.ReadInt32(), reader.ReadInt32(), reader.ReadInt32(), reader.ReadInt64(),
        reader.ReadInt32(), reader.ReadInt32(), reader.ReadInt64());

    /// <summary>Appends the wire form.</summary>
    public void Write(JuteBuffer output)
    {
        Span<byte> span = output.Append(Bytes);
        BinaryPrimitives.WriteInt64BigEndian(span, Czxid);
        BinaryPrimitives.WriteInt64BigEndian(span[8..], Mzxid);
        BinaryPrimitives.WriteInt64BigEndian(span[16..], Ctime);
        BinaryPrimitives.WriteInt64BigEndian(span[24..], Mtime);
        BinaryPrimitives.WriteInt32BigEndian(span[32..], Version);
        BinaryPrimitives.WriteInt32BigEndian(span[36..], Cversion);
        BinaryPrimitives.WriteInt32BigEndian(span[40..], Aversion);
        BinaryPrimitives.WriteInt64BigEndian(span[44..], EphemeralOwner);
        BinaryPrimitives.WriteInt32BigEndian(span[52..], DataLength);
        BinaryPrimitives.WriteInt32BigEndian(span[56..], NumChildren);
        BinaryPrimitives.WriteInt64BigEndian(span[60..], Pzxid);
    }
}

/// <summary>A znode's metadata as snapshots hold it; 60 bytes.</summary>
/// <param name="Czxid">Transaction that created the znode.</param>
/// <param name="Mzxid">Transaction that last wrote its data.</param>
/// <param name="Ctime">Creation time, milliseconds since 1970.</param>
/// <param name="Mtime">Time of the last data write, milliseconds since 1970.</param>
/// <param name="Version">Data version.</param>
/// <param name="Cversion">Number of children ever created: not the number that clients see.</param>
/// <param name="Aversion">ACL version.</param>
/// <param name="EphemeralOwner">Session id, container mark or TTL: not always what clients see.</param>
/// <param name="Pzxid">Transaction that last created or deleted a child.</param>
public readonly record struct StatPersisted(
    long Czxid, long Mzxid, long Ctime, long Mtime, int Version, int Cversion, int Aversion,
    long EphemeralOwner, long Pzxid)
{
    /// <summary>Size in a snapshot.</summary>
    public const int Bytes = 60;

    /// <summary>Reads the snapshot form.</summary>
    public static StatPersisted Read(ref JuteReader reader) => new(
        reader.ReadInt64(), reader.ReadInt64(), reader.ReadInt64(), reader.ReadInt64(),
        reader.ReadInt32(), reader.ReadInt32(), reader.ReadInt32(), reader.ReadInt64(), reader.ReadInt64());

    /// <summary>Appends the snapshot form.</summary>
    public void Write(JuteBuffer output)
    {
        Span<byte> span = output.Append(Bytes);
        BinaryPrimitives.WriteInt64BigEndian(span, Czxid);
        BinaryPrimitives.WriteInt64BigEndian(span[8..], Mzxid);
        BinaryPrimitives.WriteInt64BigEndian(span[16..], Ctime);
        BinaryPrimitives.WriteInt64BigEndian(span[24..], Mtime);
        BinaryPrimitives.WriteInt32BigEndian(span[32..], Version);
        BinaryPrimitives.WriteInt32BigEndian(span[36..], Cversion);
        BinaryPrimitives.WriteInt32BigEndian(span[40..], Aversion);
        BinaryPrimitives.WriteInt64BigEndian(span[44..], EphemeralOwner);
        BinaryPrimitives.WriteInt64BigEndian(span[52..], Pzxid);
    }
}
