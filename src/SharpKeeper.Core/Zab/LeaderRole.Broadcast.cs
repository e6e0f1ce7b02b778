using System.Buffers.Binary;
using SharpKeeper.Protocol;
using SharpKeeper.Protocol.Quorum;

namespace SharpKeeper.Core.Zab;

internal sealed partial class LeaderRole
{
    /// <summary>A sync that waits for its answer.</summary>
    /// <param name="Learner">Who forwarded it; null for a client of this server.</param>
    /// <param name="Client">The client, if it is one of this server.</param>
    /// <param name="Zxid">What must be committed first.</param>
    /// <param name="Round">The round of answers that confirms the leader.</param>
    private readonly record struct PendingSync(LearnerState? Learner, object? Client, Zxid Zxid, long Round);

    private readonly Queue<PendingSync> syncs = new();
    private long roundsStarted;
    private long roundsConfirmed;
    private long roundsWanted;

    /// <summary>
    /// Sends a transaction that was appended to the own log. With a configuration it is a reconfiguration: from now on
    /// both configurations must agree.
    /// </summary>
    public void Propose(Zxid zxid, ReadOnlySpan<byte> payload)
    {
        ProposalSizes = ProposalSizes.With(payload.Length);
        foreach (LearnerState learner in learners)
        {
            if (learner.IsForwarding && !learner.IsObserver)
                Send(learner, QuorumPacketType.Proposal, zxid, payload);
        }
    }

    private void TakeFromSynchronised(LearnerState learner, in QuorumPacket packet, long nowMs)
    {
        switch (packet.Type)
        {
            case QuorumPacketType.Ack:
                TakeAck(learner, packet.Zxid);
                break;
            case QuorumPacketType.Ping:
                TakeTouches(packet.Data);
                if (learner.PingsAnswered < learner.PingsSent)
                    learner.PingsAnswered++;
                ConfirmRound();
                break;
            case QuorumPacketType.Revalidate:
                Revalidate(learner, packet.Data);
                break;
            case QuorumPacketType.Request:
                if (IsEstablished)
                    host.TakeForwarded(learner, packet);
                break;
            default:
                Drop(learner, $"it sent {packet.Type}, which no learner sends");
                break;
        }
    }

    private void TakeAck(LearnerState learner, Zxid zxid)
    {
        // The second acknowledgement of NEWLEADER, and what a follower had in flight, change nothing.
        if (zxid.Counter == 0 || zxid <= learner.Acked)
            return;
        if (zxid > peer.LastLogged)
        {
            Drop(learner, $"it acknowledged {zxid}, which was never proposed");
            return;
        }
        learner.Acked = zxid;
        if (!learner.IsObserver && (!acked.TryGetValue(learner.Server, out Zxid before) || zxid > before))
            acked[learner.Server] = zxid;
    }

    /// <summary>Commits what a quorum has logged. Called once after a batch of acknowledgements.</summary>
    public void TryCommit()
    {
        while (phase == Phase.Established && !isHandingOver)
        {
            Zxid agreed = peer.Has(PlantedBug.CommitWithoutQuorum) ? HighestAck()
                : peer.Has(PlantedBug.CountNewConfigOnly) ? peer.Members.AckedByNewest(acked)
                : peer.Members.AckedByQuorum(acked);
            if (agreed > peer.LastLogged)
                agreed = peer.LastLogged;
            Zxid upTo = peer.NextConfigZxid != Zxid.Zero && agreed > peer.NextConfigZxid ? peer.NextConfigZxid : agreed;
            if (upTo <= lastCommitted)
                break;
            CommitUpTo(upTo);
        }
        AnswerSyncs();
    }

    private Zxid HighestAck()
    {
        Zxid highest = Zxid.Zero;
        foreach (Zxid zxid in acked.Values)
            highest = zxid > highest ? zxid : highest;
        return highest;
    }

