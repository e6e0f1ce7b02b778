using Microsoft.Extensions.Logging;
using SharpKeeper.Core;

namespace SharpKeeper.Server.Storage;

/// <summary>
/// Works for the log writer in the background: fills the current segment with zeros ahead of the writer, keeps a
/// next segment ready, and closes segments that are done with. None of it is needed for correctness: when it falls
/// behind or the disk is full, the writer makes its files itself.
/// </summary>
internal sealed partial class LogSegmentPreparer : IDisposable
{
    /// <summary>Name of a segment that is ready but not a log yet.</summary>
    public const string PreparedName = "preallocated.tmp";

    /// <summary>Name of a segment that the writer makes itself, until it has its header.</summary>
    public const string FreshName = "fresh.tmp";

    private const long WindowBytesMax = 8 << 20;
    private const int ChunkBytes = 512 << 10;
    private const int RetryMs = 1000;

    // Filling ahead makes small syncs cheap. Groups of this size pay little for growing the file, and filling would
    // write everything twice.
    private const long BulkBytesMin = 256 << 10;

    // A server that hardly writes need not keep a second file.
    private const long PreparedFromBytes = 256 << 10;

    private readonly LogWriterOptions options;
    private readonly ILogFiles files;
    private readonly ILogger logger;
    private readonly long windowBytes;
    private readonly byte[] zeros = new byte[ChunkBytes];
    private readonly object gate = new();
    private readonly Queue<LogSegment> retired = new();
    private readonly Thread thread;
    private LogSegment? current;
    private LogSegment? prepared;
    private bool hasWork = true;
    private bool isPaused;
    private volatile bool isBulk;
    private bool hasReported;
    private bool hasOpened;
    private bool isStopping;

    public LogSegmentPreparer(LogWriterOptions options, ILogFiles files, ILogger logger)
    {
        this.options = options;
        this.files = files;
        this.logger = logger;
        windowBytes = Math.Min(options.PreallocBytes, WindowBytesMax);
        files.Delete(Path.Combine(options.Directory, PreparedName));
        files.Delete(Path.Combine(options.Directory, FreshName));
        thread = new Thread(Run) { IsBackground = true, Name = "log-preparer", Priority = ThreadPriority.Lowest };
        thread.Start();
    }

    /// <summary>A new segment under the given name of a log; at once if one is ready.</summary>
    public LogSegment Open(string path)
    {
        LogSegment? segment;
        lock (gate)
        {
            // While no segment is current nothing is prepared, so the file keeps its contents until it is renamed.
            Invariant.Check(current is null, "a log was opened before the one before it was closed");
            segment = prepared;
            prepared = null;
            hasOpened = true;
        }
        segment ??= LogSegment.Create(files, Path.Combine(options.Directory, FreshName), options.ForceSync);
        try
        {
            segment.Rename(files, path);
        }
        catch
        {
            segment.Dispose();
            throw;
        }
        lock (gate)
            current = segment;
        Signal();
        return segment;
    }

    /// <summary>Tells that the current segment has grown by a group of <paramref name="groupBytes"/>.</summary>
    public void Advanced(LogSegment segment, long groupBytes)
    {
        isBulk = groupBytes >= BulkBytesMin;
        if (windowBytes > 0 && !isBulk && segment.FilledAhead < windowBytes / 2 && !Volatile.Read(ref hasWork))
            Signal();
    }

    /// <summary>Takes a segment that is not written any more and closes it.</summary>
    public void Retire(LogSegment segment)
    {
        segment.StopFilling();
        lock (gate)
        {
            if (current == segment)
                current = null;
            retired.Enqueue(segment);
        }
        Signal();
    }

    /// <summary>Stops taking disk space while the writer has none, and gives back what is not in use.</summary>
    public void Pause()
    {
        lock (gate)
            isPaused = true;
        Signal();
    }

    /// <summary>Goes on after <see cref="Pause"/>.</summary>
    public void Resume()
    {
        lock (gate)
            isPaused = false;
        Signal();
    }

    /// <summary>Closes what was retired, removes what was prepared, and ends the thread.</summary>
    public void Dispose()
    {
        lock (gate)
            isStopping = true;
        Signal();
        thread.Join();
    }

