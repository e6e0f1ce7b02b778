using SharpKeeper.Core.Clients;
using SharpKeeper.Core.Sessions;
using SharpKeeper.Core.Transactions;
using SharpKeeper.Protocol;

namespace SharpKeeper.Core;

public sealed partial class Replica
{
    private void Connect(ClientLink link, in ConnectRequest request)
    {
        link.SpeaksReadOnly = request.ReadOnly is not null;
        link.ServingPeriod = servingPeriod;
        if (isReadOnly)
        {
            ConnectReadOnly(link, request);
            return;
        }
        if (MayWait)
        {
            arrivals.Add(new Arrival(link, request));
            return;
        }
        if (!isServing || IsAhead(request))
        {
            HangUp(link);
            return;
        }
        link.TimeoutMs = Math.Clamp(request.TimeoutMs, options.MinSessionTimeoutMs, options.MaxSessionTimeoutMs);
        if (request.SessionId == 0)
            OpenSession(link);
        else
            ResumeSession(link, request);
    }

    /// <summary>Has the client seen what this server has not applied yet? It must not see the past.</summary>
    private bool IsAhead(in ConnectRequest request) => request.LastZxidSeen > Tree.LastProcessed.Value;

    private void OpenSession(ClientLink link)
    {
        if (IsStalled && zab is null)
        {
            // Without a transaction there is no session; another server may have room on its disk.
            HangUp(link);
            return;
        }
        if (HasLocalSessions)
        {
            OpenLocalSession(link);
            return;
        }
        Session session = sessions.Add(TakeSessionId(), link.TimeoutMs, nowMs);
        Attach(link, session);
        if (!isLeading)
        {
            ForwardConnect(link);
            return;
        }
        TxnContext context = Context(session, link.Identities, xid: 0);
        preparer.PrepareCreateSession(context, link.TimeoutMs, Outbox.OpenBatch());
        Propose(link, session);
        link.Queue.Enqueue(new QueuedRequest(lastProposed, 0, OpCode.CreateSession, nowMs));
    }

    // A clock that was set back may have brought the seed below ids that are still alive.
    private long TakeSessionId()
    {
        while (FindSession(nextSessionId) is not null || committedSessions.TryGet(new SessionId(nextSessionId), out _))
            nextSessionId++;
        return nextSessionId++;
    }

    private Session? FindSession(long id) => sessions.Find(id) ?? locals.Find(id);

    private SessionTable TableOf(Session session) => session.IsLocal ? locals : sessions;

    private void ResumeSession(ClientLink link, in ConnectRequest request)
    {
        Session? session = FindSession(request.SessionId);
        if (session?.Link is { } former && !ReferenceEquals(former, link))
        {
            // Before the password is looked at: the old connection goes in any case, the session stays, and with it
            // what the old connection heard.
            HangUp(former);
            session.Link = null;
            TableOf(session).Touch(session, former.LastHeardMs);
        }
        if (IsLearning && session is not { IsLocal: true }
            && SessionPassword.Matches(request.SessionId, request.Password))
        {
            Attach(link, session ?? sessions.Add(request.SessionId, link.TimeoutMs, nowMs));
            AskLeader(link, request.SessionId);
            return;
        }
        bool isValid = session is { IsClosing: false }
            && SessionPassword.Matches(request.SessionId, request.Password);
        if (isValid)
        {
            Attach(link, session!);
            TableOf(session!).Touch(session!, nowMs);
            Statistics.SessionsResumed++;
        }
        Answer(link, new QueuedRequest(Zxid.Zero, 0, OpCode.CreateSession, nowMs)
        {
            Refusal = isValid ? ErrorCode.Ok : ErrorCode.SessionExpired,
        });
    }

    private void Attach(ClientLink link, Session session)
    {
        session.Link = link;
        session.Owner = this;
        session.TimeoutMs = link.TimeoutMs;
        link.Session = new SessionId(session.Id);
        link.LastHeardMs = nowMs;
    }

