using SharpKeeper.Cli.Bench.Transport;
using SharpKeeper.Protocol;

namespace SharpKeeper.Cli.Bench.Driver;

/// <summary>How the driver behaves beside the work.</summary>
/// <param name="SessionTimeout">Asked for in every handshake; pings are sent after a third of what is granted.</param>
/// <param name="ReplyTimeout">A run in which nothing comes back for this long is given up.</param>
internal sealed record DriverSettings(TimeSpan SessionTimeout, TimeSpan ReplyTimeout);

/// <summary>
/// Drives many sessions on one thread: keeps every session's window of requests full, sends what a receive made
/// possible with one call, and checks all replies of a receive in one pass.
/// </summary>
internal sealed partial class LoadDriver : IDisposable
{
    private const int ReceiveBytes = 256 * 1024;
    private const int WaitMs = 100;

    private readonly ITransport transport;
    private readonly DriverSettings settings;
    private readonly TimeProvider time;
    private readonly Action<long, long>? progress;
    private readonly CancellationToken cancel;
    private readonly List<Session> sessions = [];
    private readonly Readiness[] ready = new Readiness[512];
    private readonly byte[] received = GC.AllocateUninitializedArray<byte>(ReceiveBytes, pinned: true);
    private readonly JuteBuffer output = new();
    private readonly byte[] ping = Frames.Ping();
    private readonly List<Lane> lanes = [];
    private long now;
    private long housekeepingAt;
    private long lastReceivedAt;

    /// <param name="transport">Owned by the driver from here on.</param>
    /// <param name="settings">Time limits.</param>
    /// <param name="time">Ticks as the stopwatch does.</param>
    /// <param name="progress">Called about once a second with the stopwatch and the number ended so far.</param>
    /// <param name="cancel">Ends the phase under way as its limit would.</param>
    public LoadDriver(
        ITransport transport, DriverSettings settings, TimeProvider time, Action<long, long>? progress = null,
        CancellationToken cancel = default)
    {
        this.transport = transport;
        this.settings = settings;
        this.time = time;
        now = time.GetTimestamp();
        this.progress = progress;
        this.cancel = cancel;
    }

    /// <summary>All sessions in the order they were opened.</summary>
    public IReadOnlyList<Session> Sessions => sessions;

    /// <summary>
    /// Runs a work on the sessions until its limit is reached and every reply has come; a second work may run beside
    /// it on other sessions and ends with it.
    /// </summary>
    /// <exception cref="BenchException">A wrong reply, a broken connection, or silence.</exception>
    public PhaseResult Run(Lane main, PhaseLimit limit, Lane? beside = null)
    {
        Begin(main, beside);
        long start = now;
        long deadline = limit.Duration is { } duration
            ? start + (long)(duration.TotalSeconds * time.TimestampFrequency) : long.MaxValue;
        main.IssuedMax = limit.Count ?? long.MaxValue;
        foreach (Lane lane in lanes)
            Pump(lane);
        while (!main.IsDrained || main.Work.HasNews)
        {
            WaitOnce(WaitMs);
            main.Work.IsStopping |= now >= deadline || cancel.IsCancellationRequested;
            PumpNews();
            Housekeep(main.Meter);
        }
        if (beside is not null)
            Drain(beside);
        return Result(main, beside, start);
    }

    /// <summary>Keeps the sessions alive for a while without giving them work.</summary>
    public void Idle(TimeSpan duration)
    {
        ForgetLanes();
        long deadline = now + (long)(duration.TotalSeconds * time.TimestampFrequency);
        while (now < deadline && !cancel.IsCancellationRequested)
        {
            WaitOnce(WaitMs);
            Housekeep(null);
        }
    }

    public void Dispose()
    {
        transport.Dispose();
        output.Dispose();
        foreach (Session session in sessions)
            session.Unsent.Dispose();
    }

    private void Begin(Lane main, Lane? beside)
    {
        ForgetLanes();
        lanes.Add(main);
        if (beside is not null)
            lanes.Add(beside);
        foreach (Lane lane in lanes)
        {
            lane.Work.IsStopping = false;
            lane.LastReplyAt = now;
            for (int i = 0; i < lane.Sessions.Count; i++)
            {
                Session session = lane.Sessions[i];
                session.Lane = lane;
                session.Number = i;
                session.SetDepth(lane.Depth);
            }
        }
    }

    private void ForgetLanes()
    {
        now = lastReceivedAt = time.GetTimestamp();
        lanes.Clear();
        foreach (Session session in sessions)
            session.Lane = null;
    }

