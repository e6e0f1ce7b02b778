using SharpKeeper.Server.Metrics;

namespace SharpKeeper.Server.Runtime;

/// <summary>
/// Limits how fast sessions are established: a bucket of tokens that fills at a steady rate, and, if asked for, a chance
/// of being dropped that rises while the bucket is empty and falls while it is not. Any thread.
/// </summary>
internal sealed class ConnectionThrottle(ConnectionThrottleOptions options, ServerMetrics metrics, uint seed)
{
    private readonly Lock padlock = new();
    private double tokens = options.Tokens;
    private double dropProbability;
    private long filledMs;
    private long adjustedMs;
    private uint random = seed | 1;

    /// <summary>The chance that the next session is turned away although there are tokens, 0 to 1.</summary>
    public double DropProbability
    {
        get
        {
            lock (padlock)
                return dropProbability;
        }
    }

    /// <summary>May a session be established now?</summary>
    public bool TryEnter(bool isRenewal, long nowMs)
    {
        if (options.Tokens <= 0)
            return true;
        int needed = !options.WeightEnabled ? 1 : isRenewal ? options.RenewSessionWeight : options.GlobalSessionWeight;
        lock (padlock)
        {
            Fill(nowMs);
            Adjust(nowMs);
            if (NextDouble() < dropProbability)
                return false;
            if (tokens < needed)
            {
                metrics.ConnectionTokenDeficit.Add((long)(options.Tokens - tokens));
                return false;
            }
            tokens -= needed;
            return true;
        }
    }

    private void Fill(long nowMs)
    {
        double fillMs = Math.Max(1, options.FillTime.TotalMilliseconds);
        if (filledMs == 0)
            filledMs = nowMs;
        double passedMs = nowMs - filledMs;
        if (passedMs < fillMs)
            return;
        tokens = Math.Min(options.Tokens, tokens + (passedMs / fillMs * options.FillCount));
        filledMs = nowMs;
    }

    private void Adjust(long nowMs)
    {
        if (options.FreezeTime < TimeSpan.Zero || nowMs - adjustedMs < options.FreezeTime.TotalMilliseconds)
            return;
        adjustedMs = nowMs;
        if (tokens < 1)
            dropProbability = Math.Min(1, dropProbability + options.DropIncrease);
        else if (options.Tokens - Math.Floor(tokens) <= Math.Round(options.Tokens * options.DecreaseRatio))
            dropProbability = Math.Max(0, dropProbability - options.DropDecrease);
    }

    private double NextDouble()
    {
        random ^= random << 13;
        random ^= random >> 17;
        random ^= random << 5;
        return random / (uint.MaxValue + 1.0);
    }
}
