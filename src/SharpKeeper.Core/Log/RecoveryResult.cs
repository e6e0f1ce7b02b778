using SharpKeeper.Core.Transactions;
using SharpKeeper.Core.Tree;
using SharpKeeper.Core.Zab;
using SharpKeeper.Protocol;

namespace SharpKeeper.Core.Log;

/// <summary>What recovery may do, and how the tree is made.</summary>
public sealed record RecoveryOptions
{
    /// <summary>
    /// Replay logs from an empty tree if there is no snapshot; <c>zookeeper.snapshot.trust.empty</c>.
    /// </summary>
    public bool TrustEmptySnapshot { get; init; }

    /// <summary>Compare the digests stored with the transactions; <c>zookeeper.digest.enabled</c>.</summary>
    public bool DigestEnabled { get; init; } = true;

    /// <summary>See <see cref="DataTree.ExtendedTypesEnabled"/>.</summary>
    public bool ExtendedTypesEnabled { get; init; }

    /// <summary>See <see cref="DataTree.Emulate353"/>.</summary>
    public bool Emulate353 { get; init; }

    /// <summary>Seed of the tree's hash index.</summary>
    public uint HashSeed { get; init; }

    /// <summary>
    /// Receives the last transactions of the logs, as far back as they follow each other without a gap and as it holds;
    /// null if nobody asks for them. None of them is marked as committed. It is cleared at first, and empty if the logs
    /// end before the state does.
    /// </summary>
    public TxnHistory? History { get; init; }
}

/// <summary>What recovery met that an operator should know of.</summary>
public enum RecoveryNoticeKind
{
    /// <summary>A snapshot could not be read; an older one and more of the log were used.</summary>
    SnapshotUnreadable,

    /// <summary>The last entry of a log was cut off while it was written; it was dropped.</summary>
    TornTail,

    /// <summary>A log without a whole header was passed over.</summary>
    EmptyLog,

    /// <summary>Transactions that are in the logs twice were applied once.</summary>
    DuplicateTransactions,

    /// <summary>A stored digest differs from the tree's.</summary>
    DigestMismatch,

    /// <summary>
    /// The snapshot was written while later transactions were applied, and their log is missing: the tree may hold a
    /// part of them.
    /// </summary>
    SnapshotAheadOfLogs,

    /// <summary>Znodes refer to an ACL that the snapshot lacks; unless the log told it, nobody may use them.</summary>
    AclMissing,

    /// <summary>
    /// The server had ended while it replaced its state by its leader's; the rest of that was done first.
    /// </summary>
    InstallationFinished,
}

/// <summary>One thing to tell the operator.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Message">A sentence with file, offset and transaction.</param>
public sealed record RecoveryNotice(RecoveryNoticeKind Kind, string Message);

/// <summary>State as the files hold it.</summary>
public sealed class RecoveryResult
{
    /// <summary>The tree.</summary>
    public required DataTree Tree { get; init; }

    /// <summary>The sessions.</summary>
    public required SessionTimeouts Sessions { get; init; }

    /// <summary>The last transaction.</summary>
    public Zxid Last => Tree.LastProcessed;

    /// <summary>The snapshot used; null if there was none.</summary>
    public string? SnapshotName { get; init; }

    /// <summary>The snapshot's transaction; zero if there was none.</summary>
    public Zxid SnapshotZxid { get; init; }

    /// <summary>Number of log files read.</summary>
    public required int LogsRead { get; init; }

    /// <summary>Number of transactions applied.</summary>
    public required long TxnsApplied { get; init; }

    /// <summary>Number of stored digests compared.</summary>
    public required long DigestsCompared { get; init; }

    /// <summary>Number of stored digests that differ from the tree's.</summary>
    public required long DigestMismatches { get; init; }

    /// <summary>Neither snapshot nor transaction was there: the server's first start.</summary>
    public bool IsFresh => SnapshotName is null && TxnsApplied == 0;

    /// <summary>What an operator should know of, in the order met.</summary>
    public required IReadOnlyList<RecoveryNotice> Notices { get; init; }
}
