using SharpKeeper.Core.Tree;
using SharpKeeper.Protocol;

namespace SharpKeeper.Core;

public sealed partial class Replica
{
    private readonly Queue<string> removable = new();
    private readonly JuteBuffer removal = new();
    private readonly List<ZnodeId> found = [];
    private long nextContainerCheckMs;
    private long nextRemovalMs;
    private int snapshotAfterTxns;
    private long snapshotAfterBytes;
    private int txnsSinceSnapshot;
    private long bytesSinceSnapshot;

    /// <summary>
    /// Looks for empty containers and expired TTL znodes once an interval and removes what it found at a bounded rate.
    /// Each removal is checked again when it is prepared, so a child created meanwhile wins.
    /// </summary>
    private void RemoveContainers()
    {
        if (options.ContainerCheckIntervalMs <= 0 || IsStalled)
            return;
        if (nowMs >= nextContainerCheckMs)
        {
            nextContainerCheckMs = nowMs + options.ContainerCheckIntervalMs;
            if (removable.Count == 0)
                FindRemovable();
        }
        nextRemovalMs = Math.Max(nextRemovalMs, nowMs - 1000);
        while (nextRemovalMs <= nowMs && removable.TryDequeue(out string? path))
        {
            nextRemovalMs += Math.Max(1, 60_000 / Math.Max(1, options.ContainerRemovalsPerMinuteMax));
            removal.Clear();
            removal.WriteString(path);
            preparer.TryPrepare(
                Context(null, default, 0), OpCode.DeleteContainer, removal.WrittenSpan, Outbox.OpenBatch());
            Propose(null, null);
        }
    }

    private void FindRemovable()
    {
        found.Clear();
        Tree.CollectContainers(found);
        foreach (ZnodeId id in found)
        {
            if (Tree.GetChildCount(id) == 0 && IsRemovableContainer(id))
                removable.Enqueue(Tree.GetPath(id));
        }
        found.Clear();
        Tree.CollectTtls(found);
        foreach (ZnodeId id in found)
        {
            if (Tree.GetChildCount(id) == 0 && wallMs - Tree.GetPersisted(id).Mtime > Tree.GetTtl(id))
                removable.Enqueue(Tree.GetPath(id));
        }
    }

    private bool IsRemovableContainer(ZnodeId id)
    {
        StatPersisted stat = Tree.GetPersisted(id);
        return stat.Cversion > 0
            || (options.ContainerMaxNeverUsedMs > 0 && wallMs - stat.Ctime > options.ContainerMaxNeverUsedMs);
    }

    private void CountTowardsSnapshot(int bytes)
    {
        txnsSinceSnapshot++;
        bytesSinceSnapshot += bytes;
        if (txnsSinceSnapshot <= snapshotAfterTxns
            && (options.SnapshotLogBytes <= 0 || bytesSinceSnapshot <= snapshotAfterBytes))
            return;
        DrawSnapshotThresholds();
        Outbox.SaveSnapshot = true;
    }

    // The thresholds are drawn anew each time, so that the servers of an ensemble do not all save at once.
    private void DrawSnapshotThresholds()
    {
        txnsSinceSnapshot = 0;
        bytesSinceSnapshot = 0;
        int half = Math.Max(1, options.SnapshotTxnCount / 2);
        snapshotAfterTxns = half + (int)(NextRandom() % (uint)half);
        long halfBytes = Math.Max(1, options.SnapshotLogBytes / 2);
        snapshotAfterBytes = halfBytes + (long)(((ulong)NextRandom() << 16) % (ulong)halfBytes);
    }
}
