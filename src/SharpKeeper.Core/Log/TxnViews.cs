using SharpKeeper.Protocol;

namespace SharpKeeper.Core.Log;

/// <summary>A transaction cut into its parts; the spans point into the payload it was read from.</summary>
public readonly ref struct TxnView
{
    internal TxnView(scoped in TxnHeader header, ReadOnlySpan<byte> record, bool hasRecord, TxnDigest digest, bool hasDigest)
    {
        Header = header;
        Record = record;
        HasRecord = hasRecord;
        Digest = digest;
        HasDigest = hasDigest;
    }

    /// <summary>Who, when, which type.</summary>
    public TxnHeader Header { get; }

    /// <summary>The record of <see cref="TxnHeader.Type"/>, checked to be complete.</summary>
    public ReadOnlySpan<byte> Record { get; }

    /// <summary>False only for a closeSession as servers before 3.6 wrote it, which has no record at all.</summary>
    public bool HasRecord { get; }

    /// <summary>Digest of the tree after this transaction; meaningful if <see cref="HasDigest"/>.</summary>
    public TxnDigest Digest { get; }

    /// <summary>Whether the payload carries a digest.</summary>
    public bool HasDigest { get; }
}

/// <summary>A create of any kind.</summary>
public readonly ref struct CreateTxn
{
    internal CreateTxn(ReadOnlySpan<byte> path, ReadOnlySpan<byte> data, bool dataIsNull, ReadOnlySpan<byte> acl)
    {
        Path = path;
        Data = data;
        DataIsNull = dataIsNull;
        Acl = acl;
    }

    /// <summary>The whole path in UTF-8.</summary>
    public ReadOnlySpan<byte> Path { get; }

    /// <summary>The data; empty if null.</summary>
    public ReadOnlySpan<byte> Data { get; }

    /// <summary>Null data differs from empty data in a getData reply.</summary>
    public bool DataIsNull { get; }

    /// <summary>The encoded vector of ACL entries, its count included.</summary>
    public ReadOnlySpan<byte> Acl { get; }

    /// <summary>Whether the znode goes with the session in the header.</summary>
    public bool IsEphemeral { get; internal init; }

    /// <summary>What the parent's stored cversion becomes; -1 means one more than it is.</summary>
    public int ParentCversion { get; internal init; }

    /// <summary>Time to live in milliseconds; 0 for types that have none, and for values that are none.</summary>
    public long Ttl { get; internal init; }

    /// <summary>Whether it makes a container.</summary>
    public bool IsContainer { get; internal init; }
}

/// <summary>A setData, or a reconfig, which has the same record.</summary>
public readonly ref struct SetDataTxn
{
    internal SetDataTxn(ReadOnlySpan<byte> path, ReadOnlySpan<byte> data, bool dataIsNull, int version)
    {
        Path = path;
        Data = data;
        DataIsNull = dataIsNull;
        Version = version;
    }

    /// <summary>The whole path in UTF-8.</summary>
    public ReadOnlySpan<byte> Path { get; }

    /// <summary>The data; empty if null.</summary>
    public ReadOnlySpan<byte> Data { get; }

    /// <summary>Null data differs from empty data in a getData reply.</summary>
    public bool DataIsNull { get; }

    /// <summary>The znode's version afterwards.</summary>
    public int Version { get; }
}

/// <summary>A setACL.</summary>
public readonly ref struct SetAclTxn
{
    internal SetAclTxn(ReadOnlySpan<byte> path, ReadOnlySpan<byte> acl, int version)
    {
        Path = path;
        Acl = acl;
        Version = version;
    }

    /// <summary>The whole path in UTF-8.</summary>
    public ReadOnlySpan<byte> Path { get; }

    /// <summary>The encoded vector of ACL entries, its count included.</summary>
    public ReadOnlySpan<byte> Acl { get; }

    /// <summary>The znode's aversion afterwards.</summary>
    public int Version { get; }
}

/// <summary>Walks over the paths of a closeSession record.</summary>
public ref struct PathVectorReader
{
    private JuteReader reader;
    private int left;

    internal PathVectorReader(ReadOnlySpan<byte> record)
    {
        reader = new JuteReader(record);
        left = record.IsEmpty ? 0 : Math.Max(reader.ReadVectorCount(4), 0);
    }

    /// <summary>Number of paths not yet read.</summary>
    public readonly int Left => left;

    /// <summary>The next path, if there is one.</summary>
    public bool Next(out ReadOnlySpan<byte> path)
    {
        path = default;
        if (left == 0)
            return false;
        left--;
        path = reader.ReadBuffer();
        return !reader.Failed;
    }
}

/// <summary>Walks over the parts of a multi record; each has been checked by <see cref="TxnRecords.TryRead"/>.</summary>
public ref struct MultiTxnReader
{
    private JuteReader reader;
    private int left;

    internal MultiTxnReader(ReadOnlySpan<byte> record)
    {
        reader = new JuteReader(record);
        Count = Math.Max(reader.ReadVectorCount(8), 0);
        left = Count;
    }

    /// <summary>Number of parts.</summary>
    public int Count { get; }

    /// <summary>The next part, if there is one.</summary>
    public bool Next(out OpCode type, out ReadOnlySpan<byte> record)
    {
        type = default;
        record = default;
        if (left == 0)
            return false;
        left--;
        type = (OpCode)reader.ReadInt32();
        record = reader.ReadBuffer();
        return !reader.Failed;
    }
}
