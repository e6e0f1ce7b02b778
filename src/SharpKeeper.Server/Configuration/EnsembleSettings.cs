using SharpKeeper.Core;
using SharpKeeper.Protocol;
using SharpKeeper.Protocol.Quorum;

namespace SharpKeeper.Server;

/// <summary>
/// The settings of a server that is one of an ensemble: who it is, who the others are, and how they deal with each
/// other. The defaults are Apache's.
/// </summary>
public sealed record EnsembleSettings
{
    /// <summary>This server's number. File <c>myid</c> in <c>dataDir</c>.</summary>
    public required ServerId Self { get; init; }

    /// <summary>The servers at start. Keys <c>server.N</c>, <c>group.N</c>, <c>weight.N</c>, or the file named by
    /// <c>dynamicConfigFile</c>.</summary>
    public required EnsembleConfig Config { get; init; }

    /// <summary>A configuration that was proposed and not known to be committed when the server ended; or null.
    /// File <c>zoo.cfg.dynamic.next</c>.</summary>
    public EnsembleConfig? NextConfig { get; init; }

    /// <summary>Whether this server joins without a vote while no configuration says otherwise. Default false.
    /// Key <c>peerType</c> (participant or observer).</summary>
    public bool IsObserver { get; init; }

    /// <summary>Ticks a leader has to be established, and a learner to be brought up to date. Default 10.
    /// Key <c>initLimit</c>, which a file must set.</summary>
    public int InitLimitTicks { get; init; } = 10;

    /// <summary>Ticks without a sign of life after which another server is given up. Default 5.
    /// Key <c>syncLimit</c>, which a file must set.</summary>
    public int SyncLimitTicks { get; init; } = 5;

    /// <summary>Ticks a learner tries to connect to its leader; 0 means two, at least a second (default).
    /// Key <c>connectToLearnerMasterLimit</c>.</summary>
    public int ConnectLimitTicks { get; init; }

