using SharpKeeper.Core.Watches;
using SharpKeeper.Protocol;

namespace SharpKeeper.Core.Clients;

/// <summary>
/// A client's connection as the replica sees it: its session, its identities, its watches, and the bytes that wait to
/// be sent to it.
/// </summary>
/// <remarks>
/// Two parties use it. The connection's own thread answers reads and writes to <see cref="Output"/> while it holds
/// shared access to the tree; the replica writes to <see cref="Output"/> while it holds exclusive access. So no two
/// threads ever touch the mutable parts at once, and an event that the replica appends stands before any read that the
/// connection answers later.
/// </remarks>
public sealed class ClientLink
{
    private readonly RequestQueue queue = new();
    private AuthId[] identities = [];

    /// <summary>Creates the link of a connection that has no session yet.</summary>
    /// <param name="watches">The watch table of the connection's thread.</param>
    /// <param name="owner">What the driver needs to find its connection again; opaque to Core.</param>
    public ClientLink(WatchTable watches, object? owner)
    {
        Watches = watches;
        Owner = owner;
    }

    /// <summary>The driver's connection.</summary>
    public object? Owner { get; }

    /// <summary>The watch table of the connection's thread.</summary>
    public WatchTable Watches { get; }

    /// <summary>The session, once established.</summary>
    public SessionId Session { get; set; }

    /// <summary>Negotiated session timeout in milliseconds.</summary>
    public int TimeoutMs { get; set; }

    /// <summary>Did the client send the readOnly byte of the handshake? Then the answer has it too.</summary>
    public bool SpeaksReadOnly { get; set; }

    /// <summary>Is the client served read-only, for lack of a quorum? The answer to its handshake says so.</summary>
    public bool IsReadOnly { get; set; }

    /// <summary>Monotonic time of the last request, milliseconds; written by the connection's thread.</summary>
    public long LastHeardMs { get; set; }

    /// <summary>Replies and events that the connection has not taken yet.</summary>
    public JuteBuffer Output { get; set; } = new();

    /// <summary>Is the link on the list of links with new output?</summary>
    public bool IsDirty { get; set; }

    /// <summary>The connection has gone; nothing more is written.</summary>
    public bool IsClosed { get; set; }

    /// <summary>The replica has asked for the connection to be closed at once.</summary>
    public bool IsHangingUp { get; set; }

    /// <summary>Is what was answered before the hanging up still to be sent?</summary>
    public bool SendsRest { get; set; }

    /// <summary>The connection is to be closed once its output is sent.</summary>
    public bool IsClosing { get; set; }

    /// <summary>The session is established: the handshake was answered and requests may follow.</summary>
    public bool IsEstablished { get; set; }

    /// <summary>Requests that the connection has handed to the replica; written by the connection's thread.</summary>
    public long Posted { get; set; }

    /// <summary>Requests that the replica has answered; written by the replica.</summary>
    public long Answered { get; set; }

    /// <summary>True while the replica holds requests of this link: reads must then queue behind them.</summary>
    public bool HasUnanswered => Posted != Answered;

    /// <summary>First of the link's registrations in <see cref="Watches"/>, -1 for none.</summary>
    public int FirstWatch { get; set; } = -1;

    /// <summary>Number of the link's registrations.</summary>
    public int WatchCount { get; set; }

    /// <summary>The last trigger of the watch table that reached this link.</summary>
    internal long ReachedByTrigger { get; set; }

    /// <summary>Figures for the operators' commands.</summary>
    public LinkStatistics Statistics { get; } = new();

    /// <summary>The connection's identities. The array is replaced, never changed.</summary>
    public ReadOnlySpan<AuthId> Identities => identities;

    /// <summary>Adds an identity unless the connection has it.</summary>
    public void AddIdentity(AuthId identity)
    {
        if (Array.IndexOf(identities, identity) < 0)
            identities = [.. identities, identity];
    }

    /// <summary>Requests of the session in the replica's hands, in order; the replica's alone.</summary>
    internal RequestQueue Queue => queue;

    /// <summary>The time of serving in which the connection came; what it asks later is not answered.</summary>
    internal int ServingPeriod { get; set; }

