using Microsoft.Extensions.Logging;
using SharpKeeper.Core;
using SharpKeeper.Core.Log;
using SharpKeeper.Server.Storage;

namespace SharpKeeper.Server.Runtime;

/// <summary>Removes snapshots and logs that nothing needs any more, at start and then at an interval.</summary>
internal sealed partial class Purger : IAsyncDisposable
{
    private static readonly TimeSpan firstDelayMax = TimeSpan.FromSeconds(1);

    private readonly Lock running = new();
    private readonly SnapshotStore store;
    private readonly int retained;
    private readonly ILogger logger;
    private readonly ITimer timer;

    /// <summary>Creates the purger and runs it for the first time soon.</summary>
    public Purger(SnapshotStore store, int retained, TimeSpan interval, TimeProvider clock, ILogger logger)
    {
        this.store = store;
        this.retained = retained;
        this.logger = logger;
        TimeSpan first = interval < firstDelayMax ? interval : firstDelayMax;
        timer = clock.CreateTimer(_ => Run(), null, first, interval);
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => timer.DisposeAsync();

    /// <summary>Runs <paramref name="action"/> while nothing is being removed.</summary>
    public void RunAlone(Action action)
    {
        lock (running)
            action();
    }

    private void Run()
    {
        // On a slow disk one purge can outlast the interval.
        if (!running.TryEnter())
            return;
        try
        {
            PurgePlan plan = store.Purge(retained);
            if (plan.Snapshots.Count + plan.Logs.Count > 0)
                LogPurged(plan.Snapshots.Count, plan.Logs.Count, retained);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException
            or CorruptDataException)
        {
            LogFailed(exception.Message, exception);
        }
        finally
        {
            running.Exit();
        }
    }

    [LoggerMessage(EventId = 130, Level = LogLevel.Information, Message =
        "Removed {Snapshots} snapshots and {Logs} logs that the newest {Retained} snapshots do not need.")]
    private partial void LogPurged(int snapshots, int logs, int retained);

    [LoggerMessage(EventId = 131, Level = LogLevel.Warning, Message =
        "Could not remove old snapshots and logs: {Reason}. It is tried again at the next interval.")]
    private partial void LogFailed(string reason, Exception exception);
}
