using System.Collections.Concurrent;

namespace SharpKeeper.Server.Metrics;

/// <summary>
/// One metric for each key, such as the first part of a path. Keys come from clients, so there is a limit; values of
/// keys beyond it are counted nowhere.
/// </summary>
internal sealed class KeyedMetrics<TMetric>(string name, Func<string, TMetric> create, int keysMax = 1000)
    : Metric(name)
    where TMetric : Metric
{
    private readonly ConcurrentDictionary<string, TMetric> _byKey = new(StringComparer.Ordinal);

    /// <summary>The metric of a key, or null when there are too many keys already.</summary>
    internal TMetric? For(ReadOnlySpan<char> key)
    {
        if (_byKey.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(key, out TMetric? metric))
            return metric;
        string owned = key.ToString();
        return _byKey.Count >= keysMax ? null : _byKey.GetOrAdd(owned, k => create($"{k}_{Name}"));
    }

    /// <inheritdoc/>
    internal override void CopyTo(IMetricSink sink)
    {
        foreach ((_, TMetric metric) in _byKey.OrderBy(static pair => pair.Key, StringComparer.Ordinal))
            metric.CopyTo(sink);
    }

    /// <inheritdoc/>
    internal override void Reset() => _byKey.Clear();
}
