using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using SharpKeeper.Core;
using SharpKeeper.Core.Clients;
using SharpKeeper.Core.Log;
using SharpKeeper.Protocol;
using SharpKeeper.Server.Metrics;
using SharpKeeper.Server.Storage;

namespace SharpKeeper.Server.Runtime;

/// <summary>
/// Runs the replica. It has no thread of its own: whoever posts work while nobody works takes the replica on, and works
/// until nothing is left, the others' work included. So the replica sees one thread at a time, and a lone request
/// crosses only from its connection's thread to the log's and back.
/// </summary>
internal sealed partial class ReplicaDriver : ILogCompletion
{
    // Applies between two chances for waiting readers.
    private const int AppliesPerTurn = 128;
    private const int FreeBatchesMax = 64;

    private enum WorkKind : byte
    {
        Requests,
        Durable,
        Tick,
        Stalled,
        Resumed,
        Action,
        Packets,
        Vote,
        VoteLink,
        LearnerConnected,
        PeerConnected,
        PeerClosed,
        SnapshotReceived,
        TransferDone,
        LogQueried,
        SnapshotInstalled,
        LogTruncated,
        LogNotTruncated,
        AcceptedEpoch,
        CurrentEpoch,
    }

    private readonly record struct Work(WorkKind Kind, object? Payload, Zxid Zxid);

    private readonly ConcurrentQueue<Work> queue = new();
    private readonly ConcurrentQueue<RequestBatch> freeBatches = new();
    private readonly Replica replica;
    private readonly AccessGate gate;
    private readonly TimeProvider clock;
    private readonly ILogger logger;
    private readonly ServerMetrics metrics;
    private readonly Action<Exception> fatal;
    private int pending;
    private int outstanding;
    private Zxid durable;
    private int durableTxns;
    private volatile bool stopped;
    private volatile bool isSettled;
    private bool wasServing;
    private long nowMs;
    private long wallMs;

    /// <summary>Creates the driver of a replica.</summary>
    /// <param name="replica">What it runs.</param>
    /// <param name="gate">Keeps readers out while the replica applies.</param>
    /// <param name="metrics">Where groups of the log are counted.</param>
    /// <param name="clock">Where time comes from.</param>
    /// <param name="logger">Told of storage trouble.</param>
    /// <param name="fatal">Told of a broken invariant; the server must end.</param>
    public ReplicaDriver(
        Replica replica, AccessGate gate, ServerMetrics metrics, TimeProvider clock, ILogger logger,
        Action<Exception> fatal)
    {
        this.replica = replica;
        this.gate = gate;
        this.clock = clock;
        this.logger = logger;
        this.metrics = metrics;
        this.fatal = fatal;
        wasServing = !replica.IsEnsemble;
    }

    /// <summary>Where appended transactions go; null keeps nothing on disk.</summary>
    public LogWriter? Log { get; set; }

    /// <summary>Is called on the working thread when the replica wants a snapshot; says whether one was begun.</summary>
    public Func<bool>? SnapshotDue { get; set; }

    /// <summary>Is told up to where the log is durable.</summary>
    public Action<Zxid>? LogDurable { get; set; }

    /// <summary>Is called with links that have output to flush or are to be hung up.</summary>
    public Action<List<ClientLink>, List<ClientLink>>? Dispatch { get; set; }

    /// <summary>Transactions proposed and not yet applied, as of the last answers given.</summary>
    public int Outstanding => Volatile.Read(ref outstanding);

    /// <summary>Is nothing under way that needs the time in small steps?</summary>
    public bool IsSettled => isSettled;

    /// <summary>Bytes that wait to be written to the log.</summary>
    public long QueuedLogBytes => Log?.QueuedBytes ?? 0;

    /// <summary>An empty batch to fill and post.</summary>
    public RequestBatch RentBatch() => freeBatches.TryDequeue(out RequestBatch? batch) ? batch : new RequestBatch();

