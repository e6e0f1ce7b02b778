using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using SharpKeeper.Protocol;

namespace SharpKeeper.Core.Log;

/// <summary>What stands behind the znodes of a snapshot.</summary>
/// <param name="Seals">Number of checksums, all right: 1 from servers before 3.6, 2 since, 3 since 3.9.</param>
/// <param name="Digest">Digest of the whole tree at <paramref name="DigestZxid"/>; null if there is none.</param>
/// <param name="DigestZxid">Last transaction applied when the digest was written.</param>
/// <param name="LastProcessed">Last transaction applied when the snapshot was begun; null before 3.9.</param>
public sealed record SnapshotTail(int Seals, TxnDigest? Digest, Zxid DigestZxid, Zxid? LastProcessed);

/// <summary>
/// Reads a snapshot from start to end: sessions, ACLs, znodes, tail, in this order, each to its end. The parts come
/// before the checksum that covers them: what is built from them counts only once <see cref="ReadTail"/> returns.
/// </summary>
/// <remarks>
/// Every method throws <see cref="CorruptDataException"/> naming the offset if the bytes are not those of a snapshot.
/// </remarks>
public sealed class SnapshotReader : IDisposable
{
    /// <summary>"ZKSN", the first four bytes of a snapshot.</summary>
    public const int Magic = 0x5A4B534E;

    /// <summary>The only version there is.</summary>
    public const int Version = 2;

    /// <summary>Magic, version and an unused database id.</summary>
    public const int HeaderBytes = 16;

    /// <summary>Id of the ACL that lets everybody do everything; it is not in the table of ACLs.</summary>
    public const long OpenAclId = -1;

    private const int LengthMax = 1 << 29;
    private const int SealBytes = 13;

    private readonly ChunkSource source;
    private readonly bool isStream;
    private int sessionsLeft = -1;
    private int aclsLeft = -1;
    private int heldBytes;
    private int pathBytes;
    private int dataBytes;

    /// <summary>Reads from <paramref name="reader"/>, which is disposed with this object.</summary>
    public SnapshotReader(IStorageReader reader)
        : this(reader, isStream: false)
    {
    }

    private SnapshotReader(IStorageReader reader, bool isStream)
    {
        source = new ChunkSource(reader);
        this.isStream = isStream;
    }

    /// <summary>
    /// The current znode's path in UTF-8: empty for the root. Valid until the next call, like the data.
    /// </summary>
    public ReadOnlySpan<byte> Path => source.Available.Slice(4, pathBytes);

    /// <summary>The current znode's data.</summary>
    public ReadOnlySpan<byte> Data => source.Available.Slice(8 + pathBytes, Math.Max(dataBytes, 0));

    /// <summary>Null data differs from empty data in a getData reply.</summary>
    public bool DataIsNull => dataBytes < 0;

    /// <summary>Id of the current znode's ACL.</summary>
    public long AclId => BinaryPrimitives.ReadInt64BigEndian(source.Available[(heldBytes - StatPersisted.Bytes - 8)..]);

    /// <summary>The current znode's metadata.</summary>
    public StatPersisted Stat
    {
        get
        {
            var reader = new JuteReader(source.Available.Slice(heldBytes - StatPersisted.Bytes, StatPersisted.Bytes));
            return StatPersisted.Read(ref reader);
        }
    }

    /// <summary>Bytes read and not needed.</summary>
    internal ReadOnlySpan<byte> Unread => source.Available;

    /// <summary>
    /// Reads the stream behind a SNAP packet, which has no header and a mark in place of the checksums and what they
    /// cover. Disposal belongs to the caller of <paramref name="reader"/>.
    /// </summary>
    internal static SnapshotReader OfStream(IStorageReader reader) => new(reader, isStream: true);

    /// <summary>The next session and its timeout; false if there are no more.</summary>
    public bool NextSession(out SessionId id, out int timeoutMs)
    {
        if (sessionsLeft < 0)
            ReadHeader();
        id = default;
        timeoutMs = 0;
        if (sessionsLeft == 0)
            return false;
        sessionsLeft--;
        Need(12, "its sessions");
        id = new SessionId(BinaryPrimitives.ReadInt64BigEndian(source.Available));
        timeoutMs = BinaryPrimitives.ReadInt32BigEndian(source.Available[8..]);
        source.Consume(12);
        return true;
    }

    /// <summary>
    /// The next ACL: its id and the encoded vector of its entries, valid until the next call; false if there are no
    /// more.
    /// </summary>
    public bool NextAcl(out long id, out ReadOnlySpan<byte> vector)
    {
        if (aclsLeft < 0)
            aclsLeft = ReadCount("ACLs");
        Release();
        id = 0;
        vector = default;
        if (aclsLeft == 0)
            return false;
        aclsLeft--;
        int length = MeasureAcl();
        id = BinaryPrimitives.ReadInt64BigEndian(source.Available);
        vector = source.Available[8..length];
        heldBytes = length;
        return true;
    }

    /// <summary>Goes to the next znode; false if there are no more.</summary>
    public bool NextNode()
    {
        Release();
        int at = NeedBuffer(0, "path", out pathBytes);
        if (pathBytes < 0)
            Throw("a path is null");
        if (pathBytes == 1 && source.Available[4] == (byte)'/')
        {
            source.Consume(at);
            return false;
        }
        at = NeedBuffer(at, "data", out dataBytes) + 8 + StatPersisted.Bytes;
        if (source.Available.Length < at)
            Need(at, "a znode");
        heldBytes = at;
        return true;
    }

