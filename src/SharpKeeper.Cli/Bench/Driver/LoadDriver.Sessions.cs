using System.Diagnostics;
using System.Net;
using SharpKeeper.Cli.Bench.Transport;
using SharpKeeper.Protocol;

namespace SharpKeeper.Cli.Bench.Driver;

/// <content>Opening and closing sessions.</content>
internal sealed partial class LoadDriver
{
    private Meter? openMeter;
    private byte[]? handshake;
    private int opening;

    /// <summary>
    /// Opens <paramref name="count"/> more sessions, spread evenly over the servers, with at most
    /// <paramref name="concurrency"/> handshakes under way. Measures from connect to the answer.
    /// </summary>
    /// <exception cref="BenchException">A connection or a session was refused.</exception>
    public PhaseResult Open(IReadOnlyList<IPEndPoint> servers, int count, int concurrency)
    {
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
            if (Stopwatch.GetElapsedTime(lastReceivedAt, now) > settings.ReplyTimeout)
                throw new BenchException($"no answer to {opening} handshakes for "
                    + $"{settings.ReplyTimeout.TotalSeconds:0} s; {meter.Count} sessions are open");
        }
        openMeter = null;
        return new PhaseResult(
            meter, Stopwatch.GetElapsedTime(start, end), TimeSpan.Zero, null, TimeSpan.Zero);
    }

    /// <summary>Closes all sessions with closeSession, waits for the replies, and forgets them.</summary>
    public void CloseAll()
    {
        byte[] close = Frames.Request(OpCode.CloseSession, _ => { });
        ForgetLanes();
        foreach (Session session in sessions)
        {
            if (session.State != SessionState.Open)
                continue;
            session.State = SessionState.Closing;
            output.Clear();
            Frames.Append(output, close, session.NextXid++);
            Send(session, output.WrittenSpan);
        }
        while (sessions.Exists(session => session.State == SessionState.Closing && session.InFlight > 0))
        {
            WaitOnce(WaitMs);
            Housekeep(null);
            if (Stopwatch.GetElapsedTime(lastReceivedAt, now) > settings.ReplyTimeout)
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
        long since = Stopwatch.GetTimestamp();
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
        opening--;
        openMeter!.Record(now - session.LastSentAt, 1);
    }
}
