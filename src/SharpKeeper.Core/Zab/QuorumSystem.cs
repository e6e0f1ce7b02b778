using SharpKeeper.Protocol;
using SharpKeeper.Protocol.Quorum;

namespace SharpKeeper.Core.Zab;

/// <summary>Which sets of voters of one configuration are enough to decide.</summary>
internal sealed class QuorumSystem
{
    private readonly record struct Voter(ServerId Id, long Weight, int Group);

    private readonly Voter[] voters;
    private readonly long[] groupWeights;
    private readonly long[] groupAcks;
    private readonly int countedGroups;

    private QuorumSystem(EnsembleConfig config)
    {
        long[] groupIds = [.. config.Groups.Keys.Order()];
        int groups = Math.Max(1, groupIds.Length);
        groupWeights = new long[groups];
        groupAcks = new long[groups];
        voters = new Voter[config.Voters.Count];
        for (int i = 0; i < voters.Length; i++)
        {
            ServerId id = config.Voters[i];
            int group = Math.Max(0, Array.FindIndex(groupIds, gid => config.Groups[gid].Contains(id)));
            voters[i] = new Voter(id, config.WeightOf(id), group);
            groupWeights[group] += voters[i].Weight;
        }
        countedGroups = groupWeights.Count(static weight => weight > 0);
    }

    /// <summary>Majority of the voters, or of the groups by majority of their weight.</summary>
    public static QuorumSystem Of(EnsembleConfig config) => new(config);

    /// <summary>Is the set enough? Members that do not vote do not count.</summary>
    public bool IsQuorum(IReadOnlySet<ServerId> acks)
    {
        Array.Clear(groupAcks);
        foreach (Voter voter in voters)
        {
            if (acks.Contains(voter.Id))
                groupAcks[voter.Group] += voter.Weight;
        }
        return HasQuorum();
    }

    /// <summary>The greatest transaction that a quorum has reached; zero if there is none.</summary>
    public Zxid AckedByQuorum(Dictionary<ServerId, Zxid> acked)
    {
        Zxid best = Zxid.Zero;
        foreach (Voter candidate in voters)
        {
            if (!acked.TryGetValue(candidate.Id, out Zxid zxid) || zxid <= best)
                continue;
            Array.Clear(groupAcks);
            foreach (Voter voter in voters)
            {
                if (acked.TryGetValue(voter.Id, out Zxid other) && other >= zxid)
                    groupAcks[voter.Group] += voter.Weight;
            }
            if (HasQuorum())
                best = zxid;
        }
        return best;
    }

    private bool HasQuorum()
    {
        int agreeing = 0;
        for (int group = 0; group < groupAcks.Length; group++)
        {
            if (groupWeights[group] > 0 && groupAcks[group] > groupWeights[group] / 2)
                agreeing++;
        }
        return agreeing > countedGroups / 2;
    }
}
