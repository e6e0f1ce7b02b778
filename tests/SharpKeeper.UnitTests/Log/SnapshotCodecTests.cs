using System.Buffers.Binary;
using System.Globalization;
using SharpKeeper.Core;
using SharpKeeper.Core.Log;
using SharpKeeper.Core.Transactions;
using SharpKeeper.Core.Tree;
using SharpKeeper.Protocol;

namespace SharpKeeper.LogTests;

public class SnapshotCodecTests
{
    private static readonly RecoveryOptions Options = new() { ExtendedTypesEnabled = true };

    public static TheoryData<int> Seeds() => [.. Enumerable.Range(1, 100)];

    [Fact]
    public void Reader_finds_the_parts_that_another_decoder_found()
    {
        foreach (string directory in ApacheFixture.Directories)
        {
            MemoryStorageDevice device = ApacheFixture.Load(directory);
            foreach (var expected in ApacheFixture.Expected(directory).GetProperty("snapshots").EnumerateArray())
            {
                string name = expected.GetProperty("file").GetString()!.Replace(".gz", "", StringComparison.Ordinal);
                (int sessions, int acls, int nodes, SnapshotTail tail) = Count(device.Get(StorageArea.Snapshots, name));
                Assert.Equal(expected.GetProperty("sessions").GetInt32(), sessions);
                Assert.Equal(expected.GetProperty("aclIds").GetInt32(), acls);
                Assert.Equal(expected.GetProperty("nodes").GetInt32(), nodes);
                Assert.Equal(expected.GetProperty("seals").GetArrayLength(), tail.Seals);
                Assert.Equal(expected.GetProperty("digestZxid").GetString(), tail.DigestZxid.ToString());
                Assert.Equal(expected.GetProperty("digest").GetInt64(), tail.Digest!.Value.TreeDigest);
                Assert.Null(tail.LastProcessed);
            }
        }
    }

    [Fact]
    public void Recorded_snapshots_written_again_hold_the_same_in_the_same_order()
    {
        MemoryStorageDevice device = ApacheFixture.Load("standalone");
        foreach (SnapshotFile file in StorageListing.Snapshots(device))
        {
            byte[] original = device.Get(StorageArea.Snapshots, file.Name);
            using DataTree tree = Load(original, out SessionTimeouts sessions);
            tree.LastProcessed = file.Zxid;
            byte[] written = Write(tree, sessions, 1 << 20);
            Assert.Equal(Nodes(original), Nodes(written));
            Assert.Equal(written, Write(tree, sessions, 1));
        }
    }

