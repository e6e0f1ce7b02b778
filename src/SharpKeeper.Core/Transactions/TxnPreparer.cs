using System.Globalization;
using System.Text;
using SharpKeeper.Core.Log;
using SharpKeeper.Core.Sessions;
using SharpKeeper.Core.Tree;
using SharpKeeper.Protocol;

namespace SharpKeeper.Core.Transactions;

/// <summary>Who asks for a transaction, and what the leader stamps on it.</summary>
/// <param name="session">The session that asks; null for the server's own transactions.</param>
/// <param name="identities">The identities of its connection.</param>
/// <param name="xid">The client's request id.</param>
/// <param name="zxid">The id the transaction will have.</param>
/// <param name="timeMs">Wall time, milliseconds since 1970.</param>
internal readonly ref struct TxnContext(
    Session? session, ReadOnlySpan<AuthId> identities, int xid, Zxid zxid, long timeMs)
{
    public Session? Session { get; } = session;

    public ReadOnlySpan<AuthId> Identities { get; } = identities;

    public int Xid { get; } = xid;

    public Zxid Zxid { get; } = zxid;

    public long TimeMs { get; } = timeMs;

    public long SessionId => Session?.Id ?? 0;
}

/// <summary>
/// Makes transactions of requests: checks paths, rights, versions and limits against the tree plus the pending changes,
/// in Apache's order, and writes header, record and digest into a batch. A request that fails a check becomes an error
/// transaction, which takes a zxid like any other; one that cannot be decoded becomes none.
/// </summary>
internal sealed partial class TxnPreparer(DataTree tree, ReplicaOptions options)
{
    private readonly PendingChanges pending = new(tree);
    private readonly JuteBuffer aclScratch = new();
    private readonly JuteBuffer pathScratch = new();

    /// <summary>Number of znodes that proposed transactions will change.</summary>
    public int PendingCount => pending.Count;

    /// <summary>Forgets what an applied transaction changed.</summary>
    public void Applied(Zxid zxid) => pending.Applied(zxid.Value);

    /// <summary>
    /// Appends the transaction for a request to <paramref name="batch"/>. False if the request cannot be decoded: then
    /// nothing was appended and the answer is <see cref="ErrorCode.MarshallingError"/>.
    /// </summary>
    public bool TryPrepare(in TxnContext context, OpCode op, ReadOnlySpan<byte> body, TxnBatch batch)
    {
        JuteBuffer output = batch.BeginEntry();
        int start = output.Length;
        output.Append(TxnHeader.Bytes);
        pending.BeginScope();
        ErrorCode error;
        OpCode type = op;
        if (op == OpCode.Multi)
        {
            error = PrepareMulti(context, body, batch, output);
            if (error == ErrorCode.MarshallingError)
            {
                pending.EndScope(keep: false);
                batch.CancelEntry();
                return false;
            }
            pending.EndScope(keep: error == ErrorCode.Ok);
        }
        else
        {
            error = PrepareOne(context, op, body, batch, output, out type);
            pending.EndScope(keep: error == ErrorCode.Ok);
            if (error == ErrorCode.MarshallingError)
            {
                batch.CancelEntry();
                return false;
            }
            FinishOrFail(context, type, error, batch, output, start);
            return true;
        }
        Finish(context, type, error, batch, output, start);
        return true;
    }

    /// <summary>Appends a refusal, which takes a zxid so that whoever forwarded the request learns of it.</summary>
    public static void PrepareError(in TxnContext context, ErrorCode error, TxnBatch batch)
    {
        JuteBuffer output = batch.BeginEntry();
        var header = new TxnHeader(
            context.SessionId, context.Xid, context.Zxid.Value, context.TimeMs, OpCode.Error);
        header.Write(output);
        TxnRecords.WriteError(output, error);
        batch.EndEntry(context.Zxid);
    }

    /// <summary>Appends the start of a session.</summary>
    public void PrepareCreateSession(in TxnContext context, int timeoutMs, TxnBatch batch)
    {
        JuteBuffer output = batch.BeginEntry();
        int start = output.Length;
        output.Append(TxnHeader.Bytes);
        TxnRecords.WriteCreateSession(output, timeoutMs);
        Finish(context, OpCode.CreateSession, ErrorCode.Ok, batch, output, start);
    }

