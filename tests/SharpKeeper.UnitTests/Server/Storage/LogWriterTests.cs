using SharpKeeper.Core;
using SharpKeeper.Core.Log;
using static SharpKeeper.StorageTests.LogWriterHarness;

namespace SharpKeeper.StorageTests;

public sealed class LogWriterTests
{
    private const string Full = "No space left on device";

    [Fact]
    public void Append_writes_the_entries_byte_for_byte_behind_the_header()
    {
        var files = new MemoryLogFiles();
        TxnBatch first = Batch(0x1a, entries: 3);
        TxnBatch second = Batch(0x1d);
        using (var harness = new LogWriterHarness(files))
        {
            harness.AppendDurably(first);
            harness.AppendDurably(second);
            Assert.Equal(0, harness.Writer.QueuedBytes);
            Assert.Equal((4, 2, 2), (harness.Writer.Counters.Entries, harness.Writer.Counters.Batches,
                harness.Writer.Counters.Syncs));
        }
        Assert.Equal(["/log/log.1a"], files.Names);
        byte[] expected = [.. first.Bytes.ToArray(), .. second.Bytes.ToArray()];
        Assert.Equal(expected, files.Content("/log/log.1a")[16..]);
        Assert.Equal([0x1a, 0x1b, 0x1c, 0x1d], ReadLogs(files.AfterPowerFailure(presentNames: false)));
    }

    [Fact]
    public void Append_while_a_sync_runs_joins_the_next_group()
    {
        using var syncing = new ManualResetEventSlim();
        using var goOn = new ManualResetEventSlim();
        var files = new MemoryLogFiles();
        using var harness = new LogWriterHarness(files);
        harness.AppendDurably(Batch(1));
        files.Before = (operation, _) =>
        {
            if (operation != "sync")
                return;
            syncing.Set();
            goOn.Wait();
        };
        harness.Writer.Append(Batch(2));
        syncing.Wait(TestContext.Current.CancellationToken);
        for (int i = 3; i <= 9; i++)
            harness.Writer.Append(Batch(i));
        Assert.True(harness.Writer.QueuedBytes > 0);
        goOn.Set();
        harness.Expect("0x2+1", "end", "0x3+1", "0x4+1", "0x5+1", "0x6+1", "0x7+1", "0x8+1", "0x9+1", "end");
        Assert.Equal(3, harness.Writer.Counters.Groups);
        Assert.Equal(3, harness.Writer.Counters.Syncs);
    }

    [Fact]
    public void Roll_starts_a_file_named_after_the_next_entry()
    {
        var files = new MemoryLogFiles();
        using (var harness = new LogWriterHarness(files))
        {
            harness.Writer.Roll();
            harness.AppendDurably(Batch(1, entries: 2));
            harness.Writer.Roll();
            harness.Writer.Roll();
            harness.Writer.Append(Batch(0x1_0000_00ab));
            harness.Writer.Append(Batch(0x1_0000_00ac));
            harness.Writer.Roll();
        }
        Assert.Equal(["/log/log.1", "/log/log.1000000ab"], files.Names);
        Assert.Equal([1, 2, 0x1_0000_00ab, 0x1_0000_00ac], ReadLogs(files.AfterPowerFailure(presentNames: false)));
    }

    [Fact]
    public void RunBetween_runs_after_what_was_appended_before_and_ahead_of_what_comes_later()
    {
        var files = new MemoryLogFiles();
        using (var harness = new LogWriterHarness(files, o => o with { PreallocBytes = 4096 }))
        {
            harness.Writer.Append(Batch(1, entries: 2));
            harness.Writer.Append(Batch(3));
            string[] seen = [];
            List<long> durable = [];
            harness.Writer.RunBetween(
                () =>
                {
                    seen = files.Names;
                    durable = ReadLogs(files.AfterPowerFailure(presentNames: false));
                },
                harness.Completed);
            harness.Writer.RunBetween(() => harness.Report("second"), harness.Completed);
            harness.Writer.Append(Batch(4));
            var reports = new List<string>();
            while (reports.Count < 6)
            {
                if (harness.Next() is var report and not "end")
                    reports.Add(report);
            }
            Assert.Equal(["0x1+2", "0x3+1", "completed", "second", "completed", "0x4+1"], reports);
            Assert.Contains("/log/log.1", seen);
            Assert.Equal([1, 2, 3], durable);
        }
        Assert.Equal(["/log/log.1", "/log/log.4"], files.Names);
    }

