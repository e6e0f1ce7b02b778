using SharpKeeper.Protocol;
using SharpKeeper.Protocol.Quorum;

namespace SharpKeeper.Core.Zab;

/// <summary>
/// What Zab needs of the replica around it. Transactions are opaque bytes here; what they mean to tree, sessions and
/// clients is the replica's.
/// </summary>
internal interface IZabHost
{
    /// <summary>The last transaction that the tree has.</summary>
    Zxid Applied { get; }

    /// <summary>Appends a transaction to the log and queues it for the time it is committed.</summary>
    void Log(Zxid zxid, ReadOnlySpan<byte> payload);

    /// <summary>Queues a transaction without logging it: a snapshot that holds it will be written.</summary>
    void QueueUnlogged(Zxid zxid, ReadOnlySpan<byte> payload);

    /// <summary>Is it a transaction that can be applied when its time comes?</summary>
    bool IsTxn(ReadOnlySpan<byte> payload);

    /// <summary>Everything up to <paramref name="upTo"/> that is queued may be applied.</summary>
    void Commit(Zxid upTo);

    /// <summary>Forgets queued transactions after <paramref name="last"/>; they are not committed.</summary>
    void DropAfter(Zxid last);

    /// <summary>The leader of <paramref name="epoch"/> is established and it is this server.</summary>
    void StartLeading(long epoch);

    /// <summary>This server is in step with the leader of <paramref name="epoch"/> and may serve.</summary>
    void StartLearning(long epoch);

    /// <summary>There is no leader any more: clients are hung up and nobody is served.</summary>
    /// <param name="answersFirst">
    /// Are clients to get the answers to what is committed before? Only after a handover, where all of it is decided:
    /// whoever removed the leader would otherwise never learn that it has.
    /// </param>
    void StopServing(bool answersFirst);

    /// <summary>A configuration is in force; the tree's config znode shows it.</summary>
    void ShowConfig(EnsembleConfig config);

    /// <summary>The configuration in a reconfiguration's payload; null for any other transaction.</summary>
    EnsembleConfig? ReadReconfig(ReadOnlySpan<byte> payload);

    /// <summary>A learner forwards a client's request to this leader.</summary>
    void TakeForwarded(LearnerState learner, in QuorumPacket packet);

    /// <summary>A learner asks whether a session is alive; if it is, it is that learner's from now on.</summary>
    bool TryMoveSession(LearnerState learner, long session, int timeoutMs);

    /// <summary>A session was heard of through a learner.</summary>
    void TouchSession(long session, int timeoutMs);

    /// <summary>Appends id and timeout of each session heard of here since the last call.</summary>
    void WriteTouches(JuteBuffer output);

    /// <summary>The leader has answered whether a session is alive.</summary>
    void Revalidated(long session, bool isValid);

    /// <summary>The leader has answered this learner's oldest sync.</summary>
    void SyncAnswered();

    /// <summary>This leader has answered a sync of one of its own clients.</summary>
    void SyncAnswered(object client);
}
