using System.Text;
using SharpKeeper.Core;
using SharpKeeper.Core.Tree;
using SharpKeeper.Protocol;

namespace SharpKeeper.TreeTests;

public class DataTreeTests
{
    private static readonly byte[] Open = Vector(Acl.OpenUnsafe);
    private static readonly byte[] ReadOnly = Vector(Acl.ReadUnsafe);

    [Fact]
    public void Fresh_tree_is_that_of_Apache()
    {
        using var tree = new DataTree();

        Assert.Equal(4, tree.Count);
        Assert.Equal(1371985504, tree.Digest);
        Assert.Equal(44, tree.ApproximateDataBytes);
        ZnodeId config = tree.Find("/zookeeper/config"u8);
        Assert.Equal(-1, tree.GetPersisted(config).Aversion);
        Assert.Equal(Acl.ReadUnsafe, tree.Acls.Entries(tree.GetAclId(config)));
        Assert.Equal(-2, tree.GetStat(tree.Find("/zookeeper"u8)).Cversion);
    }

    [Theory]
    [InlineData("/a/")]
    [InlineData("//a")]
    [InlineData("a")]
    [InlineData("//")]
    [InlineData("/a//b")]
    [InlineData("/b")]
    [InlineData("/a/b/c")]
    public void Find_path_that_is_not_there_gives_none(string path)
    {
        using var tree = new DataTree();
        Create(tree, "/a", zxid: 1);
        Create(tree, "/a/b", zxid: 2);

        Assert.True(tree.Find(Encoding.UTF8.GetBytes(path)).IsNone);
    }

    [Fact]
    public void Find_empty_and_slash_are_the_root()
    {
        using var tree = new DataTree();

        Assert.Equal(tree.Root, tree.Find(""u8));
        Assert.Equal(tree.Root, tree.Find("/"u8));
        Assert.Equal("/", tree.GetPath(tree.Root));
    }

    [Fact]
    public void Create_sets_the_stat_and_raises_the_parent()
    {
        using var tree = new DataTree();

        ZnodeId id = Create(tree, "/a", zxid: 5, data: "xyz"u8, time: 77);

        Assert.Equal(new Stat(5, 5, 77, 77, 0, 0, 0, 0, 3, 0, 5), tree.GetStat(id));
        Assert.Equal(5, tree.GetStat(tree.Root).Pzxid);
        Assert.Equal(1, tree.GetStoredCversion(tree.Root));
        Assert.Equal("/a", tree.GetPath(id));
    }

    [Fact]
    public void Create_existing_znode_raises_the_parent_only_if_greater_and_takes_the_acl()
    {
        using var tree = new DataTree();
        Create(tree, "/a", zxid: 5);

        ErrorCode first = tree.Create("/a"u8, "new"u8, false, ReadOnly, 0, 1, new Zxid(9), 3, out ZnodeId id);
        Assert.Equal(ErrorCode.NodeExists, first);
        Assert.Equal(5, tree.GetPersisted(tree.Root).Pzxid);
        Assert.Equal(Acl.ReadUnsafe, tree.Acls.Entries(tree.GetAclId(id)));
        Assert.Equal(0, tree.GetStat(id).DataLength);

        tree.Create("/a"u8, default, false, Open, 0, 4, new Zxid(9), 3, out _);
        Assert.Equal(9, tree.GetPersisted(tree.Root).Pzxid);
        Assert.Equal(4, tree.GetStoredCversion(tree.Root));
    }

    [Fact]
    public void Create_without_parent_changes_nothing()
    {
        using var tree = new DataTree();
        long before = tree.Digest;

        ErrorCode error = tree.Create("/a/b"u8, default, false, Open, 0, 1, new Zxid(1), 1, out ZnodeId id);

        Assert.Equal(ErrorCode.NoNode, error);
        Assert.True(id.IsNone);
        Assert.Equal(before, tree.Digest);
    }

    [Fact]
    public void Delete_missing_znode_still_raises_pzxid()
    {
        using var tree = new DataTree();

        Assert.Equal(ErrorCode.NoNode, tree.Delete("/gone"u8, new Zxid(8), out _));

        Assert.Equal(8, tree.GetPersisted(tree.Root).Pzxid);
        Assert.Equal(0, tree.GetStoredCversion(tree.Root));
        Assert.Equal(DigestOf(tree), tree.Digest);
    }

    [Fact]
    public void Delete_keeps_the_acl_readable_until_the_next_mutation()
    {
        using var tree = new DataTree();
        byte[] acl = Vector([new Acl(Permissions.Read, new AuthId("ip", "10.0.0.1"))]);
        tree.Create("/a"u8, default, false, acl, 0, -1, new Zxid(1), 1, out _);

        tree.Delete("/a"u8, new Zxid(2), out int deleted);

        Assert.Equal("10.0.0.1", tree.Acls.Entries(deleted)[0].Id.Id);
        Create(tree, "/b", zxid: 3);
        Assert.Throws<ArgumentOutOfRangeException>(() => tree.Acls.Entries(deleted));
    }

