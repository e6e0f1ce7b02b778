using System.Buffers.Binary;
using SharpKeeper.Protocol;
using SharpKeeper.Protocol.Quorum;

namespace SharpKeeper.Core.Zab;

/// <summary>
/// A follower or observer, from the moment a leader is elected until the link to it ends: it promises the leader's epoch,
/// is brought up to date, and then logs, acknowledges and applies what it is told.
/// </summary>
internal sealed partial class LearnerRole
{
    private enum Phase
    {
        /// <summary>The leader is being reached.</summary>
        Dialling,

        /// <summary>The leader is to name its epoch.</summary>
        AwaitEpoch,

        /// <summary>The epoch is being made durable as accepted.</summary>
        AcceptingEpoch,

        /// <summary>The leader is to say how it brings this server up to date.</summary>
        AwaitPlan,

        /// <summary>A snapshot is coming in.</summary>
        AwaitSnapshot,

        /// <summary>The own log is being cut.</summary>
        Truncating,

        /// <summary>Transactions are coming in, up to NEWLEADER.</summary>
        Syncing,

        /// <summary>NEWLEADER is here; the leader's tree is being made durable.</summary>
        Installing,

        /// <summary>NEWLEADER is here; the log is being made durable.</summary>
        AwaitDurable,

        /// <summary>NEWLEADER is here and the data are durable; the epoch is being made so.</summary>
        PersistingEpoch,

        /// <summary>NEWLEADER is acknowledged.</summary>
        AwaitUpToDate,

        /// <summary>It serves.</summary>
        Serving,
    }

    // A leader opens its port before anybody can hear that it leads; whoever cannot reach it then should ask again.
    private const int DialTicks = 2;
    private const int DialMsMin = 1000;
    private const int RedialAfterMs = 100;

    private readonly record struct Held(Zxid Zxid, byte[] Payload);

    private readonly ZabPeer peer;
    private readonly Outbox outbox;
    private readonly IZabHost host;
    private readonly Queue<Held> notLogged = new();
    private readonly Queue<Zxid> heldCommits = new();
    private readonly ServerId leader;
    private readonly bool isDesignated;
    private readonly long startedMs;
    private Phase phase;
    private long redialMs;
    private long epoch;
    private long lastHeardMs;
    private bool isUnlogged;
    private bool installSent;
    private Zxid snapshot;
    private Zxid lastQueued;
    private Zxid lastTaken;
    private Zxid acknowledged;
    private bool hasHeldNewLeader;
    private EnsembleConfig? activated;
    private ServerId? designated;

    /// <summary>Starts to learn from <paramref name="leader"/>.</summary>
    /// <param name="peer">The server whose role it is.</param>
    /// <param name="leader">The leader.</param>
    /// <param name="isDesignated">A reconfiguration named the leader, which may be late: no election confirms it.</param>
    /// <param name="nowMs">Monotonic time, milliseconds.</param>
    public LearnerRole(ZabPeer peer, ServerId leader, bool isDesignated, long nowMs)
    {
        this.isDesignated = isDesignated;
        this.peer = peer;
        outbox = peer.Outbox;
        host = peer.Host;
        this.leader = leader;
        startedMs = nowMs;
        Link = Dial(nowMs);
    }

    /// <summary>The link to the leader.</summary>
    public PeerLink Link { get; private set; }

    /// <summary>The last transaction of the snapshot that the leader sends.</summary>
    public Zxid Snapshot => snapshot;

    /// <summary>The leader's epoch, once known.</summary>
    public long Epoch => epoch;

    /// <summary>How far it is, as monitoring names it.</summary>
    public ZabPhase StatusPhase => phase switch
    {
        Phase.Serving => ZabPhase.Broadcast,
        Phase.Dialling or Phase.AwaitEpoch or Phase.AcceptingEpoch => ZabPhase.Discovery,
        _ => ZabPhase.Synchronization,
    };

    /// <summary>Is it in step with the leader?</summary>
    public bool IsServing => phase == Phase.Serving;

    private long DialMs => isDesignated
        ? (long)peer.Options.InitLimitTicks * peer.TickMs
        : peer.Options.ConnectLimitTicks > 0
        ? (long)peer.Options.ConnectLimitTicks * peer.TickMs
        : Math.Max(DialMsMin, DialTicks * peer.TickMs);

    private Zxid EpochStart => new(epoch << 32);

    /// <summary>The leader has accepted the connection.</summary>
    public void Connected(PeerLink link, long nowMs)
    {
        if (!ReferenceEquals(link, Link) || phase != Phase.Dialling)
            return;
        lastHeardMs = nowMs;
        phase = Phase.AwaitEpoch;
        QuorumPacketType type = peer.IsObserver ? QuorumPacketType.ObserverInfo : QuorumPacketType.FollowerInfo;
        int begun = QuorumPackets.Begin(Link.Output, type, new Zxid(peer.AcceptedEpoch << 32));
        new LearnerInfo(peer.Self, LearnerInfo.CurrentVersion, peer.Members.Committed.Version).Write(Link.Output);
        QuorumPackets.End(Link.Output, begun);
        outbox.MarkDirty(Link);
    }

