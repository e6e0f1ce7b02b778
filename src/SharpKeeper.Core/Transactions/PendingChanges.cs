using System.Buffers.Binary;
using SharpKeeper.Core.Log;
using SharpKeeper.Core.Tree;
using SharpKeeper.Protocol;

namespace SharpKeeper.Core.Transactions;

/// <summary>A znode as it will be once all proposed transactions are applied.</summary>
internal struct ZnodeState
{
    /// <summary>The last transaction that changes it.</summary>
    public long Zxid;

    /// <summary>Does it exist then?</summary>
    public bool Exists;

    /// <summary>Its metadata then, with the stored cversion and owner.</summary>
    public StatPersisted Stat;

    /// <summary>Number of its children then.</summary>
    public int ChildCount;

    /// <summary>Its part of the tree digest then.</summary>
    public uint Digest;

    /// <summary>Its ACL in the tree; counts only while <see cref="AclEntries"/> is null.</summary>
    public int AclId;

    /// <summary>Its ACL, if a pending transaction sets it.</summary>
    public IReadOnlyList<Acl>? AclEntries;

    /// <summary>The transaction that writes its data; the tree has the data once that is applied.</summary>
    public long DataZxid;

    /// <summary>Where the pending data stand.</summary>
    public TxnBatch? DataBatch;

    /// <summary>Where the pending data stand.</summary>
    public int DataOffset;

    /// <summary>Length of the pending data.</summary>
    public int DataLength;
}

/// <summary>
/// What the transactions that are proposed but not yet applied will change. The leader checks each request against the
/// tree plus this, so that a transaction that was logged cannot fail when it is applied.
/// </summary>
internal sealed class PendingChanges(DataTree tree)
{
    private sealed class Record
    {
        public byte[] Path = [];
        public int PathLength;
        public uint Hash;
        public Record? Next;
        public ZnodeState State;

        public ReadOnlySpan<byte> PathSpan => Path.AsSpan(0, PathLength);
    }

    private readonly record struct Touch(long Zxid, Record Record);

    private readonly record struct Undo(Record Record, bool WasNew, ZnodeState State);

    private const int KeptRecordsMax = 4096;
    private const int KeptPathBytesMax = 256;

    private readonly List<Undo> undo = [];
    private readonly Stack<Record> free = new();
    private Record?[] buckets = new Record?[256];
    private Touch[] touches = new Touch[256];
    private int touchHead;
    private int touchCount;
    private bool isRecording;
    private int touchCountAtScope;
    private long digestAtScope;

    /// <summary>The tree's digest once all proposed transactions are applied.</summary>
    public long Digest { get; set; } = tree.Digest;

    /// <summary>Number of znodes with a pending change.</summary>
    public int Count { get; private set; }

    /// <summary>The state of a znode; false if it will not exist.</summary>
    public bool TryGet(ReadOnlySpan<byte> path, out ZnodeState state)
    {
        if (Count > 0 && Find(path, Hash(path)) is { } record)
        {
            state = record.State;
            return state.Exists;
        }
        ZnodeId id = tree.Find(path);
        if (id == default)
        {
            state = default;
            return false;
        }
        state = FromTree(id);
        return true;
    }

    /// <summary>
    /// Stores a znode's new state as the effect of transaction <paramref name="zxid"/> and carries the difference of its
    /// digest into <see cref="Digest"/>.
    /// </summary>
    public void Put(ReadOnlySpan<byte> path, in ZnodeState state, uint formerDigest, long zxid)
    {
        uint hash = Hash(path);
        Record? record = Find(path, hash);
        if (isRecording)
            undo.Add(new Undo(record!, record is null, record is null ? default : record.State));
        if (record is null)
        {
            record = Add(path, hash);
            if (isRecording)
                undo[^1] = new Undo(record, true, default);
        }
        record.State = state;
        record.State.Zxid = zxid;
        Digest += (long)state.Digest - formerDigest;
        Enqueue(new Touch(zxid, record));
    }

    /// <summary>The data of a znode whose state is <paramref name="state"/>.</summary>
    public ReadOnlySpan<byte> DataOf(ReadOnlySpan<byte> path, in ZnodeState state)
    {
        if (state.DataBatch is { } batch && state.DataZxid > tree.LastProcessed.Value)
            return batch.Bytes.Span.Slice(state.DataOffset, state.DataLength);
        ZnodeId id = tree.Find(path);
        return id == default ? default : tree.GetData(id, out _);
    }

    /// <summary>The ACL of a znode whose state is <paramref name="state"/>.</summary>
    public IReadOnlyList<Acl> AclOf(in ZnodeState state) => state.AclEntries ?? tree.Acls.Entries(state.AclId);

    /// <summary>Forgets what transaction <paramref name="zxid"/> changed: the tree has it now.</summary>
    public void Applied(long zxid)
    {
        while (touchCount > 0 && touches[touchHead].Zxid <= zxid)
        {
            Record record = touches[touchHead].Record;
            if (record.State.Zxid == touches[touchHead].Zxid)
                Remove(record);
            touches[touchHead] = default;
            touchHead = (touchHead + 1) & (touches.Length - 1);
            touchCount--;
        }
    }

