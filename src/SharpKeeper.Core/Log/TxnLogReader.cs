using System.Buffers.Binary;
using System.Globalization;
using SharpKeeper.Protocol;

namespace SharpKeeper.Core.Log;

/// <summary>What a <see cref="TxnLogReader"/> met.</summary>
public enum LogReadStatus
{
    /// <summary>A whole entry with the right checksum.</summary>
    Entry,

    /// <summary>The end: of the file, or of its entries with only zeros behind them.</summary>
    End,

    /// <summary>The file holds no whole header, as a crash or a full disk leaves it; there are no entries.</summary>
    NoHeader,

    /// <summary>The last entry was cut off while it was written; nothing valid is behind it.</summary>
    TornTail,

    /// <summary>Bytes that no interrupted write leaves behind, or valid entries behind a broken one.</summary>
    Damage,
}

/// <summary>
/// Reads the entries of one log file in order and says exactly how they end. It never takes a broken entry for the
/// end while a whole one follows.
/// </summary>
public sealed class TxnLogReader : IDisposable
{
    /// <summary>"ZKLG", the first four bytes of a log.</summary>
    public const int Magic = 0x5A4B4C47;

    /// <summary>The only version there is.</summary>
    public const int Version = 2;

    /// <summary>Magic, version and an unused database id.</summary>
    public const int HeaderBytes = 16;

    /// <summary>A longer payload than this is taken for a damaged length.</summary>
    public const int PayloadBytesMax = 1 << 28;

    private readonly ChunkSource source;
    private int entryBytes;
    private bool headerRead;
    private Zxid last;

    /// <summary>Reads from <paramref name="reader"/>, which is disposed with this object.</summary>
    public TxnLogReader(IStorageReader reader) => source = new ChunkSource(reader);

    /// <summary>What the last call of <see cref="Next"/> or <see cref="Resume"/> met.</summary>
    public LogReadStatus Status { get; private set; }

    /// <summary>In words, why <see cref="Status"/> is neither an entry nor the plain end.</summary>
    public string Reason { get; private set; } = "";

    /// <summary>Offset in the file of the current entry, or of where reading stopped.</summary>
    public long Offset { get; private set; }

    /// <summary>For damage with whole entries behind it: the offset of the first of them; otherwise -1.</summary>
    public long NextEntryOffset { get; private set; } = -1;

    /// <summary>The current entry's id.</summary>
    public Zxid Zxid { get; private set; }

    /// <summary>The current entry's header, record and digest; valid until the next call.</summary>
    public ReadOnlySpan<byte> Payload =>
        source.Available[TxnBatch.EntryHeadBytes..(entryBytes - 1)];

    /// <summary>Offset of the first byte behind the current entry.</summary>
    public long EndOffset => Offset + entryBytes;

    /// <summary>Goes to the next entry; false if there is none, for the reason in <see cref="Status"/>.</summary>
    public bool Next()
    {
        if (Status != LogReadStatus.Entry)
            return false;
        source.Consume(entryBytes);
        entryBytes = 0;
        Offset = source.Position;
        if (!headerRead && !ReadHeader())
            return false;
        return ReadEntry();
    }

    /// <summary>
    /// After damage: goes to the first whole entry behind it; false if there is none. For tools that report or save
    /// what can be saved.
    /// </summary>
    public bool Resume()
    {
        if (Status != LogReadStatus.Damage || NextEntryOffset < 0)
            return false;
        while (source.Position < NextEntryOffset)
        {
            source.Ensure(1);
            source.Consume((int)Math.Min(source.Available.Length, NextEntryOffset - source.Position));
        }
        NextEntryOffset = -1;
        Offset = source.Position;
        return ReadEntry();
    }

    /// <inheritdoc/>
    public void Dispose() => source.Dispose();

    private bool ReadHeader()
    {
        headerRead = true;
        bool isWhole = source.Ensure(HeaderBytes);
        Span<byte> expected = stackalloc byte[8];
        BinaryPrimitives.WriteInt32BigEndian(expected, Magic);
        BinaryPrimitives.WriteInt32BigEndian(expected[4..], Version);
        ReadOnlySpan<byte> found = source.Available[..Math.Min(8, source.Available.Length)];
        if (!found.SequenceEqual(expected[..found.Length]))
        {
            // A header whose write was cut off leaves its first bytes, and zeros where space was reserved.
            int whole = found.CommonPrefixLength(expected);
            source.Consume(whole);
            if (SkipZeros())
                return Stop(LogReadStatus.NoHeader, "the file holds zeros in place of a whole header");
            return StopAtDamage("it does not start with the mark of a transaction log, version 2");
        }
        if (!isWhole)
            return Stop(LogReadStatus.NoHeader, "the file ends within its header of 16 bytes");
        source.Consume(HeaderBytes);
        Offset = HeaderBytes;
        return true;
    }

