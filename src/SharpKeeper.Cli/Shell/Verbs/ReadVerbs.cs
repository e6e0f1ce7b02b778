using System.Text;
using SharpKeeper.Client;
using SharpKeeper.Protocol;

namespace SharpKeeper.Cli.Shell.Verbs;

/// <summary>Commands that read the tree.</summary>
internal static class ReadVerbs
{
    private const int DataForms = 1;

    /// <summary>The commands of this family.</summary>
    public static IReadOnlyList<ShellVerb> All { get; } =
    [
        new("ls", "[-s] [-w] [-R] path", "List children", ListAsync)
        {
            Options = OptionSpec.List("s w R"), WordsMin = 1, Words = [WordKind.Path],
        },
        new("ls2", "path", "List children with the stat", ListWithStatAsync)
        {
            Options = OptionSpec.List("w"), WordsMin = 1, Words = [WordKind.Path], IsHidden = true,
        },
        new("get", "[-s] [-w] [-b|-x] path", "Show the data", GetAsync)
        {
            Options = [.. OptionSpec.List("s w"), .. OptionSpec.List("b x", DataForms)],
            WordsMin = 1, Words = [WordKind.Path],
        },
        new("stat", "[-w] path", "Show the metadata", StatAsync)
        {
            Options = OptionSpec.List("w"), WordsMin = 1, Words = [WordKind.Path],
        },
        new("getAcl", "[-s] path", "Show the access control list", GetAclAsync)
        {
            Options = OptionSpec.List("s"), WordsMin = 1, WordsMax = 1, Words = [WordKind.Path],
        },
        new("getEphemerals", "[path]", "List this session's ephemerals under a path", GetEphemeralsAsync)
        {
            WordsMax = 1, Words = [WordKind.Path],
        },
        new("getAllChildrenNumber", "path", "Count all descendants", GetAllChildrenNumberAsync)
        {
            WordsMin = 1, WordsMax = 1, Words = [WordKind.Path],
        },
        new("sync", "path", "Bring the server up to date with the leader", SyncAsync)
        {
            WordsMin = 1, WordsMax = 1, Words = [WordKind.Path],
        },
        new("whoami", "", "List the identities of this connection", WhoAmIAsync) { WordsMax = 0 },
        new("config", "[-c] [-w] [-s]", "Show the configuration of the ensemble", ConfigAsync)
        {
            Options = OptionSpec.List("c w s"), WordsMax = 0,
        },
    ];

    private static async Task ListAsync(
        ShellSession session, CommandArguments arguments, CancellationToken cancellation)
    {
        bool watch = Watches(session, arguments, "ls path [watch]", "ls [-w] path");
        string path = PathOf(arguments);
        if (arguments.Has("R"))
            await ListTreeAsync(session, path, watch, cancellation).ConfigureAwait(false);
        else
            await ListOneAsync(session, path, watch, arguments.Has("s"), cancellation).ConfigureAwait(false);
    }

    private static Task ListWithStatAsync(
        ShellSession session, CommandArguments arguments, CancellationToken cancellation)
    {
        session.Results.Note("'ls2 path [watch]' has been deprecated. Please use 'ls -s [-w] path' instead.");
        bool watch = arguments.Has("w") || arguments.Words.Count > 1;
        return ListOneAsync(session, PathOf(arguments), watch, withStat: true, cancellation);
    }

    private static async Task ListOneAsync(
        ShellSession session, string path, bool watch, bool withStat, CancellationToken cancellation)
    {
        ZnodeChildren children =
            await session.Client.GetChildrenWithStatAsync(path, WatchIf(watch), cancellation).ConfigureAwait(false);
        session.Results.Children(Sort(children.Names), withStat ? children.Stat : null);
    }

    // The order is zkCli's: the children of a znode one after the other, then what is below each of them.
    private static async Task ListTreeAsync(
        ShellSession session, string path, bool watch, CancellationToken cancellation)
    {
        IReadOnlyList<string> top =
            await session.Client.GetChildrenAsync(path, WatchIf(watch), cancellation).ConfigureAwait(false);
        session.Results.Path(path);
        Stack<string> pending = [];
        Expand(session.Results, pending, path, top);
        while (pending.TryPop(out string? next))
        {
            try
            {
                IReadOnlyList<string> children =
                    await session.Client.GetChildrenAsync(next, WatchIf(watch), cancellation).ConfigureAwait(false);
                Expand(session.Results, pending, next, children);
            }
            catch (NoNodeException)
            {
                // It was there when its parent was read; others may delete meanwhile.
            }
        }
        session.Results.EndPaths();
    }

