namespace SharpKeeper.Server.Configuration;

/// <summary>Finds what someone probably meant to write.</summary>
internal static class NearestName
{
    /// <summary>
    /// The name with the fewest single-letter changes from <paramref name="written"/>, case not counted, or null
    /// when none is near: more than a third of the letters would have to change.
    /// </summary>
    internal static string? Find(string written, IEnumerable<string> names)
    {
        string? best = null;
        int bestDistance = Math.Max(2, written.Length / 3) + 1;
        foreach (string name in names)
        {
            if (Math.Abs(name.Length - written.Length) >= bestDistance)
                continue;
            int distance = Distance(written, name);
            if (distance < bestDistance)
                (best, bestDistance) = (name, distance);
        }
        return best;
    }

    private static int Distance(string a, string b)
    {
        int[] previous = new int[b.Length + 1];
        int[] current = new int[b.Length + 1];
        for (int j = 0; j <= b.Length; j++)
            previous[j] = j;
        for (int i = 1; i <= a.Length; i++)
        {
            current[0] = i;
            for (int j = 1; j <= b.Length; j++)
            {
                int change = char.ToLowerInvariant(a[i - 1]) == char.ToLowerInvariant(b[j - 1]) ? 0 : 1;
                current[j] = Math.Min(Math.Min(current[j - 1], previous[j]) + 1, previous[j - 1] + change);
            }
            (previous, current) = (current, previous);
        }
        return previous[b.Length];
    }
}