    /// <summary>Hands requests over. The batch comes back by itself.</summary>
    public void Post(RequestBatch batch) => Post(new Work(WorkKind.Requests, batch, default));

    /// <summary>Tells the replica that time has passed.</summary>
    public void PostTick() => Post(new Work(WorkKind.Tick, null, default));

    /// <summary>
    /// Runs <paramref name="action"/> in the replica's turn, with nothing being applied; it may read everything.
    /// </summary>
    public Task<T> RunAsync<T>(Func<Replica, T> action)
    {
        var result = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        Post(target =>
        {
            try
            {
                result.SetResult(action(target));
            }
            catch (Exception exception)
            {
                result.SetException(exception);
            }
        });
        return result.Task;
    }

    /// <summary>Runs <paramref name="action"/> in the replica's turn. It must not throw.</summary>
    public void Post(Action<Replica> action) => Post(new Work(WorkKind.Action, action, default));

    /// <summary>Takes no more work once what is under way has ended; what is queued behind it is dropped.</summary>
    public Task StopAsync() => stopped ? Task.CompletedTask : RunAsync(_ => stopped = true);

    /// <inheritdoc/>
    public void Durable(TxnBatch batch)
    {
        durable = batch.Last;
        durableTxns += batch.Count;
    }

    /// <inheritdoc/>
    public void DurableBatchEnd()
    {
        metrics.SyncBatchSize.Add(durableTxns);
        metrics.SyncRequestsQueued.Add(durableTxns);
        durableTxns = 0;
        Post(new Work(WorkKind.Durable, null, durable));
    }

    /// <inheritdoc/>
    public void Stalled(string reason, Exception cause)
    {
        LogStalled(reason, cause);
        Post(new Work(WorkKind.Stalled, null, default));
    }

    /// <inheritdoc/>
    public void Resumed()
    {
        LogResumed();
        Post(new Work(WorkKind.Resumed, null, default));
    }

    private void Post(in Work work)
    {
        // Counted before it can be taken: otherwise the thread at work might take it first, the count might reach zero
        // under that thread's feet, and whoever comes next would start to work beside it.
        bool isFirst = Interlocked.Increment(ref pending) == 1;
        queue.Enqueue(work);
        if (isFirst)
            Drain();
    }

    private void Drain()
    {
        int done;
        SpinWait wait = default;
        do
        {
            try
            {
                done = Turn();
            }
            catch (Exception exception)
            {
                // Whoever posts from now on sees work under way and leaves it at that: the replica must not run again.
                stopped = true;
                fatal(exception);
                return;
            }
            if (stopped)
                done += DropQueued();
            // Something is counted and not yet in the queue.
            if (done == 0)
                wait.SpinOnce();
        }
        while (Interlocked.Add(ref pending, -done) != 0);
    }

    private int DropQueued()
    {
        int dropped = 0;
        while (queue.TryDequeue(out _))
            dropped++;
        return dropped;
    }

    private int Turn()
    {
        nowMs = Environment.TickCount64;
        wallMs = clock.GetUtcNow().ToUnixTimeMilliseconds();
        int done = 0;
        while (!stopped && queue.TryDequeue(out Work work))
        {
            done++;
            Execute(work);
            PerformEffects();
        }
        AppendLog();
        FlushPeers();
        while (replica.HasApplicable)
        {
            gate.EnterExclusive();
            try
            {
                replica.Apply(AppliesPerTurn);
            }
            finally
            {
                gate.ExitExclusive();
            }
            PerformEffects();
            DispatchOutput();
        }
        AppendLog();
        FlushPeers();
        DispatchOutput();
        return done;
    }