    /// <summary>Syncs that the leader has answered and the client has not been told of.</summary>
    internal int SyncsAnswered { get; set; }

    /// <summary>What must be applied before the client may be told.</summary>
    internal Zxid SyncZxid { get; set; }
}

/// <summary>A request that waits in its session's order.</summary>
/// <param name="Zxid">
/// The transaction a write became; zero where the answer waits for nothing but its turn; or what else it waits for.
/// </param>
/// <param name="Xid">The client's request id.</param>
/// <param name="Op">The operation.</param>
/// <param name="StartMs">When the server received it, monotonic milliseconds.</param>
internal readonly record struct QueuedRequest(Zxid Zxid, int Xid, OpCode Op, long StartMs)
{
    /// <summary>The leader makes the transaction, and only the request's id will tell which it is.</summary>
    public static Zxid AwaitsLeader => new(-1);

    /// <summary>The leader confirms that everything committed is here.</summary>
    public static Zxid AwaitsSync => new(-2);

    /// <summary>The leader says whether the session is alive.</summary>
    public static Zxid AwaitsValidity => new(-3);

    /// <summary>A waiting read's own copy of its body.</summary>
    public byte[]? Body { get; init; }

    /// <summary>The answer of a request that was refused without a transaction.</summary>
    public ErrorCode Refusal { get; init; }

    /// <summary>
    /// Did the server put it before a client's request, to make the session known to the ensemble? Nobody waits for an
    /// answer to it.
    /// </summary>
    public bool IsUpgrade { get; init; }

    /// <summary>Types of a multi's results where they differ from those of its transactions.</summary>
    public OpCode[]? ResultTypes { get; init; }
}

/// <summary>Figures of one connection.</summary>
public sealed class LinkStatistics
{
    /// <summary>Packets received.</summary>
    public long Received { get; set; }

    /// <summary>Packets sent.</summary>
    public long Sent { get; set; }

    /// <summary>Last operation.</summary>
    public OpCode LastOp { get; set; }

    /// <summary>Did any operation happen since the last reset?</summary>
    public bool HasLastOp { get; set; }

    /// <summary>Client's id of the last request, -1 for none.</summary>
    public long LastCxid { get; set; } = -1;

    /// <summary>Zxid in the last reply.</summary>
    public long LastZxid { get; set; }

    /// <summary>Monotonic time of the last reply, milliseconds.</summary>
    public long LastResponseMs { get; set; }

    /// <summary>Latency of the last request, milliseconds.</summary>
    public long LastLatencyMs { get; set; }

    /// <summary>Smallest latency, milliseconds.</summary>
    public long MinLatencyMs { get; set; } = long.MaxValue;

    /// <summary>Greatest latency, milliseconds.</summary>
    public long MaxLatencyMs { get; set; }

    /// <summary>Sum of latencies, milliseconds.</summary>
    public long TotalLatencyMs { get; set; }

    /// <summary>Number of latencies in the sum.</summary>
    public long LatencyCount { get; set; }

    /// <summary>Notes an answered request.</summary>
    public void Answered(OpCode op, int xid, Zxid zxid, long startMs, long nowMs)
    {
        long latency = Math.Max(0, nowMs - startMs);
        Sent++;
        LastOp = op;
        HasLastOp = true;
        if (xid > 0)
            LastCxid = xid;
        LastZxid = zxid.Value;
        LastResponseMs = nowMs;
        LastLatencyMs = latency;
        MinLatencyMs = Math.Min(MinLatencyMs, latency);
        MaxLatencyMs = Math.Max(MaxLatencyMs, latency);
        TotalLatencyMs += latency;
        LatencyCount++;
    }

    /// <summary>Starts counting anew.</summary>
    public void Reset()
    {
        Received = Sent = 0;
        HasLastOp = false;
        LastCxid = -1;
        LastZxid = 0;
        LastResponseMs = 0;
        LastLatencyMs = MaxLatencyMs = TotalLatencyMs = LatencyCount = 0;
        MinLatencyMs = long.MaxValue;
    }
}