    /// <summary>From the start, passes over everything up to <see cref="ReadTail"/> and calls that.</summary>
    internal SnapshotTail SkipToTail()
    {
        while (NextSession(out _, out _))
        {
        }
        while (NextAcl(out _, out _))
        {
        }
        while (NextNode())
        {
        }
        return ReadTail();
    }

    /// <summary>Reads and checks what is behind the znodes.</summary>
    public SnapshotTail ReadTail()
    {
        if (isStream)
            return ReadStreamEnd();
        const int lastZxidPartBytes = 8 + SealBytes;
        CheckSeal();
        int seals = 1;
        TxnDigest? digest = null;
        Zxid digestZxid = default;
        if (RemainingUpTo(lastZxidPartBytes + 1) is not (0 or lastZxidPartBytes))
        {
            digest = ReadDigest(out digestZxid);
            CheckSeal();
            seals++;
        }
        Zxid? last = null;
        if (RemainingUpTo(lastZxidPartBytes) == lastZxidPartBytes)
        {
            last = new Zxid(BinaryPrimitives.ReadInt64BigEndian(source.Available));
            source.Consume(8);
            CheckSeal();
            seals++;
        }
        return new SnapshotTail(seals, digest, digestZxid, last);
    }

    /// <inheritdoc/>
    public void Dispose() => source.Dispose();

    private SnapshotTail ReadStreamEnd()
    {
        int length = 4 + SnapshotStream.EndMark.Length;
        Need(length, "its end mark");
        if (BinaryPrimitives.ReadInt32BigEndian(source.Available) != SnapshotStream.EndMark.Length
            || !source.Available[4..length].SequenceEqual(SnapshotStream.EndMark))
            Throw("the mark at its end is missing");
        source.Consume(length);
        return new SnapshotTail(0, null, default, null);
    }

    private void ReadHeader()
    {
        if (isStream)
        {
            sessionsLeft = ReadCount("sessions");
            return;
        }
        Need(HeaderBytes, "its header");
        if (BinaryPrimitives.ReadInt32BigEndian(source.Available) != Magic
            || BinaryPrimitives.ReadInt32BigEndian(source.Available[4..]) != Version)
            Throw("it does not start with the mark of a snapshot, version 2");
        source.Consume(HeaderBytes);
        sessionsLeft = ReadCount("sessions");
    }

    private int ReadCount(string of)
    {
        Need(4, $"the number of {of}");
        int count = BinaryPrimitives.ReadInt32BigEndian(source.Available);
        if (count < 0)
            Throw(string.Create(CultureInfo.InvariantCulture, $"the number of {of} is {count}"));
        source.Consume(4);
        return count;
    }

    private int MeasureAcl()
    {
        Need(12, "its ACLs");
        int entries = BinaryPrimitives.ReadInt32BigEndian(source.Available[8..]);
        int at = 12;
        for (int i = 0; i < entries; i++)
        {
            at = NeedBuffer(at + 4, "ACL scheme", out _);
            at = NeedBuffer(at, "ACL id", out _);
        }
        return at;
    }

    private TxnDigest ReadDigest(out Zxid zxid)
    {
        Need(12, "its digest");
        zxid = new Zxid(BinaryPrimitives.ReadInt64BigEndian(source.Available));
        int version = BinaryPrimitives.ReadInt32BigEndian(source.Available[8..]);
        source.Consume(12);
        if (version < 2)
        {
            // A hexadecimal text, of a sum that nobody has computed since 3.6.0.
            source.Consume(NeedBuffer(0, "digest", out _));
            return new TxnDigest(version, 0);
        }
        Need(8, "its digest");
        var digest = new TxnDigest(version, BinaryPrimitives.ReadInt64BigEndian(source.Available));
        source.Consume(8);
        return digest;
    }

    private void CheckSeal()
    {
        uint sum = source.SumConsumed();
        Need(SealBytes, "its checksum");
        if (BinaryPrimitives.ReadInt64BigEndian(source.Available) != sum)
            Throw("the checksum is wrong");
        if (!source.Available.Slice(8, 5).SequenceEqual("\0\0\0\u0001/"u8))
            Throw("the mark behind the checksum is missing");
        source.Consume(SealBytes);
    }

    private int RemainingUpTo(int count)
    {
        source.Ensure(count);
        return Math.Min(source.Available.Length, count);
    }

    // Makes the length at offset `at` and the bytes it announces available; returns the offset behind them.
    private int NeedBuffer(int at, string what, out int length)
    {
        if (at > LengthMax)
            Throw("a record is longer than 512 MiB");
        if (source.Available.Length < at + 4)
            Need(at + 4, "a " + what);
        length = BinaryPrimitives.ReadInt32BigEndian(source.Available[at..]);
        if (length is < -1 or > LengthMax)
            Throw(string.Create(CultureInfo.InvariantCulture, $"a {what} has an impossible length of {length}"));
        int end = at + 4 + Math.Max(length, 0);
        if (source.Available.Length < end)
            Need(end, "a " + what);
        return end;
    }

    private void Need(int count, string what)
    {
        if (!source.Ensure(count))
            Throw($"the {(isStream ? "stream" : "file")} ends within {what}");
    }

    private void Release()
    {
        source.Consume(heldBytes);
        heldBytes = 0;
    }

    [DoesNotReturn]
    private void Throw(string what) => throw new CorruptDataException(
        string.Create(
            CultureInfo.InvariantCulture,
            $"{(isStream ? "The leader's snapshot is broken: " : "")}{what} (at offset {source.Position})"));
}