    private void Execute(in Work work)
    {
        switch (work.Kind)
        {
            case WorkKind.Requests:
                TakeRequests((RequestBatch)work.Payload!);
                break;
            case WorkKind.Durable:
                replica.Step(Input.LogDurable(work.Zxid, nowMs, wallMs));
                LogDurable?.Invoke(work.Zxid);
                break;
            case WorkKind.Tick:
                replica.Step(Input.Tick(nowMs, wallMs));
                break;
            case WorkKind.Stalled:
                replica.Step(Input.StorageStalled(nowMs, wallMs));
                break;
            case WorkKind.Resumed:
                replica.Step(Input.StorageResumed(nowMs, wallMs));
                break;
            case WorkKind.Action:
                ((Action<Replica>)work.Payload!)(replica);
                break;
            default:
                ExecutePeers(work);
                break;
        }
    }

    private void TakeRequests(RequestBatch batch)
    {
        foreach (ref readonly RequestItem item in System.Runtime.InteropServices.CollectionsMarshal.AsSpan(batch.Items))
        {
            ReadOnlySpan<byte> bytes = batch.BytesOf(item);
            switch (item.Kind)
            {
                case RequestKind.Request:
                    replica.Step(Input.ClientRequest(item.Link, item.Op, item.Xid, bytes, nowMs, wallMs));
                    break;
                case RequestKind.Connect:
                    ConnectRequest.TryRead(bytes, out ConnectRequest request);
                    replica.Step(Input.ClientConnect(item.Link, request, nowMs, wallMs));
                    break;
                case RequestKind.Throttled:
                    replica.Step(Input.ClientRefusal(
                        item.Link, item.Op, item.Xid, ErrorCode.ThrottledOp, nowMs, wallMs));
                    break;
                default:
                    replica.Step(Input.ClientClosed(item.Link, nowMs, wallMs));
                    break;
            }
        }
        batch.Clear();
        if (freeBatches.Count < FreeBatchesMax)
            freeBatches.Enqueue(batch);
    }

    private void AppendLog()
    {
        Outbox outbox = replica.Outbox;
        if (outbox.HasLog)
        {
            TxnBatch batch = outbox.TakeLog();
            if (Log is { } log)
                log.Append(batch);
            else
                replica.Step(Input.LogDurable(batch.Last, nowMs, wallMs));
        }
        if (outbox.SaveSnapshot)
        {
            outbox.SaveSnapshot = false;
            if (SnapshotDue?.Invoke() == true)
                Log?.Roll();
        }
    }

    private void DispatchOutput()
    {
        isSettled = replica.IsSettled;
        if (wasServing != replica.IsServing)
            NoteServing();
        // A leader that takes no clients never serves, and its log is decided all the same.
        if (isSettled && FirstSettled is { } first)
        {
            FirstSettled = null;
            first(replica);
        }
        // Before the answers are out: whoever has one must not be held back for what it waited for.
        Volatile.Write(ref outstanding, replica.OutstandingTxns);
        Outbox outbox = replica.Outbox;
        if (outbox.Dirty.Count == 0 && outbox.Hangups.Count == 0)
            return;
        Dispatch?.Invoke(outbox.Dirty, outbox.Hangups);
        outbox.Dirty.Clear();
        outbox.Hangups.Clear();
    }

    [LoggerMessage(EventId = 101, Level = LogLevel.Error, Message =
        "The transaction log cannot be written: {Reason}. Writes are refused and reads go on until there is room again; "
        + "nothing that was acknowledged is lost.")]
    private partial void LogStalled(string reason, Exception cause);

    [LoggerMessage(EventId = 102, Level = LogLevel.Information, Message =
        "The transaction log can be written again; writes are accepted.")]
    private partial void LogResumed();

    [LoggerMessage(EventId = 103, Level = LogLevel.Information, Message = "The link to {Peer} has ended: {Reason}.")]
    private partial void LogLinkClosed(string peer, string reason);

    [LoggerMessage(EventId = 104, Level = LogLevel.Information, Message = "Closed the link to {Peer}: {Reason}.")]
    private partial void LogHungUp(string peer, string reason);
}
