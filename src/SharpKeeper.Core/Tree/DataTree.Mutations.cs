using SharpKeeper.Protocol;

namespace SharpKeeper.Core.Tree;

public sealed unsafe partial class DataTree
{
    /// <summary>
    /// Creates a znode with version 0. The parent's stored cversion becomes <paramref name="parentCversion"/>, and its
    /// pzxid the transaction's, only if that makes the cversion greater; -1 means one more than now.
    /// </summary>
    /// <param name="path">Where; a path that breaks the rules has no parent or exists.</param>
    /// <param name="data">What it holds.</param>
    /// <param name="dataIsNull">Is the data null rather than empty?</param>
    /// <param name="aclVector">The access control list as a Jute vector.</param>
    /// <param name="owner">0, the session, or what marks containers and TTL znodes.</param>
    /// <param name="parentCversion">The parent's stored cversion after the transaction.</param>
    /// <param name="zxid">The transaction.</param>
    /// <param name="timeMs">The transaction's time, milliseconds since 1970.</param>
    /// <param name="id">The new znode, or the one that stands there.</param>
    /// <returns>
    /// NoNode without a parent. NodeExists, on which the parent is raised all the same and the znode takes the ACL, as
    /// the replay of a fuzzy snapshot needs it.
    /// </returns>
    /// <exception cref="CorruptDataException">The ACL is malformed; nothing has changed.</exception>
    public ErrorCode Create(
        ReadOnlySpan<byte> path, ReadOnlySpan<byte> data, bool dataIsNull, ReadOnlySpan<byte> aclVector, long owner,
        int parentCversion, Zxid zxid, long timeMs, out ZnodeId id)
    {
        Acls.Sweep();
        id = ZnodeId.None;
        if (!TrySplit(path, out ReadOnlySpan<byte> parentPath, out ReadOnlySpan<byte> name))
        {
            id = path is [(byte)'/'] ? Root : ZnodeId.None;
            return id.IsNone ? ErrorCode.NoNode : ErrorCode.NodeExists;
        }
        uint parent = store.Find(parentPath);
        if (parent == 0)
            return ErrorCode.NoNode;
        int aclId = Acls.Acquire(aclVector);
        id = new ZnodeId(store.FindChild(parent, name, out uint pathHash));
        bool exists = !id.IsNone;
        if (exists)
        {
            ReplaceAcl(id.Value, aclId);
        }
        else
        {
            id = new ZnodeId(store.AddChild(parent, name, pathHash, data, dataIsNull));
            Plant(id.Value, path, aclId, owner, zxid, timeMs);
        }
        RaiseCversion(parent, parentPath, parentCversion, zxid);
        if (exists)
            return ErrorCode.NodeExists;
        AfterCreate(path, parentPath, name, id.Value);
        return ErrorCode.Ok;
    }

    /// <summary>
    /// Deletes a znode and whatever is below it. In live operation nothing is; in the replay of a fuzzy snapshot the
    /// children come from later transactions, which create them again. The parent's pzxid becomes the transaction's if
    /// that is greater, even if the znode is gone already.
    /// </summary>
    /// <param name="path">Which.</param>
    /// <param name="zxid">The transaction.</param>
    /// <param name="deletedAclId">The znode's ACL, readable until the next mutation.</param>
    /// <returns>NoNode if there is no such znode; BadArguments for the root.</returns>
    public ErrorCode Delete(ReadOnlySpan<byte> path, Zxid zxid, out int deletedAclId)
    {
        Acls.Sweep();
        deletedAclId = AclTable.OpenId;
        if (!TrySplit(path, out ReadOnlySpan<byte> parentPath, out ReadOnlySpan<byte> name))
            return path.Length <= 1 ? ErrorCode.BadArguments : ErrorCode.NoNode;
        uint parent = store.Find(parentPath);
        if (parent == 0)
            return ErrorCode.NoNode;
        uint id = store.FindChild(parent, name, out _);
        if (id != 0)
        {
            deletedAclId = store[id]->AclId;
            if (ChildCountOf(store[id]) > 0)
                UprootDescendants(id);
            Uproot(id, path, parentPath, name);
        }
        RaisePzxid(parent, parentPath, zxid);
        return id == 0 ? ErrorCode.NoNode : ErrorCode.Ok;
    }

