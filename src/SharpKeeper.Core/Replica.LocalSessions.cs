using SharpKeeper.Core.Clients;
using SharpKeeper.Core.Sessions;
using SharpKeeper.Core.Transactions;
using SharpKeeper.Protocol;

namespace SharpKeeper.Core;

/// <summary>
/// Local sessions: begun, kept alive and ended by one server, without a transaction. One that is to own an ephemeral
/// must first become known to the ensemble, since its end then concerns all.
/// </summary>
public sealed partial class Replica
{
    private const int LocalExpiriesMax = 10_000;
    private const int ServerShift = 56;

    /// <summary>The sessions that only this server knows.</summary>
    public SessionTable LocalSessions => locals;

    private bool HasLocalSessions => zab is not null && options.Ensemble!.LocalSessions;

    /// <summary>
    /// Is it possible that another server knows a session which this leader does not? Its own local ones it does know.
    /// </summary>
    private bool MayBeLocalElsewhere(long session) =>
        HasLocalSessions && (byte)(session >> ServerShift) != options.ServerId;

    private void OpenLocalSession(ClientLink link)
    {
        Attach(link, locals.Add(TakeSessionId(), link.TimeoutMs, nowMs));
        Answer(link, new QueuedRequest(Zxid.Zero, 0, OpCode.CreateSession, nowMs));
    }

    /// <summary>
    /// A request of a local session that is no read. True if that was all there is to do; false if it is to be
    /// proposed, for a <paramref name="session"/> that may be another one now.
    /// </summary>
    private bool TakeLocal(ClientLink link, ref Session session, in QueuedRequest request, ReadOnlySpan<byte> body)
    {
        if (request.Op == OpCode.CloseSession)
        {
            CloseLocalSession(link, session, request);
            return true;
        }
        if (!TxnPreparer.CreatesEphemeral(request.Op, body))
            return false;
        if (!options.Ensemble!.LocalSessionsUpgrade)
        {
            // The parts of a multi have results of their own, which are the leader's to make.
            if (request.Op == OpCode.Multi)
                return false;
            Answer(link, request with { Refusal = ErrorCode.EphemeralOnLocalSession });
            return true;
        }
        session = Upgrade(link, session);
        return false;
    }

    private void CloseLocalSession(ClientLink link, Session session, in QueuedRequest request)
    {
        session.Link = null;
        locals.Remove(session.Id);
        Answer(link, request);
    }

    /// <summary>Makes the session known to the ensemble; whatever it asks for next stands behind that.</summary>
    private Session Upgrade(ClientLink link, Session local)
    {
        locals.Remove(local.Id);
        Session session = sessions.Add(local.Id, local.TimeoutMs, nowMs);
        Attach(link, session);
        if (!isLeading)
        {
            ForwardConnect(link, isUpgrade: true);
            return session;
        }
        preparer.PrepareCreateSession(Context(session, link.Identities, 0), session.TimeoutMs, Outbox.OpenBatch());
        Propose(link, session);
        link.Queue.Enqueue(
            new QueuedRequest(lastProposed, 0, OpCode.CreateSession, nowMs) { IsUpgrade = true });
        return session;
    }

    private void ExpireLocalSessions()
    {
        if (locals.Count == 0)
            return;
        locals.CollectExpired(nowMs, expired, LocalExpiriesMax);
        foreach (Session session in expired)
        {
            locals.Remove(session.Id);
            if (session.Link is { } link)
                HangUp(link);
            session.Link = null;
            Statistics.SessionsExpired++;
        }
        expired.Clear();
    }
}
