using System.Globalization;
using System.Text;
using SharpKeeper.Client;

namespace SharpKeeper.Cli.Shell.Verbs;

/// <summary>Commands for quotas, which are ordinary znodes under /zookeeper/quota that servers read.</summary>
internal static class QuotaVerbs
{
    private const string LimitsName = "zookeeper_limits";

    /// <summary>The commands of this family.</summary>
    public static IReadOnlyList<ShellVerb> All { get; } =
    [
        new("setquota", "-n|-b|-N|-B val path", "Limit znodes (-n, hard -N) or bytes (-b, hard -B)", SetAsync)
        {
            Options = OptionSpec.List("n: b: N: B:"), WordsMin = 1, WordsMax = 1, Words = [WordKind.Path],
        },
        new("listquota", "path", "Show limits and usage", ListAsync)
        {
            WordsMin = 1, WordsMax = 1, Words = [WordKind.Path],
        },
        new("delquota", "[-n|-b|-N|-B] path", "Delete limits", DeleteAsync)
        {
            Options = OptionSpec.List("n b N B"), WordsMin = 1, WordsMax = 1, Words = [WordKind.Path],
        },
    ];

    private static async Task SetAsync(
        ShellSession session, CommandArguments arguments, CancellationToken cancellation)
    {
        string path = arguments.Words[0];
        if (arguments is { } given && !given.Has("n") && !given.Has("b") && !given.Has("N") && !given.Has("B"))
            throw new ShellUsageException("setquota needs one of -n, -b, -N, -B with a value");
        QuotaText asked = ReadLimits(arguments);
        QuotaText.Validate(path);
        if (QuotaText.IsQuotaPath(path))
        {
            throw new ShellCommandException(
                $"cannot set a quota under the path: {QuotaText.Root}", "BadArguments", path);
        }
        IKeeperClient client = session.Client;
        if (await client.ExistsAsync(path, null, cancellation).ConfigureAwait(false) is null)
            throw new ShellCommandException($"{path} does not exist.", "NoNode", path);
        await RefuseNestingAsync(client, path, cancellation).ConfigureAwait(false);
        QuotaText limits = await WriteLimitsAsync(client, path, asked, cancellation).ConfigureAwait(false);
        await WarnIfExceededAsync(session, path, limits, cancellation).ConfigureAwait(false);
        session.Results.Done();
    }

    private static QuotaText ReadLimits(CommandArguments arguments) => new(
        ReadLimit(arguments, "n", "num", 1), ReadLimit(arguments, "b", "bytes", 0),
        ReadLimit(arguments, "N", "num", 1), ReadLimit(arguments, "B", "bytes", 0));

