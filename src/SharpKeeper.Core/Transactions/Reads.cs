using SharpKeeper.Core.Clients;
using SharpKeeper.Core.Tree;
using SharpKeeper.Core.Watches;
using SharpKeeper.Protocol;

namespace SharpKeeper.Core.Transactions;

/// <summary>
/// Answers every operation that needs no transaction from the tree as it stands. It keeps no state of its own: several
/// threads may answer at once while none changes the tree, each for the links of its own watch table.
/// </summary>
public sealed partial class Reads(DataTree tree, ReplicaOptions options)
{
    // How many names are written between two looks at the size of the reply.
    private const int NamesBetweenChecks = 4096;

    /// <summary>Appends the reply to a read to the link's output, behind the events it causes.</summary>
    public ErrorCode Answer(ClientLink link, int xid, OpCode op, ReadOnlySpan<byte> body)
    {
        JuteBuffer output = link.Output;
        if (op is OpCode.SetWatches or OpCode.SetWatches2)
            return AnswerSetWatches(link, xid, op, body);
        int frame = Replies.Begin(output, op == OpCode.Ping ? Xids.Ping : xid, tree.LastProcessed, ErrorCode.Ok);
        ErrorCode error = AnswerBody(link, op, body, output);
        if (error == ErrorCode.MarshallingError && op == OpCode.MultiRead)
            Replies.FailKeepingBody(output, frame, error);
        else if (error != ErrorCode.Ok)
            Replies.Fail(output, frame, error);
        Replies.End(output, frame, options.ReplyBytesMax);
        return error;
    }

    /// <summary>
    /// About how many bytes the reply would take if the read were answered now, for a caller that must hold back what
    /// waits.
    /// </summary>
    public int EstimateReplyBytes(OpCode op, ReadOnlySpan<byte> body)
    {
        const int headAndStat = 128;
        const int childBytes = 32;
        const int several = 1 << 20;
        const int eventsPerBody = 8;
        switch (op)
        {
            case OpCode.GetData or OpCode.GetChildren or OpCode.GetChildren2:
                var reader = new JuteReader(body);
                ZnodeId id = tree.Find(reader.ReadBuffer());
                if (id == default)
                    return headAndStat;
                return headAndStat
                    + (op == OpCode.GetData ? tree.GetData(id, out _).Length : tree.GetChildCount(id) * childBytes);
            case OpCode.MultiRead or OpCode.GetEphemerals:
                return several;
            case OpCode.SetWatches or OpCode.SetWatches2:
                return headAndStat + (body.Length * eventsPerBody);
            default:
                return headAndStat;
        }
    }

    private ErrorCode AnswerBody(ClientLink link, OpCode op, ReadOnlySpan<byte> body, JuteBuffer output)
    {
        var reader = new JuteReader(body);
        switch (op)
        {
            case OpCode.Ping:
                return ErrorCode.Ok;
            case OpCode.GetData:
                return GetData(link, ref reader, output);
            case OpCode.Exists:
                return Exists(link, ref reader, output);
            case OpCode.GetChildren:
            case OpCode.GetChildren2:
                return GetChildren(link, op, ref reader, output);
            case OpCode.GetAcl:
                return GetAcl(link, ref reader, output);
            case OpCode.Sync:
                return Sync(ref reader, output);
            case OpCode.MultiRead:
                return MultiRead(link, ref reader, output);
            case OpCode.AddWatch:
                return AddWatch(link, ref reader, output);
            case OpCode.CheckWatches:
            case OpCode.RemoveWatches:
                return CheckOrRemoveWatches(link, op, ref reader);
            case OpCode.GetEphemerals:
                return GetEphemerals(link, ref reader, output);
            case OpCode.GetAllChildrenNumber:
                return GetAllChildrenNumber(link, ref reader, output);
            case OpCode.WhoAmI:
                return WhoAmI(link, output);
            default:
                throw new InvariantException($"operation {op} is not a read");
        }
    }

    private ErrorCode Find(ClientLink link, ReadOnlySpan<byte> path, bool isNull, Permissions wanted, out ZnodeId id)
    {
        id = default;
        if (isNull)
            return ErrorCode.MarshallingError;
        id = tree.Find(path);
        if (id == default)
            return ErrorCode.NoNode;
        return IsAllowed(link, id, wanted) ? ErrorCode.Ok : ErrorCode.NoAuth;
    }

