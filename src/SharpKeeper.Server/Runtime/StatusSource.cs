using System.Text;
using SharpKeeper.Core;
using SharpKeeper.Core.Clients;
using SharpKeeper.Core.Log;
using SharpKeeper.Core.Sessions;
using SharpKeeper.Core.Watches;
using SharpKeeper.Core.Zab;
using SharpKeeper.Protocol;
using SharpKeeper.Server.Admin;

namespace SharpKeeper.Server.Runtime;

/// <summary>
/// What the running server tells about itself. Read in the replica's turn with exclusive access to the tree, so that
/// every answer is of one moment.
/// </summary>
internal sealed class StatusSource(ServerRuntime runtime) : IServerStatusSource
{
    // Connections are looked at for their idle limit in steps of this length, as Apache does.
    private const long ConnectionBucketMs = 10_000;

    private Replica Replica => runtime.Replica;

    /// <inheritdoc/>
    public ServerOptions Options => runtime.Options;

    /// <inheritdoc/>
    public bool IsServing => Ensemble is not { IsServing: false, IsReadOnly: false };

    /// <inheritdoc/>
    public bool IsReadOnly => Replica.IsStalled || Ensemble is { IsReadOnly: true };

    /// <inheritdoc/>
    public EnsembleStatus? Ensemble => Replica.EnsembleStatus;

    /// <inheritdoc/>
    public string Mode
    {
        get
        {
            if (Replica.IsStalled)
                return "read-only";
            return Ensemble is EnsembleStatus ensemble ? FourLetterWords.ModeOf(ensemble) : "standalone";
        }
    }

    /// <inheritdoc/>
    public int ClientPort => runtime.Transport!.LocalEndPoint.Port;

    /// <inheritdoc/>
    public long ServerId => Options.Ensemble?.Self.Value ?? 0;

    /// <inheritdoc/>
    public Zxid LastZxid => Replica.Tree.LastProcessed;

    /// <inheritdoc/>
    public long OutstandingRequests => Replica.OutstandingTxns;

    /// <inheritdoc/>
    public int ConnectionCount => runtime.Loops.Sum(loop => loop.Clients.Count);

    /// <inheritdoc/>
    public TimeSpan Uptime => TimeSpan.FromMilliseconds(Environment.TickCount64 - runtime.StartedMs);

    /// <inheritdoc/>
    public TreeCounts Counts => new(
        Replica.Tree.Count + 1, runtime.Loops.Sum(loop => loop.Watches.TableEntryCount), Replica.Tree.EphemeralCount,
        Replica.Tree.ApproximateDataBytes, Replica.CommittedSessions.Count, Replica.LocalSessions.Count);

    /// <inheritdoc/>
    public double ConnectionDropProbability => runtime.Throttle.DropProbability;

    /// <inheritdoc/>
    public long DataDirBytes => SizeOf(StorageArea.Snapshots, isLog: false);

    /// <inheritdoc/>
    public long LogDirBytes => SizeOf(StorageArea.Logs, isLog: true);

    /// <inheritdoc/>
    public IReadOnlyList<ConnectionStatus> Connections =>
        [.. runtime.Loops.SelectMany(loop => loop.Clients).Where(client => !client.IsClosed).Select(StatusOf)];

    /// <inheritdoc/>
    public IReadOnlyList<ExpiryBucket<SessionId>> SessionExpiries => BucketsOf(Replica.Sessions);

    /// <inheritdoc/>
    public IReadOnlyList<ExpiryBucket<SessionId>>? LocalSessionExpiries =>
        Ensemble is { } ensemble && (Options.LocalSessionsEnabled || ensemble.IsReadOnly)
            ? BucketsOf(Replica.LocalSessions)
            : null;

    /// <inheritdoc/>
    public IReadOnlyList<KeyValuePair<SessionId, TimeSpan>>? FollowedSessions =>
        Ensemble is null or { State: ServerState.Leading }
            ? null
            : [.. Replica.CommittedSessions.ToArray().Select(session => KeyValuePair.Create(
                session.Id, TimeSpan.FromMilliseconds(session.TimeoutMs)))];

    /// <inheritdoc/>
    public IReadOnlyList<ExpiryBucket<ConnectionId>> ConnectionExpiries =>
        [.. runtime.Loops.SelectMany(loop => loop.Clients)
            .GroupBy(IdleLimitMs)
            .OrderBy(group => group.Key)
            .Select(group => new ExpiryBucket<ConnectionId>(
                WallTimeOf(group.Key),
                [.. group.Select(client => new ConnectionId(client.Remote, client.Link.Session))]))];

    /// <inheritdoc/>
    public IReadOnlyList<KeyValuePair<SessionId, IReadOnlyList<string>>> EphemeralsBySession
    {
        get
        {
            var all = new List<KeyValuePair<SessionId, IReadOnlyList<string>>>();
            foreach (long owner in Replica.Tree.EphemeralOwners.Order())
            {
                var paths = new List<string>();
                Replica.Tree.CollectEphemerals(owner, paths);
                all.Add(new(new SessionId(owner), paths));
            }
            return all;
        }
    }

