using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.Logging;
using SharpKeeper.Core;
using SharpKeeper.Core.Log;
using SharpKeeper.Protocol;

namespace SharpKeeper.Server.Storage;

/// <summary>
/// Writes batches of transactions to Apache's log files on a thread of its own: one write and one sync for all that
/// has come in meanwhile. Always starts a new file, never appends to one that exists. Nothing is reported durable
/// that a power failure could take back (unless syncing is turned off).
/// </summary>
internal sealed partial class LogWriter : IDisposable
{
    // Written and synced at once at most, so that after a stall the first acknowledgements do not wait for all.
    private const long GroupBytesMax = 16 << 20;
    private const int FirstRetryMs = 50;

    private readonly LogWriterOptions options;
    private readonly ILogCompletion completion;
    private readonly ILogFiles files;
    private readonly ILogger logger;
    private readonly LogSegmentPreparer preparer;
    private readonly Thread thread;
    private readonly object gate = new();
    private readonly Lock countersLock = new();
    private readonly List<TxnBatch> group = [];
    private readonly List<ReadOnlyMemory<byte>> buffers = [];

    private List<Item> queue = [];
    private List<Item> taken = [];
    private bool isWaiting;
    private bool isStopping;
    private bool hasEnded;
    private long queuedBytes;
    private LogWriterCounters counters;
    private LogSegment? segment;
    private Damage damage;

    /// <summary>Creates the writer and starts its threads; no file is made before the first append.</summary>
    /// <exception cref="IOException">Left-over temporary files cannot be deleted.</exception>
    public LogWriter(LogWriterOptions options, ILogCompletion completion, ILogger logger, ILogFiles? files = null)
    {
        this.options = options;
        this.completion = completion;
        this.logger = logger;
        this.files = files ?? new DiskLogFiles();
        preparer = new LogSegmentPreparer(options, this.files, logger);
        thread = new Thread(Run) { IsBackground = true, Name = "log-writer" };
        thread.Start();
    }

    // What a failure has left behind, mended before the next attempt.
    private enum Damage
    {
        None,

        // Part of a write may be in the file.
        Write,

        // Written data may or may not be on disk, and syncing again would not tell.
        Sync,
    }

    // Neither stands for a roll.
    private readonly record struct Item(TxnBatch? Batch, Interlude? Interlude);

    /// <summary>Bytes appended and not yet durable; any thread.</summary>
    public long QueuedBytes => Interlocked.Read(ref queuedBytes);

    /// <summary>What has been done so far; any thread.</summary>
    public LogWriterCounters Counters
    {
        get
        {
            lock (countersLock)
                return counters;
        }
    }

    /// <summary>
    /// Queues a batch that is not empty. Never blocks; one thread at a time. The batch belongs to the writer until
    /// <see cref="ILogCompletion.Durable"/> gives it back; its bytes may be read meanwhile.
    /// </summary>
    public void Append(TxnBatch batch)
    {
        Invariant.Check(batch.Count > 0, "an empty batch was given to the log");
        Interlocked.Add(ref queuedBytes, batch.Bytes.Length);
        Enqueue(new Item(batch, null));
    }

    /// <summary>The next batch appended starts a new file, named after its first transaction.</summary>
    public void Roll() => Enqueue(default);

    /// <summary>
    /// Runs <paramref name="action"/> on the writer's thread once everything appended before is durable and reported,
    /// and the file is closed; what is appended afterwards waits for it and goes into a new file. So the action has the
    /// log directory for itself: it may cut and delete logs (<see cref="LogTruncation"/>) and replace everything
    /// (<see cref="SnapshotInstallation"/>). Never blocks; the same thread as <see cref="Append"/>.
    /// </summary>
    /// <remarks>
    /// While the disk refuses, the action waits until what was appended before could be written. For use by a driver:
    /// <code>
    /// log.RunBetween(
    ///     () => result = LogTruncation.CutAfter(device, target),
    ///     failure => post(failure is null ? new LogTruncated(result) : new StorageFailed(failure)));
    /// </code>
    /// </remarks>
    /// <param name="action">May throw what storage throws; another exception ends the writer.</param>
    /// <param name="completed">
    /// Called once, on the writer's thread: with null when the action is through; with the IOException,
    /// UnauthorizedAccessException or CorruptDataException that it threw, after which the writer goes on; or with an
    /// IOException if the writer ended before, when nothing was done.
    /// </param>
    public void RunBetween(Action action, Action<Exception?> completed)
    {
        var interlude = new Interlude(action, completed);
        if (!Enqueue(new Item(null, interlude)))
            interlude.Abandon();
    }

