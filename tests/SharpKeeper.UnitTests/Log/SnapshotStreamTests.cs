using System.Globalization;
using System.Text;
using System.Text.Json;
using SharpKeeper.Core;
using SharpKeeper.Core.Log;
using SharpKeeper.Core.Transactions;
using SharpKeeper.Core.Tree;
using SharpKeeper.Protocol;
using SharpKeeper.Protocol.Quorum;

namespace SharpKeeper.LogTests;

public class SnapshotStreamTests
{
    private static readonly RecoveryOptions Options = new() { ExtendedTypesEnabled = true };

    public static TheoryData<int> Seeds() => [.. Enumerable.Range(1, 60)];

    [Fact]
    public void Recorded_stream_gives_the_tree_whose_digest_the_leader_stored()
    {
        JsonElement stream = Recorded("snapshot stream");
        SnapshotStream loaded = SnapshotStream.Load(new PieceReader(Bytes(stream), 7), Options);
        using DataTree tree = loaded.Tree;
        string[] paths = [.. stream.GetProperty("paths").EnumerateArray().Select(path => path.GetString()!)];
        Assert.Equal(paths.Length, tree.Count);
        Assert.All(paths, path => Assert.False(tree.Find(Encoding.UTF8.GetBytes(path)).IsNone, path));
        SessionTimeout session = Assert.Single(loaded.Sessions.ToArray());
        Assert.Equal(("0x300001a7a770000", 8000), (session.Id.ToString(), session.TimeoutMs));
        Assert.Equal((0, true), (loaded.MissingAcls, loaded.Rest.IsEmpty));

        // The transaction that follows carries the digest of the leader's tree.
        tree.LastProcessed = new Zxid(long.Parse(
            Recorded("SNAP").GetProperty("zxid").GetString()!.AsSpan(2), NumberStyles.HexNumber, null));
        byte[] proposal = Bytes(Recorded("PROPOSAL"));
        Assert.Equal(PacketReadResult.Complete, QuorumPackets.TryRead(proposal, 1 << 20, out QuorumPacket packet, out _));
        Assert.Equal(tree.LastProcessed.Next, packet.Zxid);
        new TxnApplier(tree, loaded.Sessions).Apply(packet.Data);
        Assert.True(TxnRecords.TryRead(packet.Data, out TxnView txn));
        Assert.True(txn.HasDigest);
        Assert.Equal(txn.Digest.TreeDigest, tree.Digest);
    }

