using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using SharpKeeper.Core.Log;
using SharpKeeper.Core.Tree;
using SharpKeeper.Protocol;

namespace SharpKeeper.Core.Transactions;

/// <summary>
/// Applies transactions to the tree and the sessions: the same code for live operation and for recovery. Applying a
/// row of transactions twice in order gives the same state as once, which the replay onto a snapshot that was written
/// meanwhile needs.
/// </summary>
public sealed class TxnApplier(DataTree tree, SessionTimeouts sessions)
{
    private readonly List<string> leftPaths = [];

    /// <summary>Applies the transaction in <paramref name="payload"/>.</summary>
    /// <param name="payload">Header, record and perhaps a digest.</param>
    /// <param name="outcome">Receives what happened; null if nobody wants to know.</param>
    /// <returns>
    /// The error of the transaction; Ok for a multi, whose parts have their own. In live operation an applied one has
    /// none, in a replay NoNode and NodeExists are usual.
    /// </returns>
    /// <exception cref="CorruptDataException">The payload is malformed.</exception>
    public ErrorCode Apply(ReadOnlySpan<byte> payload, TxnOutcome? outcome = null)
    {
        if (!TxnRecords.TryRead(payload, out TxnView txn))
            throw new CorruptDataException("The transaction cannot be decoded.");
        return Apply(txn, payload, outcome);
    }

    /// <summary>Applies a transaction that was read from <paramref name="payload"/>.</summary>
    /// <inheritdoc cref="Apply(ReadOnlySpan{byte}, TxnOutcome?)"/>
    public ErrorCode Apply(scoped in TxnView txn, ReadOnlySpan<byte> payload, TxnOutcome? outcome = null)
    {
        TxnHeader header = txn.Header;
        if (outcome is not null)
        {
            outcome.Clear();
            outcome.Header = header;
        }
        ErrorCode error = header.Type == OpCode.Multi
            ? ApplyMulti(header, txn.Record, payload, outcome)
            : ApplyOne(header, header.Type, txn.Record, payload, outcome);
        // Once for the whole transaction: a snapshot begun within a multi must not claim it.
        if (header.Zxid > tree.LastProcessed.Value)
            tree.LastProcessed = new Zxid(header.Zxid);
        return error;
    }

    private ErrorCode ApplyMulti(
        in TxnHeader header, ReadOnlySpan<byte> record, ReadOnlySpan<byte> payload, TxnOutcome? outcome)
    {
        bool isFailed = false;
        MultiTxnReader parts = TxnRecords.ReadMulti(record);
        while (parts.Next(out OpCode type, out _))
            isFailed |= type == OpCode.Error;
        parts = TxnRecords.ReadMulti(record);
        while (parts.Next(out OpCode type, out ReadOnlySpan<byte> part))
        {
            if (!isFailed)
                ApplyOne(header, type, part, payload, outcome);
            else
                outcome?.Results.Add(FailedPart(type, part));
        }
        return ErrorCode.Ok;
    }

    // The parts before the failing one are logged as they were prepared, and nothing of them happens.
    private static OpResult FailedPart(OpCode type, ReadOnlySpan<byte> part)
    {
        ErrorCode error = ErrorCode.Ok;
        if (type == OpCode.Error)
            TxnRecords.TryReadError(part, out error);
        return new OpResult(OpCode.Error, error, ZnodeId.None, 0, 0, default);
    }

    private ErrorCode ApplyOne(
        in TxnHeader header, OpCode type, ReadOnlySpan<byte> record, ReadOnlySpan<byte> payload, TxnOutcome? outcome)
    {
        switch (type)
        {
            case OpCode.Create or OpCode.Create2 or OpCode.CreateContainer or OpCode.CreateTtl:
                return ApplyCreate(header, type, record, payload, outcome);
            case OpCode.Delete or OpCode.DeleteContainer:
                return ApplyDelete(header, type, record, payload, outcome);
            case OpCode.SetData or OpCode.Reconfig:
                return ApplySetData(header, type, record, payload, outcome);
            case OpCode.SetAcl:
                return ApplySetAcl(record, payload, outcome);
            case OpCode.Check:
                TxnRecords.TryReadCheck(record, out ReadOnlySpan<byte> path, out _);
                return Report(outcome, type, ErrorCode.Ok, ZnodeId.None, payload, path);
            case OpCode.CreateSession:
                TxnRecords.TryReadCreateSession(record, out int timeoutMs);
                sessions.Set(new SessionId(header.ClientId), timeoutMs);
                return Report(outcome, type, ErrorCode.Ok, ZnodeId.None, payload, default);
            case OpCode.CloseSession:
                CloseSession(header, record, payload, outcome);
                return Report(outcome, type, ErrorCode.Ok, ZnodeId.None, payload, default);
            case OpCode.Error:
                TxnRecords.TryReadError(record, out ErrorCode error);
                return Report(outcome, type, error, ZnodeId.None, payload, default);
            default:
                throw new CorruptDataException($"There is no transaction of type {(int)type}.");
        }
    }

