using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace SharpKeeper.Core.Tree;

public sealed unsafe partial class DataTree
{
    private static ReadOnlySpan<byte> QuotaRoot => "/zookeeper/quota"u8;

    private static ReadOnlySpan<byte> LimitsName => "zookeeper_limits"u8;

    private static ReadOnlySpan<byte> StatsName => "zookeeper_stats"u8;

    /// <summary>
    /// The quota that applies to a path: the one set on the longest path that is this one or above it. There is none
    /// for /zookeeper and below, and one set on the root has no effect, as in Apache.
    /// </summary>
    public QuotaUsage? FindQuota(ReadOnlySpan<byte> path)
    {
        if (FindCountedQuota(path) is not { } quota)
            return null;
        return new QuotaUsage(quota.Path, quota.Limits, quota.Count, quota.Bytes);
    }

    /// <summary>All quotas that have limits, ordered by path.</summary>
    public IReadOnlyList<QuotaUsage> ListQuotas() =>
    [
        .. quotas.All.Where(quota => quota.LimitsZnode != 0)
            .Select(quota => new QuotaUsage(quota.Path, quota.Limits, quota.Count, quota.Bytes))
            .OrderBy(usage => usage.Path, StringComparer.Ordinal),
    ];

    private QuotaTable.Quota? FindCountedQuota(ReadOnlySpan<byte> path)
    {
        bool isSystem = path.StartsWith("/zookeeper"u8) && (path.Length == 10 || path[10] == (byte)'/');
        return quotas.IsEmpty || isSystem ? null : quotas.FindNearest(path);
    }

    private void AfterCreate(
        ReadOnlySpan<byte> path, ReadOnlySpan<byte> parentPath, ReadOnlySpan<byte> name, uint id)
    {
        if (TryGetQuota(parentPath, name, out QuotaTable.Quota? quota, out bool isStats))
        {
            AttachQuota(quota, isStats, id);
            if (isStats)
                Recount(quota);
        }
        CountChange(path, 1, Math.Max(store[id]->DataLength, 0));
    }

    private void AfterDelete(
        ReadOnlySpan<byte> path, ReadOnlySpan<byte> parentPath, ReadOnlySpan<byte> name, long dataBytes)
    {
        if (TryGetQuota(parentPath, name, out QuotaTable.Quota? quota, out bool isStats))
        {
            if (isStats)
            {
                quota.StatsZnode = 0;
                quota.Count = quota.Bytes = -1;
            }
            else
            {
                quota.LimitsZnode = 0;
                quota.Limits = QuotaLimits.None;
            }
            quotas.DropIfUnused(quota);
        }
        CountChange(path, -1, -dataBytes);
    }

    private void AfterSetData(ReadOnlySpan<byte> path, uint id, long growth)
    {
        if (path.StartsWith(QuotaRoot)
            && TrySplit(path, out ReadOnlySpan<byte> parentPath, out ReadOnlySpan<byte> name)
            && TryGetQuota(parentPath, name, out QuotaTable.Quota? quota, out bool isStats))
        {
            ReadQuota(quota, isStats, id);
        }
        CountChange(path, 0, growth);
    }

    // Is it a limits or stats znode, and of which quota?
    private bool TryGetQuota(
        ReadOnlySpan<byte> parentPath, ReadOnlySpan<byte> name, [NotNullWhen(true)] out QuotaTable.Quota? quota,
        out bool isStats)
    {
        quota = null;
        isStats = false;
        if (!parentPath.StartsWith(QuotaRoot) || parentPath.Length == QuotaRoot.Length)
            return false;
        isStats = name.SequenceEqual(StatsName);
        if (parentPath[QuotaRoot.Length] != (byte)'/' || !(isStats || name.SequenceEqual(LimitsName)))
            return false;
        quota = quotas.Ensure(parentPath[QuotaRoot.Length..]);
        return true;
    }

    private void AttachQuota(QuotaTable.Quota quota, bool isStats, uint id)
    {
        if (isStats)
            quota.StatsZnode = id;
        else
            quota.LimitsZnode = id;
        ReadQuota(quota, isStats, id);
    }

    private void ReadQuota(QuotaTable.Quota quota, bool isStats, uint id)
    {
        QuotaLimits read = QuotaLimits.Parse(ZnodeStore.DataOf(store[id]));
        if (isStats)
            (quota.Count, quota.Bytes) = (read.Count, read.Bytes);
        else
            quota.Limits = read;
    }

    private void CountChange(ReadOnlySpan<byte> path, int count, long bytes)
    {
        if (FindCountedQuota(path) is not { StatsZnode: not 0 } quota || (count == 0 && bytes == 0))
            return;
        quota.Count += count;
        quota.Bytes += bytes;
        WriteCount(quota);
    }

    private void Recount(QuotaTable.Quota quota)
    {
        uint top = store.Find(quota.PathBytes);
        quota.Count = 0;
        quota.Bytes = 0;
        for (uint at = top; at != 0; at = NextInSubtree(at, top))
        {
            quota.Count++;
            quota.Bytes += Math.Max(store[at]->DataLength, 0);
        }
        WriteCount(quota);
    }

    // The stats znode's data changes without a trace in its stat: the change is a side effect, not a transaction.
    private void WriteCount(QuotaTable.Quota quota)
    {
        byte[] text = Encoding.ASCII.GetBytes(FormattableString.Invariant($"count={quota.Count},bytes={quota.Bytes}"));
        ZnodeRecord* record = store[quota.StatsZnode];
        ApproximateDataBytes += text.Length - Math.Max(record->DataLength, 0);
        store.SetData(quota.StatsZnode, text, isNull: false);
    }

    private void LoadQuotas()
    {
        uint top = store.Find(QuotaRoot);
        if (top == 0)
            return;
        for (uint at = NextInSubtree(top, top); at != 0; at = NextInSubtree(at, top))
        {
            ReadOnlySpan<byte> name = ZnodeStore.NameOf(store[at]);
            if (!name.SequenceEqual(LimitsName) && !name.SequenceEqual(StatsName))
                continue;
            var parent = new ZnodeId(store[at]->Parent);
            var parentPath = new byte[PathLength(parent)];
            CopyPath(parent, parentPath);
            if (TryGetQuota(parentPath, name, out QuotaTable.Quota? quota, out bool isStats))
                AttachQuota(quota, isStats, at);
        }
        foreach (QuotaTable.Quota quota in quotas.All)
        {
            if (quota.LimitsZnode != 0 && quota.StatsZnode != 0)
                Recount(quota);
        }
    }
}
