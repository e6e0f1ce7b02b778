using SharpKeeper.Protocol;
using SharpKeeper.Protocol.Quorum;

namespace SharpKeeper.Core.Zab;

/// <summary>
/// The configurations that count at a moment: the committed one, and while a reconfiguration is not yet committed also
/// the next one. Whatever is decided needs a quorum of each. Immutable.
/// </summary>
internal sealed class Membership
{
    private readonly QuorumSystem committedQuorums;
    private readonly QuorumSystem? nextQuorums;
    private readonly HashSet<ServerId> voters;

    /// <param name="committed">The committed configuration.</param>
    /// <param name="next">The last one seen; ignored unless its version is greater.</param>
    public Membership(EnsembleConfig committed, EnsembleConfig? next)
    {
        Committed = committed;
        committedQuorums = QuorumSystem.Of(committed);
        if (next is not null && next.Version > committed.Version)
        {
            Next = next;
            nextQuorums = QuorumSystem.Of(next);
        }
        voters = [.. committed.Voters, .. Next?.Voters ?? []];
        Voters = [.. voters.Order()];
    }

    public EnsembleConfig Committed { get; }

    /// <summary>The proposed configuration; null unless it is newer than the committed one.</summary>
    public EnsembleConfig? Next { get; }

    /// <summary>Who votes in one of the configurations, ascending.</summary>
    public IReadOnlyList<ServerId> Voters { get; }

    /// <summary>Does the server vote in one of the configurations?</summary>
    public bool IsVoter(ServerId id) => voters.Contains(id);

    /// <summary>Have these servers a quorum of every configuration?</summary>
    public bool IsQuorum(IReadOnlySet<ServerId> acks) =>
        committedQuorums.IsQuorum(acks) && (nextQuorums is null || nextQuorums.IsQuorum(acks));

    /// <summary>Have these servers a quorum of the committed configuration?</summary>
    public bool IsCommittedQuorum(IReadOnlySet<ServerId> acks) => committedQuorums.IsQuorum(acks);

    /// <summary>Only with a planted bug: what a quorum of the newest configuration has reached.</summary>
    public Zxid AckedByNewest(IReadOnlyDictionary<ServerId, Zxid> acked) =>
        (nextQuorums ?? committedQuorums).AckedByQuorum(acked);

    /// <summary>The highest transaction that a quorum of every configuration has reached; missing servers have none.
    /// </summary>
    public Zxid AckedByQuorum(IReadOnlyDictionary<ServerId, Zxid> acked)
    {
        Zxid reached = committedQuorums.AckedByQuorum(acked);
        if (nextQuorums is null)
            return reached;
        Zxid next = nextQuorums.AckedByQuorum(acked);
        return next < reached ? next : reached;
    }
}
