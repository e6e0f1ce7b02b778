using SharpKeeper.Core.Clients;
using SharpKeeper.Core.Log;
using SharpKeeper.Core.Sessions;
using SharpKeeper.Core.Transactions;
using SharpKeeper.Core.Watches;
using SharpKeeper.Protocol;

namespace SharpKeeper.Core;

public sealed partial class Replica
{
    private const int DigestsKept = 1024;
    private const int DigestEveryTxns = 128;

    private readonly TxnOutcome outcome = new();
    private readonly List<ClientLink> reachedByData = [];
    private readonly List<ClientLink> reachedByChild = [];

    /// <summary>
    /// Applies up to <paramref name="txnsMax"/> committed transactions, fires their watches and answers their requests
    /// and the reads that waited behind them. The caller has exclusive access to the tree and to the links' output.
    /// </summary>
    public void Apply(int txnsMax)
    {
        ChangeTree();
        foreach (ClientLink link in ready)
            AnswerWaiting(link);
        ready.Clear();
        while (txnsMax-- > 0 && proposals.TryPeek(out Proposal next) && next.Zxid <= ApplyLimit)
        {
            proposals.Dequeue();
            ApplyOne(next);
        }
        ChangeTree();
        AnswerSyncs();
        if (!(proposals.TryPeek(out Proposal rest) && rest.Zxid <= ApplyLimit))
            FinishServing();
    }

    private void ApplyOne(in Proposal proposal)
    {
        ReadOnlySpan<byte> payload = proposal.Batch.Payload(proposal.Index);
        Invariant.Check(TxnRecords.TryRead(payload, out TxnView txn), "a proposed transaction cannot be decoded");
        applier.Apply(txn, payload, outcome);
        if (isLeading)
            preparer.Applied(proposal.Zxid);
        Statistics.TxnsApplied++;
        Statistics.Propagation.Add(wallMs - txn.Header.Time);
        // A snapshot that was sent while the leader went on may hold a part of what follows it: no digest fits yet.
        if (!proposal.IsUnlogged)
        {
            AppliedFromLog = proposal.Zxid;
            NoteDigest(txn);
        }
        FireWatches(payload, proposal.Zxid);
        Session? session = proposal.Session ?? (zab is null ? null : FindSession(txn.Header.ClientId));
        ClientLink? link = proposal.Link ?? session?.Link;
        if (txn.Header.Type == OpCode.CloseSession && session is not null)
            EndSession(session, AwaitsClose(link, proposal.Zxid, txn.Header) ? link : null);
        if (link is not null)
            AnswerWrite(link, proposal.Zxid, txn.Header, payload);
        if (proposal.Index == proposal.Batch.Count - 1 && !proposal.IsUnlogged)
            Retire(proposal.Batch);
    }

    // The log may still be writing what a quorum of others has committed already.
    private void Retire(TxnBatch batch)
    {
        if (batch.Last <= durable)
            Outbox.Recycle(batch);
        else
            appliedBatches.Enqueue(batch);
    }

    private void NoteDigest(in TxnView txn)
    {
        if (txn.HasDigest && txn.Digest.TreeDigest != Tree.Digest)
            Statistics.DigestMismatches++;
        if (txn.Header.Zxid % DigestEveryTxns != 0)
            return;
        Statistics.Digests.Enqueue((new Zxid(txn.Header.Zxid), Tree.Digest));
        if (Statistics.Digests.Count > DigestsKept)
            Statistics.Digests.Dequeue();
    }

    private static bool AwaitsClose(ClientLink? link, Zxid zxid, in TxnHeader header) =>
        link is not null && FindWrite(link, zxid, header) is var index && index >= 0
        && link.Queue[index].Op == OpCode.CloseSession;

    private void EndSession(Session session, ClientLink? asking)
    {
        sessions.Remove(session.Id);
        // A client that asked for the end gets its reply first; whoever else holds the session is cut off.
        if (session.Link is { } link && !ReferenceEquals(link, asking))
            HangUp(link);
        session.Link = null;
    }

    /// <summary>
    /// The place of the request that became a transaction; -1 if it came through another server or connection.
    /// </summary>
    private static int FindWrite(ClientLink link, Zxid zxid, in TxnHeader header)
    {
        RequestQueue queue = link.Queue;
        for (int i = 0; i < queue.Count; i++)
        {
            ref QueuedRequest request = ref queue[i];
            if (request.Zxid == zxid)
                return i;
            if (request.Zxid == QueuedRequest.AwaitsLeader)
            {
                // Writes of a session are committed in its order, so it is the first of them or none.
                bool isSameKind = (request.Op == OpCode.CreateSession) == (header.Type == OpCode.CreateSession);
                return request.Xid == header.Cxid && isSameKind ? i : -1;
            }
        }
        return -1;
    }

