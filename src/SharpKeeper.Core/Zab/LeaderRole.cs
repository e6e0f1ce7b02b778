using SharpKeeper.Protocol;
using SharpKeeper.Protocol.Quorum;

namespace SharpKeeper.Core.Zab;

/// <summary>
/// A leader, from the moment it is elected until it steps down: it finds an epoch that a quorum promises, brings
/// learners up to date, is established when a quorum has what the epoch starts from, and then broadcasts.
/// </summary>
internal sealed partial class LeaderRole
{
    private enum Phase
    {
        /// <summary>Voters are to say what they have promised before.</summary>
        Discovery,

        /// <summary>The new epoch is being made durable here.</summary>
        AcceptingEpoch,

        /// <summary>Voters are to promise the epoch.</summary>
        CollectingPromises,

        /// <summary>Learners are brought up to date; a quorum of them establishes the leader.</summary>
        Synchronising,

        /// <summary>It leads.</summary>
        Established,
    }

    private const int DiscoveryMsMin = 1000;

    // Zxids are compared as signed numbers everywhere, and no server takes a file with a greater epoch.
    private const long EpochMax = int.MaxValue;

    // Less than what a driver keeps unsent of a link: what was held goes there in one piece.
    private const int HeldBytesMax = 512 << 20;

    private readonly ZabPeer peer;
    private readonly Outbox outbox;
    private readonly IZabHost host;
    private readonly EnsembleOptions options;
    private readonly TxnHistory history;
    private readonly List<LearnerState> learners = [];
    private readonly HashSet<ServerId> connected = [];
    private readonly HashSet<ServerId> promised = [];
    private readonly HashSet<ServerId> synchronised = [];
    private readonly HashSet<ServerId> scratch = [];

    // Voters that have a greater vote than the one for this server.
    private readonly HashSet<ServerId> lost = [];
    private readonly Dictionary<ServerId, Zxid> acked = [];
    private readonly Zxid inherited;
    private readonly long inheritedEpoch;
    private readonly long startedMs;
    private Phase phase;
    private Zxid lastCommitted;
    private bool isPersistingEpoch;
    private bool ownEpochDurable;
    private long unknownIds = -1;
    private long nextPingMs;
    private long establishedMs;
    private bool isHandingOver;
    private long handingOverSinceMs;

    /// <summary>Starts to lead: all that is in the own log counts as decided by the election.</summary>
    public LeaderRole(ZabPeer peer, long nowMs)
    {
        this.peer = peer;
        outbox = peer.Outbox;
        host = peer.Host;
        options = peer.Options;
        history = peer.History;
        startedMs = nowMs;
        if (peer.Has(PlantedBug.DropInheritedTail))
            peer.ForgetUncommitted();
        inherited = lastCommitted = peer.LastLogged;
        inheritedEpoch = peer.CurrentEpoch;
        history.Commit(inherited);
        host.Commit(inherited);
        Epoch = (peer.Has(PlantedBug.ReuseEpoch) ? peer.CurrentEpoch : peer.RequestedEpoch) + 1;
        outbox.Effects.Enqueue(new Effect(EffectKind.ListenForLearners));
        if (peer.IsVoter)
            connected.Add(peer.Self);
        CloseDiscovery();
    }

    /// <summary>The epoch it leads, final once discovery is over.</summary>
    public long Epoch { get; private set; }

    /// <summary>Does it take requests?</summary>
    public bool IsEstablished => phase == Phase.Established && !isHandingOver;

    /// <summary>The last transaction that is committed, or the start of the epoch.</summary>
    public Zxid LastCommitted => lastCommitted;

    /// <summary>How far it is, as monitoring names it.</summary>
    public ZabPhase StatusPhase => phase switch
    {
        Phase.Established => ZabPhase.Broadcast,
        Phase.Synchronising => ZabPhase.Synchronization,
        _ => ZabPhase.Discovery,
    };

    /// <summary>Syncs that wait.</summary>
    public int PendingSyncs => syncs.Count;

    /// <summary>Bytes of what it has proposed.</summary>
    public ProposalSizes ProposalSizes { get; private set; } = ProposalSizes.None;

    /// <summary>Milliseconds since it is established; 0 before.</summary>
    public long UptimeMs(long nowMs) => phase == Phase.Established ? nowMs - establishedMs : 0;

    /// <summary>The learners for monitoring, ascending by id.</summary>
    public IReadOnlyList<LearnerStatus> Status(long nowMs)
    {
        long limitMs = (long)options.SyncLimitTicks * peer.TickMs;
        var status = new List<LearnerStatus>();
        foreach (LearnerState learner in learners)
        {
            if (learner.Phase == LearnerPhase.AwaitInfo)
                continue;
            bool isSynced = learner.Phase == LearnerPhase.Synchronised && nowMs - learner.LastHeardMs <= limitMs;
            Zxid acked = learner.Acked > EpochStart ? learner.Acked : EpochStart;
            long lag = learner.IsObserver || !isSynced ? 0 : Math.Max(0, peer.LastLogged.Value - acked.Value);
            ServerRole role = learner.IsObserver ? ServerRole.Observer : ServerRole.Participant;
            status.Add(new LearnerStatus(learner.Server, role, isSynced, learner.Acked, lag));
        }
        status.Sort(static (a, b) => a.Id.CompareTo(b.Id));
        return status;
    }