    [Fact]
    public void Delete_znode_with_children_removes_the_subtree()
    {
        using var tree = new DataTree();
        Create(tree, "/a", zxid: 1);
        Create(tree, "/a/b", zxid: 2);
        Create(tree, "/a/b/c", zxid: 3, owner: 77);
        Create(tree, "/a/d", zxid: 4);

        Assert.Equal(ErrorCode.Ok, tree.Delete("/a"u8, new Zxid(5), out _));

        Assert.Equal(4, tree.Count);
        Assert.Equal(0, tree.EphemeralCount);
        Assert.Equal(DigestOf(tree), tree.Digest);
    }

    [Fact]
    public void SetData_null_and_empty_differ()
    {
        using var tree = new DataTree();
        ZnodeId id = Create(tree, "/a", zxid: 1, data: "x"u8);

        tree.SetData("/a"u8, default, true, 1, new Zxid(2), 5, out _);
        Assert.True(tree.GetData(id, out bool isNull).IsEmpty);
        Assert.True(isNull);

        tree.SetData("/a"u8, default, false, 2, new Zxid(3), 6, out _);
        Assert.True(tree.GetData(id, out isNull).IsEmpty);
        Assert.False(isNull);
    }

    [Fact]
    public void SetAcl_changes_only_the_aversion()
    {
        using var tree = new DataTree();
        ZnodeId id = Create(tree, "/a", zxid: 1);
        StatPersisted before = tree.GetPersisted(id);

        Assert.Equal(ErrorCode.Ok, tree.SetAcl("/a"u8, ReadOnly, 1, out _));

        Assert.Equal(before with { Aversion = 1 }, tree.GetPersisted(id));
        Assert.Equal(DigestOf(tree), tree.Digest);
    }

    [Fact]
    public void Create_malformed_acl_throws_and_changes_nothing()
    {
        using var tree = new DataTree();

        Assert.Throws<CorruptDataException>(
            () => tree.Create("/a"u8, default, false, [0, 0, 0, 9], 0, 1, new Zxid(1), 1, out _));

        Assert.Equal(4, tree.Count);
        Assert.Equal(1371985504, tree.Digest);
    }

    [Fact]
    public void WriteStat_equals_GetStat()
    {
        using var tree = new DataTree { ExtendedTypesEnabled = true };
        Create(tree, "/e", zxid: 1, owner: 99, data: "abc"u8);
        Create(tree, "/c", zxid: 2, owner: long.MinValue);
        Create(tree, "/c/x", zxid: 3);
        Create(tree, "/t", zxid: 4, owner: unchecked((long)0xff00_0000_0000_03e8));
        tree.SetAcl("/c"u8, ReadOnly, 3, out _);
        foreach (string path in (string[])["/", "/e", "/c", "/c/x", "/t", "/zookeeper", "/zookeeper/config"])
        {
            ZnodeId id = tree.Find(Encoding.UTF8.GetBytes(path));
            using var output = new JuteBuffer();
            tree.WriteStat(id, output);
            var reader = new JuteReader(output.WrittenSpan);
            Assert.Equal(tree.GetStat(id), Stat.Read(ref reader));
        }
    }

    internal static byte[] Vector(IReadOnlyList<Acl> acl)
    {
        using var buffer = new JuteBuffer();
        Acl.WriteVector(buffer, acl);
        return buffer.WrittenSpan.ToArray();
    }

    internal static long DigestOf(DataTree tree)
    {
        long sum = 0;
        foreach (ZnodeId id in Walk(tree))
        {
            string path = tree.GetPath(id);
            if (!path.StartsWith("/zookeeper/", StringComparison.Ordinal))
                sum += Node(tree, id, path);
        }
        return sum;
    }

    internal static IEnumerable<ZnodeId> Walk(DataTree tree)
    {
        var open = new Stack<ZnodeId>([tree.Root]);
        while (open.TryPop(out ZnodeId id))
        {
            yield return id;
            for (ZnodeId child = tree.FirstChild(id); !child.IsNone; child = tree.NextSibling(child))
                open.Push(child);
        }
    }

    internal static ZnodeId Create(
        DataTree tree, string path, long zxid, ReadOnlySpan<byte> data = default, long owner = 0, long time = 1)
    {
        ErrorCode error = tree.Create(
            Encoding.UTF8.GetBytes(path), data, false, Open, owner, -1, new Zxid(zxid), time, out ZnodeId id);
        Assert.Equal(ErrorCode.Ok, error);
        return id;
    }

    private static uint Node(DataTree tree, ZnodeId id, string path) => TreeDigest.OfNode(
        path == "/" ? default : Encoding.UTF8.GetBytes(path), tree.GetData(id, out _), tree.GetPersisted(id));
}
