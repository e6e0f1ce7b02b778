using SharpKeeper.Core.Clients;
using SharpKeeper.Core.Transactions;
using SharpKeeper.Core.Tree;
using SharpKeeper.Core.Zab;
using SharpKeeper.Protocol;

namespace SharpKeeper.Core;

/// <summary>What can happen to a replica.</summary>
public enum InputKind
{
    /// <summary>Time has passed.</summary>
    Tick,

    /// <summary>A connection asks for a session.</summary>
    ClientConnect,

    /// <summary>A session asks for something that needs the replica: a write, or a read behind one.</summary>
    ClientRequest,

    /// <summary>A request was refused before it came here; the answer waits for its turn in the session.</summary>
    ClientRefusal,

    /// <summary>A connection has gone.</summary>
    ClientClosed,

    /// <summary>Everything up to a transaction is on disk.</summary>
    LogDurable,

    /// <summary>The log cannot be written for now.</summary>
    StorageStalled,

    /// <summary>The log can be written again.</summary>
    StorageResumed,

    /// <summary>Another server sent a vote notification.</summary>
    VoteReceived,

    /// <summary>Another server's election port was reached, or cannot be reached.</summary>
    VoteLinkChanged,

    /// <summary>A learner has connected to the quorum port.</summary>
    LearnerConnected,

    /// <summary>The leader that was dialled has accepted.</summary>
    PeerConnected,

    /// <summary>Whole packets have come in from another server.</summary>
    PeerPackets,

    /// <summary>A link has gone, or could not be made.</summary>
    PeerClosed,

    /// <summary>The snapshot that followed a SNAP packet has been received and loaded.</summary>
    SnapshotReceived,

    /// <summary>An <see cref="EffectKind.InstallSnapshot"/> is done.</summary>
    SnapshotInstalled,

    /// <summary>An <see cref="EffectKind.TruncateLog"/> is done.</summary>
    LogTruncated,

    /// <summary>An <see cref="EffectKind.PersistAcceptedEpoch"/> is done.</summary>
    AcceptedEpochDurable,

    /// <summary>An <see cref="EffectKind.PersistCurrentEpoch"/> is done.</summary>
    CurrentEpochDurable,

    /// <summary>An <see cref="EffectKind.SendSnapshot"/> or <see cref="EffectKind.SendLog"/> is done.</summary>
    TransferDone,

    /// <summary>An <see cref="EffectKind.QueryLog"/> is done.</summary>
    LogQueried,
}

