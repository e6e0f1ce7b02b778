using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Text;
using SharpKeeper.Protocol;

namespace SharpKeeper.Core.Tree;

/// <summary>
/// The tree of znodes: what transactions change and reads see. Live operation, recovery and the replay of a fuzzy
/// snapshot use the same mutations, so each of them gives the same tree when applied once or twice in order.
/// </summary>
/// <remarks>
/// Many readers at once with no writer, or one writer alone; the caller sees to it. Nothing that reads changes
/// anything. Spans point into native memory and are valid until the next mutation. Paths are UTF-8.
/// </remarks>
public sealed unsafe partial class DataTree : IDisposable
{
    private readonly ZnodeStore store;
    private readonly OwnerTable owners;
    private readonly QuotaTable quotas;
    private readonly List<SnapshotCursor> cursors = [];
    private long digest;

    /// <summary>A fresh tree: the root, /zookeeper, /zookeeper/quota and /zookeeper/config.</summary>
    /// <param name="hashSeed">Makes the places of paths in the index unpredictable for clients; any value.</param>
    public DataTree(uint hashSeed = 0)
        : this(hashSeed, isEmpty: true)
    {
        PlantRoot(default, isNull: false, AclTable.OpenId, default);
        EnsureSystemZnodes();
    }

    private DataTree(uint hashSeed, bool isEmpty)
    {
        store = new ZnodeStore(hashSeed);
        owners = new OwnerTable(store);
        quotas = new QuotaTable(hashSeed);
        Acls = new AclTable(hashSeed);
        loading = isEmpty ? new LoadState() : null;
    }

    /// <summary>A tree with nothing in it, for loading a snapshot; not usable before <see cref="FinishLoad"/>.</summary>
    public static DataTree CreateEmptyForLoad(uint hashSeed) => new(hashSeed, isEmpty: true);

    /// <summary>
    /// Are owners with the high byte 0xff TTL znodes rather than sessions? Set before the first znode with an owner.
    /// </summary>
    public bool ExtendedTypesEnabled
    {
        get;
        set
        {
            Invariant.Check(!owners.IsAny, "the kinds of znodes were changed while there are such znodes");
            field = value;
        }
    }

    /// <summary>
    /// Are all negative owners but the container's TTL znodes, as in 3.5.3? Counts only together with
    /// <see cref="ExtendedTypesEnabled"/>. Set before the first znode with an owner.
    /// </summary>
    public bool Emulate353
    {
        get;
        set
        {
            Invariant.Check(!owners.IsAny, "the kinds of znodes were changed while there are such znodes");
            field = value;
        }
    }

    /// <summary>Number of znodes, the root counted once; 4 in a fresh tree.</summary>
    public int Count => store.Count;

    /// <summary>Characters of all paths plus bytes of all data, as Apache's approximate_data_size counts.</summary>
    public long ApproximateDataBytes { get; private set; }

    /// <summary>Number of ephemeral znodes.</summary>
    public int EphemeralCount => owners.EphemeralCount;

    /// <summary>The sum of the digests of all znodes; see <see cref="TreeDigest"/>.</summary>
    public long Digest => digest;

    /// <summary>The last transaction whose effect is in the tree; kept by the caller.</summary>
    public Zxid LastProcessed { get; set; }

    /// <summary>The root.</summary>
    public ZnodeId Root => new(store.Root);

    /// <summary>Access control lists by id.</summary>
    public AclTable Acls { get; }

    /// <summary>Bytes of native memory held, used or not.</summary>
    public long ReservedBytes => store.ReservedBytes;

    /// <summary>Bytes of native memory in use for names and data, as rounded up by the allocator.</summary>
    public long BlockBytes => store.BlockBytes;

    /// <summary>
    /// The znode of that path, or none. Empty and "/" are the root; a path that no znode can have is just missing.
    /// </summary>
    public ZnodeId Find(ReadOnlySpan<byte> path) => new(store.Find(path));

    /// <summary>The stat as clients see it.</summary>
    public Stat GetStat(ZnodeId id)
    {
        ZnodeRecord* record = store[id.Value];
        StatPersisted stat = Persisted(record);
        return new Stat(
            stat.Czxid, stat.Mzxid, stat.Ctime, stat.Mtime, stat.Version, ShownCversion(record), stat.Aversion,
            ShownOwner(stat.EphemeralOwner), Math.Max(record->DataLength, 0), ChildCountOf(record), stat.Pzxid);
    }

