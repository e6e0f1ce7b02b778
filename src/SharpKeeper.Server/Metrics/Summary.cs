namespace SharpKeeper.Server.Metrics;

/// <summary>How much a <see cref="Summary"/> keeps.</summary>
internal enum SummaryDetail
{
    /// <summary>Average, minimum, maximum, count and sum.</summary>
    Basic,

    /// <summary>The basic five and the percentiles 50, 95, 99 and 99.9.</summary>
    Advanced,
}

/// <summary>What a <see cref="Summary"/> held at one moment.</summary>
/// <param name="Count">How many values were added.</param>
/// <param name="Sum">Their sum.</param>
/// <param name="Min">The smallest, 0 when there is none.</param>
/// <param name="Max">The largest, 0 when there is none.</param>
internal readonly record struct SummaryValues(long Count, long Sum, long Min, long Max)
{
    /// <summary>The average with four decimals, half rounded up, 0 when there is none.</summary>
    internal double Average => Count == 0
        ? 0
        : (double)Math.Round((decimal)(Sum / (double)Count), 4, MidpointRounding.AwayFromZero);
}

/// <summary>Measures a distribution of whole numbers; safe and cheap from every thread.</summary>
internal sealed class Summary : Metric
{
    private const int CountAt = Stripe.Padding;
    private const int SumAt = CountAt + 1;
    private const int MinAt = CountAt + 2;
    private const int MaxAt = CountAt + 3;
    private const int BucketsAt = CountAt + 4;

    private static readonly (string Prefix, double Share)[] s_percentiles =
        [("p50_", 0.5), ("p95_", 0.95), ("p99_", 0.99), ("p999_", 0.999)];

    private readonly long[]?[] _stripes = new long[Stripe.Count][];
    private readonly SummaryDetail _detail;

    internal Summary(string name, SummaryDetail detail = SummaryDetail.Basic)
        : base(name) => _detail = detail;

    /// <summary>Adds one measurement.</summary>
    internal void Add(long value) => Add(value, 1);

    /// <summary>Adds the same measurement several times, as for the requests of one batch.</summary>
    internal void Add(long value, int times)
    {
        long[] cells = _stripes[Stripe.Current] ?? CreateStripe(Stripe.Current);
        Interlocked.Add(ref cells[CountAt], times);
        Interlocked.Add(ref cells[SumAt], value * times);
        Lower(ref cells[MinAt], value);
        Raise(ref cells[MaxAt], value);
        if (_detail == SummaryDetail.Advanced)
            Interlocked.Add(ref cells[BucketsAt + LogLinearBuckets.IndexOf(value)], times);
    }

    /// <summary>The basic values.</summary>
    internal SummaryValues Read()
    {
        long count = 0, sum = 0, min = long.MaxValue, max = long.MinValue;
        foreach (long[]? cells in _stripes)
        {
            if (cells is null)
                continue;
            count += Volatile.Read(ref cells[CountAt]);
            sum += Volatile.Read(ref cells[SumAt]);
            min = Math.Min(min, Volatile.Read(ref cells[MinAt]));
            max = Math.Max(max, Volatile.Read(ref cells[MaxAt]));
        }
        return count == 0 ? default : new SummaryValues(count, sum, min, max);
    }

    /// <summary>
    /// The value that <paramref name="share"/> of all values do not exceed, to a sixteenth of itself; 0 when there is
    /// none.
    /// </summary>
    internal long Percentile(double share)
    {
        long[] buckets = new long[LogLinearBuckets.Count];
        long count = SumBuckets(buckets);
        if (count == 0)
            return 0;
        long rank = Math.Max(1, (long)Math.Ceiling(share * count));
        int index = 0;
        for (long seen = buckets[0]; seen < rank; seen += buckets[index])
            index++;
        return Math.Min(LogLinearBuckets.UpperBound(index), Read().Max);
    }

    /// <inheritdoc/>
    internal override void CopyTo(IMetricSink sink) => CopyTo(sink, Name);

    /// <summary>Hands out the values under another name.</summary>
    internal void CopyTo(IMetricSink sink, string name)
    {
        SummaryValues values = Read();
        sink.Add("avg_" + name, values.Average);
        sink.Add("min_" + name, values.Min);
        sink.Add("max_" + name, values.Max);
        sink.Add("cnt_" + name, values.Count);
        sink.Add("sum_" + name, values.Sum);
        if (_detail != SummaryDetail.Advanced)
            return;
        foreach ((string prefix, double share) in s_percentiles)
            sink.Add(prefix + name, Percentile(share));
    }

    /// <inheritdoc/>
    internal override void Reset()
    {
        foreach (long[]? cells in _stripes)
        {
            if (cells is not null)
                Clear(cells);
        }
    }

    private static void Clear(long[] cells)
    {
        Array.Clear(cells);
        cells[MinAt] = long.MaxValue;
        cells[MaxAt] = long.MinValue;
    }

    private static void Lower(ref long cell, long value)
    {
        long seen = Volatile.Read(ref cell);
        while (value < seen)
        {
            long previous = Interlocked.CompareExchange(ref cell, value, seen);
            if (previous == seen)
                return;
            seen = previous;
        }
    }

    private static void Raise(ref long cell, long value)
    {
        long seen = Volatile.Read(ref cell);
        while (value > seen)
        {
            long previous = Interlocked.CompareExchange(ref cell, value, seen);
            if (previous == seen)
                return;
            seen = previous;
        }
    }

    private long SumBuckets(long[] buckets)
    {
        if (_detail != SummaryDetail.Advanced)
            return 0;
        long count = 0;
        foreach (long[]? cells in _stripes)
        {
            for (int i = 0; cells is not null && i < buckets.Length; i++)
            {
                long here = Volatile.Read(ref cells[BucketsAt + i]);
                buckets[i] += here;
                count += here;
            }
        }
        return count;
    }

    private long[] CreateStripe(int stripe)
    {
        int buckets = _detail == SummaryDetail.Advanced ? LogLinearBuckets.Count : 0;
        long[] cells = new long[BucketsAt + buckets + Stripe.Padding];
        Clear(cells);
        return Interlocked.CompareExchange(ref _stripes[stripe], cells, null) ?? cells;
    }
}
