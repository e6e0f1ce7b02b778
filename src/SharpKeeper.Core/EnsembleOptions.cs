using SharpKeeper.Core.Zab;
using SharpKeeper.Protocol;
using SharpKeeper.Protocol.Quorum;

namespace SharpKeeper.Core;

/// <summary>What a replica of an ensemble must know beforehand, beyond <see cref="ReplicaOptions"/>.</summary>
public sealed record EnsembleOptions
{
    /// <summary>This server's number.</summary>
    public required ServerId Self { get; init; }

    /// <summary>Is it to join as observer while the configuration does not know it, or says nothing else?</summary>
    public bool IsObserver { get; init; }

    /// <summary>The committed configuration at start.</summary>
    public required EnsembleConfig Config { get; init; }

    /// <summary>The configuration that was proposed and not known to be committed when the server ended; or null.</summary>
    public EnsembleConfig? NextConfig { get; init; }

    /// <summary>The durable acceptedEpoch at start.</summary>
    public long AcceptedEpoch { get; init; }

    /// <summary>The durable currentEpoch at start.</summary>
    public long CurrentEpoch { get; init; }

    /// <summary>Ticks that a leader has to be established, and a learner to be synchronised; <c>initLimit</c>.</summary>
    public int InitLimitTicks { get; init; } = 10;

    /// <summary>Ticks without a sign of life after which a link is given up; <c>syncLimit</c>.</summary>
    public int SyncLimitTicks { get; init; } = 5;

    /// <summary>
    /// Ticks for which a learner tries to reach its leader before it looks for one again; 0 for two ticks, at least a
    /// second. <c>connectToLearnerMasterLimit</c>.
    /// </summary>
    public int ConnectLimitTicks { get; init; }

    /// <summary>First wait for votes before the own vote is sent again, milliseconds; doubles each time.</summary>
    public int MinNotificationIntervalMs { get; init; } = 200;

    /// <summary>Longest such wait, milliseconds.</summary>
    public int MaxNotificationIntervalMs { get; init; } = 60_000;

    /// <summary>How long a better vote is waited for once a quorum agrees, milliseconds.</summary>
    public int FinalizeWaitMs { get; init; } = 200;

    /// <summary>Does the leader take clients? <c>leaderServes</c>.</summary>
    public bool LeaderServes { get; init; } = true;

    /// <summary>May a reconfiguration leave a single voter behind? <c>standaloneEnabled</c> is then false.</summary>
    public bool AllowsSingleVoter { get; init; }

    /// <summary>
    /// Does an observer log what it is told? If not it starts from its last snapshot each time. <c>syncEnabled</c>.
    /// </summary>
    public bool ObserverLogs { get; init; } = true;

    /// <summary>Are sessions local to one server at first? <c>localSessionsEnabled</c>.</summary>
    public bool LocalSessions { get; init; }

    /// <summary>Does a local session become global when it creates an ephemeral?</summary>
    public bool LocalSessionsUpgrade { get; init; }

    /// <summary>Are clients that ask for it served read-only while there is no quorum?</summary>
    public bool ReadOnlyMode { get; init; }

    /// <summary>Is every learner sent a snapshot? <c>forceSnapshotSync</c>.</summary>
    public bool ForceSnapshotSync { get; init; }

    /// <summary>Are logs on disk used for DIFF? <c>snapshotSizeFactor</c> of 0 or more.</summary>
    public bool UsesLogOnDisk { get; init; } = true;

    /// <summary>Committed transactions kept in memory at least; <c>commitLogCount</c>.</summary>
    public int HistoryTxnsMin { get; init; } = 500;

    /// <summary>Bytes of committed transactions kept in memory beyond that number.</summary>
    public long HistoryBytesMax { get; init; } = 16L << 20;

    /// <summary>Longest data of a packet from another server, bytes.</summary>
    public int PacketBytesMax { get; init; } = 64 << 20;

    /// <summary>Snapshots sent at the same time to observers at most; <c>leader.maxConcurrentSnapSyncs</c>.</summary>
    public int ConcurrentSnapSyncsMax { get; init; } = 10;

    /// <summary>DIFFs sent at the same time to observers at most; <c>leader.maxConcurrentDiffSyncs</c>.</summary>
    public int ConcurrentDiffSyncsMax { get; init; } = 100;

    /// <summary>
    /// Transactions of one epoch after which the leader makes way for a new one: the counter has 32 bits, and a single
    /// step may propose many.
    /// </summary>
    internal uint CounterMax { get; init; } = uint.MaxValue - 0x10000;

    /// <summary>Deliberate mistakes, for tests of the tests.</summary>
    internal PlantedBug Bugs { get; init; }
}
