using SharpKeeper.Protocol;
using SharpKeeper.Protocol.Quorum;

namespace SharpKeeper.Simulation;

/// <summary>What a quorum is, written down apart from the servers' code.</summary>
internal static class QuorumModel
{
    /// <summary>
    /// Is a set of servers, or a part of it, a quorum of a configuration: the majority of its voters, or more than half
    /// of the weight in more than half of the groups that have any?
    /// </summary>
    public static bool IsQuorum(EnsembleConfig config, Func<int, bool> isIn)
    {
        if (!config.IsHierarchical)
            return config.Voters.Count(id => isIn((int)id.Value)) * 2 > config.Voters.Count;
        int groups = 0;
        int won = 0;
        foreach (ServerGroup group in config.Groups)
        {
            long all = group.Members.Sum(config.WeightOf);
            long here = group.Members.Where(id => config.IsVoter(id) && isIn((int)id.Value)).Sum(config.WeightOf);
            groups += all > 0 ? 1 : 0;
            won += here * 2 > all ? 1 : 0;
        }
        return won * 2 > groups;
    }

    /// <summary>Numbers of the voters.</summary>
    public static IReadOnlyList<int> VotersOf(EnsembleConfig config) =>
        [.. config.Voters.Select(static id => (int)id.Value)];

    /// <summary>Does that server vote?</summary>
    public static bool IsVoter(EnsembleConfig config, int server) => config.IsVoter(new ServerId(server));
}
