using SharpKeeper.Protocol;

namespace SharpKeeper.Core.Log;

/// <summary>
/// Transactions as bytes: header, a record by type, and usually a digest. Reading hands out spans into the payload;
/// writing appends to a buffer. The forms are those of Apache 3.4 to 3.9.
/// </summary>
public static partial class TxnRecords
{
    private const int AclEntryBytesMin = 12;

    /// <summary>
    /// Cuts a payload into its parts and checks that the record of its type, down to the parts of a multi, is
    /// complete. False if it is not, or if the type is none of a transaction.
    /// </summary>
    public static bool TryRead(ReadOnlySpan<byte> payload, out TxnView txn)
    {
        txn = default;
        var reader = new JuteReader(payload);
        TxnHeader header = TxnHeader.Read(ref reader);
        if (reader.Failed)
            return false;
        ReadOnlySpan<byte> rest = reader.Rest;
        bool hasRecord = header.Type != OpCode.CloseSession || HasPathVector(rest);
        int length = 0;
        if (hasRecord && !TryMeasure(header.Type, rest, out length))
            return false;
        bool hasDigest = TryReadDigest(rest[length..], out TxnDigest digest);
        txn = new TxnView(header, rest[..length], hasRecord, digest, hasDigest);
        return true;
    }

    /// <summary>Reads a create, create2, createContainer or createTTL record.</summary>
    public static bool TryReadCreate(OpCode type, ReadOnlySpan<byte> record, out CreateTxn txn) =>
        TryReadCreate(type, record, out txn, out _);

    /// <summary>Reads a delete or deleteContainer record.</summary>
    public static bool TryReadDelete(ReadOnlySpan<byte> record, out ReadOnlySpan<byte> path)
    {
        var reader = new JuteReader(record);
        path = reader.ReadBuffer();
        return !reader.Failed;
    }

    /// <summary>Reads a setData or reconfig record.</summary>
    public static bool TryReadSetData(ReadOnlySpan<byte> record, out SetDataTxn txn)
    {
        var reader = new JuteReader(record);
        ReadOnlySpan<byte> path = reader.ReadBuffer();
        ReadOnlySpan<byte> data = reader.ReadBuffer(out bool isNull);
        txn = new SetDataTxn(path, data, isNull, reader.ReadInt32());
        return !reader.Failed;
    }

    /// <summary>Reads a setACL record.</summary>
    public static bool TryReadSetAcl(ReadOnlySpan<byte> record, out SetAclTxn txn)
    {
        var reader = new JuteReader(record);
        ReadOnlySpan<byte> path = reader.ReadBuffer();
        ReadOnlySpan<byte> acl = ReadAclVector(record, ref reader);
        txn = new SetAclTxn(path, acl, reader.ReadInt32());
        return !reader.Failed;
    }

    /// <summary>Reads a check record.</summary>
    public static bool TryReadCheck(ReadOnlySpan<byte> record, out ReadOnlySpan<byte> path, out int version)
    {
        var reader = new JuteReader(record);
        path = reader.ReadBuffer();
        version = reader.ReadInt32();
        return !reader.Failed;
    }

    /// <summary>Reads a createSession record: the session's timeout in milliseconds.</summary>
    public static bool TryReadCreateSession(ReadOnlySpan<byte> record, out int timeoutMs) =>
        TryReadInt32(record, out timeoutMs);

    /// <summary>Reads an error record.</summary>
    public static bool TryReadError(ReadOnlySpan<byte> record, out ErrorCode error)
    {
        bool read = TryReadInt32(record, out int value);
        error = (ErrorCode)value;
        return read;
    }

    /// <summary>The paths of a closeSession record; none if the transaction has no record.</summary>
    public static PathVectorReader ReadCloseSession(ReadOnlySpan<byte> record) => new(record);

    /// <summary>The parts of a multi record.</summary>
    public static MultiTxnReader ReadMulti(ReadOnlySpan<byte> record) => new(record);

    /// <summary>Consumes an encoded vector of ACL entries and returns its bytes, the count included.</summary>
    /// <param name="bytes">What <paramref name="reader"/> reads from.</param>
    /// <param name="reader">Stands at the vector's count.</param>
    public static ReadOnlySpan<byte> ReadAclVector(ReadOnlySpan<byte> bytes, scoped ref JuteReader reader)
    {
        int start = reader.Position;
        int count = reader.ReadVectorCount(AclEntryBytesMin);
        for (int i = 0; i < count && !reader.Failed; i++)
        {
            reader.Skip(4);
            reader.ReadBuffer();
            reader.ReadBuffer();
        }
        return reader.Failed ? default : bytes[start..reader.Position];
    }

