namespace SharpKeeper.Simulation;

/// <summary>
/// A source of choices that gives the same ones for the same seed, on every machine and version. Each part of the world
/// has its own, so that leaving out a fault changes as little as possible of the rest.
/// </summary>
internal sealed class SimRandom
{
    private ulong state;

    public SimRandom(ulong seed) => state = Mix(seed + 0x9E3779B97F4A7C15UL);

    /// <summary>A source that depends on this one's seed and the label only, not on what was drawn.</summary>
    public static SimRandom For(ulong seed, string label, long number = 0)
    {
        ulong hash = 14695981039346656037UL ^ seed;
        foreach (char c in label)
            hash = (hash ^ c) * 1099511628211UL;
        return new SimRandom(Mix(hash) ^ Mix((ulong)number + 0x1234567));
    }

    /// <summary>64 bits.</summary>
    public ulong Next()
    {
        state += 0x9E3779B97F4A7C15UL;
        return Mix(state);
    }

    /// <summary>From 0 up to and without <paramref name="end"/>.</summary>
    public int Below(int end) => (int)(Next() % (ulong)Math.Max(end, 1));

    /// <summary>From <paramref name="first"/> to <paramref name="last"/>, both included.</summary>
    public int Between(int first, int last) => first + Below(last - first + 1);

    /// <summary>From <paramref name="first"/> to <paramref name="last"/>, both included.</summary>
    public long Between(long first, long last) => first + (long)(Next() % (ulong)Math.Max(last - first + 1, 1));

    /// <summary>True in so many of a thousand cases.</summary>
    public bool PerMille(int chance) => Below(1000) < chance;

    /// <summary>One of them.</summary>
    public T Pick<T>(IReadOnlyList<T> items) => items[Below(items.Count)];

    /// <summary>
    /// Small values often, large ones seldom: up to <paramref name="last"/>, each doubling as likely.
    /// </summary>
    public long Skewed(long first, long last)
    {
        double span = Math.Log2(Math.Max(2.0, (double)last / Math.Max(first, 1)));
        double exponent = span * Below(1 << 20) / (1 << 20);
        return Math.Min(last, (long)(Math.Max(first, 1) * Math.Pow(2, exponent)));
    }

    /// <summary>Puts a list in another order.</summary>
    public void Shuffle<T>(IList<T> items)
    {
        for (int i = items.Count - 1; i > 0; i--)
        {
            int other = Below(i + 1);
            (items[i], items[other]) = (items[other], items[i]);
        }
    }

    private static ulong Mix(ulong z)
    {
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9UL;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBUL;
        return z ^ (z >> 31);
    }
}
