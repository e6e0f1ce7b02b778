using SharpKeeper.Core.Clients;
using SharpKeeper.Core.Log;
using SharpKeeper.Core.Tree;
using SharpKeeper.Core.Zab;

namespace SharpKeeper.Core;

/// <summary>What a replica wants done. The driver empties it after each step or apply.</summary>
public sealed class Outbox
{
    private readonly Stack<TxnBatch> freeBatches = new();
    private TxnBatch? log;

    /// <summary>Links with new output that their connections do not know of yet.</summary>
    public List<ClientLink> Dirty { get; } = [];

    /// <summary>Links whose connections are to be closed at once, without sending anything more.</summary>
    public List<ClientLink> Hangups { get; } = [];

    /// <summary>What is to be done in this order, after <see cref="TakeLog"/>'s transactions were appended.</summary>
    public Queue<Effect> Effects { get; } = new();

    /// <summary>Links to other servers with new output.</summary>
    public List<PeerLink> DirtyPeers { get; } = [];

    /// <summary>Links to other servers that are to be closed, once their output is sent if that goes at once.</summary>
    public List<PeerLink> PeerHangups { get; } = [];

    /// <summary>Trees that were replaced: to be disposed once nothing walks them any more.</summary>
    public List<DataTree> RetiredTrees { get; } = [];

    /// <summary>A snapshot is due; if it is begun, the log starts a new file behind what was appended.</summary>
    public bool SaveSnapshot { get; set; }

    /// <summary>Is there anything to append to the log?</summary>
    public bool HasLog => log is { Count: > 0 };

    /// <summary>The transactions to append to the log; they become the driver's.</summary>
    public TxnBatch TakeLog()
    {
        Invariant.Check(HasLog, "there is nothing to append to the log");
        TxnBatch batch = log!;
        log = null;
        return batch;
    }

    /// <summary>The batch that proposals go into.</summary>
    internal TxnBatch OpenBatch() => log ??= freeBatches.TryPop(out TxnBatch? batch) ? batch : new TxnBatch();

    /// <summary>Takes a batch back whose transactions are applied.</summary>
    internal void Recycle(TxnBatch batch)
    {
        const int keptMax = 16;
        batch.Clear();
        if (freeBatches.Count < keptMax)
            freeBatches.Push(batch);
    }

    /// <summary>Notes new output of a link.</summary>
    internal void MarkDirty(ClientLink link)
    {
        if (link.IsDirty)
            return;
        link.IsDirty = true;
        Dirty.Add(link);
    }

    /// <summary>Notes new output of a link to another server.</summary>
    internal void MarkDirty(PeerLink link)
    {
        if (link.IsDirty || link.IsClosed)
            return;
        link.IsDirty = true;
        DirtyPeers.Add(link);
    }

    /// <summary>Closes a link to another server and notes why.</summary>
    internal void HangUp(PeerLink link, string reason)
    {
        if (link.IsClosed)
            return;
        link.IsClosed = true;
        link.CloseReason = reason;
        PeerHangups.Add(link);
    }
}
