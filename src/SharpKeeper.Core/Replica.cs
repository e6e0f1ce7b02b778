using SharpKeeper.Core.Clients;
using SharpKeeper.Core.Log;
using SharpKeeper.Core.Sessions;
using SharpKeeper.Core.Transactions;
using SharpKeeper.Core.Tree;
using SharpKeeper.Core.Watches;
using SharpKeeper.Core.Zab;
using SharpKeeper.Protocol;

namespace SharpKeeper.Core;

/// <summary>
/// The deterministic machine inside a server: it orders requests within their sessions, makes transactions of writes,
/// waits until they are durable, applies them and answers. Time, disk and connections are inputs and outputs.
/// </summary>
/// <remarks>
/// <see cref="Step"/> decides and leaves tree, watches and link output alone, so connections may read the tree
/// meanwhile. <see cref="Apply"/> makes decisions visible and needs exclusive access to the tree. The driver calls both
/// from one thread at a time. A standalone server is a quorum of one: what is durable here is committed. In an ensemble
/// <see cref="ZabPeer"/> says what is committed, and who makes transactions.
/// </remarks>
public sealed partial class Replica
{
    private readonly record struct Proposal(
        Zxid Zxid, ClientLink? Link, Session? Session, TxnBatch Batch, int Index, bool IsUnlogged = false);

    private readonly ReplicaOptions options;
    private readonly ZabPeer? zab;
    private readonly SessionTable sessions;
    private readonly SessionTable locals;
    private readonly Queue<Proposal> proposals = new();
    private readonly List<ClientLink> ready = [];
    private readonly List<Session> expired = [];
    private readonly List<WatchTable> watchTables = [];
    private readonly Queue<TxnBatch> appliedBatches = new();
    private TxnPreparer preparer;
    private TxnApplier applier;
    private SessionTimeouts committedSessions;
    private Zxid durable;
    private ulong random;
    private long nextSessionId;
    private Zxid lastProposed;
    private Zxid committed;
    private long nowMs;
    private long wallMs;

    /// <summary>Starts a replica on a recovered tree.</summary>
    /// <param name="options">What does not change.</param>
    /// <param name="tree">The tree, up to its last processed transaction.</param>
    /// <param name="recovered">The sessions that were live at that point; each starts with a full timeout.</param>
    /// <param name="nowMs">Monotonic time, milliseconds.</param>
    /// <param name="history">The last transactions of the log, in an ensemble; null for none.</param>
    public Replica(
        ReplicaOptions options, DataTree tree, SessionTimeouts recovered, long nowMs, TxnHistory? history = null)
    {
        this.options = options;
        Tree = tree;
        committedSessions = recovered;
        this.nowMs = stoppedMs = nowMs;
        Reads = new Reads(tree, options);
        preparer = new TxnPreparer(tree, options);
        applier = new TxnApplier(tree, recovered);
        sessions = new SessionTable(options.TickMs);
        locals = new SessionTable(options.TickMs, isLocal: true);
        random = options.RandomSeed | 1;
        lastProposed = committed = durable = tree.LastProcessed;
        nextSessionId = SessionIds.First(options.ServerId, options.SessionSeedMs);
        nextContainerCheckMs = nowMs + options.ContainerCheckIntervalMs;
        foreach (SessionTimeout session in recovered.ToArray())
            sessions.Add(session.Id.Value, session.TimeoutMs, nowMs);
        DrawSnapshotThresholds();
        if (options.Ensemble is not { } ensemble)
            return;
        isServing = isLeading = false;
        if (options.ReconfigEnabled && (ensemble.Bugs & PlantedBug.ForgetNextConfig) == 0)
        {
            ensemble = ensemble with
            {
                NextConfig = ConfigNode.NextAtStart(ensemble.Config, ensemble.NextConfig, tree)
            };
        }
        history ??= new TxnHistory(ensemble.HistoryTxnsMin, ensemble.HistoryBytesMax);
        zab = new ZabPeer(
            ensemble, Outbox, this, history, tree.LastProcessed, options.TickMs, options.ReconfigEnabled, nowMs);
        ShowConfigNow(tree, ensemble.Config);
    }

    /// <summary>What the driver is to do.</summary>
    public Outbox Outbox { get; } = new();

    /// <summary>The tree.</summary>
    public DataTree Tree { get; private set; }

    /// <summary>Answers to reads, for connections that hold shared access to the tree.</summary>
    public Reads Reads { get; private set; }

    /// <summary>The live sessions, without those that only this server knows.</summary>
    public SessionTable Sessions => sessions;

    /// <summary>The sessions as of the last applied transaction; what a snapshot holds.</summary>
    public SessionTimeouts CommittedSessions => committedSessions;

    /// <summary>Figures for the operators.</summary>
    public ReplicaStatistics Statistics { get; } = new();

    /// <summary>The last transaction that is on this server's disk.</summary>
    public Zxid Durable => durable;

    /// <summary>
    /// The last transaction that the tree has and the log was given: it may be ahead of <see cref="Durable"/>, since a
    /// quorum of others commits what this server's log is still writing.
    /// </summary>
    public Zxid AppliedFromLog { get; private set; }

    /// <summary>True while the log cannot be written: writes are refused, reads go on.</summary>
    public bool IsStalled { get; private set; }

    /// <summary>Transactions proposed but not applied.</summary>
    public int OutstandingTxns => Math.Max(proposals.Count, forwarded);

    /// <summary>Znodes that proposed transactions will change.</summary>
    internal int PendingZnodes => preparer.PendingCount;