    /// <summary>Starts recording, so that what follows can be undone as a whole.</summary>
    public void BeginScope()
    {
        Invariant.Check(!isRecording, "scopes of pending changes do not nest");
        isRecording = true;
        touchCountAtScope = touchCount;
        digestAtScope = Digest;
    }

    /// <summary>Ends the scope; undoes it unless <paramref name="keep"/>.</summary>
    public void EndScope(bool keep)
    {
        Invariant.Check(isRecording, "no scope of pending changes is open");
        isRecording = false;
        if (!keep)
        {
            for (int i = undo.Count - 1; i >= 0; i--)
            {
                if (undo[i].WasNew)
                    Remove(undo[i].Record);
                else
                    undo[i].Record.State = undo[i].State;
            }
            while (touchCount > touchCountAtScope)
                touches[(touchHead + --touchCount) & (touches.Length - 1)] = default;
            Digest = digestAtScope;
        }
        undo.Clear();
    }

    /// <summary>
    /// Adds to <paramref name="paths"/> what will be the ephemerals of a session, given those that the tree has.
    /// </summary>
    public void AdjustEphemerals(long session, List<string> paths)
    {
        if (Count == 0)
            return;
        paths.RemoveAll(path =>
            !TryGet(System.Text.Encoding.UTF8.GetBytes(path), out ZnodeState state)
            || state.Stat.EphemeralOwner != session);
        var known = new HashSet<string>(paths, StringComparer.Ordinal);
        foreach (Record? bucket in buckets)
        {
            for (Record? record = bucket; record is not null; record = record.Next)
            {
                if (!record.State.Exists || record.State.Stat.EphemeralOwner != session)
                    continue;
                string path = System.Text.Encoding.UTF8.GetString(record.PathSpan);
                if (known.Add(path))
                    paths.Add(path);
            }
        }
        paths.Sort(StringComparer.Ordinal);
    }

    private ZnodeState FromTree(ZnodeId id) => new()
    {
        Exists = true,
        Stat = tree.GetPersisted(id),
        ChildCount = tree.GetChildCount(id),
        Digest = tree.GetDigest(id),
        AclId = tree.GetAclId(id),
    };

    private Record? Find(ReadOnlySpan<byte> path, uint hash)
    {
        for (Record? record = buckets[hash & (uint)(buckets.Length - 1)]; record is not null; record = record.Next)
        {
            if (record.Hash == hash && record.PathSpan.SequenceEqual(path))
                return record;
        }
        return null;
    }

    private Record Add(ReadOnlySpan<byte> path, uint hash)
    {
        if (Count >= buckets.Length)
            Grow();
        if (!free.TryPop(out Record? record))
            record = new Record();
        if (record.Path.Length < path.Length)
            record.Path = new byte[Math.Max(64, path.Length)];
        path.CopyTo(record.Path);
        record.PathLength = path.Length;
        record.Hash = hash;
        ref Record? bucket = ref buckets[hash & (uint)(buckets.Length - 1)];
        record.Next = bucket;
        bucket = record;
        Count++;
        return record;
    }

    private void Remove(Record record)
    {
        ref Record? link = ref buckets[record.Hash & (uint)(buckets.Length - 1)];
        while (!ReferenceEquals(link, record))
            link = ref link!.Next;
        link = record.Next;
        record.Next = null;
        record.State = default;
        record.PathLength = 0;
        Count--;
        if (free.Count < KeptRecordsMax && record.Path.Length <= KeptPathBytesMax)
            free.Push(record);
    }

    private void Grow()
    {
        Record?[] old = buckets;
        buckets = new Record?[old.Length * 2];
        foreach (Record? first in old)
        {
            Record? next;
            for (Record? record = first; record is not null; record = next)
            {
                next = record.Next;
                ref Record? bucket = ref buckets[record.Hash & (uint)(buckets.Length - 1)];
                record.Next = bucket;
                bucket = record;
            }
        }
    }

    private void Enqueue(Touch touch)
    {
        if (touchCount == touches.Length)
        {
            var larger = new Touch[touches.Length * 2];
            for (int i = 0; i < touchCount; i++)
                larger[i] = touches[(touchHead + i) & (touches.Length - 1)];
            touches = larger;
            touchHead = 0;
        }
        touches[(touchHead + touchCount++) & (touches.Length - 1)] = touch;
    }

    // Only as many paths as requests are in process meet here, so a plain mixing function is safe enough.
    private static uint Hash(ReadOnlySpan<byte> path)
    {
        const ulong factor = 0x9E3779B97F4A7C15;
        ulong hash = (ulong)path.Length * factor;
        while (path.Length >= sizeof(ulong))
        {
            hash = (hash ^ BinaryPrimitives.ReadUInt64LittleEndian(path)) * factor;
            hash ^= hash >> 32;
            path = path[sizeof(ulong)..];
        }
        foreach (byte rest in path)
            hash = (hash ^ rest) * factor;
        return (uint)(hash >> 32);
    }
}
