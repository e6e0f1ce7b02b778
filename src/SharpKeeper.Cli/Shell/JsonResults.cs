using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Unicode;
using SharpKeeper.Client;
using SharpKeeper.Protocol;

namespace SharpKeeper.Cli.Shell;

/// <summary>
/// Results as JSON, one object a line. Transaction and session ids are strings in hexadecimal, for they do not fit the
/// numbers of many JSON readers; times are milliseconds since 1970; data that are not UTF-8 are base64.
/// </summary>
internal sealed class JsonResults(TextWriter output) : ShellResults
{
    private static readonly JsonWriterOptions Form =
        new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly List<string> paths = [];

    // Warnings and notes are members of the object of their command.
    private readonly List<string> notes = [];

    public override void Children(IReadOnlyList<string> names, Stat? stat) => Write(json =>
    {
        WriteStrings(json, "children", names);
        WriteStat(json, stat);
    });

    public override void Path(string path) => paths.Add(path);

    public override void EndPaths()
    {
        PathList(paths);
        paths.Clear();
    }

    public override void PathList(IReadOnlyList<string> paths) => Write(json => WriteStrings(json, "paths", paths));

    public override void Data(byte[]? data, DataForm form, Stat? stat) => Write(json =>
    {
        bool isText = form == DataForm.Text && (data is null || Utf8.IsValid(data));
        if (data is null)
            json.WriteNull("data");
        else if (isText)
            json.WriteString("data", data);
        else if (form == DataForm.HexDump)
            json.WriteString("data", Convert.ToHexStringLower(data));
        else
            json.WriteBase64String("data", data);
        json.WriteString("encoding", isText ? "utf-8" : form == DataForm.HexDump ? "hex" : "base64");
        WriteStat(json, stat);
    });

    public override void Stat(in Stat stat)
    {
        Stat known = stat;
        Write(json => WriteStat(json, known));
    }

    public override void Created(string path) => Write(json => json.WriteString("path", path));

    public override void Done() => Write(static json => json.WriteBoolean("ok", true));

    public override void AclList(IReadOnlyList<Acl> entries, Stat? stat) => Write(json =>
    {
        json.WriteStartArray("acl");
        foreach (Acl entry in entries)
        {
            json.WriteStartObject();
            json.WriteString("scheme", entry.Id.Scheme);
            json.WriteString("id", entry.Id.Id);
            json.WriteString("perms", AclText.Format(entry.Permissions));
            json.WriteEndObject();
        }
        json.WriteEndArray();
        WriteStat(json, stat);
    });

    public override void Number(long value) => Write(json => json.WriteNumber("number", value));

    public override void Identities(IReadOnlyList<AuthId> identities) => Write(json =>
    {
        json.WriteStartArray("identities");
        foreach (AuthId identity in identities)
        {
            json.WriteStartObject();
            json.WriteString("scheme", identity.Scheme);
            json.WriteString("id", identity.Id);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    });

    public override void Quota(string path, QuotaText? limits, QuotaText? usage) => Write(json =>
    {
        json.WriteString("path", path);
        if (limits is null)
        {
            json.WriteNull("quota");
            return;
        }
        json.WriteStartObject("quota");
        json.WriteNumber("count", limits.Count);
        json.WriteNumber("bytes", limits.DataBytes);
        json.WriteNumber("countHardLimit", limits.CountHard);
        json.WriteNumber("byteHardLimit", limits.DataBytesHard);
        json.WriteEndObject();
        if (usage is null)
            return;
        json.WriteStartObject("usage");
        json.WriteNumber("count", usage.Count);
        json.WriteNumber("bytes", usage.DataBytes);
        json.WriteEndObject();
    });

    public override void Text(string name, string text) => Write(json => json.WriteString(name, text));

    public override void Config(string text, Stat? stat) => Write(json =>
    {
        json.WriteString("config", text);
        WriteStat(json, stat);
    });

    public override void History(IReadOnlyList<(int Number, string Line)> lines) => Write(json =>
    {
        json.WriteStartArray("history");
        foreach ((int number, string line) in lines)
        {
            json.WriteStartObject();
            json.WriteNumber("number", number);
            json.WriteString("line", line);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    });

    public override void Note(string text) => notes.Add(text);

    public override void Warning(string text) => notes.Add(text);

    public override void Error(string message, string code, string? path)
    {
        paths.Clear();
        Write(json =>
        {
            json.WriteStartObject("error");
            json.WriteString("code", code);
            json.WriteString("message", message);
            if (path is not null)
                json.WriteString("path", path);
            json.WriteEndObject();
        });
    }

    public override void NotConnected() =>
        Error("Not connected", nameof(ErrorCode.ConnectionLoss), null);

    public override void UnknownCommand(string name, IReadOnlyList<string> usage, string? nearest) => Write(json =>
    {
        json.WriteStartObject("error");
        json.WriteString("code", "UnknownCommand");
        json.WriteString("message", $"Command not found {name}");
        if (nearest is not null)
            json.WriteString("nearest", nearest);
        json.WriteEndObject();
    });

    public override void Help(IReadOnlyList<string> lines) => Write(json => WriteStrings(json, "help", lines));

    // Events come between commands, so they leave the notes of a running command alone.
    public override void Event(in WatchedEvent watched)
    {
        WatchedEvent known = watched;
        WriteLine(json =>
        {
            json.WriteStartObject("event");
            json.WriteString("state", WatchedEventText.StateName(known.State));
            json.WriteString("type", known.Type.ToString());
            json.WriteString("path", known.Path);
            if (known.Zxid != WatchedEvent.NoZxid)
                json.WriteString("zxid", known.Zxid.ToString());
            json.WriteEndObject();
        });
    }

    private void Write(Action<Utf8JsonWriter> members)
    {
        WriteLine(json =>
        {
            members(json);
            if (notes.Count > 0)
                WriteStrings(json, "notes", notes);
        });
        notes.Clear();
    }

    private void WriteLine(Action<Utf8JsonWriter> members)
    {
        ArrayBufferWriter<byte> bytes = new();
        using (Utf8JsonWriter json = new(bytes, Form))
        {
            json.WriteStartObject();
            members(json);
            json.WriteEndObject();
        }
        output.WriteLine(Encoding.UTF8.GetString(bytes.WrittenSpan));
    }

    private static void WriteStrings(Utf8JsonWriter json, string name, IReadOnlyList<string> values)
    {
        json.WriteStartArray(name);
        foreach (string value in values)
            json.WriteStringValue(value);
        json.WriteEndArray();
    }

    private static void WriteStat(Utf8JsonWriter json, Stat? stat)
    {
        if (stat is not { } known)
            return;
        json.WriteStartObject("stat");
        json.WriteString("cZxid", StatText.Hex(known.Czxid));
        json.WriteNumber("ctime", known.Ctime);
        json.WriteString("mZxid", StatText.Hex(known.Mzxid));
        json.WriteNumber("mtime", known.Mtime);
        json.WriteString("pZxid", StatText.Hex(known.Pzxid));
        json.WriteNumber("cversion", known.Cversion);
        json.WriteNumber("dataVersion", known.Version);
        json.WriteNumber("aclVersion", known.Aversion);
        json.WriteString("ephemeralOwner", StatText.Hex(known.EphemeralOwner));
        json.WriteNumber("dataLength", known.DataLength);
        json.WriteNumber("numChildren", known.NumChildren);
        json.WriteEndObject();
    }
}
