using System.Text;
using SharpKeeper.Protocol;
using SharpKeeper.Protocol.Election;
using SharpKeeper.Protocol.Quorum;

namespace SharpKeeper.Core.Zab;

/// <summary>
/// One server's part in Zab: it elects, then leads or learns until that ends, and elects again. It knows what is in the
/// log, which epochs were promised, and which configurations count; the roles do the rest.
/// </summary>
/// <remarks>
/// No exception leaves it and nothing in it waits: whatever takes time is an effect whose completion is an input. While
/// the log is being cut or replaced no role runs, since nobody can say what the log holds.
/// </remarks>
internal sealed class ZabPeer
{
    private enum Storage
    {
        /// <summary>The log and the tree in memory belong together.</summary>
        Whole,

        /// <summary>The tree has what is not on disk: it came from a leader, or this observer keeps no log.</summary>
        TreeAhead,

        /// <summary>The log is being cut or replaced.</summary>
        Changing,
    }

    private readonly bool reconfigEnabled;
    private Storage storage;
    private Membership members;
    private LeaderRole? leader;
    private LearnerRole? learner;
    private PeerLink? oldLeader;

    // What was proposed in the log that a leader's snapshot takes the place of.
    private EnsembleConfig? nextOfReplacedLog;
    private bool isStalled;
    private bool isElectionDue;
    private long servingEpoch = -1;
    private long electionStartedMs;

    /// <summary>Starts with what the disk holds; elections begin with the first tick.</summary>
    /// <param name="options">The ensemble.</param>
    /// <param name="outbox">Where effects go.</param>
    /// <param name="host">The replica around it.</param>
    /// <param name="history">The last transactions of the log.</param>
    /// <param name="lastLogged">The last transaction on disk.</param>
    /// <param name="tickMs">Length of a tick, milliseconds.</param>
    /// <param name="reconfigEnabled">Are configurations kept and changed?</param>
    /// <param name="nowMs">Monotonic time, milliseconds.</param>
    public ZabPeer(
        EnsembleOptions options, Outbox outbox, IZabHost host, TxnHistory history, Zxid lastLogged, int tickMs,
        bool reconfigEnabled, long nowMs)
    {
        NowMs = LookingSinceMs = nowMs;
        Options = options;
        Outbox = outbox;
        Host = host;
        History = history;
        TickMs = tickMs;
        this.reconfigEnabled = reconfigEnabled;
        LastLogged = Durable = lastLogged;
        AcceptedEpoch = RequestedEpoch = options.AcceptedEpoch;
        CurrentEpoch = options.CurrentEpoch;
        members = new Membership(options.Config, options.NextConfig);
        CommittedMembers = new Membership(options.Config, null);
        Election = new Election(options, outbox);
        isElectionDue = true;
        UseMembers();
    }

    /// <summary>The ensemble's settings.</summary>
    public EnsembleOptions Options { get; }

    /// <summary>Where effects go.</summary>
    public Outbox Outbox { get; }

    /// <summary>The replica around it.</summary>
    public IZabHost Host { get; }

    /// <summary>The last transactions of the log.</summary>
    public TxnHistory History { get; }

    /// <summary>Length of a tick, milliseconds.</summary>
    public int TickMs { get; }

    /// <summary>The election.</summary>
    public Election Election { get; }

    /// <summary>This server.</summary>
    public ServerId Self => Options.Self;

    /// <summary>What this server is doing.</summary>
    public ServerState State { get; private set; }

    /// <summary>Why it does that, for people.</summary>
    public string Reason { get; private set; } = "the server has started";

    /// <summary>The leader it follows, or itself; null while it looks for one.</summary>
    public ServerId? LeaderId => State == ServerState.Looking ? null : Election.CurrentVote.Leader;

    /// <summary>The role, if it leads.</summary>
    public LeaderRole? Leader => leader;

    /// <summary>The role, if it learns.</summary>
    public LearnerRole? Learner => learner;

