using SharpKeeper.Protocol;

namespace SharpKeeper.Core.Tree;

/// <summary>
/// Every distinct access control list once, in its encoded form, under a small id; znodes count as references. A list
/// that nobody refers to any more stays readable until the next mutation of the tree, then its id is used again.
/// </summary>
/// <remarks>Many readers at once, or one writer alone: no read changes anything.</remarks>
public sealed class AclTable
{
    /// <summary>The id of world:anyone with all permissions; it is in no snapshot's table and never goes away.</summary>
    public const int OpenId = -1;

    private static readonly Entry Open = MakeOpen();

    private readonly Dictionary<byte[], int> ids;
    private readonly Dictionary<byte[], int>.AlternateLookup<ReadOnlySpan<byte>> idsBySpan;
    private readonly List<Entry?> entries = [null];
    private readonly Stack<int> freeIds = new();
    private readonly List<int> unreferenced = [];
    private readonly Dictionary<long, int> fileIds = [];

    internal AclTable(uint hashSeed)
    {
        ids = new Dictionary<byte[], int>(new BytesComparer(hashSeed));
        idsBySpan = ids.GetAlternateLookup<ReadOnlySpan<byte>>();
    }

    /// <summary>Number of lists other than world:anyone with all permissions.</summary>
    public int Count => ids.Count;

    /// <summary>The list under <see cref="OpenId"/> as a Jute vector.</summary>
    internal static ReadOnlySpan<byte> OpenVector => Open.Encoded;

    /// <summary>The entries of a list.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no list of that id.</exception>
    public IReadOnlyList<Acl> Entries(int id) => EntryOf(id).Acl;

    /// <summary>A list as a Jute vector.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no list of that id.</exception>
    public ReadOnlySpan<byte> Encoded(int id) => EntryOf(id).Encoded;

    /// <summary>All ids but <see cref="OpenId"/> with their lists as Jute vectors, ascending by id.</summary>
    public IReadOnlyList<KeyValuePair<int, ReadOnlyMemory<byte>>> Snapshot()
    {
        var all = new List<KeyValuePair<int, ReadOnlyMemory<byte>>>(Count);
        for (int id = 1; id < entries.Count; id++)
        {
            if (entries[id] is { References: > 0 } entry)
                all.Add(new(id, entry.Encoded));
        }
        return all;
    }

    /// <summary>
    /// The id of a list, with a reference added. A null vector is world:anyone with all permissions, as in Apache.
    /// </summary>
    /// <exception cref="CorruptDataException">The bytes are not a vector of ACL entries.</exception>
    internal int Acquire(ReadOnlySpan<byte> vector)
    {
        if (vector.SequenceEqual(Open.Encoded) || vector.SequenceEqual(NullVector))
            return OpenId;
        int id = Intern(vector);
        AddReference(id);
        return id;
    }

    internal void AddReference(int id)
    {
        if (id != OpenId)
            EntryOf(id).References++;
    }

    /// <summary>Takes a reference back; the list stays readable until <see cref="Sweep"/>.</summary>
    internal void Release(int id)
    {
        if (id == OpenId)
            return;
        Entry entry = EntryOf(id);
        Invariant.Check(entry.References > 0, "an ACL was released more often than acquired");
        if (--entry.References == 0)
            unreferenced.Add(id);
    }

    /// <summary>Forgets lists without references; called at the start of each mutation.</summary>
    internal void Sweep()
    {
        if (unreferenced.Count == 0)
            return;
        foreach (int id in unreferenced)
        {
            if (entries[id] is { References: 0 } entry)
            {
                ids.Remove(entry.Encoded);
                entries[id] = null;
                freeIds.Push(id);
            }
        }
        unreferenced.Clear();
    }

    /// <summary>Takes in a list under the id that it has in a snapshot; znodes are loaded by that id.</summary>
    /// <exception cref="CorruptDataException">The id came before, or the bytes are not a vector of ACL entries.</exception>
    internal void Load(long fileId, ReadOnlySpan<byte> vector)
    {
        int id = vector.SequenceEqual(Open.Encoded) || vector.SequenceEqual(NullVector) ? OpenId : Intern(vector);
        if (fileId == OpenId || !fileIds.TryAdd(fileId, id))
            throw new CorruptDataException($"The snapshot defines ACL id {fileId} twice.");
    }

    /// <summary>The id of a list by its id in the snapshot, with a reference added; false if it is not in the table.</summary>
    internal bool TryAcquireLoaded(long fileId, out int id)
    {
        id = OpenId;
        if (fileId == OpenId)
            return true;
        if (!fileIds.TryGetValue(fileId, out id))
            return false;
        AddReference(id);
        return true;
    }

    /// <summary>Ends loading: lists that no znode refers to are dropped.</summary>
    internal void FinishLoad()
    {
        fileIds.Clear();
        for (int id = 1; id < entries.Count; id++)
        {
            if (entries[id] is { References: 0 })
                unreferenced.Add(id);
        }
        Sweep();
    }

    private static ReadOnlySpan<byte> NullVector => [0xff, 0xff, 0xff, 0xff];

    private static Entry MakeOpen()
    {
        using var buffer = new JuteBuffer();
        Acl.WriteVector(buffer, Acl.OpenUnsafe);
        return new Entry(buffer.WrittenSpan.ToArray(), Acl.OpenUnsafe);
    }

    private int Intern(ReadOnlySpan<byte> vector)
    {
        if (idsBySpan.TryGetValue(vector, out int id))
            return id;
        var reader = new JuteReader(vector);
        Acl[]? acl = Acl.ReadVector(ref reader);
        if (acl is null || reader.Failed || reader.Remaining != 0)
            throw new CorruptDataException($"An ACL of {vector.Length} bytes is not a vector of ACL entries.");
        byte[] encoded = vector.ToArray();
        var entry = new Entry(encoded, acl);
        if (freeIds.TryPop(out id))
        {
            entries[id] = entry;
        }
        else
        {
            id = entries.Count;
            entries.Add(entry);
        }
        ids.Add(encoded, id);
        return id;
    }

    private Entry EntryOf(int id)
    {
        if (id == OpenId)
            return Open;
        if ((uint)id < (uint)entries.Count && entries[id] is { } entry)
            return entry;
        throw new ArgumentOutOfRangeException(nameof(id), id, "There is no ACL of that id.");
    }

    private sealed class Entry(byte[] encoded, IReadOnlyList<Acl> acl)
    {
        public byte[] Encoded { get; } = encoded;

        public IReadOnlyList<Acl> Acl { get; } = acl;

        public int References { get; set; }
    }
}
