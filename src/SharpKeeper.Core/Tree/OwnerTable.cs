using System.Runtime.InteropServices;

namespace SharpKeeper.Core.Tree;

/// <summary>
/// Which znodes each session owns, and which are containers or have a TTL. Ephemerals are linked through their extra
/// records; containers and TTL znodes stand in two arrays, so that a check can go through them in pages.
/// </summary>
internal sealed unsafe class OwnerTable(ZnodeStore store)
{
    /// <summary>The owner of all containers.</summary>
    public const long ContainerOwner = long.MinValue;

    /// <summary>The bits of an extended owner that tell its type and must be those of <see cref="TtlMark"/>.</summary>
    public const long ExtendedMask = unchecked((long)0xffff_ff00_0000_0000);

    /// <summary>The high bits of the owner of TTL znodes.</summary>
    public const long TtlMark = unchecked((long)0xff00_0000_0000_0000);

    /// <summary>The greatest TTL in milliseconds.</summary>
    public const long TtlMax = 0xff_ffff_ffff;

    private readonly Dictionary<long, Owned> sessions = [];
    private readonly List<ZnodeId> containers = [];
    private readonly List<ZnodeId> ttls = [];

    /// <summary>Number of ephemerals.</summary>
    public int EphemeralCount { get; private set; }

    /// <summary>Is there any znode with an owner?</summary>
    public bool IsAny => EphemeralCount + containers.Count + ttls.Count > 0;

    /// <summary>All containers.</summary>
    public List<ZnodeId> Containers => containers;

    /// <summary>All TTL znodes.</summary>
    public List<ZnodeId> Ttls => ttls;

    /// <summary>The sessions that own ephemerals, ascending.</summary>
    public long[] Sessions()
    {
        long[] ids = [.. sessions.Keys];
        Array.Sort(ids);
        return ids;
    }

    /// <summary>Number of ephemerals of a session.</summary>
    public int CountOf(long session) => sessions.TryGetValue(session, out Owned owned) ? owned.Count : 0;

    /// <summary>The first ephemeral of a session, 0 if it has none; the others follow by the extra records' links.</summary>
    public uint FirstOf(long session) => sessions.TryGetValue(session, out Owned owned) ? owned.First : 0;

    /// <summary>Takes in a znode that has its extra record.</summary>
    public void Add(uint id, long owner, NodeKind kind)
    {
        ZnodeExtra* extra = store.ExtraOf(store[id]);
        if (kind != NodeKind.Ephemeral)
        {
            List<ZnodeId> list = kind == NodeKind.Container ? containers : ttls;
            extra->OwnerNext = (uint)list.Count;
            list.Add(new ZnodeId(id));
            return;
        }
        ref Owned owned = ref CollectionsMarshal.GetValueRefOrAddDefault(sessions, owner, out _);
        extra->OwnerNext = owned.First;
        extra->OwnerPrevious = 0;
        if (owned.First != 0)
            store.ExtraOf(store[owned.First])->OwnerPrevious = id;
        owned.First = id;
        owned.Count++;
        EphemeralCount++;
    }

    /// <summary>Forgets a znode.</summary>
    public void Remove(uint id, long owner, NodeKind kind)
    {
        ZnodeExtra* extra = store.ExtraOf(store[id]);
        if (kind != NodeKind.Ephemeral)
        {
            List<ZnodeId> list = kind == NodeKind.Container ? containers : ttls;
            ZnodeId last = list[^1];
            list[(int)extra->OwnerNext] = last;
            store.ExtraOf(store[last.Value])->OwnerNext = extra->OwnerNext;
            list.RemoveAt(list.Count - 1);
            return;
        }
        ref Owned owned = ref CollectionsMarshal.GetValueRefOrNullRef(sessions, owner);
        if (extra->OwnerPrevious == 0)
            owned.First = extra->OwnerNext;
        else
            store.ExtraOf(store[extra->OwnerPrevious])->OwnerNext = extra->OwnerNext;
        if (extra->OwnerNext != 0)
            store.ExtraOf(store[extra->OwnerNext])->OwnerPrevious = extra->OwnerPrevious;
        if (--owned.Count == 0)
            sessions.Remove(owner);
        EphemeralCount--;
    }

    private struct Owned
    {
        public uint First;
        public int Count;
    }
}