    /// <summary>Appends what <see cref="GetStat"/> returns in wire form.</summary>
    public void WriteStat(ZnodeId id, JuteBuffer output)
    {
        ZnodeRecord* record = store[id.Value];
        ZnodeExtra* extra = store.ExtraOf(record);
        Span<byte> span = output.Append(Stat.Bytes);
        BinaryPrimitives.WriteInt64BigEndian(span, record->Czxid);
        BinaryPrimitives.WriteInt64BigEndian(span[8..], record->Mzxid);
        BinaryPrimitives.WriteInt64BigEndian(span[16..], record->Ctime);
        BinaryPrimitives.WriteInt64BigEndian(span[24..], record->Mtime);
        BinaryPrimitives.WriteInt32BigEndian(span[32..], record->Version);
        BinaryPrimitives.WriteInt32BigEndian(span[36..], ShownCversion(record));
        BinaryPrimitives.WriteInt32BigEndian(span[40..], extra == null ? 0 : extra->Aversion);
        BinaryPrimitives.WriteInt64BigEndian(span[44..], extra == null ? 0 : ShownOwner(extra->Owner));
        BinaryPrimitives.WriteInt32BigEndian(span[52..], Math.Max(record->DataLength, 0));
        BinaryPrimitives.WriteInt32BigEndian(span[56..], extra == null ? 0 : extra->ChildCount);
        BinaryPrimitives.WriteInt64BigEndian(span[60..], extra == null ? record->Czxid : extra->Pzxid);
    }

    /// <summary>The stat as snapshots hold it.</summary>
    public StatPersisted GetPersisted(ZnodeId id) => Persisted(store[id.Value]);

    /// <summary>The data; empty if it is null.</summary>
    public ReadOnlySpan<byte> GetData(ZnodeId id, out bool isNull)
    {
        ZnodeRecord* record = store[id.Value];
        isNull = record->DataLength == ZnodeStore.NullData;
        return ZnodeStore.DataOf(record);
    }

    /// <summary>The last part of the path; empty for the root.</summary>
    public ReadOnlySpan<byte> GetName(ZnodeId id) => ZnodeStore.NameOf(store[id.Value]);

    /// <summary>The id of the access control list.</summary>
    public int GetAclId(ZnodeId id) => store[id.Value]->AclId;

    /// <summary>Number of children.</summary>
    public int GetChildCount(ZnodeId id) => ChildCountOf(store[id.Value]);

    /// <summary>Number of children ever created: the next sequence number, not what clients see as cversion.</summary>
    public int GetStoredCversion(ZnodeId id)
    {
        ZnodeExtra* extra = store.ExtraOf(store[id.Value]);
        return extra == null ? 0 : extra->Cversion;
    }

    /// <summary>The stored owner: a session, a container's mark or a TTL.</summary>
    public long GetOwner(ZnodeId id) => OwnerOf(store[id.Value]);

    /// <summary>The znode's part of <see cref="Digest"/>; 0 below /zookeeper.</summary>
    public uint GetDigest(ZnodeId id) => store[id.Value]->Digest;

    /// <summary>The child created first of those that there are, or none.</summary>
    public ZnodeId FirstChild(ZnodeId id)
    {
        ZnodeExtra* extra = store.ExtraOf(store[id.Value]);
        return new ZnodeId(extra == null ? 0 : extra->FirstChild);
    }

    /// <summary>The next child of the same parent in order of creation, or none.</summary>
    public ZnodeId NextSibling(ZnodeId id) => new(store[id.Value]->NextSibling);

    /// <summary>The parent; none for the root.</summary>
    public ZnodeId Parent(ZnodeId id) => new(store[id.Value]->Parent);

    /// <summary>Length of the path in bytes; 1 for the root.</summary>
    public int PathLength(ZnodeId id)
    {
        if (id == Root)
            return 1;
        int length = 0;
        for (uint at = id.Value; at != store.Root; at = store[at]->Parent)
            length += ZnodeStore.NameOf(store[at]).Length + 1;
        return length;
    }

    /// <summary>Writes the path to the start of <paramref name="destination"/> and returns its length.</summary>
    /// <exception cref="ArgumentException">The destination is too short.</exception>
    public int CopyPath(ZnodeId id, Span<byte> destination)
    {
        int length = PathLength(id);
        if (destination.Length < length)
            throw new ArgumentException($"The path takes {length} bytes.", nameof(destination));
        destination[0] = (byte)'/';
        int end = length;
        for (uint at = id.Value; at != store.Root; at = store[at]->Parent)
        {
            ReadOnlySpan<byte> name = ZnodeStore.NameOf(store[at]);
            end -= name.Length;
            name.CopyTo(destination[end..]);
            destination[--end] = (byte)'/';
        }
        return length;
    }

