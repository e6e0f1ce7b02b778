using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Globalization;
using Microsoft.Extensions.Logging.Abstractions;
using SharpKeeper.Core.Log;
using SharpKeeper.Protocol;
using SharpKeeper.Server.Storage;

namespace SharpKeeper.StorageTests;

/// <summary>A log writer, what it reported, and a plain reader of its files.</summary>
internal sealed class LogWriterHarness : ILogCompletion, IDisposable
{
    public const string Directory = "/log";
    private const int WaitMs = 20_000;

    private readonly LogWriter writer;
    private readonly BlockingCollection<string> events = [];
    private readonly BlockingCollection<Exception> failures = [];
    private int durableCount;

    public LogWriterHarness(ILogFiles files, Func<LogWriterOptions, LogWriterOptions>? configure = null)
    {
        var options = new LogWriterOptions
        {
            Directory = Directory,
            PreallocBytes = 0,
            Failed = failures.Add,
            RetryInterval = TimeSpan.FromMilliseconds(1),
        };
        writer = new LogWriter(configure?.Invoke(options) ?? options, this, NullLogger.Instance, files);
    }

    public LogWriter Writer => writer;

    /// <summary>Transactions reported durable so far.</summary>
    public int DurableCount => Volatile.Read(ref durableCount);

    public static TxnBatch Batch(long firstZxid, int entries = 1, int payloadBytes = 40)
    {
        var batch = new TxnBatch();
        for (int i = 0; i < entries; i++)
        {
            JuteBuffer buffer = batch.BeginEntry();
            buffer.WriteInt64(firstZxid + i);
            for (int b = 8; b < payloadBytes; b++)
                buffer.WriteByte((byte)(firstZxid + i + b));
            batch.EndEntry(new Zxid(firstZxid + i));
        }
        return batch;
    }

    /// <summary>Thrown when a batch is reported durable.</summary>
    public Exception? Fault { get; set; }

    public void Durable(TxnBatch batch)
    {
        if (Fault is { } fault)
            throw fault;
        Interlocked.Add(ref durableCount, batch.Count);
        events.Add(string.Create(CultureInfo.InvariantCulture, $"{batch.First}+{batch.Count}"));
    }

    public void DurableBatchEnd() => events.Add("end");

    public void Stalled(string reason, Exception cause) => events.Add("stalled: " + cause.Message);

    public void Resumed() => events.Add("resumed");

    public void Completed(Exception? failure) =>
        events.Add(failure is null ? "completed" : "failed: " + failure.Message);

    public void Report(string report) => events.Add(report);

    public string Next()
    {
        Assert.True(events.TryTake(out string? next, WaitMs), "the log writer reports nothing");
        return next;
    }

    public Exception TakeFailure()
    {
        Assert.True(failures.TryTake(out Exception? failure, WaitMs));
        return failure;
    }

    public void Expect(params string[] expected)
    {
        foreach (string one in expected)
            Assert.Equal(one, Next());
    }

    public void AppendDurably(TxnBatch batch)
    {
        writer.Append(batch);
        while (Next() != "end")
        {
        }
    }

    public void ExpectNothingMore() => Assert.False(events.TryTake(out string? next), next);

    public void Dispose() => writer.Dispose();

    /// <summary>Payload ids of all logs in order; fails where Apache would refuse to start.</summary>
    public static List<long> ReadLogs(IReadOnlyDictionary<string, byte[]> files)
    {
        var zxids = new List<long>();
        IEnumerable<(long First, byte[] Content)> logs = files
            .Where(pair => Path.GetFileName(pair.Key).StartsWith("log.", StringComparison.Ordinal))
            .Select(pair => (Convert.ToInt64(Path.GetExtension(pair.Key)[1..], 16), pair.Value))
            .OrderBy(pair => pair.Item1);
        foreach ((long first, byte[] content) in logs)
        {
            Assert.True(content.Length >= 16, "a log has no whole header");
            Assert.Equal("ZKLG\0\0\0\u0002\0\0\0\0\0\0\0\0", string.Concat(content[..16].Select(b => (char)b)));
            int before = zxids.Count;
            for (int at = 16; at + 12 <= content.Length;)
            {
                int length = BinaryPrimitives.ReadInt32BigEndian(content.AsSpan(at + 8));
                if (length == 0 || at + 12 + length + 1 > content.Length)
                    break;
                ReadOnlySpan<byte> payload = content.AsSpan(at + 12, length);
                if (content[at + 12 + length] != TxnBatch.EndOfRecord)
                    break;
                Assert.Equal(Adler32.Compute(payload), BinaryPrimitives.ReadInt64BigEndian(content.AsSpan(at)));
                zxids.Add(BinaryPrimitives.ReadInt64BigEndian(payload));
                at += 12 + length + 1;
            }
            if (zxids.Count > before)
                Assert.Equal(first, zxids[before]);
        }
        return zxids;
    }

    public static Dictionary<string, byte[]> All(MemoryLogFiles files) =>
        files.Names.ToDictionary(name => name, files.Content);
}
