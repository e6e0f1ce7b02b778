using System.Buffers.Binary;
using SharpKeeper.Core.Log;
using SharpKeeper.Protocol;

namespace SharpKeeper.Core.Transactions;

internal sealed partial class TxnPreparer
{
    /// <summary>
    /// For each operation of the multi prepared last the type of its result, where that is not the type of its
    /// transaction: create2 is stored as create. Null if all agree.
    /// </summary>
    public OpCode[]? MultiResultTypes { get; private set; }

    /// <summary>
    /// Prepares the operations of a multi one after the other, each on top of the former ones. If one fails the record
    /// holds errors only: Ok for those before it, its code, and RuntimeInconsistency for those behind it.
    /// </summary>
    private ErrorCode PrepareMulti(in TxnContext context, ReadOnlySpan<byte> body, TxnBatch batch, JuteBuffer output)
    {
        if (!TryCountParts(body, isRead: false, out int parts))
            return ErrorCode.MarshallingError;
        MultiResultTypes = null;
        int recordStart = output.Length;
        int vector = TxnRecords.BeginMulti(output);
        var reader = new JuteReader(body);
        for (int i = 0; i < parts; i++)
        {
            OpCode op = ReadMultiHeader(ref reader, out _);
            if (op == OpCode.Create2)
                (MultiResultTypes ??= new OpCode[parts])[i] = op;
            ReadOnlySpan<byte> part = PartBody(ref reader, op);
            ErrorCode error = PreparePart(context, op, part, batch, output);
            if (error == ErrorCode.MarshallingError)
                return error;
            if (error != ErrorCode.Ok)
            {
                output.Truncate(recordStart);
                WriteFailedMulti(output, parts, i, error);
                return error;
            }
        }
        TxnRecords.EndVector(output, vector, parts);
        return ErrorCode.Ok;
    }

    private ErrorCode PreparePart(
        in TxnContext context, OpCode op, ReadOnlySpan<byte> part, TxnBatch batch, JuteBuffer output)
    {
        // Apache makes an ordinary create of one that says TTL but has no TTL mode.
        if (op == OpCode.CreateTtl && !ModeOfTtlPart(part).IsTtl())
            op = OpCode.Create;
        int typeAt = output.Length;
        int frame = TxnRecords.BeginPart(output, op);
        ErrorCode error;
        OpCode type = op;
        if (op is OpCode.Create or OpCode.Create2 or OpCode.CreateContainer or OpCode.CreateTtl)
        {
            var reader = new JuteReader(part);
            error = PrepareCreate(context, op, part, ref reader, batch, output, isPart: true, out type);
        }
        else
        {
            error = PrepareOne(context, op, part, batch, output, out type);
        }
        TxnRecords.EndPart(output, frame);
        // Apache 3.8.0 does not know create2 inside a multi; the reply remembers what the client sent.
        output.PatchInt32(typeAt, (int)(type == OpCode.Create2 ? OpCode.Create : type));
        return error;
    }

    private static void WriteFailedMulti(JuteBuffer output, int parts, int failed, ErrorCode error)
    {
        int vector = TxnRecords.BeginMulti(output);
        for (int i = 0; i < parts; i++)
        {
            ErrorCode code = i < failed ? ErrorCode.Ok : i == failed ? error : ErrorCode.RuntimeInconsistency;
            int frame = TxnRecords.BeginPart(output, OpCode.Error);
            TxnRecords.WriteError(output, code);
            TxnRecords.EndPart(output, frame);
        }
        TxnRecords.EndVector(output, vector, parts);
    }

    /// <summary>
    /// As <see cref="MultiResultTypes"/>, for a multi that the leader prepares; null also if it cannot be decoded.
    /// </summary>
    public static OpCode[]? ReadMultiResultTypes(ReadOnlySpan<byte> body)
    {
        if (!TryCountParts(body, isRead: false, out int parts))
            return null;
        OpCode[]? types = null;
        var reader = new JuteReader(body);
        for (int i = 0; i < parts; i++)
        {
            OpCode op = ReadMultiHeader(ref reader, out _);
            if (op == OpCode.Create2)
                (types ??= new OpCode[parts])[i] = op;
            PartBody(ref reader, op);
        }
        return types;
    }

    /// <summary>
    /// Counts the operations of a multi, or of a multiRead; false if it cannot be decoded or has an operation that does
    /// not belong.
    /// </summary>
    public static bool TryCountParts(ReadOnlySpan<byte> body, bool isRead, out int parts)
    {
        var reader = new JuteReader(body);
        parts = 0;
        while (true)
        {
            OpCode op = ReadMultiHeader(ref reader, out bool isDone);
            if (reader.Failed)
                return false;
            if (isDone)
                return true;
            if (!(isRead ? op is OpCode.GetData or OpCode.GetChildren : IsMultiPart(op)))
                return false;
            ReadOnlySpan<byte> part = PartBody(ref reader, op);
            if (reader.Failed || !HasDecodableMode(op, part))
                return false;
            parts++;
        }
    }

    private static bool IsMultiPart(OpCode op) => op is OpCode.Create or OpCode.Create2 or OpCode.CreateContainer
        or OpCode.CreateTtl or OpCode.Delete or OpCode.SetData or OpCode.Check;

    // A mode that does not exist, or needs a TTL that is not there, spoils the whole multi (Apache 3.9).
    private static bool HasDecodableMode(OpCode op, ReadOnlySpan<byte> part)
    {
        if (op is not (OpCode.Create or OpCode.Create2 or OpCode.CreateContainer))
            return true;
        var mode = (CreateMode)BinaryPrimitives.ReadInt32BigEndian(part[^sizeof(int)..]);
        return CreateModes.IsDefined(mode) && !mode.IsTtl();
    }

    private static CreateMode ModeOfTtlPart(ReadOnlySpan<byte> part) =>
        (CreateMode)BinaryPrimitives.ReadInt32BigEndian(part[^(sizeof(int) + sizeof(long))..]);

    /// <summary>Reads the head of one operation of a multi.</summary>
    public static OpCode ReadMultiHeader(ref JuteReader reader, out bool isDone)
    {
        var op = (OpCode)reader.ReadInt32();
        isDone = reader.ReadBoolean();
        reader.ReadInt32();
        return op;
    }

    /// <summary>The bytes of one operation; consumes them.</summary>
    private static ReadOnlySpan<byte> PartBody(ref JuteReader reader, OpCode op)
    {
        ReadOnlySpan<byte> rest = reader.Rest;
        int start = reader.Position;
        reader.ReadBuffer();
        switch (op)
        {
            case OpCode.Delete:
            case OpCode.Check:
                reader.ReadInt32();
                break;
            case OpCode.GetData:
            case OpCode.GetChildren:
                reader.ReadBoolean();
                break;
            case OpCode.SetData:
                reader.ReadBuffer();
                reader.ReadInt32();
                break;
            default:
                reader.ReadBuffer();
                SkipAclVector(ref reader);
                reader.ReadInt32();
                if (op == OpCode.CreateTtl)
                    reader.ReadInt64();
                break;
        }
        return reader.Failed ? default : rest[..(reader.Position - start)];
    }

    private static void SkipAclVector(ref JuteReader reader)
    {
        int count = reader.ReadVectorCount(Acl.BytesMin);
        for (int i = 0; i < count && !reader.Failed; i++)
        {
            reader.ReadInt32();
            reader.ReadBuffer();
            reader.ReadBuffer();
        }
    }
}
