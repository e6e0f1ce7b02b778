using System.Globalization;
using System.Text;
using SharpKeeper.Protocol;

namespace SharpKeeper.ReplicaTests;

/// <summary>Bodies of replies as text, for comparing and for golden files.</summary>
internal static class WireText
{
    /// <summary>The body of a successful reply to <paramref name="op"/>.</summary>
    public static string Body(OpCode op, ReadOnlySpan<byte> bytes)
    {
        var reader = new JuteReader(bytes);
        string text = op is OpCode.Multi or OpCode.MultiRead ? Multi(ref reader) : Result(op, ref reader);
        if (reader.Failed)
            return text + " CUT OFF";
        return reader.Remaining == 0
            ? text
            : string.Create(CultureInfo.InvariantCulture, $"{text} AND {reader.Remaining} BYTES");
    }

    public static string Event(ReadOnlySpan<byte> bytes)
    {
        var reader = new JuteReader(bytes);
        var type = (WatchEventType)reader.ReadInt32();
        Assert.Equal(3, reader.ReadInt32());
        string text = $"{type} {reader.ReadString()}";
        Assert.False(reader.Failed);
        Assert.Equal(0, reader.Remaining);
        return text;
    }

    public static string Of(in Stat stat) => string.Create(
        CultureInfo.InvariantCulture,
        $"[c{stat.Czxid} m{stat.Mzxid} p{stat.Pzxid} ct{Time(stat.Ctime)} mt{Time(stat.Mtime)} v{stat.Version} " +
        $"cv{stat.Cversion} av{stat.Aversion} eo{stat.EphemeralOwner:x} len{stat.DataLength} kids{stat.NumChildren}]");

    public static string Data(byte[]? data) => data is null ? "null" : "'" + Encoding.UTF8.GetString(data) + "'";

    public static string Names(IEnumerable<string> names) =>
        "(" + string.Join(", ", names.Order(StringComparer.Ordinal)) + ")";

    public static string Of(IEnumerable<Acl> entries) => "(" + string.Join(", ", entries.Select(
        entry => string.Create(
            CultureInfo.InvariantCulture, $"{entry.Id.Scheme}:{entry.Id.Id}:{(int)entry.Permissions}"))) + ")";

    /// <summary>A part of a multi's reply that failed.</summary>
    public static string Failed(ErrorCode error) =>
        string.Create(CultureInfo.InvariantCulture, $"error {error}({(int)error})");

    /// <summary>A part of a multi's reply.</summary>
    public static string Part(OpCode op, string body) => body.Length == 0 ? op.ToString() : op + " " + body;

    private static string Time(long ms) => ms == 0
        ? "0"
        : "+" + (ms - ReplicaHarness.StartWallMs).ToString(CultureInfo.InvariantCulture);

    private static string Multi(ref JuteReader reader)
    {
        var parts = new List<string>();
        while (!reader.Failed)
        {
            var op = (OpCode)reader.ReadInt32();
            bool isDone = reader.ReadBoolean();
            int error = reader.ReadInt32();
            if (isDone)
            {
                Assert.Equal((OpCode.Error, -1), (op, error));
                break;
            }
            if (op != OpCode.Error)
            {
                Assert.Equal(0, error);
                parts.Add(Part(op, Result(op, ref reader)));
                continue;
            }
            Assert.Equal(error, reader.ReadInt32());
            parts.Add(Failed((ErrorCode)error));
        }
        return "{" + string.Join(" | ", parts) + "}";
    }

    private static string Result(OpCode op, ref JuteReader reader)
    {
        switch (op)
        {
            case OpCode.Create:
            case OpCode.Sync:
                return reader.ReadString() ?? "null";
            case OpCode.Create2:
            case OpCode.CreateContainer:
            case OpCode.CreateTtl:
                return (reader.ReadString() ?? "null") + " " + Of(Stat.Read(ref reader));
            case OpCode.Exists:
            case OpCode.SetData:
            case OpCode.SetAcl:
                return Of(Stat.Read(ref reader));
            case OpCode.GetData:
                byte[] data = reader.ReadBuffer(out bool isNull).ToArray();
                return Data(isNull ? null : data) + " " + Of(Stat.Read(ref reader));
            case OpCode.GetAcl:
                return Of(Acl.ReadVector(ref reader) ?? []) + " " + Of(Stat.Read(ref reader));
            case OpCode.GetChildren:
            case OpCode.GetEphemerals:
                return Names(Strings(ref reader));
            case OpCode.GetChildren2:
                return Names(Strings(ref reader)) + " " + Of(Stat.Read(ref reader));
            case OpCode.AddWatch:
            case OpCode.GetAllChildrenNumber:
                return reader.ReadInt32().ToString(CultureInfo.InvariantCulture);
            case OpCode.WhoAmI:
                int count = reader.ReadVectorCount(8);
                var ids = new List<string>();
                for (int i = 0; i < count; i++)
                    ids.Add(reader.ReadString() + ":" + reader.ReadString());
                return "(" + string.Join(", ", ids) + ")";
            default:
                return "";
        }
    }

    private static List<string> Strings(ref JuteReader reader)
    {
        int count = reader.ReadVectorCount(4);
        var texts = new List<string>();
        for (int i = 0; i < count; i++)
            texts.Add(reader.ReadString() ?? "null");
        return texts;
    }
}
