using System.Buffers.Text;
using System.Text;

namespace SharpKeeper.Core.Tree;

/// <summary>What a quota allows below its path, the path included; -1 is no limit.</summary>
/// <param name="Count">Znodes before a warning.</param>
/// <param name="Bytes">Bytes of data before a warning.</param>
/// <param name="CountHard">Znodes at most.</param>
/// <param name="BytesHard">Bytes of data at most.</param>
public readonly record struct QuotaLimits(long Count, long Bytes, long CountHard, long BytesHard)
{
    /// <summary>No limits at all.</summary>
    public static QuotaLimits None => new(-1, -1, -1, -1);

    /// <summary>
    /// Reads the text of a zookeeper_limits or zookeeper_stats znode: name=value pairs between any run of commas and
    /// semicolons. Names that are missing or unknown, and values that are no numbers, leave -1.
    /// </summary>
    public static QuotaLimits Parse(ReadOnlySpan<byte> text)
    {
        QuotaLimits limits = None;
        while (!text.IsEmpty)
        {
            int end = text.IndexOfAny((byte)',', (byte)';');
            ReadOnlySpan<byte> pair = end < 0 ? text : text[..end];
            text = end < 0 ? default : text[(end + 1)..];
            int equals = pair.IndexOf((byte)'=');
            if (equals < 0)
                continue;
            ReadOnlySpan<byte> name = pair[..equals];
            long value = Number(pair[(equals + 1)..]);
            if (name.SequenceEqual("count"u8))
                limits = limits with { Count = value };
            else if (name.SequenceEqual("bytes"u8))
                limits = limits with { Bytes = value };
            else if (name.SequenceEqual("countHardLimit"u8))
                limits = limits with { CountHard = value };
            else if (name.SequenceEqual("byteHardLimit"u8))
                limits = limits with { BytesHard = value };
        }
        return limits;
    }

    // The last pair before the hard limits may carry a stray "=" behind its number.
    private static long Number(ReadOnlySpan<byte> text)
    {
        text = text.TrimEnd((byte)'=');
        return Utf8Parser.TryParse(text, out long value, out int consumed) && consumed == text.Length ? value : -1;
    }
}

/// <summary>A quota and what counts against it at the moment.</summary>
/// <param name="Path">The path it was set on.</param>
/// <param name="Limits">What it allows.</param>
/// <param name="Count">Znodes at the path and below, or -1 if nobody counts them.</param>
/// <param name="Bytes">Bytes of their data, or -1 if nobody counts them.</param>
public sealed record QuotaUsage(string Path, QuotaLimits Limits, long Count, long Bytes);

/// <summary>The quotas by the path they are set on.</summary>
internal sealed class QuotaTable
{
    private readonly Dictionary<byte[], Quota> quotas;
    private readonly Dictionary<byte[], Quota>.AlternateLookup<ReadOnlySpan<byte>> byPath;

    public QuotaTable(uint hashSeed)
    {
        quotas = new Dictionary<byte[], Quota>(new BytesComparer(hashSeed));
        byPath = quotas.GetAlternateLookup<ReadOnlySpan<byte>>();
    }

    /// <summary>Is there none?</summary>
    public bool IsEmpty => quotas.Count == 0;

    /// <summary>All of them, in no order that means anything.</summary>
    public IEnumerable<Quota> All => quotas.Values;

    /// <summary>The quota on exactly that path, made if there is none.</summary>
    public Quota Ensure(ReadOnlySpan<byte> path)
    {
        if (byPath.TryGetValue(path, out Quota? quota))
            return quota;
        quota = new Quota(path.ToArray());
        quotas.Add(quota.PathBytes, quota);
        return quota;
    }

    /// <summary>Forgets the quota if it has neither limits nor a count.</summary>
    public void DropIfUnused(Quota quota)
    {
        if (quota.LimitsZnode == 0 && quota.StatsZnode == 0)
            quotas.Remove(quota.PathBytes);
    }

    /// <summary>The quota with limits on the longest path that is this one or above it.</summary>
    public Quota? FindNearest(ReadOnlySpan<byte> path)
    {
        while (path.Length > 1)
        {
            if (byPath.TryGetValue(path, out Quota? quota) && quota.LimitsZnode != 0)
                return quota;
            path = path[..Math.Max(path.LastIndexOf((byte)'/'), 0)];
        }
        return null;
    }

    /// <summary>A quota's limits and count as the znodes below /zookeeper/quota hold them.</summary>
    internal sealed class Quota(byte[] pathBytes)
    {
        public byte[] PathBytes { get; } = pathBytes;

        public string Path { get; } = Encoding.UTF8.GetString(pathBytes);

        /// <summary>The zookeeper_limits znode, 0 if there is none.</summary>
        public uint LimitsZnode { get; set; }

        /// <summary>The zookeeper_stats znode, 0 if there is none.</summary>
        public uint StatsZnode { get; set; }

        public QuotaLimits Limits { get; set; } = QuotaLimits.None;

        public long Count { get; set; } = -1;

        public long Bytes { get; set; } = -1;
    }
}
