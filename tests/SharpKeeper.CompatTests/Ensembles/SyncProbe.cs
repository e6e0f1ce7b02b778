using System.Globalization;
using SharpKeeper.CompatTests.Peers;

namespace SharpKeeper.CompatTests.Ensembles;

/// <summary>How a learner was brought up to date.</summary>
internal enum SyncWay
{
    /// <summary>It was sent the transactions that it lacked.</summary>
    Diff,

    /// <summary>It was sent the whole tree.</summary>
    Snap,

    /// <summary>It cut off what it had too much.</summary>
    Trunc,
}

/// <summary>Tells how a learner was brought up to date, from what an Apache server logs or from our leader's counts.</summary>
internal sealed class SyncProbe
{
    private readonly EnsembleServer leader;
    private readonly EnsembleServer learner;
    private readonly int leaderSaid;
    private readonly int learnerSaid;
    private (long? Diffs, long? Snaps) counts;

    private SyncProbe(EnsembleServer leader, EnsembleServer learner)
    {
        this.leader = leader;
        this.learner = learner;
        leaderSaid = leader.Output.Length;
        learnerSaid = learner.Output.Length;
    }

    /// <summary>Starts to look, before the learner is started.</summary>
    public static async Task<SyncProbe> BeginAsync(
        EnsembleServer leader, EnsembleServer learner, CancellationToken cancellation)
    {
        var probe = new SyncProbe(leader, learner);
        probe.counts = await probe.CountsAsync(cancellation);
        return probe;
    }

    /// <summary>The learner was brought up to date in this way, and in no other.</summary>
    public async Task AssertAsync(SyncWay way, CancellationToken cancellation)
    {
        if (learner.Kind == ServerKind.Apache)
            Assert.Equal(way, LearnersWay(learner.Output[learnerSaid..]));
        else if (leader.Kind == ServerKind.Apache)
            Assert.Equal(way, LeadersWay(leader.Output[leaderSaid..]));
        if (leader.Kind == ServerKind.Apache)
            return;
        // A TRUNC counts as DIFF.
        (long? diffs, long? snaps) = await CountsAsync(cancellation);
        Assert.Equal(
            way == SyncWay.Snap ? (0, 1) : (1, 0), (diffs - counts.Diffs ?? -1, snaps - counts.Snaps ?? -1));
    }

    private async Task<(long? Diffs, long? Snaps)> CountsAsync(CancellationToken cancellation) =>
        (await leader.FigureAsync("zk_diff_count", cancellation), await leader.FigureAsync("zk_snap_count", cancellation));

    private static SyncWay? LearnersWay(string said)
    {
        if (said.Contains("Getting a diff from the leader", StringComparison.Ordinal))
            return SyncWay.Diff;
        if (said.Contains("Getting a snapshot from leader", StringComparison.Ordinal))
            return SyncWay.Snap;
        return said.Contains("Truncating log to get in sync", StringComparison.Ordinal) ? SyncWay.Trunc : null;
    }

    private SyncWay? LeadersWay(string said)
    {
        string peer = string.Create(CultureInfo.InvariantCulture, $"sid: {learner.Id}");
        string[] lines = said.Split('\n');
        if (!lines.Any(line => line.Contains($"Synchronizing with Learner {peer} ", StringComparison.Ordinal)))
            return null;
        if (lines.Any(line => line.Contains("Sending snapshot last zxid of peer", StringComparison.Ordinal)))
            return SyncWay.Snap;
        // It does not log that it sends TRUNC.
        return lines.Any(line => line.Contains("Sending DIFF", StringComparison.Ordinal)
            && line.TrimEnd().EndsWith($"peer {peer}", StringComparison.Ordinal)) ? SyncWay.Diff : SyncWay.Trunc;
    }
}
