using System.Globalization;
using System.Text;
using SharpKeeper.Protocol;

namespace SharpKeeper.CompatTests.Differential;

/// <summary>
/// Writes replies as text that two servers should agree on: zxids relative to the start of the script, sessions by the
/// order of their coming, times left out, lists without a defined order sorted.
/// </summary>
internal static class ReplyText
{
    /// <summary>The body of a reply to <paramref name="op"/>.</summary>
    public static string Body(Side side, OpCode op, int error, ref JuteReader reader)
    {
        var text = new StringBuilder();
        bool hasResults = op is OpCode.Multi or OpCode.MultiRead && reader.Remaining > 0;
        if (error == 0 || hasResults)
            AppendBody(side, op, ref reader, text);
        if (reader.Failed)
            text.Append(" MALFORMED");
        else if (reader.Remaining > 0)
            text.Append(" rest ").Append(Convert.ToHexString(reader.Rest));
        return text.ToString();
    }

    private static void AppendBody(Side side, OpCode op, ref JuteReader reader, StringBuilder text)
    {
        switch (op)
        {
            case OpCode.Create or OpCode.Sync:
                text.Append(' ').Append(reader.ReadString() ?? "(null)");
                break;
            case OpCode.Create2 or OpCode.CreateContainer or OpCode.CreateTtl:
                text.Append(' ').Append(reader.ReadString() ?? "(null)");
                AppendStat(side, ref reader, text);
                break;
            case OpCode.Exists or OpCode.SetData or OpCode.SetAcl:
                AppendStat(side, ref reader, text);
                break;
            case OpCode.GetData:
                AppendData(ref reader, text);
                AppendStat(side, ref reader, text);
                break;
            case OpCode.GetAcl:
                AppendAcl(ref reader, text);
                AppendStat(side, ref reader, text);
                break;
            case OpCode.GetChildren or OpCode.GetEphemerals:
                AppendSet(ReadStrings(ref reader), text);
                break;
            case OpCode.GetChildren2:
                AppendSet(ReadStrings(ref reader), text);
                AppendStat(side, ref reader, text);
                break;
            case OpCode.GetAllChildrenNumber or OpCode.AddWatch:
                text.Append(CultureInfo.InvariantCulture, $" {reader.ReadInt32()}");
                break;
            case OpCode.WhoAmI:
                AppendSet(ReadIdentities(ref reader), text);
                break;
            case OpCode.Sasl:
                AppendData(ref reader, text);
                break;
            case OpCode.Multi or OpCode.MultiRead:
                AppendResults(side, ref reader, text);
                break;
        }
    }

    private static void AppendResults(Side side, ref JuteReader reader, StringBuilder text)
    {
        while (!reader.Failed)
        {
            int type = reader.ReadInt32();
            bool isDone = reader.ReadBoolean();
            int error = reader.ReadInt32();
            text.Append(CultureInfo.InvariantCulture, $" ({type} {isDone} {error}:");
            if (isDone)
            {
                text.Append(')');
                return;
            }
            if (type == -1)
                text.Append(CultureInfo.InvariantCulture, $" {reader.ReadInt32()}");
            else
                AppendBody(side, (OpCode)type, ref reader, text);
            text.Append(')');
        }
    }

    private static void AppendStat(Side side, ref JuteReader reader, StringBuilder text)
    {
        Stat stat = Stat.Read(ref reader);
        text.Append(CultureInfo.InvariantCulture, $" stat(c {side.ZxidText(stat.Czxid)} m {side.ZxidText(stat.Mzxid)}");
        text.Append(CultureInfo.InvariantCulture, $" p {side.ZxidText(stat.Pzxid)} v {stat.Version}");
        text.Append(CultureInfo.InvariantCulture, $" cv {stat.Cversion}");
        text.Append(CultureInfo.InvariantCulture, $" av {stat.Aversion} owner {side.SessionText(stat.EphemeralOwner)}");
        text.Append(CultureInfo.InvariantCulture, $" len {stat.DataLength} ch {stat.NumChildren}");
        // Built-in znodes have no times; all others were made while the test ran.
        if (stat.Ctime == 0)
            text.Append(" untimed");
        else if (stat.Ctime < side.StartMs || stat.Mtime < stat.Ctime)
            text.Append(" BAD TIMES");
        text.Append(')');
    }

    private static void AppendData(ref JuteReader reader, StringBuilder text)
    {
        ReadOnlySpan<byte> data = reader.ReadBuffer(out bool isNull);
        string shown = data.Length > 200 ? $"{data.Length} bytes" : Encoding.UTF8.GetString(data);
        text.Append(isNull ? " (null)" : $" '{shown}'");
    }

    private static void AppendAcl(ref JuteReader reader, StringBuilder text)
    {
        foreach (Acl entry in Acl.ReadVector(ref reader) ?? [])
            text.Append(CultureInfo.InvariantCulture, $" {(int)entry.Permissions}:{entry.Id.Scheme}:{entry.Id.Id}");
    }

    private static List<string> ReadStrings(ref JuteReader reader)
    {
        int count = reader.ReadVectorCount(4);
        var strings = new List<string>();
        for (int i = 0; i < count; i++)
            strings.Add(reader.ReadString() ?? "(null)");
        return strings;
    }

    private static List<string> ReadIdentities(ref JuteReader reader)
    {
        int count = reader.ReadVectorCount(8);
        var identities = new List<string>();
        for (int i = 0; i < count; i++)
            identities.Add($"{reader.ReadString()}:{reader.ReadString()}");
        return identities;
    }

    private static void AppendSet(List<string> strings, StringBuilder text) =>
        text.Append(" {").AppendJoin(' ', strings.Order(StringComparer.Ordinal)).Append('}');
}
