using SharpKeeper.Cli.Shell.Verbs;

namespace SharpKeeper.Cli.Shell;

/// <summary>The commands of the shell.</summary>
internal static class ShellVerbs
{
    /// <summary>All of them by name, sorted as zkCli lists them.</summary>
    public static IReadOnlyList<ShellVerb> All { get; } =
        Sort([.. ReadVerbs.All, .. WriteVerbs.All, .. WatchVerbs.All, .. QuotaVerbs.All, .. SessionVerbs.All]);

    /// <summary>The command of a name, null if there is none.</summary>
    public static ShellVerb? Find(string name)
    {
        foreach (ShellVerb verb in All)
        {
            if (verb.Name == name)
                return verb;
        }
        return null;
    }

    /// <summary>The list that a wrong command is answered with.</summary>
    public static IReadOnlyList<string> Usage { get; } =
    [
        "ZooKeeper -server host:port[,host:port...][/chroot] -timeout ms -r cmd args",
        .. All.Where(verb => !verb.IsHidden).Select(verb => "\t" + verb.Usage),
    ];

    /// <summary>The command that was probably meant, null if none is near.</summary>
    public static string? Nearest(string name)
    {
        string? nearest = null;
        int least = Math.Min(3, (name.Length + 1) / 2 + 1);
        foreach (ShellVerb verb in All)
        {
            int distance = EditDistance(name.ToLowerInvariant(), verb.Name.ToLowerInvariant());
            if (verb.IsHidden || distance >= least)
                continue;
            least = distance;
            nearest = verb.Name;
        }
        return nearest;
    }

    private static ShellVerb[] Sort(ShellVerb[] verbs)
    {
        Array.Sort(verbs, static (left, right) => string.CompareOrdinal(left.Name, right.Name));
        return verbs;
    }

    // Insertions, deletions, replacements and swaps of neighbours, each for one.
    private static int EditDistance(string left, string right)
    {
        int[,] table = new int[left.Length + 1, right.Length + 1];
        for (int i = 0; i <= left.Length; i++)
            table[i, 0] = i;
        for (int j = 0; j <= right.Length; j++)
            table[0, j] = j;
        for (int i = 1; i <= left.Length; i++)
        {
            for (int j = 1; j <= right.Length; j++)
            {
                int replaced = table[i - 1, j - 1] + (left[i - 1] == right[j - 1] ? 0 : 1);
                table[i, j] = Math.Min(replaced, Math.Min(table[i - 1, j], table[i, j - 1]) + 1);
                if (i > 1 && j > 1 && left[i - 1] == right[j - 2] && left[i - 2] == right[j - 1])
                    table[i, j] = Math.Min(table[i, j], table[i - 2, j - 2] + 1);
            }
        }
        return table[left.Length, right.Length];
    }
}
