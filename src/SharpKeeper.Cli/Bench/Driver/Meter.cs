using System.Diagnostics;
using HdrHistogram;

namespace SharpKeeper.Cli.Bench.Driver;

/// <summary>Counts what ended and how long each took: three significant digits, up to an hour.</summary>
internal sealed class Meter
{
    private const long NanosecondsMax = 3_600_000_000_000;
    private static readonly double NanosecondsPerTick = 1e9 / Stopwatch.Frequency;

    private readonly LongHistogram histogram = new(1, NanosecondsMax, 3);

    /// <summary>How many were recorded.</summary>
    public long Count { get; private set; }

    /// <summary>Records <paramref name="count"/> that took <paramref name="ticks"/> of the stopwatch each.</summary>
    public void Record(long ticks, long count)
    {
        long nanoseconds = Math.Clamp((long)(ticks * NanosecondsPerTick), 0, NanosecondsMax);
        histogram.RecordValueWithCount(nanoseconds, count);
        Count += count;
    }

    /// <summary>Adds all that another meter holds.</summary>
    public void Add(Meter other)
    {
        histogram.Add(other.histogram);
        Count += other.Count;
    }

    /// <summary>Microseconds that <paramref name="percentile"/> of 100 did not exceed; 0 when empty.</summary>
    public double PercentileUs(double percentile) =>
        Count == 0 ? 0 : histogram.GetValueAtPercentile(percentile) / 1000.0;

    /// <summary>Mean in microseconds; 0 when nothing was recorded.</summary>
    public double MeanUs => Count == 0 ? 0 : histogram.GetMean() / 1000.0;
}
