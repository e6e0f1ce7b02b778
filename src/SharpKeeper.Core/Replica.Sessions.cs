using System.Buffers.Binary;
using SharpKeeper.Core.Clients;
using SharpKeeper.Core.Sessions;
using SharpKeeper.Core.Transactions;
using SharpKeeper.Core.Zab;
using SharpKeeper.Protocol;
using SharpKeeper.Protocol.Quorum;

namespace SharpKeeper.Core;

/// <summary>Sessions and requests that cross servers.</summary>
public sealed partial class Replica
{
    private readonly Queue<ClientLink> pendingSyncs = new();
    private readonly Dictionary<long, ClientLink> revalidating = [];
    private readonly List<ClientLink> syncWaiting = [];
    private readonly List<ClientLink> syncRetry = [];
    private readonly List<SessionTimeout> closedTouches = [];
    private long touchedSinceMs;

    private bool IsLearning => isServing && !isLeading;

    /// <summary>Sends a request to the leader; the answer is the transaction, when it is applied here.</summary>
    private void Forward(ClientLink link, in QueuedRequest request, ReadOnlySpan<byte> body)
    {
        PeerLink leader = zab!.Learner!.Link;
        int begun = QuorumPackets.Begin(leader.Output, QuorumPacketType.Request, new Zxid(-1));
        leader.Output.WriteInt64(link.Session.Value);
        leader.Output.WriteInt32(request.Xid);
        leader.Output.WriteInt32((int)request.Op);
        leader.Output.WriteRaw(body);
        if (request.Op == OpCode.CreateSession)
            QuorumPackets.End(leader.Output, begun);
        else
            QuorumPackets.End(leader.Output, begun, link.Identities);
        Outbox.MarkDirty(leader);
        link.Queue.Enqueue(request);
        if (request.Zxid == QueuedRequest.AwaitsLeader)
            forwarded++;
    }

    private void ForwardConnect(ClientLink link, bool isUpgrade = false)
    {
        Span<byte> timeout = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(timeout, link.TimeoutMs);
        Forward(
            link,
            new QueuedRequest(QueuedRequest.AwaitsLeader, 0, OpCode.CreateSession, nowMs) { IsUpgrade = isUpgrade },
            timeout);
    }

    private void ForwardRequest(ClientLink link, in QueuedRequest request, ReadOnlySpan<byte> body) =>
        Forward(
            link,
            request with
            {
                Zxid = QueuedRequest.AwaitsLeader,
                ResultTypes = request.Op == OpCode.Multi ? TxnPreparer.ReadMultiResultTypes(body) : null,
            },
            body);

    /// <summary>Asks the leader whether a session that moves here is alive.</summary>
    private void AskLeader(ClientLink link, long session)
    {
        PeerLink leader = zab!.Learner!.Link;
        int begun = QuorumPackets.Begin(leader.Output, QuorumPacketType.Revalidate, new Zxid(-1));
        leader.Output.WriteInt64(session);
        leader.Output.WriteInt32(link.TimeoutMs);
        QuorumPackets.End(leader.Output, begun);
        Outbox.MarkDirty(leader);
        revalidating[session] = link;
        link.Queue.Enqueue(new QueuedRequest(QueuedRequest.AwaitsValidity, 0, OpCode.CreateSession, nowMs));
    }

    /// <inheritdoc/>
    void IZabHost.Revalidated(long session, bool isValid)
    {
        if (!revalidating.Remove(session, out ClientLink? link) || link.Queue.Count == 0)
            return;
        ref QueuedRequest request = ref link.Queue[0];
        if (request.Zxid != QueuedRequest.AwaitsValidity)
            return;
        request = request with
        {
            Zxid = Zxid.Zero,
            Refusal = isValid ? ErrorCode.Ok : ErrorCode.SessionExpired,
        };
        if (isValid)
        {
            Statistics.SessionsResumed++;
        }
        else if (sessions.Find(session) is { } unknown && ReferenceEquals(unknown.Link, link))
        {
            unknown.Link = null;
            sessions.Remove(session);
        }
        ready.Add(link);
    }

    /// <summary>A sync of a client of this server.</summary>
    private void Sync(ClientLink link, in QueuedRequest request, ReadOnlySpan<byte> body)
    {
        QueuedRequest waiting = request with { Zxid = QueuedRequest.AwaitsSync, Body = body.ToArray() };
        if (isLeading)
        {
            link.Queue.Enqueue(waiting);
            zab!.Leader!.RequestSync(null, link);
            return;
        }
        pendingSyncs.Enqueue(link);
        Forward(link, waiting, body);
    }

    /// <inheritdoc/>
    void IZabHost.SyncAnswered()
    {
        if (pendingSyncs.TryDequeue(out ClientLink? link))
            NoteSynced(link);
    }

    /// <inheritdoc/>
    void IZabHost.SyncAnswered(object client) => NoteSynced((ClientLink)client);

    private void NoteSynced(ClientLink link)
    {
        link.SyncsAnswered++;
        link.SyncZxid = committed;
        ready.Add(link);
    }

    /// <summary>May the client be told that it has seen everything? What is committed must be applied first.</summary>
    private bool IsSynced(ClientLink link, in QueuedRequest request)
    {
        if (request.Zxid != QueuedRequest.AwaitsSync || link.SyncsAnswered == 0)
            return false;
        if (proposals.TryPeek(out Proposal next) && next.Zxid <= link.SyncZxid)
        {
            syncWaiting.Add(link);
            return false;
        }
        link.SyncsAnswered--;
        return true;
    }

    private void AnswerSyncs()
    {
        if (syncWaiting.Count == 0)
            return;
        syncRetry.AddRange(syncWaiting);
        syncWaiting.Clear();
        foreach (ClientLink link in syncRetry)
            AnswerWaiting(link);
        syncRetry.Clear();
    }

