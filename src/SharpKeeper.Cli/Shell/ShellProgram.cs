using System.Text;
using SharpKeeper.Cli.Shell.Editing;
using SharpKeeper.Client;

namespace SharpKeeper.Cli.Shell;

/// <summary>The streams of a shell that is not on a terminal.</summary>
/// <param name="Input">Commands, one in each line.</param>
/// <param name="Output">Results.</param>
/// <param name="Errors">Errors and remarks.</param>
internal sealed record ShellStreams(TextReader Input, TextWriter Output, TextWriter Errors);

/// <summary>Runs a shell: one command, the lines of a pipe, or a conversation on a terminal.</summary>
internal static class ShellProgram
{
    private const string HistoryVariable = "SHARPKEEPER_HISTORY";

    /// <summary>Runs a shell on the process's streams.</summary>
    /// <param name="arguments">The words after "shell".</param>
    /// <returns>The exit code.</returns>
    public static async Task<int> RunAsync(IReadOnlyList<string> arguments)
    {
        ShellStreams streams = new(OpenInput(), Open(Console.OpenStandardOutput()), Open(Console.OpenStandardError()));
        ShellOptions options;
        try
        {
            options = ShellOptions.Parse(arguments);
        }
        catch (ShellUsageException e)
        {
            await streams.Errors.WriteLineAsync(e.Message).ConfigureAwait(false);
            return ShellExit.Usage;
        }
        if (options.ShowHelp)
        {
            await streams.Output.WriteLineAsync(ShellOptions.Help).ConfigureAwait(false);
            return ShellExit.Ok;
        }
        using ShellSignals signals = new();
        if (options.Command.Count == 0 && ConsoleTerminal.IsAvailable)
            return signals.ExitCode(await ConverseAsync(options, streams, signals.Stopped).ConfigureAwait(false));
        bool hasColour = !Console.IsOutputRedirected && WantsColour();
        int exitCode = await RunAsync(options, streams, ShellClients.Real, hasColour, signals.Stopped)
            .ConfigureAwait(false);
        return signals.ExitCode(exitCode);
    }

    /// <summary>Runs the command of the options, or the lines of the input.</summary>
    public static async Task<int> RunAsync(
        ShellOptions options, ShellStreams streams, ShellClients clients, bool hasColour, CancellationToken stopped)
    {
        bool isOneShot = options.Command.Count > 0;
        // A script that wants JSON of one command wants one object.
        if (isOneShot && options.Json)
            options = options with { Quiet = true };
        ShellResults results = ResultsFor(options, streams.Output, streams.Errors, hasColour);
        ShellSession session = new(options, results, clients);
        await using (session.ConfigureAwait(false))
        {
            Say(options, streams.Output, $"Connecting to {options.ConnectString}");
            if (isOneShot && NeedsNoSession(options.Command))
                return await session.RunAsync(options.Command, stopped).ConfigureAwait(false);
            int exitCode = await ConnectAsync(session, results, stopped).ConfigureAwait(false);
            if (exitCode != ShellExit.Ok)
                return exitCode;
            if (isOneShot)
                return await session.RunAsync(options.Command, stopped).ConfigureAwait(false);
            Welcome(options, streams.Output, "disabled");
            return await RunLinesAsync(session, streams.Input, stopped).ConfigureAwait(false);
        }
    }

    private static async Task<int> ConnectAsync(
        ShellSession session, ShellResults results, CancellationToken stopped)
    {
        try
        {
            await session.ConnectAsync(session.ConnectString, stopped).ConfigureAwait(false);
            return ShellExit.Ok;
        }
        catch (ArgumentException e)
        {
            results.Error(e.Message.Split(" (Parameter", 2)[0], "Usage", null);
            return ShellExit.Usage;
        }
        catch (KeeperException e)
        {
            results.Error(e.Message, e.Code.ToString(), null);
            return ShellExit.Failed;
        }
        catch (OperationCanceledException) when (stopped.IsCancellationRequested)
        {
            return ShellExit.Interrupted;
        }
    }

    // Commands that are wrong in themselves are refused without asking a server.
    private static bool NeedsNoSession(IReadOnlyList<string> command)
    {
        try
        {
            return !ShellSession.Understand(command).Verb.NeedsSession;
        }
        catch (Exception e) when (e is ShellUsageException or ShellUnknownCommandException)
        {
            return true;
        }
    }

