using System.Text;
using SharpKeeper.Core.Tree;
using SharpKeeper.Protocol;

namespace SharpKeeper.TreeTests;

/// <summary>What a snapshot file would hold, taken from a cursor step by step and loaded into a new tree.</summary>
internal sealed class SnapshotImage(SnapshotCursor cursor)
{
    private readonly List<(byte[] Path, byte[]? Data, int AclId, StatPersisted Stat)> znodes = [];

    public int Count => znodes.Count;

    public IEnumerable<string> Paths => znodes.Select(znode => Encoding.UTF8.GetString(znode.Path));

    /// <summary>Takes the next znode; false at the end.</summary>
    public bool Take(DataTree tree, SnapshotCursor from, int budget = int.MaxValue)
    {
        if (!from.MoveNext(ref budget, out ZnodeId id))
            return false;
        if (id.IsNone)
            return true;
        byte[]? data = tree.GetData(id, out bool isNull).ToArray();
        znodes.Add((from.Path.ToArray(), isNull ? null : data, from.AclId, tree.GetPersisted(id)));
        return true;
    }

    public DataTree Load()
    {
        DataTree tree = DataTree.CreateEmptyForLoad(99);
        tree.ExtendedTypesEnabled = true;
        foreach ((int id, ReadOnlyMemory<byte> vector) in cursor.Acls)
            tree.LoadAcl(id, vector.Span);
        foreach ((byte[] path, byte[]? data, int aclId, StatPersisted stat) in znodes)
            tree.LoadNode(path, data, data is null, aclId, stat);
        tree.FinishLoad();
        tree.LastProcessed = cursor.Start;
        return tree;
    }
}

/// <summary>Comparison of whole trees.</summary>
internal static class TreeAssert
{
    /// <summary>Same znodes with same data, stat and ACL, and the same sums; the order of children may differ.</summary>
    public static void Same(DataTree expected, DataTree actual, bool withQuotaCounts = true)
    {
        Assert.Equal(expected.Count, actual.Count);
        foreach (ZnodeId id in DataTreeTests.Walk(expected))
        {
            string path = expected.GetPath(id);
            ZnodeId other = actual.Find(Encoding.UTF8.GetBytes(path));
            Assert.False(other.IsNone, path);
            Assert.Equal(expected.GetPersisted(id), actual.GetPersisted(other));
            Assert.True(
                expected.Acls.Encoded(expected.GetAclId(id)).SequenceEqual(actual.Acls.Encoded(actual.GetAclId(other))));
            Assert.Equal(expected.GetDigest(id), actual.GetDigest(other));
            if (!withQuotaCounts && path.EndsWith("/zookeeper_stats", StringComparison.Ordinal))
                continue;
            Assert.True(expected.GetData(id, out bool isNull).SequenceEqual(actual.GetData(other, out bool isOtherNull)));
            Assert.Equal(isNull, isOtherNull);
        }
        Assert.Equal(expected.Digest, actual.Digest);
        Assert.Equal(expected.EphemeralCount, actual.EphemeralCount);
        Assert.Equal(expected.EphemeralOwners, actual.EphemeralOwners);
        Assert.Equal(expected.ContainerCount, actual.ContainerCount);
        Assert.Equal(expected.TtlCount, actual.TtlCount);
        if (withQuotaCounts)
        {
            Assert.Equal(expected.ApproximateDataBytes, actual.ApproximateDataBytes);
            Assert.Equal(expected.ListQuotas(), actual.ListQuotas());
        }
    }
}
