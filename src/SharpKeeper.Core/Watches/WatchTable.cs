using SharpKeeper.Core.Clients;
using SharpKeeper.Protocol;

namespace SharpKeeper.Core.Watches;

/// <summary>What a link watches about one path; kinds are independent of each other, as in 3.9.</summary>
[Flags]
public enum WatchKinds : byte
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>One-shot: created, deleted, data changed.</summary>
    Data = 1,

    /// <summary>One-shot: list of children changed, deleted.</summary>
    Child = 2,

    /// <summary>Lasting: all four events of the path.</summary>
    Persistent = 4,

    /// <summary>Lasting: created, deleted and data changed of the path and all below it.</summary>
    Recursive = 8,

    /// <summary>Every kind.</summary>
    Any = Data | Child | Persistent | Recursive,
}

/// <summary>
/// The watches of the connections of one thread, by path and by link. Changed only by that thread under shared access
/// to the tree, or by the replica under exclusive access.
/// </summary>
public sealed class WatchTable
{
    private struct Registration
    {
        public ClientLink? Link;
        public int Path;
        public int NextOfPath;
        public int PreviousOfPath;
        public int NextOfLink;
        public int PreviousOfLink;
        public WatchKinds Kinds;
    }

    private struct WatchedPath
    {
        public byte[]? Bytes;
        public uint Hash;
        public int NextInBucket;
        public int First;
        public int Count;
    }

    private const int None = -1;
    private const int MinBuckets = 16;

    private Registration[] registrations = [];
    private int registrationsUsed;
    private int freeRegistration = None;
    private WatchedPath[] paths = [];
    private int pathsUsed;
    private int freePath = None;
    private int[] buckets = [];
    private int recursiveCount;
    private long trigger;

    /// <summary>Number of paths with a watch.</summary>
    public int PathCount { get; private set; }

    /// <summary>Number of pairs of path and link.</summary>
    public int Count { get; private set; }

    /// <summary>
    /// Number of watches as Apache counts them: one for each pair of path and link in the data table and one in the
    /// child table.
    /// </summary>
    public long TableEntryCount { get; private set; }

    /// <summary>Adds kinds to what a link watches about a path.</summary>
    public void Add(ClientLink link, ReadOnlySpan<byte> path, WatchKinds kinds)
    {
        int index = FindOrAddPath(path);
        int registration = FindRegistration(index, link);
        if (registration == None)
            registration = AddRegistration(index, link);
        Change(registration, registrations[registration].Kinds | kinds);
    }

    /// <summary>What a link watches about a path.</summary>
    public WatchKinds Find(ClientLink link, ReadOnlySpan<byte> path)
    {
        int index = FindPath(path, Hash(path));
        if (index == None)
            return WatchKinds.None;
        int registration = FindRegistration(index, link);
        return registration == None ? WatchKinds.None : registrations[registration].Kinds;
    }

    /// <summary>Removes kinds from what a link watches about a path; false if it watched none of them.</summary>
    public bool Remove(ClientLink link, ReadOnlySpan<byte> path, WatchKinds kinds)
    {
        int index = FindPath(path, Hash(path));
        int registration = index == None ? None : FindRegistration(index, link);
        if (registration == None || (registrations[registration].Kinds & kinds) == 0)
            return false;
        Change(registration, registrations[registration].Kinds & ~kinds);
        return true;
    }

    /// <summary>Removes all that a link watches.</summary>
    public void RemoveAll(ClientLink link)
    {
        while (link.FirstWatch != None)
            Change(link.FirstWatch, WatchKinds.None);
    }

    /// <summary>
    /// Collects the links that an event of the data table reaches, each once, and consumes the one-shot watches among
    /// them: created, deleted and data changed.
    /// </summary>
    public void TriggerData(ReadOnlySpan<byte> path, List<ClientLink> reached)
    {
        if (Count == 0)
            return;
        trigger++;
        int index = FindPath(path, Hash(path));
        if (index != None)
            Collect(index, WatchKinds.Data | WatchKinds.Persistent | WatchKinds.Recursive, WatchKinds.Data, reached);
        if (recursiveCount > 0)
            CollectAncestors(path, reached);
    }

