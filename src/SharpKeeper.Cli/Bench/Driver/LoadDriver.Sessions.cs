using System.Net;
using SharpKeeper.Cli.Bench.Transport;
using SharpKeeper.Protocol;

namespace SharpKeeper.Cli.Bench.Driver;

/// <content>Opening and closing sessions.</content>
internal sealed partial class LoadDriver
{
    private readonly byte[] close = Frames.Request(OpCode.CloseSession, _ => { });
    private Meter? openMeter;
    private byte[]? handshake;
    private int opening;
    private bool closesAtOnce;

    /// <summary>
    /// Opens <paramref name="count"/> more sessions, spread evenly over the servers, with at most
    /// <paramref name="concurrency"/> handshakes under way. Measures from connect to the answer.
    /// </summary>
    /// <param name="servers">Where to.</param>
    /// <param name="count">How many.</param>
    /// <param name="concurrency">Handshakes under way at once.</param>
    /// <param name="closeAtOnce">Close each session as soon as it stands, and measure up to the reply to that.</param>
    /// <exception cref="BenchException">A connection or a session was refused.</exception>
    public PhaseResult Open(
        IReadOnlyList<IPEndPoint> servers, int count, int concurrency, bool closeAtOnce = false)
    {
        closesAtOnce = closeAtOnce;
        var meter = new Meter();
        openMeter = meter;
        handshake ??= Frames.Handshake(settings.SessionTimeout);
        ForgetLanes();
        long start = now;
        long end = now;
        int begun = 0;
        opening = 0;
        while (meter.Count < count)
        {
            while (begun < count && opening < concurrency)
            {
                BeginOpen(servers[begun % servers.Count]);
                begun++;
            }
            WaitOnce(WaitMs);
            end = now;
            Housekeep(meter);
            if (cancel.IsCancellationRequested)
                break;
            if (time.GetElapsedTime(lastReceivedAt, now) > settings.ReplyTimeout)
                throw new BenchException($"no answer to {opening} handshakes for "
                    + $"{settings.ReplyTimeout.TotalSeconds:0} s; {meter.Count} sessions are open");
        }
        openMeter = null;
        closesAtOnce = false;
        return new PhaseResult(
            meter, time.GetElapsedTime(start, end), TimeSpan.Zero, null, TimeSpan.Zero);
    }

    /// <summary>Closes all sessions with closeSession, waits for the replies, and forgets them.</summary>
    public void CloseAll()
    {
        ForgetLanes();
        foreach (Session session in sessions)
        {
            if (session.State != SessionState.Open)
                continue;
            BeginClose(session);
        }
        while (sessions.Exists(session => session.State == SessionState.Closing && session.InFlight > 0))
        {
            WaitOnce(WaitMs);
            Housekeep(null);
            if (time.GetElapsedTime(lastReceivedAt, now) > settings.ReplyTimeout)
                throw new BenchException("the server does not answer closeSession");
        }
        foreach (Session session in sessions)
        {
            if (session.State != SessionState.Closed)
                Drop(session);
        }
        sessions.Clear();
    }

    private void BeginOpen(IPEndPoint server)
    {
        var session = new Session(sessions.Count, server) { State = SessionState.Opening };
        long since = time.GetTimestamp();
        try
        {
            session.Handle = transport.Connect(server, session.Index);
            sessions.Add(session);
            session.LastSentAt = since;
            opening++;
            Send(session, handshake);
        }
        catch (TransportException e)
        {
            throw new BenchException($"cannot open session {session.Index + 1} at {server}: {e.Message}");
        }
    }

    private void OnHandshake(Session session, ReadOnlySpan<byte> frame)
    {
        if (!ConnectResponse.TryRead(frame, out ConnectResponse response) || response.ReadOnly is null)
            throw new WrongReplyException(
                $"connection {session.Index + 1}: the handshake was answered with {frame.Length} bytes instead of 37");
        if (response.TimeoutMs <= 0 || response.SessionId == 0)
            throw new WrongReplyException($"connection {session.Index + 1}: the server refused a new session");
        if (response.Password.Length != 16)
            throw new WrongReplyException(
                $"connection {session.Index + 1}: the password has {response.Password.Length} bytes instead of 16");
        session.State = SessionState.Open;
        session.Id = response.SessionId;
        session.TimeoutMs = response.TimeoutMs;
        if (closesAtOnce)
            BeginClose(session);
        else
            EndOpening(session);
    }

    private void BeginClose(Session session)
    {
        session.State = SessionState.Closing;
        output.Clear();
        Frames.Append(output, close, session.NextXid++);
        try
        {
            Send(session, output.WrittenSpan);
        }
        catch (TransportException e)
        {
            throw new BenchException($"cannot close {session}: {e.Message}");
        }
    }

    private void OnCloseReply(Session session, in Reply reply)
    {
        // Requests of a run that was given up may still be answered before.
        if (reply.Xid != session.NextXid - 1)
            return;
        if (reply.Error != 0)
            throw new WrongReplyException($"{session}: closeSession failed with error {reply.Error}");
        session.NextReplyXid = session.NextXid;
        if (!closesAtOnce)
            return;
        EndOpening(session);
        Drop(session);
    }

    private void EndOpening(Session session)
    {
        opening--;
        openMeter!.Record(now - session.LastSentAt, 1);
    }
}