    [Fact]
    public void RunBetween_with_nothing_appended_runs_at_once()
    {
        using var harness = new LogWriterHarness(new MemoryLogFiles());
        harness.Writer.RunBetween(() => harness.Report("run"), harness.Completed);
        harness.Expect("run", "completed");
    }

    [Fact]
    public void RunBetween_while_the_disk_refuses_waits_for_the_entries_before()
    {
        var files = new MemoryLogFiles();
        using var harness = new LogWriterHarness(files);
        bool isFull = true;
        files.Before = (operation, _) =>
        {
            if (operation == "write" && Volatile.Read(ref isFull))
                throw new IOException(Full);
        };
        harness.Writer.Append(Batch(1));
        harness.Writer.RunBetween(() => harness.Report("run"), harness.Completed);
        harness.Expect("stalled: " + Full);
        harness.ExpectNothingMore();
        Volatile.Write(ref isFull, false);
        harness.Expect("resumed", "0x1+1", "end", "run", "completed");
    }

    [Fact]
    public void RunBetween_whose_action_fails_tells_why_and_goes_on()
    {
        using var harness = new LogWriterHarness(new MemoryLogFiles());
        harness.Writer.RunBetween(() => throw new IOException(Full), harness.Completed);
        harness.Writer.RunBetween(() => throw new CorruptDataException("bad"), harness.Completed);
        harness.Expect("failed: " + Full, "failed: bad");
        harness.AppendDurably(Batch(1));
    }

    [Fact]
    public void RunBetween_whose_action_has_a_bug_ends_the_writer()
    {
        using var harness = new LogWriterHarness(new MemoryLogFiles());
        harness.Writer.RunBetween(() => throw new InvariantException("bug"), harness.Completed);
        Assert.IsType<InvariantException>(harness.TakeFailure());
    }

    [Fact]
    public void RunBetween_that_the_end_of_the_writer_prevents_is_told_so()
    {
        var files = new MemoryLogFiles
        {
            Before = (operation, _) =>
            {
                if (operation == "write")
                    throw new IOException(Full);
            },
        };
        var harness = new LogWriterHarness(files);
        harness.Writer.Append(Batch(1));
        harness.Writer.RunBetween(() => harness.Report("run"), harness.Completed);
        harness.Expect("stalled: " + Full);
        harness.Dispose();
        harness.Writer.RunBetween(() => harness.Report("run"), harness.Completed);
        const string ended = "failed: The transaction log was closed before this was done.";
        harness.Expect(ended, ended);
        harness.ExpectNothingMore();
    }

    [Fact]
    public void Append_past_the_size_limit_starts_a_new_file()
    {
        var files = new MemoryLogFiles();
        using (var harness = new LogWriterHarness(files, o => o with { SegmentBytesMax = 200 }))
        {
            for (int i = 1; i <= 10; i++)
                harness.Writer.Append(Batch(i));
        }
        // Four entries of 53 bytes and the header pass 200.
        Assert.Equal(["/log/log.1", "/log/log.5", "/log/log.9"], files.Names);
        Assert.Equal(Enumerable.Range(1, 10).Select(i => (long)i), ReadLogs(All(files)));
    }

    [Fact]
    public void Append_without_forceSync_never_syncs()
    {
        var files = new MemoryLogFiles();
        using (var harness = new LogWriterHarness(files, o => o with { ForceSync = false, PreallocBytes = 4096 }))
        {
            for (int i = 1; i <= 50; i++)
                harness.AppendDurably(Batch(i));
            harness.Writer.Roll();
            harness.AppendDurably(Batch(51));
        }
        Assert.DoesNotContain("sync", files.Operations);
        Assert.DoesNotContain("syncdir", files.Operations);
        Assert.Equal(51, ReadLogs(All(files)).Count);
    }

    [Fact]
    public void Append_where_a_torn_file_has_the_name_replaces_it()
    {
        var files = new MemoryLogFiles();
        files.Put("/log/log.7", [1, 2, 3]);
        files.Put("/log/preallocated.tmp", [0]);
        files.Put("/log/fresh.tmp", [0]);
        using (var harness = new LogWriterHarness(files))
        {
            Assert.Equal(["/log/log.7"], files.Names);
            harness.AppendDurably(Batch(7));
        }
        Assert.Equal([7], ReadLogs(files.AfterPowerFailure(presentNames: false)));
    }