    /// <summary>
    /// Collects the links that an event of the child table reaches, each once, and consumes the one-shot watches among
    /// them: children changed, and the deletion of the path itself.
    /// </summary>
    /// <param name="path">Whose watches.</param>
    /// <param name="reached">Receives the links.</param>
    /// <param name="exceptReached">Leaves out links that the event of the data table just before has reached.</param>
    public void TriggerChild(ReadOnlySpan<byte> path, List<ClientLink> reached, bool exceptReached = false)
    {
        if (Count == 0)
            return;
        int index = FindPath(path, Hash(path));
        if (index != None)
            Collect(index, WatchKinds.Child | WatchKinds.Persistent, WatchKinds.Child, reached, exceptReached);
    }

    /// <summary>Calls <paramref name="visit"/> for each path and link.</summary>
    public void Visit(Action<byte[], ClientLink, WatchKinds> visit)
    {
        for (int i = 0; i < pathsUsed; i++)
        {
            if (paths[i].Bytes is not { } bytes)
                continue;
            for (int r = paths[i].First; r != None; r = registrations[r].NextOfPath)
                visit(bytes, registrations[r].Link!, registrations[r].Kinds);
        }
    }

    private void Collect(
        int path, WatchKinds kinds, WatchKinds consumed, List<ClientLink> reached, bool exceptReached = false)
    {
        int next;
        for (int r = paths[path].First; r != None; r = next)
        {
            next = registrations[r].NextOfPath;
            if ((registrations[r].Kinds & kinds) == 0)
                continue;
            ClientLink link = registrations[r].Link!;
            if (!exceptReached || link.ReachedByTrigger != trigger)
                reached.Add(link);
            link.ReachedByTrigger = trigger;
            if ((registrations[r].Kinds & consumed) != 0)
                Change(r, registrations[r].Kinds & ~consumed);
        }
    }

    private void CollectAncestors(ReadOnlySpan<byte> path, List<ClientLink> reached)
    {
        while (path.Length > 1)
        {
            path = path[..ZnodePath.ParentLength(path)];
            int index = path.IsEmpty ? None : FindPath(path, Hash(path));
            if (index == None)
                continue;
            for (int r = paths[index].First; r != None; r = registrations[r].NextOfPath)
            {
                ClientLink link = registrations[r].Link!;
                if ((registrations[r].Kinds & WatchKinds.Recursive) == 0 || link.ReachedByTrigger == trigger)
                    continue;
                link.ReachedByTrigger = trigger;
                reached.Add(link);
            }
        }
    }

    private void Change(int registration, WatchKinds kinds)
    {
        ref Registration entry = ref registrations[registration];
        recursiveCount += Has(kinds, WatchKinds.Recursive) - Has(entry.Kinds, WatchKinds.Recursive);
        TableEntryCount += TableEntries(kinds) - TableEntries(entry.Kinds);
        entry.Kinds = kinds;
        if (kinds == WatchKinds.None)
            RemoveRegistration(registration);
    }

    private static int Has(WatchKinds kinds, WatchKinds kind) => (kinds & kind) != 0 ? 1 : 0;

    private static int TableEntries(WatchKinds kinds) =>
        Has(kinds, WatchKinds.Data | WatchKinds.Persistent | WatchKinds.Recursive)
        + Has(kinds, WatchKinds.Child | WatchKinds.Persistent);

    private int FindRegistration(int path, ClientLink link)
    {
        // Whichever list is shorter: a popular path has many links, a busy link has many paths.
        if (paths[path].Count <= link.WatchCount)
        {
            for (int r = paths[path].First; r != None; r = registrations[r].NextOfPath)
            {
                if (ReferenceEquals(registrations[r].Link, link))
                    return r;
            }
            return None;
        }
        for (int r = link.FirstWatch; r != None; r = registrations[r].NextOfLink)
        {
            if (registrations[r].Path == path)
                return r;
        }
        return None;
    }

