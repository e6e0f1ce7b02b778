using System.CommandLine;
using System.Globalization;
using System.Text;
using SharpKeeper.Cli.Files;
using SharpKeeper.Core.Log;
using SharpKeeper.Core.Tree;
using SharpKeeper.Protocol;
using SharpKeeper.Server.Storage;

namespace SharpKeeper.Cli.Commands;

/// <summary><c>sharpkeeper snapshot</c>: looks into snapshots, of Apache's servers too.</summary>
internal static class SnapshotCommand
{
    internal static Command Create()
    {
        Command command = new("snapshot", "Show and check snapshots, Apache's too");
        command.Subcommands.Add(CreateDump());
        command.Subcommands.Add(CreateVerify());
        command.Subcommands.Add(CreateTree());
        return command;
    }

    private static Command CreateDump()
    {
        Argument<string[]> files = FileCommands.Files("Snapshot files");
        Option<bool> json = FileCommands.Json();
        Option<bool> data = new("--data", "-d") { Description = "Print the data of each znode in base64." };
        Command command = new("dump", "Print every znode and session");
        command.Arguments.Add(files);
        command.Options.Add(json);
        command.Options.Add(data);
        command.SetAction(parsed => FileCommands.ForEach(parsed, files, path =>
        {
            TextWriter output = parsed.InvocationConfiguration.Output;
            // Counts come first in the text and sessions need those of their ephemerals: hence two passes.
            SnapshotSummary summary = SnapshotSummary.Read(StorageFiles.OpenRead(path));
            if (parsed.GetValue(json))
                SnapshotDump.WriteJson(StorageFiles.OpenRead(path), summary, output);
            else
                SnapshotDump.WriteText(path, StorageFiles.OpenRead(path), summary, parsed.GetValue(data), output);
            return true;
        }));
        return command;
    }

    private static Command CreateVerify()
    {
        Argument<string[]> files = FileCommands.Files("Snapshot files");
        Option<bool> json = FileCommands.Json();
        Command command = new("verify", "Check checksums, structure and digest; exit code 1 if one is wrong");
        command.Arguments.Add(files);
        command.Options.Add(json);
        command.SetAction(parsed => FileCommands.ForEach(parsed, files, path =>
            Verify(path, parsed.GetValue(json), parsed.InvocationConfiguration.Output)));
        return command;
    }

    private static Command CreateTree()
    {
        Argument<string> file = new("file") { Description = "Snapshot file." };
        Option<string> top = new("--path")
        {
            Description = "Where to start.",
            DefaultValueFactory = static _ => ZnodePath.Root,
        };
        Option<int> depth = new("--depth")
        {
            Description = "How many levels below that; 0 is all.",
            DefaultValueFactory = static _ => 2,
        };
        Command command = new("tree", "Print the tree with the number of znodes and the bytes of data below each");
        command.Arguments.Add(file);
        command.Options.Add(top);
        command.Options.Add(depth);
        command.SetAction(parsed => FileCommands.Guard(parsed, parsed.GetRequiredValue(file), path =>
        {
            using DataTree tree = Load(path).Tree;
            string start = parsed.GetRequiredValue(top);
            ZnodeId id = tree.Find(Encoding.UTF8.GetBytes(start));
            if (id.IsNone)
            {
                parsed.InvocationConfiguration.Error.WriteLine($"{path}: there is no znode {start}");
                return false;
            }
            int levels = parsed.GetValue(depth);
            SnapshotTree.Write(tree, id, levels <= 0 ? int.MaxValue : levels, parsed.InvocationConfiguration.Output);
            return true;
        }));
        return command;
    }

    private static bool Verify(string path, bool isJson, TextWriter output)
    {
        SnapshotSummary summary = SnapshotSummary.Read(StorageFiles.OpenRead(path));
        SnapshotLoad load = Load(path);
        using DataTree tree = load.Tree;
        bool isNamed = StorageNames.TryParseSnapshot(Path.GetFileName(path), out Zxid zxid);
        // Written while transactions went on, the tree is whole only together with the log.
        bool isFuzzy = summary.Tail.Digest is not null && isNamed && summary.Tail.DigestZxid != zxid;
        bool isComparable = summary.Tail is { Digest.Version: TxnDigest.CurrentVersion } && !isFuzzy
            && summary.Tail.DigestZxid != Zxid.Zero;
        bool differs = isComparable && summary.Tail.Digest!.Value.TreeDigest != tree.Digest;
        string digest = summary.Tail.Digest is null ? "no digest"
            : isFuzzy ? $"completed by the log up to {summary.Tail.DigestZxid}"
            : !isComparable ? "digest not comparable"
            : differs ? "digest differs" : "digest right";
        if (isJson)
        {
            using var line = new JsonLine();
            line.Writer.WriteString("file", path);
            line.Writer.WriteNumber("znodes", summary.Nodes);
            line.Writer.WriteNumber("sessions", summary.Sessions.Count);
            line.Writer.WriteNumber("acls", summary.Acls);
            line.Writer.WriteNumber("missingAcls", load.MissingAcls);
            line.Writer.WriteNumber("checksums", summary.Tail.Seals);
            line.Writer.WriteString("digest", digest);
            output.WriteLine(line.Finish());
        }
        else
        {
            string missing = load.MissingAcls == 0
                ? ""
                : string.Create(CultureInfo.InvariantCulture, $" ({load.MissingAcls} missing)");
            output.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{path}: whole: {summary.Nodes} znodes, {summary.Sessions.Count} sessions, {summary.Acls} ACLs{missing}, "
                + $"{summary.Tail.Seals} checksums, {digest}"));
        }
        return !differs;
    }

    private static SnapshotLoad Load(string path) =>
        SnapshotLoad.Load(StorageFiles.OpenRead(path), new RecoveryOptions { ExtendedTypesEnabled = true });
}
