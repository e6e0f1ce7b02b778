using SharpKeeper.Protocol;

namespace SharpKeeper.Core.Zab;

/// <summary>The last ballot of each voter; never more entries than there are voters.</summary>
internal sealed class BallotBox
{
    private readonly Dictionary<ServerId, Ballot> ballots = [];
    private readonly HashSet<ServerId> supporters = [];

    /// <summary>Keeps a ballot in place of the sender's last one. The sender must be a voter.</summary>
    public void Put(ServerId from, in Ballot ballot) => ballots[from] = ballot;

    /// <summary>What <paramref name="from"/> sent last.</summary>
    public bool TryGet(ServerId from, out Ballot ballot) => ballots.TryGetValue(from, out ballot);

    /// <summary>Forgets everything.</summary>
    public void Clear() => ballots.Clear();

    /// <summary>Forgets what came from servers that are no voters any more.</summary>
    public void KeepVoters(Membership members)
    {
        foreach (ServerId id in ballots.Keys)
        {
            // A dictionary allows removals while it is enumerated.
            if (!members.IsVoter(id))
                ballots.Remove(id);
        }
    }

    /// <summary>The voters that agree with a ballot; until the next call.</summary>
    public IReadOnlySet<ServerId> SupportersOf(in Ballot ballot)
    {
        supporters.Clear();
        foreach ((ServerId from, Ballot other) in ballots)
        {
            if (other.Agrees(ballot))
                supporters.Add(from);
        }
        return supporters;
    }
}
