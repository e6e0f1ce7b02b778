using System.Buffers.Binary;
using System.Text;
using SharpKeeper.Core.Log;
using SharpKeeper.Protocol;

namespace SharpKeeper.LogTests;

/// <summary>Builds log files in memory.</summary>
internal sealed class LogImage
{
    private readonly TxnBatch batch = new();

    public static readonly byte[] OpenAcl = Encode(Acl.OpenUnsafe);

    public long Time { get; set; } = 1_700_000_000_000;

    public IReadOnlyList<TxnEntry> Entries => batch.Entries;

    public static byte[] Encode(IReadOnlyList<Acl> acl)
    {
        using var buffer = new JuteBuffer();
        Acl.WriteVector(buffer, acl);
        return buffer.WrittenSpan.ToArray();
    }

    public static byte[] Utf8(string text) => Encoding.UTF8.GetBytes(text);

    public LogImage Add(long zxid, OpCode type, Action<JuteBuffer> record, long session = 0, long? digest = null)
    {
        JuteBuffer output = batch.BeginEntry();
        new TxnHeader(session, 1, zxid, Time, type).Write(output);
        record(output);
        if (digest is { } value)
            TxnRecords.WriteDigest(output, value);
        batch.EndEntry(new Zxid(zxid));
        return this;
    }

    public LogImage AddCreate(long zxid, string path, string data = "", bool isEphemeral = false, long session = 0) =>
        Add(
            zxid, OpCode.Create,
            output => TxnRecords.WriteCreate(output, Utf8(path), Utf8(data), false, OpenAcl, isEphemeral, -1), session);

    public byte[] Payload(int index)
    {
        batch.Seal();
        return batch.Payload(index).ToArray();
    }

    /// <summary>The file: header, entries, padding.</summary>
    public byte[] ToFile(int padding = 0)
    {
        batch.Seal();
        var file = new byte[TxnLogReader.HeaderBytes + batch.Bytes.Length + padding];
        BinaryPrimitives.WriteInt32BigEndian(file, TxnLogReader.Magic);
        BinaryPrimitives.WriteInt32BigEndian(file.AsSpan(4), TxnLogReader.Version);
        batch.Bytes.Span.CopyTo(file.AsSpan(TxnLogReader.HeaderBytes));
        return file;
    }
}

/// <summary>Reads bytes in pieces of a given size.</summary>
internal sealed class PieceReader(byte[] bytes, int pieceBytes = int.MaxValue) : IStorageReader
{
    private int position;

    /// <summary>The longest destination that was offered.</summary>
    public int OfferedMax { get; private set; }

    public int Read(Span<byte> destination)
    {
        OfferedMax = Math.Max(OfferedMax, destination.Length);
        int count = Math.Min(Math.Min(destination.Length, pieceBytes), bytes.Length - position);
        bytes.AsSpan(position, count).CopyTo(destination);
        position += count;
        return count;
    }

    public void Dispose()
    {
    }
}
