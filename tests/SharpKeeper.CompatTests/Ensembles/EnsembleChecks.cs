using SharpKeeper.CompatTests.Peers;
using SharpKeeper.Core.Log;
using SharpKeeper.Core.Tree;
using SharpKeeper.LogTests;
using SharpKeeper.Server.Storage;

namespace SharpKeeper.CompatTests.Ensembles;

/// <summary>What must hold of an ensemble's servers when nothing is going on.</summary>
internal static class EnsembleChecks
{
    // Each server fills this znode from its own configuration file, at a time of its own.
    private const string Config = "/zookeeper/config ";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>All running servers show clients the same tree; ends with them standing at one transaction.</summary>
    public static async Task TreesAreEqualAsync(Ensemble ensemble)
    {
        EnsembleServer[] running = [.. ensemble.Servers.Where(server => server.IsRunning)];
        var trees = new List<IReadOnlyList<string>>();
        foreach (EnsembleServer server in running)
            trees.Add(Comparable(await TreeDump.ReadAsync(server.ConnectString, Cancellation)));
        for (int i = 1; i < trees.Count; i++)
            AssertSame(trees[0], trees[i], $"servers {running[0].Id} and {running[i].Id} show clients different trees");
        await ensemble.SettleAsync();
    }

    /// <summary>
    /// Equal trees through every server; then all are ended, and their directories hold the same tree with the same
    /// digest at the same transaction.
    /// </summary>
    public static async Task AllIsEqualAsync(Ensemble ensemble)
    {
        await TreesAreEqualAsync(ensemble);
        EnsembleServer[] running = [.. ensemble.Servers.Where(server => server.IsRunning)];
        await Task.WhenAll(running.Select(server => server.StopAsync()));
        Loaded[] loaded = [.. running.Select(Load)];
        foreach (Loaded other in loaded.Skip(1))
        {
            AssertSame(loaded[0].Lines, other.Lines,
                $"the directories of servers {loaded[0].Id} and {other.Id} hold different trees");
            Assert.Equal(
                (loaded[0].Zxid, loaded[0].Digest, loaded[0].Sessions), (other.Zxid, other.Digest, other.Sessions));
        }
    }

    /// <summary>No server of ours has found its tree to differ from what the leader said of it.</summary>
    /// <remarks>Apache's count is not asked for: it errs when several sessions write at once.</remarks>
    public static async Task NoMismatchesAsync(Ensemble ensemble)
    {
        foreach (EnsembleServer server in ensemble.Servers)
        {
            if (server is { IsRunning: true, Kind: ServerKind.SharpKeeper })
                Assert.Equal(0, await server.FigureAsync("zk_digest_mismatches_count", Cancellation));
        }
    }

    /// <summary>What a directory holds: the last transaction and the digest of the tree.</summary>
    private static Loaded Load(EnsembleServer server)
    {
        FileStorageDevice device = FileStorageDevice.Open(server.DataDirectory, server.DataDirectory);
        RecoveryResult result = Recovery.Run(device, new RecoveryOptions());
        using DataTree tree = result.Tree;
        return new Loaded(
            server.Id, tree.LastProcessed.ToString(), tree.Digest, string.Join(',', result.Sessions.ToArray()),
            Comparable(TreeAssert.Dump(tree).Split('\n')));
    }

    private static IReadOnlyList<string> Comparable(IEnumerable<string> lines) =>
        [.. lines.Where(line => !line.StartsWith(Config, StringComparison.Ordinal))];

    private static void AssertSame(IReadOnlyList<string> expected, IReadOnlyList<string> actual, string problem)
    {
        string[] missing = [.. expected.Except(actual).Take(5)];
        string[] more = [.. actual.Except(expected).Take(5)];
        Assert.True(
            missing.Length + more.Length == 0,
            $"{problem}:\n- {string.Join("\n- ", missing)}\n+ {string.Join("\n+ ", more)}");
    }

    private sealed record Loaded(int Id, string Zxid, long Digest, string Sessions, IReadOnlyList<string> Lines);
}
