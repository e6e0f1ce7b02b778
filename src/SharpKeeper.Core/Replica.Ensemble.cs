using System.Buffers.Binary;
using System.Text;
using SharpKeeper.Core.Log;
using SharpKeeper.Core.Sessions;
using SharpKeeper.Core.Transactions;
using SharpKeeper.Core.Tree;
using SharpKeeper.Core.Zab;
using SharpKeeper.Protocol;
using SharpKeeper.Protocol.Quorum;

namespace SharpKeeper.Core;

/// <summary>The replica as a server of an ensemble: what Zab tells it, and what it tells Zab.</summary>
public sealed partial class Replica : IZabHost
{
    private const int UnloggedBatchBytesMax = 1 << 20;
    private const int TypeOffset = 28;

    private bool isServing = true;
    private bool isFinishing;
    private Zxid finishUpTo;
    private bool isLeading = true;
    private int servingPeriod;
    private int forwarded;
    private TxnBatch? unlogged;
    private DataTree? nextTree;
    private SessionTimeouts? nextSessions;
    private EnsembleConfig? nextShownConfig;
    private Zxid epochMark;

    /// <summary>Is it a server of an ensemble?</summary>
    public bool IsEnsemble => zab is not null;

    /// <summary>Are clients served?</summary>
    public bool IsServing => isServing;

    /// <summary>
    /// Is nothing under way that needs the time in small steps? True for a standalone server and for one that leads or is
    /// in step with its leader.
    /// </summary>
    public bool IsSettled => zab is null || zab.IsSettled;

    /// <summary>The configuration in force; null without an ensemble.</summary>
    public EnsembleConfig? Config => zab?.Members.Committed;

    /// <summary>What Zab is doing; null without an ensemble.</summary>
    internal ZabPeer? Zab => zab;

    /// <inheritdoc/>
    Zxid IZabHost.Applied => (nextTree ?? Tree).LastProcessed;

    private bool HasChangeOfTree => nextTree is not null || nextShownConfig is not null || IsMarkDue;

    // The start of an epoch stands behind all transactions of older ones.
    private bool IsMarkDue => epochMark != Zxid.Zero
        && !(proposals.TryPeek(out Proposal next) && next.Zxid < epochMark && next.Zxid <= committed);

    private void StepPeers(in Input input)
    {
        if (zab is null)
            throw new InvariantException($"a server that stands alone was given {input.Kind}");
        switch (input.Kind)
        {
            case InputKind.SnapshotReceived:
                if (!zab.AwaitsSnapshot(input.Peer!))
                {
                    Outbox.RetiredTrees.Add(input.Tree!);
                    return;
                }
                DropQueued(new Zxid(long.MinValue));
                ReplaceTree(input.Tree!, input.Sessions!, zab.Learner!.Snapshot);
                break;
            case InputKind.LogTruncated when input.Number == 0:
                if (input.Tree is not null)
                    ReplaceTree(input.Tree, input.Sessions!, input.Zxid);
                durable = lastProposed = input.Zxid;
                break;
            case InputKind.SnapshotInstalled:
                durable = lastProposed = (nextTree ?? Tree).LastProcessed;
                break;
        }
        zab.Step(input);
        EnterOrLeaveReadOnly();
    }

    private void ReplaceTree(DataTree tree, SessionTimeouts timeouts, Zxid last)
    {
        // Nobody may look at the new tree who has seen the old one.
        FinishServing();
        if (nextTree is not null)
            Outbox.RetiredTrees.Add(nextTree);
        tree.LastProcessed = last;
        nextTree = tree;
        nextSessions = timeouts;
        nextShownConfig = zab!.Members.Committed;
        committed = last;
        epochMark = Zxid.Zero;
    }

    /// <summary>Changes of the tree that are no transactions; with exclusive access.</summary>
    private void ChangeTree()
    {
        if (nextTree is { } tree)
        {
            Outbox.RetiredTrees.Add(Tree);
            Tree = tree;
            AppliedFromLog = Zxid.Zero;
            committedSessions = nextSessions!;
            Reads = new Reads(tree, options);
            preparer = new TxnPreparer(tree, options);
            applier = new TxnApplier(tree, committedSessions);
            nextTree = null;
            nextSessions = null;
        }
        if (IsMarkDue)
        {
            if (Tree.LastProcessed < epochMark)
                Tree.LastProcessed = epochMark;
            epochMark = Zxid.Zero;
        }
        if (nextShownConfig is { } config)
        {
            nextShownConfig = null;
            ShowConfigNow(Tree, config);
        }
    }

    private void ShowConfigNow(DataTree tree, EnsembleConfig config)
    {
        ReadOnlySpan<byte> path = "/zookeeper/config"u8;
        byte[] text = Encoding.UTF8.GetBytes(config.Format());
        ZnodeId id = tree.Find(path);
        // What a leader's tree or the own log shows may be newer than what this server knows to be committed.
        if (id.IsNone || tree.GetData(id, out _).SequenceEqual(text) || ConfigNode.Read(tree)?.Version > config.Version)
            return;
        tree.SetData(path, text, false, -1, new Zxid(config.Version), wallMs, out _);
    }

