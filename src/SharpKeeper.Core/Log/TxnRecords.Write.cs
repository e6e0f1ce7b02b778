using SharpKeeper.Protocol;

namespace SharpKeeper.Core.Log;

public static partial class TxnRecords
{
    /// <summary>Appends the record of a create (type 1) or create2 (type 15).</summary>
    /// <param name="output">Receives it.</param>
    /// <param name="path">The whole path in UTF-8.</param>
    /// <param name="data">The data.</param>
    /// <param name="dataIsNull">Writes the null buffer in place of the data.</param>
    /// <param name="acl">The encoded vector of ACL entries, its count included, with every "auth" replaced.</param>
    /// <param name="isEphemeral">Whether the znode goes with the session in the header.</param>
    /// <param name="parentCversion">The parent's stored cversion afterwards.</param>
    public static void WriteCreate(
        JuteBuffer output, ReadOnlySpan<byte> path, ReadOnlySpan<byte> data, bool dataIsNull, ReadOnlySpan<byte> acl,
        bool isEphemeral, int parentCversion)
    {
        WriteCreateHead(output, path, data, dataIsNull, acl);
        output.WriteBoolean(isEphemeral);
        output.WriteInt32(parentCversion);
    }

    /// <summary>Appends the record of a createContainer; parameters as for <see cref="WriteCreate"/>.</summary>
    public static void WriteCreateContainer(
        JuteBuffer output, ReadOnlySpan<byte> path, ReadOnlySpan<byte> data, bool dataIsNull, ReadOnlySpan<byte> acl,
        int parentCversion)
    {
        WriteCreateHead(output, path, data, dataIsNull, acl);
        output.WriteInt32(parentCversion);
    }

    /// <summary>
    /// Appends the record of a createTTL; parameters as for <see cref="WriteCreate"/>, <paramref name="ttl"/> in
    /// milliseconds, greater than zero: Apache cannot start again on a log that holds another value.
    /// </summary>
    public static void WriteCreateTtl(
        JuteBuffer output, ReadOnlySpan<byte> path, ReadOnlySpan<byte> data, bool dataIsNull, ReadOnlySpan<byte> acl,
        int parentCversion, long ttl)
    {
        Invariant.Check(ttl > 0, "a TTL in the log must be greater than zero");
        WriteCreateHead(output, path, data, dataIsNull, acl);
        output.WriteInt32(parentCversion);
        output.WriteInt64(ttl);
    }

    /// <summary>Appends the record of a delete or deleteContainer.</summary>
    public static void WriteDelete(JuteBuffer output, ReadOnlySpan<byte> path) => output.WriteBuffer(path);

    /// <summary>Appends the record of a setData or reconfig; <paramref name="version"/> is the new one.</summary>
    public static void WriteSetData(
        JuteBuffer output, ReadOnlySpan<byte> path, ReadOnlySpan<byte> data, bool dataIsNull, int version)
    {
        output.WriteBuffer(path);
        output.WriteBuffer(data, dataIsNull);
        output.WriteInt32(version);
    }

    /// <summary>Appends the record of a setACL; <paramref name="version"/> is the new aversion.</summary>
    public static void WriteSetAcl(
        JuteBuffer output, ReadOnlySpan<byte> path, ReadOnlySpan<byte> acl, int version)
    {
        output.WriteBuffer(path);
        output.WriteRaw(acl);
        output.WriteInt32(version);
    }

    /// <summary>Appends the record of a check.</summary>
    public static void WriteCheck(JuteBuffer output, ReadOnlySpan<byte> path, int version)
    {
        output.WriteBuffer(path);
        output.WriteInt32(version);
    }

    /// <summary>Appends the record of a createSession.</summary>
    public static void WriteCreateSession(JuteBuffer output, int timeoutMs) => output.WriteInt32(timeoutMs);

    /// <summary>Appends the record of an error.</summary>
    public static void WriteError(JuteBuffer output, ErrorCode error) => output.WriteInt32((int)error);

    /// <summary>
    /// Starts the record of a closeSession. The caller appends the path of each of the session's ephemerals with
    /// <see cref="JuteBuffer.WriteBuffer(ReadOnlySpan{byte})"/> and passes the result and their number to
    /// <see cref="EndVector"/>.
    /// </summary>
    public static int BeginCloseSession(JuteBuffer output) => output.BeginFrame();

    /// <summary>
    /// Starts the record of a multi. The caller appends each part between <see cref="BeginPart"/> and
    /// <see cref="EndPart"/> and passes the result and their number to <see cref="EndVector"/>.
    /// </summary>
    public static int BeginMulti(JuteBuffer output) => output.BeginFrame();

    /// <summary>Writes the number of elements of a vector begun at <paramref name="vector"/>.</summary>
    public static void EndVector(JuteBuffer output, int vector, int count) => output.PatchInt32(vector, count);

    /// <summary>Starts a part of a multi; its record follows. The result goes to <see cref="EndPart"/>.</summary>
    public static int BeginPart(JuteBuffer output, OpCode type)
    {
        output.WriteInt32((int)type);
        return output.BeginFrame();
    }

    /// <summary>Ends the part begun at <paramref name="part"/>.</summary>
    public static void EndPart(JuteBuffer output, int part) => output.EndFrame(part);

    /// <summary>Appends the digest that stands behind a record.</summary>
    public static void WriteDigest(JuteBuffer output, long treeDigest)
    {
        output.WriteInt32(TxnDigest.CurrentVersion);
        output.WriteInt64(treeDigest);
    }

    private static void WriteCreateHead(
        JuteBuffer output, ReadOnlySpan<byte> path, ReadOnlySpan<byte> data, bool dataIsNull, ReadOnlySpan<byte> acl)
    {
        output.WriteBuffer(path);
        output.WriteBuffer(data, dataIsNull);
        output.WriteRaw(acl);
    }
}
