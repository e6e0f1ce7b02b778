using System.Runtime.CompilerServices;

namespace SharpKeeper.Server.Metrics;

/// <summary>A number that only grows, safe to add to from every thread and cheap on each.</summary>
internal sealed class Counter(string name) : Metric(name)
{
    private const int Stride = Stripe.Padding;
    private readonly long[] _cells = new long[(Stripe.Count + 1) * Stride];

    /// <summary>The sum of everything added.</summary>
    internal long Value
    {
        get
        {
            long sum = 0;
            for (int stripe = 0; stripe < Stripe.Count; stripe++)
                sum += Volatile.Read(ref Cell(stripe));
            return sum;
        }
    }

    /// <summary>Adds one or more.</summary>
    internal void Add(long count = 1) => Interlocked.Add(ref Cell(Stripe.Current), count);

    /// <inheritdoc/>
    internal override void CopyTo(IMetricSink sink) => sink.Add(Name, Value);

    /// <inheritdoc/>
    internal override void Reset()
    {
        for (int stripe = 0; stripe < Stripe.Count; stripe++)
            Volatile.Write(ref Cell(stripe), 0);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private ref long Cell(int stripe) => ref _cells[(stripe + 1) * Stride];
}