    [Fact]
    public void Append_of_an_empty_batch_breaks_an_invariant()
    {
        using var harness = new LogWriterHarness(new MemoryLogFiles());
        Assert.Throws<InvariantException>(() => harness.Writer.Append(new TxnBatch()));
    }

    [Fact]
    public void Durable_that_throws_ends_the_writer_and_is_reported()
    {
        var files = new MemoryLogFiles();
        var fault = new InvariantException("broken");
        using var harness = new LogWriterHarness(files) { Fault = fault };
        harness.Writer.Append(Batch(1));
        Assert.Same(fault, harness.TakeFailure());
        harness.Writer.Append(Batch(2));
        harness.ExpectNothingMore();
    }

    [Fact]
    public void Append_on_a_full_disk_keeps_the_batches_and_acknowledges_them_when_there_is_space()
    {
        var files = new MemoryLogFiles { FailedWriteBytes = 20 };
        using var harness = new LogWriterHarness(files);
        harness.AppendDurably(Batch(1));
        // Long enough that a waiting time which only ever doubles would overflow.
        int refusals = 60;
        files.Before = (operation, _) =>
        {
            if (operation == "write" && refusals-- > 0)
                throw new IOException(Full);
        };
        harness.Writer.Append(Batch(2));
        Assert.StartsWith("stalled: " + Full, harness.Next(), StringComparison.Ordinal);
        harness.Expect("resumed", "0x2+1", "end");
        harness.AppendDurably(Batch(3));
        Assert.Equal(["/log/log.1"], files.Names);
        Assert.Equal([1, 2, 3], ReadLogs(files.AfterPowerFailure(presentNames: false)));
        Assert.Equal(1, harness.Writer.Counters.Stalls);
    }

    [Theory, InlineData(false), InlineData(true)]
    public void Append_after_a_failed_sync_goes_into_a_new_file_and_cuts_the_old_one(bool persists)
    {
        var files = new MemoryLogFiles { FailedSyncPersists = persists };
        using var harness = new LogWriterHarness(files);
        harness.AppendDurably(Batch(1));
        FailOnce(files, "sync", "Input/output error");
        harness.Writer.Append(Batch(2, entries: 2));
        harness.Expect("stalled: Input/output error", "resumed", "0x2+2", "end");
        harness.AppendDurably(Batch(4));
        Assert.Equal(["/log/log.1", "/log/log.2"], files.Names);
        Assert.Equal([1, 2, 3, 4], ReadLogs(files.AfterPowerFailure(presentNames: false)));
        Assert.Equal([1, 2, 3, 4], ReadLogs(All(files)));
    }

    [Theory]
    [InlineData("create"), InlineData("rename"), InlineData("syncdir"), InlineData("write"), InlineData("sync")]
    public void Append_when_making_the_first_file_fails_is_tried_again(string operation)
    {
        var files = new MemoryLogFiles();
        using var harness = new LogWriterHarness(files);
        FailOnce(files, operation, Full);
        harness.Writer.Append(Batch(1));
        harness.Expect("stalled: " + Full, "resumed", "0x1+1", "end");
        Assert.Equal([1], ReadLogs(files.AfterPowerFailure(presentNames: false)));
    }

    [Fact]
    public void Append_when_filling_ahead_fails_goes_on_without_a_stall()
    {
        var files = new MemoryLogFiles();
        files.Before = (operation, _) =>
        {
            if (operation == "open")
                throw new IOException(Full);
        };
        using var harness = new LogWriterHarness(files, o => o with { PreallocBytes = 4096 });
        for (int i = 1; i <= 20; i++)
            harness.AppendDurably(Batch(i));
        Assert.Equal(0, harness.Writer.Counters.Stalls);
    }

    [Fact]
    public void Dispose_while_the_disk_refuses_ends_without_acknowledging()
    {
        var files = new MemoryLogFiles();
        var harness = new LogWriterHarness(files);
        harness.AppendDurably(Batch(1));
        files.Before = (operation, _) =>
        {
            if (operation == "write")
                throw new IOException(Full);
        };
        harness.Writer.Append(Batch(2));
        harness.Expect("stalled: " + Full);
        harness.Dispose();
        harness.ExpectNothingMore();
        Assert.Equal([1], ReadLogs(All(files)));
    }

