using SharpKeeper.Core.Clients;
namespace SharpKeeper.Core.Sessions;

/// <summary>One session of the replica.</summary>
public sealed class Session(long id, int timeoutMs)
{
    /// <summary>Its id.</summary>
    public long Id { get; } = id;

    /// <summary>Timeout in milliseconds: the one negotiated last.</summary>
    public int TimeoutMs { get; set; } = timeoutMs;

    /// <summary>The connection that speaks for it, if there is one.</summary>
    public ClientLink? Link { get; set; }

    /// <summary>Monotonic time of the last sign of life that is known here, milliseconds.</summary>
    public long LastHeardMs { get; set; }

    /// <summary>
    /// Who speaks for it: a learner of this leader, this server itself, or null while nobody has since the leader began.
    /// </summary>
    public object? Owner { get; set; }

    /// <summary>Is it known to this server only? Then it has no transactions of its own and no ephemerals.</summary>
    public bool IsLocal { get; init; }

    /// <summary>Its end has been proposed; it gets no further write.</summary>
    public bool IsClosing { get; set; }

    /// <summary>The bucket of the expiry wheel it is in, by its time.</summary>
    internal long BucketMs { get; set; } = -1;

    /// <summary>Its place in that bucket.</summary>
    internal int BucketIndex { get; set; }
}

/// <summary>
/// The live sessions and when each expires. A sign of life costs nothing here: connections note the time themselves,
/// and a session whose bucket comes due is moved on if its connection was heard since.
/// </summary>
public sealed class SessionTable(int tickMs, bool isLocal = false)
{
    private readonly Dictionary<long, Session> sessions = [];
    private readonly SortedDictionary<long, List<Session>> buckets = [];

    /// <summary>Number of sessions.</summary>
    public int Count => sessions.Count;

    /// <summary>All sessions, in no defined order.</summary>
    public IEnumerable<Session> All => sessions.Values;

    /// <summary>The buckets in order of time: what comes due when.</summary>
    public IEnumerable<KeyValuePair<long, List<Session>>> Buckets => buckets;

    /// <summary>The session of that id, or null.</summary>
    public Session? Find(long id) => sessions.GetValueOrDefault(id);

    /// <summary>Adds a session, or changes the timeout of one that exists.</summary>
    public Session Add(long id, int timeoutMs, long nowMs)
    {
        if (!sessions.TryGetValue(id, out Session? session))
        {
            session = new Session(id, timeoutMs) { IsLocal = isLocal };
            sessions.Add(id, session);
        }
        session.TimeoutMs = timeoutMs;
        session.LastHeardMs = nowMs;
        Schedule(session, nowMs);
        return session;
    }

    /// <summary>Removes all sessions.</summary>
    public void Clear()
    {
        sessions.Clear();
        buckets.Clear();
    }

    /// <summary>Removes a session; false if there is none of that id.</summary>
    public bool Remove(long id)
    {
        if (!sessions.Remove(id, out Session? session))
            return false;
        Unschedule(session);
        return true;
    }

    /// <summary>Notes a sign of life.</summary>
    public void Touch(Session session, long nowMs)
    {
        session.LastHeardMs = Math.Max(session.LastHeardMs, nowMs);
        Schedule(session, session.LastHeardMs);
    }

    /// <summary>
    /// Moves sessions that were heard of to later buckets and collects those whose time has come. They stay in the
    /// table, marked as closing. After looking at <paramref name="max"/> of them it leaves the rest to the next call.
    /// </summary>
    public void CollectExpired(long nowMs, List<Session> expired, int max = int.MaxValue)
    {
        while (buckets.Count > 0)
        {
            (long dueMs, List<Session> due) = buckets.First();
            if (dueMs > nowMs)
                return;
            while (due.Count > 0)
            {
                if (max-- == 0)
                    return;
                Session session = due[^1];
                due.RemoveAt(due.Count - 1);
                session.BucketMs = -1;
                Judge(session, nowMs, expired);
            }
            buckets.Remove(dueMs);
        }
    }

    private void Judge(Session session, long nowMs, List<Session> expired)
    {
        if (session.IsClosing)
            return;
        if (session.Link is { } link)
            session.LastHeardMs = Math.Max(session.LastHeardMs, link.LastHeardMs);
        if (DueMs(session, session.LastHeardMs) > nowMs)
        {
            Schedule(session, session.LastHeardMs);
            return;
        }
        session.IsClosing = true;
        expired.Add(session);
    }

    private long DueMs(Session session, long heardMs) => (((heardMs + session.TimeoutMs) / tickMs) + 1) * tickMs;

    private void Schedule(Session session, long heardMs)
    {
        long due = DueMs(session, heardMs);
        if (due == session.BucketMs)
            return;
        Unschedule(session);
        if (!buckets.TryGetValue(due, out List<Session>? bucket))
            buckets.Add(due, bucket = []);
        session.BucketIndex = bucket.Count;
        bucket.Add(session);
        session.BucketMs = due;
    }

    private void Unschedule(Session session)
    {
        if (session.BucketMs < 0)
            return;
        if (buckets.TryGetValue(session.BucketMs, out List<Session>? bucket))
        {
            Session last = bucket[^1];
            bucket[session.BucketIndex] = last;
            last.BucketIndex = session.BucketIndex;
            bucket.RemoveAt(bucket.Count - 1);
            if (bucket.Count == 0)
                buckets.Remove(session.BucketMs);
        }
        session.BucketMs = -1;
    }
}
