using System.Diagnostics;
using Microsoft.Extensions.Logging;
using SharpKeeper.Core;
using SharpKeeper.Core.Log;
using SharpKeeper.Core.Tree;
using SharpKeeper.Protocol;
using SharpKeeper.Server.Metrics;
using SharpKeeper.Server.Storage;

namespace SharpKeeper.Server.Runtime;

/// <summary>
/// Writes snapshots beside live operation: slices are taken under shared access to the tree and written between them,
/// so that no write waits for the disk. One snapshot at a time. It takes effect when the log is durable up to what it
/// holds: after a loss of power it must not be ahead of the logs.
/// </summary>
internal sealed partial class SnapshotKeeper
{
    // Small enough that a write waits well under a millisecond for a slice.
    private const int SliceBytes = 64 * 1024;

    // Between two snapshots lies at least this many times what the last one took.
    private const int RestFactor = 2;

    private readonly SnapshotStore store;
    private readonly AccessGate gate;
    private readonly int slot;
    private readonly TreeHolds trees;
    private readonly ServerMetrics metrics;
    private readonly ILogger logger;
    private readonly CancellationTokenSource stopping = new();
    private readonly Lock startLock = new();
    private readonly object waiting = new();
    private Zxid durable;
    private volatile bool isSuspended;
    private volatile Task running = Task.CompletedTask;
    private long finished;

    /// <summary>Creates the keeper; <paramref name="slot"/> is its reader slot of the gate.</summary>
    public SnapshotKeeper(
        SnapshotStore store, AccessGate gate, int slot, TreeHolds trees, ServerMetrics metrics, ILogger logger)
    {
        this.trees = trees;
        this.store = store;
        this.gate = gate;
        this.slot = slot;
        this.metrics = metrics;
        this.logger = logger;
    }

    /// <summary>Duration of the last finished snapshot; null before the first.</summary>
    public TimeSpan? LastDuration { get; private set; }

    /// <summary>
    /// Starts a snapshot of the replica as it stands; in the replica's turn. If one is being written already nothing
    /// is done and the answer is false: the log has everything.
    /// </summary>
    public bool Start(Replica replica)
    {
        lock (startLock)
        {
            if (stopping.IsCancellationRequested || isSuspended || IsTooSoon())
                return false;
            DataTree tree = replica.Tree;
            trees.Hold(tree);
            LogDurable(replica.Durable);
            var writer = new SnapshotWriter(tree, replica.CommittedSessions.ToArray());
            running = Task.Factory.StartNew(
                () => Write(replica, tree, writer), CancellationToken.None, TaskCreationOptions.LongRunning,
                TaskScheduler.Default);
        }
        return true;
    }

    /// <summary>The log is durable up to here.</summary>
    public void LogDurable(Zxid upTo)
    {
        lock (waiting)
        {
            durable = upTo;
            Monitor.PulseAll(waiting);
        }
    }

    /// <summary>
    /// Gives up a snapshot that is being written and runs <paramref name="action"/> while none can begin.
    /// </summary>
    public void RunAlone(Action action)
    {
        Task last;
        lock (startLock)
        {
            isSuspended = true;
            last = running;
        }
        Wake();
        last.Wait();
        try
        {
            action();
        }
        finally
        {
            isSuspended = false;
        }
    }

    /// <summary>Writes a snapshot at once, before anything runs beside it.</summary>
    public void WriteNow(Replica replica)
    {
        using var writer = new SnapshotWriter(replica.Tree, replica.CommittedSessions.ToArray());
        using ISnapshotSink sink = store.Begin(writer.Start, out _);
        var slice = new JuteBuffer();
        bool more;
        do
        {
            more = writer.WriteSlice(slice, SliceBytes);
            sink.Write(slice.WrittenSpan);
            slice.Clear();
        }
        while (more);
        sink.Commit();
        slice.Dispose();
    }

    /// <summary>Gives up a snapshot that is being written and waits for the end of its thread.</summary>
    public async Task StopAsync()
    {
        await stopping.CancelAsync().ConfigureAwait(false);
        Wake();
        await running.ConfigureAwait(false);
        stopping.Dispose();
    }

    private bool IsTooSoon()
    {
        if (!running.IsCompleted)
        {
            LogBusy();
            return true;
        }
        // At full speed snapCount comes round several times a second; writing a large tree all the time helps nobody.
        return LastDuration is { } last && Stopwatch.GetElapsedTime(finished) < last * RestFactor;
    }

    private bool IsGivenUp => stopping.IsCancellationRequested || isSuspended;

    private void Write(Replica replica, DataTree tree, SnapshotWriter writer)
    {
        long started = Stopwatch.GetTimestamp();
        string name = writer.Start.ToString();
        try
        {
            using ISnapshotSink sink = store.Begin(writer.Start, out name);
            if (!WriteSlices(replica, writer, sink, out Zxid last) || !WaitForLog(last))
                return;
            sink.Commit();
            finished = Stopwatch.GetTimestamp();
            LastDuration = Stopwatch.GetElapsedTime(started);
            metrics.SnapshotTime.Add((long)LastDuration.Value.TotalMilliseconds);
            LogSaved(name, writer.Nodes, writer.Bytes, (long)LastDuration.Value.TotalMilliseconds);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // Nothing depends on this one: the older snapshots and the log are still there.
            metrics.SnapshotErrors.Add();
            LogFailed(name, exception.Message, exception);
        }
        finally
        {
            gate.EnterShared(slot);
            writer.Dispose();
            gate.ExitShared(slot);
            trees.Release(tree);
        }
    }

    private bool WriteSlices(Replica replica, SnapshotWriter writer, ISnapshotSink sink, out Zxid last)
    {
        last = Zxid.Zero;
        using var slice = new JuteBuffer();
        bool more = true;
        while (more)
        {
            if (IsGivenUp)
                return false;
            gate.EnterShared(slot);
            try
            {
                more = writer.WriteSlice(slice, SliceBytes);
                last = replica.AppliedFromLog;
            }
            finally
            {
                gate.ExitShared(slot);
            }
            sink.Write(slice.WrittenSpan);
            slice.Clear();
        }
        return true;
    }

    /// <summary>Waits until the log is durable up to what the snapshot can hold; false if it is given up.</summary>
    private bool WaitForLog(Zxid last)
    {
        lock (waiting)
        {
            while (durable < last && !IsGivenUp)
                Monitor.Wait(waiting);
            return !IsGivenUp;
        }
    }

    private void Wake()
    {
        lock (waiting)
            Monitor.PulseAll(waiting);
    }

    [LoggerMessage(EventId = 120, Level = LogLevel.Information, Message =
        "Saved {Name}: {Nodes} znodes, {Bytes} bytes in {ElapsedMs} ms.")]
    private partial void LogSaved(string name, long nodes, long bytes, long elapsedMs);

    [LoggerMessage(EventId = 121, Level = LogLevel.Warning, Message =
        "A snapshot is due while the last one is still being written; it is left out.")]
    private partial void LogBusy();

    [LoggerMessage(EventId = 122, Level = LogLevel.Error, Message =
        "Could not save {Name}: {Reason}. The log keeps everything; the next snapshot is tried at its time.")]
    private partial void LogFailed(string name, string reason, Exception exception);
}