    private ErrorCode ApplyCreate(
        in TxnHeader header, OpCode type, ReadOnlySpan<byte> record, ReadOnlySpan<byte> payload, TxnOutcome? outcome)
    {
        Expect(TxnRecords.TryReadCreate(type, record, out CreateTxn create));
        long owner = 0;
        if (create.IsEphemeral)
            owner = header.ClientId;
        else if (create.IsContainer)
            owner = OwnerTable.ContainerOwner;
        else if (create.Ttl is > 0 and <= OwnerTable.TtlMax)
            owner = create.Ttl | (tree.Emulate353 ? long.MinValue : OwnerTable.TtlMark);
        ErrorCode error = tree.Create(
            create.Path, create.Data, create.DataIsNull, create.Acl, owner, create.ParentCversion,
            new Zxid(header.Zxid), header.Time, out ZnodeId id);
        if (outcome is not null && error == ErrorCode.Ok)
        {
            outcome.Add(tree.Acls, new TreeChange(
                TreeChangeKind.Created, OffsetIn(payload, create.Path), create.Path.Length, tree.GetAclId(id),
                tree.GetAclId(tree.Parent(id))));
        }
        return Report(outcome, type, error, error == ErrorCode.Ok ? id : ZnodeId.None, payload, create.Path);
    }

    private ErrorCode ApplyDelete(
        in TxnHeader header, OpCode type, ReadOnlySpan<byte> record, ReadOnlySpan<byte> payload, TxnOutcome? outcome)
    {
        Expect(TxnRecords.TryReadDelete(record, out ReadOnlySpan<byte> path));
        ErrorCode error = Delete(header, path, OffsetIn(payload, path), outcome);
        return Report(outcome, type, error, ZnodeId.None, payload, path);
    }

    private ErrorCode ApplySetData(
        in TxnHeader header, OpCode type, ReadOnlySpan<byte> record, ReadOnlySpan<byte> payload, TxnOutcome? outcome)
    {
        Expect(TxnRecords.TryReadSetData(record, out SetDataTxn set));
        ErrorCode error = tree.SetData(
            set.Path, set.Data, set.DataIsNull, set.Version, new Zxid(header.Zxid), header.Time, out ZnodeId id);
        if (outcome is not null && error == ErrorCode.Ok)
        {
            outcome.Add(tree.Acls, new TreeChange(
                TreeChangeKind.DataChanged, OffsetIn(payload, set.Path), set.Path.Length, tree.GetAclId(id),
                AclTable.OpenId));
        }
        return Report(outcome, type, error, id, payload, set.Path);
    }

    private ErrorCode ApplySetAcl(ReadOnlySpan<byte> record, ReadOnlySpan<byte> payload, TxnOutcome? outcome)
    {
        Expect(TxnRecords.TryReadSetAcl(record, out SetAclTxn set));
        ErrorCode error = tree.SetAcl(set.Path, set.Acl, set.Version, out ZnodeId id);
        if (outcome is not null && error == ErrorCode.Ok)
        {
            outcome.Add(tree.Acls, new TreeChange(
                TreeChangeKind.AclChanged, OffsetIn(payload, set.Path), set.Path.Length, tree.GetAclId(id),
                AclTable.OpenId));
        }
        return Report(outcome, OpCode.SetAcl, error, id, payload, set.Path);
    }

    // The paths come from the transaction: a snapshot that was being written meanwhile may know other owners.
    private void CloseSession(
        in TxnHeader header, ReadOnlySpan<byte> record, ReadOnlySpan<byte> payload, TxnOutcome? outcome)
    {
        sessions.Remove(new SessionId(header.ClientId));
        PathVectorReader paths = TxnRecords.ReadCloseSession(record);
        while (paths.Next(out ReadOnlySpan<byte> path))
            Delete(header, path, OffsetIn(payload, path), outcome);
        if (tree.EphemeralCountOf(header.ClientId) == 0)
            return;
        leftPaths.Clear();
        tree.CollectEphemerals(header.ClientId, leftPaths);
        foreach (string left in leftPaths)
        {
            byte[] path = Encoding.UTF8.GetBytes(left);
            int offset = outcome?.AddPath(path, payload.Length) ?? 0;
            Delete(header, path, offset, outcome);
        }
        leftPaths.Clear();
    }

    private ErrorCode Delete(in TxnHeader header, ReadOnlySpan<byte> path, int pathOffset, TxnOutcome? outcome)
    {
        ErrorCode error = tree.Delete(path, new Zxid(header.Zxid), out int deletedAclId);
        if (outcome is not null && error == ErrorCode.Ok)
        {
            ZnodeId parent = tree.Find(path[..ZnodePath.ParentLength(path)]);
            outcome.Add(tree.Acls, new TreeChange(
                TreeChangeKind.Deleted, pathOffset, path.Length, deletedAclId, tree.GetAclId(parent)));
        }
        return error;
    }

    private ErrorCode Report(
        TxnOutcome? outcome, OpCode type, ErrorCode error, ZnodeId id, ReadOnlySpan<byte> payload,
        ReadOnlySpan<byte> path)
    {
        outcome?.Results.Add(new OpResult(
            type, error, id, OffsetIn(payload, path), path.Length, id.IsNone ? default : tree.GetStat(id)));
        return error;
    }

    // Records are checked to be complete when a transaction is read.
    private static void Expect(bool isRead)
    {
        if (!isRead)
            throw new CorruptDataException("A record of the transaction cannot be decoded.");
    }

    private static int OffsetIn(ReadOnlySpan<byte> whole, ReadOnlySpan<byte> part) => part.IsEmpty
        ? 0
        : (int)Unsafe.ByteOffset(ref MemoryMarshal.GetReference(whole), ref MemoryMarshal.GetReference(part));
}