    /// <summary>A learner has connected.</summary>
    public void Connected(PeerLink link, long nowMs)
    {
        var learner = new LearnerState(link, nowMs);
        link.Learner = learner;
        learners.Add(learner);
    }

    /// <summary>
    /// A voter looks for a leader. If those who elected this one do not come, it is of no use to wait for them while
    /// others are ready: Apache waits for initLimit (ZOOKEEPER-3109). Nor will a voter come that has a greater vote in this
    /// election, since votes only grow, or that has begun another one. Otherwise two could elect one of them and this
    /// server would wait for both, elected by a vote that was changed since or given up too early.
    /// </summary>
    public void LookerSeen(ServerId server, in Vote vote, long nowMs)
    {
        if (phase != Phase.Discovery || connected.Contains(server) || !peer.Members.IsVoter(server))
            return;
        if (nowMs - startedMs > Math.Max(DiscoveryMsMin, peer.TickMs))
        {
            peer.GoLooking(
                $"the voters that elected this server did not come, and server {server} looks for a leader", nowMs);
            return;
        }
        long round = peer.Election.Round;
        if (vote.Round < round || (vote.Round == round && !vote.IsAfter(peer.Election.CurrentVote)))
            return;
        lost.Add(server);
        scratch.Clear();
        foreach (ServerId voter in peer.Members.Voters)
        {
            if (!lost.Contains(voter) || connected.Contains(voter))
                scratch.Add(voter);
        }
        if (!peer.Members.IsQuorum(scratch))
            peer.GoLooking("the voters that elected this server elect another one now", nowMs);
    }

    /// <summary>A learner's link has gone.</summary>
    public void Closed(PeerLink link, long nowMs)
    {
        if (link.Learner is not LearnerState learner || !learners.Remove(learner))
            return;
        link.Learner = null;
        if (isHandingOver && learners.Count == 0)
            peer.TakeUpVote(nowMs);
        else if (phase == Phase.Established && !isHandingOver && !HasLiveQuorum(nowMs) && !peer.Has(PlantedBug.LeadWithoutQuorum))
            peer.GoLooking("a quorum of followers is not connected any more", nowMs);
    }

    /// <summary>Ends the role: closes the links and the port.</summary>
    public void Stop()
    {
        foreach (LearnerState learner in learners)
        {
            learner.Link.Learner = null;
            if (!peer.Has(PlantedBug.AcceptOldLeader))
                outbox.HangUp(learner.Link, "this server does not lead any more");
        }
        learners.Clear();
        outbox.Effects.Enqueue(new Effect(EffectKind.StopListening));
    }

    /// <summary>A packet from a learner.</summary>
    public void Received(PeerLink link, in QuorumPacket packet, long nowMs)
    {
        if (link.Learner is not LearnerState learner)
            return;
        learner.LastHeardMs = nowMs;
        switch (learner.Phase)
        {
            case LearnerPhase.AwaitInfo:
                TakeInfo(learner, packet);
                break;
            case LearnerPhase.AwaitAckEpoch:
                TakePromise(learner, packet);
                break;
            case LearnerPhase.AwaitNewLeaderAck:
                TakeNewLeaderAck(learner, packet);
                break;
            case LearnerPhase.Synchronised:
                TakeFromSynchronised(learner, packet, nowMs);
                break;
            default:
                Drop(learner, $"it sent {packet.Type} while it was to wait");
                break;
        }
    }

    /// <summary>Time has passed.</summary>
    public void Tick(long nowMs)
    {
        int tickMs = peer.TickMs;
        if (phase != Phase.Established)
        {
            if (nowMs - startedMs > (long)options.InitLimitTicks * tickMs)
                peer.GoLooking($"no quorum of followers was in step within initLimit ({options.InitLimitTicks} ticks)", nowMs);
            return;
        }
        if (isHandingOver)
        {
            if (nowMs - handingOverSinceMs > (long)options.SyncLimitTicks * tickMs)
                peer.TakeUpVote(nowMs);
            return;
        }
        if (!peer.IsVoter)
        {
            // A reconfiguration that its predecessor proposed came into force with it.
            peer.GoLooking("the configuration in force gives this leader no vote", nowMs);
            return;
        }
        if (nowMs < nextPingMs)
            return;
        nextPingMs = nowMs + Math.Max(1, tickMs / 2);
        DropSilent(nowMs);
        if (!peer.IsLeading(this))
            return;
        if (!HasLiveQuorum(nowMs) && !peer.Has(PlantedBug.LeadWithoutQuorum))
        {
            peer.GoLooking("a quorum of followers has not been heard of within syncLimit", nowMs);
            return;
        }
        foreach (LearnerState learner in learners)
            Ping(learner);
    }

    /// <summary>More of the own log is on disk.</summary>
    public void OwnLogDurable()
    {
        AckOwn();
        TryCommit();
    }

