using System.Text;
using SharpKeeper.Core;
using SharpKeeper.Core.Tree;
using SharpKeeper.Protocol;

namespace SharpKeeper.TreeTests;

public class ZnodeStoreTests
{
    [Fact]
    public void Blocks_hold_what_was_asked_for_and_come_back()
    {
        var random = new Random(3);
        using var blocks = new BlockAllocator();
        var held = new List<(nint Block, int Length, byte Fill)>();
        for (int i = 0; i < 20_000; i++)
        {
            if (held.Count > 0 && random.Next(5) < 2)
                GiveBack(blocks, held, random.Next(held.Count));
            else
                Take(blocks, held, (int)Math.Pow(2, random.NextDouble() * 17), (byte)i);
        }
        Assert.Equal(held.Count, blocks.BlockCount);
        while (held.Count > 0)
            GiveBack(blocks, held, held.Count - 1);
        Assert.Equal(0, blocks.BlockCount);
        Assert.Equal(0, blocks.UsedBytes);
    }

    [Fact]
    public void Blocks_waste_at_most_an_eighth()
    {
        using var blocks = new BlockAllocator();
        for (int length = 1; length < 200_000; length += length < 3000 ? 1 : 97)
        {
            long before = blocks.UsedBytes;
            Allocate(blocks, length);
            long taken = blocks.UsedBytes - before;
            Assert.InRange(taken, length, length + Math.Max(7, length / 8));
        }
    }

    [Theory]
    [InlineData(0xffff_ffffu)]
    [InlineData(0x0000_000fu)]
    [InlineData(0xf000_0000u)]
    [InlineData(0u)]
    public void Index_finds_all_entries_whatever_the_hashes(uint mask)
    {
        // With few distinct hashes chains get long, so fewer entries keep the test short.
        int count = mask == uint.MaxValue ? 200_000 : 3000;
        using var index = new PathIndex();
        var random = new Random(5);
        var hashes = new uint[count + 1];
        for (uint id = 1; id <= count; id++)
            index.Add(hashes[id] = (uint)random.NextInt64() & mask, id);
        for (uint id = 1; id <= count; id += 2)
            index.Remove(hashes[id], id);
        for (uint id = 1; id <= count; id++)
            Assert.Equal(id % 2 == 0, Holds(index, hashes[id], id));
    }

    [Fact]
    public void Hash_of_a_path_follows_from_its_parent_and_name()
    {
        var hash = new PathHash(9);
        Assert.True(hash.TryHash("/app/数据/a-very-long-name-that-takes-several-words"u8, out uint whole));

        uint step = hash.Child(hash.Root, "app"u8);
        step = hash.Child(step, "数据"u8);
        step = hash.Child(step, "a-very-long-name-that-takes-several-words"u8);

        Assert.Equal(whole, step);
        Assert.True(new PathHash(10).TryHash("/app"u8, out uint other));
        Assert.NotEqual(hash.Child(hash.Root, "app"u8), other);
    }

    [Fact]
    public void Hash_collides_no_more_than_chance()
    {
        var hash = new PathHash(1);
        var seen = new HashSet<uint>();
        for (int i = 0; i < 200_000; i++)
            seen.Add(hash.Child(hash.Root, Encoding.ASCII.GetBytes($"node-{i:0000000000}")));

        // Chance makes about 4.7 collisions.
        Assert.InRange(seen.Count, 200_000 - 25, 200_000);
    }

    [Fact]
    public void Deep_path_is_found_measured_walked_and_deleted()
    {
        const int depth = 5000;
        using var tree = new DataTree();
        var path = new StringBuilder();
        for (int i = 0; i < depth; i++)
            DataTreeTests.Create(tree, path.Append("/d").ToString(), zxid: i + 1);
        byte[] deepest = Encoding.UTF8.GetBytes(path.ToString());
        tree.LastProcessed = new Zxid(depth);

        Assert.Equal(path.ToString(), tree.GetPath(tree.Find(deepest)));
        Assert.Equal(depth - 1, tree.CountDescendants(tree.Find("/d"u8)));
        using (SnapshotCursor cursor = tree.BeginSnapshot())
        {
            while (cursor.MoveNext(out _))
            {
            }
            Assert.True(cursor.Path.SequenceEqual(deepest));
        }
        tree.Delete("/d"u8, new Zxid(depth + 1), out _);
        Assert.Equal(4, tree.Count);
    }