    private void AnswerWrite(ClientLink link, Zxid zxid, in TxnHeader header, ReadOnlySpan<byte> payload)
    {
        int index = FindWrite(link, zxid, header);
        if (index < 0)
            return;
        QueuedRequest request = link.Queue[index] with { Zxid = zxid };
        if (link.Queue[index].Zxid == QueuedRequest.AwaitsLeader)
            forwarded--;
        Invariant.Check(index == 0, "a transaction was applied out of its session's order");
        link.Queue.Dequeue();
        if (request.IsUpgrade)
        {
            AnswerWaiting(link);
            return;
        }
        link.Answered++;
        if (!link.IsClosed && !link.IsHangingUp)
        {
            WriteReply(link, request, payload);
            Outbox.MarkDirty(link);
        }
        AnswerWaiting(link);
    }

    /// <summary>Answers what stands at the head of a session's queue and waits for no transaction.</summary>
    private void AnswerWaiting(ClientLink link)
    {
        while (link.Queue.TryPeek(out QueuedRequest request) && (request.Zxid == Zxid.Zero || IsSynced(link, request)))
        {
            link.Queue.Dequeue();
            link.Answered++;
            if (link.IsClosed || link.IsHangingUp || IsOverfull(link))
                continue;
            if (request.Op == OpCode.CreateSession)
                WriteConnectResponse(link, request.Refusal == ErrorCode.Ok);
            else if (request.Body is { } body)
                Reads.Answer(link, request.Xid, request.Op, body);
            else
                Replies.WriteEmpty(link.Output, request.Xid, Tree.LastProcessed, request.Refusal);
            link.IsClosing |= request.Op == OpCode.CloseSession && request.Refusal == ErrorCode.Ok;
            NoteAnswer(link, request, Tree.LastProcessed);
            Outbox.MarkDirty(link);
        }
    }

    /// <summary>
    /// Has the link more output than it may hold? Then it is hung up. Connections hold back requests long before, but
    /// cannot know how large the replies to waiting reads and the events of others' writes become.
    /// </summary>
    private bool IsOverfull(ClientLink link)
    {
        if (link.Output.Length <= options.LinkOutputBytesMax)
            return false;
        HangUp(link);
        return true;
    }

    private void NoteAnswer(ClientLink link, in QueuedRequest request, Zxid zxid)
    {
        link.Statistics.Answered(request.Op, request.Xid, zxid, request.StartMs, nowMs);
        Statistics.Latency.Add(nowMs - request.StartMs);
        Statistics.Replies++;
    }

    private void WriteReply(ClientLink link, in QueuedRequest request, ReadOnlySpan<byte> payload)
    {
        Zxid zxid = request.Zxid;
        NoteAnswer(link, request, zxid);
        if (request.Op == OpCode.CreateSession)
        {
            WriteConnectResponse(link, isValid: true);
            return;
        }
        int frame = Replies.Begin(link.Output, request.Xid, zxid, ErrorCode.Ok);
        if (outcome.Results is [{ Error: not ErrorCode.Ok } failed] && outcome.Header.Type != OpCode.Multi)
        {
            Replies.Fail(link.Output, frame, failed.Error);
            // The session speaks through another server by now; its client must not take this for an answer.
            if (failed.Error == ErrorCode.SessionMoved)
                HangUp(link);
        }
        else if (request.Op == OpCode.Multi)
        {
            WriteMultiResults(link.Output, request.ResultTypes, payload);
        }
        else if (request.Op != OpCode.CloseSession)
        {
            WriteResult(link.Output, request.Op, outcome.Results[0], payload);
        }
        // No limit here: an error would say that the write did not happen.
        link.Output.EndFrame(frame);
        link.IsClosing |= request.Op == OpCode.CloseSession;
    }

    private void WriteResult(JuteBuffer output, OpCode op, in OpResult result, ReadOnlySpan<byte> payload)
    {
        if (op is OpCode.Create or OpCode.Create2 or OpCode.CreateContainer or OpCode.CreateTtl)
            output.WriteBuffer(payload.Slice(result.PathOffset, result.PathLength));
        if (op == OpCode.Reconfig)
            output.WriteBuffer(Tree.GetData(result.Node, out bool isNull), isNull);
        if (op is not (OpCode.Create or OpCode.Delete or OpCode.Check))
            result.Stat.Write(output);
    }

