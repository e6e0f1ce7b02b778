using SharpKeeper.Core.Transactions;
using SharpKeeper.Core.Tree;

namespace SharpKeeper.Simulation;

/// <summary>Compares two servers' trees and sessions, everything that a client could see.</summary>
internal static class TreeComparison
{
    /// <summary>Fails unless both servers have the same.</summary>
    public static void Check(SimServer first, SimServer second)
    {
        if (first == second)
            return;
        Check(first.Replica.Tree, second.Replica.Tree, $"servers {first.Id} and {second.Id}");
        CheckSessions(first, second);
    }

    /// <summary>Fails unless two trees have the same znodes.</summary>
    public static void Check(DataTree first, DataTree second, string whose)
    {
        if (first.Count != second.Count)
            throw new SimulationFailure("EqualTrees", $"{whose} have {first.Count} and {second.Count} znodes");
        Walk(first, first.Root, second, whose);
    }

    private static void Walk(DataTree first, ZnodeId id, DataTree second, string whose)
    {
        string path = first.GetPath(id);
        // Each server shows the configuration by itself, with its own time.
        if (path == "/zookeeper/config")
            return;
        ZnodeId other = path == "/" ? second.Root : second.Find(System.Text.Encoding.UTF8.GetBytes(path));
        bool isSame = other != default && first.GetStat(id) == second.GetStat(other)
            && first.GetData(id, out bool isNull).SequenceEqual(second.GetData(other, out bool otherIsNull))
            && isNull == otherIsNull;
        if (!isSame)
        {
            throw new SimulationFailure("EqualTrees",
                $"{whose} differ in {path}: {first.GetStat(id)}, "
                + $"{(other == default ? "absent" : second.GetStat(other))}");
        }
        for (ZnodeId child = first.FirstChild(id); child != default; child = first.NextSibling(child))
            Walk(first, child, second, whose);
    }

    private static void CheckSessions(SimServer first, SimServer second)
    {
        SessionTimeout[] ofFirst = first.Replica.CommittedSessions.ToArray();
        SessionTimeout[] ofSecond = second.Replica.CommittedSessions.ToArray();
        if (!ofFirst.AsSpan().SequenceEqual(ofSecond))
            throw new SimulationFailure("EqualTrees", $"servers {first.Id} and {second.Id} have different sessions");
    }
}
