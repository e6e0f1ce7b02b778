using SharpKeeper.Protocol;
using SharpKeeper.Protocol.Quorum;

namespace SharpKeeper.Core.Zab;

/// <summary>
/// The configurations that count: the committed one, and while a reconfiguration is under way the one it leads to. What is
/// decided then needs a quorum of both.
/// </summary>
internal sealed class Membership
{
    private readonly QuorumSystem committedQuorums;
    private readonly QuorumSystem? nextQuorums;

    /// <summary>Puts the configurations together; one that is not newer than the committed one does not count.</summary>
    public Membership(EnsembleConfig committed, EnsembleConfig? next)
    {
        Committed = committed;
        Next = next is not null && next.Version > committed.Version ? next : null;
        committedQuorums = QuorumSystem.Of(committed);
        nextQuorums = Next is null ? null : QuorumSystem.Of(Next);
        Voters = Next is null ? committed.Voters : [.. committed.Voters.Union(Next.Voters).Order()];
    }

    /// <summary>The committed configuration.</summary>
    public EnsembleConfig Committed { get; }

    /// <summary>The one that is proposed; null if there is none.</summary>
    public EnsembleConfig? Next { get; }

    /// <summary>The voters of both, ascending.</summary>
    public IReadOnlyList<ServerId> Voters { get; }

    /// <summary>Does it vote in either?</summary>
    public bool IsVoter(ServerId id) => Committed.IsVoter(id) || Next?.IsVoter(id) == true;

    /// <summary>Is the set enough in every configuration that counts?</summary>
    public bool IsQuorum(IReadOnlySet<ServerId> acks) =>
        committedQuorums.IsQuorum(acks) && nextQuorums?.IsQuorum(acks) != false;

    /// <summary>The greatest transaction that a quorum of every configuration has reached; zero if there is none.</summary>
    public Zxid AckedByQuorum(Dictionary<ServerId, Zxid> acked)
    {
        Zxid committed = committedQuorums.AckedByQuorum(acked);
        if (nextQuorums is null)
            return committed;
        Zxid next = nextQuorums.AckedByQuorum(acked);
        return next < committed ? next : committed;
    }
}