    /// <summary>The wait between two tries to connect to the leader. Default 100 ms.
    /// Key <c>leaderConnectDelayDuringRetryMs</c>.</summary>
    public TimeSpan ConnectRetryDelay { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>How long a connection to an election port may take. Default 5 s. Key <c>cnxTimeout</c> (ms).</summary>
    public TimeSpan ElectionConnectTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How long a new connection to the election port may take to say who it is; null for
    /// <see cref="SyncLimitTicks"/> (default). Key <c>quorumCnxnTimeoutMs</c> (ms, -1 for null).</summary>
    public TimeSpan? ElectionHandshakeTimeout { get; init; }

    /// <summary>Further tries, a second apart, to open the election port; 0 tries for ever. Default 3.
    /// Key <c>electionPortBindRetry</c>.</summary>
    public int ElectionBindRetries { get; init; } = 3;

    /// <summary>Connections to election ports that are being made at one time at most. Default 20.
    /// Key <c>quorum.cnxn.threads.size</c>.</summary>
    public int ElectionConnectsMax { get; init; } = 20;

    /// <summary>Whether the ports for servers listen on all addresses, not only on those configured. Default false.
    /// Key <c>quorumListenOnAllIPs</c>.</summary>
    public bool ListensOnAllAddresses { get; init; }

    /// <summary>Whether connections between servers ask for TCP keep-alive. Default false.
    /// Key <c>tcpKeepAlive</c>.</summary>
    public bool TcpKeepAlive { get; init; }

    /// <summary>The first wait for votes before the own vote is sent again; it doubles each time. Default 200 ms.
    /// Key <c>fastleader.minNotificationInterval</c> (ms).</summary>
    public TimeSpan NotificationIntervalMin { get; init; } = TimeSpan.FromMilliseconds(200);

    /// <summary>The longest such wait. Default 60 s. Key <c>fastleader.maxNotificationInterval</c> (ms).</summary>
    public TimeSpan NotificationIntervalMax { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Whether the leader takes clients too. Default true. Key <c>leaderServes</c> (yes or no).</summary>
    public bool LeaderServes { get; init; } = true;

    /// <summary>Snapshots a leader sends to observers at one time at most; voters are always served. Default 10.
    /// Key <c>leader.maxConcurrentSnapSyncs</c>.</summary>
    public int ConcurrentSnapSyncsMax { get; init; } = 10;

    /// <summary>Sets of missing transactions a leader sends to observers at one time at most. Default 100.
    /// Key <c>leader.maxConcurrentDiffSyncs</c>.</summary>
    public int ConcurrentDiffSyncsMax { get; init; } = 100;

    /// <summary>Committed transactions that are kept in memory for learners that lag; at least 500. Default 500.
    /// Key <c>commitLogCount</c>.</summary>
    public int CommitLogCount { get; init; } = 500;

    /// <summary>How long the log that a learner needs from disk may be, as a share of the newest snapshot, before a
    /// snapshot is sent instead; 0 is no limit, less never sends from disk. Default 0.33.
    /// Key <c>snapshotSizeFactor</c>.</summary>
    public double SnapshotSizeFactor { get; init; } = 0.33;

    /// <summary>Whether every learner is sent a snapshot, whatever it has. Default false.
    /// Key <c>forceSnapshotSync</c>.</summary>
    public bool ForceSnapshotSync { get; init; }

    /// <summary>Whether an observer logs what it is told, and so starts from its own disk. Default true.
    /// Key <c>syncEnabled</c>.</summary>
    public bool ObserverLogs { get; init; } = true;

    /// <summary>Whether a single voter runs standalone, and a reconfiguration must leave two. Default true.
    /// Key <c>standaloneEnabled</c>.</summary>
    public bool StandaloneEnabled { get; init; } = true;

    /// <summary>Whether servers may have several addresses. Default false. Key <c>multiAddress.enabled</c>.</summary>
    public bool MultiAddressEnabled { get; init; }

    /// <summary>The file <see cref="Config"/> was read from; null if that was zoo.cfg itself.
    /// Key <c>dynamicConfigFile</c>.</summary>
    public string? DynamicConfigFile { get; init; }

    /// <summary>Whether an empty server may vote without being told that its emptiness is right. Default true.
    /// Key <c>db.autocreate</c>.</summary>
    internal bool DatabaseAutoCreate { get; init; } = true;

    /// <summary>What the replica needs of these settings and of <paramref name="server"/>, whose part they
    /// are.</summary>
    /// <param name="server">All settings of the server.</param>
    /// <param name="acceptedEpoch">The durable acceptedEpoch.</param>
    /// <param name="currentEpoch">The durable currentEpoch.</param>
    internal EnsembleOptions ToReplicaOptions(ServerOptions server, long acceptedEpoch, long currentEpoch)
    {
        EnsembleOptions defaults = new() { Self = Self, Config = Config };
        long recordBytesMax = (long)server.PacketBytesMax + server.PacketExtraBytesMax;
        return defaults with
        {
            IsObserver = IsObserver,
            NextConfig = NextConfig,
            AcceptedEpoch = acceptedEpoch,
            CurrentEpoch = currentEpoch,
            InitLimitTicks = InitLimitTicks,
            SyncLimitTicks = SyncLimitTicks,
            ConnectLimitTicks = ConnectLimitTicks,
            MinNotificationIntervalMs = (int)NotificationIntervalMin.TotalMilliseconds,
            MaxNotificationIntervalMs = (int)NotificationIntervalMax.TotalMilliseconds,
            LeaderServes = LeaderServes,
            AllowsSingleVoter = !StandaloneEnabled,
            ObserverLogs = ObserverLogs,
            LocalSessions = server.LocalSessionsEnabled,
            LocalSessionsUpgrade = server.LocalSessionsUpgradingEnabled,
            ReadOnlyMode = server.ReadOnlyModeEnabled,
            ForceSnapshotSync = ForceSnapshotSync,
            UsesLogOnDisk = SnapshotSizeFactor >= 0,
            HistoryTxnsMin = CommitLogCount,
            PacketBytesMax = (int)Math.Clamp(recordBytesMax, defaults.PacketBytesMax, int.MaxValue),
            ConcurrentSnapSyncsMax = ConcurrentSnapSyncsMax,
            ConcurrentDiffSyncsMax = ConcurrentDiffSyncsMax,
        };
    }
}
