using System.Text;
using SharpKeeper.Protocol;
using SharpKeeper.Protocol.Election;
using SharpKeeper.Protocol.Quorum;

namespace SharpKeeper.Core.Zab;

/// <summary>
/// Fast leader election of one server, Apache's default algorithm: every voter proposes itself, adopts the greatest
/// vote it hears of, and decides once a quorum proposes the same.
/// </summary>
/// <remarks>
/// <para>An election only finds a promising leader quickly. That there is one leader an epoch, with every committed
/// transaction, is the work of discovery; a wrong decision here costs time and nothing else.</para>
/// <para>Notifications may be lost, repeated or late. What is kept of them is bounded by the number of voters.</para>
/// </remarks>
internal sealed partial class Election
{
    private const long Never = long.MaxValue;

    private readonly EnsembleOptions options;
    private readonly VoteSender sender;
    private readonly OutsiderGate outsiders;
    private readonly HashSet<ServerId> linksDown = [];

    private Membership members;
    private EnsembleConfig? newerConfig;
    private ServerState state = ServerState.Looking;
    private Vote vote;
    private bool isStarted;
    private bool isVoter;
    private bool isCandidate;
    private bool isDecisionUntaken;

    /// <summary>Creates an election that is silent until <see cref="Start"/> or <see cref="Settle"/>.</summary>
    public Election(EnsembleOptions options, Outbox outbox)
    {
        this.options = options;
        members = new Membership(options.Config, options.NextConfig);
        sender = new VoteSender(options.Self, outbox, members);
        outsiders = new OutsiderGate(options.MinNotificationIntervalMs);
        vote = Vote.ForNobody(0);
    }

    /// <summary>What this server proposes while it looks for a leader, and what it decided for afterwards.</summary>
    public Vote CurrentVote => vote;

    /// <summary>The number of this server's present or last election; 0 before the first.</summary>
    public long Round { get; private set; }

    /// <summary>Is it looking for a leader?</summary>
    public bool IsLooking => isStarted && state == ServerState.Looking;

    /// <summary>When <see cref="Tick"/> has something to do next; <see cref="long.MaxValue"/> if nothing is waited for.
    /// </summary>
    public long DueMs => IsLooking ? Math.Min(resendAtMs, finalizeAtMs) : Never;

    /// <summary>Notifications dropped because their bytes made no sense.</summary>
    public long MalformedCount { get; private set; }

    /// <summary>
    /// Starts a new election and tells the other voters. A decision that was not taken is forgotten.
    /// </summary>
    /// <param name="isVoter">Without a vote nobody is proposed, and the server follows those that have settled.</param>
    /// <param name="lastLogged">The last transaction in the log, committed or not.</param>
    /// <param name="currentEpoch">The durable currentEpoch.</param>
    /// <param name="members">Who votes.</param>
    /// <param name="nowMs">Monotonic time.</param>
    /// <param name="isCandidate">
    /// Does it propose itself, if it votes? Else it votes for others: it is only to become a voter.
    /// </param>
    public void Start(
        bool isVoter, Zxid lastLogged, long currentEpoch, Membership members, long nowMs, bool isCandidate = true)
    {
        this.isVoter = isVoter;
        this.isCandidate = isVoter && isCandidate;
        isStarted = true;
        isDecisionUntaken = false;
        newerConfig = null;
        state = ServerState.Looking;
        UseMembers(members);
        ForgetVotes();
        Round++;
        initial = this.isCandidate ? new Vote(options.Self, lastLogged, Round, currentEpoch) : Vote.ForNobody(Round);
        BackOffAnew(nowMs);
        Propose(initial);
        Conclude(nowMs);
    }

    /// <summary>
    /// Ends the election: from now on servers that look for a leader are told of <paramref name="vote"/>. A decision
    /// has that effect by itself; this is for a state that came about without one, as by a reconfiguration, or that is
    /// another than the one decided.
    /// </summary>
    public void Settle(ServerState state, Vote vote)
    {
        Invariant.Check(state != ServerState.Looking, "an election cannot settle on looking for a leader");
        isStarted = true;
        isDecisionUntaken = false;
        this.state = state;
        this.vote = vote;
        ForgetVotes();
    }

    /// <summary>
    /// The leader's epoch is established: those that look are told of it. Without effect while looking, or on a greater
    /// epoch.
    /// </summary>
    public void RaisePeerEpoch(long epoch)
    {
        if (state != ServerState.Looking && epoch > vote.PeerEpoch)
            vote = vote with { PeerEpoch = epoch };
    }