    /// <summary>The configurations that count.</summary>
    public Membership Members => members;

    /// <summary>The committed configuration alone.</summary>
    public Membership CommittedMembers { get; private set; }

    /// <summary>The transaction that proposed the next configuration; zero if none is under way.</summary>
    public Zxid NextConfigZxid => members.Next is { } next ? new Zxid(next.Version) : Zxid.Zero;

    /// <summary>The greatest epoch that is durably promised.</summary>
    public long AcceptedEpoch { get; private set; }

    /// <summary>
    /// The greatest epoch that has been written as promised, durable by now or not. A role that ends does not take its
    /// writing back, and what is on disk must not go down.
    /// </summary>
    public long RequestedEpoch { get; private set; }

    /// <summary>The epoch whose beginning is durably in the log.</summary>
    public long CurrentEpoch { get; private set; }

    /// <summary>The last transaction appended to the log.</summary>
    public Zxid LastLogged { get; private set; }

    /// <summary>The last transaction that is durable.</summary>
    public Zxid Durable { get; private set; }

    /// <summary>Since when it has been looking for a leader, if it is; monotonic milliseconds.</summary>
    public long LookingSinceMs { get; private set; }

    /// <summary>How long elections took.</summary>
    public DurationTally ElectionTimes { get; private set; }

    /// <summary>What happened how often.</summary>
    public EnsembleCounters Counters { get; set; }

    /// <summary>Can this server only be brought up to date by a snapshot?</summary>
    public bool NeedsSnapshot { get; private set; }

    /// <summary>Monotonic time of the current input, milliseconds.</summary>
    public long NowMs { get; private set; }

    /// <summary>Does this server vote?</summary>
    public bool IsVoter => members.Committed.IsVoter(Self);

    /// <summary>Does it introduce itself as observer?</summary>
    public bool IsObserver => members.Committed.Find(Self) is { Role: ServerRole.Observer };

    /// <summary>Is it in step with an established leader, or leading?</summary>
    public bool IsSettled => leader is { IsEstablished: true } || learner is { IsServing: true };

    /// <summary>Is a deliberate mistake planted?</summary>
    public bool Has(PlantedBug bug) => (Options.Bugs & bug) != 0;

    /// <summary>Is <paramref name="role"/> still the role of this server?</summary>
    public bool IsLeading(LeaderRole role) => ReferenceEquals(leader, role);

    /// <summary>
    /// Whoever looks for a leader does not follow this server. And a leader that looks itself, with a greater vote than the
    /// one for it or in a later election, is not worth dialling any more.
    /// </summary>
    private void LookerSeen(in Input input)
    {
        if (leader is null && input.Server != LeaderId)
            return;
        if (!VoteNotification.TryRead(input.Body, out VoteNotification vote) || vote.State != ServerState.Looking)
            return;
        var its = new Vote(vote.Leader, vote.Zxid, vote.Round, vote.PeerEpoch);
        leader?.LookerSeen(input.Server, its, NowMs);
        if (its.Round > Election.Round || (its.Round == Election.Round && its.IsAfter(Election.CurrentVote)))
            learner?.LeaderUnheard(NowMs);
    }

