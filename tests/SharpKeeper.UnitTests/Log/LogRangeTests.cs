using SharpKeeper.Core;
using SharpKeeper.Core.Log;
using SharpKeeper.Protocol;
using SharpKeeper.Protocol.Quorum;

namespace SharpKeeper.LogTests;

public class LogRangeTests
{
    private readonly MemoryStorageDevice device = new();

    [Theory]
    [InlineData(2, 3, 6)]
    [InlineData(3, 3, 6)]
    [InlineData(1, 9, 9)]
    [InlineData(4, 9, 9)]
    [InlineData(9, 9, 9)]
    public void WriteSlice_gives_a_proposal_and_a_commit_for_each(long after, long upTo, long end)
    {
        Put([1, 2, 3]);
        Put([4, 5, 6], padding: 5000);
        Put([7, 8, end]);
        using var range = new LogRange(device, new Zxid(after), new Zxid(upTo));
        using var output = new JuteBuffer();
        Assert.False(range.WriteSlice(output));
        long[] expected = [.. Enumerable.Range((int)after + 1, (int)(upTo - after)).Select(i => (long)i)];
        Assert.Equal(expected, Sent(output));
        Assert.Equal((new Zxid(upTo), expected.Length), (range.Last, range.Txns));
        Assert.False(range.WriteSlice(output));
    }

    [Fact]
    public void WriteSlice_sends_payloads_as_they_are_logged()
    {
        using var live = new LiveState(new Random(3));
        for (int i = 0; i < 200; i++)
            live.Step();
        live.PutLogs(new Random(4), (name, bytes) => device.Put(StorageArea.Logs, name, bytes));
        using var range = new LogRange(device, new Zxid(50), new Zxid(150));
        using var output = new JuteBuffer();
        int slices = 1;
        for (; range.WriteSlice(output, 500); slices++)
        {
        }
        Assert.InRange(slices, 10, 100);
        Assert.Equal(live.Payloads[50..150], Payloads(output));
    }

    [Fact]
    public void WriteSlice_keeps_to_the_size_of_a_slice()
    {
        Put([.. Enumerable.Range(1, 5000).Select(i => (long)i)]);
        using var range = new LogRange(device, new Zxid(1), new Zxid(5000));
        using var output = new JuteBuffer();
        bool hasMore;
        do
        {
            output.Clear();
            hasMore = range.WriteSlice(output, 1000);
            Assert.InRange(output.Length, 1, 1300);
        }
        while (hasMore);
        Assert.Equal(4999, range.Txns);
    }

    [Fact]
    public void WriteSlice_goes_over_an_epochs_end()
    {
        Put([0x100000001, 0x100000002]);
        Put([0x200000001, 0x200000002]);
        using var range = new LogRange(device, new Zxid(0x100000001), new Zxid(0x200000001));
        using var output = new JuteBuffer();
        Assert.False(range.WriteSlice(output));
        Assert.Equal([0x100000002, 0x200000001], Sent(output));
    }

    [Theory]
    [InlineData(0x100000001, 0x100000002)]
    [InlineData(0x100000002)]
    public void WriteSlice_up_to_an_epochs_start_gives_all_before_it(long after, params long[] expected)
    {
        Put([0x100000001, 0x100000002]);
        using (var early = new LogRange(device, new Zxid(after), new Zxid(0x200000000)))
        {
            using var slice = new JuteBuffer();
            // There may be more before what is not written yet.
            Assert.Throws<CorruptDataException>(() => early.WriteSlice(slice));
        }
        Put([0x200000001]);
        using var range = new LogRange(device, new Zxid(after), new Zxid(0x200000000));
        using var output = new JuteBuffer();
        Assert.False(range.WriteSlice(output));
        Assert.Equal(expected, Sent(output));
    }