    private Zxid EpochStart => new(Epoch << 32);

    private Zxid LastKnown => phase == Phase.Established ? lastCommitted : inherited;

    private void AckOwn()
    {
        if (!peer.IsVoter)
            return;
        if (phase == Phase.Established)
            acked[peer.Self] = peer.Durable;
        else if (phase == Phase.Synchronising && peer.Durable >= inherited)
            PersistOwnEpoch();
        if (ownEpochDurable && peer.Durable >= inherited && synchronised.Add(peer.Self))
            TryEstablish();
    }

    private void Drop(LearnerState learner, string reason)
    {
        outbox.HangUp(learner.Link, reason);
        learner.Link.Learner = null;
        learners.Remove(learner);
    }

    private void DropSilent(long nowMs)
    {
        long syncMs = (long)options.SyncLimitTicks * peer.TickMs;
        long initMs = (long)options.InitLimitTicks * peer.TickMs;
        for (int i = learners.Count - 1; i >= 0; i--)
        {
            LearnerState learner = learners[i];
            // The driver ends the link if the learner takes nothing of a transfer any more.
            if (learner.Phase is LearnerPhase.Transferring or LearnerPhase.Querying)
                learner.LastHeardMs = nowMs;
            long limitMs = learner.Phase == LearnerPhase.Synchronised ? syncMs : initMs;
            if (learner.Held?.Length > HeldBytesMax)
                Drop(learner, $"more than {HeldBytesMax} bytes came up while it was sent a snapshot or a log");
            else if (nowMs - learner.LastHeardMs > limitMs)
                Drop(learner, $"nothing was heard of it for {limitMs} ms");
            else if (IsTooSlow(learner, syncMs, nowMs))
                Drop(learner, $"it has not acknowledged a proposal for {syncMs} ms");
        }
    }

    /// <summary>Times one proposal after the other: a follower that logs nothing is of no use however often it pings.</summary>
    private bool IsTooSlow(LearnerState learner, long limitMs, long nowMs)
    {
        if (learner.IsObserver || learner.Phase != LearnerPhase.Synchronised || !peer.Members.IsVoter(learner.Server))
            return false;
        if (learner.TimedProposal != Zxid.Zero && learner.Acked < learner.TimedProposal)
            return nowMs - learner.TimedSinceMs > limitMs;
        bool hasUnacked = peer.LastLogged > learner.Acked && peer.LastLogged > EpochStart;
        learner.TimedProposal = hasUnacked ? peer.LastLogged : Zxid.Zero;
        learner.TimedSinceMs = nowMs;
        return false;
    }

    private bool HasLiveQuorum(long nowMs)
    {
        long limitMs = (long)options.SyncLimitTicks * peer.TickMs;
        scratch.Clear();
        scratch.Add(peer.Self);
        foreach (LearnerState learner in learners)
        {
            if (learner.Phase == LearnerPhase.Synchronised && nowMs - learner.LastHeardMs <= limitMs)
                AddCounting(scratch, learner);
        }
        return IsQuorum(scratch);
    }

    private void AddCounting(HashSet<ServerId> set, LearnerState learner)
    {
        if (!learner.IsObserver)
            set.Add(learner.Server);
        else if (peer.Has(PlantedBug.CountObservers))
            set.Add(NextVoterOutside(set));
    }

    // Only with the planted bug: an observer stands in for a voter.
    private ServerId NextVoterOutside(HashSet<ServerId> set)
    {
        foreach (ServerId voter in peer.Members.Voters)
        {
            if (!set.Contains(voter))
                return voter;
        }
        return peer.Self;
    }

    private bool IsQuorum(HashSet<ServerId> set) => peer.Members.IsQuorum(set);

    private void Ping(LearnerState learner)
    {
        if (learner.Phase is not (LearnerPhase.AwaitNewLeaderAck or LearnerPhase.Synchronised))
            return;
        if (learner.IsUpToDate)
            learner.PingsSent++;
        // One that came after the round began counts as well, or the round would wait for those who have gone.
        if (learner.PingOfRound == 0 && roundsStarted != roundsConfirmed)
            learner.PingOfRound = learner.PingsSent;
        // Not held back with the rest: a learner that hears nothing gives up its leader.
        QuorumPackets.WriteEmpty(
            learner.Link.Output, QuorumPacketType.Ping, peer.LastLogged > EpochStart ? peer.LastLogged : EpochStart);
        outbox.MarkDirty(learner.Link);
    }

    private void Wrote(LearnerState learner)
    {
        if (learner.Held is null)
            outbox.MarkDirty(learner.Link);
    }

    private void Send(LearnerState learner, QuorumPacketType type, Zxid zxid)
    {
        QuorumPackets.WriteEmpty(learner.Output, type, zxid);
        Wrote(learner);
    }

    private void Send(LearnerState learner, QuorumPacketType type, Zxid zxid, ReadOnlySpan<byte> data)
    {
        QuorumPackets.Write(learner.Output, type, zxid, data);
        Wrote(learner);
    }
}
