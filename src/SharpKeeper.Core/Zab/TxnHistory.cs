using SharpKeeper.Protocol;

namespace SharpKeeper.Core.Zab;

/// <summary>
/// The last transactions in memory, ascending: committed ones, which learners that are a little behind are sent, and
/// behind them those that are not committed yet. Payloads are copied into large chunks that are used again and again;
/// adding, committing and dropping transactions allocates nothing once the history has its size.
/// </summary>
/// <remarks>Indices are those of the present contents; 0 is the oldest. For one thread at a time.</remarks>
public sealed class TxnHistory
{
    private const int ChunkBytes = 256 << 10;
    private const int SpareChunksMax = 4;
    private const int EntriesMin = 64;

    private readonly int txnsMin;
    private readonly long bytesMax;
    private readonly List<byte[]> chunks = [];
    private readonly Stack<byte[]> spare = new();
    private Entry[] ring = new Entry[EntriesMin];
    private int head;
    private int firstChunk;
    private int committedCount;
    private long committedBytes;

    /// <summary>Creates an empty history.</summary>
    /// <param name="txnsMin">Committed transactions are dropped only while there are more than these.</param>
    /// <param name="bytesMax">And only while the payloads of the committed ones exceed these bytes.</param>
    public TxnHistory(int txnsMin, long bytesMax)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(txnsMin);
        ArgumentOutOfRangeException.ThrowIfNegative(bytesMax);
        this.txnsMin = txnsMin;
        this.bytesMax = bytesMax;
    }

    /// <summary>Number of transactions.</summary>
    public int Count { get; private set; }

    /// <summary>Bytes of all payloads.</summary>
    public long Bytes { get; private set; }

    /// <summary>The oldest transaction; zero if there is none.</summary>
    public Zxid First => Count == 0 ? Zxid.Zero : ZxidAt(0);

    /// <summary>The newest transaction; zero if there is none.</summary>
    public Zxid Last => Count == 0 ? Zxid.Zero : ZxidAt(Count - 1);

    /// <summary>
    /// Everything up to here is committed, as <see cref="Commit"/> was told; zero at first, after a replay of the log
    /// and after <see cref="Clear"/>. It need not be the id of a transaction.
    /// </summary>
    public Zxid Committed { get; private set; }

    /// <summary>Adds a transaction, which must be newer than the newest and than what is committed.</summary>
    /// <param name="zxid">Its id.</param>
    /// <param name="payload">Header, record and digest; copied.</param>
    public void Append(Zxid zxid, ReadOnlySpan<byte> payload)
    {
        Invariant.Check(zxid > Last && zxid > Committed, "a transaction was added to the history out of order");
        (int chunk, int offset) = Reserve(payload.Length);
        payload.CopyTo(chunks[chunk].AsSpan(offset));
        if (Count == ring.Length)
            Grow();
        At(Count) = new Entry(zxid, firstChunk + chunk, offset, payload.Length);
        Count++;
        Bytes += payload.Length;
    }

    /// <summary>
    /// Everything up to <paramref name="upTo"/> is committed. Drops the oldest committed transactions beyond both
    /// limits. An id that is committed already changes nothing.
    /// </summary>
    public void Commit(Zxid upTo)
    {
        if (upTo <= Committed)
            return;
        Committed = upTo;
        while (committedCount < Count && At(committedCount).Zxid <= upTo)
        {
            committedBytes += At(committedCount).Length;
            committedCount++;
        }
        while (committedCount > txnsMin && committedBytes > bytesMax)
        {
            committedBytes -= At(0).Length;
            committedCount--;
            DropFirst();
        }
        FreePassed();
    }

    /// <summary>
    /// Drops the oldest transactions beyond both limits whether they are known to be committed or not. For a replay, in
    /// which nothing is known of that and only the end is of use.
    /// </summary>
    public void Trim()
    {
        while (Count > txnsMin && Bytes > bytesMax)
        {
            if (committedCount > 0)
            {
                committedBytes -= At(0).Length;
                committedCount--;
            }
            DropFirst();
        }
        FreePassed();
    }

    /// <summary>
    /// Drops the transactions after <paramref name="last"/>; what is committed ends there at the latest.
    /// </summary>
    public void CutAfter(Zxid last)
    {
        while (Count > 0 && Last > last)
        {
            int length = At(Count - 1).Length;
            if (committedCount == Count)
            {
                committedCount--;
                committedBytes -= length;
            }
            Bytes -= length;
            Count--;
        }
        if (Committed > last)
            Committed = last;
        FreeBehind();
    }

    /// <summary>Forgets everything.</summary>
    public void Clear()
    {
        CutAfter(new Zxid(long.MinValue));
        Committed = Zxid.Zero;
    }

    /// <summary>
    /// Index of the first transaction after <paramref name="zxid"/>; <see cref="Count"/> if there is none.
    /// </summary>
    public int IndexAfter(Zxid zxid)
    {
        int low = 0;
        int high = Count;
        while (low < high)
        {
            int middle = (int)(((uint)low + (uint)high) / 2);
            if (At(middle).Zxid <= zxid)
                low = middle + 1;
            else
                high = middle;
        }
        return low;
    }

    /// <summary>The id of a transaction.</summary>
    public Zxid ZxidAt(int index)
    {
        CheckIndex(index);
        return At(index).Zxid;
    }

    /// <summary>Header, record and digest of a transaction; valid until the history changes.</summary>
    public ReadOnlySpan<byte> PayloadAt(int index)
    {
        CheckIndex(index);
        ref Entry entry = ref At(index);
        return chunks[entry.Chunk - firstChunk].AsSpan(entry.Offset, entry.Length);
    }

    private void CheckIndex(int index) =>
        Invariant.Check((uint)index < (uint)Count, "a transaction beyond the history was asked for");

    private ref Entry At(int index) => ref ring[(head + index) & (ring.Length - 1)];

    // Room for a payload behind the newest one, as an index into the list of chunks and an offset.
    private (int Chunk, int Offset) Reserve(int length)
    {
        if (Count > 0)
        {
            ref Entry newest = ref At(Count - 1);
            int chunk = newest.Chunk - firstChunk;
            int end = newest.Offset + newest.Length;
            if (chunks[chunk].Length - end >= length)
                return (chunk, end);
        }
        if (length > ChunkBytes)
            chunks.Add(GC.AllocateUninitializedArray<byte>(length));
        else
            chunks.Add(spare.TryPop(out byte[]? used) ? used : GC.AllocateUninitializedArray<byte>(ChunkBytes));
        return (chunks.Count - 1, 0);
    }

    private void Grow()
    {
        Invariant.Check(ring.Length <= 1 << 29, "the history holds more transactions than it can count");
        var larger = new Entry[ring.Length * 2];
        for (int i = 0; i < Count; i++)
            larger[i] = At(i);
        ring = larger;
        head = 0;
    }

    private void DropFirst()
    {
        Bytes -= At(0).Length;
        head = (head + 1) & (ring.Length - 1);
        Count--;
    }

    // Chunks before the oldest transaction's.
    private void FreePassed()
    {
        int passed = Count == 0 ? chunks.Count : At(0).Chunk - firstChunk;
        if (passed == 0)
            return;
        for (int i = 0; i < passed; i++)
            Keep(chunks[i]);
        chunks.RemoveRange(0, passed);
        firstChunk += passed;
    }

    // Chunks behind the newest transaction's.
    private void FreeBehind()
    {
        int used = Count == 0 ? 0 : At(Count - 1).Chunk - firstChunk + 1;
        for (int i = used; i < chunks.Count; i++)
            Keep(chunks[i]);
        chunks.RemoveRange(used, chunks.Count - used);
    }

    private void Keep(byte[] chunk)
    {
        if (chunk.Length == ChunkBytes && spare.Count < SpareChunksMax)
            spare.Push(chunk);
    }

    // The chunk is counted from the beginning of the history, so that dropping older ones changes no entry.
    private readonly record struct Entry(Zxid Zxid, int Chunk, int Offset, int Length);
}