    private void Signal()
    {
        lock (gate)
        {
            hasWork = true;
            Monitor.Pulse(gate);
        }
    }

    private void Run()
    {
        bool stopping;
        bool paused;
        do
        {
            lock (gate)
            {
                while (!hasWork)
                    Monitor.Wait(gate);
                hasWork = false;
                stopping = isStopping;
                paused = isPaused;
            }
            CloseRetired();
            if (paused)
                RemovePrepared();
            else if (!stopping)
                MakeRoom();
        }
        while (!stopping);
        CloseRetired();
        RemovePrepared();
    }

    private void MakeRoom()
    {
        if (windowBytes == 0)
            return;
        try
        {
            while (NextToFill() is { } segment)
                FillChunk(segment);
            if (ShouldPrepare(out bool isFirst))
                Prepare(isFirst || isBulk ? 0 : windowBytes);
            hasReported = false;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            Report(exception);
            RemovePrepared();
            WaitToRetry();
        }
    }

    // Null when there is something else to do first, or nothing.
    private LogSegment? NextToFill()
    {
        lock (gate)
        {
            if (isStopping || isPaused || isBulk || retired.Count > 0 || current is null
                || current.FilledAhead >= windowBytes)
                return null;
            return current;
        }
    }

    private void FillChunk(LogSegment segment)
    {
        int bytes = (int)Math.Min(windowBytes, ChunkBytes);
        if (segment.Fill(files, zeros.AsSpan(0, bytes)) && options.ForceSync)
            segment.SyncFilled();
    }

    // The first segment gets its header only: the first write need not wait for that, nor start-up for more.
    private bool ShouldPrepare(out bool isFirst)
    {
        lock (gate)
        {
            isFirst = !hasOpened;
            return !isStopping && !isPaused && prepared is null
                && (isFirst || current is { Position: >= PreparedFromBytes });
        }
    }

    private void Prepare(long filledBytes)
    {
        LogSegment segment =
            LogSegment.Create(files, Path.Combine(options.Directory, PreparedName), options.ForceSync);
        try
        {
            while (segment.FilledAhead < filledBytes && !Volatile.Read(ref isStopping))
                FillChunk(segment);
        }
        catch
        {
            Discard(segment);
            throw;
        }
        lock (gate)
            prepared = segment;
    }

    private void CloseRetired()
    {
        while (true)
        {
            LogSegment? segment;
            lock (gate)
            {
                if (!retired.TryDequeue(out segment))
                    return;
            }
            Close(segment);
        }
    }

    private void Close(LogSegment segment)
    {
        try
        {
            if (options.ForceSync)
                segment.Sync();
        }
        catch (IOException exception)
        {
            // Every entry in it was synced before it was acknowledged; only padding can be missing.
            LogClosingFailed(segment.Path, exception.Message);
        }
        segment.Dispose();
    }

    private void RemovePrepared()
    {
        LogSegment? segment;
        lock (gate)
        {
            segment = prepared;
            prepared = null;
        }
        if (segment is not null)
            Discard(segment);
    }

    private void Discard(LogSegment segment)
    {
        segment.Dispose();
        try
        {
            files.Delete(segment.Path);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            Report(exception);
        }
    }

    // Once for as long as it lasts: on a nearly full disk it fails every second.
    private void Report(Exception exception)
    {
        if (!hasReported)
            LogPreparingFailed(exception.Message);
        hasReported = true;
    }

    private void WaitToRetry()
    {
        long untilMs = Environment.TickCount64 + RetryMs;
        lock (gate)
        {
            while (!isStopping && retired.Count == 0 && Environment.TickCount64 < untilMs)
                Monitor.Wait(gate, RetryMs);
            hasWork = true;
        }
    }

    [LoggerMessage(Level = LogLevel.Warning,
        Message = "Space for the transaction log cannot be prepared ahead: {Error} Writing goes on without it.")]
    private partial void LogPreparingFailed(string error);

    [LoggerMessage(Level = LogLevel.Warning,
        Message = "The finished transaction log {Path} could not be synced on closing: {Error}")]
    private partial void LogClosingFailed(string path, string error);
}
