using System.Buffers.Binary;
using SharpKeeper.Core.Log;

namespace SharpKeeper.LogTests;

public class TxnLogReaderTests
{
    private static LogImage FiveCreates()
    {
        var image = new LogImage();
        for (int i = 1; i <= 5; i++)
            image.AddCreate(i, $"/n{i}", new string('x', i * 10));
        return image;
    }

    private static (List<long> Zxids, LogReadStatus Status, long Offset) Read(byte[] file, int pieceBytes = int.MaxValue)
    {
        using var reader = new TxnLogReader(new PieceReader(file, pieceBytes));
        var zxids = new List<long>();
        while (reader.Next())
            zxids.Add(reader.Zxid.Value);
        return (zxids, reader.Status, reader.Offset);
    }

    private static int EntryStart(LogImage image, int index) =>
        TxnLogReader.HeaderBytes + image.Entries[index].PayloadOffset - TxnBatch.EntryHeadBytes;

    private static int EntryEnd(LogImage image, int index) =>
        TxnLogReader.HeaderBytes + image.Entries[index].PayloadOffset + image.Entries[index].PayloadLength + 1;

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(11)]
    [InlineData(12)]
    [InlineData(4096)]
    [InlineData(1_000_000)]
    public void Next_ends_at_the_end_of_the_file_or_at_its_padding(int padding)
    {
        LogImage image = FiveCreates();
        (List<long> zxids, LogReadStatus status, long offset) = Read(image.ToFile(padding));
        Assert.Equal([1, 2, 3, 4, 5], zxids);
        Assert.Equal(LogReadStatus.End, status);
        Assert.Equal(EntryEnd(image, 4), offset);
    }

    [Fact]
    public void Next_reads_the_same_from_pieces_of_any_size()
    {
        byte[] file = FiveCreates().ToFile(100);
        (List<long> zxids, LogReadStatus status, long offset) = Read(file);
        for (int piece = 1; piece < 40; piece++)
        {
            (List<long> Zxids, LogReadStatus Status, long Offset) pieces = Read(file, piece);
            Assert.Equal(zxids, pieces.Zxids);
            Assert.Equal((status, offset), (pieces.Status, pieces.Offset));
        }
    }

    [Fact]
    public void Every_cut_of_a_file_gives_a_prefix_of_its_entries()
    {
        LogImage image = FiveCreates();
        byte[] file = image.ToFile();
        for (int length = 0; length <= file.Length; length++)
        {
            (List<long> zxids, LogReadStatus status, long _) = Read(file[..length]);
            int whole = Enumerable.Range(0, 5).Count(index => EntryEnd(image, index) <= length);
            Assert.Equal(Enumerable.Range(1, whole).Select(static i => (long)i), zxids);
            bool isBoundary = length == TxnLogReader.HeaderBytes || (whole > 0 && EntryEnd(image, whole - 1) == length);
            // Up to four bytes of an entry may be the zeros of its checksum, which padding has as well.
            bool looksPadded = !file.AsSpan(whole == 0 ? 16 : EntryEnd(image, whole - 1), Math.Max(0, length
                - (whole == 0 ? 16 : EntryEnd(image, whole - 1)))).ContainsAnyExcept((byte)0);
            LogReadStatus expected = length < TxnLogReader.HeaderBytes ? LogReadStatus.NoHeader
                : isBoundary || looksPadded ? LogReadStatus.End
                : LogReadStatus.TornTail;
            Assert.Equal(expected, status);
        }
    }

    [Fact]
    public void Every_cut_with_zeros_behind_gives_a_prefix_of_its_entries()
    {
        LogImage image = FiveCreates();
        byte[] file = image.ToFile(500);
        for (int length = TxnLogReader.HeaderBytes; length < EntryEnd(image, 4); length++)
        {
            byte[] cut = [.. file];
            cut.AsSpan(length).Clear();
            (List<long> zxids, LogReadStatus status, long _) = Read(cut);
            int whole = Enumerable.Range(0, 5).Count(index => EntryEnd(image, index) <= length);
            Assert.Equal(Enumerable.Range(1, whole).Select(static i => (long)i), zxids);
            Assert.True(status is LogReadStatus.End or LogReadStatus.TornTail, $"{status} at {length}");
        }
    }

    [Fact]
    public void Missing_end_mark_is_a_torn_tail_only_at_the_end()
    {
        LogImage image = FiveCreates();
        byte[] last = image.ToFile(100);
        last[EntryEnd(image, 4) - 1] = 0;
        Assert.Equal(LogReadStatus.TornTail, Read(last).Status);

        byte[] middle = image.ToFile(100);
        middle[EntryEnd(image, 2) - 1] = 0;
        (List<long> zxids, LogReadStatus status, long offset) = Read(middle);
        Assert.Equal([1, 2], zxids);
        Assert.Equal(LogReadStatus.Damage, status);
        Assert.Equal(EntryStart(image, 2), offset);
    }

    [Theory]
    [InlineData(2)]
    [InlineData(4)]
    public void Wrong_checksum_is_damage_even_at_the_end(int index)
    {
        LogImage image = FiveCreates();
        byte[] file = image.ToFile(100);
        file[image.Entries[index].PayloadOffset + TxnLogReader.HeaderBytes + 3] ^= 1;
        (List<long> zxids, LogReadStatus status, long offset) = Read(file);
        Assert.Equal(index, zxids.Count);
        Assert.Equal(LogReadStatus.Damage, status);
        Assert.Equal(EntryStart(image, index), offset);
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(int.MinValue)]
    [InlineData(int.MaxValue)]
    [InlineData(TxnLogReader.PayloadBytesMax + 1)]
    public void Impossible_length_is_damage(int length)
    {
        LogImage image = FiveCreates();
        byte[] file = image.ToFile();
        BinaryPrimitives.WriteInt32BigEndian(file.AsSpan(EntryStart(image, 4) + 8), length);
        Assert.Equal(LogReadStatus.Damage, Read(file).Status);
    }

    [Fact]
    public void Length_beyond_the_file_is_damage_if_entries_follow()
    {
        LogImage image = FiveCreates();
        byte[] file = image.ToFile();
        BinaryPrimitives.WriteInt32BigEndian(file.AsSpan(EntryStart(image, 2) + 8), 1_000_000);
        using var reader = new TxnLogReader(new PieceReader(file));
        Assert.True(reader.Next() && reader.Next());
        Assert.False(reader.Next());
        Assert.Equal(LogReadStatus.Damage, reader.Status);
        Assert.Equal(EntryStart(image, 3), reader.NextEntryOffset);
    }

    [Fact]
    public void Hole_of_zeros_before_entries_is_damage()
    {
        LogImage image = FiveCreates();
        byte[] file = image.ToFile(50);
        file.AsSpan(EntryStart(image, 2), EntryEnd(image, 2) - EntryStart(image, 2)).Clear();
        (List<long> zxids, LogReadStatus status, long offset) = Read(file);
        Assert.Equal([1, 2], zxids);
        Assert.Equal((LogReadStatus.Damage, EntryStart(image, 2)), (status, offset));
    }

    [Fact]
    public void Resume_goes_on_behind_every_damage()
    {
        LogImage image = FiveCreates();
        byte[] file = image.ToFile(50);
        file[EntryStart(image, 1) + 20] ^= 0x40;
        file[EntryEnd(image, 3) - 1] = 0;
        using var reader = new TxnLogReader(new PieceReader(file, 7));
        Assert.True(reader.Next());
        Assert.False(reader.Next());
        Assert.True(reader.Resume());
        Assert.Equal((3L, EntryStart(image, 2)), (reader.Zxid.Value, reader.Offset));
        Assert.False(reader.Next());
        Assert.True(reader.Resume());
        Assert.Equal(5, reader.Zxid.Value);
        Assert.False(reader.Next());
        Assert.Equal(LogReadStatus.End, reader.Status);
        Assert.False(reader.Resume());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(7)]
    [InlineData(15)]
    public void Header_cut_off_means_no_entries(int length) =>
        Assert.Equal(LogReadStatus.NoHeader, Read(FiveCreates().ToFile()[..length]).Status);

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    [InlineData(7)]
    public void Header_cut_off_with_zeros_behind_means_no_entries(int length)
    {
        byte[] file = FiveCreates().ToFile();
        file.AsSpan(length).Clear();
        Assert.Equal(LogReadStatus.NoHeader, Read(file).Status);
    }

    [Fact]
    public void File_of_zeros_means_no_entries() =>
        Assert.Equal(LogReadStatus.NoHeader, Read(new byte[100_000]).Status);

    [Theory]
    [InlineData(0)]
    [InlineData(7)]
    public void Wrong_mark_or_version_is_damage(int at)
    {
        byte[] file = FiveCreates().ToFile();
        file[at] ^= 1;
        (List<long> zxids, LogReadStatus status, long offset) = Read(file);
        Assert.Empty(zxids);
        Assert.Equal((LogReadStatus.Damage, 0), (status, offset));
    }

    [Fact]
    public void Damaged_length_allocates_nothing_in_its_proportion()
    {
        LogImage image = FiveCreates();
        byte[] file = image.ToFile();
        BinaryPrimitives.WriteInt32BigEndian(file.AsSpan(EntryStart(image, 4) + 8), TxnLogReader.PayloadBytesMax);
        var pieces = new PieceReader(file);
        using var reader = new TxnLogReader(pieces);
        while (reader.Next())
        {
        }
        Assert.Equal(LogReadStatus.TornTail, reader.Status);
        Assert.True(pieces.OfferedMax <= 1 << 20, $"{pieces.OfferedMax} bytes were offered");
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Mutated_real_logs_are_read_without_a_crash(int seed)
    {
        MemoryStorageDevice device = ApacheFixture.Load("standalone");
        var random = new Random(seed);
        foreach (LogFile log in StorageListing.Logs(device))
        {
            byte[] file = Mutation.Of(device.Get(StorageArea.Logs, log.Name), random);
            using var reader = new TxnLogReader(new PieceReader(file, random.Next(1, 5000)));
            int entries = 0;
            do
            {
                while (reader.Next())
                {
                    TxnRecords.TryRead(reader.Payload, out _);
                    entries++;
                }
            }
            while (reader.Resume());
            Assert.InRange(entries, 0, 300);
        }
    }

    public static TheoryData<int> Seeds() => [.. Enumerable.Range(1, 100)];
}

/// <summary>Damages bytes as disks and people do.</summary>
internal static class Mutation
{
    public static byte[] Of(byte[] original, Random random)
    {
        byte[] bytes = [.. original];
        for (int count = random.Next(1, 6); count > 0 && bytes.Length > 0; count--)
        {
            int at = random.Next(bytes.Length);
            int length = Math.Min(random.Next(1, 600), bytes.Length - at);
            switch (random.Next(6))
            {
                case 0:
                    bytes[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 1:
                    bytes.AsSpan(at, length).Clear();
                    break;
                case 2:
                    random.NextBytes(bytes.AsSpan(at, length));
                    break;
                case 3:
                    bytes = bytes[..at];
                    break;
                case 4:
                    bytes = [.. bytes[..at], .. bytes[(at + length)..]];
                    break;
                default:
                    bytes = [.. bytes[..at], .. bytes[at..(at + length)], .. bytes[at..]];
                    break;
            }
        }
        return bytes;
    }
}
