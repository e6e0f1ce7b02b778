using System.Text;
using CsCheck;
using SharpKeeper.Core.Tree;
using SharpKeeper.Protocol;

namespace SharpKeeper.TreeTests;

/// <summary>Random transactions against the tree and against plain dictionaries.</summary>
public class DataTreeModelTests
{
    private const long Ttl = unchecked((long)0xff00_0000_0000_2710);

    private static readonly string[] Names =
        ["a", "b", "c", "worker-0000000017", "数据", "naïve", "zookeeper", new string('n', 300)];

    private static readonly string[] QuotaPaths =
    [
        "/zookeeper/quota/a", "/zookeeper/quota/a/zookeeper_limits", "/zookeeper/quota/a/zookeeper_stats",
        "/zookeeper/quota/a/b", "/zookeeper/quota/a/b/zookeeper_limits", "/zookeeper/quota/a/b/zookeeper_stats",
        "/zookeeper/quota/zookeeper_limits", "/", "/zookeeper/quota",
    ];

    private static readonly string[] Texts = ["count=5,bytes=100", "count=7,bytes=-1=;byteHardLimit=9;countHardLimit=", "?"];

    private static readonly long[] Owners = [0, 0, 0, 11, 11, 12, ModelTree.Container, Ttl];

    private static readonly byte[][] Lists =
    [
        DataTreeTests.Vector(Acl.OpenUnsafe),
        DataTreeTests.Vector(Acl.ReadUnsafe),
        DataTreeTests.Vector([new Acl(Permissions.All, new AuthId("ip", "127.0.0.1"))]),
        DataTreeTests.Vector([new Acl(Permissions.All, new AuthId("digest", "u:h")), Acl.ReadUnsafe[0]]),
    ];

    private static readonly Gen<string> GenPath = Gen.Frequency(
        (6, Gen.Int[0, Names.Length - 1].Array[1, 4].Select(parts => string.Concat(parts.Select(i => "/" + Names[i])))),
        (2, Gen.Int[0, QuotaPaths.Length - 1].Select(i => QuotaPaths[i])));

    private static readonly Gen<byte[]?> GenData = Gen.Frequency(
        (1, Gen.Const((byte[]?)null)),
        (2, Gen.Int[0, Texts.Length - 1].Select(i => (byte[]?)Encoding.UTF8.GetBytes(Texts[i]))),
        (6, Gen.Int[0, 200].Select(Filled)),
        (1, Gen.Int[900, 1200].Select(Filled)),
        (1, Gen.Int[60_000, 140_000].Select(Filled)));

    private static readonly Gen<Op> GenOp = Gen.Select(
        Gen.Int[0, 9], GenPath, GenData, Gen.Int[0, Lists.Length - 1], Gen.Int[0, Owners.Length - 1], Gen.Int[-1, 6],
        (kind, path, data, acl, owner, version) => new Op(kind, path, data, Lists[acl], Owners[owner], version));

    [Fact]
    public void Random_transactions_give_the_tree_of_the_model() =>
        GenOp.Array[1, 150].Sample(
            ops =>
            {
                using var tree = new DataTree(hashSeed: 5) { ExtendedTypesEnabled = true };
                var model = new ModelTree();
                long zxid = 0;
                foreach (Op op in ops)
                {
                    zxid++;
                    Assert.Equal(op.ApplyTo(model, zxid), op.ApplyTo(tree, zxid));
                    Assert.Equal(DataTreeTests.DigestOf(tree), tree.Digest);
                }
                AssertEqual(model, tree);
            },
            iter: 150, threads: 1, print: Print);