    /// <summary>Takes an input that concerns the ensemble.</summary>
    public void Step(in Input input)
    {
        NowMs = input.NowMs;
        switch (input.Kind)
        {
            case InputKind.Tick:
                Tick();
                break;
            case InputKind.VoteReceived:
                // Without an election of its own this server has nothing true to say.
                if (!isElectionDue)
                    Election.Receive(input.Server, input.Body, NowMs);
                LookerSeen(input);
                break;
            case InputKind.VoteLinkChanged:
                Election.LinkChanged(input.Server, input.Number != 0, NowMs);
                if (input.Number == 0 && input.Server == LeaderId)
                    learner?.LeaderUnheard(NowMs);
                break;
            case InputKind.LearnerConnected:
                AcceptLearner(input.Peer!);
                break;
            case InputKind.PeerConnected:
                learner?.Connected(input.Peer!, NowMs);
                break;
            case InputKind.PeerPackets:
                TakePackets(input.Peer!, input.Body);
                break;
            case InputKind.PeerClosed:
                input.Peer!.IsClosed = true;
                leader?.Closed(input.Peer, NowMs);
                learner?.Closed(input.Peer, NowMs);
                break;
            case InputKind.SnapshotReceived:
                learner?.SnapshotReceived(input.Peer!, NowMs);
                break;
            case InputKind.SnapshotInstalled:
                SnapshotInstalled();
                break;
            case InputKind.LogTruncated:
                if (input.Number < 0)
                    LogNotTruncated();
                else
                    LogTruncated(input.Zxid);
                break;
            case InputKind.AcceptedEpochDurable:
                AcceptedEpoch = Math.Max(AcceptedEpoch, input.Number);
                leader?.AcceptedEpochDurable(input.Number);
                learner?.AcceptedEpochDurable(input.Number);
                break;
            case InputKind.CurrentEpochDurable:
                CurrentEpoch = Math.Max(CurrentEpoch, input.Number);
                leader?.CurrentEpochDurable(input.Number);
                learner?.CurrentEpochDurable(input.Number);
                break;
            case InputKind.TransferDone:
                leader?.TransferDone(input.Peer!, NowMs);
                break;
            case InputKind.LogQueried:
                leader?.LogQueried(input.Peer!, input.Position);
                break;
            case InputKind.LogDurable:
                Durable = input.Zxid > Durable ? input.Zxid : Durable;
                leader?.OwnLogDurable();
                learner?.LogDurable();
                break;
            case InputKind.StorageStalled:
                isStalled = true;
                // Whoever cannot write its log can neither lead nor be counted on; the others go on without it.
                GoLooking("the transaction log cannot be written", NowMs);
                break;
            case InputKind.StorageResumed:
                isStalled = false;
                break;
            default:
                throw new InvariantException($"input {input.Kind} does not concern the ensemble");
        }
        GoOn();
    }

    /// <summary>Would the leader's received snapshot be taken now?</summary>
    public bool AwaitsSnapshot(PeerLink link) => learner?.AwaitsSnapshot(link) == true;

    /// <summary>The leader has appended a transaction of its own making.</summary>
    public void Proposed(Zxid zxid, ReadOnlySpan<byte> payload)
    {
        Remember(zxid, payload);
        Counters = Counters with { Proposals = Counters.Proposals + 1 };
        leader!.Propose(zxid, payload);
    }

    /// <summary>A learner appends a transaction that came from its leader.</summary>
    public void Log(Zxid zxid, ReadOnlySpan<byte> payload)
    {
        if (IsObserver && !Options.ObserverLogs)
        {
            storage = Storage.TreeAhead;
            QueueUnlogged(zxid, payload);
            return;
        }
        Remember(zxid, payload);
        Host.Log(zxid, payload);
    }

    /// <summary>A learner takes a transaction into the tree that is not to be logged.</summary>
    public void QueueUnlogged(Zxid zxid, ReadOnlySpan<byte> payload)
    {
        History.Append(zxid, payload);
        Host.QueueUnlogged(zxid, payload);
    }

    /// <summary>Everything up to <paramref name="zxid"/> is committed.</summary>
    public void Commit(Zxid zxid)
    {
        History.Commit(zxid);
        Host.Commit(zxid);
    }

    /// <summary>Only with a planted bug: forgets what is logged and not known to be committed.</summary>
    public void ForgetUncommitted()
    {
        Zxid last = History.Count > 0 ? History.Committed : LastLogged;
        if (last >= LastLogged)
            return;
        History.CutAfter(last);
        Host.DropAfter(last);
        LastLogged = last;
    }

