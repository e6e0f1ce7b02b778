using SharpKeeper.Core;
using SharpKeeper.Core.Zab;
using SharpKeeper.Protocol;

namespace SharpKeeper.ZabTests;

public class TxnHistoryTests
{
    [Fact]
    public void New_history_is_empty()
    {
        var history = new TxnHistory(500, 1 << 20);
        Assert.Equal((0, Zxid.Zero), (history.Count, history.Committed));
        Assert.Equal((Zxid.Zero, Zxid.Zero), (history.First, history.Last));
        Assert.Equal(0, history.IndexAfter(Zxid.Zero));
        Assert.Throws<InvariantException>(() => history.ZxidAt(0));
        Assert.Throws<InvariantException>(() => history.PayloadAt(0).Length);
    }

    [Fact]
    public void Append_keeps_payloads_as_they_were_whatever_their_size()
    {
        var history = new TxnHistory(10, 0);
        int[] sizes = [0, 1, 300, 256 << 10, (256 << 10) + 1, 3 << 20, 7, 200_000, 60_000, 90_000];
        for (int i = 0; i < sizes.Length; i++)
        {
            byte[] payload = Payload(i, sizes[i]);
            history.Append(new Zxid(i + 1), payload);
            Array.Clear(payload);
        }
        for (int i = 0; i < sizes.Length; i++)
            Assert.True(history.PayloadAt(i).SequenceEqual(Payload(i, sizes[i])), $"payload {i}");
        Assert.Equal(sizes.Sum(), history.Bytes);
    }

    [Fact]
    public void Append_out_of_order_breaks_the_invariant()
    {
        var history = new TxnHistory(10, 1000);
        history.Append(new Zxid(5), [1]);
        Assert.Throws<InvariantException>(() => history.Append(new Zxid(5), [1]));
        Assert.Throws<InvariantException>(() => history.Append(new Zxid(4), [1]));
        history.Commit(new Zxid(0x100000000));
        Assert.Throws<InvariantException>(() => history.Append(new Zxid(6), [1]));
        history.Append(new Zxid(0x100000001), [1]);
        Assert.Equal(2, history.Count);
    }

    [Theory]
    [InlineData(3, 0, 10, 3)]
    [InlineData(0, 50, 10, 5)]
    [InlineData(0, 0, 10, 0)]
    [InlineData(3, 50, 10, 5)]
    [InlineData(7, 50, 10, 7)]
    [InlineData(3, 0, 4, 9)]
    [InlineData(20, 0, 10, 10)]
    public void Commit_drops_only_committed_ones_beyond_both_limits(int txnsMin, long bytesMax, int upTo, int left)
    {
        var history = new TxnHistory(txnsMin, bytesMax);
        for (int i = 1; i <= 10; i++)
            history.Append(new Zxid(i), Payload(i, 10));
        history.Commit(new Zxid(upTo));
        Assert.Equal((left, new Zxid(upTo)), (history.Count, history.Committed));
        if (left > 0)
            Assert.Equal((new Zxid(11 - left), new Zxid(10)), (history.First, history.Last));
        history.Commit(new Zxid(1));
        Assert.Equal(new Zxid(upTo), history.Committed);
    }

    [Fact]
    public void Trim_drops_what_is_not_committed_too()
    {
        var history = new TxnHistory(3, 0);
        for (int i = 1; i <= 10; i++)
            history.Append(new Zxid(i), Payload(i, 10));
        history.Trim();
        Assert.Equal((3, new Zxid(8), Zxid.Zero), (history.Count, history.First, history.Committed));
        history.Commit(new Zxid(10));
        Assert.Equal(3, history.Count);
    }

    [Fact]
    public void CutAfter_drops_the_end_and_lets_others_take_its_place()
    {
        var history = new TxnHistory(10, 1 << 20);
        for (int i = 1; i <= 10; i++)
            history.Append(new Zxid(i), Payload(i, 100_000));
        history.Commit(new Zxid(6));
        history.CutAfter(new Zxid(4));
        Assert.Equal((4, new Zxid(4), new Zxid(4)), (history.Count, history.Last, history.Committed));
        history.Append(new Zxid(0x100000001), Payload(77, 200_000));
        history.Commit(new Zxid(0x100000001));
        for (int i = 0; i < 4; i++)
            Assert.True(history.PayloadAt(i).SequenceEqual(Payload(i + 1, 100_000)), $"payload {i}");
        Assert.True(history.PayloadAt(4).SequenceEqual(Payload(77, 200_000)));
    }