    /// <summary>Appends the end of a session with the removal of its ephemerals.</summary>
    public void PrepareCloseSession(in TxnContext context, TxnBatch batch)
    {
        JuteBuffer output = batch.BeginEntry();
        int start = output.Length;
        output.Append(TxnHeader.Bytes);
        var paths = new List<string>();
        tree.CollectEphemerals(context.SessionId, paths);
        pending.AdjustEphemerals(context.SessionId, paths);
        if (options.CloseSessionTxnEnabled)
            WritePaths(output, paths);
        foreach (string path in paths)
        {
            byte[] bytes = Encoding.UTF8.GetBytes(path);
            if (pending.TryGet(bytes, out ZnodeState state))
                RemoveNode(context, bytes, state);
        }
        Finish(context, OpCode.CloseSession, ErrorCode.Ok, batch, output, start);
    }

    private static void WritePaths(JuteBuffer output, List<string> paths)
    {
        int vector = TxnRecords.BeginCloseSession(output);
        foreach (string path in paths)
            output.WriteString(path);
        TxnRecords.EndVector(output, vector, paths.Count);
    }

    private void FinishOrFail(
        in TxnContext context, OpCode type, ErrorCode error, TxnBatch batch, JuteBuffer output, int start)
    {
        if (error != ErrorCode.Ok)
        {
            output.Truncate(start + TxnHeader.Bytes);
            TxnRecords.WriteError(output, error);
            type = OpCode.Error;
        }
        Finish(context, type, error, batch, output, start);
    }

    private void Finish(
        in TxnContext context, OpCode type, ErrorCode error, TxnBatch batch, JuteBuffer output, int start)
    {
        if (options.DigestEnabled && error == ErrorCode.Ok)
            TxnRecords.WriteDigest(output, pending.Digest);
        var header = new TxnHeader(context.SessionId, context.Xid, context.Zxid.Value, context.TimeMs, type);
        int end = output.Length;
        output.Truncate(start);
        header.Write(output);
        output.Append(end - output.Length);
        batch.EndEntry(context.Zxid);
    }

    private ErrorCode PrepareOne(
        in TxnContext context, OpCode op, ReadOnlySpan<byte> body, TxnBatch batch, JuteBuffer output, out OpCode type)
    {
        type = op;
        var reader = new JuteReader(body);
        switch (op)
        {
            case OpCode.Create:
            case OpCode.Create2:
            case OpCode.CreateContainer:
            case OpCode.CreateTtl:
                return PrepareCreate(context, op, body, ref reader, batch, output, isPart: false, out type);
            case OpCode.Delete:
                return PrepareDelete(context, ref reader, output);
            case OpCode.DeleteContainer:
                return PrepareDeleteContainer(context, ref reader, output);
            case OpCode.SetData:
                return PrepareSetData(context, ref reader, batch, output);
            case OpCode.SetAcl:
                return PrepareSetAcl(context, body, ref reader, output);
            case OpCode.Check:
                return PrepareCheck(context, ref reader, output);
            case OpCode.Reconfig:
                return options.ReconfigEnabled ? ErrorCode.Unimplemented : ErrorCode.ReconfigDisabled;
            default:
                throw new InvariantException($"operation {op} is not a write");
        }
    }

