using SharpKeeper.Protocol;

namespace SharpKeeper.Core.Zab;

/// <summary>How far the leader is with a learner.</summary>
internal enum LearnerPhase
{
    /// <summary>It has connected and not said who it is.</summary>
    AwaitInfo,

    /// <summary>It waits for the new epoch to be known.</summary>
    AwaitEpoch,

    /// <summary>It has been told the epoch and is to promise it.</summary>
    AwaitAckEpoch,

    /// <summary>It has promised; synchronisation starts when a quorum has.</summary>
    Promised,

    /// <summary>The log on disk is being looked at for it.</summary>
    Querying,

    /// <summary>A snapshot or a part of the log is being sent.</summary>
    Transferring,

    /// <summary>It has been sent everything and NEWLEADER.</summary>
    AwaitNewLeaderAck,

    /// <summary>It has what the epoch starts from; a quorum of such learners establishes the leader.</summary>
    Synchronised,
}

/// <summary>What the leader knows of one connected learner.</summary>
internal sealed class LearnerState(PeerLink link, long nowMs)
{
    /// <summary>Its connection.</summary>
    public PeerLink Link { get; } = link;

    /// <summary>How far it is.</summary>
    public LearnerPhase Phase { get; set; }

    /// <summary>Its id.</summary>
    public ServerId Server { get; set; } = ServerId.Nobody;

    /// <summary>Did it introduce itself as observer?</summary>
    public bool IsObserver { get; set; }

    /// <summary>The last transaction in its log, as it says.</summary>
    public Zxid LastLogged { get; set; }

    /// <summary>Is it sent what is proposed and committed from now on?</summary>
    public bool IsForwarding { get; set; }

    /// <summary>The last transaction that it has acknowledged.</summary>
    public Zxid Acked { get; set; }

    /// <summary>Was the last sign of life heard then? Monotonic milliseconds.</summary>
    public long LastHeardMs { get; set; } = nowMs;

    /// <summary>Has it been sent UPTODATE? From then on, and not before, learners answer each ping.</summary>
    public bool IsUpToDate { get; set; }

    /// <summary>Pings sent to it since UPTODATE.</summary>
    public long PingsSent { get; set; }

    /// <summary>How many of those it has answered.</summary>
    public long PingsAnswered { get; set; }

    /// <summary>
    /// The answer that confirms the leader for the round of syncs under way; 0 if it has not been asked in this round.
    /// </summary>
    public long PingOfRound { get; set; }

    /// <summary>A proposal whose acknowledgement is being timed; zero for none.</summary>
    public Zxid TimedProposal { get; set; }

    /// <summary>Since when.</summary>
    public long TimedSinceMs { get; set; }

    /// <summary>What goes out once the transfer under way is done; null without one.</summary>
    public JuteBuffer? Held { get; set; }

    /// <summary>Where packets for it are written to.</summary>
    public JuteBuffer Output => Held ?? Link.Output;

    /// <summary>Its syncs without an answer, and the commits behind them.</summary>
    public SyncFence Syncs { get; } = new();

    /// <summary>The identities that came with its last forwarded request, as encoded and as read.</summary>
    public byte[] LastAuthInfo { get; set; } = [];

    /// <inheritdoc cref="LastAuthInfo"/>
    public AuthId[] LastIdentities { get; set; } = [];

    /// <summary>How it is named in messages.</summary>
    public override string ToString() => Server == ServerId.Nobody
        ? Link.Description
        : $"{(IsObserver ? "observer" : "follower")} {Server} ({Link.Description})";
}