    /// <inheritdoc/>
    void IZabHost.WriteTouches(JuteBuffer output)
    {
        foreach (Session session in sessions.All)
        {
            if (session.Link is { } link && link.LastHeardMs >= touchedSinceMs)
                WriteTouch(output, new SessionTimeout(new SessionId(session.Id), session.TimeoutMs));
        }
        foreach (SessionTimeout closed in closedTouches)
            WriteTouch(output, closed);
        closedTouches.Clear();
        touchedSinceMs = nowMs;
    }

    private static void WriteTouch(JuteBuffer output, SessionTimeout session)
    {
        output.WriteInt64(session.Id.Value);
        output.WriteInt32(session.TimeoutMs);
    }

    /// <inheritdoc/>
    void IZabHost.TouchSession(long session, int timeoutMs)
    {
        if (sessions.Find(session) is not { IsClosing: false } found)
            return;
        found.TimeoutMs = timeoutMs;
        sessions.Touch(found, nowMs);
    }

    /// <inheritdoc/>
    bool IZabHost.TryMoveSession(LearnerState learner, long session, int timeoutMs)
    {
        if (!isLeading || sessions.Find(session) is not { IsClosing: false } found)
            return false;
        found.TimeoutMs = timeoutMs;
        found.Owner = learner;
        sessions.Touch(found, nowMs);
        return true;
    }

    /// <inheritdoc/>
    void IZabHost.TakeForwarded(LearnerState learner, in QuorumPacket packet)
    {
        const int headBytes = 16;
        if (!isLeading || packet.Data.Length < headBytes)
            return;
        long id = BinaryPrimitives.ReadInt64BigEndian(packet.Data);
        int xid = BinaryPrimitives.ReadInt32BigEndian(packet.Data[8..]);
        var op = (OpCode)BinaryPrimitives.ReadInt32BigEndian(packet.Data[12..]);
        ReadOnlySpan<byte> body = packet.Data[headBytes..];
        switch (op)
        {
            case OpCode.Sync:
                zab!.Leader!.RequestSync(learner, null);
                break;
            case OpCode.CreateSession:
                CreateForwarded(learner, id, xid, body);
                break;
            case OpCode.CloseSession:
                CloseForwarded(id, xid);
                break;
            default:
                ProposeForwarded(learner, id, xid, op, body, IdentitiesOf(learner, packet));
                break;
        }
    }

    private static AuthId[] IdentitiesOf(LearnerState learner, in QuorumPacket packet)
    {
        // Most requests of a learner come with the same identities.
        if (!packet.AuthInfo.SequenceEqual(learner.LastAuthInfo))
        {
            learner.LastAuthInfo = packet.AuthInfo.ToArray();
            learner.LastIdentities = QuorumPackets.ReadAuth(packet);
        }
        return learner.LastIdentities;
    }

    private void CreateForwarded(LearnerState learner, long id, int xid, ReadOnlySpan<byte> body)
    {
        if (body.Length < 4)
            return;
        int timeoutMs = BinaryPrimitives.ReadInt32BigEndian(body);
        Session session = sessions.Add(id, timeoutMs, nowMs);
        session.Owner = learner;
        preparer.PrepareCreateSession(Context(session, default, xid), timeoutMs, Outbox.OpenBatch());
        Propose(null, session);
    }

    private void CloseForwarded(long id, int xid)
    {
        // One that has gone already is closed once more, which changes nothing: whoever asked waits for the answer.
        Session session = sessions.Find(id) ?? new Session(id, 0);
        session.IsClosing = true;
        preparer.PrepareCloseSession(Context(session, default, xid), Outbox.OpenBatch());
        Propose(null, session);
    }

    private void ProposeForwarded(
        LearnerState learner, long id, int xid, OpCode op, ReadOnlySpan<byte> body, AuthId[] identities)
    {
        Session? session = sessions.Find(id);
        ErrorCode refusal = session is null && MayBeLocalElsewhere(id) ? ErrorCode.Ok : CheckOwner(session, learner);
        // One that has ended or is ending only gets its refusal.
        Session asking = session is { IsClosing: false } ? session : new Session(id, 0) { IsLocal = session is null };
        TxnContext context = Context(asking, identities, xid);
        if (refusal == ErrorCode.Ok && OpTable.Find(op).Class != OpClass.Write && op != OpCode.DeleteContainer
            && op != OpCode.Check)
            refusal = ErrorCode.Unimplemented;
        if (refusal == ErrorCode.Ok)
        {
            if (session is not null)
                sessions.Touch(session, nowMs);
            if (!TryPrepareWrite(context, op, body))
                refusal = ErrorCode.MarshallingError;
        }
        if (refusal != ErrorCode.Ok)
            TxnPreparer.PrepareError(context, refusal, Outbox.OpenBatch());
        Propose(null, session);
    }

    /// <summary>Whoever speaks for a session first under a leader owns it, until it moves.</summary>
    private ErrorCode CheckOwner(Session? session, object owner)
    {
        if (session is null || (session.IsClosing && !zab!.Has(PlantedBug.CreateWhileClosing)))
            return ErrorCode.SessionExpired;
        session.Owner ??= owner;
        return ReferenceEquals(session.Owner, owner) ? ErrorCode.Ok : ErrorCode.SessionMoved;
    }

    private bool TryPrepareWrite(in TxnContext context, OpCode op, ReadOnlySpan<byte> body) =>
        op == OpCode.Reconfig && zab is not null
            ? TryPrepareReconfig(context, body)
            : preparer.TryPrepare(context, op, body, Outbox.OpenBatch());
}
