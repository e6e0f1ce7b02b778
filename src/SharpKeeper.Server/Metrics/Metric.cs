namespace SharpKeeper.Server.Metrics;

/// <summary>Receives the values of metrics, one call for each line of the reply to <c>mntr</c>.</summary>
internal interface IMetricSink
{
    /// <summary>A whole number.</summary>
    void Add(string name, long value);

    /// <summary>A number with a fraction.</summary>
    void Add(string name, double value);
}

/// <summary>Something counted or measured under a name of Apache's registry.</summary>
internal abstract class Metric(string name)
{
    /// <summary>The name without the prefix <c>zk_</c>.</summary>
    internal string Name { get; } = name;

    /// <summary>Hands out the current values.</summary>
    internal abstract void CopyTo(IMetricSink sink);

    /// <summary>Starts again from nothing. Values added at the same moment may be lost.</summary>
    internal abstract void Reset();
}

/// <summary>
/// Which copy of a metric's memory the current thread adds to. Threads get copies of their own as far as they reach,
/// so that adding needs no cache line that another processor is writing to.
/// </summary>
internal static class Stripe
{
    /// <summary>The number of copies, a power of two.</summary>
    internal static readonly int Count = (int)System.Numerics.BitOperations.RoundUpToPowerOf2(
        (uint)Math.Clamp(Environment.ProcessorCount, 1, 16));

    /// <summary>Longs in front of and behind the used ones, so that copies never share a cache line.</summary>
    internal const int Padding = 8;

    /// <summary>The copy of the current thread.</summary>
    internal static int Current => Environment.CurrentManagedThreadId & (Count - 1);
}