    private static long ReadLimit(CommandArguments arguments, string option, string what, long least)
    {
        if (arguments.Value(option) is not { } text)
            return -1;
        if (!long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long value))
            throw new ShellUsageException($"-{option} takes a whole number, not '{text}'");
        if (value >= least)
            return value;
        throw new ShellUsageException(
            $"the {what} quota must be greater than {(least == 0 ? "or equal to " : "")}zero");
    }

    private static async Task RefuseNestingAsync(IKeeperClient client, string path, CancellationToken cancellation)
    {
        foreach (string ancestor in QuotaText.Ancestors(path))
        {
            if (await client.ExistsAsync(QuotaText.LimitsPath(ancestor), null, cancellation).ConfigureAwait(false)
                is not null)
            {
                throw new ShellCommandException(
                    $"{path} has a parent {ancestor} which has a quota", "BadArguments", path);
            }
        }
        if (await FindBelowAsync(client, QuotaText.Root + path, cancellation).ConfigureAwait(false) is { } below)
        {
            string child = below[QuotaText.Root.Length..];
            throw new ShellCommandException($"{path} has a child {child} which has a quota", "BadArguments", path);
        }
    }

    private static async Task<string?> FindBelowAsync(
        IKeeperClient client, string quotaPath, CancellationToken cancellation)
    {
        Stack<string> pending = new([quotaPath]);
        while (pending.TryPop(out string? next))
        {
            foreach (string name in await ChildrenAsync(client, next, cancellation).ConfigureAwait(false))
            {
                if (name == LimitsName && next != quotaPath)
                    return next;
                pending.Push(ShellPath.Child(next, name));
            }
        }
        return null;
    }

    private static async Task<IReadOnlyList<string>> ChildrenAsync(
        IKeeperClient client, string path, CancellationToken cancellation)
    {
        try
        {
            return await client.GetChildrenAsync(path, null, cancellation).ConfigureAwait(false);
        }
        catch (NoNodeException)
        {
            return [];
        }
    }

    private static async Task<QuotaText> WriteLimitsAsync(
        IKeeperClient client, string path, QuotaText asked, CancellationToken cancellation)
    {
        string limitsPath = QuotaText.LimitsPath(path);
        if (await ReadAsync(client, limitsPath, cancellation).ConfigureAwait(false) is { } present)
        {
            QuotaText merged = new(
                asked.Count < 0 ? present.Count : asked.Count,
                asked.DataBytes < 0 ? present.DataBytes : asked.DataBytes,
                asked.CountHard < 0 ? present.CountHard : asked.CountHard,
                asked.DataBytesHard < 0 ? present.DataBytesHard : asked.DataBytesHard);
            await client.SetAsync(limitsPath, Bytes(merged.Format()), -1, cancellation).ConfigureAwait(false);
            return merged;
        }
        foreach (string parent in QuotaText.Ancestors(limitsPath).Reverse())
        {
            if (QuotaText.IsQuotaPath(parent))
                await client.TryCreateAsync(parent, null, cancellation: cancellation).ConfigureAwait(false);
        }
        await client.TryCreateAsync(limitsPath, Bytes(asked.Format()), cancellation: cancellation)
            .ConfigureAwait(false);
        // The server fills in the real usage.
        await client.TryCreateAsync(QuotaText.StatsPath(path), Bytes(new QuotaText(0, 0).FormatUsage()),
            cancellation: cancellation).ConfigureAwait(false);
        return asked;
    }

    private static async Task WarnIfExceededAsync(
        ShellSession session, string path, QuotaText limits, CancellationToken cancellation)
    {
        QuotaText? usage =
            await ReadAsync(session.Client, QuotaText.StatsPath(path), cancellation).ConfigureAwait(false);
        if (usage is null)
            return;
        Warn(session, "count", limits.Count, limits.CountHard, usage.Count);
        Warn(session, "bytes", limits.DataBytes, limits.DataBytesHard, usage.DataBytes);
    }

    private static void Warn(ShellSession session, string what, long soft, long hard, long present)
    {
        if ((soft > -1 && soft < present) || (hard > -1 && hard < present))
        {
            session.Results.Warning(string.Create(CultureInfo.InvariantCulture,
                $"[Warning]: the {what} quota you create is less than the existing {what}:{present}"));
        }
    }

    private static async Task ListAsync(
        ShellSession session, CommandArguments arguments, CancellationToken cancellation)
    {
        string path = arguments.Words[0];
        QuotaText.Validate(path);
        session.Results.Note($"absolute path is {QuotaText.LimitsPath(path)}");
        QuotaText? limits = await ReadAsync(session.Client, QuotaText.LimitsPath(path), cancellation)
            .ConfigureAwait(false);
        QuotaText? usage = await ReadAsync(session.Client, QuotaText.StatsPath(path), cancellation)
            .ConfigureAwait(false);
        session.Results.Quota(path, limits, usage);
    }

    private static async Task DeleteAsync(
        ShellSession session, CommandArguments arguments, CancellationToken cancellation)
    {
        string path = arguments.Words[0];
        QuotaText.Validate(path);
        IKeeperClient client = session.Client;
        string limitsPath = QuotaText.LimitsPath(path);
        if (await ReadAsync(client, limitsPath, cancellation).ConfigureAwait(false) is not { } limits)
        {
            session.Results.Text("message", $"Quota does not exist for {path}");
            return;
        }
        QuotaText left = new(
            arguments.Has("n") ? -1 : limits.Count, arguments.Has("b") ? -1 : limits.DataBytes,
            arguments.Has("N") ? -1 : limits.CountHard, arguments.Has("B") ? -1 : limits.DataBytesHard);
        if (left != limits || arguments.Has("n") || arguments.Has("b") || arguments.Has("N") || arguments.Has("B"))
            await client.SetAsync(limitsPath, Bytes(left.Format()), -1, cancellation).ConfigureAwait(false);
        else
            await DeleteWholeAsync(client, path, cancellation).ConfigureAwait(false);
        session.Results.Done();
    }

    // The znodes above are kept as long as another quota is below them.
    private static async Task DeleteWholeAsync(IKeeperClient client, string path, CancellationToken cancellation)
    {
        await client.TryDeleteAsync(QuotaText.LimitsPath(path), -1, cancellation).ConfigureAwait(false);
        await client.TryDeleteAsync(QuotaText.StatsPath(path), -1, cancellation).ConfigureAwait(false);
        foreach (string parent in QuotaText.Ancestors(QuotaText.LimitsPath(path)))
        {
            if (parent == QuotaText.Root)
                return;
            try
            {
                await client.TryDeleteAsync(parent, -1, cancellation).ConfigureAwait(false);
            }
            catch (NotEmptyException)
            {
                return;
            }
        }
    }

    private static async Task<QuotaText?> ReadAsync(
        IKeeperClient client, string path, CancellationToken cancellation)
    {
        try
        {
            ZnodeData znode = await client.GetAsync(path, null, cancellation).ConfigureAwait(false);
            return QuotaText.Parse(znode.Data ?? [], path);
        }
        catch (NoNodeException)
        {
            return null;
        }
    }

    private static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);
}
