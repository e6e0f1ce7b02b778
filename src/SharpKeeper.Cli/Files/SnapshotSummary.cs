using SharpKeeper.Core.Log;
using SharpKeeper.Protocol;

namespace SharpKeeper.Cli.Files;

/// <summary>A session in a snapshot.</summary>
/// <param name="Id">Its id.</param>
/// <param name="TimeoutMs">Its timeout.</param>
/// <param name="Ephemerals">Number of znodes that go with it.</param>
internal readonly record struct SnapshotSession(SessionId Id, int TimeoutMs, int Ephemerals);

/// <summary>What a snapshot holds, in numbers.</summary>
/// <param name="Nodes">Number of znodes.</param>
/// <param name="Acls">Number of ACLs in its table.</param>
/// <param name="Sessions">Its sessions in the order of the file.</param>
/// <param name="Tail">What stands behind the znodes.</param>
internal sealed record SnapshotSummary(
    long Nodes, int Acls, IReadOnlyList<SnapshotSession> Sessions, SnapshotTail Tail)
{
    /// <summary>Reads a snapshot to its end.</summary>
    public static SnapshotSummary Read(IStorageReader source)
    {
        using var reader = new SnapshotReader(source);
        var timeouts = new List<(SessionId Id, int TimeoutMs)>();
        while (reader.NextSession(out SessionId id, out int timeoutMs))
            timeouts.Add((id, timeoutMs));
        int acls = 0;
        while (reader.NextAcl(out _, out _))
            acls++;
        var owned = new Dictionary<long, int>();
        long nodes = 0;
        for (; reader.NextNode(); nodes++)
        {
            long owner = reader.Stat.EphemeralOwner;
            if (owner != 0)
                owned[owner] = owned.GetValueOrDefault(owner) + 1;
        }
        SnapshotTail tail = reader.ReadTail();
        return new SnapshotSummary(
            nodes, acls,
            [.. timeouts.Select(s => new SnapshotSession(s.Id, s.TimeoutMs, owned.GetValueOrDefault(s.Id.Value)))],
            tail);
    }
}