    /// <inheritdoc/>
    public IReadOnlyList<KeyValuePair<SessionId, IReadOnlyList<string>>> WatchedPathsBySession =>
        [.. DataWatchList().GroupBy(watch => watch.Session, watch => watch.Path)
            .Select(group => KeyValuePair.Create<SessionId, IReadOnlyList<string>>(group.Key, [.. group]))];

    /// <inheritdoc/>
    public IReadOnlyList<KeyValuePair<string, IReadOnlyList<SessionId>>> WatchingSessionsByPath =>
        [.. DataWatchList().GroupBy(watch => watch.Path, watch => watch.Session)
            .Select(group => KeyValuePair.Create<string, IReadOnlyList<SessionId>>(group.Key, [.. group]))];

    /// <inheritdoc/>
    public WatchCounts DataWatches
    {
        get
        {
            List<(string Path, SessionId Session)> watches = DataWatchList();
            return new WatchCounts(
                watches.Select(watch => watch.Session).Distinct().Count(),
                watches.Select(watch => watch.Path).Distinct().Count(), watches.Count);
        }
    }

    /// <inheritdoc/>
    public IReadOnlyList<KeyValuePair<Zxid, ulong>> Digests =>
        [.. Replica.Statistics.Digests.Select(entry => KeyValuePair.Create(entry.Zxid, (ulong)entry.Digest))];

    /// <inheritdoc/>
    public IReadOnlyList<QuotaStatus> Quotas =>
        [.. Replica.Tree.ListQuotas().Select(quota => new QuotaStatus(
            quota.Path.Split('/', 3)[1], quota.Limits.Count, quota.Limits.Bytes, quota.Count, quota.Bytes))];

    /// <inheritdoc/>
    public void ResetConnectionStatistics()
    {
        foreach (ClientConnection client in runtime.Loops.SelectMany(loop => loop.Clients))
            client.Link.Statistics.Reset();
    }

    private List<(string Path, SessionId Session)> DataWatchList()
    {
        var all = new List<(string, SessionId)>();
        foreach (ClientLoop loop in runtime.Loops)
        {
            loop.Watches.Visit((path, link, kinds) =>
            {
                // Child watches stand in a table of their own that these words do not show.
                if (kinds != WatchKinds.Child)
                    all.Add((Encoding.UTF8.GetString(path), link.Session));
            });
        }
        return all;
    }

    private long SizeOf(StorageArea area, bool isLog)
    {
        if (runtime.Device is not { } device)
            return 0;
        return device.List(area)
            .Where(file => isLog
                ? StorageNames.TryParseLog(file.Name, out _)
                : StorageNames.TryParseSnapshot(file.Name, out _))
            .Sum(file => file.Bytes);
    }

    private ExpiryBucket<SessionId>[] BucketsOf(SessionTable sessions) =>
        [.. sessions.Buckets.Select(bucket => new ExpiryBucket<SessionId>(
            WallTimeOf(bucket.Key), [.. bucket.Value.Select(session => new SessionId(session.Id))]))];

    private DateTimeOffset WallTimeOf(long monotonicMs) =>
        DateTimeOffset.FromUnixTimeMilliseconds(runtime.WallMs() + monotonicMs - Environment.TickCount64);

    private long IdleLimitMs(ClientConnection client)
    {
        long limit = client.Link.IsEstablished
            ? client.Link.LastHeardMs + client.Link.TimeoutMs
            : client.AcceptedMs + (long)Options.SessionlessConnectionTimeout.TotalMilliseconds;
        return ((limit / ConnectionBucketMs) + 1) * ConnectionBucketMs;
    }

    private static ConnectionStatus StatusOf(ClientConnection client)
    {
        ClientLink link = client.Link;
        LinkStatistics statistics = link.Statistics;
        bool hasSession = link.IsEstablished;
        return new ConnectionStatus
        {
            Remote = client.Remote,
            InterestOps = InterestOf(client),
            Queued = link.Posted - link.Answered,
            Received = statistics.Received,
            Sent = statistics.Sent,
            Session = hasSession ? link.Session : SessionId.None,
            LastOperation = LastOperationOf(statistics),
            Established = DateTimeOffset.FromUnixTimeMilliseconds(client.AcceptedWallMs),
            SessionTimeout = TimeSpan.FromMilliseconds(link.TimeoutMs),
            LastXid = statistics.LastCxid,
            LastZxid = new Zxid(statistics.LastZxid),
            LastResponseMs = statistics.LastResponseMs,
            LastLatencyMs = statistics.LastLatencyMs,
            MinLatencyMs = statistics.LatencyCount == 0 ? 0 : statistics.MinLatencyMs,
            AvgLatencyMs = statistics.LatencyCount == 0 ? 0 : statistics.TotalLatencyMs / statistics.LatencyCount,
            MaxLatencyMs = statistics.MaxLatencyMs,
        };
    }

    private static string LastOperationOf(LinkStatistics statistics)
    {
        if (!statistics.HasLastOp)
            return OpInfo.NoShortName;
        return statistics.LastOp == OpCode.CreateSession ? "SESS" : OpTable.Find(statistics.LastOp).ShortName;
    }

    // The connection that asks is on its way out and waits for nothing.
    private static int InterestOf(ClientConnection client)
    {
        if (client.Word != FourLetterWord.None)
            return 0;
        return client.QueuedBytes > 0 ? 5 : 1;
    }
}
