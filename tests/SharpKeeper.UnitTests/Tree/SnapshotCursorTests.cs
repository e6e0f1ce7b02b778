using System.Text;
using CsCheck;
using SharpKeeper.Core.Tree;
using SharpKeeper.Protocol;

namespace SharpKeeper.TreeTests;

public class SnapshotCursorTests
{
    private static readonly byte[][] Lists =
    [
        DataTreeTests.Vector(Acl.OpenUnsafe),
        DataTreeTests.Vector(Acl.ReadUnsafe),
        DataTreeTests.Vector([new Acl(Permissions.All, new AuthId("ip", "127.0.0.1"))]),
        DataTreeTests.Vector([new Acl(Permissions.Read, new AuthId("ip", "127.0.0.2"))]),
    ];

    private static readonly Gen<Step> GenStep = Gen.Select(
        Gen.Int[0, 11], Gen.Int[0, 4].Array[1, 4], Gen.Int[0, 60], Gen.Int[0, 3], Gen.Int[0, 3],
        (kind, parts, length, acl, owner) => new Step(
            kind, string.Concat(parts.Select(part => "/" + (char)('a' + part))), length, acl, owner));

    [Fact]
    public void Walk_of_a_still_tree_is_in_pre_order()
    {
        using DataTree tree = Small();
        using SnapshotCursor cursor = tree.BeginSnapshot();

        Assert.Equal(["", "/zookeeper", "/zookeeper/quota", "/zookeeper/config", "/a", "/a/b", "/a/b/c", "/a/d", "/e"],
            Rest(tree, cursor));
    }

    [Fact]
    public void Znodes_created_since_are_passed_over_with_all_below()
    {
        using DataTree tree = Small();
        using SnapshotCursor cursor = tree.BeginSnapshot();
        DataTreeTests.Create(tree, "/a/young", zxid: 10);
        DataTreeTests.Create(tree, "/a/young/x", zxid: 11);
        DataTreeTests.Create(tree, "/e/x", zxid: 12);

        Assert.Equal(["", "/zookeeper", "/zookeeper/quota", "/zookeeper/config", "/a", "/a/b", "/a/b/c", "/a/d", "/e"],
            Rest(tree, cursor));
    }

    [Fact]
    public void Deleting_the_next_znode_moves_on()
    {
        using DataTree tree = Small();
        using SnapshotCursor cursor = tree.BeginSnapshot();
        while (cursor.MoveNext(out _) && !cursor.Path.SequenceEqual("/a"u8))
        {
        }
        tree.Delete("/a/b"u8, new Zxid(10), out _);

        Assert.Equal("/a", Encoding.UTF8.GetString(cursor.Path));
        Assert.Equal(["/a/d", "/e"], Rest(tree, cursor));
    }

    [Fact]
    public void Deleting_the_last_subtree_ends_the_walk()
    {
        using DataTree tree = Small();
        using SnapshotCursor cursor = tree.BeginSnapshot();
        while (cursor.MoveNext(out _) && !cursor.Path.SequenceEqual("/a/d"u8))
        {
        }
        tree.Delete("/e"u8, new Zxid(10), out _);
        DataTreeTests.Create(tree, "/e", zxid: 11);

        Assert.Empty(Rest(tree, cursor));
    }

    [Fact]
    public void Acl_changed_since_is_reported_as_it_was()
    {
        using DataTree tree = Small();
        tree.SetAcl("/e"u8, Lists[2], 1, out ZnodeId id);
        int before = tree.GetAclId(id);
        using SnapshotCursor cursor = tree.BeginSnapshot();
        tree.SetAcl("/e"u8, Lists[1], 2, out _);
        tree.SetAcl("/e"u8, Lists[0], 3, out _);
        tree.SetAcl("/a"u8, Lists[3], 1, out _);

        while (cursor.MoveNext(out _) && !cursor.Path.SequenceEqual("/e"u8))
        {
        }
        Assert.Equal(before, cursor.AclId);
        Assert.True(cursor.Acls.Single(pair => pair.Key == before).Value.Span.SequenceEqual(Lists[2]));
    }

    [Fact]
    public void Budget_ends_a_slice_among_young_znodes_and_the_next_goes_on()
    {
        using DataTree tree = Small();
        using SnapshotCursor cursor = tree.BeginSnapshot();
        for (int i = 0; i < 100; i++)
            DataTreeTests.Create(tree, $"/a/b/c/{i}", zxid: 10 + i);
        int empty = 0;
        var paths = new List<string>();
        for (int budget = 10; cursor.MoveNext(ref budget, out ZnodeId id); budget = 10)
        {
            if (id.IsNone)
                empty++;
            else
                paths.Add(Encoding.UTF8.GetString(cursor.Path));
        }

        Assert.InRange(empty, 9, 11);
        Assert.Equal("/e", paths[^1]);
        Assert.Equal(9, paths.Count);
    }

    [Fact]
    public void Loaded_znodes_are_met_even_if_newer_than_the_last_transaction()
    {
        using DataTree tree = DataTree.CreateEmptyForLoad(1);
        tree.LoadNode(default, default, false, -1, default);
        tree.LoadNode("/late"u8, default, false, -1, default(StatPersisted) with { Czxid = 50, Pzxid = 50 });
        tree.FinishLoad();
        tree.LastProcessed = new Zxid(40);
        using SnapshotCursor cursor = tree.BeginSnapshot();

        Assert.Equal(["", "/late"], Rest(tree, cursor));
    }

