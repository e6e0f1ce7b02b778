using System.Globalization;
using System.Text;
using SharpKeeper.Client;
using SharpKeeper.Protocol;

namespace SharpKeeper.Cli.Shell.Verbs;

/// <summary>Commands that change the tree.</summary>
internal static class WriteVerbs
{
    private const int AnyVersion = -1;
    private const int BatchDefault = 1000;
    private const long TtlMsMax = (1L << 40) - 1;

    /// <summary>The commands of this family.</summary>
    public static IReadOnlyList<ShellVerb> All { get; } =
    [
        new("create", "[-s] [-e] [-c] [-t ttl] path [data] [acl]", "Create a znode", CreateAsync)
        {
            Options = OptionSpec.List("s e c t:"), WordsMin = 1, WordsMax = 3, Words = [WordKind.Path],
        },
        new("set", "[-s] [-v version] path data", "Replace the data", SetAsync)
        {
            Options = OptionSpec.List("s v:"), WordsMin = 2, WordsMax = 3, Words = [WordKind.Path],
        },
        new("delete", "[-v version] path", "Delete a znode without children", DeleteAsync)
        {
            Options = OptionSpec.List("v:"), WordsMin = 1, WordsMax = 2, Words = [WordKind.Path],
        },
        new("deleteall", "path [-b batch size]", "Delete a znode and all below it", DeleteAllAsync)
        {
            Options = OptionSpec.List("b:"), WordsMin = 1, WordsMax = 1, Words = [WordKind.Path],
        },
        new("rmr", "path", "Delete a znode and all below it", RemoveRecursivelyAsync)
        {
            WordsMin = 1, WordsMax = 1, Words = [WordKind.Path], IsHidden = true,
        },
        new("setAcl", "[-s] [-v version] [-R] path acl", "Replace the access control list", SetAclAsync)
        {
            Options = OptionSpec.List("s v: R"), WordsMin = 2, WordsMax = 2, Words = [WordKind.Path],
        },
    ];

    private static async Task CreateAsync(
        ShellSession session, CommandArguments arguments, CancellationToken cancellation)
    {
        (CreateMode mode, TimeSpan? ttl) = ModeOf(arguments);
        IReadOnlyList<string> words = arguments.Words;
        ShellPath.Validate(words[0], mode.IsSequential());
        // Without the cast the null would become empty data.
        ReadOnlyMemory<byte>? data = words.Count > 1 ? (ReadOnlyMemory<byte>?)Encoding.UTF8.GetBytes(words[1]) : null;
        IReadOnlyList<Acl> acl = words.Count > 2 ? AclText.Parse(words[2]) : Acl.OpenUnsafe;
        string created = await session.Client.CreateAsync(words[0], data, mode, acl, ttl, cancellation)
            .ConfigureAwait(false);
        session.Results.Created(created);
    }

    private static (CreateMode Mode, TimeSpan? Ttl) ModeOf(CommandArguments arguments)
    {
        bool isEphemeral = arguments.Has("e");
        bool isSequential = arguments.Has("s");
        bool isContainer = arguments.Has("c");
        if (isContainer && (isEphemeral || isSequential))
        {
            throw new ShellUsageException(
                "-c cannot be combined with -s or -e. Containers cannot be ephemeral or sequential.");
        }
        if (arguments.Value("t") is { } text)
        {
            TimeSpan ttl = ParseTtl(text);
            string? refused = isEphemeral ? "Ephemeral" : isContainer ? "Container" : null;
            if (refused is not null)
                throw new ShellUsageException($"TTLs cannot be used with {refused} znodes");
            return (isSequential ? CreateMode.PersistentSequentialWithTtl : CreateMode.PersistentWithTtl, ttl);
        }
        if (isContainer)
            return (CreateMode.Container, null);
        return (isEphemeral, isSequential) switch
        {
            (true, true) => (CreateMode.EphemeralSequential, null),
            (true, false) => (CreateMode.Ephemeral, null),
            (false, true) => (CreateMode.PersistentSequential, null),
            _ => (CreateMode.Persistent, null),
        };
    }

