using SharpKeeper.Protocol;

namespace SharpKeeper.Core.Transactions;

internal sealed partial class TxnPreparer
{
    /// <summary>
    /// Does the request create an ephemeral, by itself or inside a multi? False if it cannot be decoded.
    /// </summary>
    public static bool CreatesEphemeral(OpCode op, ReadOnlySpan<byte> body)
    {
        if (op is OpCode.Create or OpCode.Create2)
            return HasEphemeralMode(body);
        if (op != OpCode.Multi || !TryCountParts(body, isRead: false, out int parts))
            return false;
        var reader = new JuteReader(body);
        for (int i = 0; i < parts; i++)
        {
            OpCode part = ReadMultiHeader(ref reader, out _);
            ReadOnlySpan<byte> partBody = PartBody(ref reader, part);
            // One that says TTL and has no such mode is taken for an ordinary create.
            if (part is (OpCode.Create or OpCode.Create2 or OpCode.CreateTtl) && HasEphemeralMode(partBody))
                return true;
        }
        return false;
    }

    private static bool HasEphemeralMode(ReadOnlySpan<byte> create)
    {
        var reader = new JuteReader(create);
        reader.ReadBuffer();
        reader.ReadBuffer();
        SkipAclVector(ref reader);
        var mode = (CreateMode)reader.ReadInt32();
        return !reader.Failed && CreateModes.IsDefined(mode) && mode.IsEphemeral();
    }
}
