using SharpKeeper.Protocol;

namespace SharpKeeper.CrashTests;

/// <summary>What one session's part of the tree holds, as far as clients can see it.</summary>
internal sealed class SubtreeState
{
    /// <summary>Znodes below the session's own, by name.</summary>
    public SortedDictionary<string, NodeState> Nodes { get; } = new(StringComparer.Ordinal);

    /// <summary>Children ever created; with the children there are it gives cversion.</summary>
    public int Creates { get; private set; }

    public SubtreeState Clone()
    {
        var copy = new SubtreeState { Creates = Creates };
        foreach ((string name, NodeState node) in Nodes)
            copy.Nodes.Add(name, node);
        return copy;
    }

    /// <summary>Does what an operation does when it succeeds.</summary>
    /// <param name="op">The operation.</param>
    /// <param name="zxid">Its transaction, or 0 if that is not known.</param>
    public void Apply(LoadOp op, long zxid)
    {
        if (op.Expected != ErrorCode.Ok)
            return;
        if (op.Kind == OpCode.CloseSession)
        {
            foreach (string name in Nodes.Where(pair => pair.Value.IsEphemeral).Select(pair => pair.Key).ToArray())
                Nodes.Remove(name);
        }
        foreach (LoadChange change in op.Changes)
            Apply(change, zxid);
    }

    /// <summary>In what the two differ, or null; a transaction that is not known yet is not compared.</summary>
    public static string? Difference(SubtreeState expected, SubtreeState actual)
    {
        if (expected.Creates != actual.Creates)
            return $"{actual.Creates} creates instead of {expected.Creates}";
        foreach (string name in expected.Nodes.Keys.Union(actual.Nodes.Keys))
        {
            NodeState? wanted = expected.Nodes.GetValueOrDefault(name);
            NodeState? found = actual.Nodes.GetValueOrDefault(name);
            if (wanted is { Mzxid: 0 } && found is not null)
                wanted = wanted with { Mzxid = found.Mzxid };
            if (wanted != found)
                return $"{name} is {Describe(found)} instead of {Describe(wanted)}";
        }
        return null;
    }

    /// <summary>Takes in what was read after a restart.</summary>
    public void Add(string name, NodeState node) => Nodes.Add(name, node);

    /// <summary>Sets the number of creates from what the parent's stat says.</summary>
    public void SetCreates(Stat parent) => Creates = (parent.Cversion + parent.NumChildren) / 2;

    private void Apply(LoadChange change, long zxid)
    {
        switch (change.Op)
        {
            case OpCode.Create:
                Nodes.Add(change.Name, new NodeState(change.Data, 0, zxid, change.IsEphemeral));
                Creates++;
                break;
            case OpCode.SetData:
                NodeState former = Nodes[change.Name];
                Nodes[change.Name] = former with { Data = change.Data, Version = former.Version + 1, Mzxid = zxid };
                break;
            case OpCode.Delete:
                Nodes.Remove(change.Name);
                break;
        }
    }

    private static string Describe(NodeState? node) => node is null
        ? "absent"
        : $"version {node.Version}, mzxid {node.Mzxid:x}, \"{node.Data[..Math.Min(node.Data.Length, 24)]}\"";
}

/// <summary>One znode.</summary>
internal sealed record NodeState(string Data, int Version, long Mzxid, bool IsEphemeral);

/// <summary>One change to one znode.</summary>
internal readonly record struct LoadChange(OpCode Op, string Name, string Data, int Version, bool IsEphemeral);

/// <summary>One request with what must come of it.</summary>
internal sealed record LoadOp(int Xid, OpCode Kind, ErrorCode Expected, IReadOnlyList<LoadChange> Changes);