    private void CommitUpTo(Zxid upTo)
    {
        int first = history.IndexAfter(lastCommitted);
        int end = history.IndexAfter(upTo);
        bool isReconfig = upTo == peer.NextConfigZxid;
        ServerId designated = isReconfig ? Designate(upTo) : default;
        foreach (LearnerState learner in learners)
        {
            if (!learner.IsForwarding)
                continue;
            for (int i = first; i < end; i++)
                WriteDecided(learner, i, isReconfig && i == end - 1, designated);
            Wrote(learner);
        }
        peer.Counters = peer.Counters with { Commits = peer.Counters.Commits + end - first };
        lastCommitted = upTo;
        history.Commit(upTo);
        host.Commit(upTo);
        if (isReconfig)
            Activate(designated);
    }

    private void WriteDecided(LearnerState learner, int index, bool activates, ServerId designated)
    {
        Zxid zxid = history.ZxidAt(index);
        bool waits = learner.Syncs.IsBehind(zxid);
        JuteBuffer output = waits ? learner.Syncs.Packets : learner.Output;
        int begun = output.Length;
        if (learner.IsObserver)
            WriteInform(output, zxid, history.PayloadAt(index), activates, designated);
        else
            WriteCommit(output, zxid, activates, designated);
        if (waits)
            learner.Syncs.Held(zxid, begun);
    }

    private static void WriteCommit(JuteBuffer output, Zxid zxid, bool activates, ServerId designated)
    {
        if (!activates)
        {
            QuorumPackets.WriteEmpty(output, QuorumPacketType.Commit, zxid);
            return;
        }
        int begun = QuorumPackets.Begin(output, QuorumPacketType.CommitAndActivate, zxid);
        output.WriteInt64(designated.Value);
        QuorumPackets.End(output, begun);
    }

    private static void WriteInform(
        JuteBuffer output, Zxid zxid, ReadOnlySpan<byte> payload, bool activates, ServerId designated)
    {
        if (!activates)
        {
            QuorumPackets.Write(output, QuorumPacketType.Inform, zxid, payload);
            return;
        }
        int begun = QuorumPackets.Begin(output, QuorumPacketType.InformAndActivate, zxid);
        output.WriteInt64(designated.Value);
        output.WriteRaw(payload);
        QuorumPackets.End(output, begun);
    }

    /// <summary>
    /// Who leads after a reconfiguration: this server if it still votes under the same address, else the voter of the new
    /// configuration that has logged most.
    /// </summary>
    private ServerId Designate(Zxid reconfig)
    {
        EnsembleConfig next = peer.Members.Next!;
        EnsembleServer? before = peer.Members.Committed.Find(peer.Self);
        EnsembleServer? after = next.Find(peer.Self);
        if (next.IsVoter(peer.Self) && before is not null && HaveSameQuorumPorts(before, after!))
            return peer.Self;
        ServerId best = peer.Self;
        Zxid bestAcked = Zxid.Zero;
        foreach (ServerId voter in next.Voters)
        {
            if (voter != peer.Self && acked.TryGetValue(voter, out Zxid zxid) && zxid >= reconfig && zxid > bestAcked)
                (best, bestAcked) = (voter, zxid);
        }
        return best;
    }

    private static bool HaveSameQuorumPorts(EnsembleServer one, EnsembleServer other) =>
        one.Addresses.Select(static it => (it.Host, it.QuorumPort)).ToHashSet()
            .SetEquals(other.Addresses.Select(static it => (it.Host, it.QuorumPort)));

    private void Activate(ServerId designated)
    {
        peer.ActivateNextConfig(designated);
        if (designated == peer.Self)
            return;
        // Followers leave for the designated leader by themselves once they have this; what they have not committed they
        // bring along, so nothing more may be committed here. No sync is answered here any more either.
        foreach (LearnerState learner in learners)
        {
            learner.Syncs.GiveUp(learner.Output);
            Wrote(learner);
        }
        syncs.Clear();
        isHandingOver = true;
        handingOverSinceMs = peer.NowMs;
        host.StopServing(answersFirst: true);
    }

