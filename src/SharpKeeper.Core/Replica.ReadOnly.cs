using SharpKeeper.Core.Clients;
using SharpKeeper.Core.Sessions;
using SharpKeeper.Core.Transactions;
using SharpKeeper.Protocol;

namespace SharpKeeper.Core;

/// <summary>
/// Read-only mode: a server that has been without a quorum for a while serves reads from what it has to clients that ask
/// for that. What they see may be old; sessions begun here are known nowhere else.
/// </summary>
public sealed partial class Replica
{
    private const int ReadOnlyDelayMsMin = 2000;

    private bool isReadOnly;

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
        isReadOnly = true;
        servingPeriod++;
        sessions.Clear();
        foreach (SessionTimeout session in committedSessions.ToArray())
            sessions.Add(session.Id.Value, session.TimeoutMs, nowMs);
    }

    private void LeaveReadOnly()
    {
        isReadOnly = false;
        ForgetSessions();
        Outbox.Effects.Enqueue(new Effect(EffectKind.HangUpClients));
    }

    private void ConnectReadOnly(ClientLink link, in ConnectRequest request)
    {
        if (request.ReadOnly != true || IsAhead(request))
        {
            HangUp(link);
            return;
        }
        link.TimeoutMs = Math.Clamp(request.TimeoutMs, options.MinSessionTimeoutMs, options.MaxSessionTimeoutMs);
        link.IsReadOnly = true;
        Session? session = request.SessionId == 0
            ? sessions.Add(nextSessionId++, link.TimeoutMs, nowMs)
            : sessions.Find(request.SessionId);
        bool isValid = session is not null
            && (request.SessionId == 0 || SessionPassword.Matches(request.SessionId, request.Password));
        if (isValid)
        {
            if (session!.Link is { } former && !ReferenceEquals(former, link))
                HangUp(former);
            Attach(link, session);
        }
        Answer(link, new QueuedRequest(Zxid.Zero, 0, OpCode.CreateSession, nowMs)
        {
            Refusal = isValid ? ErrorCode.Ok : ErrorCode.SessionExpired,
        });
    }

    private void TakeReadOnly(ClientLink link, OpCode op, int xid, ReadOnlySpan<byte> body)
    {
        var request = new QueuedRequest(Zxid.Zero, xid, op, nowMs);
        if (op == OpCode.CloseSession)
        {
            sessions.Remove(link.Session.Value);
            link.IsClosing = true;
            Answer(link, request with { Refusal = ErrorCode.Ok });
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