    private ErrorCode PrepareCreate(
        in TxnContext context, OpCode op, ReadOnlySpan<byte> body, ref JuteReader reader, TxnBatch batch,
        JuteBuffer output, bool isPart, out OpCode type)
    {
        type = op;
        ReadOnlySpan<byte> path = reader.ReadBuffer();
        ReadOnlySpan<byte> data = reader.ReadBuffer(out bool dataIsNull);
        ReadOnlySpan<byte> aclVector = TxnRecords.ReadAclVector(body, ref reader);
        var mode = (CreateMode)reader.ReadInt32();
        long ttl = op == OpCode.CreateTtl ? reader.ReadInt64() : -1;
        if (reader.Failed)
            return ErrorCode.MarshallingError;
        ErrorCode error = CheckMode(op, mode, ttl);
        if (error == ErrorCode.Ok)
            error = CheckSession(context);
        // Its end would reach no other server, and the znode would stay for ever.
        if (error == ErrorCode.Ok && context.Session is { IsLocal: true } && mode.IsEphemeral()
            && op != OpCode.CreateContainer)
            error = ErrorCode.EphemeralOnLocalSession;
        if (error == ErrorCode.Ok && !IsLookupPath(path))
            error = ErrorCode.BadArguments;
        if (error != ErrorCode.Ok)
            return error;
        IReadOnlyList<Acl>? entries = ResolveAcl(context, ref aclVector);
        if (entries is null)
            return ErrorCode.InvalidAcl;
        ReadOnlySpan<byte> parentPath = path[..ZnodePath.ParentLength(path)];
        if (!pending.TryGet(parentPath, out ZnodeState parent))
            return ErrorCode.NoNode;
        if (!IsAllowed(context, parent, Permissions.Create))
            return ErrorCode.NoAuth;
        if (mode.IsSequential())
            path = AppendSequence(path, parent.Stat.Cversion);
        if (!ZnodePath.IsValid(path))
            return ErrorCode.BadArguments;
        if (pending.TryGet(path, out _))
            return ErrorCode.NodeExists;
        if (tree.KindOfOwner(parent.Stat.EphemeralOwner) == NodeKind.Ephemeral)
            return ErrorCode.NoChildrenForEphemerals;
        if (!IsWithinQuota(path, 1, data.Length))
            return ErrorCode.QuotaExceeded;

        // A container made by the plain create of old clients is stored as a plain znode, except inside a multi.
        bool isContainer = op == OpCode.CreateContainer || (isPart && mode == CreateMode.Container);
        type = isContainer ? OpCode.CreateContainer : op == OpCode.CreateTtl ? OpCode.CreateTtl : op;
        long owner = isContainer ? OwnerTable.ContainerOwner
            : op == OpCode.CreateTtl ? (tree.Emulate353 ? long.MinValue : OwnerTable.TtlMark) | ttl
            : mode.IsEphemeral() ? context.SessionId : 0;
        int parentCversion = parent.Stat.Cversion + 1;
        int dataOffset = output.Length + 4 + path.Length + 4;
        if (isContainer)
            TxnRecords.WriteCreateContainer(output, path, data, dataIsNull, aclVector, parentCversion);
        else if (op == OpCode.CreateTtl)
            TxnRecords.WriteCreateTtl(output, path, data, dataIsNull, aclVector, parentCversion, ttl);
        else
            TxnRecords.WriteCreate(output, path, data, dataIsNull, aclVector, mode.IsEphemeral(), parentCversion);
        AddNode(context, path, data, entries, owner, batch, dataOffset);
        ChangeParent(context, parentPath, parent, childDelta: 1, isCreate: true);
        return ErrorCode.Ok;
    }

    private ErrorCode CheckMode(OpCode op, CreateMode mode, long ttl)
    {
        if (!CreateModes.IsDefined(mode))
            return ErrorCode.BadArguments;
        if (mode.IsTtl() && !options.ExtendedTypesEnabled)
            return ErrorCode.Unimplemented;
        // Apache lets createTTL with a mode without TTL pass when ttl is -1, and then fails while applying it.
        if (mode.IsTtl() != (op == OpCode.CreateTtl))
            return ErrorCode.BadArguments;
        return op != OpCode.CreateTtl || ttl is > 0 and <= OwnerTable.TtlMax ? ErrorCode.Ok : ErrorCode.BadArguments;
    }

    private static ErrorCode CheckSession(in TxnContext context) =>
        context.Session is { IsClosing: true } ? ErrorCode.SessionExpired : ErrorCode.Ok;

    private static bool IsLookupPath(ReadOnlySpan<byte> path) => path.Contains((byte)'/') && !path.Contains((byte)0);

    private static bool IsSpecial(ReadOnlySpan<byte> path) => path.SequenceEqual("/"u8)
        || path.SequenceEqual("/zookeeper"u8) || path.SequenceEqual("/zookeeper/quota"u8)
        || path.SequenceEqual("/zookeeper/config"u8);

    private ReadOnlySpan<byte> AppendSequence(ReadOnlySpan<byte> path, int sequence)
    {
        Span<byte> digits = stackalloc byte[16];
        sequence.TryFormat(digits, out int count, "D10", CultureInfo.InvariantCulture);
        pathScratch.Clear();
        pathScratch.WriteRaw(path);
        pathScratch.WriteRaw(digits[..count]);
        return pathScratch.WrittenSpan;
    }

    /// <summary>The entries to store; <paramref name="vector"/> becomes their encoding.</summary>
    private IReadOnlyList<Acl>? ResolveAcl(in TxnContext context, ref ReadOnlySpan<byte> vector)
    {
        if (vector.SequenceEqual(AclTable.OpenVector))
            return Acl.OpenUnsafe;
        var reader = new JuteReader(vector);
        IReadOnlyList<Acl>? entries = options.Access.Resolve(Acl.ReadVector(ref reader), context.Identities);
        if (entries is null)
            return null;
        aclScratch.Clear();
        Acl.WriteVector(aclScratch, entries);
        vector = aclScratch.WrittenSpan;
        return entries;
    }

    private bool IsAllowed(in TxnContext context, in ZnodeState state, Permissions wanted) =>
        options.Access.IsAllowed(pending.AclOf(state), wanted, context.Identities);