    /// <summary>Gives up the role, if there is one, and looks for a leader.</summary>
    public void GoLooking(string reason, long nowMs)
    {
        if (State != ServerState.Looking)
            LookingSinceMs = nowMs;
        Reason = reason;
        LeaveRole();
        State = ServerState.Looking;
        isElectionDue = true;
        NowMs = nowMs;
    }

    /// <summary>
    /// Takes the role that the current vote gives after a reconfiguration named the leader: no election is needed.
    /// </summary>
    public void TakeUpVote(long nowMs)
    {
        NowMs = nowMs;
        LeaveRole(answersFirst: true);
        if (storage != Storage.Whole)
        {
            State = ServerState.Looking;
            isElectionDue = true;
            return;
        }
        Vote vote = Election.CurrentVote;
        Settle(RoleFor(vote.Leader), vote);
    }

    /// <summary>Makes an epoch the promised one on disk; <see cref="RequestedEpoch"/> or a greater one.</summary>
    public void PersistAcceptedEpoch(long epoch)
    {
        RequestedEpoch = epoch;
        Outbox.Effects.Enqueue(new Effect(EffectKind.PersistAcceptedEpoch) { Number = epoch });
    }

    /// <summary>The leader is established.</summary>
    public void Established(long epoch)
    {
        Election.RaisePeerEpoch(epoch);
        servingEpoch = epoch;
    }

    /// <summary>The first leader of an ensemble that keeps configurations names the one that all were started with.</summary>
    public void NameFirstConfig(long epoch)
    {
        if (!reconfigEnabled || members.Committed.Version != 0 || members.Next is not null)
            return;
        members = new Membership(members.Committed, members.Committed.WithVersion(epoch << 32));
        UseMembers();
    }

    /// <summary>A reconfiguration has been proposed.</summary>
    public void SetNextConfig(EnsembleConfig config)
    {
        if (!reconfigEnabled || config.Version <= members.Committed.Version)
            return;
        members = new Membership(members.Committed, config);
        UseMembers();
    }

    /// <summary>
    /// The next configuration is in force. True if that changes this server's role or leader, so that the present role
    /// must end; <see cref="TakeUpVote"/> then knows what follows.
    /// </summary>
    /// <param name="designated">Who leads from now on; null if that does not change.</param>
    public bool ActivateNextConfig(ServerId? designated) =>
        members.Next is { } next && ActivateConfig(next, designated);

    /// <summary>As <see cref="ActivateNextConfig"/>, for a configuration that may not have been seen before.</summary>
    public bool ActivateConfig(EnsembleConfig config, ServerId? designated)
    {
        if (!reconfigEnabled || config.Version < members.Committed.Version)
            return false;
        bool wasObserver = IsObserver;
        members = new Membership(config, members.Next);
        CommittedMembers = new Membership(config, null);
        Host.ShowConfig(config);
        UseMembers();
        bool isMajor = wasObserver != IsObserver;
        if (designated is { } named && named != Election.CurrentVote.Leader)
        {
            Election.Settle(State, new Vote(named, LastLogged, -1, -1));
            isMajor = true;
        }
        return isMajor;
    }

    /// <summary>
    /// The configuration that a learner is to work with once it is in step: one that this leader found proposed is
    /// committed when it is established; one proposed later is not before its own commit.
    /// </summary>
    public byte[] ConfigTextForLearners(bool isEstablished)
    {
        EnsembleConfig config = isEstablished ? members.Committed : members.Next ?? members.Committed;
        return Encoding.UTF8.GetBytes(config.Format());
    }

    /// <summary>Reads a configuration from another server; null if it says nothing or is not to be kept.</summary>
    public EnsembleConfig? ReadConfig(ReadOnlySpan<byte> text)
    {
        if (text.Length <= 1 || !reconfigEnabled)
            return null;
        return EnsembleConfig.TryParse(Encoding.UTF8.GetString(text), out EnsembleConfig? config, out _) ? config : null;
    }