    private void WriteMultiResults(JuteBuffer output, OpCode[]? types, ReadOnlySpan<byte> payload)
    {
        for (int i = 0; i < outcome.Results.Count; i++)
        {
            OpResult result = outcome.Results[i];
            if (result.Type == OpCode.Error)
            {
                Reads.WriteMultiHeader(output, OpCode.Error, false, (int)result.Error);
                output.WriteInt32((int)result.Error);
                continue;
            }
            OpCode type = types is not null && types[i] != default ? types[i] : result.Type;
            if (type is OpCode.CreateContainer or OpCode.CreateTtl)
                type = OpCode.Create2;
            Reads.WriteMultiHeader(output, type, false, 0);
            WriteResult(output, type, result, payload);
        }
        Reads.WriteMultiEnd(output);
    }

    private void WriteConnectResponse(ClientLink link, bool isValid)
    {
        bool? readOnly = link.SpeaksReadOnly ? link.IsReadOnly : null;
        ConnectResponse response = isValid
            ? new ConnectResponse(
                0, link.TimeoutMs, link.Session.Value, SessionPassword.Derive(link.Session.Value), readOnly)
            : new ConnectResponse(0, 0, 0, new byte[SessionPassword.Bytes], readOnly);
        int frame = link.Output.BeginFrame();
        response.Write(link.Output);
        link.Output.EndFrame(frame);
        link.IsEstablished = isValid;
        link.IsClosing |= !isValid;
    }

    private void FireWatches(ReadOnlySpan<byte> payload, Zxid zxid)
    {
        foreach (TreeChange change in outcome.Changes)
        {
            ReadOnlySpan<byte> path = outcome.PathOf(change, payload);
            foreach (WatchTable table in watchTables)
            {
                if (table.Count > 0)
                    FireWatches(table, change, path, zxid);
            }
        }
    }

    /// <summary>
    /// In Apache's order: the znode's own event from the data table, its deletion for those that only watch its
    /// children, then the change of the parent's list.
    /// </summary>
    private void FireWatches(WatchTable table, in TreeChange change, ReadOnlySpan<byte> path, Zxid zxid)
    {
        WatchEventType? type = change.Kind switch
        {
            TreeChangeKind.Created => WatchEventType.NodeCreated,
            TreeChangeKind.Deleted => WatchEventType.NodeDeleted,
            TreeChangeKind.DataChanged => WatchEventType.NodeDataChanged,
            _ => null,
        };
        if (type is null)
            return;
        reachedByData.Clear();
        table.TriggerData(path, reachedByData);
        Send(reachedByData, type.Value, path, change.AclId, zxid);
        if (type == WatchEventType.NodeDataChanged)
            return;
        if (type == WatchEventType.NodeDeleted)
        {
            reachedByChild.Clear();
            table.TriggerChild(path, reachedByChild, exceptReached: true);
            Send(reachedByChild, type.Value, path, change.AclId, zxid);
        }
        ReadOnlySpan<byte> parent = path[..ZnodePath.ParentLength(path)];
        reachedByChild.Clear();
        table.TriggerChild(parent, reachedByChild);
        Send(reachedByChild, WatchEventType.NodeChildrenChanged, parent, change.ParentAclId, zxid);
    }

    private void Send(
        List<ClientLink> links, WatchEventType type, ReadOnlySpan<byte> path, int aclId, Zxid zxid)
    {
        if (links.Count == 0)
            return;
        IReadOnlyList<Acl> acl = Tree.Acls.Entries(aclId);
        int sent = 0;
        foreach (ClientLink link in links)
        {
            // A watch that is consumed without an event: its owner may not read the znode any more.
            if (link.IsClosed || link.IsHangingUp || !options.Access.IsAllowed(acl, Permissions.Read, link.Identities)
                || IsOverfull(link))
                continue;
            int before = link.Output.Length;
            Replies.WriteEvent(link.Output, zxid.Value, type, path);
            Statistics.EventBytes += link.Output.Length - before;
            link.Statistics.Sent++;
            Outbox.MarkDirty(link);
            sent++;
        }
        Statistics.Events += sent;
        Statistics.Fired.Add((type, sent));
    }
}