    // The log from the snapshot's start, replayed on what the cursors met, must give the living tree.
    [Fact]
    public void Replay_on_a_fuzzy_snapshot_gives_the_living_tree() =>
        GenStep.Array[1, 300].Sample(
            steps =>
            {
                using var tree = new DataTree(3) { ExtendedTypesEnabled = true };
                tree.Create("/zookeeper/quota/a"u8, default, false, Lists[0], 0, -1, new Zxid(1), 1, out _);
                tree.Create("/zookeeper/quota/a/zookeeper_limits"u8, "count=9,bytes=9"u8, false, Lists[0], 0, -1,
                    new Zxid(2), 1, out _);
                tree.Create("/zookeeper/quota/a/zookeeper_stats"u8, "x"u8, false, Lists[0], 0, -1, new Zxid(3), 1, out _);
                tree.LastProcessed = new Zxid(3);
                var log = new List<(long Zxid, Action<DataTree> Apply)>();
                var walks = new List<(SnapshotCursor Cursor, SnapshotImage Image)>();
                long zxid = 3;
                foreach (Step step in steps)
                {
                    if (step.Kind >= 10 && walks.Count < 4)
                        walks.Add(Begin(tree));
                    else if (step.Kind == 9 || walks.Count == 0)
                        walks.ForEach(walk => Take(walk, tree, step.Length / 4));
                    if (step.AsTxn(tree, zxid + 1) is { } txn)
                    {
                        txn(tree);
                        zxid++;
                        tree.LastProcessed = new Zxid(zxid);
                        log.Add((zxid, txn));
                    }
                }
                foreach ((SnapshotCursor cursor, SnapshotImage image) in walks)
                {
                    while (image.Take(tree, cursor))
                    {
                    }
                    using DataTree replayed = image.Load();
                    foreach ((long at, Action<DataTree> apply) in log)
                    {
                        if (at > cursor.Start.Value)
                            apply(replayed);
                    }
                    TreeAssert.Same(tree, replayed);
                    cursor.Dispose();
                }
            },
            iter: 150, threads: 1, print: steps => string.Join("\n", steps.Select(step => step.ToString())));

    private static (SnapshotCursor, SnapshotImage) Begin(DataTree tree)
    {
        SnapshotCursor cursor = tree.BeginSnapshot();
        return (cursor, new SnapshotImage(cursor));
    }

    private static void Take((SnapshotCursor Cursor, SnapshotImage Image) walk, DataTree tree, int count)
    {
        for (int i = 0; i < count && walk.Image.Take(tree, walk.Cursor, budget: 3); i++)
        {
        }
    }

    private static DataTree Small()
    {
        var tree = new DataTree();
        string[] paths = ["/a", "/a/b", "/a/b/c", "/a/d", "/e"];
        for (int i = 0; i < paths.Length; i++)
            DataTreeTests.Create(tree, paths[i], zxid: i + 1);
        tree.LastProcessed = new Zxid(paths.Length);
        return tree;
    }

    private static List<string> Rest(DataTree tree, SnapshotCursor cursor)
    {
        var image = new SnapshotImage(cursor);
        while (image.Take(tree, cursor))
        {
        }
        return [.. image.Paths];
    }

    private sealed record Step(int Kind, string Path, int Length, int AclIndex, int Owner)
    {
        /// <summary>The transaction a leader would log, or null where it would refuse.</summary>
        public Action<DataTree>? AsTxn(DataTree tree, long number)
        {
            byte[] path = Encoding.UTF8.GetBytes(Path);
            ZnodeId id = tree.Find(path);
            var zxid = new Zxid(number);
            byte[] data = Encoding.UTF8.GetBytes(new string('d', Length));
            if (Kind <= 4)
                return AsCreate(tree, path, data, id, zxid);
            if (id.IsNone || (Kind <= 6 && tree.GetChildCount(id) > 0))
                return null;
            StatPersisted stat = tree.GetPersisted(id);
            return Kind switch
            {
                5 or 6 => on => on.Delete(path, zxid, out _),
                7 => on => on.SetData(path, data, false, stat.Version + 1, zxid, number, out _),
                _ => on => on.SetAcl(path, Lists[AclIndex], stat.Aversion + 1, out _),
            };
        }

        private Action<DataTree>? AsCreate(DataTree tree, byte[] path, byte[] data, ZnodeId there, Zxid zxid)
        {
            ZnodeId parent = tree.Find(path.AsSpan(0, Math.Max(1, path.AsSpan().LastIndexOf((byte)'/'))));
            if (!there.IsNone || parent.IsNone || tree.KindOf(parent) == NodeKind.Ephemeral)
                return null;
            int cversion = tree.GetStoredCversion(parent) + 1;
            long owner = Owner switch { 1 => 77, 2 => long.MinValue, _ => 0 };
            return on => on.Create(path, data, false, Lists[AclIndex], owner, cversion, zxid, zxid.Value, out _);
        }
    }
}