    private bool IsAllowed(ClientLink link, ZnodeId id, Permissions wanted)
    {
        int acl = tree.GetAclId(id);
        return acl == AclTable.OpenId || options.Access.IsAllowed(tree.Acls.Entries(acl), wanted, link.Identities);
    }

    private ErrorCode GetData(ClientLink link, ref JuteReader reader, JuteBuffer output)
    {
        ReadOnlySpan<byte> path = reader.ReadBuffer(out bool isNull);
        bool isWatched = reader.ReadBoolean();
        if (reader.Failed)
            return ErrorCode.MarshallingError;
        ErrorCode error = Find(link, path, isNull, Permissions.Read, out ZnodeId id);
        if (error != ErrorCode.Ok)
            return error;
        int start = output.Length;
        ReadOnlySpan<byte> data = tree.GetData(id, out bool dataIsNull);
        output.WriteBuffer(data, dataIsNull);
        tree.WriteStat(id, output);
        if (!Fits(output, start))
            return ErrorCode.MarshallingError;
        if (isWatched)
            link.Watches.Add(link, path, WatchKinds.Data);
        return ErrorCode.Ok;
    }

    private ErrorCode Exists(ClientLink link, ref JuteReader reader, JuteBuffer output)
    {
        ReadOnlySpan<byte> path = reader.ReadBuffer(out bool isNull);
        bool isWatched = reader.ReadBoolean();
        if (reader.Failed || isNull)
            return ErrorCode.MarshallingError;
        if (path.Contains((byte)0))
            return ErrorCode.BadArguments;
        ErrorCode error = Find(link, path, isNull, Permissions.Read, out ZnodeId id);
        if (error == ErrorCode.NoAuth)
            return error;
        if (isWatched)
            link.Watches.Add(link, path, WatchKinds.Data);
        if (error == ErrorCode.Ok)
            tree.WriteStat(id, output);
        return error;
    }

    private ErrorCode GetChildren(ClientLink link, OpCode op, ref JuteReader reader, JuteBuffer output)
    {
        ReadOnlySpan<byte> path = reader.ReadBuffer(out bool isNull);
        bool isWatched = reader.ReadBoolean();
        if (reader.Failed)
            return ErrorCode.MarshallingError;
        ErrorCode error = Find(link, path, isNull, Permissions.Read, out ZnodeId id);
        if (error != ErrorCode.Ok)
            return error;
        int start = output.Length;
        bool isWritten = TryWriteChildren(id, output);
        if (op == OpCode.GetChildren2)
            tree.WriteStat(id, output);
        if (!isWritten || !Fits(output, start))
            return ErrorCode.MarshallingError;
        if (isWatched)
            link.Watches.Add(link, path, WatchKinds.Child);
        return ErrorCode.Ok;
    }

    // A read whose answer becomes an error must not leave a watch behind.
    private bool Fits(JuteBuffer output, int start) =>
        output.Length - start + Replies.HeaderBytes <= options.ReplyBytesMax;

    private bool TryWriteChildren(ZnodeId id, JuteBuffer output)
    {
        int start = output.Length;
        int written = 0;
        output.WriteInt32(tree.GetChildCount(id));
        for (ZnodeId child = tree.FirstChild(id); child != default; child = tree.NextSibling(child))
        {
            output.WriteBuffer(tree.GetName(child));
            if (++written % NamesBetweenChecks == 0 && output.Length - start > options.ReplyBytesMax)
                return false;
        }
        return true;
    }

    private ErrorCode GetAcl(ClientLink link, ref JuteReader reader, JuteBuffer output)
    {
        ReadOnlySpan<byte> path = reader.ReadBuffer(out bool isNull);
        if (reader.Failed)
            return ErrorCode.MarshallingError;
        ErrorCode error = Find(link, path, isNull, Permissions.Read | Permissions.Admin, out ZnodeId id);
        if (error != ErrorCode.Ok)
            return error;
        int acl = tree.GetAclId(id);
        if (IsAllowed(link, id, Permissions.Admin))
            output.WriteRaw(tree.Acls.Encoded(acl));
        else
            Acl.WriteVector(output, [.. tree.Acls.Entries(acl).Select(Mask)]);
        tree.WriteStat(id, output);
        return ErrorCode.Ok;
    }

    private static Acl Mask(Acl entry)
    {
        if (entry.Id.Scheme != "digest")
            return entry;
        int colon = entry.Id.Id.IndexOf(':', StringComparison.Ordinal);
        return colon < 0 ? entry : entry with { Id = new AuthId("digest", entry.Id.Id[..colon] + ":x") };
    }