    [Theory]
    [InlineData(0, null), InlineData(0, "sync"), InlineData(0, "write")]
    [InlineData(4096, null), InlineData(4096, "sync")]
    public void Power_failure_at_any_operation_leaves_every_acknowledged_entry_and_no_gap(int prealloc, string? fault)
    {
        var files = new MemoryLogFiles { FailedSyncPersists = true, FailedWriteBytes = 30 };
        var images = new List<(int Durable, bool PresentNames, Dictionary<string, byte[]> Files)>();
        LogWriterHarness? watched = null;
        int operations = 0;
        files.Before = (operation, _) =>
        {
            lock (images)
            {
                // Counted first: what is acknowledged by now must be in an image taken later.
                int durable = watched?.DurableCount ?? 0;
                images.Add((durable, false, files.AfterPowerFailure(presentNames: false)));
                images.Add((durable, true, files.AfterPowerFailure(presentNames: true)));
                if (operation == fault && ++operations % 3 == 0)
                    throw new IOException(Full);
            }
        };
        const int total = 24;
        using (var harness = new LogWriterHarness(files, o => o with { PreallocBytes = prealloc }))
        {
            watched = harness;
            for (int i = 1; i <= total; i += 2)
            {
                harness.Writer.Append(Batch(i, entries: 2));
                if (i % 8 == 1)
                    harness.Writer.Roll();
                else if (i % 8 == 5)
                    SpinWait.SpinUntil(() => harness.DurableCount == i + 1);
            }
            SpinWait.SpinUntil(() => harness.DurableCount == total);
        }
        images.Add((total, false, files.AfterPowerFailure(presentNames: false)));
        foreach ((int durable, bool _, Dictionary<string, byte[]> image) in images)
        {
            List<long> read = ReadLogs(image);
            Assert.True(read.Count >= durable, $"{durable} were acknowledged, {read.Count} are left");
            Assert.Equal(Enumerable.Range(1, read.Count).Select(i => (long)i), read);
        }
    }

    [Theory, InlineData(0), InlineData(2048)]
    public void Random_faults_and_a_power_failure_lose_no_acknowledged_entry(int prealloc)
    {
        for (int seed = 0; seed < 40; seed++)
            RunRandomly(seed, prealloc);
    }

    private static void RunRandomly(int seed, int prealloc)
    {
        var random = new Random(seed);
        var files = new MemoryLogFiles
        {
            FailedSyncPersists = random.Next(2) == 0,
            FailedWriteBytes = random.Next(100),
        };
        int crashAt = random.Next(10, 120);
        int faultPercent = random.Next(40);
        int operations = 0;
        LogWriterHarness? watched = null;
        var images = new List<(int Durable, Dictionary<string, byte[]> Files)>();
        var gate = new Lock();
        files.Before = (operation, _) =>
        {
            lock (gate)
            {
                if (++operations == crashAt)
                {
                    int durable = watched?.DurableCount ?? 0;
                    images.Add((durable, files.AfterPowerFailure(presentNames: false)));
                    images.Add((durable, files.AfterPowerFailure(presentNames: true)));
                }
                if (operation != "delete" && random.Next(100) < faultPercent)
                    throw new IOException(Full);
            }
        };
        int total = 0;
        using (var harness = new LogWriterHarness(files, o => o with
        {
            PreallocBytes = prealloc,
            SegmentBytesMax = 900,
        }))
        {
            watched = harness;
            var appender = new Random(seed);
            for (int i = 0; i < 20; i++)
            {
                int entries = appender.Next(1, 5);
                harness.Writer.Append(Batch(total + 1, entries, appender.Next(8, 80)));
                total += entries;
                if (appender.Next(6) == 0)
                    harness.Writer.Roll();
                if (appender.Next(3) == 0)
                    SpinWait.SpinUntil(() => harness.DurableCount == total);
            }
            SpinWait.SpinUntil(() => harness.DurableCount == total);
            files.Before = null;
        }
        images.Add((total, files.AfterPowerFailure(presentNames: false)));
        images.Add((total, All(files)));
        foreach ((int durable, Dictionary<string, byte[]> image) in images)
        {
            List<long> read = ReadLogs(image);
            Assert.True(read.Count >= durable, $"seed {seed}: {durable} were acknowledged, {read.Count} are left");
            Assert.Equal(Enumerable.Range(1, read.Count).Select(i => (long)i), read);
        }
    }

    private static void FailOnce(MemoryLogFiles files, string failing, string message)
    {
        bool failed = false;
        files.Before = (operation, _) =>
        {
            if (operation != failing || failed)
                return;
            failed = true;
            throw new IOException(message);
        };
    }
}
