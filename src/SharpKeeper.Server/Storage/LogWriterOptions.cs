using SharpKeeper.Core.Log;

namespace SharpKeeper.Server.Storage;

/// <summary>How a <see cref="LogWriter"/> works.</summary>
internal sealed record LogWriterOptions
{
    /// <summary>The existing directory of the logs (version-2).</summary>
    public required string Directory { get; init; }

    /// <summary>
    /// How far at most the file is filled with zeros ahead of the entries; 0 turns it off. More than 8 MiB is not
    /// used at a time.
    /// </summary>
    public long PreallocBytes { get; init; } = 64L << 20;

    /// <summary>A file that has reached this size is followed by a new one; -1 for no limit.</summary>
    public long SegmentBytesMax { get; init; } = -1;

    /// <summary>Whether entries are synced; without it a power failure loses acknowledged writes.</summary>
    public bool ForceSync { get; init; } = true;

    /// <summary>A sync that takes longer is logged.</summary>
    public TimeSpan FsyncWarning { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>
    /// Is told, on the writer's thread, of an exception that is no matter of the disk, which ends the writer: nothing
    /// is durable from then on. By default it is thrown on, which ends the process.
    /// </summary>
    public Action<Exception> Failed { get; init; } = static exception =>
        throw new InvalidOperationException("The log writer has failed: " + exception.Message, exception);

    /// <summary>Is told, on the writer's thread, how long each sync took.</summary>
    public Action<TimeSpan>? Synced { get; init; }

    /// <summary>Longest time between attempts while the disk refuses.</summary>
    public TimeSpan RetryInterval { get; init; } = TimeSpan.FromSeconds(1);
}

/// <summary>What a log writer has done so far.</summary>
/// <param name="Entries">Transactions made durable.</param>
/// <param name="Batches">Batches made durable.</param>
/// <param name="Bytes">Their bytes.</param>
/// <param name="Groups">Writes that made them durable.</param>
/// <param name="Syncs">Syncs of entries.</param>
/// <param name="SyncTime">Time spent in them.</param>
/// <param name="SyncTimeMax">The longest of them.</param>
/// <param name="Stalls">Times that the disk refused.</param>
internal readonly record struct LogWriterCounters(long Entries, long Batches, long Bytes, long Groups, long Syncs,
    TimeSpan SyncTime, TimeSpan SyncTimeMax, long Stalls);

/// <summary>What a <see cref="LogWriter"/> reports, on its own thread.</summary>
internal interface ILogCompletion
{
    /// <summary>The batch is on disk and belongs to the caller again; batches come in order.</summary>
    void Durable(TxnBatch batch);

    /// <summary>Follows the last of one or several <see cref="Durable"/> calls that one sync brought.</summary>
    void DurableBatchEnd();

    /// <summary>The disk is full or failed: batches are kept and writing is tried again and again.</summary>
    void Stalled(string reason, Exception cause);

    /// <summary>Writing works again; what was kept is durable and is reported next.</summary>
    void Resumed();
}
