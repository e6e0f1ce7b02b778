namespace SharpKeeper.Cli.Shell;

/// <summary>A command line that cannot be understood; the message names what is wrong. Exit code 2.</summary>
internal sealed class ShellUsageException(string message) : Exception(message);

/// <summary>A command that was understood and could not be done. Exit code 1.</summary>
/// <param name="message">The line for the user.</param>
/// <param name="code">A short name of the reason, for scripts.</param>
/// <param name="path">The znode it is about, if any.</param>
internal sealed class ShellCommandException(string message, string code, string? path = null) : Exception(message)
{
    /// <summary>A short name of the reason, for scripts.</summary>
    public string Code { get; } = code;

    /// <summary>The znode it is about, if any.</summary>
    public string? Path { get; } = path;
}

/// <summary>The exit codes of the shell.</summary>
internal static class ShellExit
{
    /// <summary>Done.</summary>
    public const int Ok = 0;

    /// <summary>The server or the shell refused it.</summary>
    public const int Failed = 1;

    /// <summary>The command line is wrong.</summary>
    public const int Usage = 2;

    /// <summary>There is no such command.</summary>
    public const int UnknownCommand = 127;

    /// <summary>Interrupted, as a shell reports SIGINT.</summary>
    public const int Interrupted = 130;
}

/// <summary>A word that is no command.</summary>
internal sealed class ShellUnknownCommandException(string name) : Exception($"Command not found {name}")
{
    /// <summary>The word.</summary>
    public string Name { get; } = name;
}

/// <summary>A command needs a session, and there is none.</summary>
internal sealed class ShellNotConnectedException() : Exception("Not connected");
