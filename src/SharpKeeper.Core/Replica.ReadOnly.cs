using SharpKeeper.Core.Clients;
using SharpKeeper.Protocol;

namespace SharpKeeper.Core;

/// <summary>
/// Read-only mode: a server that has been without a quorum for a while serves reads from what it has to clients that
/// ask for that. What they see may be old; sessions begun here are known nowhere else.
/// </summary>
public sealed partial class Replica
{
    private const int ReadOnlyDelayMsMin = 2000;

    private bool isReadOnly;
    private long firstReadOnlyId;

    /// <summary>Are clients that ask for it served from what is here, for lack of a quorum?</summary>
    public bool IsReadOnly => isReadOnly;

    private void EnterOrLeaveReadOnly()
    {
        if (zab is null || !options.Ensemble!.ReadOnlyMode)
            return;
        bool isLooking = zab.State == ServerState.Looking;
        if (isReadOnly && !isLooking)
            LeaveReadOnly();
        else if (!isReadOnly && isLooking
            && nowMs - zab.LookingSinceMs >= Math.Max(ReadOnlyDelayMsMin, options.TickMs))
            EnterReadOnly();
    }

    private void EnterReadOnly()
    {
        FinishServing();
        isReadOnly = true;
        servingPeriod++;
        firstReadOnlyId = nextSessionId;
    }

    private void LeaveReadOnly()
    {
        isReadOnly = false;
        ForgetSessions();
        Outbox.Effects.Enqueue(new Effect(EffectKind.HangUpClients));
    }

    private void ConnectReadOnly(ClientLink link, in ConnectRequest request)
    {
        if (request.ReadOnly != true || IsAhead(request) || IsOfEnsemble(request.SessionId))
        {
            HangUp(link);
            return;
        }
        link.TimeoutMs = Math.Clamp(request.TimeoutMs, options.MinSessionTimeoutMs, options.MaxSessionTimeoutMs);
        link.IsReadOnly = true;
        if (request.SessionId == 0)
            OpenLocalSession(link);
        else
            ResumeSession(link, request);
    }

    /// <summary>
    /// May a session be alive at servers that are in touch? Then it can neither be kept alive here nor be declared
    /// dead, and its owner must not take being connected here for being in possession of it. Where sessions are local,
    /// one that is not known here is none of the ensemble's.
    /// </summary>
    private bool IsOfEnsemble(long session)
    {
        if (session == 0 || locals.Find(session) is not null)
            return false;
        if (HasLocalSessions)
            return committedSessions.TryGet(new SessionId(session), out _);
        return session < firstReadOnlyId || session >= nextSessionId;
    }

    private void TakeReadOnly(ClientLink link, OpCode op, int xid, ReadOnlySpan<byte> body)
    {
        var request = new QueuedRequest(Zxid.Zero, xid, op, nowMs);
        if (op == OpCode.CloseSession)
        {
            if (locals.Find(link.Session.Value) is { } session)
                CloseLocalSession(link, session, request);
            else
                HangUp(link);
        }
        else if (OpTable.Find(op).Class == OpClass.Read && op != OpCode.Sync)
        {
            Answer(link, request with { Body = body.ToArray() });
        }
        else
        {
            Answer(link, request with { Refusal = ErrorCode.NotReadOnly });
        }
    }
}