    /// <inheritdoc/>
    void IZabHost.Log(Zxid zxid, ReadOnlySpan<byte> payload)
    {
        Queue(Outbox.OpenBatch(), zxid, payload);
        CountTowardsSnapshot(payload.Length);
    }

    /// <inheritdoc/>
    void IZabHost.QueueUnlogged(Zxid zxid, ReadOnlySpan<byte> payload)
    {
        if (unlogged is null || unlogged.Bytes.Length > UnloggedBatchBytesMax)
            unlogged = new TxnBatch();
        Queue(unlogged, zxid, payload, isUnlogged: true);
    }

    private void Queue(TxnBatch batch, Zxid zxid, ReadOnlySpan<byte> payload, bool isUnlogged = false)
    {
        batch.BeginEntry().WriteRaw(payload);
        batch.EndEntry(zxid);
        proposals.Enqueue(new Proposal(zxid, null, null, batch, batch.Count - 1, isUnlogged));
        lastProposed = zxid;
    }

    /// <inheritdoc/>
    bool IZabHost.IsTxn(ReadOnlySpan<byte> payload) => TxnRecords.TryRead(payload, out _);

    /// <inheritdoc/>
    void IZabHost.Commit(Zxid upTo) => committed = upTo > committed ? upTo : committed;

    /// <inheritdoc/>
    void IZabHost.DropAfter(Zxid last) => DropQueued(last);

    private void DropQueued(Zxid last)
    {
        int count = proposals.Count;
        for (int i = 0; i < count; i++)
        {
            Proposal proposal = proposals.Dequeue();
            if (proposal.Zxid <= last)
                proposals.Enqueue(proposal);
        }
        if (committed > last)
            committed = last > Tree.LastProcessed ? last : Tree.LastProcessed;
        lastProposed = last > Zxid.Zero ? last : lastProposed;
    }

    /// <inheritdoc/>
    void IZabHost.StartLearning(long epoch) => StartServing(epoch, leads: false);

    /// <inheritdoc/>
    void IZabHost.StartLeading(long epoch)
    {
        preparer = new TxnPreparer(Tree, options);
        lastProposed = new Zxid(epoch << 32);
        StartServing(epoch, leads: true);
        // Nobody knows how long each has been silent: all start again.
        foreach (SessionTimeout session in committedSessions.ToArray())
            sessions.Add(session.Id.Value, session.TimeoutMs, nowMs);
        nextContainerCheckMs = nowMs + options.ContainerCheckIntervalMs;
        removable.Clear();
    }

    private void StartServing(long epoch, bool leads)
    {
        FinishServing();
        epochMark = new Zxid(epoch << 32);
        sessions.Clear();
        locals.Clear();
        servingPeriod++;
        isLeading = leads;
        isServing = !leads || options.Ensemble!.LeaderServes;
        touchedSinceMs = nowMs;
        closedTouches.Clear();
    }

    /// <inheritdoc/>
    void IZabHost.StopServing(bool answersFirst)
    {
        if (isServing || isLeading)
            stoppedMs = nowMs;
        isServing = isLeading = false;
        isFinishing = true;
        finishUpTo = committed;
        if (!answersFirst)
            FinishServing();
    }

    /// <summary>Is it answering the last of what was decided before it handed over?</summary>
    internal bool IsFinishing => isFinishing;

    // What the next leader finds in its log becomes decided only with it: nobody is told of that before.
    private Zxid ApplyLimit => isFinishing && finishUpTo < committed ? finishUpTo : committed;

    private void FinishServing()
    {
        if (!isFinishing)
            return;
        isFinishing = false;
        ForgetSessions();
        Outbox.Effects.Enqueue(new Effect(EffectKind.HangUpClients));
    }

    private void ForgetSessions()
    {
        forwarded = 0;
        pendingSyncs.Clear();
        revalidating.Clear();
        foreach (Session session in sessions.All)
            session.Link = null;
        sessions.Clear();
        // Nobody else knows them: whoever comes back with one of them is told that it has ended.
        foreach (Session session in locals.All)
            session.Link = null;
        locals.Clear();
    }

    /// <inheritdoc/>
    void IZabHost.ShowConfig(EnsembleConfig config) => nextShownConfig = config;

    /// <inheritdoc/>
    EnsembleConfig? IZabHost.ReadReconfig(ReadOnlySpan<byte> payload)
    {
        if (payload.Length < TxnHeader.Bytes
            || (OpCode)BinaryPrimitives.ReadInt32BigEndian(payload[TypeOffset..]) != OpCode.Reconfig
            || !TxnRecords.TryRead(payload, out TxnView txn)
            || !TxnRecords.TryReadSetData(txn.Record, out SetDataTxn set))
            return null;
        return EnsembleConfig.TryParse(Encoding.UTF8.GetString(set.Data), out EnsembleConfig? config, out _)
            ? config
            : null;
    }
}
