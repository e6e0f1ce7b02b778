using SharpKeeper.Protocol;

namespace SharpKeeper.Core.Tree;

/// <summary>
/// Walks the tree in pre-order, in as many slices as the caller likes, while mutations go on in between. It meets every
/// znode that was there when it began and is not deleted before its turn, and none that was created since: their
/// creation is in the log. Data and stat are those of the moment it meets the znode.
/// </summary>
/// <remarks>
/// A znode's ACL is reported as of the beginning, so all ids are in <see cref="Acls"/>. Beginning, moving and disposing
/// belong to the writer of the tree.
/// </remarks>
public sealed class SnapshotCursor : IDisposable
{
    private readonly DataTree tree;
    private readonly Action<SnapshotCursor> unregister;
    private readonly Dictionary<uint, int> formerAcls = [];
    private byte[] path = new byte[256];
    private int pathLength;
    private int parentLength;
    private uint next;

    internal SnapshotCursor(DataTree tree, Action<SnapshotCursor> unregister)
    {
        this.tree = tree;
        this.unregister = unregister;
        Start = tree.LastProcessed;
        Acls = tree.Acls.Snapshot();
        next = tree.Root.Value;
    }

    /// <summary>The last transaction in the tree when the cursor began: the snapshot's name.</summary>
    public Zxid Start { get; }

    /// <summary>The access control lists when the cursor began, as Jute vectors, ascending by id.</summary>
    public IReadOnlyList<KeyValuePair<int, ReadOnlyMemory<byte>>> Acls { get; }

    /// <summary>Path of the znode met last, as snapshots hold it: empty for the root. Valid until the next move.</summary>
    public ReadOnlySpan<byte> Path => path.AsSpan(0, pathLength);

    /// <summary>The ACL id of the znode met last; -1 or one of <see cref="Acls"/>.</summary>
    public int AclId { get; private set; }

    /// <summary>Moves on; false at the end. The id is valid until the next mutation.</summary>
    public bool MoveNext(out ZnodeId id)
    {
        int budget = int.MaxValue;
        while (MoveNext(ref budget, out id))
        {
            if (!id.IsNone)
                return true;
            budget = int.MaxValue;
        }
        return false;
    }

    /// <summary>
    /// Moves on; false at the end. Each znode looked at takes one from the budget. Where many young znodes have to be
    /// passed over the budget may end before one is met: then the id is none, and the next call goes on.
    /// </summary>
    public bool MoveNext(ref int budget, out ZnodeId id)
    {
        id = ZnodeId.None;
        while (next != 0)
        {
            if (budget <= 0)
                return true;
            budget--;
            uint at = next;
            if (IsYoung(at))
            {
                Advance(at, descend: false);
                continue;
            }
            Enter(at);
            Advance(at, descend: true);
            id = new ZnodeId(at);
            return true;
        }
        return false;
    }

    /// <summary>Ends the walk; the tree forgets the cursor.</summary>
    public void Dispose()
    {
        next = 0;
        unregister(this);
    }

    /// <summary>Called before a znode goes away; its children are gone by then.</summary>
    internal void OnRemoving(uint id)
    {
        formerAcls.Remove(id);
        if (next == id)
            Advance(id, descend: false);
    }

    /// <summary>Called before a znode takes another ACL.</summary>
    internal unsafe void OnAclChanging(uint id)
    {
        if (next != 0 && !IsYoung(id))
            formerAcls.TryAdd(id, tree.RecordOf(id)->AclId);
    }

    private unsafe bool IsYoung(uint id)
    {
        ZnodeRecord* record = tree.RecordOf(id);
        return record->Czxid > Start.Value && (record->Flags & ZnodeFlags.Loaded) == 0;
    }

    private unsafe void Enter(uint id)
    {
        ZnodeRecord* record = tree.RecordOf(id);
        AclId = formerAcls.TryGetValue(id, out int former) ? former : record->AclId;
        ReadOnlySpan<byte> name = ZnodeStore.NameOf(record);
        if (record->Parent == 0)
        {
            pathLength = 0;
            return;
        }
        pathLength = parentLength + 1 + name.Length;
        if (pathLength > path.Length)
            Array.Resize(ref path, Math.Max(pathLength, path.Length * 2));
        path[parentLength] = (byte)'/';
        name.CopyTo(path.AsSpan(parentLength + 1));
    }

    // Finds the znode to look at next, and the length of its parent's path, which stands in the buffer already.
    private unsafe void Advance(uint at, bool descend)
    {
        if (descend && tree.FirstChild(new ZnodeId(at)) is { IsNone: false } child)
        {
            parentLength = pathLength;
            next = child.Value;
            return;
        }
        while (true)
        {
            ZnodeRecord* record = tree.RecordOf(at);
            if (record->NextSibling != 0 || record->Parent == 0)
            {
                next = record->NextSibling;
                return;
            }
            at = record->Parent;
            parentLength -= ZnodeStore.NameOf(tree.RecordOf(at)).Length + 1;
        }
    }
}
