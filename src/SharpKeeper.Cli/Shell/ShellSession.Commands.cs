using System.Globalization;
using SharpKeeper.Client;
using SharpKeeper.Protocol;

namespace SharpKeeper.Cli.Shell;

internal sealed partial class ShellSession
{
    /// <summary>Runs a typed line, which becomes part of the history, and gives its exit code.</summary>
    public async Task<int> RunLineAsync(string line, CancellationToken cancellation)
    {
        Commands.Add(line);
        try
        {
            return await RunAsync(CommandLine.Split(line), cancellation).ConfigureAwait(false);
        }
        catch (ShellUsageException e)
        {
            results.Error(e.Message, "Usage", null);
            return ShellExit.Usage;
        }
    }

    /// <summary>Runs a command, reports what became of it and gives its exit code.</summary>
    public async Task<int> RunAsync(IReadOnlyList<string> words, CancellationToken cancellation)
    {
        using CancellationTokenSource limit = new();
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellation);
        BeginCommand(limit);
        try
        {
            await ExecuteAsync(words, either.Token).ConfigureAwait(false);
            return ShellExit.Ok;
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            results.Error("Interrupted", "Interrupted", null);
            return ShellExit.Interrupted;
        }
        catch (Exception e) when (Report(e) is { } exitCode)
        {
            return exitCode;
        }
        finally
        {
            lock (gate)
                running = null;
        }
    }

    /// <summary>Repeats a command in place of the one that asks for it.</summary>
    public Task RedoAsync(string line, CancellationToken cancellation)
    {
        Commands[^1] = line;
        return ExecuteAsync(CommandLine.Split(line), cancellation);
    }

    private void BeginCommand(CancellationTokenSource limit)
    {
        lock (gate)
        {
            running = limit;
            if (client is not null)
                LimitWait();
        }
    }

    private Task ExecuteAsync(IReadOnlyList<string> words, CancellationToken cancellation)
    {
        if (words.Count == 0)
            return Task.CompletedTask;
        (ShellVerb verb, CommandArguments arguments) = Understand(words);
        if (verb.NeedsSession && (client is null || client.State.IsFinal()))
            throw new ShellNotConnectedException();
        return verb.Action(this, arguments, cancellation);
    }

    /// <summary>Checks the form of a command without running it.</summary>
    /// <exception cref="ShellUnknownCommandException">There is no such command.</exception>
    /// <exception cref="ShellUsageException">Options or words are wrong.</exception>
    public static (ShellVerb Verb, CommandArguments Arguments) Understand(IReadOnlyList<string> words)
    {
        ShellVerb verb = ShellVerbs.Find(words[0]) ?? throw new ShellUnknownCommandException(words[0]);
        CommandArguments arguments;
        try
        {
            arguments = CommandArguments.Parse(verb.Options, [.. words.Skip(1)]);
        }
        catch (ShellUsageException e)
        {
            throw new ShellUsageException(e.Message + Environment.NewLine + verb.Usage);
        }
        if (arguments.Words.Count < verb.WordsMin)
            throw new ShellUsageException(verb.Usage);
        if (arguments.Words.Count > verb.WordsMax)
        {
            string tooMany = $"Unexpected word '{arguments.Words[verb.WordsMax]}'; words with blanks need quotes";
            throw new ShellUsageException(tooMany + Environment.NewLine + verb.Usage);
        }
        return (verb, arguments);
    }

    // Gives the exit code of an expected failure; null lets a bug through.
    private int? Report(Exception error)
    {
        switch (error)
        {
            case ShellUnknownCommandException unknown:
                results.UnknownCommand(unknown.Name, ShellVerbs.Usage, ShellVerbs.Nearest(unknown.Name));
                return ShellExit.UnknownCommand;
            case ShellUsageException:
                results.Error(error.Message, "Usage", null);
                return ShellExit.Usage;
            case ShellNotConnectedException:
                results.NotConnected();
                return ShellExit.Failed;
            case ShellCommandException failed:
                results.Error(failed.Message, failed.Code, failed.Path);
                return ShellExit.Failed;
            case KeeperException refused:
                results.Error(ShellErrors.Describe(refused), refused.Code.ToString(), refused.Path);
                return ShellExit.Failed;
            case OperationCanceledException:
                results.Error(DescribeLoss(), nameof(ErrorCode.ConnectionLoss), null);
                return ShellExit.Failed;
            case ArgumentException:
                results.Error(error.Message.Split(" (Parameter", 2)[0], "Usage", null);
                return ShellExit.Usage;
            default:
                return null;
        }
    }

    private string DescribeLoss() => string.Create(CultureInfo.InvariantCulture,
        $"KeeperErrorCode = ConnectionLoss: no server of {ConnectString} has answered for "
        + $"{options.SessionTimeout.TotalMilliseconds} ms");
}