    [Fact]
    public void Loading_what_a_walk_gives_makes_the_same_tree() =>
        GenOp.Array[1, 150].Sample(
            ops =>
            {
                using var tree = new DataTree(hashSeed: 5) { ExtendedTypesEnabled = true };
                for (int i = 0; i < ops.Length; i++)
                    ops[i].ApplyTo(tree, i + 1);
                tree.LastProcessed = new Zxid(ops.Length);
                using SnapshotCursor cursor = tree.BeginSnapshot();
                var image = new SnapshotImage(cursor);
                while (image.Take(tree, cursor))
                {
                }
                using DataTree loaded = image.Load();
                TreeAssert.Same(tree, loaded, withQuotaCounts: false);
            },
            iter: 100, threads: 1, print: Print);

    [Fact]
    public void Deleting_everything_gives_all_blocks_back() =>
        GenOp.Array[1, 150].Sample(
            ops =>
            {
                using var tree = new DataTree(hashSeed: 5) { ExtendedTypesEnabled = true };
                long bytesBefore = tree.BlockBytes;
                for (int i = 0; i < ops.Length; i++)
                {
                    if (ops[i].Path is not ("/" or "/zookeeper" or "/zookeeper/quota"))
                        ops[i].ApplyTo(tree, i + 1);
                }
                DeleteChildren(tree, "/", ops.Length + 1);
                DeleteChildren(tree, "/zookeeper", ops.Length + 1);
                DeleteChildren(tree, "/zookeeper/quota", ops.Length + 1);

                Assert.Equal(4, tree.Count);
                Assert.Equal(44, tree.ApproximateDataBytes);
                Assert.Equal(bytesBefore, tree.BlockBytes);
                Assert.Equal(0, tree.EphemeralCount + tree.ContainerCount + tree.TtlCount);
                tree.SetAcl("/"u8, Lists[0], 0, out _);
                Assert.Equal(1, tree.Acls.Count);
            },
            iter: 100, threads: 1, print: Print);

    private static void DeleteChildren(DataTree tree, string parent, long zxid)
    {
        ZnodeId top = tree.Find(Encoding.UTF8.GetBytes(parent));
        for (ZnodeId child = tree.FirstChild(top); !child.IsNone;)
        {
            string path = tree.GetPath(child);
            child = tree.NextSibling(child);
            if (path is not ("/zookeeper" or "/zookeeper/quota" or "/zookeeper/config"))
                Assert.Equal(ErrorCode.Ok, tree.Delete(Encoding.UTF8.GetBytes(path), new Zxid(zxid), out _));
        }
    }

    private static byte[]? Filled(int length)
    {
        var bytes = new byte[length];
        for (int i = 0; i < length; i++)
            bytes[i] = (byte)(i * 7 + length);
        return bytes;
    }

    private static string Print(Op[] ops) => string.Join("\n", ops.Select(op => op.ToString()));

    private static void AssertEqual(ModelTree model, DataTree tree)
    {
        Assert.Equal(model.Znodes.Count, tree.Count);
        long size = 0;
        foreach ((string path, ModelTree.Znode expected) in model.Znodes)
        {
            AssertEqual(path, expected, tree);
            size += path.Length + (expected.Data?.Length ?? 0);
            Assert.Equal(Descendants(model, path), tree.CountDescendants(tree.Find(Encoding.UTF8.GetBytes(path))));
            AssertQuota(model, tree, path);
        }
        Assert.Equal(size, tree.ApproximateDataBytes);
        AssertOwners(model, tree);
    }

    private static void AssertEqual(string path, ModelTree.Znode expected, DataTree tree)
    {
        ZnodeId id = tree.Find(Encoding.UTF8.GetBytes(path));
        Assert.False(id.IsNone);
        Assert.Equal(path, tree.GetPath(id));
        Assert.Equal(expected.Stat, tree.GetPersisted(id));
        Assert.True(tree.GetData(id, out bool isNull).SequenceEqual(expected.Data));
        Assert.Equal(expected.Data is null, isNull);
        Assert.True(tree.Acls.Encoded(tree.GetAclId(id)).SequenceEqual(expected.Acl));
        var names = new List<string>();
        for (ZnodeId child = tree.FirstChild(id); !child.IsNone; child = tree.NextSibling(child))
        {
            names.Add(Encoding.UTF8.GetString(tree.GetName(child)));
            Assert.Equal(id, tree.Parent(child));
        }
        Assert.Equal(expected.Children, names);
        Stat stat = tree.GetStat(id);
        Assert.Equal(names.Count, stat.NumChildren);
        Assert.Equal(2 * expected.Cversion - names.Count, stat.Cversion);
        Assert.Equal(expected.Owner > 0 ? expected.Owner : 0, stat.EphemeralOwner);
        Assert.Equal(expected.Data?.Length ?? 0, stat.DataLength);
    }