    private static ErrorCode Sync(ref JuteReader reader, JuteBuffer output)
    {
        ReadOnlySpan<byte> path = reader.ReadBuffer(out bool isNull);
        if (reader.Failed)
            return ErrorCode.MarshallingError;
        output.WriteBuffer(path, isNull);
        return ErrorCode.Ok;
    }

    // An error comes with the results so far, unless the request cannot be decoded at all.
    private ErrorCode MultiRead(ClientLink link, ref JuteReader reader, JuteBuffer output)
    {
        if (!TxnPreparer.TryCountParts(reader.Rest, isRead: true, out int parts))
        {
            if (TxnPreparer.TryCountParts(reader.Rest, isRead: false, out _))
                WriteMultiEnd(output);
            return ErrorCode.MarshallingError;
        }
        int start = output.Length;
        ErrorCode error = ErrorCode.Ok;
        for (int i = 0; i < parts && error == ErrorCode.Ok; i++)
        {
            OpCode op = TxnPreparer.ReadMultiHeader(ref reader, out _);
            ReadOnlySpan<byte> path = reader.ReadBuffer(out bool isNull);
            reader.ReadBoolean();
            if (isNull)
                error = ErrorCode.MarshallingError;
            else
                WriteReadResult(link, op, path, output);
            if (output.Length - start > options.ReplyBytesMax)
            {
                output.Truncate(start);
                return ErrorCode.MarshallingError;
            }
        }
        WriteMultiEnd(output);
        return error;
    }

    private void WriteReadResult(ClientLink link, OpCode op, ReadOnlySpan<byte> path, JuteBuffer output)
    {
        ErrorCode error = Find(link, path, isNull: false, Permissions.Read, out ZnodeId id);
        if (error != ErrorCode.Ok)
        {
            WriteMultiHeader(output, OpCode.Error, false, (int)error);
            output.WriteInt32((int)error);
            return;
        }
        WriteMultiHeader(output, op, false, 0);
        if (op == OpCode.GetData)
        {
            output.WriteBuffer(tree.GetData(id, out bool dataIsNull), dataIsNull);
            tree.WriteStat(id, output);
        }
        else
        {
            TryWriteChildren(id, output);
        }
    }

    /// <summary>Appends the head of one result of a multi.</summary>
    public static void WriteMultiHeader(JuteBuffer output, OpCode type, bool isDone, int error)
    {
        output.WriteInt32((int)type);
        output.WriteBoolean(isDone);
        output.WriteInt32(error);
    }

    /// <summary>Appends the end of the results of a multi.</summary>
    public static void WriteMultiEnd(JuteBuffer output) => WriteMultiHeader(output, OpCode.Error, true, -1);

    private ErrorCode GetEphemerals(ClientLink link, ref JuteReader reader, JuteBuffer output)
    {
        string prefix = reader.ReadString() ?? "";
        if (reader.Failed)
            return ErrorCode.MarshallingError;
        var paths = new List<string>();
        tree.CollectEphemerals(link.Session.Value, paths);
        if (prefix.Length > 0 && prefix != ZnodePath.Root)
            paths.RemoveAll(path => !path.StartsWith(prefix, StringComparison.Ordinal));
        output.WriteInt32(paths.Count);
        foreach (string path in paths)
            output.WriteString(path);
        return ErrorCode.Ok;
    }

    private ErrorCode GetAllChildrenNumber(ClientLink link, ref JuteReader reader, JuteBuffer output)
    {
        ReadOnlySpan<byte> path = reader.ReadBuffer(out bool isNull);
        if (reader.Failed)
            return ErrorCode.MarshallingError;
        ErrorCode error = Find(link, path, isNull, Permissions.Read, out ZnodeId id);
        if (error != ErrorCode.Ok)
            return error;
        output.WriteInt32((int)Math.Min(tree.CountDescendants(id), int.MaxValue));
        return ErrorCode.Ok;
    }

    private static ErrorCode WhoAmI(ClientLink link, JuteBuffer output)
    {
        ReadOnlySpan<AuthId> identities = link.Identities;
        output.WriteInt32(identities.Length);
        foreach (AuthId identity in identities)
        {
            int colon = identity.Scheme == "digest" ? identity.Id.IndexOf(':', StringComparison.Ordinal) : -1;
            output.WriteString(identity.Scheme);
            output.WriteString(colon < 0 ? identity.Id : identity.Id[..colon]);
        }
        return ErrorCode.Ok;
    }
}
