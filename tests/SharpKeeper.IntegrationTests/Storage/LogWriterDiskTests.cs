using System.Collections.Concurrent;
using Microsoft.Extensions.Logging.Abstractions;
using SharpKeeper.Core.Log;
using SharpKeeper.Protocol;
using SharpKeeper.Server.Storage;

namespace SharpKeeper.StorageTests;

public sealed class LogWriterDiskTests : IDisposable
{
    private const int WaitMs = 60_000;

    private readonly string directory = Directory.CreateTempSubdirectory("sharpkeeper-log-").FullName;

    public void Dispose() => Directory.Delete(directory, recursive: true);

    [Theory, InlineData(0), InlineData(64 << 20)]
    public void Append_of_many_batches_and_rolls_is_read_back_byte_for_byte(long prealloc)
    {
        const int rolls = 4;
        const int batches = 60;
        var completion = new Completion();
        var expected = new Dictionary<string, byte[]>();
        long zxid = 0;
        using (LogWriter writer = Open(prealloc, completion))
        {
            for (int roll = 0; roll < rolls; roll++)
            {
                using var content = new MemoryStream();
                string path = Path.Combine(directory, $"log.{zxid + 1:x}");
                for (int i = 0; i < batches; i++)
                {
                    // Faster than a disk is filled ahead, so that writer and filler meet again and again.
                    TxnBatch batch = Batch(ref zxid, entries: 20, payloadBytes: 200 + (i * 379 % 9000));
                    writer.Append(batch);
                    completion.WaitFor(batch);
                    content.Write(batch.Bytes.Span);
                }
                expected[path] = content.ToArray();
                writer.Roll();
            }
            Assert.Equal(zxid, writer.Counters.Entries);
        }
        Assert.Equal(expected.Keys.Order(), Directory.GetFiles(directory).Order());
        foreach ((string path, byte[] content) in expected)
        {
            byte[] file = File.ReadAllBytes(path);
            Assert.True(content.AsSpan().SequenceEqual(file.AsSpan(16, content.Length)), path);
            Assert.True(file.AsSpan(16 + content.Length).IndexOfAnyExcept((byte)0) < 0, path);
        }
    }

    [Fact]
    public void Dispose_without_an_append_leaves_no_file()
    {
        Open(64 << 20, new Completion()).Dispose();
        Assert.Empty(Directory.GetFiles(directory));
    }

    [Fact]
    public void Append_into_a_directory_that_is_gone_stalls_and_comes_back_with_it()
    {
        var completion = new Completion();
        using LogWriter writer = Open(0, completion);
        Directory.Delete(directory);
        long zxid = 0;
        TxnBatch batch = Batch(ref zxid, entries: 1, payloadBytes: 10);
        writer.Append(batch);
        Assert.True(completion.Stalls.TryTake(out string? reason, WaitMs, TestContext.Current.CancellationToken));
        Assert.Contains(directory, reason, StringComparison.Ordinal);
        Directory.CreateDirectory(directory);
        completion.WaitFor(batch);
        Assert.True(File.Exists(Path.Combine(directory, "log.1")));
    }

    private static TxnBatch Batch(ref long zxid, int entries, int payloadBytes)
    {
        var batch = new TxnBatch();
        for (int i = 0; i < entries; i++)
        {
            JuteBuffer buffer = batch.BeginEntry();
            buffer.WriteInt64(++zxid);
            buffer.Append(payloadBytes).Fill((byte)zxid);
            batch.EndEntry(new Zxid(zxid));
        }
        return batch;
    }

    private LogWriter Open(long prealloc, Completion completion) => new(
        new LogWriterOptions { Directory = directory, PreallocBytes = prealloc }, completion, NullLogger.Instance);

    private sealed class Completion : ILogCompletion
    {
        private readonly BlockingCollection<TxnBatch> durable = [];

        public BlockingCollection<string> Stalls { get; } = [];

        public void WaitFor(TxnBatch batch)
        {
            Assert.True(durable.TryTake(out TxnBatch? next, WaitMs));
            Assert.Same(batch, next);
        }

        public void Durable(TxnBatch batch) => durable.Add(batch);

        public void DurableBatchEnd()
        {
        }

        public void Stalled(string reason, Exception cause) => Stalls.Add(reason);

        public void Resumed()
        {
        }
    }
}