    [Fact]
    public void Clear_lets_an_older_transaction_come_next()
    {
        var history = new TxnHistory(10, 1 << 20);
        history.Append(new Zxid(100), [1]);
        history.Commit(new Zxid(100));
        history.Clear();
        Assert.Equal((0, Zxid.Zero, 0L), (history.Count, history.Committed, history.Bytes));
        history.Append(new Zxid(5), [2]);
        Assert.Equal(new Zxid(5), history.First);
    }

    [Fact]
    public void IndexAfter_finds_the_first_greater_one()
    {
        var history = new TxnHistory(10, 1 << 20);
        long[] zxids = [3, 4, 5, 0x100000001, 0x100000002];
        foreach (long zxid in zxids)
            history.Append(new Zxid(zxid), [1]);
        Assert.Equal(0, history.IndexAfter(Zxid.Zero));
        Assert.Equal(0, history.IndexAfter(new Zxid(2)));
        Assert.Equal(1, history.IndexAfter(new Zxid(3)));
        Assert.Equal(3, history.IndexAfter(new Zxid(5)));
        Assert.Equal(3, history.IndexAfter(new Zxid(0x100000000)));
        Assert.Equal(4, history.IndexAfter(new Zxid(0x100000001)));
        Assert.Equal(5, history.IndexAfter(new Zxid(0x100000002)));
        Assert.Equal(5, history.IndexAfter(new Zxid(long.MaxValue)));
    }

    [Theory]
    [InlineData(1), InlineData(2), InlineData(3), InlineData(4), InlineData(5), InlineData(6)]
    public void Random_use_agrees_with_a_plain_list(int seed)
    {
        var random = new Random(seed);
        int txnsMin = random.Next(30);
        int bytesMax = random.Next(1 << 20);
        var history = new TxnHistory(txnsMin, bytesMax);
        var model = new List<(long Zxid, byte[] Payload)>();
        long committed = 0;
        long next = 1;
        for (int step = 0; step < 3000; step++)
        {
            int choice = random.Next(100);
            if (choice < 70)
            {
                byte[] payload = Payload(step, random.Next(random.Next(50) == 0 ? 400_000 : 20_000));
                next += random.Next(20) == 0 ? 10 : 1;
                history.Append(new Zxid(next), payload);
                model.Add((next, payload));
            }
            else if (choice < 95)
            {
                committed = Math.Min(committed + random.Next(20), next);
                history.Commit(new Zxid(committed));
                Trim(model, committed, txnsMin, bytesMax);
            }
            else if (choice < 99)
            {
                long last = next - random.Next(10);
                history.CutAfter(new Zxid(last));
                model.RemoveAll(one => one.Zxid > last);
                committed = Math.Min(committed, last);
                next = Math.Max(committed, model.Count > 0 ? model[^1].Zxid : 0);
            }
            else
            {
                history.Clear();
                model.Clear();
                committed = 0;
            }
            AssertEqual(model, history, committed, random);
        }
    }

    [Fact]
    public void Steady_use_allocates_nothing()
    {
        var history = new TxnHistory(500, 1 << 20);
        byte[] payload = Payload(1, 1000);
        long zxid = 0;
        Run(history, payload, ref zxid, 20_000);
        long before = GC.GetAllocatedBytesForCurrentThread();
        Run(history, payload, ref zxid, 20_000);
        // The runtime itself may take a little meanwhile.
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 20_000);
    }

    private static void Run(TxnHistory history, byte[] payload, ref long zxid, int count)
    {
        for (int i = 0; i < count; i++)
        {
            history.Append(new Zxid(++zxid), payload);
            if (i % 50 == 0)
                history.Commit(new Zxid(zxid));
        }
    }

    private static void Trim(List<(long Zxid, byte[] Payload)> model, long committed, int txnsMin, int bytesMax)
    {
        while (model.Count(one => one.Zxid <= committed) > txnsMin
            && model.Where(one => one.Zxid <= committed).Sum(one => one.Payload.Length) > bytesMax)
            model.RemoveAt(0);
    }

    private static void AssertEqual(
        List<(long Zxid, byte[] Payload)> model, TxnHistory history, long committed, Random random)
    {
        Assert.Equal((model.Count, new Zxid(committed)), (history.Count, history.Committed));
        Assert.Equal(model.Sum(one => one.Payload.Length), history.Bytes);
        if (model.Count == 0)
            return;
        for (int i = 0; i < 3; i++)
        {
            int index = random.Next(model.Count);
            Assert.Equal(model[index].Zxid, history.ZxidAt(index).Value);
            Assert.True(history.PayloadAt(index).SequenceEqual(model[index].Payload));
            Assert.Equal(index + 1, history.IndexAfter(new Zxid(model[index].Zxid)));
        }
    }

    private static byte[] Payload(int seed, int length)
    {
        var bytes = new byte[length];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }
}