    /// <summary>The tree of the leader's snapshot has replaced the one that the log leads to.</summary>
    public void TreeCameFromLeader()
    {
        NeedsSnapshot = false;
        History.Clear();
        storage = Has(PlantedBug.UsePartialSnapshot) ? Storage.Whole : Storage.TreeAhead;
        nextOfReplacedLog = members.Next;
    }

    /// <summary>Makes the tree from the leader durable in place of what the directory holds.</summary>
    public void InstallSnapshot()
    {
        storage = Storage.Changing;
        Outbox.Effects.Enqueue(new Effect(EffectKind.InstallSnapshot) { Zxid = Host.Applied });
    }

    /// <summary>Cuts the log behind <paramref name="last"/>.</summary>
    public void TruncateLog(Zxid last)
    {
        History.CutAfter(last);
        Host.DropAfter(last);
        if (NextConfigZxid > last)
        {
            // The reconfiguration is cut off with the rest.
            DropNextConfig();
        }
        if (Has(PlantedBug.KeepTruncated))
        {
            LastLogged = last;
            learner?.LogTruncated(last, NowMs);
            return;
        }
        bool reloads = Host.Applied > last && !Has(PlantedBug.KeepUncommittedInTree);
        ChangeLog(last, reloads);
    }

    private void ChangeLog(Zxid last, bool reloads)
    {
        storage = Storage.Changing;
        Outbox.Effects.Enqueue(new Effect(EffectKind.TruncateLog) { Zxid = last, Number = reloads ? 1 : 0 });
    }

    private void Remember(Zxid zxid, ReadOnlySpan<byte> payload)
    {
        Invariant.Check(zxid > LastLogged, "a transaction is logged out of order");
        if (!Has(PlantedBug.HoleInHistory) || learner is not { IsServing: false })
            History.Append(zxid, payload);
        LastLogged = zxid;
    }

    private void Tick()
    {
        leader?.Tick(NowMs);
        learner?.Tick(NowMs);
        if (!isElectionDue)
            Election.Tick(NowMs);
    }

    /// <summary>Does what had to wait for something that may have happened by now.</summary>
    private void GoOn()
    {
        leader?.TryCommit();
        learner?.GoOn();
        if (servingEpoch >= 0 && leader is { IsEstablished: true } && Host.Applied >= LastLogged)
        {
            long epoch = servingEpoch;
            servingEpoch = -1;
            Host.StartLeading(epoch);
        }
        TakeNewerConfig();
        StartElection();
        if (!isElectionDue && State == ServerState.Looking
            && Election.TryTakeDecision(out _, out Vote vote))
        {
            ElectionTimes = ElectionTimes.With(NowMs - electionStartedMs);
            // A server that the configuration does not know follows without a vote.
            Settle(RoleFor(vote.Leader), vote);
        }
    }

    private void StartElection()
    {
        if (!isElectionDue || isStalled || storage == Storage.Changing)
            return;
        if (storage == Storage.TreeAhead)
        {
            // What the leader sent is not on disk: the vote must claim what is.
            ChangeLog(LastLogged, reloads: true);
            return;
        }
        isElectionDue = false;
        electionStartedMs = NowMs;
        Counters = Counters with { Looking = Counters.Looking + 1 };
        // Who is to become a voter votes already, since both configurations must agree, but does not propose itself.
        // Nor need this server know yet that it is to become one.
        bool hasVote = (IsVoter || reconfigEnabled) && !IsObserver;
        Election.Start(hasVote, LastLogged, CurrentEpoch, members, NowMs, isCandidate: IsVoter);
    }

    private void TakeNewerConfig()
    {
        if (Election.TakeNewerConfig() is not { } config || !reconfigEnabled || State != ServerState.Looking
            || config.Version <= members.Committed.Version)
            return;
        bool differs = !config.HasSameMembers(members.Committed);
        members = new Membership(config, members.Next);
        CommittedMembers = new Membership(config, null);
        Host.ShowConfig(config);
        UseMembers();
        isElectionDue |= differs;
    }