    private void Drain(Lane lane)
    {
        lane.Work.IsStopping = true;
        while (!lane.IsDrained)
        {
            WaitOnce(WaitMs);
            Housekeep(null);
        }
    }

    private PhaseResult Result(Lane main, Lane? beside, long start) => new(
        main.Meter,
        time.GetElapsedTime(start, main.LastReplyAt),
        time.GetElapsedTime(0, main.LongestGap),
        beside?.Meter,
        time.GetElapsedTime(0, beside?.LongestGap ?? 0));

    private void WaitOnce(int timeoutMs)
    {
        int count;
        try
        {
            count = transport.Wait(ready, timeoutMs);
        }
        catch (TransportException e)
        {
            throw new BenchException(e.Message);
        }
        now = time.GetTimestamp();
        for (int i = 0; i < count; i++)
            Serve(sessions[ready[i].Tag], ready[i]);
    }

    private void Serve(Session session, Readiness readiness)
    {
        if (session.State == SessionState.Closed)
            return;
        try
        {
            if (readiness.CanWrite)
                Flush(session);
            if (readiness.CanRead)
                Receive(session);
        }
        catch (TransportException e)
        {
            throw new BenchException(session.State == SessionState.Opening
                ? $"cannot open session {session.Index + 1} at {session.Server}: {e.Message}"
                : $"{session}, {session.InFlight} requests in flight: {e.Message}");
        }
    }

    private void PumpNews()
    {
        foreach (Lane lane in lanes)
        {
            if (!lane.Work.HasNews)
                continue;
            lane.Work.HasNews = false;
            Pump(lane);
        }
    }

    private void Pump(Lane lane)
    {
        foreach (Session session in lane.Sessions)
            Pump(session, lane);
    }

    /// <summary>Fills the session's window and sends what that gave in one call.</summary>
    private void Pump(Session session, Lane lane)
    {
        // A connection that takes no bytes now gets no more: its requests would wait here, unseen by the server.
        if (session.State != SessionState.Open || session.Unsent.Length > 0)
            return;
        output.Clear();
        int first = session.NextXid;
        while (session.InFlight < lane.Depth && lane.MayIssue
            && lane.Work.TryWrite(session, session.NextXid, output))
        {
            session.NextXid++;
            lane.Issued++;
            lane.InFlight++;
        }
        if (session.NextXid == first)
            return;
        session.StampSent(first, time.GetTimestamp());
        Send(session, output.WrittenSpan);
    }

    private void Send(Session session, ReadOnlySpan<byte> bytes)
    {
        int sent = session.Unsent.Length > 0 ? 0 : transport.Send(session.Handle, bytes);
        if (sent == bytes.Length)
            return;
        if (session.Unsent.Length == 0)
            transport.WatchWritable(session.Handle, true);
        session.Unsent.WriteRaw(bytes[sent..]);
    }

    private void Flush(Session session)
    {
        session.UnsentFrom += transport.Send(session.Handle, session.Unsent.WrittenSpan[session.UnsentFrom..]);
        if (session.UnsentFrom < session.Unsent.Length)
            return;
        session.Unsent.Clear();
        session.UnsentFrom = 0;
        transport.WatchWritable(session.Handle, false);
        if (session.Lane is { } lane)
            Pump(session, lane);
    }

    private void Housekeep(Meter? meter)
    {
        if (now < housekeepingAt)
            return;
        housekeepingAt = now + time.TimestampFrequency;
        if (meter is not null)
            progress?.Invoke(now, meter.Count);
        PingIdle();
        foreach (Lane lane in lanes)
        {
            if (lane.InFlight > 0 && time.GetElapsedTime(lastReceivedAt, now) > settings.ReplyTimeout)
                throw new BenchException($"no reply for {settings.ReplyTimeout.TotalSeconds:0} s, "
                    + $"{lane.InFlight} requests in flight");
        }
    }

    private void PingIdle()
    {
        foreach (Session session in sessions)
        {
            if (session.State != SessionState.Open || session.InFlight > 0)
                continue;
            double idleMs = time.GetElapsedTime(session.LastSentAt, now).TotalMilliseconds;
            if (idleMs * 3 < session.TimeoutMs)
                continue;
            session.LastSentAt = now;
            session.PingsInFlight++;
            try
            {
                Send(session, ping);
            }
            catch (TransportException e)
            {
                throw new BenchException($"{session}, idle: {e.Message}");
            }
        }
    }
}