    private bool IsWithinQuota(ReadOnlySpan<byte> path, int countDelta, long bytesDelta)
    {
        if (!options.EnforceQuota || tree.FindQuota(path) is not { } quota)
            return true;
        QuotaLimits limits = quota.Limits;
        return (countDelta == 0 || limits.CountHard < 0 || quota.Count + countDelta <= limits.CountHard)
            && (limits.BytesHard < 0 || quota.Bytes + bytesDelta <= limits.BytesHard);
    }

    private ErrorCode PrepareDelete(in TxnContext context, ref JuteReader reader, JuteBuffer output)
    {
        ReadOnlySpan<byte> path = reader.ReadBuffer();
        int version = reader.ReadInt32();
        if (reader.Failed)
            return ErrorCode.MarshallingError;
        ErrorCode error = CheckSession(context);
        if (error != ErrorCode.Ok)
            return error;
        if (!IsLookupPath(path) || IsSpecial(path))
            return ErrorCode.BadArguments;
        if (!pending.TryGet(path[..ZnodePath.ParentLength(path)], out ZnodeState parent))
            return ErrorCode.NoNode;
        if (!IsAllowed(context, parent, Permissions.Delete))
            return ErrorCode.NoAuth;
        if (!pending.TryGet(path, out ZnodeState state))
            return ErrorCode.NoNode;
        if (version != -1 && version != state.Stat.Version)
            return ErrorCode.BadVersion;
        if (state.ChildCount > 0)
            return ErrorCode.NotEmpty;
        TxnRecords.WriteDelete(output, path);
        RemoveNode(context, path, state);
        return ErrorCode.Ok;
    }

    private ErrorCode PrepareDeleteContainer(in TxnContext context, ref JuteReader reader, JuteBuffer output)
    {
        ReadOnlySpan<byte> path = reader.ReadBuffer();
        if (reader.Failed)
            return ErrorCode.MarshallingError;
        if (!IsLookupPath(path) || IsSpecial(path))
            return ErrorCode.BadArguments;
        if (!pending.TryGet(path, out ZnodeState state))
            return ErrorCode.NoNode;
        if (state.ChildCount > 0)
            return ErrorCode.NotEmpty;
        if (tree.KindOfOwner(state.Stat.EphemeralOwner) is not (NodeKind.Container or NodeKind.Ttl))
            return ErrorCode.BadVersion;
        TxnRecords.WriteDelete(output, path);
        RemoveNode(context, path, state);
        return ErrorCode.Ok;
    }

    private ErrorCode PrepareSetData(
        in TxnContext context, ref JuteReader reader, TxnBatch batch, JuteBuffer output)
    {
        ReadOnlySpan<byte> path = reader.ReadBuffer();
        ReadOnlySpan<byte> data = reader.ReadBuffer(out bool dataIsNull);
        int expected = reader.ReadInt32();
        if (reader.Failed)
            return ErrorCode.MarshallingError;
        ErrorCode error = FindForChange(context, path, Permissions.Write, out ZnodeState state);
        if (error != ErrorCode.Ok)
            return error;
        if (options.EnforceQuota && !IsWithinQuota(path, 0, data.Length - (long)pending.DataOf(path, state).Length))
            return ErrorCode.QuotaExceeded;
        if (expected != -1 && expected != state.Stat.Version)
            return ErrorCode.BadVersion;
        int version = state.Stat.Version + 1;
        int dataOffset = output.Length + 4 + path.Length + 4;
        TxnRecords.WriteSetData(output, path, data, dataIsNull, version);
        uint former = state.Digest;
        state.Stat = state.Stat with { Version = version, Mzxid = context.Zxid.Value, Mtime = context.TimeMs };
        SetPendingData(ref state, context.Zxid, batch, dataOffset, data.Length);
        state.Digest = DigestOf(path, data, state.Stat);
        pending.Put(path, state, former, context.Zxid.Value);
        return ErrorCode.Ok;
    }

    private ErrorCode PrepareSetAcl(
        in TxnContext context, ReadOnlySpan<byte> body, ref JuteReader reader, JuteBuffer output)
    {
        ReadOnlySpan<byte> path = reader.ReadBuffer();
        ReadOnlySpan<byte> aclVector = TxnRecords.ReadAclVector(body, ref reader);
        int expected = reader.ReadInt32();
        if (reader.Failed)
            return ErrorCode.MarshallingError;
        ErrorCode error = CheckSession(context);
        if (error != ErrorCode.Ok)
            return error;
        if (!ZnodePath.IsValid(path))
            return ErrorCode.BadArguments;
        IReadOnlyList<Acl>? entries = ResolveAcl(context, ref aclVector);
        if (entries is null)
            return ErrorCode.InvalidAcl;
        error = FindForChange(context, path, Permissions.Admin, out ZnodeState state);
        if (error != ErrorCode.Ok)
            return error;
        if (expected != -1 && expected != state.Stat.Aversion)
            return ErrorCode.BadVersion;
        int version = state.Stat.Aversion + 1;
        TxnRecords.WriteSetAcl(output, path, aclVector, version);
        uint former = state.Digest;
        state.Stat = state.Stat with { Aversion = version };
        state.AclEntries = entries;
        state.Digest = DigestOf(path, pending.DataOf(path, state), state.Stat);
        pending.Put(path, state, former, context.Zxid.Value);
        return ErrorCode.Ok;
    }