/// <summary>One input of <see cref="Replica.Step"/>, with the time at which it arrives.</summary>
public readonly ref struct Input
{
    private Input(InputKind kind, long nowMs, long wallMs)
    {
        Kind = kind;
        NowMs = nowMs;
        WallMs = wallMs;
    }

    /// <summary>What happened.</summary>
    public InputKind Kind { get; }

    /// <summary>Monotonic time, milliseconds.</summary>
    public long NowMs { get; }

    /// <summary>Wall time, milliseconds since 1970; only ever stamped into transactions.</summary>
    public long WallMs { get; }

    /// <summary>The connection concerned.</summary>
    public ClientLink? Link { get; private init; }

    /// <summary>The handshake of a <see cref="InputKind.ClientConnect"/>.</summary>
    public ConnectRequest Connect { get; private init; }

    /// <summary>The operation of a <see cref="InputKind.ClientRequest"/>.</summary>
    public OpCode Op { get; private init; }

    /// <summary>The client's id of the request.</summary>
    public int Xid { get; private init; }

    /// <summary>The request's body; valid during the step only.</summary>
    public ReadOnlySpan<byte> Body { get; private init; }

    /// <summary>The answer of a <see cref="InputKind.ClientRefusal"/>.</summary>
    public ErrorCode Refusal { get; private init; }

    /// <summary>The last transaction that a <see cref="InputKind.LogDurable"/> covers, or a snapshot holds.</summary>
    public Zxid Zxid { get; private init; }

    /// <summary>The other server of a vote.</summary>
    public ServerId Server { get; private init; }

    /// <summary>The link of a peer's input.</summary>
    public PeerLink? Peer { get; private init; }

    /// <summary>An epoch that is durable now, or a flag.</summary>
    public long Number { get; private init; }

    /// <summary>A tree that is to replace the present one; null where it stays.</summary>
    public DataTree? Tree { get; private init; }

    /// <summary>The sessions that belong to <see cref="Tree"/>.</summary>
    public SessionTimeouts? Sessions { get; private init; }

    /// <summary>What the log on disk has for a learner.</summary>
    public LogPosition Position { get; private init; }

    /// <summary>Time has passed.</summary>
    public static Input Tick(long nowMs, long wallMs) => new(InputKind.Tick, nowMs, wallMs);

    /// <summary>A connection asks for a session.</summary>
    public static Input ClientConnect(ClientLink link, in ConnectRequest request, long nowMs, long wallMs) =>
        new(InputKind.ClientConnect, nowMs, wallMs) { Link = link, Connect = request };

    /// <summary>A session asks for something.</summary>
    public static Input ClientRequest(
        ClientLink link, OpCode op, int xid, ReadOnlySpan<byte> body, long nowMs, long wallMs) =>
        new(InputKind.ClientRequest, nowMs, wallMs) { Link = link, Op = op, Xid = xid, Body = body };

    /// <summary>A request was refused before it came here.</summary>
    public static Input ClientRefusal(
        ClientLink link, OpCode op, int xid, ErrorCode refusal, long nowMs, long wallMs) =>
        new(InputKind.ClientRefusal, nowMs, wallMs) { Link = link, Op = op, Xid = xid, Refusal = refusal };

    /// <summary>A connection has gone.</summary>
    public static Input ClientClosed(ClientLink link, long nowMs, long wallMs) =>
        new(InputKind.ClientClosed, nowMs, wallMs) { Link = link };

    /// <summary>Everything up to <paramref name="zxid"/> is on disk.</summary>
    public static Input LogDurable(Zxid zxid, long nowMs, long wallMs) =>
        new(InputKind.LogDurable, nowMs, wallMs) { Zxid = zxid };

    /// <summary>The log cannot be written for now.</summary>
    public static Input StorageStalled(long nowMs, long wallMs) => new(InputKind.StorageStalled, nowMs, wallMs);

    /// <summary>The log can be written again.</summary>
    public static Input StorageResumed(long nowMs, long wallMs) => new(InputKind.StorageResumed, nowMs, wallMs);

    /// <summary>The payload of a vote notification from <paramref name="server"/>.</summary>
    public static Input VoteReceived(ServerId server, ReadOnlySpan<byte> payload, long nowMs, long wallMs) =>
        new(InputKind.VoteReceived, nowMs, wallMs) { Server = server, Body = payload };

    /// <summary>
    /// The election connection to <paramref name="server"/> is there, or it has gone or could not be made.
    /// </summary>
    public static Input VoteLinkChanged(ServerId server, bool isUp, long nowMs, long wallMs) =>
        new(InputKind.VoteLinkChanged, nowMs, wallMs) { Server = server, Number = isUp ? 1 : 0 };

    /// <summary>A learner has connected.</summary>
    public static Input LearnerConnected(PeerLink link, long nowMs, long wallMs) =>
        new(InputKind.LearnerConnected, nowMs, wallMs) { Peer = link };

    /// <summary>The leader has accepted the connection.</summary>
    public static Input PeerConnected(PeerLink link, long nowMs, long wallMs) =>
        new(InputKind.PeerConnected, nowMs, wallMs) { Peer = link };

    /// <summary>
    /// Whole packets in the order received. After a SNAP packet the stream holds a snapshot: what came before, that packet
    /// included, is one input, the loaded snapshot another one, and what follows the third.
    /// </summary>
    public static Input PeerPackets(PeerLink link, ReadOnlySpan<byte> packets, long nowMs, long wallMs) =>
        new(InputKind.PeerPackets, nowMs, wallMs) { Peer = link, Body = packets };

    /// <summary>The link has gone.</summary>
    public static Input PeerClosed(PeerLink link, long nowMs, long wallMs) =>
        new(InputKind.PeerClosed, nowMs, wallMs) { Peer = link };

    /// <summary>A snapshot has come in over <paramref name="link"/>; the tree becomes the replica's.</summary>
    public static Input SnapshotReceived(
        PeerLink link, DataTree tree, SessionTimeouts sessions, long nowMs, long wallMs) =>
        new(InputKind.SnapshotReceived, nowMs, wallMs) { Peer = link, Tree = tree, Sessions = sessions };

    /// <summary>
    /// The log cannot be cut where it should be: no snapshot is old enough to lead there. Nothing has changed on disk.
    /// </summary>
    public static Input LogNotTruncated(long nowMs, long wallMs) =>
        new(InputKind.LogTruncated, nowMs, wallMs) { Number = -1 };

    /// <summary>The tree from the leader is on disk.</summary>
    public static Input SnapshotInstalled(long nowMs, long wallMs) =>
        new(InputKind.SnapshotInstalled, nowMs, wallMs);

    /// <summary>
    /// The log ends with <paramref name="zxid"/>; tree and sessions are as on disk, or null if they were to stay.
    /// </summary>
    public static Input LogTruncated(
        Zxid zxid, DataTree? tree, SessionTimeouts? sessions, long nowMs, long wallMs) =>
        new(InputKind.LogTruncated, nowMs, wallMs) { Zxid = zxid, Tree = tree, Sessions = sessions };

    /// <summary>The epoch is on disk as acceptedEpoch.</summary>
    public static Input AcceptedEpochDurable(long epoch, long nowMs, long wallMs) =>
        new(InputKind.AcceptedEpochDurable, nowMs, wallMs) { Number = epoch };

    /// <summary>The epoch is on disk as currentEpoch.</summary>
    public static Input CurrentEpochDurable(long epoch, long nowMs, long wallMs) =>
        new(InputKind.CurrentEpochDurable, nowMs, wallMs) { Number = epoch };

    /// <summary>What the driver was to send over <paramref name="link"/> is sent.</summary>
    public static Input TransferDone(PeerLink link, long nowMs, long wallMs) =>
        new(InputKind.TransferDone, nowMs, wallMs) { Peer = link };

    /// <summary>The log has been looked at for the learner at <paramref name="link"/>.</summary>
    public static Input LogQueried(PeerLink link, LogPosition position, long nowMs, long wallMs) =>
        new(InputKind.LogQueried, nowMs, wallMs) { Peer = link, Position = position };
}
