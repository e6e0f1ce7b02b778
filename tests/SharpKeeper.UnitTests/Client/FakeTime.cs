namespace SharpKeeper.UnitTests.Client;

/// <summary>A clock that stands still until a test moves it; timers due fire on the thread that moves it.</summary>
internal sealed class FakeTime : TimeProvider
{
    private readonly Lock gate = new();
    private readonly List<FakeTimer> timers = [];
    private TaskCompletionSource changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private TimeSpan now;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override long GetTimestamp()
    {
        lock (gate)
            return now.Ticks;
    }

    public override DateTimeOffset GetUtcNow() => DateTimeOffset.UnixEpoch + TimeSpan.FromTicks(GetTimestamp());

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new FakeTimer(this, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }

    /// <summary>Moves the clock and fires what is due on the way, in order.</summary>
    public void Advance(TimeSpan by)
    {
        TimeSpan end = now + by;
        while (true)
        {
            FakeTimer? due;
            lock (gate)
            {
                due = timers.Where(timer => timer.Due <= end).MinBy(timer => timer.Due);
                if (due is null)
                {
                    now = end;
                    return;
                }
                now = due.Due!.Value > now ? due.Due.Value : now;
                due.Due = null;
                timers.Remove(due);
            }
            due.Fire();
        }
    }

    /// <summary>Waits until a timer is due within this time from now, and moves the clock to where it fires.</summary>
    public async Task AdvanceToTimerAsync(TimeSpan dueWithin, CancellationToken cancellation)
    {
        while (true)
        {
            Task next;
            TimeSpan? due;
            lock (gate)
            {
                due = timers.Where(timer => timer.Due <= now + dueWithin).Min(timer => timer.Due) - now;
                next = changed.Task;
            }
            if (due is { } by)
            {
                Advance(by);
                return;
            }
            await next.WaitAsync(cancellation);
        }
    }

    private sealed class FakeTimer(FakeTime time, TimerCallback callback, object? state) : ITimer
    {
        public TimeSpan? Due { get; set; }

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            lock (time.gate)
            {
                time.timers.Remove(this);
                Due = dueTime == Timeout.InfiniteTimeSpan ? null : time.now + dueTime;
                if (Due is not null)
                    time.timers.Add(this);
                time.changed.TrySetResult();
                time.changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            }
            return true;
        }

        public void Fire() => callback(state);

        public void Dispose()
        {
            lock (time.gate)
                time.timers.Remove(this);
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
