using CsCheck;
using SharpKeeper.Server.Metrics;

namespace SharpKeeper.ServerTests;

public sealed class ServerMetricsTests
{
    [Fact]
    public void Counter_adds_up_over_threads()
    {
        Counter counter = new("n");
        Parallel.For(0, 1000, _ => counter.Add(3));
        Assert.Equal(3000, counter.Value);
        counter.Reset();
        Assert.Equal(0, counter.Value);
    }

    [Fact]
    public void Summary_keeps_extremes_over_threads()
    {
        Summary summary = new("n", SummaryDetail.Advanced);
        Parallel.For(1, 1001, i => summary.Add(i));
        Assert.Equal(new SummaryValues(1000, 500_500, 1, 1000), summary.Read());
        Assert.Equal(500.5, summary.Read().Average);
        summary.Reset();
        Assert.Equal(default, summary.Read());
        Assert.Equal(0, summary.Percentile(0.99));
        summary.Add(7);
        Assert.Equal(new SummaryValues(1, 7, 7, 7), summary.Read());
    }

    [Fact]
    public void Summary_rounds_the_average_half_up_to_four_decimals()
    {
        Summary summary = new("n");
        summary.Add(0, 31);
        summary.Add(1);
        Assert.Equal(0.0313, summary.Read().Average);
    }

    [Fact]
    public void Percentile_is_near_that_of_the_sorted_values() =>
        Gen.Select(Gen.Long[0, 5_000_000].Array[1, 200], Gen.Double[0.01, 1]).Sample((values, share) =>
        {
            Summary summary = new("n", SummaryDetail.Advanced);
            foreach (long value in values)
                summary.Add(value);
            long exact = values.Order().ElementAt((int)Math.Max(1, Math.Ceiling(share * values.Length)) - 1);
            long found = summary.Percentile(share);
            return found >= exact && found <= exact + (exact / 16);
        }, iter: 500, seed: "0000KeoKjvO3");

    [Fact]
    public void Buckets_hold_what_their_bounds_say() =>
        Gen.Long[0, uint.MaxValue].Sample(value =>
        {
            int index = LogLinearBuckets.IndexOf(value);
            return value <= LogLinearBuckets.UpperBound(index)
                && (index == 0 || value > LogLinearBuckets.UpperBound(index - 1));
        }, iter: 2000, seed: "0000KeoKjvO3");

    [Theory]
    [InlineData(-5, 0)]
    [InlineData(15, 15)]
    [InlineData(16, 16)]
    [InlineData(long.MaxValue, LogLinearBuckets.Count - 1)]
    public void Buckets_take_every_number(long value, int index) =>
        Assert.Equal(index, LogLinearBuckets.IndexOf(value));

    [Fact]
    public void ResponseSizes_remember_last_smallest_and_largest()
    {
        ResponseSizes sizes = new();
        Assert.Equal((-1, -1, -1), (sizes.Last, sizes.Min, sizes.Max));
        sizes.Note(50);
        sizes.Note(last: 20, min: 10, max: 90);
        Assert.Equal((20, 10, 90), (sizes.Last, sizes.Min, sizes.Max));
    }

    [Fact]
    public void CopyTo_names_every_metric_once()
    {
        RecordingSink sink = new();
        new ServerMetrics().CopyTo(sink);
        Assert.Equal(sink.Names.Count, sink.Names.Distinct().Count());
        Assert.Contains("p999_readlatency", sink.Names);
        Assert.Contains("watch_bytes", sink.Names);
    }

    private sealed class RecordingSink : IMetricSink
    {
        public List<string> Lines { get; } = [];

        public List<string> Names { get; } = [];

        public void Add(string name, long value)
        {
            Lines.Add($"{name}={value}");
            Names.Add(name);
        }

        public void Add(string name, double value)
        {
            Lines.Add(FormattableString.Invariant($"{name}={value}"));
            Names.Add(name);
        }
    }
}