    /// <summary>Is there anything for <see cref="Apply"/> to do?</summary>
    public bool HasApplicable =>
        isFinishing || ready.Count > 0 || HasChangeOfTree
        || (proposals.TryPeek(out Proposal next) && next.Zxid <= committed);

    /// <summary>Makes the watches of one more connection thread known; before any of its links is used.</summary>
    public void AddWatchTable(WatchTable table) => watchTables.Add(table);

    /// <summary>Takes one input in. Nothing is visible to clients before <see cref="Apply"/>.</summary>
    public void Step(in Input input)
    {
        nowMs = input.NowMs;
        wallMs = input.WallMs;
        switch (input.Kind)
        {
            case InputKind.Tick:
                zab?.Step(input);
                EnterOrLeaveReadOnly();
                TakeArrivals();
                ExpireLocalSessions();
                if (isLeading)
                {
                    ExpireSessions();
                    RemoveContainers();
                }
                break;
            case InputKind.ClientConnect:
                Connect(input.Link!, input.Connect);
                break;
            case InputKind.ClientRequest:
                TakeRequest(input.Link!, input.Op, input.Xid, input.Body);
                break;
            case InputKind.ClientRefusal:
                Answer(input.Link!, new QueuedRequest(Zxid.Zero, input.Xid, input.Op, nowMs) { Refusal = input.Refusal });
                break;
            case InputKind.ClientClosed:
                CloseLink(input.Link!);
                break;
            case InputKind.LogDurable:
                TakeDurable(input);
                break;
            case InputKind.StorageStalled:
                IsStalled = true;
                zab?.Step(input);
                break;
            case InputKind.StorageResumed:
                IsStalled = false;
                zab?.Step(input);
                break;
            default:
                StepPeers(input);
                break;
        }
        if (isLeading && zab is not null && lastProposed.Counter >= options.Ensemble!.CounterMax)
            zab.GoLooking("the counter of this epoch's transactions is used up", nowMs);
    }

    private void TakeDurable(in Input input)
    {
        durable = input.Zxid > durable ? input.Zxid : durable;
        while (appliedBatches.TryPeek(out TxnBatch? batch) && batch.Last <= durable)
            Outbox.Recycle(appliedBatches.Dequeue());
        if (zab is not null)
        {
            zab.Step(input);
            return;
        }
        Invariant.Check(input.Zxid <= lastProposed, "a transaction is durable that was never proposed");
        committed = input.Zxid > committed ? input.Zxid : committed;
    }

    private Zxid NextZxid() => lastProposed.Next;

    private TxnContext Context(Session? session, ReadOnlySpan<AuthId> identities, int xid) =>
        new(session, identities, xid, NextZxid(), wallMs);

    private void Propose(ClientLink? link, Session? session)
    {
        TxnBatch batch = Outbox.OpenBatch();
        lastProposed = NextZxid();
        proposals.Enqueue(new Proposal(lastProposed, link, session, batch, batch.Count - 1));
        CountTowardsSnapshot(batch.Entries[^1].PayloadLength);
        if (preparedConfig is { } config)
        {
            preparedConfig = null;
            zab!.SetNextConfig(config);
        }
        zab?.Proposed(lastProposed, batch.Payload(batch.Count - 1));
    }

    private uint NextRandom()
    {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        return (uint)(random >> 32);
    }
}

/// <summary>Figures that the replica counts.</summary>
public sealed class ReplicaStatistics
{
    /// <summary>Latencies of requests that went through the replica, milliseconds.</summary>
    public LatencyStatistics Latency { get; } = new();

    /// <summary>Transactions applied.</summary>
    public long TxnsApplied { get; internal set; }

    /// <summary>Sessions that expired.</summary>
    public long SessionsExpired { get; internal set; }

    /// <summary>Transactions whose digest did not agree with the tree.</summary>
    public long DigestMismatches { get; internal set; }

    /// <summary>Connections whose session was taken up again.</summary>
    public long SessionsResumed { get; internal set; }

    /// <summary>Replies to requests that went through the replica.</summary>
    public long Replies { get; internal set; }

    /// <summary>From the time stamped into a transaction to its application, milliseconds.</summary>
    public LatencyStatistics Propagation { get; } = new();

    /// <summary>Bytes of events.</summary>
    public long EventBytes { get; internal set; }

    /// <summary>Events sent.</summary>
    public long Events { get; internal set; }

    /// <summary>For each change that fired watches, by type of event, how many it fired; until taken away.</summary>
    public List<(WatchEventType Type, int Count)> Fired { get; } = [];

    /// <summary>Digests of the tree at every 128th transaction, oldest first, at most 1024.</summary>
    public Queue<(Zxid Zxid, long Digest)> Digests { get; } = new();
}

/// <summary>Latencies counted by whole milliseconds, until somebody takes them away.</summary>
public sealed class LatencyStatistics
{
    private const int CountedMs = 256;

    private readonly int[] counts = new int[CountedMs];
    private readonly List<long> longer = [];

    /// <summary>Adds one.</summary>
    public void Add(long latencyMs)
    {
        if (latencyMs < CountedMs)
            counts[Math.Max(0, latencyMs)]++;
        else
            longer.Add(latencyMs);
    }

    /// <summary>Gives each latency with its number to <paramref name="take"/> and forgets it.</summary>
    public void Drain(Action<long, int> take)
    {
        for (int ms = 0; ms < CountedMs; ms++)
        {
            if (counts[ms] > 0)
                take(ms, counts[ms]);
            counts[ms] = 0;
        }
        foreach (long ms in longer)
            take(ms, 1);
        longer.Clear();
    }
}
