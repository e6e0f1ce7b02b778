using System.Text;
using SharpKeeper.Core;
using SharpKeeper.Core.Tree;
using SharpKeeper.Protocol;

namespace SharpKeeper.TreeTests;

public class DataTreeLoadTests
{
    private static readonly byte[] ReadOnly = DataTreeTests.Vector(Acl.ReadUnsafe);

    [Theory]
    [InlineData("/x/y", "before its parent")]
    [InlineData("/a", "twice")]
    [InlineData("", "twice")]
    [InlineData("a", "not a path")]
    [InlineData("/a/", "not a path")]
    public void LoadNode_impossible_place_is_refused_by_name(string path, string reason)
    {
        using DataTree tree = Loading();
        Load(tree, "/a");

        var refused = Assert.Throws<CorruptDataException>(() => Load(tree, path));

        Assert.Contains($"\"{path}\"", refused.Message, StringComparison.Ordinal);
        Assert.Contains(reason, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void LoadNode_acl_that_the_snapshot_lacks_is_refused()
    {
        using DataTree tree = Loading();
        tree.LoadAcl(3, ReadOnly);
        Load(tree, "/a", aclId: 3);

        var refused = Assert.Throws<CorruptDataException>(() => Load(tree, "/b", aclId: 4));

        Assert.Contains("ACL id 4", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void LoadAcl_id_defined_twice_or_malformed_is_refused()
    {
        using DataTree tree = Loading();
        tree.LoadAcl(3, ReadOnly);

        Assert.Throws<CorruptDataException>(() => tree.LoadAcl(3, ReadOnly));
        Assert.Throws<CorruptDataException>(() => tree.LoadAcl(4, ReadOnly.AsSpan(0, 9)));
        Assert.Throws<CorruptDataException>(() => tree.LoadAcl(5, [.. ReadOnly, 0]));
    }

    [Fact]
    public void LoadAcl_ids_of_any_size_and_repeated_lists_are_taken()
    {
        using DataTree tree = Loading();
        tree.LoadAcl(long.MaxValue, ReadOnly);
        tree.LoadAcl(-7, ReadOnly);
        tree.LoadAcl(8, DataTreeTests.Vector(Acl.CreatorAll));
        tree.LoadAcl(9, DataTreeTests.Vector(Acl.OpenUnsafe));
        Load(tree, "/a", aclId: long.MaxValue);
        Load(tree, "/b", aclId: -7);
        Load(tree, "/c", aclId: 9);
        tree.FinishLoad();

        Assert.Equal(tree.GetAclId(tree.Find("/a"u8)), tree.GetAclId(tree.Find("/b"u8)));
        Assert.Equal(Acl.ReadUnsafe, tree.Acls.Entries(tree.GetAclId(tree.Find("/a"u8))));
        Assert.Equal(AclTable.OpenId, tree.GetAclId(tree.Find("/c"u8)));
        Assert.Equal(1, tree.Acls.Count);
    }

    [Fact]
    public void FinishLoad_without_a_root_is_refused()
    {
        using DataTree tree = DataTree.CreateEmptyForLoad(1);

        Assert.Throws<CorruptDataException>(tree.FinishLoad);
    }

    [Fact]
    public void EnsureSystemZnodes_adds_what_an_old_snapshot_lacks_without_a_trace()
    {
        using DataTree tree = Loading();
        tree.FinishLoad();
        tree.EnsureSystemZnodes();
        tree.EnsureSystemZnodes();

        Assert.Equal(4, tree.Count);
        Assert.Equal(TreeDigest.OfFreshTree, tree.Digest);
        Assert.Equal(0, tree.GetStoredCversion(tree.Root));
    }

    [Fact]
    public void FinishLoad_recounts_quotas()
    {
        using DataTree tree = Loading();
        Load(tree, "/zookeeper");
        Load(tree, "/zookeeper/quota");
        Load(tree, "/zookeeper/quota/a");
        Load(tree, "/zookeeper/quota/a/zookeeper_limits", "count=5,bytes=100");
        Load(tree, "/zookeeper/quota/a/zookeeper_stats", "count=77,bytes=77");
        Load(tree, "/a", "12345");
        Load(tree, "/a/b", "123");
        tree.FinishLoad();

        Assert.Equal(new QuotaUsage("/a", new QuotaLimits(5, 100, -1, -1), 2, 8), tree.FindQuota("/a/b/c"u8));
        Assert.Equal("count=2,bytes=8", Encoding.UTF8.GetString(
            tree.GetData(tree.Find("/zookeeper/quota/a/zookeeper_stats"u8), out _)));
    }

    [Theory]
    [InlineData(false, false, 0x100001530920002, NodeKind.Ephemeral)]
    [InlineData(false, false, long.MinValue, NodeKind.Container)]
    [InlineData(false, false, unchecked((long)0xff00000000000064), NodeKind.Ephemeral)]
    [InlineData(false, true, unchecked((long)0x8000000000000064), NodeKind.Ephemeral)]
    [InlineData(true, false, unchecked((long)0xff00000000000064), NodeKind.Ttl)]
    [InlineData(true, false, unchecked((long)0xff01000000000064), NodeKind.Ephemeral)]
    [InlineData(true, true, unchecked((long)0x8000000000000064), NodeKind.Ttl)]
    [InlineData(true, true, long.MinValue, NodeKind.Container)]
    public void KindOf_follows_owner_and_options(bool isExtended, bool isEmulated, long owner, NodeKind expected)
    {
        using DataTree tree = DataTree.CreateEmptyForLoad(1);
        tree.ExtendedTypesEnabled = isExtended;
        tree.Emulate353 = isEmulated;
        tree.LoadNode(default, default, false, -1, default);
        tree.LoadNode("/o"u8, default, false, -1, default(StatPersisted) with { EphemeralOwner = owner });
        tree.FinishLoad();
        ZnodeId id = tree.Find("/o"u8);

        Assert.Equal(expected, tree.KindOf(id));
        Assert.Equal(expected == NodeKind.Ttl ? 100 : 0, tree.GetTtl(id));
        Assert.Equal(expected == NodeKind.Ephemeral ? owner : 0, tree.GetStat(id).EphemeralOwner);
        Assert.Equal(
            (expected == NodeKind.Ephemeral, expected == NodeKind.Container, expected == NodeKind.Ttl),
            (tree.EphemeralCount == 1, tree.ContainerCount == 1, tree.TtlCount == 1));
    }

    [Fact]
    public void Pages_of_containers_meet_every_one_that_stays()
    {
        using var tree = new DataTree();
        for (int i = 0; i < 100; i++)
            DataTreeTests.Create(tree, $"/c{i}", zxid: i + 1, owner: long.MinValue);
        var met = new List<ZnodeId>();
        var paths = new HashSet<string>();
        int position = int.MaxValue;
        for (int page = 0; position > 0; page++)
        {
            met.Clear();
            tree.CollectContainers(ref position, 7, met);
            Assert.InRange(met.Count, 0, 7);
            paths.UnionWith(met.Select(tree.GetPath));
            // One that was met, one that was not yet, and a new one.
            tree.Delete(Encoding.UTF8.GetBytes($"/c{99 - page}"), new Zxid(200 + page), out _);
            tree.Delete(Encoding.UTF8.GetBytes($"/c{page}"), new Zxid(200 + page), out _);
            DataTreeTests.Create(tree, $"/new{page}", zxid: 300 + page, owner: long.MinValue);
        }
        for (int i = 20; i < 80; i++)
            Assert.Contains($"/c{i}", paths);
    }

    private static DataTree Loading()
    {
        DataTree tree = DataTree.CreateEmptyForLoad(1);
        Load(tree, "");
        return tree;
    }

    private static void Load(DataTree tree, string path, string data = "", long aclId = -1) => tree.LoadNode(
        Encoding.UTF8.GetBytes(path), Encoding.UTF8.GetBytes(data), false, aclId, default);
}
