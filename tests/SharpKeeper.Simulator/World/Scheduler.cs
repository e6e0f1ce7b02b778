namespace SharpKeeper.Simulation;

/// <summary>
/// Virtual time: what is to happen when. Events of the same moment happen in the order they were asked for.
/// </summary>
internal sealed class Scheduler
{
    private readonly PriorityQueue<Action, (long At, long Order)> queue = new();
    private long order;

    /// <summary>Virtual time since the start, microseconds.</summary>
    public long NowUs { get; private set; }

    /// <summary>Number of events that have happened.</summary>
    public long Steps { get; private set; }

    /// <summary>Events after which a run counts as hung.</summary>
    public long StepsMax { get; set; } = 2_000_000;

    /// <summary>Has <paramref name="action"/> run so many microseconds from now.</summary>
    public void After(long delayUs, Action action) => queue.Enqueue(action, (NowUs + Math.Max(delayUs, 0), order++));

    /// <summary>Has <paramref name="action"/> run at that time, or now if it has passed.</summary>
    public void At(long atUs, Action action) => queue.Enqueue(action, (Math.Max(atUs, NowUs), order++));

    /// <summary>Lets events happen until that time.</summary>
    public void RunUntil(long endUs)
    {
        while (queue.TryPeek(out _, out (long At, long Order) next) && next.At <= endUs)
        {
            Action action = queue.Dequeue();
            NowUs = next.At;
            CountStep();
            action();
        }
        NowUs = Math.Max(NowUs, endUs);
    }

    /// <summary>Lets events happen until <paramref name="isDone"/> or that time; says whether it was done.</summary>
    public bool RunUntil(Func<bool> isDone, long endUs)
    {
        while (!isDone())
        {
            if (!queue.TryPeek(out _, out (long At, long Order) next) || next.At > endUs)
            {
                NowUs = Math.Max(NowUs, endUs);
                return isDone();
            }
            Action action = queue.Dequeue();
            NowUs = next.At;
            CountStep();
            action();
        }
        return true;
    }

    private void CountStep()
    {
        if (++Steps > StepsMax)
            throw new SimulationFailure("Livelock", $"{Steps} events in {NowUs / 1000} virtual milliseconds");
    }
}