    /// <summary>Replaces the data; the version becomes the given one.</summary>
    /// <returns>NoNode if there is no such znode.</returns>
    public ErrorCode SetData(
        ReadOnlySpan<byte> path, ReadOnlySpan<byte> data, bool dataIsNull, int version, Zxid zxid, long timeMs,
        out ZnodeId id)
    {
        Acls.Sweep();
        id = Find(path);
        if (id.IsNone)
            return ErrorCode.NoNode;
        ZnodeRecord* record = store[id.Value];
        long growth = data.Length - Math.Max(record->DataLength, 0L);
        store.SetData(id.Value, data, dataIsNull);
        record->Version = version;
        record->Mzxid = zxid.Value;
        record->Mtime = timeMs;
        ApproximateDataBytes += growth;
        RenewDigest(record, path);
        AfterSetData(path, id.Value, growth);
        return ErrorCode.Ok;
    }

    /// <summary>Replaces the access control list; the aversion becomes the given one.</summary>
    /// <returns>NoNode if there is no such znode.</returns>
    /// <exception cref="CorruptDataException">The ACL is malformed; nothing has changed.</exception>
    public ErrorCode SetAcl(ReadOnlySpan<byte> path, ReadOnlySpan<byte> aclVector, int version, out ZnodeId id)
    {
        Acls.Sweep();
        id = Find(path);
        if (id.IsNone)
            return ErrorCode.NoNode;
        ReplaceAcl(id.Value, Acls.Acquire(aclVector));
        ZnodeRecord* record = store[id.Value];
        EnsureExtra(record, path)->Aversion = version;
        RenewDigestOfStat(record);
        return ErrorCode.Ok;
    }

    /// <summary>
    /// Begins a walk over the znodes there are now. Several may go on at once; each is ended by disposing it.
    /// </summary>
    public SnapshotCursor BeginSnapshot()
    {
        Acls.Sweep();
        var cursor = new SnapshotCursor(this, ended => cursors.Remove(ended));
        cursors.Add(cursor);
        return cursor;
    }

    // Splits off the last name; false for the root and for what has no slash or an empty name.
    private static bool TrySplit(
        ReadOnlySpan<byte> path, out ReadOnlySpan<byte> parent, out ReadOnlySpan<byte> name)
    {
        int slash = path.LastIndexOf((byte)'/');
        parent = slash > 0 ? path[..slash] : default;
        name = path[(slash + 1)..];
        return slash >= 0 && !name.IsEmpty;
    }

    // Gives a record just added its stat, its owner's link and its digest.
    private void Plant(uint id, ReadOnlySpan<byte> path, int aclId, long owner, Zxid zxid, long timeMs)
    {
        ZnodeRecord* record = store[id];
        record->Czxid = record->Mzxid = zxid.Value;
        record->Ctime = record->Mtime = timeMs;
        record->AclId = aclId;
        record->Flags = TreeDigest.IsExcluded(path) ? ZnodeFlags.OutsideDigest : ZnodeFlags.None;
        if (owner != 0)
        {
            store.EnsureExtra(record)->Owner = owner;
            owners.Add(id, owner, KindOfOwner(owner));
        }
        ApproximateDataBytes += CharsOf(path) + Math.Max(record->DataLength, 0);
        RenewDigest(record, path);
    }

    private void Uproot(
        uint id, ReadOnlySpan<byte> path, ReadOnlySpan<byte> parentPath, ReadOnlySpan<byte> name)
    {
        foreach (SnapshotCursor cursor in cursors)
            cursor.OnRemoving(id);
        ZnodeRecord* record = store[id];
        long dataBytes = Math.Max(record->DataLength, 0);
        long owner = OwnerOf(record);
        if (owner != 0)
            owners.Remove(id, owner, KindOfOwner(owner));
        Acls.Release(record->AclId);
        digest -= record->Digest;
        ApproximateDataBytes -= CharsOf(path) + dataBytes;
        store.Remove(id);
        AfterDelete(path, parentPath, name, dataBytes);
    }

