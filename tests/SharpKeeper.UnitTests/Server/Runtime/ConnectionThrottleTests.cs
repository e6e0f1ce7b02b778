using SharpKeeper.Server;
using SharpKeeper.Server.Metrics;
using SharpKeeper.Server.Runtime;

namespace SharpKeeper.ServerTests;

/// <summary>The token bucket in front of new sessions.</summary>
public class ConnectionThrottleTests
{
    private const long Start = 1_000_000;

    [Fact]
    public void TryEnter_without_tokens_configured_lets_everybody_in()
    {
        ConnectionThrottle throttle = Make(new ConnectionThrottleOptions());
        for (int i = 0; i < 1000; i++)
            Assert.True(throttle.TryEnter(isRenewal: false, Start));
    }

    [Fact]
    public void TryEnter_empty_bucket_refuses_until_it_is_filled()
    {
        ConnectionThrottle throttle = Make(new ConnectionThrottleOptions
        {
            Tokens = 5,
            FillTime = TimeSpan.FromMilliseconds(100),
            FillCount = 2,
        });
        Assert.Equal(5, Enter(throttle, 10, Start));
        Assert.Equal(0, Enter(throttle, 10, Start + 99));
        Assert.Equal(2, Enter(throttle, 10, Start + 100));
        Assert.Equal(4, Enter(throttle, 10, Start + 300));
        // It holds no more than its size.
        Assert.Equal(5, Enter(throttle, 10, Start + 100_000));
    }

    [Fact]
    public void TryEnter_weights_take_more_tokens()
    {
        var options = new ConnectionThrottleOptions
        {
            Tokens = 6,
            WeightEnabled = true,
            FillTime = TimeSpan.FromDays(1),
        };
        Assert.Equal(2, Enter(Make(options), 10, Start));
        Assert.Equal(3, Enter(Make(options), 10, Start, isRenewal: true));
        Assert.Equal(6, Enter(Make(options with { WeightEnabled = false }), 10, Start, isRenewal: true));
    }

    [Fact]
    public void DropProbability_rises_while_empty_and_falls_only_while_enough_is_left()
    {
        var options = new ConnectionThrottleOptions
        {
            Tokens = 10,
            FillTime = TimeSpan.FromMilliseconds(10),
            FillCount = 1,
            FreezeTime = TimeSpan.FromMilliseconds(1),
            DropIncrease = 0.5,
            DropDecrease = 0.25,
        };
        ConnectionThrottle throttle = Make(options);
        Enter(throttle, 10, Start);
        Assert.Equal(0, throttle.DropProbability);
        Enter(throttle, 1, Start + 2);
        Assert.Equal(0.5, throttle.DropProbability);
        Enter(throttle, 1, Start + 4);
        Enter(throttle, 1, Start + 6);
        Assert.Equal(1, throttle.DropProbability);
        // Half full: with a ratio of 0 it takes a full bucket.
        Assert.Equal(0, Enter(throttle, 3, Start + 56));
        Assert.Equal(1, throttle.DropProbability);
        Enter(throttle, 1, Start + 1000);
        Assert.Equal(0.75, throttle.DropProbability);
    }

    [Fact]
    public void DropProbability_falls_early_with_a_ratio()
    {
        var options = new ConnectionThrottleOptions
        {
            Tokens = 10,
            FillTime = TimeSpan.FromMilliseconds(10),
            FillCount = 1,
            FreezeTime = TimeSpan.FromMilliseconds(1),
            DropIncrease = 1,
            DropDecrease = 0.25,
            DecreaseRatio = 0.5,
        };
        ConnectionThrottle throttle = Make(options);
        Enter(throttle, 10, Start);
        Enter(throttle, 1, Start + 2);
        Assert.Equal(1, throttle.DropProbability);
        Enter(throttle, 1, Start + 42);
        Assert.Equal(1, throttle.DropProbability);
        Enter(throttle, 1, Start + 62);
        Assert.Equal(0.75, throttle.DropProbability);
    }

    private static ConnectionThrottle Make(ConnectionThrottleOptions options) => new(options, new ServerMetrics(), 7);

    private static int Enter(ConnectionThrottle throttle, int count, long nowMs, bool isRenewal = false) =>
        Enumerable.Range(0, count).Count(_ => throttle.TryEnter(isRenewal, nowMs));
}