    [Fact]
    public void Recorded_stream_written_again_holds_the_same_in_the_same_order()
    {
        byte[] recorded = Bytes(Recorded("snapshot stream"));
        SnapshotStream loaded = SnapshotStream.Load(new PieceReader(recorded), Options);
        using DataTree tree = loaded.Tree;
        byte[] written = Write(tree, loaded.Sessions, 1 << 20);
        // Only the ids of ACLs differ: the open one has a number of its own, and unused ones are left out.
        Assert.Equal(Parts(recorded), Parts(written));
        Assert.Equal(written, Write(tree, loaded.Sessions, 1));
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Stream_with_changes_between_slices_and_the_transactions_since_give_the_tree(int seed)
    {
        var random = new Random(seed);
        using var live = new LiveState(random);
        for (int i = random.Next(300); i > 0; i--)
            live.Step();
        using var writer = new SnapshotStreamWriter(live.Tree, live.Sessions.ToArray());
        using var buffer = new JuteBuffer();
        while (writer.WriteSlice(buffer, random.Next(1, 400)))
        {
            for (int i = random.Next(4); i > 0; i--)
                live.Step();
        }
        Assert.Equal((live.Tree.LastProcessed, (long)buffer.Length), (writer.End, writer.Bytes));
        for (int i = random.Next(30); i > 0; i--)
            live.Step();

        SnapshotStream loaded = SnapshotStream.Load(new PieceReader(buffer.WrittenSpan.ToArray(), 300), Options);
        using DataTree tree = loaded.Tree;
        tree.LastProcessed = writer.Start;
        var applier = new TxnApplier(tree, loaded.Sessions);
        foreach (byte[] payload in live.Payloads.Skip((int)writer.Start.Value))
            applier.Apply(payload);
        Assert.Equal(TreeAssert.Dump(live.Tree), TreeAssert.Dump(tree));
        Assert.Equal(live.Sessions.ToArray(), loaded.Sessions.ToArray());
        Assert.Equal(live.Tree.Digest, tree.Digest);
    }

    [Fact]
    public void Stream_is_what_a_file_has_between_header_and_checksums()
    {
        using var live = new LiveState(new Random(5));
        for (int i = 0; i < 200; i++)
            live.Step();
        byte[] file = SnapshotCodecTests.Write(live.Tree, live.Sessions, 1000);
        byte[] stream = Write(live.Tree, live.Sessions, 1000);
        Assert.Equal(file[16..^46], stream[..^14]);
        Assert.Equal("\0\0\0\nBenWasHere", Encoding.ASCII.GetString(stream[^14..]));
    }

    [Theory]
    [InlineData(1), InlineData(13), InlineData(int.MaxValue)]
    public void Load_asks_for_no_byte_behind_the_end_and_gives_back_what_came_with_it(int pieceBytes)
    {
        byte[] recorded = Bytes(Recorded("snapshot stream"));
        byte[] packets = [.. Enumerable.Range(1, 100).Select(i => (byte)i)];
        var source = new EndlessReader([.. recorded, .. packets], pieceBytes);
        SnapshotStream loaded = SnapshotStream.Load(source, Options);
        loaded.Tree.Dispose();
        Assert.False(source.WasAskedBehindTheEnd);
        Assert.False(source.IsDisposed);
        int readAhead = loaded.Rest.Length;
        Assert.Equal(source.Position - recorded.Length, readAhead);
        Assert.Equal(packets[..readAhead], loaded.Rest.ToArray());
        Assert.Equal(pieceBytes == int.MaxValue ? 100 : readAhead, readAhead);
        Assert.True(pieceBytes > 1 || readAhead == 0);
    }

    [Fact]
    public void Load_of_every_cut_refuses_and_says_where()
    {
        byte[] recorded = Bytes(Recorded("snapshot stream"));
        for (int length = 0; length < recorded.Length; length++)
        {
            string message = Assert.Throws<CorruptDataException>(
                () => SnapshotStream.Load(new PieceReader(recorded[..length]), Options)).Message;
            Assert.StartsWith("The leader's snapshot is broken: the stream ends within", message, StringComparison.Ordinal);
            Assert.Contains("at offset", message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Load_without_the_mark_at_the_end_refuses()
    {
        byte[] recorded = Bytes(Recorded("snapshot stream"));
        for (int i = 1; i <= 14; i++)
        {
            byte[] broken = [.. recorded];
            broken[^i] ^= 1;
            string message = Assert.Throws<CorruptDataException>(
                () => SnapshotStream.Load(new PieceReader(broken), Options)).Message;
            Assert.Contains("the mark at its end is missing", message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Load_of_a_damaged_stream_gives_a_tree_or_refuses(int seed)
    {
        var random = new Random(seed);
        byte[] recorded = Bytes(Recorded("snapshot stream"));
        for (int i = 0; i < 50; i++)
        {
            try
            {
                SnapshotStream.Load(new PieceReader(Mutation.Of(recorded, random)), Options).Tree.Dispose();
            }
            catch (CorruptDataException)
            {
                // There is no checksum: what still is a stream is taken.
            }
        }
    }

    internal static byte[] Write(DataTree tree, SessionTimeouts sessions, int sliceBytes)
    {
        using var writer = new SnapshotStreamWriter(tree, sessions.ToArray());
        using var buffer = new JuteBuffer();
        while (writer.WriteSlice(buffer, sliceBytes))
        {
        }
        return buffer.WrittenSpan.ToArray();
    }

    // Sessions and znodes, with their ACLs in full.
    private static List<string> Parts(byte[] stream)
    {
        SnapshotReader reader = SnapshotReader.OfStream(new PieceReader(stream));
        var parts = new List<string>();
        while (reader.NextSession(out SessionId id, out int timeoutMs))
            parts.Add($"{id} {timeoutMs}");
        var acls = new Dictionary<long, string> { [-1] = Convert.ToHexString(LogImage.OpenAcl) };
        while (reader.NextAcl(out long id, out ReadOnlySpan<byte> vector))
            acls[id] = Convert.ToHexString(vector);
        while (reader.NextNode())
        {
            string data = reader.DataIsNull ? "null" : Convert.ToHexString(reader.Data);
            parts.Add($"{Encoding.UTF8.GetString(reader.Path)} {data} {acls[reader.AclId]} {reader.Stat}");
        }
        Assert.Equal(0, reader.ReadTail().Seals);
        return parts;
    }

    private static JsonElement Recorded(string kind)
    {
        string path = Path.Combine(AppContext.BaseDirectory, "testdata", "apache-3.8.0", "ensemble", "sync-snap.json");
        JsonElement messages = JsonDocument.Parse(File.ReadAllBytes(path)).RootElement.GetProperty("messages");
        return messages.EnumerateArray().First(message => message.GetProperty("kind").GetString() == kind);
    }

    private static byte[] Bytes(JsonElement message) => Convert.FromHexString(message.GetProperty("hex").GetString()!);

    // A connection that stays open: asking for more than there is would wait for ever.
    private sealed class EndlessReader(byte[] bytes, int pieceBytes) : IStorageReader
    {
        public int Position { get; private set; }

        public bool WasAskedBehindTheEnd { get; private set; }

        public bool IsDisposed { get; private set; }

        public int Read(Span<byte> destination)
        {
            WasAskedBehindTheEnd |= Position == bytes.Length;
            int count = Math.Min(Math.Min(destination.Length, pieceBytes), bytes.Length - Position);
            bytes.AsSpan(Position, count).CopyTo(destination);
            Position += count;
            return count;
        }

        public void Dispose() => IsDisposed = true;
    }
}