    private bool ReadEntry()
    {
        Status = LogReadStatus.Entry;
        if (!source.Ensure(TxnBatch.EntryHeadBytes))
            return StopAtCut("checksum or length");
        long checksum = BinaryPrimitives.ReadInt64BigEndian(source.Available);
        int length = BinaryPrimitives.ReadInt32BigEndian(source.Available[8..]);
        if (length == 0)
            return StopAtZeroLength(checksum);
        if (length is < 0 or > PayloadBytesMax)
            return StopAtDamage(string.Create(CultureInfo.InvariantCulture, $"its length of {length} is impossible"));
        int wanted = TxnBatch.EntryHeadBytes + length + 1;
        if (!source.Ensure(wanted))
            return StopAtCut("payload");
        if (source.Available[wanted - 1] != TxnBatch.EndOfRecord)
            return StopAtBrokenEntry("its end mark is missing");
        ReadOnlySpan<byte> payload = source.Available.Slice(TxnBatch.EntryHeadBytes, length);
        if (Adler32.Compute(payload) != checksum)
            return StopAtDamage("its checksum is wrong");
        if (length < TxnHeader.Bytes)
            return StopAtDamage("it is too short for a transaction's header");
        entryBytes = wanted;
        Zxid = last = ZxidOf(payload);
        return true;
    }

    private static Zxid ZxidOf(ReadOnlySpan<byte> payload) => new(BinaryPrimitives.ReadInt64BigEndian(payload[12..]));

    private bool StopAtCut(string where)
    {
        if (!source.Available.ContainsAnyExcept((byte)0))
            return Stop(LogReadStatus.End, "");
        return StopAtBrokenEntry($"the file ends within its {where}");
    }

    private bool StopAtZeroLength(long checksum)
    {
        if (checksum != 0)
            return StopAtBrokenEntry("its length is missing");
        if (SkipZeros())
            return Stop(LogReadStatus.End, "");
        return StopAtBrokenEntry("zeros are followed by other bytes");
    }

    // An entry that an interrupted write may have left: that holds only if nothing whole is behind it.
    private bool StopAtBrokenEntry(string reason)
    {
        NextEntryOffset = FindEntryBehind();
        return Stop(NextEntryOffset < 0 ? LogReadStatus.TornTail : LogReadStatus.Damage, reason);
    }

    private bool StopAtDamage(string reason)
    {
        NextEntryOffset = FindEntryBehind();
        return Stop(LogReadStatus.Damage, reason);
    }

    private bool Stop(LogReadStatus status, string reason)
    {
        Status = status;
        Reason = reason;
        return false;
    }

    // Consumes zeros up to a little before the first other byte; true if there is none up to the end of the file.
    private bool SkipZeros()
    {
        while (source.Ensure(1))
        {
            int other = source.Available.IndexOfAnyExcept((byte)0);
            if (other >= 0)
            {
                // The checksum of a whole entry starts with four zeros.
                source.Consume(Math.Max(other - TxnBatch.EntryHeadBytes, 0));
                return false;
            }
            source.Consume(Math.Max(source.Available.Length - TxnBatch.EntryHeadBytes, 0));
            if (!source.EnsureMore())
                return true;
        }
        return true;
    }

    // Searches byte by byte behind the current offset for an entry that is whole, right and newer than the last.
    private long FindEntryBehind()
    {
        if (source.Position == Offset && source.Ensure(1))
            source.Consume(1);
        while (source.Ensure(TxnBatch.EntryHeadBytes + TxnHeader.Bytes + 1))
        {
            if (IsEntryHere())
                return source.Position;
            // A checksum starts with four zeros: go to the next zero at once.
            int zero = source.Available[1..].IndexOf((byte)0);
            source.Consume(zero < 0 ? source.Available.Length : zero + 1);
        }
        return -1;
    }

    private bool IsEntryHere()
    {
        ReadOnlySpan<byte> head = source.Available;
        long checksum = BinaryPrimitives.ReadInt64BigEndian(head);
        int length = BinaryPrimitives.ReadInt32BigEndian(head[8..]);
        if (checksum is <= 0 or > uint.MaxValue || length is < TxnHeader.Bytes or > PayloadBytesMax)
            return false;
        if (ZxidOf(head[TxnBatch.EntryHeadBytes..]) <= last)
            return false;
        int wanted = TxnBatch.EntryHeadBytes + length + 1;
        return source.Ensure(wanted) && source.Available[wanted - 1] == TxnBatch.EndOfRecord
            && Adler32.Compute(source.Available.Slice(TxnBatch.EntryHeadBytes, length)) == checksum;
    }
}