    [Fact]
    public void WriteSlice_starts_after_a_transaction_that_is_not_there()
    {
        Put([0x100000001, 0x100000002, 0x200000001]);
        using var range = new LogRange(device, new Zxid(0x100000009), new Zxid(0x200000001));
        using var output = new JuteBuffer();
        Assert.False(range.WriteSlice(output));
        Assert.Equal([0x200000001], Sent(output));
    }

    [Fact]
    public void WriteSlice_takes_what_stands_there_twice_once()
    {
        Put([1, 2, 3, 4]);
        Put([3, 4, 5]);
        using var range = new LogRange(device, new Zxid(1), new Zxid(5));
        using var output = new JuteBuffer();
        Assert.False(range.WriteSlice(output));
        Assert.Equal([2, 3, 4, 5], Sent(output));
    }

    [Fact]
    public void WriteSlice_does_not_mind_an_entry_that_is_being_written_behind_the_range()
    {
        byte[] file = Image([1, 2, 3, 4]).ToFile(padding: 500);
        file.AsSpan(file.Length - 500 - 30, 30).Clear();
        device.Put(StorageArea.Logs, "log.1", file);
        using var range = new LogRange(device, new Zxid(1), new Zxid(3));
        using var output = new JuteBuffer();
        Assert.False(range.WriteSlice(output));
        Assert.Equal([2, 3], Sent(output));
    }

    [Fact]
    public void WriteSlice_without_the_beginning_fails()
    {
        Put([5, 6, 7]);
        Assert.Contains("the logs begin with 0x5", Failure(4, 7), StringComparison.Ordinal);
        device.Delete(StorageArea.Logs, "log.5");
        Assert.Contains("the logs end with nothing", Failure(4, 7), StringComparison.Ordinal);
    }

    [Fact]
    public void WriteSlice_without_the_end_fails()
    {
        Put([5, 6, 7]);
        Assert.Contains("the logs end with 0x7", Failure(5, 8), StringComparison.Ordinal);
        Put([0x100000001]);
        Assert.Contains("0x100000001 follows 0x7", Failure(5, 8), StringComparison.Ordinal);
    }

    [Fact]
    public void WriteSlice_at_a_gap_fails()
    {
        Put([5, 6, 7]);
        Put([9, 10]);
        Assert.Contains("between 0x7 and 0x9 are missing before memory:log.9", Failure(5, 10), StringComparison.Ordinal);
    }

    [Fact]
    public void WriteSlice_at_damage_fails()
    {
        byte[] file = Image([1, 2, 3]).ToFile();
        file[^40] ^= 1;
        device.Put(StorageArea.Logs, "log.1", file);
        Assert.Contains("the logs end with 0x2", Failure(1, 3), StringComparison.Ordinal);
        Put([4, 5]);
        Assert.Contains("memory:log.1 is damaged at offset", Failure(1, 3), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0, false, 0, 0)]
    [InlineData(1, true, 1, 2)]
    [InlineData(3, true, 3, 4)]
    [InlineData(4, true, 4, 0x100000001)]
    [InlineData(9, true, 4, 0x100000001)]
    [InlineData(0x100000000, true, 4, 0x100000001)]
    [InlineData(0x100000001, true, 0x100000001, 0x100000002)]
    [InlineData(0x100000002, true, 0x100000002, 0)]
    [InlineData(0x100000003, false, 0, 0)]
    public void Find_tells_the_transactions_around(long after, bool isUsable, long upTo, long next)
    {
        Put([1, 2]);
        Put([3, 4]);
        Put([0x100000001, 0x100000002], padding: 500);
        Assert.Equal(
            new LogPosition(isUsable, new Zxid(upTo), new Zxid(next)), LogQuery.Find(device, new Zxid(after), 0));
    }