    private static void Expand(
        ShellResults results, Stack<string> pending, string parent, IReadOnlyList<string> children)
    {
        string[] names = Sort(children);
        foreach (string name in names)
            results.Path(ShellPath.Child(parent, name));
        for (int i = names.Length - 1; i >= 0; i--)
            pending.Push(ShellPath.Child(parent, names[i]));
    }

    private static async Task GetAsync(
        ShellSession session, CommandArguments arguments, CancellationToken cancellation)
    {
        bool watch = Watches(session, arguments, "get path [watch]", "get [-s] [-w] path");
        ZnodeData znode = await session.Client.GetAsync(PathOf(arguments), WatchIf(watch), cancellation)
            .ConfigureAwait(false);
        DataForm form = arguments.Has("b") ? DataForm.Base64 : arguments.Has("x") ? DataForm.HexDump : DataForm.Text;
        session.Results.Data(znode.Data, form, arguments.Has("s") ? znode.Stat : null);
    }

    private static async Task StatAsync(
        ShellSession session, CommandArguments arguments, CancellationToken cancellation)
    {
        bool watch = Watches(session, arguments, "stat path [watch]", "stat [-w] path");
        string path = PathOf(arguments);
        // The watch of a missing znode reports its creation.
        Stat stat = await session.Client.ExistsAsync(path, WatchIf(watch), cancellation).ConfigureAwait(false)
            ?? throw new NoNodeException(path);
        session.Results.Stat(stat);
    }

    private static async Task GetAclAsync(
        ShellSession session, CommandArguments arguments, CancellationToken cancellation)
    {
        ZnodeAcl acl = await session.Client.GetAclAsync(PathOf(arguments), cancellation).ConfigureAwait(false);
        session.Results.AclList(acl.Acl, arguments.Has("s") ? acl.Stat : null);
    }

    private static async Task GetEphemeralsAsync(
        ShellSession session, CommandArguments arguments, CancellationToken cancellation)
    {
        string prefix = arguments.Words.Count > 0 ? PathOf(arguments) : ZnodePath.Root;
        IReadOnlyList<string> paths =
            await session.Client.GetEphemeralsAsync(prefix, cancellation).ConfigureAwait(false);
        session.Results.PathList(Sort(paths));
    }

    private static async Task GetAllChildrenNumberAsync(
        ShellSession session, CommandArguments arguments, CancellationToken cancellation) =>
        session.Results.Number(await session.Client.GetAllChildrenNumberAsync(PathOf(arguments), cancellation)
            .ConfigureAwait(false));

    private static async Task SyncAsync(
        ShellSession session, CommandArguments arguments, CancellationToken cancellation)
    {
        string path = PathOf(arguments);
        try
        {
            await session.Client.SyncAsync(path, cancellation).ConfigureAwait(false);
        }
        catch (KeeperException e)
        {
            throw new ShellCommandException($"Sync has failed. rc={(int)e.Code}", e.Code.ToString(), path);
        }
        session.Results.Text("sync", "Sync is OK");
    }

    private static async Task WhoAmIAsync(
        ShellSession session, CommandArguments arguments, CancellationToken cancellation) =>
        session.Results.Identities(await session.Client.WhoAmIAsync(cancellation).ConfigureAwait(false));

    private static async Task ConfigAsync(
        ShellSession session, CommandArguments arguments, CancellationToken cancellation)
    {
        ZnodeData znode = await session.Client.GetConfigAsync(WatchIf(arguments.Has("w")), cancellation)
            .ConfigureAwait(false);
        string text = Encoding.UTF8.GetString(znode.Data ?? []);
        session.Results.Config(arguments.Has("c") ? EnsembleText.ClientAddresses(text) : text,
            arguments.Has("s") ? znode.Stat : null);
    }

    private static Watch? WatchIf(bool watch) => watch ? Watch.Default : null;

    private static string PathOf(CommandArguments arguments)
    {
        ShellPath.Validate(arguments.Words[0]);
        return arguments.Words[0];
    }

    // Whatever stands behind the path asks for a watch: true, watch, 1.
    private static bool Watches(ShellSession session, CommandArguments arguments, string old, string now)
    {
        if (arguments.Words.Count < 2)
            return arguments.Has("w");
        session.Results.Note($"'{old}' has been deprecated. Please use '{now}' instead.");
        return true;
    }

    private static string[] Sort(IReadOnlyList<string> names)
    {
        string[] sorted = [.. names];
        Array.Sort(sorted, string.CompareOrdinal);
        return sorted;
    }
}
