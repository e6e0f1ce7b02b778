namespace SharpKeeper.Core.Zab;

/// <summary>
/// Deliberate mistakes, to show that the simulator finds them. No server has any: only tests can set them.
/// </summary>
[Flags]
internal enum PlantedBug
{
    None = 0,

    /// <summary>A follower acknowledges a proposal before it is durable.</summary>
    AckBeforeDurable = 1 << 0,

    /// <summary>The leader commits what a single server has acknowledged.</summary>
    CommitWithoutQuorum = 1 << 1,

    /// <summary>currentEpoch is not written to disk.</summary>
    ForgetCurrentEpoch = 1 << 2,

    /// <summary>acceptedEpoch is not written to disk before the promise is sent.</summary>
    ForgetAcceptedEpoch = 1 << 3,

    /// <summary>A learner takes proposals over a link to a leader it does not follow any more.</summary>
    AcceptOldLeader = 1 << 4,

    /// <summary>TRUNC leaves the transactions in the log.</summary>
    KeepTruncated = 1 << 5,

    /// <summary>The acknowledgements of observers count.</summary>
    CountObservers = 1 << 6,

    /// <summary>NEWLEADER is acknowledged before the transactions of the DIFF are durable.</summary>
    AckNewLeaderBeforeDurable = 1 << 7,

    /// <summary>ZOOKEEPER-3911, as it was: the transactions of a DIFF are logged only after UPTODATE, and NEWLEADER is
    /// acknowledged before that.</summary>
    LogAfterNewLeader = 1 << 24,

    /// <summary>ZOOKEEPER-4785: transactions of the synchronisation are still being logged when currentEpoch is written
    /// and NEWLEADER acknowledged.</summary>
    LogDuringNewLeader = 1 << 8,

    /// <summary>ZOOKEEPER-4646: currentEpoch is written before the transactions it covers are durable.</summary>
    EpochBeforeData = 1 << 9,

    /// <summary>ZOOKEEPER-3642: a crash during SNAP leaves the old snapshot with a newer log.</summary>
    PartialSnapshotInstall = 1 << 10,

    /// <summary>ZOOKEEPER-3104: NEWLEADER is sent before the transactions it stands for.</summary>
    NewLeaderBeforeSync = 1 << 11,

    /// <summary>ZOOKEEPER-2845: an uncommitted tail stays in the tree of a server that elects again.</summary>
    KeepUncommittedInTree = 1 << 12,

    /// <summary>ZOOKEEPER-4925: transactions that came as DIFF are missing in the memory that DIFFs are sent from.
    /// </summary>
    HoleInHistory = 1 << 13,

    /// <summary>
    /// The tree that a leader sent is kept when the link ends before it is installed: memory and disk then differ.
    /// </summary>
    UsePartialSnapshot = 1 << 14,

    /// <summary>
    /// ZOOKEEPER-4837: a session that is closing may still create, so that an ephemeral outlives its session.
    /// </summary>
    CreateWhileClosing = 1 << 15,

    /// <summary>ZOOKEEPER-2325: missing snapshots load as an empty tree.</summary>
    EmptyTreeWithoutSnapshot = 1 << 16,

    /// <summary>
    /// ZOOKEEPER-4882: a write to the log that failed is forgotten once the disk works again, and what follows counts as
    /// durable. Planted where the log is written.
    /// </summary>
    ForgetFailedWrite = 1 << 25,

    /// <summary>A leader goes on committing after it has lost its quorum's links.</summary>
    LeadWithoutQuorum = 1 << 18,

    /// <summary>A sync is answered without asking whether the leader still leads.</summary>
    SyncWithoutQuorum = 1 << 19,

    /// <summary>A leader follows an epoch that others have promised already.</summary>
    ReuseEpoch = 1 << 20,

    /// <summary>The leader drops proposals that the last leader logged and did not commit.</summary>
    DropInheritedTail = 1 << 21,

    /// <summary>A session expires although a learner reported it as alive.</summary>
    IgnoreTouches = 1 << 22,

    /// <summary>
    /// A restarted server forgets a reconfiguration that is in its log, if the file of it was not written in time.
    /// </summary>
    ForgetNextConfig = 1 << 26,

    /// <summary>A reconfiguration is committed by a quorum of the new configuration alone.</summary>
    CountNewConfigOnly = 1 << 27,

    /// <summary>A follower has a configuration in force as soon as it is proposed.</summary>
    ActivateAtProposal = 1 << 28,
}
