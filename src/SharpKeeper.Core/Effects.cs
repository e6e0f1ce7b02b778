using SharpKeeper.Core.Zab;
using SharpKeeper.Protocol;
using SharpKeeper.Protocol.Quorum;

namespace SharpKeeper.Core;

/// <summary>What a replica of an ensemble wants done beyond appending to its log and answering clients.</summary>
public enum EffectKind
{
    /// <summary>
    /// Send <see cref="Effect.Bytes"/>, the payload of a vote notification, to <see cref="Effect.Server"/>. Unreliable; a
    /// later one replaces one that is not sent yet. The driver connects if there is no connection.
    /// </summary>
    SendVote,

    /// <summary>
    /// Connect <see cref="Effect.Link"/> to the quorum port of <see cref="Effect.Server"/>; the answer is
    /// <see cref="InputKind.PeerConnected"/> or <see cref="InputKind.PeerClosed"/>. Refused connections are tried again
    /// for a while.
    /// </summary>
    DialLeader,

    /// <summary>Open the quorum port: each connection becomes <see cref="InputKind.LearnerConnected"/>.</summary>
    ListenForLearners,

    /// <summary>Close the quorum port. Links that are open are closed one by one beside this.</summary>
    StopListening,

    /// <summary>
    /// Make <see cref="Effect.Number"/> the durable acceptedEpoch; the answer is
    /// <see cref="InputKind.AcceptedEpochDurable"/>.
    /// </summary>
    PersistAcceptedEpoch,

    /// <summary>
    /// Make <see cref="Effect.Number"/> the durable currentEpoch; the answer is
    /// <see cref="InputKind.CurrentEpochDurable"/>.
    /// </summary>
    PersistCurrentEpoch,

    /// <summary>
    /// Once everything appended before has been written, cut the log so that <see cref="Effect.Zxid"/> is its last
    /// transaction, durably, and, if <see cref="Effect.Number"/> is 1, load tree and sessions anew from disk. The answer is
    /// <see cref="InputKind.LogTruncated"/>. Nothing is appended meanwhile.
    /// </summary>
    TruncateLog,

    /// <summary>
    /// The tree came from the leader: once everything appended before has been written, save it as a durable snapshot and
    /// remove what the directory held before, log and older snapshots. Nothing is appended meanwhile and the tree does not
    /// change. The answer is <see cref="InputKind.SnapshotInstalled"/>. A crash at any point leaves either the old state,
    /// possibly without the log's end, or the new one.
    /// </summary>
    InstallSnapshot,

    /// <summary>
    /// Send the tree as a snapshot stream over <see cref="Effect.Link"/>, after its output so far (which ends with the SNAP
    /// packet) and before what is written to it from now on; the tree changes meanwhile. The answer is
    /// <see cref="InputKind.TransferDone"/>, or <see cref="InputKind.PeerClosed"/>.
    /// </summary>
    SendSnapshot,

    /// <summary>
    /// Find out whether the log on disk leads on from <see cref="Effect.Zxid"/>, for <see cref="Effect.Link"/>; the
    /// answer is <see cref="InputKind.LogQueried"/>.
    /// </summary>
    QueryLog,

    /// <summary>
    /// Send the transactions after <see cref="Effect.Zxid"/> up to <see cref="Effect.UpTo"/> from the log on disk over
    /// <see cref="Effect.Link"/>, each as PROPOSAL and COMMIT, after its output so far and before what is written to it from
    /// now on. The answer is <see cref="InputKind.TransferDone"/>, or <see cref="InputKind.PeerClosed"/> if anything
    /// is missing.
    /// </summary>
    SendLog,

    /// <summary>
    /// <see cref="Effect.Config"/> is committed and <see cref="Effect.NextConfig"/> (or null) proposed: reach the servers
    /// of both, listen on the own addresses of the committed one, and keep the dynamic configuration files.
    /// </summary>
    UseConfig,

    /// <summary>Close every client's connection: this server does not serve any more.</summary>
    HangUpClients,
}

/// <summary>One thing to be done; see <see cref="EffectKind"/> for what each kind uses.</summary>
/// <param name="Kind">What is to be done.</param>
public readonly record struct Effect(EffectKind Kind)
{
    /// <summary>The server concerned.</summary>
    public ServerId Server { get; init; }

    /// <summary>A transaction.</summary>
    public Zxid Zxid { get; init; }

    /// <summary>The last transaction of a range.</summary>
    public Zxid UpTo { get; init; }

    /// <summary>An epoch, or a flag.</summary>
    public long Number { get; init; }

    /// <summary>The link concerned.</summary>
    public PeerLink? Link { get; init; }

    /// <summary>Bytes to send.</summary>
    public byte[]? Bytes { get; init; }

    /// <summary>The committed configuration.</summary>
    public EnsembleConfig? Config { get; init; }

    /// <summary>The configuration that is proposed and not committed.</summary>
    public EnsembleConfig? NextConfig { get; init; }
}

/// <summary>What the log on disk has for a learner; the answer to <see cref="EffectKind.QueryLog"/>.</summary>
/// <param name="IsUsable">
/// The log holds everything from a transaction at or before the one asked for, and is not so long that a snapshot is
/// cheaper.
/// </param>
/// <param name="UpTo">The last transaction up to and including the one asked for that the log holds.</param>
/// <param name="Next">The first transaction after the one asked for; zero if there is none.</param>
public readonly record struct LogPosition(bool IsUsable, Zxid UpTo, Zxid Next);
