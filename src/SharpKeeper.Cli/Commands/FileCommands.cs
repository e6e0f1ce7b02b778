using System.CommandLine;
using SharpKeeper.Core;

namespace SharpKeeper.Cli.Commands;

/// <summary>What the commands on files share.</summary>
internal static class FileCommands
{
    /// <summary>One file or more.</summary>
    internal static Argument<string[]> Files(string what) => new("file")
    {
        Description = what + "; those that end in .gz or .snappy are decompressed.",
        Arity = ArgumentArity.OneOrMore,
    };

    /// <summary>Output for programs.</summary>
    internal static Option<bool> Json() => new("--json") { Description = "Print one JSON object a line." };

    /// <summary>Runs an action on each file; 1 if one of them failed.</summary>
    internal static int ForEach(ParseResult parsed, Argument<string[]> files, Func<string, bool> action)
    {
        int exitCode = ExitCodes.Finished;
        foreach (string path in parsed.GetRequiredValue(files))
            exitCode = Math.Max(exitCode, Guard(parsed, path, action));
        return exitCode;
    }

    /// <summary>Runs an action on a file; 1 if it failed, with a message that names the file.</summary>
    internal static int Guard(ParseResult parsed, string path, Func<string, bool> action)
    {
        try
        {
            return action(path) ? ExitCodes.Finished : ExitCodes.Failed;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CorruptDataException)
        {
            parsed.InvocationConfiguration.Error.WriteLine($"{path}: {e.Message}");
            return ExitCodes.Failed;
        }
    }
}
