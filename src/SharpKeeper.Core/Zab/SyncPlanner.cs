using SharpKeeper.Protocol;

namespace SharpKeeper.Core.Zab;

/// <summary>How a learner is brought up to date.</summary>
internal enum SyncKind
{
    /// <summary>It is sent what it lacks.</summary>
    Diff,

    /// <summary>It cuts its log first, then it is sent what it lacks.</summary>
    Trunc,

    /// <summary>It is sent the whole tree.</summary>
    Snap,

    /// <summary>The log on disk must be looked at before it can be said.</summary>
    AskDisk,
}

/// <summary>The plan for one learner.</summary>
/// <param name="Kind">How.</param>
/// <param name="From">
/// What the learner's log ends with once it has taken the first packet; transactions after it follow. For TRUNC it is
/// where the learner cuts.
/// </param>
internal readonly record struct SyncPlan(SyncKind Kind, Zxid From);

/// <summary>Chooses between DIFF, TRUNC and SNAP as Apache's leader does (LearnerHandler.syncFollower).</summary>
internal static class SyncPlanner
{
    /// <summary>Plans from what is in memory.</summary>
    /// <param name="history">The leader's last transactions; committed ones count.</param>
    /// <param name="last">The leader's last committed transaction, or the start of its epoch.</param>
    /// <param name="learner">The last transaction in the learner's log.</param>
    /// <param name="usesDisk">May the log on disk be looked at?</param>
    public static SyncPlan Plan(TxnHistory history, Zxid last, Zxid learner, bool usesDisk)
    {
        if (learner == last)
            return new SyncPlan(SyncKind.Diff, learner);
        bool isEmpty = history.Count == 0 || history.First > history.Committed;
        Zxid first = isEmpty ? last : history.First;
        Zxid newest = isEmpty ? last : history.Committed;
        bool isEpochStart = learner.Counter == 0;
        if (learner > newest && !isEpochStart)
        {
            return learner.Epoch == newest.Epoch
                ? new SyncPlan(SyncKind.Trunc, newest)
                : new SyncPlan(SyncKind.Snap, default);
        }
        if (!isEmpty && first <= learner && learner <= newest)
            return FromMemory(history, learner);
        return learner < first && usesDisk
            ? new SyncPlan(SyncKind.AskDisk, learner)
            : new SyncPlan(SyncKind.Snap, default);
    }

    /// <summary>Plans with the answer about the log on disk.</summary>
    public static SyncPlan PlanFromDisk(LogPosition position, Zxid learner)
    {
        if (!position.IsUsable)
            return new SyncPlan(SyncKind.Snap, default);
        return Around(position.UpTo, position.Next, learner);
    }

    private static SyncPlan FromMemory(TxnHistory history, Zxid learner)
    {
        int next = history.IndexAfter(learner);
        Zxid before = next > 0 ? history.ZxidAt(next - 1) : Zxid.Zero;
        return Around(before, next < history.Count ? history.ZxidAt(next) : Zxid.Zero, learner);
    }

    /// <param name="before">The leader's last transaction at or before the learner's.</param>
    /// <param name="next">The one after it; zero for none.</param>
    /// <param name="learner">The learner's last transaction.</param>
    private static SyncPlan Around(Zxid before, Zxid next, Zxid learner)
    {
        // A learner that has seen nothing but the start of an epoch lacks nothing before it.
        if (before == learner || learner.Counter == 0)
            return new SyncPlan(SyncKind.Diff, learner);
        // The learner's last transactions are not the leader's. Within the epoch it can cut them off; across epochs
        // nobody knows how far back the histories agree.
        return before != Zxid.Zero && (next == Zxid.Zero || next.Epoch == learner.Epoch) && before.Epoch == learner.Epoch
            ? new SyncPlan(SyncKind.Trunc, before)
            : new SyncPlan(SyncKind.Snap, default);
    }
}