    private void CloseLink(ClientLink link)
    {
        link.IsClosed = true;
        ForgetForwarded(link);
        if (FindSession(link.Session.Value) is not { } session || !ReferenceEquals(session.Link, link))
            return;
        session.Link = null;
        TableOf(session).Touch(session, link.LastHeardMs);
        if (!IsLearning || session.IsLocal)
            return;
        // The leader keeps the session; here only its last sign of life is still to be passed on.
        if (link.LastHeardMs >= touchedSinceMs)
            closedTouches.Add(new SessionTimeout(link.Session, session.TimeoutMs));
        sessions.Remove(session.Id);
    }

    /// <summary>Nobody waits any more for what a link that has gone sent to the leader.</summary>
    private void ForgetForwarded(ClientLink link)
    {
        if (link.ServingPeriod != servingPeriod)
            return;
        for (int i = 0; i < link.Queue.Count; i++)
        {
            if (link.Queue[i].Zxid == QueuedRequest.AwaitsLeader)
                forwarded--;
        }
        while (zab is not null && link.Queue.Count > 0)
            link.Queue.Dequeue();
    }

    private void HangUp(ClientLink link)
    {
        if (link.IsClosed || link.IsHangingUp)
            return;
        link.IsHangingUp = true;
        Outbox.Hangups.Add(link);
    }

    private void TakeRequest(ClientLink link, OpCode op, int xid, ReadOnlySpan<byte> body)
    {
        // What a connection sends that is to go may not happen: its session may speak through another one by now.
        if (link.IsHangingUp)
            return;
        if (!(isServing || isReadOnly) || link.ServingPeriod != servingPeriod)
        {
            HangUp(link);
            return;
        }
        if (isReadOnly)
        {
            TakeReadOnly(link, op, xid, body);
            return;
        }
        Session? session = FindSession(link.Session.Value);
        var request = new QueuedRequest(Zxid.Zero, xid, op, nowMs);
        if (op == OpCode.Sync && zab is not null)
        {
            Sync(link, request, body);
            return;
        }
        if (OpTable.Find(op).Class == OpClass.Read)
        {
            Answer(link, request with { Body = body.ToArray() });
            return;
        }
        if (session is { IsLocal: true } && TakeLocal(link, ref session, request, body))
            return;
        if (!isLeading)
        {
            ForwardRequest(link, request, body);
            return;
        }
        if (session is null)
        {
            Answer(link, request with { Refusal = ErrorCode.SessionExpired });
            return;
        }
        if (IsStalled && zab is null)
        {
            Answer(link, request with { Refusal = ErrorCode.NotReadOnly });
            return;
        }
        TxnContext context = Context(session, link.Identities, xid);
        if (op == OpCode.CloseSession)
        {
            CloseSession(link, session, context, request);
            return;
        }
        if (zab is not null && CheckOwner(session, this) is var refusal and not ErrorCode.Ok)
        {
            if (refusal == ErrorCode.SessionMoved)
                HangUp(link);
            else
                Answer(link, request with { Refusal = refusal });
            return;
        }
        if (!TryPrepareWrite(context, op, body))
        {
            Answer(link, request with { Refusal = ErrorCode.MarshallingError });
            return;
        }
        Propose(link, session);
        link.Queue.Enqueue(request with
        {
            Zxid = lastProposed,
            ResultTypes = op == OpCode.Multi ? preparer.MultiResultTypes : null,
        });
    }

    private void CloseSession(ClientLink link, Session session, in TxnContext context, in QueuedRequest request)
    {
        if (session.IsClosing)
        {
            Answer(link, request with { Refusal = ErrorCode.SessionExpired });
            return;
        }
        session.IsClosing = true;
        preparer.PrepareCloseSession(context, Outbox.OpenBatch());
        Propose(link, session);
        link.Queue.Enqueue(request with { Zxid = lastProposed });
    }

    /// <summary>Queues an answer that waits for nothing but its turn in the session.</summary>
    private void Answer(ClientLink link, in QueuedRequest request)
    {
        link.Queue.Enqueue(request);
        if (link.Queue.Count == 1)
            ready.Add(link);
    }

    private void ExpireSessions()
    {
        if (IsStalled)
            return;
        sessions.CollectExpired(nowMs, expired);
        foreach (Session session in expired)
        {
            preparer.PrepareCloseSession(Context(session, default, 0), Outbox.OpenBatch());
            Propose(null, session);
            Statistics.SessionsExpired++;
        }
        expired.Clear();
    }
}
