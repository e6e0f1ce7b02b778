using System.Globalization;
using System.Text;
using SharpKeeper.Core.Zab;
using SharpKeeper.Protocol;
using SharpKeeper.Protocol.Quorum;
using SharpKeeper.Server.Metrics;

namespace SharpKeeper.Server.Admin;

internal sealed partial class FourLetterWords
{
    /// <summary>The mode of a server of an ensemble, as tools know it.</summary>
    internal static string ModeOf(EnsembleStatus ensemble) => ensemble switch
    {
        { IsReadOnly: true } => "read-only",
        { State: ServerState.Leading } => "leader",
        { State: ServerState.Following } => "follower",
        { State: ServerState.Observing } => "observer",
        _ => "looking",
    };

    /// <summary>State and phase, as monitoring knows them.</summary>
    internal static string PeerStateOf(EnsembleStatus ensemble)
    {
        string state = ensemble.State.ToString().ToLowerInvariant();
        string phase = ensemble.Phase.ToString().ToLowerInvariant();
        return $"{state} - {phase}";
    }

    /// <summary>What <c>conf</c> adds for an ensemble; the last line of the members has no end, as in Apache, whose
    /// read-only servers leave the members out.</summary>
    private void AppendEnsemble(StringBuilder text, EnsembleStatus ensemble)
    {
        if (source.Options.Ensemble is not EnsembleSettings settings)
            return;
        CultureInfo invariant = CultureInfo.InvariantCulture;
        EnsembleServer? self = ensemble.Config.Find(settings.Self) ?? settings.Config.Find(settings.Self);
        text.Append(invariant, $"initLimit={settings.InitLimitTicks}\nsyncLimit={settings.SyncLimitTicks}\n");
        text.Append("electionAlg=3\n");
        text.Append("electionPort=").Append(Ports(self, static address => address.ElectionPort)).Append('\n');
        text.Append("quorumPort=").Append(Ports(self, static address => address.QuorumPort)).Append('\n');
        int peerType = self is null ? (settings.IsObserver ? 1 : 0) : (int)self.Role;
        text.Append(invariant, $"peerType={peerType}\n");
        if (!ensemble.IsReadOnly)
            text.Append("membership: \n").Append(ensemble.Config.Format());
    }

    private static string Ports(EnsembleServer? server, Func<ServerAddress, int> port) => string.Join(
        '|', server?.Addresses.Select(address => port(address).ToString(CultureInfo.InvariantCulture)) ?? []);

    private static void CopyEnsemble(IMetricSink sink, EnsembleStatus ensemble)
    {
        sink.Add("quorum_size", ensemble.Config.Voters.Count);
        if (ensemble.State == ServerState.Leading)
            CopyLeader(sink, ensemble);
        EnsembleCounters counters = ensemble.Counters;
        sink.Add("looking_count", counters.Looking);
        sink.Add("proposal_count", counters.Proposals);
        sink.Add("commit_count", counters.Commits);
        sink.Add("diff_count", counters.DiffsSent);
        sink.Add("snap_count", counters.SnapshotsSent);
        sink.Add("learner_proposal_received_count", counters.ProposalsReceived);
        sink.Add("learner_commit_received_count", counters.CommitsReceived);
        sink.Add("revalidate_count", counters.Revalidations);
        DurationTally times = ensemble.ElectionTimes;
        sink.Add("avg_election_time", times.Count == 0 ? 0.0 : (double)times.SumMs / times.Count);
        sink.Add("min_election_time", times.MinMs);
        sink.Add("max_election_time", times.MaxMs);
        sink.Add("cnt_election_time", times.Count);
        sink.Add("sum_election_time", times.SumMs);
    }

    private static void CopyLeader(IMetricSink sink, EnsembleStatus ensemble)
    {
        int Synced(Func<LearnerStatus, bool> isMeant) =>
            ensemble.Learners.Count(learner => learner.IsSynced && isMeant(learner));
        bool IsObserver(LearnerStatus learner) => learner.Role == ServerRole.Observer;
        bool IsVoter(LearnerStatus learner) => !IsObserver(learner) && ensemble.Config.IsVoter(learner.Id);
        sink.Add("learners", ensemble.Learners.Count);
        sink.Add("synced_followers", Synced(IsVoter));
        sink.Add("synced_non_voting_followers", Synced(learner => !IsObserver(learner) && !IsVoter(learner)));
        sink.Add("synced_observers", Synced(IsObserver));
        sink.Add("pending_syncs", ensemble.PendingSyncs);
        sink.Add("leader_uptime", ensemble.LeaderUptimeMs);
        sink.Add("last_proposal_size", ensemble.ProposalSizes.Last);
        sink.Add("min_proposal_size", ensemble.ProposalSizes.Min);
        sink.Add("max_proposal_size", ensemble.ProposalSizes.Max);
        foreach (LearnerStatus learner in ensemble.Learners)
            sink.Add(string.Create(CultureInfo.InvariantCulture, $"{learner.Id}_learner_lag"), learner.Lag);
    }
}
