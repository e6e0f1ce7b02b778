using System.CommandLine;
using System.Globalization;
using SharpKeeper.Cli.Files;
using SharpKeeper.Core.Log;
using SharpKeeper.Server.Storage;

namespace SharpKeeper.Cli.Commands;

/// <summary><c>sharpkeeper log</c>: looks into transaction log files, of Apache's servers too.</summary>
internal static class LogCommand
{
    internal static Command Create()
    {
        Command command = new("log", "Show, check and repair transaction logs, Apache's too");
        command.Subcommands.Add(CreateDump());
        command.Subcommands.Add(CreateVerify());
        command.Subcommands.Add(CreateRepair());
        return command;
    }

    private static Command CreateDump()
    {
        Argument<string[]> files = FileCommands.Files("Log files");
        Option<bool> json = FileCommands.Json();
        Option<bool> data = new("--data") { Description = "Print all data; what is no short text in base64." };
        Command command = new("dump", "Print every transaction");
        command.Arguments.Add(files);
        command.Options.Add(json);
        command.Options.Add(data);
        command.SetAction(parsed => FileCommands.ForEach(parsed, files, path =>
            Dump(path, parsed.GetValue(json), parsed.GetValue(data), parsed.InvocationConfiguration)));
        return command;
    }

    private static Command CreateVerify()
    {
        Argument<string[]> files = FileCommands.Files("Log files");
        Option<bool> json = FileCommands.Json();
        Command command = new("verify", "Check every entry; exit code 1 if one is damaged");
        command.Arguments.Add(files);
        command.Options.Add(json);
        command.SetAction(parsed => FileCommands.ForEach(parsed, files, path =>
            Verify(path, parsed.GetValue(json), parsed.InvocationConfiguration)));
        return command;
    }

    private static Command CreateRepair()
    {
        Argument<string> file = new("file") { Description = "Log file." };
        Option<string> output = new("--output", "-o")
        {
            Description = "The copy to write; it must not exist.",
            Required = true,
        };
        Command command = new("repair", "Write a copy that ends before the first damage; the file itself stays as it is");
        command.Arguments.Add(file);
        command.Options.Add(output);
        command.SetAction(parsed => FileCommands.Guard(parsed, parsed.GetRequiredValue(file), path =>
            Repair(path, parsed.GetRequiredValue(output), parsed.InvocationConfiguration)));
        return command;
    }

