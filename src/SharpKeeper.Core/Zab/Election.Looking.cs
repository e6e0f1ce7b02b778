using SharpKeeper.Protocol;
using SharpKeeper.Protocol.Election;

namespace SharpKeeper.Core.Zab;

/// <summary>The election itself: what happens to votes while this server looks for a leader.</summary>
internal sealed partial class Election
{
    /// <summary>Votes of this round, the own one among them.</summary>
    private readonly BallotBox received = new();

    /// <summary>Votes of servers that follow or lead, of whatever round.</summary>
    private readonly BallotBox outOfElection = new();

    /// <summary>Votes of greater rounds that came while a decision of this round was as good as taken.</summary>
    private readonly SortedDictionary<ServerId, Ballot> deferred = [];

    /// <summary>What this server proposed when it started.</summary>
    private Vote initial;

    private long intervalMs;
    private long resendAtMs = Never;
    private long finalizeAtMs = Never;

    private void OnVote(ServerId from, in VoteNotification notification, long nowMs)
    {
        Ballot ballot = BallotOf(notification);
        switch (ballot.State)
        {
            case ServerState.Looking when !isVoter:
                // The voters will settle soon, and nobody tells an observer unasked.
                BackOffAnew(nowMs);
                break;
            case ServerState.Looking:
                OnLookingVote(from, ballot, nowMs);
                ReplayDeferred(nowMs);
                break;
            case ServerState.Following or ServerState.Leading:
                OnSettledVote(from, ballot);
                break;
        }
    }

    private void OnLookingVote(ServerId from, Ballot ballot, long nowMs)
    {
        // Without a proposal of its own a server takes part in whichever round the others are in.
        if (vote.Leader == ServerId.Nobody && IsUsable(ballot.Vote))
            JoinRound(ballot.Vote);
        if (ballot.Vote.Round < Round)
        {
            sender.Send(from, state, vote);
            return;
        }
        if (!IsUsable(ballot.Vote))
        {
            // One that proposes nobody waits for a proposal, which it may have been deaf to.
            if (ballot.Vote.Leader == ServerId.Nobody && vote.Leader != ServerId.Nobody)
                sender.Send(from, state, vote);
            return;
        }
        if (ballot.Vote.Round > Round)
        {
            if (IsFinalizing && !Beats(ballot.Vote, vote))
            {
                // Joining that round would undo a decision that others may have taken already.
                deferred[from] = ballot;
                return;
            }
            JoinRound(ballot.Vote);
        }
        else if (Beats(ballot.Vote, vote))
        {
            Propose(ballot.Vote);
        }
        else if (Beats(vote, ballot.Vote))
        {
            // The sender may have started after this server's vote was sent to it, and have been deaf to it until then.
            sender.Send(from, state, vote);
        }
        received.Put(from, ballot);
        Conclude(nowMs);
    }

    private void OnSettledVote(ServerId from, in Ballot ballot)
    {
        if (!members.IsVoter(ballot.Vote.Leader))
            return;
        if (ballot.Vote.Round == Round)
        {
            received.Put(from, ballot);
            if (IsConfirmed(received, ballot))
            {
                Decide(ballot.Vote);
                return;
            }
        }
        outOfElection.Put(from, ballot);
        if (!IsConfirmed(outOfElection, ballot))
            return;
        Round = ballot.Vote.Round;
        Decide(ballot.Vote);
    }

    /// <summary>
    /// Is a leader established by the word of servers that have settled? The leader itself must say so: followers may
    /// not have noticed yet that it has gone.
    /// </summary>
    /// <remarks>
    /// To follow an established leader takes no quorum of a configuration that is only proposed: the others may never
    /// have heard of it, and nobody but this server would wait for it. One that is in force comes with their votes.
    /// </remarks>
    private bool IsConfirmed(BallotBox box, in Ballot ballot)
    {
        ServerId leader = ballot.Vote.Leader;
        if (leader == options.Self)
            return isCandidate && ballot.Vote.Round == Round && members.IsQuorum(box.SupportersOf(ballot));
        return box.TryGet(leader, out Ballot own) && own.State == ServerState.Leading
            && members.IsCommittedQuorum(box.SupportersOf(ballot));
    }