    private ErrorCode PrepareCheck(in TxnContext context, ref JuteReader reader, JuteBuffer output)
    {
        ReadOnlySpan<byte> path = reader.ReadBuffer();
        int expected = reader.ReadInt32();
        if (reader.Failed)
            return ErrorCode.MarshallingError;
        ErrorCode error = FindForChange(context, path, Permissions.Read, out ZnodeState state);
        if (error != ErrorCode.Ok)
            return error;
        if (expected != -1 && expected != state.Stat.Version)
            return ErrorCode.BadVersion;
        TxnRecords.WriteCheck(output, path, state.Stat.Version);
        return ErrorCode.Ok;
    }

    private ErrorCode FindForChange(
        in TxnContext context, ReadOnlySpan<byte> path, Permissions wanted, out ZnodeState state)
    {
        state = default;
        ErrorCode error = CheckSession(context);
        if (error != ErrorCode.Ok)
            return error;
        if (!ZnodePath.IsValid(path))
            return ErrorCode.BadArguments;
        if (!pending.TryGet(path, out state))
            return ErrorCode.NoNode;
        return IsAllowed(context, state, wanted) ? ErrorCode.Ok : ErrorCode.NoAuth;
    }

    private void AddNode(
        in TxnContext context, ReadOnlySpan<byte> path, ReadOnlySpan<byte> data, IReadOnlyList<Acl> entries, long owner,
        TxnBatch batch, int dataOffset)
    {
        long zxid = context.Zxid.Value;
        var state = new ZnodeState
        {
            Exists = true,
            Stat = new StatPersisted(zxid, zxid, context.TimeMs, context.TimeMs, 0, 0, 0, owner, zxid),
            AclEntries = entries,
        };
        SetPendingData(ref state, context.Zxid, batch, dataOffset, data.Length);
        state.Digest = DigestOf(path, data, state.Stat);
        pending.Put(path, state, 0, zxid);
    }

    private void RemoveNode(in TxnContext context, ReadOnlySpan<byte> path, in ZnodeState state)
    {
        ZnodeState removed = state;
        removed.Exists = false;
        removed.Digest = 0;
        pending.Put(path, removed, state.Digest, context.Zxid.Value);
        ReadOnlySpan<byte> parentPath = path[..ZnodePath.ParentLength(path)];
        if (pending.TryGet(parentPath, out ZnodeState parent))
            ChangeParent(context, parentPath, parent, childDelta: -1, isCreate: false);
    }

    private void ChangeParent(
        in TxnContext context, ReadOnlySpan<byte> path, in ZnodeState parent, int childDelta, bool isCreate)
    {
        ZnodeState changed = parent;
        changed.ChildCount += childDelta;
        // The stored counter never moves backwards, so at its end it sticks and takes the change of pzxid with it.
        bool moves = !isCreate || parent.Stat.Cversion != int.MaxValue;
        if (moves)
        {
            changed.Stat = parent.Stat with
            {
                Cversion = parent.Stat.Cversion + (isCreate ? 1 : 0),
                Pzxid = Math.Max(parent.Stat.Pzxid, context.Zxid.Value),
            };
        }
        changed.Digest = DigestOf(path, pending.DataOf(path, parent), changed.Stat);
        pending.Put(path, changed, parent.Digest, context.Zxid.Value);
    }

    private static void SetPendingData(ref ZnodeState state, Zxid zxid, TxnBatch batch, int offset, int length)
    {
        state.DataZxid = zxid.Value;
        state.DataBatch = batch;
        state.DataOffset = offset;
        state.DataLength = length;
    }

    private uint DigestOf(ReadOnlySpan<byte> path, ReadOnlySpan<byte> data, in StatPersisted stat)
    {
        if (!options.DigestEnabled || TreeDigest.IsExcluded(path))
            return 0;
        return TreeDigest.OfNode(path.SequenceEqual("/"u8) ? default : path, data, stat);
    }
}