    private static async Task<int> RunLinesAsync(ShellSession session, TextReader input, CancellationToken stopped)
    {
        int exitCode = ShellExit.Ok;
        while (!session.IsLeaving && !stopped.IsCancellationRequested)
        {
            if (await ReadLineAsync(input, stopped).ConfigureAwait(false) is not { } line)
                break;
            if (IsCommand(line))
                exitCode = await session.RunLineAsync(line, stopped).ConfigureAwait(false);
        }
        return exitCode;
    }

    // A read from a pipe cannot be cancelled: a signal leaves it behind on its thread.
    private static async Task<string?> ReadLineAsync(TextReader input, CancellationToken stopped)
    {
        try
        {
            return await Task.Run(input.ReadLine, CancellationToken.None).WaitAsync(stopped).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            return null;
        }
    }

    private static async Task<int> ConverseAsync(
        ShellOptions options, ShellStreams streams, CancellationToken stopped)
    {
        ConsoleTerminal terminal = new();
        ShellSession? session = null;
        ShellCompleter completer = new(async (path, cancellation) =>
            await session!.Client.GetChildrenAsync(path, null, cancellation).ConfigureAwait(false));
        LineHistory history = OpenHistory(streams.Errors);
        LineEditor editor = new(terminal, terminal.Keys, history, completer);
        EditorWriter screen = new(editor);
        TextWriter errors = Console.IsErrorRedirected ? streams.Errors : screen;
        session = new ShellSession(options, ResultsFor(options, screen, errors, WantsColour()), ShellClients.Real);
        await using (session.ConfigureAwait(false))
        {
            Say(options, screen, $"Connecting to {options.ConnectString}");
            Welcome(options, screen, "enabled");
            try
            {
                session.Connect();
            }
            catch (ArgumentException e)
            {
                session.Results.Error(e.Message.Split(" (Parameter", 2)[0], "Usage", null);
                return ShellExit.Usage;
            }
            session.PromptChanged += () => editor.ChangePrompt(session.Prompt);
            terminal.Start();
            return await ConverseAsync(session, terminal, editor, history, stopped).ConfigureAwait(false);
        }
    }

    private static async Task<int> ConverseAsync(
        ShellSession session, ConsoleTerminal terminal, LineEditor editor, LineHistory history,
        CancellationToken stopped)
    {
        int exitCode = ShellExit.Ok;
        while (!session.IsLeaving)
        {
            string? line;
            try
            {
                line = await editor.ReadAsync(session.Prompt, stopped).ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                return exitCode;
            }
            if (line is null)
                line = "quit";
            else
                history.Add(line);
            if (!IsCommand(line))
                continue;
            using var interrupt = CancellationTokenSource.CreateLinkedTokenSource(stopped);
            terminal.OnInterrupt(interrupt.Cancel);
            exitCode = await session.RunLineAsync(line, interrupt.Token).ConfigureAwait(false);
            terminal.OnInterrupt(null);
        }
        return exitCode;
    }

    private static bool IsCommand(string line) => line.AsSpan().TrimStart() is { Length: > 0 } text && text[0] != '#';

    private static void Say(ShellOptions options, TextWriter output, string line)
    {
        if (!options.Quiet && !options.Json)
            output.WriteLine(line);
    }

    // The second line is what scripts that drive zkCli wait for; it says whether lines can be edited.
    private static void Welcome(ShellOptions options, TextWriter output, string editing)
    {
        Say(options, output, "Welcome to ZooKeeper!");
        Say(options, output, $"JLine support is {editing}");
    }

    private static ShellResults ResultsFor(
        ShellOptions options, TextWriter output, TextWriter errors, bool hasColour) => options.Json
        ? new JsonResults(output)
        : new HumanResults(output, errors, TimeZoneInfo.Local, hasColour);

    private static LineHistory OpenHistory(TextWriter errors)
    {
        string? file = Environment.GetEnvironmentVariable(HistoryVariable);
        if (file is { Length: 0 })
            return new LineHistory();
        string home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
        return LineHistory.Open(file ?? Path.Combine(home, ".sharpkeeper_history"), errors.WriteLine);
    }

    private static bool WantsColour() =>
        string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR"))
        && Environment.GetEnvironmentVariable("TERM") != "dumb";

    private static StreamReader OpenInput() => new(Console.OpenStandardInput(), new UTF8Encoding(false));

    private static TextWriter Open(Stream stream) =>
        TextWriter.Synchronized(new StreamWriter(stream, new UTF8Encoding(false)) { AutoFlush = true });
}
