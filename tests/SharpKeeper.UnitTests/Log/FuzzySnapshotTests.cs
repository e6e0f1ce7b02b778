using SharpKeeper.Core.Log;
using SharpKeeper.Core.Transactions;
using SharpKeeper.Core.Tree;
using SharpKeeper.Protocol;

namespace SharpKeeper.LogTests;

/// <summary>The rule that all of recovery rests on: snapshot plus the transactions since its start is the tree.</summary>
public class FuzzySnapshotTests
{
    private static readonly RecoveryOptions Options = new() { ExtendedTypesEnabled = true };

    public static TheoryData<int> Seeds() => [.. Enumerable.Range(1, 60)];

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Snapshot_with_changes_between_slices_and_the_log_gives_the_tree(int seed)
    {
        var random = new Random(seed);
        using var live = new LiveState(random);
        for (int i = random.Next(300); i > 0; i--)
            live.Step();
        SessionTimeout[] sessions = live.Sessions.ToArray();
        using var writer = new SnapshotWriter(live.Tree, sessions);
        using var buffer = new JuteBuffer();
        while (writer.WriteSlice(buffer, random.Next(1, 400)))
        {
            for (int i = random.Next(4); i > 0; i--)
                live.Step();
        }
        Assert.Equal(live.Tree.LastProcessed, writer.End);
        for (int i = random.Next(30); i > 0; i--)
            live.Step();

        var device = new MemoryStorageDevice();
        device.Put(
            StorageArea.Snapshots, StorageNames.Snapshot(writer.Start), buffer.WrittenSpan.ToArray());
        live.PutLogs(device, random);
        RecoveryResult result = Recovery.Run(device, Options);
        using DataTree tree = result.Tree;
        Assert.Empty(result.Notices);
        Assert.Equal(writer.Start, result.SnapshotZxid);
        Assert.Equal(live.Tree.LastProcessed, result.Last);
        Assert.Equal(live.Tree.Digest, tree.Digest);
        Assert.Equal(TreeAssert.Dump(live.Tree), TreeAssert.Dump(tree));
        Assert.Equal(live.Sessions.ToArray(), result.Sessions.ToArray());
        Assert.Equal(live.Tree.LastProcessed.Value - writer.End.Value + (writer.End > Zxid.Zero ? 1 : 0)
            - live.TxnsWithoutDigest(writer.End), result.DigestsCompared);
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Log_cut_anywhere_gives_the_tree_of_a_prefix(int seed)
    {
        var random = new Random(seed);
        using var live = new LiveState(random);
        var dumps = new List<string> { TreeAssert.Dump(live.Tree) };
        for (int i = 0; i < 40; i++)
        {
            live.Step();
            dumps.Add(TreeAssert.Dump(live.Tree));
        }
        byte[] file = live.LogFile(0, live.Payloads.Count);
        for (int i = 0; i < 20; i++)
        {
            int length = random.Next(file.Length + 1);
            byte[] cut = random.Next(2) == 0 ? file[..length] : [.. file[..length], .. new byte[300]];
            var device = new MemoryStorageDevice();
            device.Put(StorageArea.Logs, "log.1", cut);
            RecoveryResult result = Recovery.Run(device, Options with { TrustEmptySnapshot = true });
            using DataTree tree = result.Tree;
            Assert.Equal(dumps[(int)result.Last.Value], TreeAssert.Dump(tree));
            Assert.Equal(live.WholeEntries(length), result.Last.Value);
        }
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Damaged_directories_are_recovered_to_some_prefix_or_refused(int seed)
    {
        var random = new Random(seed);
        using var live = new LiveState(random);
        var dumps = new List<string> { TreeAssert.Dump(live.Tree) };
        var device = new MemoryStorageDevice();
        for (int i = 1; i <= 60; i++)
        {
            live.Step();
            dumps.Add(TreeAssert.Dump(live.Tree));
            if (i % 20 == 0)
            {
                device.Put(
                    StorageArea.Snapshots, StorageNames.Snapshot(live.Tree.LastProcessed),
                    SnapshotCodecTests.Write(live.Tree, live.Sessions, 1000));
            }
        }
        live.PutLogs(device, random);
        StorageArea area = random.Next(3) == 0 ? StorageArea.Snapshots : StorageArea.Logs;
        IReadOnlyList<StorageFile> files = device.List(area);
        string name = files[random.Next(files.Count)].Name;
        device.Put(area, name, Mutation.Of(device.Get(area, name), random));
        try
        {
            RecoveryResult result = Recovery.Run(device, Options);
            using DataTree tree = result.Tree;
            Assert.Equal(dumps[(int)result.Last.Value], TreeAssert.Dump(tree));
        }
        catch (Core.CorruptDataException refusal)
        {
            Assert.Contains("Restore", refusal.Message, StringComparison.Ordinal);
        }
    }
}

/// <summary>A tree under random transactions, with its log.</summary>
internal sealed class LiveState : IDisposable
{
    private readonly TxnFactory factory;
    private readonly TxnApplier applier;

    public LiveState(Random random)
    {
        Tree = new DataTree { ExtendedTypesEnabled = true };
        factory = new TxnFactory(Tree, random);
        applier = new TxnApplier(Tree, Sessions);
    }

    public DataTree Tree { get; }

    public SessionTimeouts Sessions { get; } = new();

    public List<byte[]> Payloads { get; } = [];

    public void Step()
    {
        byte[] payload = factory.Next();
        applier.Apply(payload);
        Assert.True(TxnRecords.TryRead(payload, out TxnView txn));
        if (txn.Header.Type != OpCode.Error)
        {
            using var buffer = new JuteBuffer();
            buffer.WriteRaw(payload);
            TxnRecords.WriteDigest(buffer, Tree.Digest);
            payload = buffer.WrittenSpan.ToArray();
        }
        Payloads.Add(payload);
    }

    /// <summary>Number of transactions after <paramref name="zxid"/> that carry no digest.</summary>
    public long TxnsWithoutDigest(Zxid zxid) => Payloads.Skip((int)zxid.Value).Count(static payload =>
        TxnRecords.TryRead(payload, out TxnView txn) && !txn.HasDigest);

    public byte[] LogFile(int from, int to)
    {
        var batch = new TxnBatch();
        for (int i = from; i < to; i++)
        {
            batch.BeginEntry().WriteRaw(Payloads[i]);
            batch.EndEntry(new Zxid(i + 1));
        }
        batch.Seal();
        return [.. new LogImage().ToFile(), .. batch.Bytes.Span];
    }

    /// <summary>Number of entries in the first bytes of a file of all payloads.</summary>
    public int WholeEntries(int length)
    {
        int count = 0;
        for (int at = TxnLogReader.HeaderBytes; count < Payloads.Count; count++)
        {
            at += TxnBatch.EntryHeadBytes + Payloads[count].Length + 1;
            if (at > length)
                break;
        }
        return count;
    }

    /// <summary>Stores the log in files of random lengths.</summary>
    public void PutLogs(MemoryStorageDevice device, Random random)
    {
        int from = 0;
        while (from < Payloads.Count)
        {
            int to = Math.Min(from + random.Next(1, 60), Payloads.Count);
            device.Put(StorageArea.Logs, StorageNames.Log(new Zxid(from + 1)), LogFile(from, to));
            from = to;
        }
    }

    public void Dispose() => Tree.Dispose();
}