    private static long Descendants(ModelTree model, string path) => path == "/"
        ? model.Znodes.Count - 1
        : model.Measure(path).Count - 1;

    private static void AssertQuota(ModelTree model, DataTree tree, string path)
    {
        QuotaUsage? usage = tree.FindQuota(Encoding.UTF8.GetBytes(path));
        Assert.Equal(model.QuotaOf(path), usage?.Path);
        if (usage is null)
            return;
        string below = "/zookeeper/quota" + usage.Path;
        Assert.Equal(QuotaLimits.Parse(model.Znodes[below + "/zookeeper_limits"].Data), usage.Limits);
        model.Znodes.TryGetValue(below + "/zookeeper_stats", out ModelTree.Znode? stats);
        QuotaLimits counted = QuotaLimits.Parse(stats?.Data);
        Assert.Equal((counted.Count, counted.Bytes), (usage.Count, usage.Bytes));
    }

    private static void AssertOwners(ModelTree model, DataTree tree)
    {
        foreach (long session in (long[])[11, 12])
        {
            string[] expected = PathsOf(model, session);
            var actual = new List<string>();
            tree.CollectEphemerals(session, actual);
            Assert.Equal(expected, actual);
            Assert.Equal(expected.Length, tree.EphemeralCountOf(session));
            Assert.Equal(expected.Length > 0, tree.EphemeralOwners.Contains(session));
        }
        var containers = new List<ZnodeId>();
        tree.CollectContainers(containers);
        Assert.Equal(PathsOf(model, ModelTree.Container), containers.Select(tree.GetPath).Order(StringComparer.Ordinal));
        var ttls = new List<ZnodeId>();
        tree.CollectTtls(ttls);
        Assert.Equal(PathsOf(model, Ttl), ttls.Select(tree.GetPath).Order(StringComparer.Ordinal));
    }

    private static string[] PathsOf(ModelTree model, long owner) =>
        [.. model.Znodes.Where(pair => pair.Value.Owner == owner).Select(pair => pair.Key).Order(StringComparer.Ordinal)];

    private sealed record Op(int Kind, string Path, byte[]? Data, byte[] Acl, long Owner, int Version)
    {
        public ErrorCode ApplyTo(ModelTree model, long zxid) => Kind switch
        {
            <= 4 => model.Create(Path, Data, Acl, Owner, Version, zxid, zxid * 10),
            5 or 6 => model.Delete(Path, zxid),
            7 => model.SetAcl(Path, Acl, Version),
            _ => model.SetData(Path, Data, Version, zxid, zxid * 10),
        };

        public ErrorCode ApplyTo(DataTree tree, long zxid)
        {
            byte[] path = Encoding.UTF8.GetBytes(Path);
            return Kind switch
            {
                <= 4 => tree.Create(path, Data, Data is null, Acl, Owner, Version, new Zxid(zxid), zxid * 10, out _),
                5 or 6 => tree.Delete(path, new Zxid(zxid), out _),
                7 => tree.SetAcl(path, Acl, Version, out _),
                _ => tree.SetData(path, Data, Data is null, Version, new Zxid(zxid), zxid * 10, out _),
            };
        }

        public override string ToString() => $"{Kind} {Path} {Data?.Length} {Acl.Length} {Owner} {Version}";
    }
}