    /// <summary>The link has gone, or could not be made.</summary>
    public void Closed(PeerLink link, long nowMs)
    {
        if (!ReferenceEquals(link, Link))
            return;
        // Whoever forwards ports accepts before the leader does, and Apache's leader is late by its wait for votes.
        if (phase is Phase.Dialling or Phase.AwaitEpoch && nowMs - startedMs < DialMs)
            redialMs = nowMs + RedialAfterMs;
        else
            peer.GoLooking("the link to the leader has gone", nowMs);
    }

    private PeerLink Dial(long nowMs)
    {
        phase = Phase.Dialling;
        lastHeardMs = nowMs;
        redialMs = long.MaxValue;
        var link = new PeerLink { Description = $"leader {leader}" };
        outbox.Effects.Enqueue(new Effect(EffectKind.DialLeader) { Server = leader, Link = link });
        return link;
    }

    /// <summary>The leader's election port has gone: if it was not reached yet it will not be.</summary>
    public void LeaderUnheard(long nowMs)
    {
        if (!isDesignated && (phase == Phase.Dialling || redialMs != long.MaxValue))
            peer.GoLooking("the leader has gone before it was reached", nowMs);
    }

    /// <summary>Ends the role.</summary>
    public void Stop()
    {
        if (!peer.Has(PlantedBug.AcceptOldLeader))
            outbox.HangUp(Link, "this server does not follow that leader any more");
    }

    /// <summary>Time has passed.</summary>
    public void Tick(long nowMs)
    {
        // What takes time here is no fault of the leader's; the driver ends the link if a snapshot stops coming.
        if (phase is Phase.AwaitSnapshot or Phase.Truncating or Phase.Installing)
        {
            lastHeardMs = nowMs;
            return;
        }
        if (nowMs >= redialMs)
            Link = Dial(nowMs);
        if (phase == Phase.Dialling && nowMs - startedMs > DialMs)
        {
            peer.GoLooking("the leader could not be reached", nowMs);
            return;
        }
        int ticks = phase is Phase.AwaitUpToDate or Phase.Serving
            ? peer.Options.SyncLimitTicks
            : peer.Options.InitLimitTicks;
        if (nowMs - lastHeardMs > (long)ticks * peer.TickMs)
            peer.GoLooking($"nothing was heard of the leader for {ticks} ticks", nowMs);
    }

    /// <summary>A packet from the leader.</summary>
    public void Received(PeerLink link, in QuorumPacket packet, long nowMs, bool isOld)
    {
        if (!ReferenceEquals(link, Link) && !isOld)
            return;
        lastHeardMs = nowMs;
        switch (phase)
        {
            case Phase.AwaitEpoch:
                TakeEpoch(packet);
                break;
            case Phase.AwaitPlan:
                TakePlan(packet);
                break;
            case Phase.Syncing:
            case Phase.Installing:
            case Phase.AwaitDurable:
            case Phase.PersistingEpoch:
            case Phase.AwaitUpToDate:
            case Phase.Truncating:
                TakeWhileSyncing(packet);
                break;
            case Phase.Serving:
                TakeWhileServing(packet);
                break;
            default:
                Fail($"the leader sent {packet.Type} while it was to wait");
                break;
        }
    }

    /// <summary>The epoch is durable as accepted: now it may be promised.</summary>
    public void AcceptedEpochDurable(long accepted)
    {
        if (phase == Phase.AcceptingEpoch && accepted == epoch)
            Promise((int)peer.CurrentEpoch);
    }

    private void TakeEpoch(in QuorumPacket packet)
    {
        if (packet.Type != QuorumPacketType.LeaderInfo)
        {
            Fail($"the leader began with {packet.Type}: it is older than ZooKeeper 3.4");
            return;
        }
        epoch = packet.Zxid.Value >> 32;
        if (epoch < peer.RequestedEpoch)
        {
            Fail($"the leader has epoch {epoch}, and this server has promised {peer.RequestedEpoch}");
        }
        else if (epoch == peer.AcceptedEpoch)
        {
            Promise(-1);
        }
        else if (peer.Has(PlantedBug.ForgetAcceptedEpoch))
        {
            Promise((int)peer.CurrentEpoch);
        }
        else
        {
            phase = Phase.AcceptingEpoch;
            peer.PersistAcceptedEpoch(epoch);
        }
    }

    private void Promise(int currentEpoch)
    {
        Span<byte> data = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(data, currentEpoch);
        phase = Phase.AwaitPlan;
        // Only where the promise does not count may the log be passed over: the leader is chosen by what quorums have.
        Zxid last = peer.NeedsSnapshot && currentEpoch < 0 ? Zxid.Zero : peer.LastLogged;
        QuorumPackets.Write(Link.Output, QuorumPacketType.AckEpoch, last, data);
        outbox.MarkDirty(Link);
    }

    private void Fail(string reason) => peer.GoLooking(reason, peer.NowMs);

    private void Send(QuorumPacketType type, Zxid zxid)
    {
        QuorumPackets.WriteEmpty(Link.Output, type, zxid);
        outbox.MarkDirty(Link);
    }
}
