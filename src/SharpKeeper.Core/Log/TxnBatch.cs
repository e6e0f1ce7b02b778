using System.Buffers.Binary;
using SharpKeeper.Protocol;

namespace SharpKeeper.Core.Log;

/// <summary>Where one transaction stands inside a <see cref="TxnBatch"/>.</summary>
/// <param name="Zxid">Its id.</param>
/// <param name="PayloadOffset">Offset of header, record and digest in the batch's bytes.</param>
/// <param name="PayloadLength">Their length.</param>
public readonly record struct TxnEntry(Zxid Zxid, int PayloadOffset, int PayloadLength);

/// <summary>
/// Transactions in the form the log holds them, back to back: checksum, length, payload, end mark. One batch is one
/// write and one flush. The bytes are written once, by whoever prepares or receives the transactions, and read from
/// here by the log writer and by the applier.
/// </summary>
public sealed class TxnBatch
{
    /// <summary>Bytes before each payload: an 8-byte checksum and a 4-byte length.</summary>
    public const int EntryHeadBytes = 12;

    /// <summary>The byte behind each payload.</summary>
    public const byte EndOfRecord = 0x42;

    private readonly JuteBuffer bytes = new();
    private readonly List<TxnEntry> entries = [];
    private int open = -1;
    private int sealedEntries;

    /// <summary>The transactions in order.</summary>
    public IReadOnlyList<TxnEntry> Entries => entries;

    /// <summary>Number of transactions.</summary>
    public int Count => entries.Count;

    /// <summary>Bytes as they go to disk; checksums are valid after <see cref="Seal"/>.</summary>
    public ReadOnlyMemory<byte> Bytes => bytes.WrittenMemory;

    /// <summary>Id of the first transaction; the batch must not be empty.</summary>
    public Zxid First => entries[0].Zxid;

    /// <summary>Id of the last transaction; the batch must not be empty.</summary>
    public Zxid Last => entries[^1].Zxid;

    /// <summary>Header, record and digest of one transaction.</summary>
    public ReadOnlySpan<byte> Payload(int index)
    {
        TxnEntry entry = entries[index];
        return bytes.WrittenSpan.Slice(entry.PayloadOffset, entry.PayloadLength);
    }

    /// <summary>Starts an entry; what is appended to the result until <see cref="EndEntry"/> is its payload.</summary>
    public JuteBuffer BeginEntry()
    {
        Invariant.Check(open < 0, "an entry of the batch is still open");
        open = bytes.Length;
        bytes.Append(EntryHeadBytes);
        return bytes;
    }

    /// <summary>Ends the entry begun last.</summary>
    public void EndEntry(Zxid zxid)
    {
        Invariant.Check(open >= 0, "no entry of the batch is open");
        int payload = open + EntryHeadBytes;
        int length = bytes.Length - payload;
        bytes.PatchInt32(open + 8, length);
        bytes.WriteByte(EndOfRecord);
        entries.Add(new TxnEntry(zxid, payload, length));
        open = -1;
    }

    /// <summary>Drops the entry begun last.</summary>
    public void CancelEntry()
    {
        Invariant.Check(open >= 0, "no entry of the batch is open");
        bytes.Truncate(open);
        open = -1;
    }

    /// <summary>Fills in the checksums of entries that have none yet.</summary>
    public void Seal()
    {
        for (; sealedEntries < entries.Count; sealedEntries++)
        {
            TxnEntry entry = entries[sealedEntries];
            Span<byte> written = bytes.Written;
            uint sum = Adler32.Compute(written.Slice(entry.PayloadOffset, entry.PayloadLength));
            BinaryPrimitives.WriteInt64BigEndian(written[(entry.PayloadOffset - EntryHeadBytes)..], sum);
        }
    }

    /// <summary>Empties the batch for another use and keeps its memory if that is not large.</summary>
    public void Clear()
    {
        const int keptBytesMax = 4 << 20;
        if (bytes.Capacity > keptBytesMax)
            bytes.Reset();
        else
            bytes.Clear();
        entries.Clear();
        sealedEntries = 0;
        open = -1;
    }
}