    private static TimeSpan ParseTtl(string text)
    {
        if (!long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long milliseconds))
            throw new ShellUsageException("-t argument must be a long value");
        if (milliseconds is <= 0 or > TtlMsMax)
            throw new ShellUsageException($"ttl must be positive and cannot be larger than: {TtlMsMax}");
        return TimeSpan.FromMilliseconds(milliseconds);
    }

    private static async Task SetAsync(
        ShellSession session, CommandArguments arguments, CancellationToken cancellation)
    {
        IReadOnlyList<string> words = arguments.Words;
        int version = VersionOf(session, arguments, 2, "set path data [version]", "set [-s] [-v version] path data");
        ShellPath.Validate(words[0]);
        Stat stat = await session.Client.SetAsync(words[0], Encoding.UTF8.GetBytes(words[1]), version, cancellation)
            .ConfigureAwait(false);
        if (arguments.Has("s"))
            session.Results.Stat(stat);
        else
            session.Results.Done();
    }

    private static async Task DeleteAsync(
        ShellSession session, CommandArguments arguments, CancellationToken cancellation)
    {
        string path = arguments.Words[0];
        int version = VersionOf(session, arguments, 1, "delete path [version]", "delete [-v version] path");
        ShellPath.Validate(path);
        await session.Client.DeleteAsync(path, version, cancellation).ConfigureAwait(false);
        session.Results.Done();
    }

    // Before 3.5 the version stood behind the other words.
    private static int VersionOf(
        ShellSession session, CommandArguments arguments, int wordIndex, string old, string now)
    {
        if (arguments.Words.Count <= wordIndex)
            return arguments.Int32("v") ?? AnyVersion;
        string text = arguments.Words[wordIndex];
        if (!int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int version))
        {
            throw new ShellUsageException(
                $"'{text}' is not a version; data with blanks need quotes. The command is: {now}");
        }
        session.Results.Note($"'{old}' has been deprecated. Please use '{now}' instead.");
        return version;
    }

    private static Task RemoveRecursivelyAsync(
        ShellSession session, CommandArguments arguments, CancellationToken cancellation)
    {
        session.Results.Note("The command 'rmr' has been deprecated. Please use 'deleteall' instead.");
        return DeleteAllAsync(session, arguments, cancellation);
    }

    private static async Task DeleteAllAsync(
        ShellSession session, CommandArguments arguments, CancellationToken cancellation)
    {
        string path = arguments.Words[0];
        ShellPath.Validate(path);
        int batch = arguments.Int32("b") ?? BatchDefault;
        if (batch < 1)
            throw new ShellUsageException($"-b takes a number of znodes above zero, not {batch}");
        if (path == ZnodePath.Root)
        {
            throw new ShellCommandException(
                "deleteall does not empty the whole tree; name the znodes below / one by one", "BadArguments", path);
        }
        List<string> subtree = await CollectAsync(session.Client, path, cancellation).ConfigureAwait(false);
        if (!await DeleteInBatchesAsync(session.Client, subtree, batch, cancellation).ConfigureAwait(false))
            throw new ShellCommandException("Failed to delete some node(s) in the subtree!", "NotEmpty", path);
        session.Results.Done();
    }

    private static async Task<List<string>> CollectAsync(
        IKeeperClient client, string path, CancellationToken cancellation)
    {
        List<string> subtree = [path];
        for (int i = 0; i < subtree.Count; i++)
        {
            try
            {
                IReadOnlyList<string> children =
                    await client.GetChildrenAsync(subtree[i], null, cancellation).ConfigureAwait(false);
                foreach (string name in children)
                    subtree.Add(ShellPath.Child(subtree[i], name));
            }
            catch (NoNodeException) when (i > 0)
            {
                // Deleted by others after its parent was read: the goal is reached already.
            }
        }
        return subtree;
    }

    // Requests of a session are carried out in their order, so children may go out with their parents in one batch.
    private static async Task<bool> DeleteInBatchesAsync(
        IKeeperClient client, List<string> parentsFirst, int batch, CancellationToken cancellation)
    {
        bool isAllGone = true;
        List<Task<bool>> pending = [];
        for (int i = parentsFirst.Count - 1; i >= 0; i--)
        {
            pending.Add(TryDeleteAsync(client, parentsFirst[i], cancellation));
            if (pending.Count < batch && i > 0)
                continue;
            foreach (bool isGone in await Task.WhenAll(pending).ConfigureAwait(false))
                isAllGone &= isGone;
            pending.Clear();
        }
        return isAllGone;
    }

    private static async Task<bool> TryDeleteAsync(IKeeperClient client, string path, CancellationToken cancellation)
    {
        try
        {
            await client.DeleteAsync(path, AnyVersion, cancellation).ConfigureAwait(false);
            return true;
        }
        catch (KeeperException e) when (e.Code is ErrorCode.NoNode or ErrorCode.NotEmpty or ErrorCode.NoAuth)
        {
            return e.Code == ErrorCode.NoNode;
        }
    }

    private static async Task SetAclAsync(
        ShellSession session, CommandArguments arguments, CancellationToken cancellation)
    {
        string path = arguments.Words[0];
        ShellPath.Validate(path);
        IReadOnlyList<Acl> acl = AclText.Parse(arguments.Words[1]);
        int version = arguments.Int32("v") ?? AnyVersion;
        List<string> paths = arguments.Has("R")
            ? await CollectAsync(session.Client, path, cancellation).ConfigureAwait(false)
            : [path];
        foreach (string each in paths)
        {
            Stat stat = await session.Client.SetAclAsync(each, acl, version, cancellation).ConfigureAwait(false);
            if (arguments.Has("s"))
                session.Results.Stat(stat);
        }
        if (!arguments.Has("s"))
            session.Results.Done();
    }
}
