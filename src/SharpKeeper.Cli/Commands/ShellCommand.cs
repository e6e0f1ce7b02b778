using System.CommandLine;
using SharpKeeper.Cli.Shell;

namespace SharpKeeper.Cli.Commands;

/// <summary><c>sharpkeeper shell</c>: the interactive shell, and its commands one by one for scripts.</summary>
internal static class ShellCommand
{
    /// <summary>
    /// The words after "shell" when the shell parses them itself, which is when it is the command. Its commands have
    /// words such as "-h" and "--" that a general parser would take for its own.
    /// </summary>
    internal static bool IsMeant(string[] arguments) => arguments is ["shell", ..];

    /// <summary>Runs the shell with the words after "shell".</summary>
    internal static Task<int> RunAsync(string[] arguments) => ShellProgram.RunAsync(arguments[1..]);

    internal static Command Create()
    {
        Argument<string[]> words = new("arguments")
        {
            Description = "Options of the shell, then a command with its arguments; see \"sharpkeeper shell --help\"",
            Arity = ArgumentArity.ZeroOrMore,
        };
        Command command = new("shell", "Read and change znodes by hand or from scripts, with zkCli's commands");
        command.Arguments.Add(words);
        command.SetAction((result, _) => ShellProgram.RunAsync(result.GetValue(words) ?? []));
        return command;
    }
}