    // A closeSession without record but with a digest is 12 bytes that start with 2: read as a vector of paths they
    // would be two, and eight bytes have room for two empty ones only, which are no paths.
    private static bool HasPathVector(ReadOnlySpan<byte> rest)
    {
        if (rest.IsEmpty)
            return false;
        return rest.Length != TxnDigest.Bytes || new JuteReader(rest).ReadInt32() != TxnDigest.CurrentVersion;
    }

    private static bool TryReadDigest(ReadOnlySpan<byte> rest, out TxnDigest digest)
    {
        var reader = new JuteReader(rest);
        digest = new TxnDigest(reader.ReadInt32(), reader.ReadInt64());
        return !reader.Failed;
    }

    // The length of the record at the start of bytes, which may be followed by a digest.
    private static bool TryMeasure(OpCode type, ReadOnlySpan<byte> bytes, out int length)
    {
        if (type is OpCode.Create or OpCode.Create2 or OpCode.CreateContainer or OpCode.CreateTtl)
            return TryReadCreate(type, bytes, out _, out length);
        var reader = new JuteReader(bytes);
        switch (type)
        {
            case OpCode.Delete or OpCode.DeleteContainer:
                reader.ReadBuffer();
                break;
            case OpCode.SetData or OpCode.Reconfig:
                reader.ReadBuffer();
                reader.ReadBuffer();
                reader.Skip(4);
                break;
            case OpCode.SetAcl:
                reader.ReadBuffer();
                ReadAclVector(bytes, ref reader);
                reader.Skip(4);
                break;
            case OpCode.Check:
                reader.ReadBuffer();
                reader.Skip(4);
                break;
            case OpCode.CreateSession or OpCode.Error:
                reader.Skip(4);
                break;
            case OpCode.CloseSession:
                SkipPathVector(ref reader);
                break;
            case OpCode.Multi:
                SkipMulti(ref reader);
                break;
            default:
                reader.Fail();
                break;
        }
        length = reader.Position;
        return !reader.Failed;
    }

    private static void SkipPathVector(ref JuteReader reader)
    {
        int count = reader.ReadVectorCount(4);
        for (int i = 0; i < count && !reader.Failed; i++)
            reader.ReadBuffer();
    }

    private static void SkipMulti(ref JuteReader reader)
    {
        int count = reader.ReadVectorCount(8);
        for (int i = 0; i < count && !reader.Failed; i++)
        {
            var type = (OpCode)reader.ReadInt32();
            ReadOnlySpan<byte> record = reader.ReadBuffer();
            bool isPart = type is not (OpCode.Multi or OpCode.CreateSession or OpCode.CloseSession);
            if (!reader.Failed && !(isPart && TryMeasure(type, record, out _)))
                reader.Fail();
        }
    }

    private static bool TryReadCreate(OpCode type, ReadOnlySpan<byte> record, out CreateTxn txn, out int length)
    {
        var reader = new JuteReader(record);
        ReadOnlySpan<byte> path = reader.ReadBuffer();
        ReadOnlySpan<byte> data = reader.ReadBuffer(out bool isNull);
        ReadOnlySpan<byte> acl = ReadAclVector(record, ref reader);
        bool isEphemeral = type is OpCode.Create or OpCode.Create2 && reader.ReadBoolean();
        // Servers before 3.4 wrote type 1 without the parent's cversion, as the last thing of the payload.
        bool isOldForm = type == OpCode.Create && !reader.Failed && reader.Remaining < 4;
        int parentCversion = isOldForm ? -1 : reader.ReadInt32();
        // Apache could be made to log a TTL that is none; it stands for a znode that stays.
        long ttl = type == OpCode.CreateTtl ? Math.Max(reader.ReadInt64(), 0) : 0;
        length = reader.Position;
        txn = new CreateTxn(path, data, isNull, acl)
        {
            IsEphemeral = isEphemeral,
            ParentCversion = parentCversion,
            Ttl = ttl,
            IsContainer = type == OpCode.CreateContainer,
        };
        return !reader.Failed;
    }

    private static bool TryReadInt32(ReadOnlySpan<byte> record, out int value)
    {
        var reader = new JuteReader(record);
        value = reader.ReadInt32();
        return !reader.Failed;
    }
}
