using SharpKeeper.Core.Log;
using SharpKeeper.Core.Tree;
using SharpKeeper.Protocol;

namespace SharpKeeper.LogTests;

/// <summary>
/// A server's life of random transactions: its files, with snapshots that were written while later transactions were
/// applied, and its state after each transaction.
/// </summary>
internal sealed class RecordedLife
{
    public static readonly RecoveryOptions Options = new() { ExtendedTypesEnabled = true };

    public RecordedLife(int seed, int txns, bool isFuzzy = true, int snapshotEvery = 25)
    {
        var random = new Random(seed);
        using var live = new LiveState(random);
        States.Add(StateOf(live.Tree, live.Sessions.ToArray()));
        SnapshotWriter? writer = Begin(live);
        var buffer = new JuteBuffer();
        for (int i = 1; i <= txns; i++)
        {
            if (writer is not null && !writer.WriteSlice(buffer, isFuzzy ? random.Next(1, 600) : 1 << 20))
            {
                Device.Put(StorageArea.Snapshots, StorageNames.Snapshot(writer.Start), buffer.WrittenSpan.ToArray());
                Ends[writer.Start] = writer.End;
                writer.Dispose();
                writer = null;
            }
            live.Step();
            States.Add(StateOf(live.Tree, live.Sessions.ToArray()));
            if (writer is null && random.Next(snapshotEvery) == 0)
            {
                buffer.Clear();
                writer = Begin(live);
            }
        }
        writer?.Dispose();
        live.PutLogs(random, (name, bytes) => Device.Put(StorageArea.Logs, name, [.. bytes, .. new byte[random.Next(60)]]));
        Payloads = live.Payloads;
    }

    /// <summary>Its files.</summary>
    public MemoryStorageDevice Device { get; } = new();

    /// <summary>Tree and sessions in words, after each transaction.</summary>
    public List<string> States { get; } = [];

    /// <summary>The snapshots and the last transactions that were applied when they were complete.</summary>
    public Dictionary<Zxid, Zxid> Ends { get; } = [];

    public IReadOnlyList<byte[]> Payloads { get; }

    public Zxid Last => new(Payloads.Count);

    public static string StateOf(DataTree tree, IEnumerable<Core.Transactions.SessionTimeout> sessions) =>
        $"{tree.LastProcessed}\n{TreeAssert.Dump(tree)}\n{string.Join('\n', sessions)}";

    /// <summary>What recovery makes of a device.</summary>
    public static string Recover(IStorageDevice device, out Zxid last)
    {
        RecoveryResult result = Recovery.Run(device, Options);
        using DataTree tree = result.Tree;
        last = result.Last;
        Assert.Equal(0, result.DigestMismatches);
        Assert.DoesNotContain(result.Notices, notice => notice.Kind == RecoveryNoticeKind.SnapshotAheadOfLogs);
        return StateOf(tree, result.Sessions.ToArray());
    }

    private static SnapshotWriter Begin(LiveState live) => new(live.Tree, live.Sessions.ToArray());
}