    private ServerState RoleFor(ServerId leaderId)
    {
        if (leaderId == Self)
            return ServerState.Leading;
        return IsObserver ? ServerState.Observing : ServerState.Following;
    }

    private void Settle(ServerState state, Vote vote)
    {
        State = state;
        isElectionDue = false;
        Reason = $"server {vote.Leader} was elected";
        Election.Settle(state, vote);
        if (state == ServerState.Leading)
        {
            leader = new LeaderRole(this, NowMs);
            return;
        }
        EnsembleServer? server = members.Committed.Find(vote.Leader) ?? members.Next?.Find(vote.Leader);
        if (server is null)
            GoLooking($"server {vote.Leader} was elected and is in no configuration", NowMs);
        else
            learner = new LearnerRole(this, vote.Leader, isDesignated: vote.Round < 0, NowMs);
    }

    private void LeaveRole(bool answersFirst = false)
    {
        bool hadRole = leader is not null || learner is not null;
        leader?.Stop();
        leader = null;
        oldLeader = Has(PlantedBug.AcceptOldLeader) ? learner?.Link ?? oldLeader : null;
        learner?.Stop();
        learner = null;
        servingEpoch = -1;
        if (hadRole)
            Host.StopServing(answersFirst);
    }

    private void AcceptLearner(PeerLink link)
    {
        if (leader is null)
            Outbox.HangUp(link, "this server does not lead");
        else
            leader.Connected(link, NowMs);
    }

    private void TakePackets(PeerLink link, ReadOnlySpan<byte> packets)
    {
        while (!packets.IsEmpty && (!link.IsClosed || Has(PlantedBug.AcceptOldLeader)))
        {
            PacketReadResult result = QuorumPackets.TryRead(
                packets, Options.PacketBytesMax, out QuorumPacket packet, out int consumed);
            if (result != PacketReadResult.Complete)
            {
                Outbox.HangUp(link, "it sent bytes that are no packet");
                leader?.Closed(link, NowMs);
                learner?.Closed(link, NowMs);
                return;
            }
            packets = packets[consumed..];
            if (link.Learner is not null)
                leader?.Received(link, packet, NowMs);
            else
                learner?.Received(link, packet, NowMs, isOld: ReferenceEquals(link, oldLeader));
        }
    }

    private void SnapshotInstalled()
    {
        storage = Storage.Whole;
        LastLogged = Durable = Host.Applied;
        // Proposed in the log that is gone: if the leader has it as well, it has said so since.
        if (nextOfReplacedLog is not null && ReferenceEquals(members.Next, nextOfReplacedLog))
            DropNextConfig();
        nextOfReplacedLog = null;
        learner?.SnapshotInstalled();
    }

    private void LogTruncated(Zxid last)
    {
        storage = Storage.Whole;
        LastLogged = Durable = last;
        History.CutAfter(last);
        Host.Commit(last);
        learner?.LogTruncated(last, NowMs);
    }

    /// <summary>
    /// What is to be cut off stands in every snapshot here. The leader's tree must replace all of it; it sends that to a
    /// learner that has nothing.
    /// </summary>
    private void LogNotTruncated()
    {
        // In memory the end is cut off already, on disk it is there.
        storage = Storage.TreeAhead;
        NeedsSnapshot = true;
        GoLooking("the log cannot be cut where the leader wants it; a snapshot is needed", NowMs);
    }

    private void DropNextConfig()
    {
        members = CommittedMembers;
        UseMembers();
    }

    private void UseMembers()
    {
        Election.UseMembers(members);
        Outbox.Effects.Enqueue(
            new Effect(EffectKind.UseConfig) { Config = members.Committed, NextConfig = members.Next });
    }
}