    private static bool Dump(string path, bool isJson, bool wholeData, InvocationConfiguration console)
    {
        using var reader = new TxnLogReader(StorageFiles.OpenRead(path));
        long count = 0;
        if (!isJson)
            console.Output.WriteLine("ZooKeeper Transactional Log File with dbid 0 txnlog format version 2");
        for (; reader.Next(); count++)
        {
            if (!TxnRecords.TryRead(reader.Payload, out TxnView txn))
                return Fail(console, path, reader.Offset, "it holds no transaction that is known");
            console.Output.WriteLine(isJson ? JsonLine(path, reader.Offset, txn) : TxnText.Line(txn, wholeData));
        }
        if (reader.Status == LogReadStatus.Damage)
            return Fail(console, path, reader.Offset, reader.Reason);
        if (reader.Status != LogReadStatus.End)
            console.Error.WriteLine(Place(path, reader.Offset, reader.Reason));
        if (!isJson)
            console.Output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"EOF reached after {count} txns."));
        return true;
    }

    private static string JsonLine(string path, long offset, scoped in TxnView txn)
    {
        using var line = new JsonLine();
        line.Writer.WriteString("file", path);
        line.Writer.WriteNumber("offset", offset);
        TxnJson.Write(line.Writer, txn);
        return line.Finish();
    }

    private static bool Fail(InvocationConfiguration console, string path, long offset, string reason)
    {
        console.Error.WriteLine(Place(path, offset, reason));
        return false;
    }

    private static string Place(string path, long offset, string reason) =>
        string.Create(CultureInfo.InvariantCulture, $"{path}: offset {offset}: {reason}");

    private static bool Verify(string path, bool isJson, InvocationConfiguration console)
    {
        LogInspection found = LogInspection.Run(StorageFiles.OpenRead(path));
        console.Output.WriteLine(isJson ? VerdictJson(path, found) : VerdictText(path, found));
        return found.Faults.Count == 0;
    }

    private static string VerdictText(string path, LogInspection found)
    {
        string range = found.Entries == 0 ? "" : $", {found.First} to {found.Last}";
        List<string> lines =
        [
            string.Create(
                CultureInfo.InvariantCulture,
                $"{path}: {found.Entries} entries{range}, end at offset {found.End}, damaged places: {found.Faults.Count}"),
        ];
        foreach (LogFault fault in found.Faults)
        {
            long behind = found.Entries - fault.EntriesBefore;
            string before = fault.EntriesBefore == 0 ? "" : $", the last {fault.LastBefore}";
            string resumes = fault.ResumesAt < 0
                ? ""
                : string.Create(CultureInfo.InvariantCulture, $", from offset {fault.ResumesAt} on");
            lines.Add(string.Create(
                CultureInfo.InvariantCulture,
                $"  offset {fault.Offset}: {fault.Reason}; {fault.EntriesBefore} whole entries before it{before}; "
                + $"{behind} behind it{resumes}"));
        }
        if (found.Status == LogReadStatus.TornTail)
            lines.Add($"  behind the end: {found.Reason}; a server drops this entry and goes on");
        else if (found.Status == LogReadStatus.NoHeader)
            lines.Add($"  {found.Reason}; a server passes it over");
        return string.Join(Environment.NewLine, lines);
    }

    private static string VerdictJson(string path, LogInspection found)
    {
        using var line = new JsonLine();
        line.Writer.WriteString("file", path);
        line.Writer.WriteNumber("entries", found.Entries);
        if (found.Entries > 0)
        {
            line.Writer.WriteString("first", found.First.ToString());
            line.Writer.WriteString("last", found.Last.ToString());
        }
        line.Writer.WriteNumber("end", found.End);
        line.Writer.WriteString("tail", found.Status.ToString());
        line.Writer.WriteStartArray("faults");
        foreach (LogFault fault in found.Faults)
        {
            line.Writer.WriteStartObject();
            line.Writer.WriteNumber("offset", fault.Offset);
            line.Writer.WriteString("reason", fault.Reason);
            line.Writer.WriteNumber("entriesBefore", fault.EntriesBefore);
            line.Writer.WriteNumber("entriesBehind", found.Entries - fault.EntriesBefore);
            line.Writer.WriteNumber("resumesAt", fault.ResumesAt);
            line.Writer.WriteEndObject();
        }
        line.Writer.WriteEndArray();
        return line.Finish();
    }

    private static bool Repair(string path, string output, InvocationConfiguration console)
    {
        LogInspection found = LogInspection.Run(StorageFiles.OpenRead(path));
        LogFault? first = found.Faults.Count > 0 ? found.Faults[0] : null;
        long end = first?.Offset ?? found.End;
        long kept = first?.EntriesBefore ?? found.Entries;
        if (kept == 0)
        {
            console.Error.WriteLine($"{path}: there is no whole entry before the damage; nothing was written");
            return false;
        }
        CopyStart(path, output, end);
        string last = (first?.LastBefore ?? found.Last).ToString();
        console.Output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{output}: {kept} entries up to {last}; {found.Entries - kept} whole entries behind the damage left out"));
        return true;
    }

    private static void CopyStart(string path, string output, long bytes)
    {
        using IStorageReader source = StorageFiles.OpenRead(path);
        using FileStream target = new(output, FileMode.CreateNew, FileAccess.Write);
        var buffer = new byte[1 << 16];
        while (bytes > 0)
        {
            int read = source.Read(buffer.AsSpan(0, (int)Math.Min(bytes, buffer.Length)));
            if (read == 0)
                break;
            target.Write(buffer, 0, read);
            bytes -= read;
        }
        target.Flush(flushToDisk: true);
    }
}
