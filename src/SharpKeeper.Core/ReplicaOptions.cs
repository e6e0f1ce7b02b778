using SharpKeeper.Core.Transactions;

namespace SharpKeeper.Core;

/// <summary>What a replica must know beforehand. Nothing of it changes while it runs.</summary>
public sealed record ReplicaOptions
{
    /// <summary>The high byte of session ids; 1 for a standalone server.</summary>
    public byte ServerId { get; init; } = 1;

    /// <summary>
    /// Milliseconds that seed the session ids. Wall time, because a monotonic clock starts again after a reboot and would
    /// hand out ids that live sessions have.
    /// </summary>
    public long SessionSeedMs { get; init; }

    /// <summary>Seed for spreading snapshots in time; not for secrets.</summary>
    public ulong RandomSeed { get; init; } = 1;

    /// <summary>Length of a tick in milliseconds; sessions expire at whole ticks.</summary>
    public int TickMs { get; init; } = 3000;

    /// <summary>Shortest session timeout in milliseconds.</summary>
    public int MinSessionTimeoutMs { get; init; } = 6000;

    /// <summary>Longest session timeout in milliseconds.</summary>
    public int MaxSessionTimeoutMs { get; init; } = 60000;

    /// <summary>Who may do what.</summary>
    public required AccessControl Access { get; init; }

    /// <summary>Are TTL znodes allowed?</summary>
    public bool ExtendedTypesEnabled { get; init; }

    /// <summary>Do hard quotas refuse writes?</summary>
    public bool EnforceQuota { get; init; }

    /// <summary>Does each transaction carry the digest of the tree?</summary>
    public bool DigestEnabled { get; init; } = true;

    /// <summary>Does the end of a session list its ephemerals in the log?</summary>
    public bool CloseSessionTxnEnabled { get; init; } = true;

    /// <summary>Is the operation reconfig allowed? A standalone server answers Unimplemented then.</summary>
    public bool ReconfigEnabled { get; init; }

    /// <summary>Largest frame a client may send, bytes.</summary>
    public int RequestBytesMax { get; init; } = 0xfffff;

    /// <summary>Largest reply to a read, bytes; a larger one becomes an error reply.</summary>
    public int ReplyBytesMax { get; init; } = 64 << 20;

    /// <summary>
    /// Bytes of replies and events that a link may hold untaken; a link that would hold more is hung up.
    /// </summary>
    public int LinkOutputBytesMax { get; init; } = 64 << 20;

    /// <summary>Transactions between snapshots; the real number is drawn between half and all of it.</summary>
    public int SnapshotTxnCount { get; init; } = 100_000;

    /// <summary>Bytes of log between snapshots, drawn likewise; 0 or less for no limit.</summary>
    public long SnapshotLogBytes { get; init; } = 4L << 30;

    /// <summary>Milliseconds between looks for empty containers and expired TTL znodes; 0 or less for never.</summary>
    public int ContainerCheckIntervalMs { get; init; } = 60_000;

    /// <summary>Most removals of containers and TTL znodes in a minute.</summary>
    public int ContainerRemovalsPerMinuteMax { get; init; } = 10_000;

    /// <summary>Age in milliseconds after which a container that never had a child is removed; 0 for never.</summary>
    public long ContainerMaxNeverUsedMs { get; init; }

    /// <summary>The ensemble; null for a server that stands alone.</summary>
    public EnsembleOptions? Ensemble { get; init; }
}
