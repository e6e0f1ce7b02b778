using System.Globalization;

namespace SharpKeeper.Cli.Shell;

/// <summary>The command line of the shell: zkCli's options with one dash, then the command with its own.</summary>
internal sealed record ShellOptions
{
    /// <summary>The help of the shell's own options.</summary>
    public const string Help = """
        Usage: sharpkeeper shell [options] [command [arguments]]

        Without a command it reads commands from the terminal, or from a pipe one in each line.

        Options:
          -server <host:port[,host:port...][/chroot]>   the servers (default localhost:2181)
          -timeout <ms>                                 session timeout (default 30000)
          -r                                            accept a read-only server
          -waitforconnection                            accepted as in zkCli; the shell always waits
          --json                                        one JSON object a line for results, errors and events
          -q, --quiet                                   results only: no welcome, no session events
          -h, --help                                    this help; "sharpkeeper shell help" lists the commands

        Exit codes: 0 done, 1 failed, 2 wrong arguments, 127 unknown command.
        """;

    /// <summary>The servers.</summary>
    public string ConnectString { get; init; } = "localhost:2181";

    /// <summary>How long the session outlives a lost connection.</summary>
    public TimeSpan SessionTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>May a read-only server serve the session?</summary>
    public bool ReadOnlyAllowed { get; init; }

    /// <summary>JSON instead of text.</summary>
    public bool Json { get; init; }

    /// <summary>Neither welcome nor session events.</summary>
    public bool Quiet { get; init; }

    /// <summary>Was help asked for?</summary>
    public bool ShowHelp { get; init; }

    /// <summary>The command with its arguments; empty for an interactive shell.</summary>
    public IReadOnlyList<string> Command { get; init; } = [];

    /// <summary>Parses the words after "shell".</summary>
    /// <exception cref="ShellUsageException">An option is unknown, unsupported or lacks its value.</exception>
    public static ShellOptions Parse(IReadOnlyList<string> arguments)
    {
        ShellOptions options = new();
        int at = 0;
        while (at < arguments.Count && arguments[at].StartsWith('-'))
        {
            string name = arguments[at++];
            options = name switch
            {
                "-server" or "--server" => options with { ConnectString = TakeValue(name, arguments, ref at) },
                "-timeout" or "--timeout" => options with { SessionTimeout = TakeTimeout(name, arguments, ref at) },
                "-r" or "--readonly" => options with { ReadOnlyAllowed = true },
                "-waitforconnection" => options,
                "-json" or "--json" => options with { Json = true },
                "-q" or "-quiet" or "--quiet" => options with { Quiet = true },
                "-h" or "-help" or "--help" or "-?" => options with { ShowHelp = true },
                "-secure" or "-client-configuration" => throw new ShellUsageException(
                    $"The option {name} is for TLS, which this release does not have"),
                _ => throw new ShellUsageException(
                    $"There is no option {name}; \"sharpkeeper shell --help\" lists the options"),
            };
        }
        return options.WithCommand([.. arguments.Skip(at)]);
    }

    // Scripts may ask for JSON behind the command too; no command has such an option.
    private ShellOptions WithCommand(List<string> command)
    {
        int end = command.IndexOf("--");
        int json = command.IndexOf("--json");
        if (json < 0 || (end >= 0 && end < json))
            return this with { Command = command };
        command.RemoveAt(json);
        return this with { Json = true, Command = command };
    }

    private static string TakeValue(string name, IReadOnlyList<string> arguments, ref int at) =>
        at < arguments.Count
            ? arguments[at++]
            : throw new ShellUsageException($"Error: no argument found for option {name}");

    private static TimeSpan TakeTimeout(string name, IReadOnlyList<string> arguments, ref int at)
    {
        string text = TakeValue(name, arguments, ref at);
        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int value) && value > 0)
            return TimeSpan.FromMilliseconds(value);
        throw new ShellUsageException($"{name} takes a number of milliseconds above zero, not '{text}'");
    }
}