    private int AddRegistration(int path, ClientLink link)
    {
        int r = freeRegistration;
        if (r != None)
            freeRegistration = registrations[r].NextOfPath;
        else
        {
            if (registrationsUsed == registrations.Length)
                Array.Resize(ref registrations, Math.Max(4, registrations.Length * 2));
            r = registrationsUsed++;
        }
        ref Registration entry = ref registrations[r];
        entry = new Registration
        {
            Link = link,
            Path = path,
            NextOfPath = paths[path].First,
            PreviousOfPath = None,
            NextOfLink = link.FirstWatch,
            PreviousOfLink = None,
        };
        if (entry.NextOfPath != None)
            registrations[entry.NextOfPath].PreviousOfPath = r;
        if (entry.NextOfLink != None)
            registrations[entry.NextOfLink].PreviousOfLink = r;
        paths[path].First = r;
        paths[path].Count++;
        link.FirstWatch = r;
        link.WatchCount++;
        Count++;
        return r;
    }

    private void RemoveRegistration(int r)
    {
        Registration entry = registrations[r];
        if (entry.PreviousOfPath != None)
            registrations[entry.PreviousOfPath].NextOfPath = entry.NextOfPath;
        else
            paths[entry.Path].First = entry.NextOfPath;
        if (entry.NextOfPath != None)
            registrations[entry.NextOfPath].PreviousOfPath = entry.PreviousOfPath;
        if (entry.PreviousOfLink != None)
            registrations[entry.PreviousOfLink].NextOfLink = entry.NextOfLink;
        else
            entry.Link!.FirstWatch = entry.NextOfLink;
        if (entry.NextOfLink != None)
            registrations[entry.NextOfLink].PreviousOfLink = entry.PreviousOfLink;
        entry.Link!.WatchCount--;
        Count--;
        registrations[r] = new Registration { NextOfPath = freeRegistration };
        freeRegistration = r;
        if (--paths[entry.Path].Count == 0)
            RemovePath(entry.Path);
    }

    private int FindPath(ReadOnlySpan<byte> path, uint hash)
    {
        if (buckets.Length == 0)
            return None;
        for (int i = buckets[hash & (uint)(buckets.Length - 1)]; i != None; i = paths[i].NextInBucket)
        {
            if (paths[i].Hash == hash && path.SequenceEqual(paths[i].Bytes))
                return i;
        }
        return None;
    }

    private int FindOrAddPath(ReadOnlySpan<byte> path)
    {
        uint hash = Hash(path);
        int index = FindPath(path, hash);
        if (index != None)
            return index;
        if (PathCount >= buckets.Length)
            Rehash();
        index = freePath;
        if (index != None)
            freePath = paths[index].NextInBucket;
        else
        {
            if (pathsUsed == paths.Length)
                Array.Resize(ref paths, Math.Max(4, paths.Length * 2));
            index = pathsUsed++;
        }
        ref int bucket = ref buckets[hash & (uint)(buckets.Length - 1)];
        paths[index] = new WatchedPath { Bytes = path.ToArray(), Hash = hash, NextInBucket = bucket, First = None };
        bucket = index;
        PathCount++;
        return index;
    }

    private void RemovePath(int index)
    {
        ref int link = ref buckets[paths[index].Hash & (uint)(buckets.Length - 1)];
        while (link != index)
            link = ref paths[link].NextInBucket;
        link = paths[index].NextInBucket;
        paths[index] = new WatchedPath { NextInBucket = freePath, First = None };
        freePath = index;
        PathCount--;
    }

    private void Rehash()
    {
        buckets = new int[Math.Max(MinBuckets, buckets.Length * 2)];
        Array.Fill(buckets, None);
        for (int i = 0; i < pathsUsed; i++)
        {
            if (paths[i].Bytes is null)
                continue;
            ref int bucket = ref buckets[paths[i].Hash & (uint)(buckets.Length - 1)];
            paths[i].NextInBucket = bucket;
            bucket = i;
        }
    }

    private static uint Hash(ReadOnlySpan<byte> path)
    {
        var hash = default(HashCode);
        hash.AddBytes(path);
        return (uint)hash.ToHashCode();
    }
}
