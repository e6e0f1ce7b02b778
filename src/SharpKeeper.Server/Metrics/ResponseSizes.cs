namespace SharpKeeper.Server.Metrics;

/// <summary>The sizes of replies in bytes: the last, the smallest and the largest; -1 while there is none.</summary>
internal sealed class ResponseSizes
{
    private long _last = -1;
    private long _min = -1;
    private long _max = -1;

    /// <summary>The size of the latest reply.</summary>
    internal long Last => Volatile.Read(ref _last);

    /// <summary>The size of the smallest reply.</summary>
    internal long Min => Volatile.Read(ref _min);

    /// <summary>The size of the largest reply.</summary>
    internal long Max => Volatile.Read(ref _max);

    /// <summary>Takes note of one reply. Sizes noted at the same moment by several threads may be lost.</summary>
    internal void Note(long bytes) => Note(bytes, bytes, bytes);

    /// <summary>Takes note of the replies of one batch.</summary>
    internal void Note(long last, long min, long max)
    {
        if (Volatile.Read(ref _last) != last)
            Volatile.Write(ref _last, last);
        long smallest = Volatile.Read(ref _min);
        if (smallest < 0 || min < smallest)
            Volatile.Write(ref _min, min);
        if (max > Volatile.Read(ref _max))
            Volatile.Write(ref _max, max);
    }

    /// <summary>Starts again from nothing.</summary>
    internal void Reset()
    {
        Volatile.Write(ref _last, -1);
        Volatile.Write(ref _min, -1);
        Volatile.Write(ref _max, -1);
    }
}
