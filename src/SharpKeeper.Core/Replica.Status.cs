using SharpKeeper.Core.Zab;

namespace SharpKeeper.Core;

public sealed partial class Replica
{
    /// <summary>
    /// What this server does in its ensemble, as of now; null for a server that stands alone. In the replica's turn.
    /// </summary>
    public EnsembleStatus? EnsembleStatus
    {
        get
        {
            if (zab is null)
                return null;
            return new EnsembleStatus
            {
                State = zab.State,
                Reason = zab.Reason,
                Phase = zab.Leader?.StatusPhase ?? zab.Learner?.StatusPhase ?? ZabPhase.Election,
                IsServing = isServing,
                IsReadOnly = IsReadOnly,
                Leader = zab.LeaderId,
                Epoch = zab.CurrentEpoch,
                LastLogged = zab.LastLogged,
                Committed = zab.Leader?.LastCommitted ?? committed,
                Config = zab.Members.Committed,
                NextConfig = zab.Members.Next,
                Learners = zab.Leader?.Status(nowMs) ?? [],
                PendingSyncs = zab.Leader?.PendingSyncs ?? 0,
                LeaderUptimeMs = zab.Leader?.UptimeMs(nowMs) ?? 0,
                ElectionTimes = zab.ElectionTimes,
                ProposalSizes = zab.Leader?.ProposalSizes ?? ProposalSizes.None,
                Counters = zab.Counters,
            };
        }
    }
}