    /// <summary>The path as a string.</summary>
    [SkipLocalsInit]
    public string GetPath(ZnodeId id)
    {
        int length = PathLength(id);
        Span<byte> path = length <= 512 ? stackalloc byte[512] : new byte[length];
        CopyPath(id, path);
        return Encoding.UTF8.GetString(path[..length]);
    }

    /// <summary>Number of znodes below that one, at any depth.</summary>
    public long CountDescendants(ZnodeId id)
    {
        if (id == Root)
            return Count - 1L;
        long count = 0;
        for (uint at = NextInSubtree(id.Value, id.Value); at != 0; at = NextInSubtree(at, id.Value))
            count++;
        return count;
    }

    /// <summary>What ends the znode's life.</summary>
    public NodeKind KindOf(ZnodeId id) => KindOfOwner(OwnerOf(store[id.Value]));

    /// <summary>What ends the life of a znode with that stored owner.</summary>
    public NodeKind KindOfOwner(long owner)
    {
        if (owner == 0)
            return NodeKind.Persistent;
        if (owner == OwnerTable.ContainerOwner)
            return NodeKind.Container;
        if (!ExtendedTypesEnabled)
            return NodeKind.Ephemeral;
        if (Emulate353 && owner < 0)
            return NodeKind.Ttl;
        return (owner & OwnerTable.ExtendedMask) == OwnerTable.TtlMark ? NodeKind.Ttl : NodeKind.Ephemeral;
    }

    /// <summary>How long a TTL znode lives after its last write, in milliseconds; 0 for other kinds.</summary>
    public long GetTtl(ZnodeId id)
    {
        long owner = GetOwner(id);
        if (KindOfOwner(owner) != NodeKind.Ttl)
            return 0;
        bool isExtended = (owner & OwnerTable.ExtendedMask) == OwnerTable.TtlMark;
        return isExtended && !Emulate353 ? owner & OwnerTable.TtlMax : owner & long.MaxValue;
    }

    /// <summary>Frees all native memory; the tree and its cursors must not be used afterwards.</summary>
    public void Dispose()
    {
        cursors.Clear();
        store.Dispose();
    }

    /// <summary>The znode after <paramref name="at"/> in pre-order within the subtree of <paramref name="top"/>.</summary>
    internal uint NextInSubtree(uint at, uint top)
    {
        ZnodeExtra* extra = store.ExtraOf(store[at]);
        return extra != null && extra->FirstChild != 0 ? extra->FirstChild : NextOutside(at, top);
    }

    /// <summary>The znode after the whole subtree of <paramref name="at"/>, within that of <paramref name="top"/>.</summary>
    internal uint NextOutside(uint at, uint top)
    {
        while (at != top)
        {
            ZnodeRecord* record = store[at];
            if (record->NextSibling != 0)
                return record->NextSibling;
            at = record->Parent;
        }
        return 0;
    }

    internal ZnodeRecord* RecordOf(uint id) => store[id];

    private static long CharsOf(ReadOnlySpan<byte> path) => Encoding.UTF8.GetCharCount(path);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private StatPersisted Persisted(ZnodeRecord* record)
    {
        ZnodeExtra* extra = store.ExtraOf(record);
        return extra == null
            ? new StatPersisted(
                record->Czxid, record->Mzxid, record->Ctime, record->Mtime, record->Version, 0, 0, 0, record->Czxid)
            : new StatPersisted(
                record->Czxid, record->Mzxid, record->Ctime, record->Mtime, record->Version,
                extra->Cversion, extra->Aversion, extra->Owner, extra->Pzxid);
    }

    private int ChildCountOf(ZnodeRecord* record)
    {
        ZnodeExtra* extra = store.ExtraOf(record);
        return extra == null ? 0 : extra->ChildCount;
    }

    private long OwnerOf(ZnodeRecord* record)
    {
        ZnodeExtra* extra = store.ExtraOf(record);
        return extra == null ? 0 : extra->Owner;
    }

    // Stored is the number of creations; shown is the number of changes, so deletions count too.
    private int ShownCversion(ZnodeRecord* record)
    {
        ZnodeExtra* extra = store.ExtraOf(record);
        return extra == null ? 0 : unchecked(2 * extra->Cversion - extra->ChildCount);
    }

    private long ShownOwner(long owner) => KindOfOwner(owner) == NodeKind.Ephemeral ? owner : 0;
}