    private bool IsFinalizing => finalizeAtMs != Never;

    /// <summary>Who is proposed must be a voter that has loaded its log; -1 stands for "not yet".</summary>
    private bool IsUsable(in Vote other) => members.IsVoter(other.Leader) && other.Zxid.Value != -1;

    /// <summary>Is a vote greater, and for a server that may lead? One of weight 0 may not.</summary>
    private bool Beats(in Vote other, in Vote current) =>
        other.IsAfter(current) && members.Committed.WeightOf(other.Leader) != 0;

    private void JoinRound(in Vote other)
    {
        Round = other.Round;
        received.Clear();
        Vote own = initial with { Round = Round };
        Propose(Beats(other, own) ? other : own);
    }

    private void Propose(in Vote proposal)
    {
        vote = proposal;
        finalizeAtMs = Never;
        if (isVoter)
            received.Put(options.Self, new Ballot(vote, ServerState.Looking, VoteNotification.CurrentVersion));
        sender.SendToVoters(state, vote);
    }

    /// <summary>Decides if a quorum proposes what this server proposes and nothing better is to be expected.</summary>
    private void Conclude(long nowMs)
    {
        Ballot own = new(vote, ServerState.Looking, VoteNotification.CurrentVersion);
        if (!isVoter || vote.Leader == ServerId.Nobody || !members.IsQuorum(received.SupportersOf(own)))
        {
            finalizeAtMs = Never;
            return;
        }
        if (!IsFinalizing)
            finalizeAtMs = nowMs + options.FinalizeWaitMs;
        if (nowMs >= finalizeAtMs || IsUndisputed(own))
            Decide(vote);
    }

    /// <summary>
    /// Can no voter send a better vote? Each has sent this one, or cannot be reached. Waiting for longer would gain
    /// nothing then.
    /// </summary>
    private bool IsUndisputed(in Ballot own)
    {
        foreach (ServerId id in members.Voters)
        {
            bool isSettled = id == options.Self || linksDown.Contains(id)
                || (received.TryGet(id, out Ballot other) && other.Agrees(own));
            if (!isSettled)
                return false;
        }
        return true;
    }

    private void Decide(in Vote decided)
    {
        vote = decided;
        state = ServerState.Following;
        if (decided.Leader == options.Self)
            state = ServerState.Leading;
        else if (!isVoter)
            state = ServerState.Observing;
        isDecisionUntaken = true;
        foreach (ServerId from in deferred.Keys)
            sender.Send(from, state, vote);
        ForgetVotes();
    }

    private void ReplayDeferred(long nowMs)
    {
        while (deferred.Count > 0 && IsLooking && !IsFinalizing)
        {
            (ServerId from, Ballot ballot) = deferred.First();
            deferred.Remove(from);
            OnLookingVote(from, ballot, nowMs);
        }
    }

    private void Resend(long nowMs)
    {
        int longestMs = Math.Max(options.MinNotificationIntervalMs, options.MaxNotificationIntervalMs);
        intervalMs = Math.Min(intervalMs * 2, longestMs);
        resendAtMs = nowMs + intervalMs;
        sender.SendToVoters(state, vote);
    }

    /// <summary>Makes the waits between repetitions short again.</summary>
    private void BackOffAnew(long nowMs)
    {
        intervalMs = options.MinNotificationIntervalMs;
        resendAtMs = IsLooking ? Math.Min(resendAtMs, nowMs + intervalMs) : nowMs + intervalMs;
    }

    private void ForgetVotes()
    {
        received.Clear();
        outOfElection.Clear();
        deferred.Clear();
        finalizeAtMs = Never;
        resendAtMs = Never;
    }
}
