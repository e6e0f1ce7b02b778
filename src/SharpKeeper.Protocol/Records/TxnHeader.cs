namespace SharpKeeper.Protocol;

/// <summary>The head of every transaction in the log and in a proposal.</summary>
/// <param name="ClientId">Session that asked for it; 0 for the server's own.</param>
/// <param name="Cxid">The request's xid in that session.</param>
/// <param name="Zxid">Transaction id.</param>
/// <param name="Time">Wall time of the leader, milliseconds since 1970.</param>
/// <param name="Type">What the record behind it is.</param>
public readonly record struct TxnHeader(long ClientId, int Cxid, long Zxid, long Time, OpCode Type)
{
    /// <summary>Size on disk and on the wire.</summary>
    public const int Bytes = 32;

    /// <summary>Reads a header.</summary>
    public static TxnHeader Read(ref JuteReader reader) => new(
        reader.ReadInt64(), reader.ReadInt32(), reader.ReadInt64(), reader.ReadInt64(), (OpCode)reader.ReadInt32());

    /// <summary>Appends a header.</summary>
    public void Write(JuteBuffer output)
    {
        output.WriteInt64(ClientId);
        output.WriteInt32(Cxid);
        output.WriteInt64(Zxid);
        output.WriteInt64(Time);
        output.WriteInt32((int)Type);
    }
}

/// <summary>The digest of the whole tree after a transaction; 12 bytes behind the record.</summary>
/// <param name="Version">2.</param>
/// <param name="TreeDigest">The sum of the digests of all znodes.</param>
public readonly record struct TxnDigest(int Version, long TreeDigest)
{
    /// <summary>The digest format that Apache 3.6 to 3.9 use.</summary>
    public const int CurrentVersion = 2;

    /// <summary>Size on disk and on the wire.</summary>
    public const int Bytes = 12;
}
