namespace SharpKeeper.Cli.Bench.Driver;

/// <summary>A work, the sessions that do it, and what was measured of it in one phase.</summary>
internal sealed class Lane(Workload work, ArraySegment<Session> sessions, int depth)
{
    /// <summary>What is done.</summary>
    public Workload Work { get; } = work;

    /// <summary>Who does it.</summary>
    public ArraySegment<Session> Sessions { get; } = sessions;

    /// <summary>Requests kept in flight by each session.</summary>
    public int Depth { get; } = depth;

    /// <summary>Times from send to reply.</summary>
    public Meter Meter { get; } = new();

    /// <summary>Requests begun.</summary>
    public long Issued { get; set; }

    /// <summary>Requests in flight over all sessions.</summary>
    public long InFlight { get; set; }

    /// <summary>Most requests to begin.</summary>
    public long IssuedMax { get; set; } = long.MaxValue;

    /// <summary>Stopwatch ticks of the last reply, or of the begin.</summary>
    public long LastReplyAt { get; set; }

    /// <summary>Longest time between two replies while requests were in flight, in stopwatch ticks.</summary>
    public long LongestGap { get; set; }

    /// <summary>May another request begin?</summary>
    public bool MayIssue => Issued < IssuedMax && (!Work.IsStopping || Work.RunsItself);

    /// <summary>Has all that was begun ended?</summary>
    public bool IsDrained => InFlight == 0 && !Work.IsWaiting;
}