    /// <summary>
    /// Makes durable what is queued and ends the threads. While the disk refuses, one more attempt is made; batches
    /// that fail then are not reported.
    /// </summary>
    public void Dispose()
    {
        lock (gate)
        {
            isStopping = true;
            Monitor.PulseAll(gate);
        }
        thread.Join();
        preparer.Dispose();
    }

    // False when the writer has ended.
    private bool Enqueue(Item item)
    {
        lock (gate)
        {
            if (hasEnded)
                return false;
            queue.Add(item);
            if (isWaiting)
                Monitor.Pulse(gate);
            return true;
        }
    }

    private void Run()
    {
        try
        {
            while (TakeQueued())
            {
                if (!Process(taken))
                    break;
                taken.Clear();
            }
            CloseSegment();
            AbandonInterludes();
        }
        catch (Exception exception)
        {
            options.Failed(exception);
        }
    }

    private void AbandonInterludes()
    {
        Item[] left;
        lock (gate)
        {
            hasEnded = true;
            left = [.. taken, .. queue];
        }
        foreach (Item item in left)
            item.Interlude?.Abandon();
    }

    // False when there is nothing left and the writer stops.
    private bool TakeQueued()
    {
        lock (gate)
        {
            while (queue.Count == 0)
            {
                if (isStopping)
                    return false;
                isWaiting = true;
                Monitor.Wait(gate);
                isWaiting = false;
            }
            (queue, taken) = (taken, queue);
            return true;
        }
    }

    private bool Process(List<Item> items)
    {
        long bytes = 0;
        foreach ((TxnBatch? batch, Interlude? interlude) in items)
        {
            if (batch is null || bytes > GroupBytesMax || IsSegmentFull(bytes))
            {
                if (!CommitGroup(bytes))
                    return false;
                bytes = 0;
                if (batch is null || IsSegmentFull(0))
                    CloseSegment();
            }
            interlude?.Run();
            if (batch is null)
                continue;
            group.Add(batch);
            bytes += batch.Bytes.Length;
        }
        return CommitGroup(bytes);
    }

    private bool IsSegmentFull(long moreBytes) => options.SegmentBytesMax > 0
        && (segment?.Position ?? LogSegment.HeaderBytes) + moreBytes >= options.SegmentBytesMax
        && (segment is not null || moreBytes > 0);

    // False when the writer stops and the disk still refuses.
    private bool CommitGroup(long bytes)
    {
        if (group.Count == 0)
            return true;
        buffers.Clear();
        foreach (TxnBatch batch in group)
        {
            batch.Seal();
            buffers.Add(batch.Bytes);
        }
        if (!WriteUntilDurable(bytes))
            return false;
        Count(bytes);
        Interlocked.Add(ref queuedBytes, -bytes);
        foreach (TxnBatch batch in group)
            completion.Durable(batch);
        group.Clear();
        completion.DurableBatchEnd();
        preparer.Advanced(segment!, bytes);
        return true;
    }

    private bool WriteUntilDurable(long bytes)
    {
        int waitMsMax = (int)options.RetryInterval.TotalMilliseconds;
        int waitMs = Math.Min(FirstRetryMs, waitMsMax);
        bool isStalled = false;
        while (true)
        {
            bool isLast = Volatile.Read(ref isStopping);
            try
            {
                WriteGroup(bytes);
                break;
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                if (!isStalled)
                    Stall(exception);
                isStalled = true;
                if (isLast)
                    return false;
            }
            WaitToRetry(waitMs);
            waitMs = Math.Min(waitMs * 2, waitMsMax);
        }
        if (isStalled)
        {
            preparer.Resume();
            LogResumed(segment!.Path);
            completion.Resumed();
        }
        return true;
    }