    /// <summary>
    /// Other servers vote from now on; the votes of those that are no voters any more are forgotten. During an election
    /// a newer committed configuration needs more than that: <see cref="Start"/>.
    /// </summary>
    public void UseMembers(Membership members)
    {
        this.members = members;
        sender.UseMembers(members);
        received.KeepVoters(members);
        outOfElection.KeepVoters(members);
        linksDown.RemoveWhere(id => !members.IsVoter(id));
        foreach (ServerId id in deferred.Keys.Where(id => !members.IsVoter(id)).ToArray())
            deferred.Remove(id);
    }

    /// <summary>Takes a notification in. One that makes no sense is counted and dropped.</summary>
    /// <param name="from">The server at the other end of the connection.</param>
    /// <param name="payload">The payload; not kept.</param>
    /// <param name="nowMs">Monotonic time.</param>
    public void Receive(ServerId from, ReadOnlySpan<byte> payload, long nowMs)
    {
        if (!isStarted || from == options.Self)
            return;
        if (!VoteNotification.TryRead(payload, out VoteNotification notification))
        {
            MalformedCount++;
            return;
        }
        linksDown.Remove(from);
        if (state == ServerState.Looking)
            NoteConfig(notification.Config);
        if (!members.IsVoter(from))
            AnswerOutsider(from, notification, nowMs);
        else if (state == ServerState.Looking)
            OnVote(from, notification, nowMs);
        else if (notification.State == ServerState.Looking)
            sender.Send(from, state, vote);
    }

    /// <summary>
    /// The election connection to a server is there, or is known to be impossible. It counts as down until it is
    /// reported up or something is received from that server.
    /// </summary>
    public void LinkChanged(ServerId server, bool isUp, long nowMs)
    {
        if (!members.IsVoter(server) || server == options.Self)
            return;
        if (isUp)
            linksDown.Remove(server);
        else
            linksDown.Add(server);
        if (!IsLooking)
            return;
        if (!isUp)
        {
            Conclude(nowMs);
            return;
        }

        // What was sent before may be lost, and the server may have come back with a vote that matters.
        BackOffAnew(nowMs);
        sender.Send(server, state, vote);
    }

    /// <summary>Time has passed: a wait may be over. To be called at <see cref="DueMs"/> or soon after.</summary>
    public void Tick(long nowMs)
    {
        if (!IsLooking)
            return;
        if (nowMs >= finalizeAtMs)
            Conclude(nowMs);
        if (IsLooking && nowMs >= resendAtMs)
            Resend(nowMs);
    }

    /// <summary>
    /// The decision, once after each election that has come to one. With <see cref="TakeNewerConfig"/> at hand as well,
    /// that one comes first: the decision was taken among the wrong voters.
    /// </summary>
    /// <param name="state">Leading if the leader is this server; else Following, or Observing without a vote.</param>
    /// <param name="vote">What was decided for.</param>
    public bool TryTakeDecision(out ServerState state, out Vote vote)
    {
        state = this.state;
        vote = this.vote;
        bool isThere = isDecisionUntaken;
        isDecisionUntaken = false;
        return isThere;
    }

    /// <summary>
    /// The newest committed configuration that another server sent during this election, if it is newer than the own
    /// one; once. The caller makes it the committed one, if it takes any from others, and starts anew.
    /// </summary>
    public EnsembleConfig? TakeNewerConfig()
    {
        EnsembleConfig? config = newerConfig;
        newerConfig = null;
        return config;
    }

    private void NoteConfig(byte[]? text)
    {
        // Nearly always it is the own one, and then there is nothing to read.
        if (text is null || sender.Config.SequenceEqual(text))
            return;
        if (!EnsembleConfig.TryParse(Encoding.UTF8.GetString(text), out EnsembleConfig? config, out _))
        {
            MalformedCount++;
            return;
        }
        if (config.Version > Math.Max(members.Committed.Version, newerConfig?.Version ?? long.MinValue))
            newerConfig = config;
    }

    /// <summary>Tells a server that has no vote here, as an observer, whom this one follows.</summary>
    private void AnswerOutsider(ServerId from, in VoteNotification notification, long nowMs)
    {
        // Only a looking server has asked; from others this is an answer already.
        if (notification.State != ServerState.Looking)
            return;
        Vote told = vote with { Round = Round };
        Ballot answer = new(told, state, VoteNotification.CurrentVersion);
        if (outsiders.MayAnswer(from, BallotOf(notification), answer, nowMs))
            sender.Send(from, state, told);
    }

    private static Ballot BallotOf(in VoteNotification notification) =>
        new(
            new Vote(notification.Leader, notification.Zxid, notification.Round, notification.PeerEpoch),
            notification.State, notification.Version);
}
