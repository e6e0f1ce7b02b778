using SharpKeeper.Client;
using SharpKeeper.Protocol;

namespace SharpKeeper.Cli.Shell.Verbs;

/// <summary>Commands for watches.</summary>
internal static class WatchVerbs
{
    private const int Kinds = 1;

    /// <summary>The commands of this family.</summary>
    public static IReadOnlyList<ShellVerb> All { get; } =
    [
        new("addWatch",
            "[-m mode] path # optional mode is one of [PERSISTENT, PERSISTENT_RECURSIVE] - default is "
            + "PERSISTENT_RECURSIVE", "Set a lasting watch", AddAsync)
        {
            Options = OptionSpec.List("m:"), WordsMin = 1, WordsMax = 1, Words = [WordKind.Path],
        },
        new("removewatches", "path [-c|-d|-a|-p|-r] [-l]", "Remove watches", RemoveAsync)
        {
            Options = [.. OptionSpec.List("c d a p r", Kinds), .. OptionSpec.List("l")],
            WordsMin = 1, WordsMax = 1, Words = [WordKind.Path],
        },
        new("printwatches", "on|off", "Print events or keep them silent", PrintAsync)
        {
            WordsMax = 1, Words = [WordKind.Switch], NeedsSession = false,
        },
    ];

    private static async Task AddAsync(
        ShellSession session, CommandArguments arguments, CancellationToken cancellation)
    {
        AddWatchMode mode = arguments.Value("m")?.ToUpperInvariant() switch
        {
            null or "PERSISTENT_RECURSIVE" => AddWatchMode.PersistentRecursive,
            "PERSISTENT" => AddWatchMode.Persistent,
            _ => throw new ShellUsageException(
                $"-m takes PERSISTENT or PERSISTENT_RECURSIVE, not '{arguments.Value("m")}'"),
        };
        ShellPath.Validate(arguments.Words[0]);
        await session.Client.AddWatchAsync(arguments.Words[0], mode, Watch.Default, cancellation)
            .ConfigureAwait(false);
        session.Results.Done();
    }

    private static async Task RemoveAsync(
        ShellSession session, CommandArguments arguments, CancellationToken cancellation)
    {
        WatcherType type = WatcherType.Any;
        if (arguments.Has("c"))
            type = WatcherType.Children;
        else if (arguments.Has("d"))
            type = WatcherType.Data;
        else if (arguments.Has("p"))
            type = WatcherType.Persistent;
        else if (arguments.Has("r"))
            type = WatcherType.PersistentRecursive;
        ShellPath.Validate(arguments.Words[0]);
        await session.Client.RemoveWatchesAsync(arguments.Words[0], type, arguments.Has("l"), cancellation)
            .ConfigureAwait(false);
        session.Results.Done();
    }

    private static Task PrintAsync(
        ShellSession session, CommandArguments arguments, CancellationToken cancellation)
    {
        if (arguments.Words.Count == 0)
        {
            session.Results.Text("printwatches", $"printwatches is {(session.PrintsWatches ? "on" : "off")}");
            return Task.CompletedTask;
        }
        session.PrintsWatches = arguments.Words[0] switch
        {
            "on" => true,
            "off" => false,
            _ => throw new ShellUsageException($"printwatches takes on or off, not '{arguments.Words[0]}'"),
        };
        session.Results.Done();
        return Task.CompletedTask;
    }
}
