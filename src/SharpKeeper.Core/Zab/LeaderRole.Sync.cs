using SharpKeeper.Protocol;
using SharpKeeper.Protocol.Quorum;

namespace SharpKeeper.Core.Zab;

internal sealed partial class LeaderRole
{
    private void StartSync(LearnerState learner)
    {
        SyncPlan plan = options.ForceSnapshotSync
            ? new SyncPlan(SyncKind.Snap, default)
            : SyncPlanner.Plan(history, LastKnown, learner.LastLogged, options.UsesLogOnDisk);
        if (plan.Kind == SyncKind.AskDisk)
        {
            learner.Phase = LearnerPhase.Querying;
            outbox.Effects.Enqueue(
                new Effect(EffectKind.QueryLog) { Link = learner.Link, Zxid = learner.LastLogged });
            return;
        }
        RunPlan(learner, plan, fromDisk: false);
    }

    /// <summary>The log on disk has been looked at for a learner.</summary>
    public void LogQueried(PeerLink link, LogPosition position)
    {
        if (link.Learner is not LearnerState { Phase: LearnerPhase.Querying } learner)
            return;
        RunPlan(learner, SyncPlanner.PlanFromDisk(position, learner.LastLogged), fromDisk: true);
    }

    private void RunPlan(LearnerState learner, SyncPlan plan, bool fromDisk)
    {
        if (learner.IsObserver && IsBusy(plan.Kind))
        {
            Drop(learner, "as many observers as allowed are being synchronised already");
            return;
        }
        if (plan.Kind == SyncKind.Snap)
        {
            peer.Counters = peer.Counters with { SnapshotsSent = peer.Counters.SnapshotsSent + 1 };
            Zxid start = host.Applied;
            Send(learner, QuorumPacketType.Snap, start);
            BeginTransfer(learner, new Effect(EffectKind.SendSnapshot) { Link = learner.Link, Zxid = start });
            ForwardFrom(learner, start);
            return;
        }
        peer.Counters = peer.Counters with { DiffsSent = peer.Counters.DiffsSent + 1 };
        Zxid newest = history.Count > 0 && history.First <= history.Committed ? history.Committed : LastKnown;
        bool isEqual = learner.LastLogged == LastKnown;
        if (plan.Kind == SyncKind.Trunc)
            Send(learner, QuorumPacketType.Trunc, plan.From);
        else
            Send(learner, QuorumPacketType.Diff, isEqual ? learner.LastLogged : newest);
        Zxid from = plan.From;
        if (fromDisk && history.Count > 0 && history.First > from.Next)
        {
            // The disk has what memory has not; its end is where memory begins.
            Zxid upTo = LastBefore(history.First);
            BeginTransfer(
                learner, new Effect(EffectKind.SendLog) { Link = learner.Link, Zxid = from, UpTo = upTo });
            from = upTo;
        }
        ForwardFrom(learner, from);
        if (learner.Held is null)
            FinishSync(learner);
    }

    // The range is open at its end: the transaction before the first in memory may belong to another epoch.
    private static Zxid LastBefore(Zxid zxid) => new(zxid.Value - 1);

    private bool IsBusy(SyncKind kind)
    {
        int under = 0;
        foreach (LearnerState other in learners)
        {
            if (other.IsObserver && other.Phase is LearnerPhase.Transferring or LearnerPhase.AwaitNewLeaderAck)
                under++;
        }
        return under >= (kind == SyncKind.Snap ? options.ConcurrentSnapSyncsMax : options.ConcurrentDiffSyncsMax);
    }

    private void BeginTransfer(LearnerState learner, in Effect effect)
    {
        learner.Held = new JuteBuffer();
        learner.Phase = LearnerPhase.Transferring;
        learner.Link.IsTransferring = true;
        outbox.Effects.Enqueue(effect);
    }

    /// <summary>
    /// Sends what is committed after <paramref name="from"/>, then what is proposed and not committed, and from now on
    /// everything that is proposed and committed.
    /// </summary>
    private void ForwardFrom(LearnerState learner, Zxid from)
    {
        if (peer.Has(PlantedBug.NewLeaderBeforeSync))
            SendNewLeader(learner);
        int index = history.IndexAfter(from);
        for (; index < history.Count && history.ZxidAt(index) <= history.Committed; index++)
        {
            QuorumPackets.Write(
                learner.Output, QuorumPacketType.Proposal, history.ZxidAt(index), history.PayloadAt(index));
            QuorumPackets.WriteEmpty(learner.Output, QuorumPacketType.Commit, history.ZxidAt(index));
        }
        for (; index < history.Count && !learner.IsObserver; index++)
        {
            QuorumPackets.Write(
                learner.Output, QuorumPacketType.Proposal, history.ZxidAt(index), history.PayloadAt(index));
        }
        learner.IsForwarding = true;
        Wrote(learner);
    }

    /// <summary>The snapshot, or the part of the log, has been sent: what was held back follows.</summary>
    public void TransferDone(PeerLink link, long nowMs)
    {
        if (link.Learner is not LearnerState { Phase: LearnerPhase.Transferring } learner)
            return;
        link.IsTransferring = false;
        JuteBuffer held = learner.Held!;
        learner.Held = null;
        learner.LastHeardMs = nowMs;
        link.Output.WriteRaw(held.WrittenSpan);
        held.Dispose();
        FinishSync(learner);
    }

    private void FinishSync(LearnerState learner)
    {
        learner.Phase = LearnerPhase.AwaitNewLeaderAck;
        if (!peer.Has(PlantedBug.NewLeaderBeforeSync))
            SendNewLeader(learner);
        outbox.MarkDirty(learner.Link);
        // Nothing goes between NEWLEADER and UPTODATE: Apache's learners fall over a COMMIT there (ZOOKEEPER-4394).
        learner.Held = new JuteBuffer();
    }

    private void SendNewLeader(LearnerState learner)
    {
        // Its acknowledgement of NEWLEADER covers everything that was committed before.
        if (lastCommitted > learner.Acked)
            learner.Acked = lastCommitted;
        Send(learner, QuorumPacketType.NewLeader, EpochStart, peer.ConfigTextForLearners(phase == Phase.Established));
    }
}
