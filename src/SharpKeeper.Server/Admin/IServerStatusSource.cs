using System.Net;
using SharpKeeper.Core.Zab;
using SharpKeeper.Protocol;

namespace SharpKeeper.Server.Admin;

/// <summary>
/// What a server tells about itself. Members are read on the thread of the connection that asks; the implementer
/// takes whatever access to the tree or to other connections a member needs, and each answer is consistent in itself.
/// While <see cref="IsServing"/> is false only the members above it are read.
/// </summary>
internal interface IServerStatusSource
{
    /// <summary>The settings the server runs with.</summary>
    ServerOptions Options { get; }

    /// <summary>Whether requests are being processed.</summary>
    bool IsServing { get; }

    /// <summary>Whether only reads are processed, for lack of a quorum.</summary>
    bool IsReadOnly { get; }

    /// <summary>This server's part in its ensemble; null if it stands alone.</summary>
    EnsembleStatus? Ensemble { get; }

    /// <summary>The mode as tools know it: standalone, leader, follower, observer or read-only.</summary>
    string Mode { get; }

    /// <summary>The port clients connect to, known once it is bound.</summary>
    int ClientPort { get; }

    /// <summary>This server's id in its ensemble; 0 standalone.</summary>
    long ServerId { get; }

    /// <summary>The last transaction applied.</summary>
    Zxid LastZxid { get; }

    /// <summary>Requests received and not yet answered.</summary>
    long OutstandingRequests { get; }

    /// <summary>Open connections, the asking one included.</summary>
    int ConnectionCount { get; }

    /// <summary>How long the server has been serving.</summary>
    TimeSpan Uptime { get; }

    /// <summary>Counts of the tree and of sessions.</summary>
    TreeCounts Counts { get; }

    /// <summary>The chance that the connection throttle drops a new connection, from 0 to 1.</summary>
    double ConnectionDropProbability { get; }

    /// <summary>Bytes of the snapshot files.</summary>
    long DataDirBytes { get; }

    /// <summary>Bytes of the log files.</summary>
    long LogDirBytes { get; }

    /// <summary>Every open connection, the asking one included.</summary>
    IReadOnlyList<ConnectionStatus> Connections { get; }

    /// <summary>Sessions in the order and grouping of their expiry, empty groups included.</summary>
    IReadOnlyList<ExpiryBucket<SessionId>> SessionExpiries { get; }

    /// <summary>
    /// The sessions of the whole ensemble where another server, the leader, lets them expire; null where this one does.
    /// </summary>
    IReadOnlyList<KeyValuePair<SessionId, TimeSpan>>? FollowedSessions { get; }

    /// <summary>
    /// The sessions that only this server knows, as <see cref="SessionExpiries"/>; null where there can be none.
    /// </summary>
    IReadOnlyList<ExpiryBucket<SessionId>>? LocalSessionExpiries { get; }

    /// <summary>Connections in the order and grouping of their idle limit.</summary>
    IReadOnlyList<ExpiryBucket<ConnectionId>> ConnectionExpiries { get; }

    /// <summary>The ephemerals of each session that has any.</summary>
    IReadOnlyList<KeyValuePair<SessionId, IReadOnlyList<string>>> EphemeralsBySession { get; }

    /// <summary>The data watches (not those of children) of each session that has any.</summary>
    IReadOnlyList<KeyValuePair<SessionId, IReadOnlyList<string>>> WatchedPathsBySession { get; }

    /// <summary>The sessions with a data watch on each path that has any.</summary>
    IReadOnlyList<KeyValuePair<string, IReadOnlyList<SessionId>>> WatchingSessionsByPath { get; }

    /// <summary>How many data watches there are.</summary>
    WatchCounts DataWatches { get; }

    /// <summary>The tree digests noted at every 128th transaction, oldest first.</summary>
    IReadOnlyList<KeyValuePair<Zxid, ulong>> Digests { get; }

