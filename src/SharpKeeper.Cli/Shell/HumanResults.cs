using System.Globalization;
using System.Text;
using SharpKeeper.Client;
using SharpKeeper.Protocol;

namespace SharpKeeper.Cli.Shell;

/// <summary>
/// Results as zkCli prints them; names of stat lines are coloured on request. Each call makes one write, so that an
/// event from another thread cannot land inside a result.
/// </summary>
internal sealed class HumanResults(TextWriter output, TextWriter errors, TimeZoneInfo zone, bool hasColour)
    : ShellResults
{
    private const string Cyan = "\u001b[36m";
    private const string Plain = "\u001b[0m";

    public override void Children(IReadOnlyList<string> names, Stat? stat) =>
        output.Write(AppendStat(AppendList(new StringBuilder(), names), stat));

    public override void Path(string path) => output.WriteLine(path);

    public override void EndPaths()
    {
    }

    public override void PathList(IReadOnlyList<string> paths) =>
        output.Write(AppendList(new StringBuilder(), paths));

    public override void Data(byte[]? data, DataForm form, Stat? stat)
    {
        StringBuilder text = new();
        if (form == DataForm.HexDump && data is not null)
            text.Append(HexDump.Format(data));
        else if (form == DataForm.Base64 && data is not null)
            text.AppendLine(Convert.ToBase64String(data));
        else
            text.AppendLine(data is null ? "null" : Encoding.UTF8.GetString(data));
        output.Write(AppendStat(text, stat));
    }

    public override void Stat(in Stat stat) => output.Write(AppendStat(new StringBuilder(), stat));

    // Like every zkCli, on the error stream.
    public override void Created(string path) => errors.WriteLine($"Created {path}");

    public override void Done()
    {
    }

    public override void AclList(IReadOnlyList<Acl> entries, Stat? stat)
    {
        StringBuilder text = new();
        foreach (Acl entry in entries)
        {
            text.AppendLine($"'{entry.Id.Scheme},'{entry.Id.Id}");
            text.AppendLine($": {AclText.Format(entry.Permissions)}");
        }
        output.Write(AppendStat(text, stat));
    }

    public override void Number(long value) => output.WriteLine(value.ToString(CultureInfo.InvariantCulture));

    public override void Identities(IReadOnlyList<AuthId> identities)
    {
        StringBuilder text = new();
        text.AppendLine("Auth scheme: User");
        foreach (AuthId identity in identities)
            text.AppendLine($"{identity.Scheme}: {identity.Id}");
        output.Write(text);
    }

    public override void Quota(string path, QuotaText? limits, QuotaText? usage)
    {
        if (limits is null)
        {
            errors.WriteLine($"quota for {path} does not exist.");
            return;
        }
        StringBuilder text = new();
        text.AppendLine($"Output quota for {path} {limits.Format()}");
        if (usage is not null)
            text.AppendLine($"Output stat for {path} {usage.FormatUsage()}");
        output.Write(text);
    }

    public override void Text(string name, string text) => output.WriteLine(text);

    public override void Config(string text, Stat? stat) =>
        output.Write(AppendStat(new StringBuilder().AppendLine(text), stat));

    public override void History(IReadOnlyList<(int Number, string Line)> lines)
    {
        StringBuilder text = new();
        foreach ((int number, string line) in lines)
            text.Append(CultureInfo.InvariantCulture, $"{number} - {line}").AppendLine();
        output.Write(text);
    }

    public override void Note(string text) => errors.WriteLine(text);

    public override void Warning(string text) => output.WriteLine(text);

    public override void Error(string message, string code, string? path) => errors.WriteLine(message);

    public override void NotConnected() => output.WriteLine("Not connected");

    public override void UnknownCommand(string name, IReadOnlyList<string> usage, string? nearest)
    {
        StringBuilder text = AppendLines(usage);
        text.AppendLine($"Command not found: Command not found {name}");
        if (nearest is not null)
            text.AppendLine($"Did you mean '{nearest}'?");
        errors.Write(text);
    }

    public override void Help(IReadOnlyList<string> lines) => output.Write(AppendLines(lines));

    public override void Event(in WatchedEvent watched)
    {
        StringBuilder text = new();
        text.AppendLine().AppendLine("WATCHER::").AppendLine().AppendLine(WatchedEventText.Format(watched));
        output.Write(text);
    }

    private static StringBuilder AppendLines(IReadOnlyList<string> lines)
    {
        StringBuilder text = new();
        foreach (string line in lines)
            text.AppendLine(line);
        return text;
    }

    private static StringBuilder AppendList(StringBuilder text, IReadOnlyList<string> names) =>
        text.Append('[').AppendJoin(", ", names).Append(']').AppendLine();

    private StringBuilder AppendStat(StringBuilder text, Stat? stat)
    {
        if (stat is not { } known)
            return text;
        foreach ((string name, string value) in StatText.Lines(known, zone))
            text.AppendLine(hasColour ? $"{Cyan}{name}{Plain} = {value}" : $"{name} = {value}");
        return text;
    }
}
