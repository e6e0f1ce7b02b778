using SharpKeeper.Protocol;

namespace SharpKeeper.Core.Transactions;

/// <summary>A session as transactions and snapshots know it.</summary>
/// <param name="Id">Its id.</param>
/// <param name="TimeoutMs">Its timeout in milliseconds.</param>
public readonly record struct SessionTimeout(SessionId Id, int TimeoutMs);

/// <summary>The sessions that exist according to the transactions applied so far.</summary>
public sealed class SessionTimeouts
{
    private readonly Dictionary<long, int> timeouts = [];

    /// <summary>Number of sessions.</summary>
    public int Count => timeouts.Count;

    /// <summary>Adds a session or changes its timeout.</summary>
    public void Set(SessionId id, int timeoutMs) => timeouts[id.Value] = timeoutMs;

    /// <summary>Removes a session; one that does not exist is no error.</summary>
    public void Remove(SessionId id) => timeouts.Remove(id.Value);

    /// <summary>Does it exist, and with which timeout?</summary>
    public bool TryGet(SessionId id, out int timeoutMs) => timeouts.TryGetValue(id.Value, out timeoutMs);

    /// <summary>A copy, ascending by id, as a snapshot takes it.</summary>
    public SessionTimeout[] ToArray()
    {
        var all = new SessionTimeout[timeouts.Count];
        int count = 0;
        foreach ((long id, int timeoutMs) in timeouts)
            all[count++] = new SessionTimeout(new SessionId(id), timeoutMs);
        Array.Sort(all, static (a, b) => a.Id.Value.CompareTo(b.Id.Value));
        return all;
    }
}