    private void Stall(Exception exception)
    {
        preparer.Pause();
        lock (countersLock)
            counters = counters with { Stalls = counters.Stalls + 1 };
        string reason = $"The transaction log in {options.Directory} cannot be written: {exception.Message}";
        LogStalled(reason);
        completion.Stalled(reason, exception);
    }

    private void WaitToRetry(int waitMs)
    {
        lock (gate)
        {
            // Appending does not pulse here: the writer is not marked as waiting.
            if (!isStopping)
                Monitor.Wait(gate, waitMs);
        }
    }

    private void WriteGroup(long bytes)
    {
        Mend();
        segment ??= preparer.Open(PathOf(group[0].First));
        damage = Damage.Write;
        segment.Write(buffers, bytes);
        if (options.ForceSync)
        {
            damage = Damage.Sync;
            Sync(segment);
        }
        segment.MarkDurable();
        damage = Damage.None;
    }

    private void Mend()
    {
        if (damage == Damage.None)
            return;
        segment!.CutToDurable();
        if (damage == Damage.Sync)
        {
            // After a failed sync the kernel may have dropped what was to be written and call it clean, so the file
            // ends where it is known to be good and what is not acknowledged goes into a new one.
            segment.Sync();
            CloseSegment();
        }
        damage = Damage.None;
    }

    private void Sync(LogSegment file)
    {
        long start = Stopwatch.GetTimestamp();
        file.Sync();
        TimeSpan taken = Stopwatch.GetElapsedTime(start);
        if (!file.IsNameDurable)
        {
            files.SyncDirectory(options.Directory);
            file.MarkNameDurable();
        }
        lock (countersLock)
        {
            TimeSpan longest = taken > counters.SyncTimeMax ? taken : counters.SyncTimeMax;
            counters = counters with
            {
                Syncs = counters.Syncs + 1,
                SyncTime = counters.SyncTime + taken,
                SyncTimeMax = longest,
            };
        }
        options.Synced?.Invoke(taken);
        if (taken > options.FsyncWarning)
            LogSlowSync((long)taken.TotalMilliseconds, file.Path, file.Position);
    }

    private void CloseSegment()
    {
        if (segment is null)
            return;
        preparer.Retire(segment);
        segment = null;
    }

    private void Count(long bytes)
    {
        int entries = 0;
        foreach (TxnBatch batch in group)
            entries += batch.Count;
        lock (countersLock)
        {
            counters = counters with
            {
                Entries = counters.Entries + entries,
                Batches = counters.Batches + group.Count,
                Bytes = counters.Bytes + bytes,
                Groups = counters.Groups + 1,
            };
        }
    }

    private sealed class Interlude(Action action, Action<Exception?> completed)
    {
        private bool isDone;

        public void Run()
        {
            isDone = true;
            Exception? failure = null;
            try
            {
                action();
            }
            catch (Exception exception)
                when (exception is IOException or UnauthorizedAccessException or CorruptDataException)
            {
                failure = exception;
            }
            completed(failure);
        }

        public void Abandon()
        {
            if (isDone)
                return;
            isDone = true;
            completed(new IOException("The transaction log was closed before this was done."));
        }
    }

    private string PathOf(Zxid first) =>
        Path.Combine(options.Directory, "log." + first.Value.ToString("x", CultureInfo.InvariantCulture));

    [LoggerMessage(Level = LogLevel.Error,
        Message = "{Reason} Writes wait until it works again; nothing acknowledged is lost.")]
    private partial void LogStalled(string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The transaction log {Path} can be written again.")]
    private partial void LogResumed(string path);

    [LoggerMessage(Level = LogLevel.Warning, Message = "A sync of the transaction log took {Milliseconds} ms, which "
        + "slows every write down. File {Path}, {Bytes} bytes. The log wants a device of its own.")]
    private partial void LogSlowSync(long milliseconds, string path, long bytes);
}
