using System.Globalization;
using System.Text;
using SharpKeeper.Core.Log;
using SharpKeeper.Protocol;

namespace SharpKeeper.Cli.Files;

/// <summary>The contents of a snapshot, as text in the layout of Apache's snapshot toolkit or as lines of JSON.</summary>
internal static class SnapshotDump
{
    internal static void WriteText(
        string path, IStorageReader source, SnapshotSummary summary, bool withData, TextWriter output)
    {
        using var reader = new SnapshotReader(source);
        SkipHead(reader, null);
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"ZNode Details (count={summary.Nodes}):"));
        while (reader.NextNode())
            output.WriteLine(NodeText(reader, withData));
        output.WriteLine("----");
        output.WriteLine("Session Details (sid, timeout, ephemeralCount):");
        foreach (SnapshotSession session in summary.Sessions)
        {
            output.WriteLine(string.Create(
                CultureInfo.InvariantCulture, $"{session.Id}, {session.TimeoutMs}, {session.Ephemerals}"));
        }
        SnapshotTail tail = summary.Tail;
        if (tail.Digest is { } digest)
        {
            output.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"Target zxid digest is: {tail.DigestZxid.Value:x}, {digest.TreeDigest}"));
        }
        output.WriteLine("----");
        StorageNames.TryParseSnapshot(Path.GetFileName(path), out Zxid named);
        output.WriteLine($"Last zxid: {tail.LastProcessed ?? named}");
    }

    internal static void WriteJson(IStorageReader source, SnapshotSummary summary, TextWriter output)
    {
        using var reader = new SnapshotReader(source);
        using var open = new JuteBuffer();
        Acl.WriteVector(open, Acl.OpenUnsafe);
        var acls = new Dictionary<long, byte[]> { [SnapshotReader.OpenAclId] = open.WrittenSpan.ToArray() };
        SkipHead(reader, acls);
        foreach (SnapshotSession session in summary.Sessions)
            output.WriteLine(SessionJson(session));
        while (reader.NextNode())
            output.WriteLine(NodeJson(reader, acls));
        using var line = new JsonLine();
        line.Writer.WriteString("kind", "end");
        line.Writer.WriteNumber("znodes", summary.Nodes);
        line.Writer.WriteNumber("checksums", summary.Tail.Seals);
        if (summary.Tail.Digest is { } digest)
        {
            line.Writer.WriteString("digestZxid", summary.Tail.DigestZxid.ToString());
            line.Writer.WriteNumber("digest", digest.TreeDigest);
        }
        if (summary.Tail.LastProcessed is { } last)
            line.Writer.WriteString("lastZxid", last.ToString());
        output.WriteLine(line.Finish());
    }

    private static void SkipHead(SnapshotReader reader, Dictionary<long, byte[]>? acls)
    {
        while (reader.NextSession(out _, out _))
        {
        }
        while (reader.NextAcl(out long id, out ReadOnlySpan<byte> vector))
            acls?.TryAdd(id, vector.ToArray());
    }

    private static string NodeText(SnapshotReader reader, bool withData)
    {
        StatPersisted stat = reader.Stat;
        var text = new StringBuilder("----").AppendLine();
        text.AppendLine(reader.Path.IsEmpty ? "/" : TxnNames.Text(reader.Path));
        text.AppendLine($"  cZxid = {Wide(stat.Czxid)}");
        text.AppendLine($"  ctime = {JavaDate(stat.Ctime)}");
        text.AppendLine($"  mZxid = {Wide(stat.Mzxid)}");
        text.AppendLine($"  mtime = {JavaDate(stat.Mtime)}");
        text.AppendLine($"  pZxid = {Wide(stat.Pzxid)}");
        text.AppendLine(CultureInfo.InvariantCulture, $"  cversion = {stat.Cversion}");
        text.AppendLine(CultureInfo.InvariantCulture, $"  dataVersion = {stat.Version}");
        text.AppendLine(CultureInfo.InvariantCulture, $"  aclVersion = {stat.Aversion}");
        text.AppendLine($"  ephemeralOwner = {Wide(stat.EphemeralOwner)}");
        if (withData)
            text.Append("  data = ").Append(reader.DataIsNull ? "null" : Convert.ToBase64String(reader.Data));
        else
            text.Append(CultureInfo.InvariantCulture, $"  dataLength = {reader.Data.Length}");
        return text.ToString();
    }

    private static string SessionJson(in SnapshotSession session)
    {
        using var line = new JsonLine();
        line.Writer.WriteString("kind", "session");
        line.Writer.WriteString("session", session.Id.ToString());
        line.Writer.WriteNumber("timeoutMs", session.TimeoutMs);
        line.Writer.WriteNumber("ephemerals", session.Ephemerals);
        return line.Finish();
    }

    private static string NodeJson(SnapshotReader reader, Dictionary<long, byte[]> acls)
    {
        StatPersisted stat = reader.Stat;
        using var line = new JsonLine();
        line.Writer.WriteString("kind", "znode");
        line.Writer.WriteString("path", reader.Path.IsEmpty ? "/" : Encoding.UTF8.GetString(reader.Path));
        TxnJson.WriteData(line.Writer, reader.Data, reader.DataIsNull);
        if (acls.TryGetValue(reader.AclId, out byte[]? vector))
            TxnJson.WriteAcl(line.Writer, vector);
        else
            line.Writer.WriteNull("acl");
        line.Writer.WriteString("czxid", new Zxid(stat.Czxid).ToString());
        line.Writer.WriteString("mzxid", new Zxid(stat.Mzxid).ToString());
        line.Writer.WriteString("pzxid", new Zxid(stat.Pzxid).ToString());
        line.Writer.WriteNumber("ctime", stat.Ctime);
        line.Writer.WriteNumber("mtime", stat.Mtime);
        line.Writer.WriteNumber("version", stat.Version);
        line.Writer.WriteNumber("storedCversion", stat.Cversion);
        line.Writer.WriteNumber("aversion", stat.Aversion);
        line.Writer.WriteString("owner", new SessionId(stat.EphemeralOwner).ToString());
        return line.Finish();
    }

    // Java's %#016x: the two characters of 0x count.
    private static string Wide(long value) => "0x" + value.ToString("x14", CultureInfo.InvariantCulture);

    private static string JavaDate(long milliseconds) =>
        milliseconds is >= 0 and < 253_402_300_800_000
            ? DateTimeOffset.FromUnixTimeMilliseconds(milliseconds)
                .ToString("ddd MMM dd HH:mm:ss 'UTC' yyyy", CultureInfo.InvariantCulture)
            : milliseconds.ToString(CultureInfo.InvariantCulture);
}