    [Fact]
    public void Wide_parent_keeps_children_in_order_of_creation()
    {
        const int width = 50_000;
        using var tree = new DataTree(77);
        DataTreeTests.Create(tree, "/p", zxid: 1);
        for (int i = 0; i < width; i++)
            DataTreeTests.Create(tree, $"/p/{i}", zxid: i + 2);
        for (int i = 0; i < width; i += 3)
            tree.Delete(Encoding.UTF8.GetBytes($"/p/{i}"), new Zxid(width + i), out _);

        int expected = 0;
        for (ZnodeId at = tree.FirstChild(tree.Find("/p"u8)); !at.IsNone; at = tree.NextSibling(at))
        {
            expected += expected % 3 == 2 ? 2 : 1;
            Assert.True(tree.GetName(at).SequenceEqual(Encoding.UTF8.GetBytes($"{expected}")));
        }
        Assert.Equal(width - (width + 2) / 3, tree.GetChildCount(tree.Find("/p"u8)));
    }

    [Theory]
    [InlineData(65_534)]
    [InlineData(65_535)]
    [InlineData(200_000)]
    public void Long_name_and_changing_data_stay_apart(int length)
    {
        string path = "/" + new string('x', length);
        byte[] bytes = Encoding.UTF8.GetBytes(path);
        using var tree = new DataTree();
        ZnodeId id = DataTreeTests.Create(tree, path, zxid: 1, data: "first"u8);
        Assert.True(tree.GetData(id, out _).SequenceEqual("first"u8));
        foreach (int size in (int[])[0, 1, 100, 5_000_000, 3])
        {
            byte[] data = Encoding.UTF8.GetBytes(new string('d', size));
            tree.SetData(bytes, data, false, 1, new Zxid(2), 1, out _);
            Assert.True(tree.GetData(id, out _).SequenceEqual(data));
            Assert.Equal(path, tree.GetPath(tree.Find(bytes)));
        }
        Assert.Equal(DataTreeTests.DigestOf(tree), tree.Digest);
    }

    [Fact]
    public void SetData_from_the_znodes_own_data_works()
    {
        using var tree = new DataTree();
        ZnodeId id = DataTreeTests.Create(tree, "/a", zxid: 1, data: "0123456789"u8);

        tree.SetData("/a"u8, tree.GetData(id, out _)[2..], false, 1, new Zxid(2), 1, out _);
        Assert.True(tree.GetData(id, out _).SequenceEqual("23456789"u8));
        tree.SetData("/a"u8, tree.GetData(id, out _)[7..], false, 1, new Zxid(2), 1, out _);
        Assert.True(tree.GetData(id, out _).SequenceEqual("9"u8));
    }

#if DEBUG
    [Fact]
    public void Debug_build_catches_the_use_of_a_deleted_znode()
    {
        using var tree = new DataTree();
        ZnodeId id = DataTreeTests.Create(tree, "/a", zxid: 1);
        tree.Delete("/a"u8, new Zxid(2), out _);

        Assert.Throws<InvariantException>(() => tree.GetStat(id));
        Assert.Throws<InvariantException>(() => tree.GetStat(ZnodeId.None));
    }
#endif

    private static unsafe void Allocate(BlockAllocator blocks, int length) => blocks.Allocate(length);

    private static unsafe void Take(
        BlockAllocator blocks, List<(nint Block, int Length, byte Fill)> held, int length, byte fill)
    {
        byte* block = blocks.Allocate(length);
        new Span<byte>(block, length).Fill(fill);
        held.Add(((nint)block, length, fill));
    }

    private static unsafe void GiveBack(
        BlockAllocator blocks, List<(nint Block, int Length, byte Fill)> held, int at)
    {
        (nint block, int length, byte fill) = held[at];
        Assert.False(new Span<byte>((void*)block, length).ContainsAnyExcept(fill));
        blocks.Free((byte*)block, length);
        held[at] = held[^1];
        held.RemoveAt(held.Count - 1);
    }

    private static bool Holds(PathIndex index, uint hash, uint id)
    {
        PathIndex.Probe probe = index.Search(hash);
        for (uint found = probe.Next(); found != 0; found = probe.Next())
        {
            if (found == id)
                return true;
        }
        return false;
    }
}
