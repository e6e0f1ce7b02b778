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
        live.PutLogs(random, (name, bytes) => device.Put(StorageArea.Logs, name, bytes));
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
        live.PutLogs(random, (name, bytes) => device.Put(StorageArea.Logs, name, bytes));
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