    /// <summary>Did enough voters of the configuration report in lately to make it work?</summary>
    public bool HasSynchronisedQuorumOf(EnsembleConfig config, long nowMs)
    {
        long limitMs = (long)options.SyncLimitTicks * peer.TickMs;
        scratch.Clear();
        scratch.Add(peer.Self);
        foreach (LearnerState learner in learners)
        {
            // Who joined as observer acknowledges nothing until it has joined again.
            if (!learner.IsObserver && learner.Phase == LearnerPhase.Synchronised
                && nowMs - learner.LastHeardMs <= limitMs)
                scratch.Add(learner.Server);
        }
        return new Membership(config, null).IsQuorum(scratch);
    }

    private void TakeTouches(ReadOnlySpan<byte> table)
    {
        if (peer.Has(PlantedBug.IgnoreTouches))
            return;
        for (; table.Length >= 12; table = table[12..])
        {
            host.TouchSession(
                BinaryPrimitives.ReadInt64BigEndian(table), BinaryPrimitives.ReadInt32BigEndian(table[8..]));
        }
    }

    private void Revalidate(LearnerState learner, ReadOnlySpan<byte> data)
    {
        if (data.Length < 12)
        {
            Drop(learner, "it sent a REVALIDATE without session and timeout");
            return;
        }
        peer.Counters = peer.Counters with { Revalidations = peer.Counters.Revalidations + 1 };
        long session = BinaryPrimitives.ReadInt64BigEndian(data);
        bool isValid = host.TryMoveSession(learner, session, BinaryPrimitives.ReadInt32BigEndian(data[8..]));
        int begun = QuorumPackets.Begin(learner.Output, QuorumPacketType.Revalidate, new Zxid(-1));
        learner.Output.WriteInt64(session);
        learner.Output.WriteBoolean(isValid);
        QuorumPackets.End(learner.Output, begun);
        Wrote(learner);
    }

    /// <summary>
    /// Answers a sync once all that is proposed now is committed and a quorum has confirmed, later than now, that this
    /// server leads: a leader that was replaced without knowing it must not vouch for being up to date.
    /// </summary>
    public void RequestSync(LearnerState? learner, object? client)
    {
        long round = peer.Has(PlantedBug.SyncWithoutQuorum) ? 0 : roundsStarted + 1;
        syncs.Enqueue(new PendingSync(learner, client, peer.LastLogged, round));
        learner?.Syncs.Add(peer.LastLogged);
        roundsWanted = round;
        if (roundsStarted == roundsConfirmed && round > 0)
            StartRound();
        AnswerSyncs();
    }

    private void StartRound()
    {
        roundsStarted++;
        foreach (LearnerState learner in learners)
        {
            Ping(learner);
            learner.PingOfRound = learner.PingsSent;
        }
        ConfirmRound();
    }

    private void ConfirmRound()
    {
        if (roundsStarted == roundsConfirmed)
            return;
        scratch.Clear();
        scratch.Add(peer.Self);
        foreach (LearnerState learner in learners)
        {
            if (learner.Phase == LearnerPhase.Synchronised && learner.PingOfRound > 0
                && learner.PingsAnswered >= learner.PingOfRound)
                AddCounting(scratch, learner);
        }
        if (!IsQuorum(scratch))
            return;
        roundsConfirmed = roundsStarted;
        AnswerSyncs();
        // Not what the first one waits for: that may be a commit, with others behind it.
        if (roundsWanted > roundsStarted)
            StartRound();
    }

    private void AnswerSyncs()
    {
        while (syncs.TryPeek(out PendingSync sync) && sync.Zxid <= lastCommitted && sync.Round <= roundsConfirmed)
        {
            syncs.Dequeue();
            if (sync.Client is { } client)
                host.SyncAnswered(client);
            else if (sync.Learner is { } learner && learners.Contains(learner))
                AnswerSync(learner);
        }
    }

    private void AnswerSync(LearnerState learner)
    {
        learner.Syncs.Answer(learner.Output);
        Wrote(learner);
    }
}