    [Fact]
    public void Snapshot_of_a_fresh_tree_is_Apaches_but_for_the_order_of_siblings_and_the_digest()
    {
        byte[] original = ApacheFixture.Load("standalone").Get(StorageArea.Snapshots, "snapshot.0");
        using var tree = new DataTree();
        byte[] written = Write(tree, new SessionTimeouts(), 4096);
        Assert.Equal(original.Length, written.Length);
        Assert.Equal(Nodes(original).Order(), Nodes(written).Order());
        // Apache writes 0 before it has computed a digest.
        Assert.Equal(
            TreeDigest.OfFreshTree, BinaryPrimitives.ReadInt64BigEndian(written.AsSpan(written.Length - 13 - 8)));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Reader_takes_one_two_or_three_checksums(int seals)
    {
        using var tree = new DataTree();
        tree.LastProcessed = new Zxid(9);
        byte[] two = Write(tree, new SessionTimeouts(), 4096);
        byte[] file = seals switch
        {
            1 => two[..^33],
            3 => [.. two, .. LastPart(two, 9)],
            _ => two,
        };
        using var reader = new SnapshotReader(new PieceReader(file, 3));
        Skip(reader);
        SnapshotTail tail = reader.ReadTail();
        Assert.Equal(seals, tail.Seals);
        Assert.Equal(seals == 3 ? new Zxid(9) : null, tail.LastProcessed);
        Assert.Equal(seals > 1, tail.Digest is not null);
    }

    [Fact]
    public void Reader_takes_a_last_transaction_without_a_digest()
    {
        using var tree = new DataTree();
        byte[] one = Write(tree, new SessionTimeouts(), 4096)[..^33];
        using var reader = new SnapshotReader(new PieceReader([.. one, .. LastPart(one, 5)]));
        Skip(reader);
        SnapshotTail tail = reader.ReadTail();
        Assert.Equal((2, null, new Zxid(5)), (tail.Seals, tail.Digest, tail.LastProcessed));
    }

    [Fact]
    public void Reader_refuses_every_cut_but_those_behind_a_checksum()
    {
        byte[] file = ApacheFixture.Load("standalone").Get(StorageArea.Snapshots, "snapshot.2d");
        for (int length = 0; length < file.Length; length += length < file.Length - 100 ? 37 : 1)
        {
            byte[] cut = file[..length];
            if (length == file.Length - 33)
                Load(cut, out _).Dispose();
            else
                Assert.Throws<CorruptDataException>(() => Load(cut, out _));
        }
    }

    [Fact]
    public void Reader_refuses_every_flipped_bit()
    {
        byte[] file = ApacheFixture.Load("standalone").Get(StorageArea.Snapshots, "snapshot.2d");
        // The unused database id is covered by the checksum as well.
        for (int bit = 0; bit < file.Length * 8; bit += 97)
        {
            byte[] flipped = [.. file];
            flipped[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.Throws<CorruptDataException>(() => Load(flipped, out _));
        }
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Mutated_real_snapshots_are_read_without_a_crash(int seed)
    {
        MemoryStorageDevice device = ApacheFixture.Load("standalone");
        var random = new Random(seed);
        foreach (SnapshotFile file in StorageListing.Snapshots(device))
        {
            byte[] mutated = Mutation.Of(device.Get(StorageArea.Snapshots, file.Name), random);
            var pieces = new PieceReader(mutated, random.Next(1, 5000));
            try
            {
                SnapshotLoad.Load(pieces, Options).Tree.Dispose();
            }
            catch (CorruptDataException)
            {
                // The expected end of nearly all of them.
            }
            Assert.True(pieces.OfferedMax <= 1 << 20, $"{pieces.OfferedMax} bytes were offered");
        }
    }

    [Fact]
    public void Znode_with_an_acl_that_the_snapshot_lacks_is_closed_to_everybody()
    {
        using var tree = new DataTree();
        tree.Create("/a"u8, "x"u8, false, LogImage.Encode([new(Permissions.Read, AuthId.Anyone)]), 0, 1, new Zxid(1), 0,
            out _);
        tree.SetAcl("/zookeeper/config"u8, LogImage.OpenAcl, 0, out _);
        tree.LastProcessed = new Zxid(1);
        byte[] file = Write(tree, new SessionTimeouts(), 4096);
        // Renames the only ACL of the table, so that the znode's id leads nowhere, and mends the checksums.
        BinaryPrimitives.WriteInt64BigEndian(file.AsSpan(24), 1000);
        Reseal(file);
        SnapshotLoad load = SnapshotLoad.Load(new PieceReader(file), Options);
        using DataTree loaded = load.Tree;
        Assert.Equal(1, load.MissingAcls);
        Acl only = Assert.Single(loaded.Acls.Entries(loaded.GetAclId(loaded.Find("/a"u8))));
        Assert.Equal(Permissions.None, only.Permissions);
    }

    [Fact]
    public void Writer_keeps_to_the_size_of_a_slice()
    {
        using DataTree tree = Load(
            ApacheFixture.Load("standalone").Get(StorageArea.Snapshots, "snapshot.d2"), out SessionTimeouts sessions);
        using var writer = new SnapshotWriter(tree, sessions.ToArray());
        using var buffer = new JuteBuffer();
        bool more = true;
        int slices = 0;
        while (more)
        {
            buffer.Clear();
            more = writer.WriteSlice(buffer, 1000);
            // The largest znode of the recording holds 5,000 bytes.
            Assert.InRange(buffer.Length, 1, 6200);
            slices++;
        }
        Assert.True(slices > 10);
        Assert.Equal(tree.Count, writer.Nodes);
    }

    internal static byte[] Write(DataTree tree, SessionTimeouts sessions, int sliceBytes)
    {
        using var writer = new SnapshotWriter(tree, sessions.ToArray());
        using var buffer = new JuteBuffer();
        while (writer.WriteSlice(buffer, sliceBytes))
        {
        }
        Assert.Equal(buffer.Length, writer.Bytes);
        return buffer.WrittenSpan.ToArray();
    }

    internal static DataTree Load(byte[] file, out SessionTimeouts sessions)
    {
        SnapshotLoad load = SnapshotLoad.Load(new PieceReader(file), Options);
        sessions = load.Sessions;
        return load.Tree;
    }

    private static void Skip(SnapshotReader reader)
    {
        while (reader.NextSession(out _, out _))
        {
        }
        while (reader.NextAcl(out _, out _))
        {
        }
        while (reader.NextNode())
        {
        }
    }

    private static (int Sessions, int Acls, int Nodes, SnapshotTail Tail) Count(byte[] file)
    {
        using var reader = new SnapshotReader(new PieceReader(file));
        int sessions = 0, acls = 0, nodes = 0;
        while (reader.NextSession(out _, out _))
            sessions++;
        while (reader.NextAcl(out _, out _))
            acls++;
        while (reader.NextNode())
            nodes++;
        return (sessions, acls, nodes, reader.ReadTail());
    }

    // Sessions sorted, for their order is free; znodes in the order of the file, with their ACLs for the ids.
    private static List<string> Nodes(byte[] file)
    {
        using var reader = new SnapshotReader(new PieceReader(file));
        var sessions = new List<string>();
        while (reader.NextSession(out SessionId id, out int timeoutMs))
            sessions.Add(string.Create(CultureInfo.InvariantCulture, $"{id} {timeoutMs}"));
        var acls = new Dictionary<long, string> { [-1] = "open" };
        while (reader.NextAcl(out long id, out ReadOnlySpan<byte> vector))
            acls.Add(id, vector.SequenceEqual(LogImage.OpenAcl) ? "open" : Convert.ToHexString(vector));
        List<string> lines = [.. sessions.Order()];
        while (reader.NextNode())
        {
            string data = reader.DataIsNull ? "null" : Convert.ToHexString(reader.Data);
            lines.Add($"{Convert.ToHexString(reader.Path)} {data} {acls[reader.AclId]} {reader.Stat}");
        }
        return lines;
    }

    private static byte[] LastPart(byte[] before, long zxid)
    {
        var part = new byte[21];
        BinaryPrimitives.WriteInt64BigEndian(part, zxid);
        uint sum = Adler32.Compute(part.AsSpan(0, 8), Adler32.Compute(before));
        BinaryPrimitives.WriteInt64BigEndian(part.AsSpan(8), sum);
        part[19] = 1;
        part[20] = (byte)'/';
        return part;
    }

    private static void Reseal(byte[] file)
    {
        int first = file.Length - 33 - 13;
        BinaryPrimitives.WriteInt64BigEndian(file.AsSpan(first), Adler32.Compute(file.AsSpan(0, first)));
        int second = file.Length - 13;
        BinaryPrimitives.WriteInt64BigEndian(file.AsSpan(second), Adler32.Compute(file.AsSpan(0, second)));
    }
}
