using SharpKeeper.Protocol;

namespace SharpKeeper.ReplicaTests;

/// <summary>The watches of one connection as four sets of paths, and their events, written from the rules.</summary>
internal sealed class ModelWatches(IReadOnlyList<AuthId> identities)
{
    public HashSet<string> Data { get; } = [];

    public HashSet<string> Child { get; } = [];

    public HashSet<string> Persistent { get; } = [];

    public HashSet<string> Recursive { get; } = [];

    /// <summary>Paths with any watch.</summary>
    public int PathCount => Data.Union(Child).Union(Persistent).Union(Recursive).Count();

    public IEnumerable<string> EventsOf(ModelChange change)
    {
        bool isSeen = ModelServer.IsAllowed(change.Acl, Permissions.Read, identities);
        bool isHit = Data.Remove(change.Path) | Persistent.Contains(change.Path)
            | Recursive.Any(top => IsAtOrBelow(change.Path, top));
        if (isHit && isSeen)
            yield return $"{change.Type} {change.Path}";
        if (change.Type == WatchEventType.NodeDataChanged)
            yield break;
        if (change.Type == WatchEventType.NodeDeleted)
        {
            bool isChildHit = Child.Remove(change.Path) | Persistent.Contains(change.Path);
            if (isChildHit && !isHit && isSeen)
                yield return $"{change.Type} {change.Path}";
        }
        string parent = ModelServer.ParentOf(change.Path);
        bool isParentSeen = ModelServer.IsAllowed(change.ParentAcl, Permissions.Read, identities);
        if ((Child.Remove(parent) | Persistent.Contains(parent)) && isParentSeen)
            yield return $"{WatchEventType.NodeChildrenChanged} {parent}";
    }

    public ErrorCode Check(int type, string path, bool isRemoving)
    {
        HashSet<string>[] sets = type switch
        {
            1 => [Child],
            2 => [Data],
            3 => [Data, Child, Persistent, Recursive],
            4 => [Persistent],
            5 => [Recursive],
            _ => [],
        };
        if (sets.Length == 0)
            return ErrorCode.MarshallingError;
        bool isFound = sets.Any(set => set.Contains(path));
        foreach (HashSet<string> set in isRemoving ? sets : [])
            set.Remove(path);
        return isFound ? ErrorCode.Ok : ErrorCode.NoWatcher;
    }

    /// <summary>setWatches2: the events at once, for the lists in their order.</summary>
    public List<string> Rearm(ModelServer server, long seen, string[][] lists)
    {
        var events = new List<string>();
        foreach (string path in lists[0])
        {
            if (!server.Znodes.TryGetValue(path, out ModelZnode? znode))
                events.Add("NodeDeleted " + path);
            else if (znode.Mzxid > seen)
                events.Add("NodeDataChanged " + path);
            else
                Data.Add(path);
        }
        foreach (string path in lists[1])
        {
            if (server.Znodes.ContainsKey(path))
                events.Add("NodeCreated " + path);
            else
                Data.Add(path);
        }
        foreach (string path in lists[2])
        {
            if (!server.Znodes.TryGetValue(path, out ModelZnode? znode))
                events.Add("NodeDeleted " + path);
            else if (znode.Pzxid > seen)
                events.Add("NodeChildrenChanged " + path);
            else
                Child.Add(path);
        }
        Persistent.UnionWith(lists[3]);
        Recursive.UnionWith(lists[4]);
        return events;
    }

    private static bool IsAtOrBelow(string path, string top) =>
        top == "/" || path == top || path.StartsWith(top + "/", StringComparison.Ordinal);
}