    private void UprootDescendants(uint top)
    {
        uint at = FirstLeaf(top);
        while (at != top)
        {
            uint next = store[at]->NextSibling;
            uint after = next != 0 ? FirstLeaf(next) : store[at]->Parent;
            var path = new byte[PathLength(new ZnodeId(at))];
            CopyPath(new ZnodeId(at), path);
            TrySplit(path, out ReadOnlySpan<byte> parentPath, out ReadOnlySpan<byte> name);
            Uproot(at, path, parentPath, name);
            at = after;
        }
    }

    private uint FirstLeaf(uint id)
    {
        while (true)
        {
            ZnodeExtra* extra = store.ExtraOf(store[id]);
            if (extra == null || extra->FirstChild == 0)
                return id;
            id = extra->FirstChild;
        }
    }

    private void ReplaceAcl(uint id, int aclId)
    {
        ZnodeRecord* record = store[id];
        foreach (SnapshotCursor cursor in cursors)
            cursor.OnAclChanging(id);
        Acls.Release(record->AclId);
        record->AclId = aclId;
    }

    private void RaiseCversion(uint parent, ReadOnlySpan<byte> parentPath, int cversion, Zxid zxid)
    {
        ZnodeRecord* record = store[parent];
        ZnodeExtra* extra = EnsureExtra(record, parentPath);
        int wanted = cversion == -1 ? unchecked(extra->Cversion + 1) : cversion;
        if (wanted <= extra->Cversion)
            return;
        extra->Cversion = wanted;
        extra->Pzxid = zxid.Value;
        RenewDigestOfStat(record);
    }

    private void RaisePzxid(uint parent, ReadOnlySpan<byte> parentPath, Zxid zxid)
    {
        ZnodeRecord* record = store[parent];
        ZnodeExtra* extra = store.ExtraOf(record);
        if (zxid.Value <= (extra == null ? record->Czxid : extra->Pzxid))
            return;
        EnsureExtra(record, parentPath)->Pzxid = zxid.Value;
        RenewDigestOfStat(record);
    }

    // The extra record with a valid CRC of path and data. The store makes one for a new parent without knowing paths,
    // so such a CRC of 0 is filled in here; where the true value is 0 computing it again does no harm.
    private ZnodeExtra* EnsureExtra(ZnodeRecord* record, ReadOnlySpan<byte> path)
    {
        ZnodeExtra* extra = store.EnsureExtra(record);
        if (extra->PrefixCrc == 0 && (record->Flags & ZnodeFlags.OutsideDigest) == 0)
            extra->PrefixCrc = TreeDigest.Prefix(DigestPath(path), ZnodeStore.DataOf(record));
        return extra;
    }

    private void RenewDigest(ZnodeRecord* record, ReadOnlySpan<byte> path)
    {
        if ((record->Flags & ZnodeFlags.OutsideDigest) != 0)
            return;
        uint prefix = TreeDigest.Prefix(DigestPath(path), ZnodeStore.DataOf(record));
        if (record->Extra != 0)
            store.ExtraOf(record)->PrefixCrc = prefix;
        SetDigest(record, TreeDigest.OfStat(prefix, Persisted(record)));
    }

    private void RenewDigestOfStat(ZnodeRecord* record)
    {
        if ((record->Flags & ZnodeFlags.OutsideDigest) == 0)
            SetDigest(record, TreeDigest.OfStat(store.ExtraOf(record)->PrefixCrc, Persisted(record)));
    }

    private void SetDigest(ZnodeRecord* record, uint value)
    {
        digest += (long)value - record->Digest;
        record->Digest = value;
    }

    // In digests the root's path is empty.
    private static ReadOnlySpan<byte> DigestPath(ReadOnlySpan<byte> path) => path.Length == 1 ? default : path;
}
