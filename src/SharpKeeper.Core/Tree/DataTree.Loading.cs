using System.Text;
using SharpKeeper.Protocol;

namespace SharpKeeper.Core.Tree;

public sealed unsafe partial class DataTree
{
    private static readonly byte[] ReadOnlyAcl = Encode(Acl.ReadUnsafe);

    private LoadState? loading;

    /// <summary>Takes in an access control list of a snapshot, before the znodes that refer to it.</summary>
    /// <exception cref="CorruptDataException">The id came before, or the bytes are no vector of ACL entries.</exception>
    public void LoadAcl(long aclId, ReadOnlySpan<byte> vector)
    {
        Invariant.Check(loading is not null, "the tree is not being loaded");
        Acls.Load(aclId, vector);
    }

    /// <summary>
    /// Takes in a znode of a snapshot: the root with an empty path first, every parent before its children. Fastest
    /// when children of one parent follow each other.
    /// </summary>
    /// <exception cref="CorruptDataException">
    /// The znode came before, has no parent, an impossible path or an unknown ACL; the tree must be thrown away.
    /// </exception>
    public void LoadNode(
        ReadOnlySpan<byte> path, ReadOnlySpan<byte> data, bool dataIsNull, long aclId, in StatPersisted stat)
    {
        Invariant.Check(loading is not null, "the tree is not being loaded");
        if (!Acls.TryAcquireLoaded(aclId, out int ownAclId))
            throw Corrupt(path, $"refers to ACL id {aclId}, which the snapshot does not define");
        if (path.IsEmpty || path is [(byte)'/'])
        {
            if (!Root.IsNone)
                throw Corrupt(path, "occurs twice");
            PlantRoot(data, dataIsNull, ownAclId, stat);
            return;
        }
        if (!TrySplit(path, out ReadOnlySpan<byte> parentPath, out ReadOnlySpan<byte> name))
            throw Corrupt(path, "is not a path");
        uint parent = FindLoadedParent(path, parentPath);
        if (store.FindChild(parent, name, out uint pathHash) != 0)
            throw Corrupt(path, "occurs twice");
        PlantLoaded(store.AddChild(parent, name, pathHash, data, dataIsNull), path, ownAclId, stat);
    }

    /// <summary>Ends loading: drops ACLs that no znode uses and counts what the quotas limit.</summary>
    /// <exception cref="CorruptDataException">There was no root.</exception>
    public void FinishLoad()
    {
        Invariant.Check(loading is not null, "the tree is not being loaded");
        if (Root.IsNone)
            throw new CorruptDataException("The snapshot holds no root znode.");
        loading = null;
        Acls.FinishLoad();
        LoadQuotas();
    }

    /// <summary>
    /// Adds what a fresh tree has and this one lacks, as snapshots of old versions do: /zookeeper, /zookeeper/quota,
    /// /zookeeper/config. Their creation counts in no cversion.
    /// </summary>
    public void EnsureSystemZnodes()
    {
        EnsureSystemZnode("/zookeeper"u8, default, aversion: 0);
        EnsureSystemZnode("/zookeeper/quota"u8, default, aversion: 0);
        EnsureSystemZnode("/zookeeper/config"u8, ReadOnlyAcl, aversion: -1);
        loading = null;
    }

    private static byte[] Encode(IReadOnlyList<Acl> acl)
    {
        using var buffer = new JuteBuffer();
        Acl.WriteVector(buffer, acl);
        return buffer.WrittenSpan.ToArray();
    }

    private static CorruptDataException Corrupt(ReadOnlySpan<byte> path, string what) =>
        new($"The snapshot's znode \"{Encoding.UTF8.GetString(path)}\" {what}.");

    private void EnsureSystemZnode(ReadOnlySpan<byte> path, ReadOnlySpan<byte> aclVector, int aversion)
    {
        if (!Find(path).IsNone)
            return;
        TrySplit(path, out ReadOnlySpan<byte> parentPath, out ReadOnlySpan<byte> name);
        uint parent = store.Find(parentPath);
        EnsureExtra(store[parent], parentPath);
        int aclId = aclVector.IsEmpty ? AclTable.OpenId : Acls.Acquire(aclVector);
        store.FindChild(parent, name, out uint pathHash);
        uint id = store.AddChild(parent, name, pathHash, default, isNull: false);
        PlantLoaded(id, path, aclId, default(StatPersisted) with { Aversion = aversion });
    }

    private void PlantRoot(ReadOnlySpan<byte> data, bool isNull, int aclId, in StatPersisted stat) =>
        PlantLoaded(store.AddRoot(data, isNull), "/"u8, aclId, stat);

    private void PlantLoaded(uint id, ReadOnlySpan<byte> path, int aclId, in StatPersisted stat)
    {
        ZnodeRecord* record = store[id];
        record->Czxid = stat.Czxid;
        record->Mzxid = stat.Mzxid;
        record->Ctime = stat.Ctime;
        record->Mtime = stat.Mtime;
        record->Version = stat.Version;
        record->AclId = aclId;
        record->Flags = ZnodeFlags.Loaded;
        if (TreeDigest.IsExcluded(path))
            record->Flags |= ZnodeFlags.OutsideDigest;
        if (stat.Pzxid != stat.Czxid || stat.Cversion != 0 || stat.Aversion != 0 || stat.EphemeralOwner != 0)
        {
            ZnodeExtra* extra = store.EnsureExtra(record);
            extra->Pzxid = stat.Pzxid;
            extra->Cversion = stat.Cversion;
            extra->Aversion = stat.Aversion;
            extra->Owner = stat.EphemeralOwner;
        }
        if (stat.EphemeralOwner != 0)
            owners.Add(id, stat.EphemeralOwner, KindOfOwner(stat.EphemeralOwner));
        ApproximateDataBytes += CharsOf(path) + Math.Max(record->DataLength, 0);
        RenewDigest(record, path);
    }

    // Children of one parent mostly follow each other, so the last parent is remembered.
    private uint FindLoadedParent(ReadOnlySpan<byte> path, ReadOnlySpan<byte> parentPath)
    {
        LoadState state = loading!;
        if (state.Parent != 0 && state.ParentPath.SequenceEqual(parentPath))
            return state.Parent;
        uint parent = store.Find(parentPath);
        if (parent == 0)
            throw Corrupt(path, "stands before its parent or without one");
        EnsureExtra(store[parent], parentPath);
        state.Remember(parent, parentPath);
        return parent;
    }

    private sealed class LoadState
    {
        private byte[] path = new byte[256];
        private int length;

        public uint Parent { get; private set; }

        public ReadOnlySpan<byte> ParentPath => path.AsSpan(0, length);

        public void Remember(uint parent, ReadOnlySpan<byte> parentPath)
        {
            if (parentPath.Length > path.Length)
                path = new byte[parentPath.Length * 2];
            parentPath.CopyTo(path);
            length = parentPath.Length;
            Parent = parent;
        }
    }
}
