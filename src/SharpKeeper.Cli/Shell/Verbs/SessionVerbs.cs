using System.Globalization;
using System.Text;
using SharpKeeper.Client;
using SharpKeeper.Server;

namespace SharpKeeper.Cli.Shell.Verbs;

/// <summary>Commands for the session, the ensemble and the shell itself.</summary>
internal static class SessionVerbs
{
    private const int HistoryLines = 11;
    private const string ReconfigSyntax =
        "[-s] [-v version] [[-file path] | [-members serverID=host:port1:port2;port3[,...]*]] | "
        + "[-add serverId=host:port1:port2;port3[,...]]* [-remove serverId[,...]*]";

    /// <summary>The commands of this family.</summary>
    public static IReadOnlyList<ShellVerb> All { get; } =
    [
        new("addauth", "scheme auth", "Add credentials to the session", AddAuthAsync) { WordsMin = 1, WordsMax = 2 },
        new("connect", "host:port", "Start a session with another server", ConnectAsync)
        {
            WordsMax = 1, NeedsSession = false,
        },
        new("close", "", "End the session and its ephemerals", CloseAsync) { WordsMax = 0 },
        new("quit", "", "End the session and leave", QuitAsync) { WordsMax = 0, NeedsSession = false },
        new("exit", "", "As quit", QuitAsync) { WordsMax = 0, NeedsSession = false, IsHidden = true },
        new("history", "", "List the commands typed before", HistoryAsync) { WordsMax = 0, NeedsSession = false },
        new("redo", "cmdno", "Repeat a command of the history", RedoAsync)
        {
            WordsMin = 1, WordsMax = 1, NeedsSession = false,
        },
        new("version", "", "Print the version", VersionAsync) { WordsMax = 0, NeedsSession = false },
        new("help", "[command]", "List the commands, or explain one", HelpAsync)
        {
            WordsMax = 1, Words = [WordKind.Verb], NeedsSession = false,
        },
        new("reconfig", ReconfigSyntax, "Change the members of the ensemble", ReconfigAsync)
        {
            Options = OptionSpec.List("s v: file: members: add: remove:"), WordsMax = 0,
        },
    ];

    private static async Task AddAuthAsync(
        ShellSession session, CommandArguments arguments, CancellationToken cancellation)
    {
        byte[] credentials = Encoding.UTF8.GetBytes(arguments.Words.Count > 1 ? arguments.Words[1] : "");
        await session.Client.AddAuthAsync(new AuthInfo(arguments.Words[0], credentials), cancellation)
            .ConfigureAwait(false);
        session.Results.Done();
    }

    private static async Task ConnectAsync(
        ShellSession session, CommandArguments arguments, CancellationToken cancellation)
    {
        string address = arguments.Words.Count > 0 ? arguments.Words[0] : session.ConnectString;
        await session.ConnectAsync(address, cancellation).ConfigureAwait(false);
    }

    private static Task CloseAsync(
        ShellSession session, CommandArguments arguments, CancellationToken cancellation) => session.CloseAsync();

    private static Task QuitAsync(
        ShellSession session, CommandArguments arguments, CancellationToken cancellation)
    {
        session.IsLeaving = true;
        return session.CloseAsync();
    }

    private static Task HistoryAsync(
        ShellSession session, CommandArguments arguments, CancellationToken cancellation)
    {
        List<(int, string)> lines = [];
        for (int i = Math.Max(0, session.Commands.Count - HistoryLines); i < session.Commands.Count; i++)
            lines.Add((i, session.Commands[i]));
        session.Results.History(lines);
        return Task.CompletedTask;
    }

    private static async Task RedoAsync(
        ShellSession session, CommandArguments arguments, CancellationToken cancellation)
    {
        string text = arguments.Words[0];
        if (!int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int number))
            throw new ShellUsageException($"redo takes the number of a command, not '{text}'");
        // The last command is this redo itself.
        if (number < 0 || number >= session.Commands.Count - 1)
            throw new ShellCommandException("Command index out of range", "BadArguments");
        string line = session.Commands[number];
        if (CommandLine.Split(line) is ["redo", ..])
            throw new ShellCommandException("No redoing redos", "BadArguments");
        await session.RedoAsync(line, cancellation).ConfigureAwait(false);
    }

    private static Task VersionAsync(
        ShellSession session, CommandArguments arguments, CancellationToken cancellation)
    {
        session.Results.Text("version", $"ZooKeeper CLI version: {ServerVersion.Text}");
        return Task.CompletedTask;
    }

    private static Task HelpAsync(
        ShellSession session, CommandArguments arguments, CancellationToken cancellation)
    {
        if (arguments.Words.Count == 0)
        {
            session.Results.Help(ShellVerbs.Usage);
            return Task.CompletedTask;
        }
        string name = arguments.Words[0];
        ShellVerb verb = ShellVerbs.Find(name)
            ?? throw new ShellUsageException($"There is no command {name}; \"help\" lists them");
        session.Results.Help([verb.Usage, "\t" + verb.Summary]);
        return Task.CompletedTask;
    }

    private static async Task ReconfigAsync(
        ShellSession session, CommandArguments arguments, CancellationToken cancellation)
    {
        string? members = await ReadMembersAsync(arguments, cancellation).ConfigureAwait(false);
        string? joining = arguments.Value("add");
        string? leaving = arguments.Value("remove");
        if (members is null && joining is null && leaving is null)
            throw new ShellUsageException("reconfig needs -file, -members, -add or -remove");
        if (members is not null && (joining is not null || leaving is not null))
            throw new ShellUsageException("reconfig takes either -file or -members, or -add and -remove");
        ZnodeData config = await session.Client
            .ReconfigAsync(joining, leaving, members, ReadVersion(arguments), cancellation).ConfigureAwait(false);
        session.Results.Warning("Committed new configuration:");
        session.Results.Config(Encoding.UTF8.GetString(config.Data ?? []), arguments.Has("s") ? config.Stat : null);
    }

    private static async Task<string?> ReadMembersAsync(CommandArguments arguments, CancellationToken cancellation)
    {
        if (arguments.Value("file") is not { } file)
            return arguments.Value("members");
        if (arguments.Has("members"))
            throw new ShellUsageException("reconfig takes either -file or -members");
        try
        {
            string[] lines = await File.ReadAllLinesAsync(file, cancellation).ConfigureAwait(false);
            return string.Join(',', lines.Select(line => line.Trim())
                .Where(line => line.StartsWith("server.", StringComparison.Ordinal)));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ShellCommandException($"{file} cannot be read: {e.Message}", "BadArguments");
        }
    }

    // The version of a configuration is a transaction id, shown in hexadecimal.
    private static long ReadVersion(CommandArguments arguments)
    {
        if (arguments.Value("v") is not { } text)
            return -1;
        return long.TryParse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out long version)
            ? version
            : throw new ShellUsageException($"-v takes a version in hexadecimal, not '{text}'");
    }
}
