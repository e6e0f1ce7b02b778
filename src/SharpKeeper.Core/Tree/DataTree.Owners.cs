namespace SharpKeeper.Core.Tree;

public sealed unsafe partial class DataTree
{
    /// <summary>The sessions that own ephemerals, ascending; a new list each time.</summary>
    public IReadOnlyCollection<long> EphemeralOwners => owners.Sessions();

    /// <summary>Number of containers.</summary>
    public int ContainerCount => owners.Containers.Count;

    /// <summary>Number of TTL znodes.</summary>
    public int TtlCount => owners.Ttls.Count;

    /// <summary>Number of ephemerals of a session.</summary>
    public int EphemeralCountOf(long session) => owners.CountOf(session);

    /// <summary>Appends the paths of a session's ephemerals to the list, sorted ordinally among themselves.</summary>
    public void CollectEphemerals(long session, List<string> paths)
    {
        ArgumentNullException.ThrowIfNull(paths);
        int start = paths.Count;
        for (uint at = owners.FirstOf(session); at != 0; at = store.ExtraOf(store[at])->OwnerNext)
            paths.Add(GetPath(new ZnodeId(at)));
        paths.Sort(start, paths.Count - start, StringComparer.Ordinal);
    }

    /// <summary>Appends all containers to the list, in no order that means anything.</summary>
    public void CollectContainers(List<ZnodeId> found) => CollectAll(owners.Containers, found);

    /// <summary>Appends all TTL znodes to the list, in no order that means anything.</summary>
    public void CollectTtls(List<ZnodeId> found) => CollectAll(owners.Ttls, found);

    /// <summary>
    /// Appends a page of the containers to the list. A round over all of them starts with
    /// <paramref name="position"/> at <see cref="int.MaxValue"/> and ends when it is 0. Between pages znodes may come
    /// and go: those there all the time are met at least once, perhaps twice.
    /// </summary>
    /// <param name="position">Where the round stands; moved on.</param>
    /// <param name="countMax">Containers to look at in this call.</param>
    /// <param name="found">Receives them.</param>
    public void CollectContainers(ref int position, int countMax, List<ZnodeId> found) =>
        CollectPage(owners.Containers, ref position, countMax, found);

    /// <summary>As <see cref="CollectContainers(ref int, int, List{ZnodeId})"/>, for TTL znodes.</summary>
    public void CollectTtls(ref int position, int countMax, List<ZnodeId> found) =>
        CollectPage(owners.Ttls, ref position, countMax, found);

    private static void CollectAll(List<ZnodeId> all, List<ZnodeId> found)
    {
        ArgumentNullException.ThrowIfNull(found);
        found.AddRange(all);
    }

    // Backwards, because a removal fills its gap with the last entry: that one was met, or moves to where it will be.
    private static void CollectPage(List<ZnodeId> all, ref int position, int countMax, List<ZnodeId> found)
    {
        ArgumentNullException.ThrowIfNull(found);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(countMax);
        int end = Math.Min(position, all.Count);
        int start = Math.Max(end - countMax, 0);
        for (int i = end - 1; i >= start; i--)
            found.Add(all[i]);
        position = start;
    }
}