    [Theory]
    [InlineData(-1, false), InlineData(-0.1, false), InlineData(0, true)]
    [InlineData(0.1, false), InlineData(0.33, true), InlineData(2, true)]
    public void Find_compares_the_logs_with_the_newest_snapshot(double factor, bool isUsable)
    {
        Put([1, 2, 3], padding: 5000);
        Put([4, 5]);
        long bytes = device.List(StorageArea.Logs).Single(file => file.Name == "log.4").Bytes;
        var snapshot = new byte[bytes * 4];
        "\0\0\0\u0001/"u8.CopyTo(snapshot.AsSpan(snapshot.Length - 5));
        device.Put(StorageArea.Snapshots, "snapshot.4", snapshot);
        // Neither newer ones that are broken nor older ones count.
        device.Put(StorageArea.Snapshots, "snapshot.5", new byte[100_000]);
        device.Put(StorageArea.Snapshots, "snapshot.1", [.. new byte[100_000], .. snapshot[^5..]]);
        Assert.Equal(isUsable, LogQuery.Find(device, new Zxid(4), factor).IsUsable);
        Assert.Equal(factor == 0, LogQuery.Find(device, new Zxid(2), factor).IsUsable);
    }

    [Fact]
    public void Find_without_a_snapshot_has_nothing_to_compare_with()
    {
        Put([1, 2, 3]);
        Assert.False(LogQuery.Find(device, new Zxid(2), 0.33).IsUsable);
        Assert.True(LogQuery.Find(device, new Zxid(2), 0).IsUsable);
    }

    [Fact]
    public void Find_without_logs_finds_nothing() =>
        Assert.Equal(default, LogQuery.Find(device, new Zxid(2), 0));

    [Fact]
    public void Find_in_logs_that_are_damaged_or_incomplete_behind_it_finds_nothing()
    {
        Put([1, 2, 3]);
        Put([4, 5]);
        Put([7, 8]);
        Assert.False(LogQuery.Find(device, new Zxid(2), 0).IsUsable);
        Assert.True(LogQuery.Find(device, new Zxid(7), 0).IsUsable);
        device.Delete(StorageArea.Logs, "log.7");
        Assert.True(LogQuery.Find(device, new Zxid(2), 0).IsUsable);
        device.Get(StorageArea.Logs, "log.1")[80] ^= 1;
        Assert.False(LogQuery.Find(device, new Zxid(2), 0).IsUsable);
    }

    private string Failure(long after, long upTo)
    {
        using var range = new LogRange(device, new Zxid(after), new Zxid(upTo));
        using var output = new JuteBuffer();
        return Assert.Throws<CorruptDataException>(() =>
        {
            while (range.WriteSlice(output, 1))
            {
            }
        }).Message;
    }

    private void Put(long[] zxids, int padding = 0) =>
        device.Put(StorageArea.Logs, StorageNames.Log(new Zxid(zxids[0])), Image(zxids).ToFile(padding));

    private static LogImage Image(long[] zxids)
    {
        var image = new LogImage();
        foreach (long zxid in zxids)
            image.AddCreate(zxid, $"/n{zxid}");
        return image;
    }

    private static long[] Sent(JuteBuffer output) =>
        [.. Payloads(output).Select(payload =>
        {
            Assert.True(TxnRecords.TryRead(payload, out TxnView txn));
            return txn.Header.Zxid;
        })];

    private static List<byte[]> Payloads(JuteBuffer output)
    {
        var payloads = new List<byte[]>();
        for (ReadOnlySpan<byte> rest = output.WrittenSpan; !rest.IsEmpty;)
        {
            Assert.Equal(
                PacketReadResult.Complete, QuorumPackets.TryRead(rest, 1 << 20, out QuorumPacket packet, out int consumed));
            rest = rest[consumed..];
            Assert.Equal(QuorumPacketType.Proposal, packet.Type);
            payloads.Add(packet.Data.ToArray());
            Assert.Equal(
                PacketReadResult.Complete,
                QuorumPackets.TryRead(rest, 1 << 20, out QuorumPacket commit, out consumed));
            rest = rest[consumed..];
            Assert.Equal(
                (QuorumPacketType.Commit, packet.Zxid, true), (commit.Type, commit.Zxid, commit.DataIsNull));
        }
        return payloads;
    }
}