    /// <summary>The quotas in force and how much of each is used.</summary>
    IReadOnlyList<QuotaStatus> Quotas { get; }

    /// <summary>Starts the statistics of every connection again from nothing.</summary>
    void ResetConnectionStatistics();
}

/// <summary>Counts of the tree and of sessions.</summary>
/// <param name="Znodes">Nodes as Apache counts them, the root twice.</param>
/// <param name="Watches">Watches of both tables.</param>
/// <param name="Ephemerals">Ephemeral nodes.</param>
/// <param name="ApproximateDataBytes">Bytes of paths and data.</param>
/// <param name="GlobalSessions">Sessions known to the whole ensemble.</param>
/// <param name="LocalSessions">Sessions known to this server only.</param>
internal readonly record struct TreeCounts(
    long Znodes, long Watches, long Ephemerals, long ApproximateDataBytes, long GlobalSessions, long LocalSessions);

/// <summary>How many sessions watch how many paths with how many watches.</summary>
internal readonly record struct WatchCounts(int Sessions, int Paths, int Watches);

/// <summary>One quota.</summary>
/// <param name="Namespace">The first part of the path the quota is for.</param>
/// <param name="CountLimit">Nodes allowed, or -1.</param>
/// <param name="BytesLimit">Bytes allowed, or -1.</param>
/// <param name="CountUsed">Nodes there are.</param>
/// <param name="BytesUsed">Bytes there are.</param>
internal readonly record struct QuotaStatus(
    string Namespace, long CountLimit, long BytesLimit, long CountUsed, long BytesUsed);

/// <summary>Everything that expires at one time.</summary>
/// <param name="Expiry">The wall-clock time.</param>
/// <param name="Members">What expires then; may be empty.</param>
internal readonly record struct ExpiryBucket<T>(DateTimeOffset Expiry, IReadOnlyList<T> Members);

/// <summary>A connection by its remote end and its session (none before the handshake).</summary>
internal readonly record struct ConnectionId(EndPoint Remote, SessionId Session);

/// <summary>What is known of one connection.</summary>
internal sealed record ConnectionStatus
{
    /// <summary>The client's end.</summary>
    internal required EndPoint Remote { get; init; }

    /// <summary>What the connection waits for: 1 to read, 4 to write, 5 both, 0 neither (the asking one).</summary>
    internal int InterestOps { get; init; } = 1;

    /// <summary>Requests received and not yet answered.</summary>
    internal long Queued { get; init; }

    /// <summary>Packets received.</summary>
    internal long Received { get; init; }

    /// <summary>Packets sent.</summary>
    internal long Sent { get; init; }

    /// <summary>The session, none before the handshake; what follows is meaningless until then.</summary>
    internal SessionId Session { get; init; }

    /// <summary>The latest operation in Apache's four letters, as <see cref="OpTable"/> has them.</summary>
    internal string LastOperation { get; init; } = OpInfo.NoShortName;

    /// <summary>When the connection was made.</summary>
    internal DateTimeOffset Established { get; init; }

    /// <summary>The negotiated session timeout.</summary>
    internal TimeSpan SessionTimeout { get; init; }

    /// <summary>The xid of the latest request; negative ones (heartbeats) are not shown.</summary>
    internal long LastXid { get; init; } = -1;

    /// <summary>The zxid of the latest reply.</summary>
    internal Zxid LastZxid { get; init; } = new(-1);

    /// <summary>When the latest reply was sent, in ms of the monotonic clock.</summary>
    internal long LastResponseMs { get; init; }

    /// <summary>Latency of the latest request in ms.</summary>
    internal long LastLatencyMs { get; init; }

    /// <summary>Smallest latency in ms.</summary>
    internal long MinLatencyMs { get; init; }

    /// <summary>Average latency in ms.</summary>
    internal long AvgLatencyMs { get; init; }

    /// <summary>Largest latency in ms.</summary>
    internal long MaxLatencyMs { get; init; }
}
