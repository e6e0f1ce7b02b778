using SharpKeeper.Client;
using SharpKeeper.CompatTests.Peers;
using SharpKeeper.Core.Log;
using SharpKeeper.Protocol;
using SharpKeeper.Server.Storage;

namespace SharpKeeper.CompatTests.Ensembles;

/// <summary>
/// The ways in which a leader brings a learner up to date, each forced by a history that leaves no other. Server 1
/// leads and server 2 learns; where a server comes back with a tail that nobody else has, that is server 2, and server
/// 3 leads by then, because with equal histories the larger id wins.
/// </summary>
public abstract class SyncSuite
{
    private const string Root = "/sync";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>A learner misses some transactions and gets them from the leader's memory.</summary>
    protected static Task DiffAsync(string kinds) => LateLearnerAsync(kinds, writes: 60, SyncWay.Diff);

    /// <summary>A learner misses more than the leader has in memory and gets them from its log.</summary>
    protected static Task DiffFromDiskAsync(string kinds) =>
        LateLearnerAsync(kinds, writes: 1500, SyncWay.Diff, ("snapshotSizeFactor", "0"), ("snapCount", "100000"));

    /// <summary>A learner misses more than the leader is willing to tell and gets the whole tree.</summary>
    protected static Task SnapAsync(string kinds) =>
        LateLearnerAsync(kinds, writes: 1500, SyncWay.Snap, ("forceSnapshotSync", "true"));

    /// <summary>A learner without data gets the whole tree.</summary>
    protected static Task SnapToEmptyAsync(string kinds) => Ensemble.RunAsync(
        EnsembleSetup.Of(kinds).With(("forceSnapshotSync", "true")),
        async ensemble =>
        {
            (EnsembleServer leader, EnsembleServer learner) = await BeginAsync(ensemble);
            await WriteAsync(leader, 600);
            await learner.StopAsync();
            Directory.Delete(Path.Combine(learner.DataDirectory, "version-2"), recursive: true);
            await WriteAsync(leader, 10);
            await RejoinAsync(ensemble, leader, learner, SyncWay.Snap);
        });

    /// <summary>The old leader has logged what nobody else has; the new leader has nothing newer.</summary>
    protected static Task TruncAsync(string kinds) => TailAsync(kinds, writesAfter: 0, SyncWay.Trunc);

    /// <summary>The same, but the new leader has committed other transactions since.</summary>
    protected static Task DivergedAsync(string kinds) => TailAsync(kinds, writesAfter: 5, SyncWay.Snap);

    private static Task LateLearnerAsync(
        string kinds, int writes, SyncWay way, params (string Key, string Value)[] config) => Ensemble.RunAsync(
        EnsembleSetup.Of(kinds).With(config),
        async ensemble =>
        {
            (EnsembleServer leader, EnsembleServer learner) = await BeginAsync(ensemble);
            await learner.StopAsync();
            await WriteAsync(leader, writes);
            await RejoinAsync(ensemble, leader, learner, way);
        });

    // The tail is written while the links are held up, and they are cut before anything of it gets through.
    private static Task TailAsync(string kinds, int writesAfter, SyncWay way) => Ensemble.RunAsync(
        EnsembleSetup.Of(kinds).With(("initLimit", "6")) with { HasLinks = true },
        async ensemble =>
        {
            EnsembleServer old = ensemble[2];
            EnsembleServer[] others = [ensemble[1], ensemble[3]];
            await BeginAsync(ensemble);
            await ensemble.MakeLeaderAsync(old);
            await WriteAsync(old, 5);
            await using KeeperClient client = await KeeperClient.ConnectAsync(old.ConnectString, Cancellation);
            await ensemble.SettleAsync();
            Zxid before = (await old.StatusAsync(Cancellation))!.Zxid;
            int[] rest = [.. others.Select(server => server.Id)];
            ensemble.Links.Stall([old.Id], rest);
            Task[] tail = [.. Enumerable.Range(0, 3).Select(i => client.CreateAsync(
                $"/tail-{i}", cancellation: Cancellation).AsTask())];
            await ensemble.UntilAsync("the tail to be logged", _ => Task.FromResult(
                LastLogged(old).Value == before.Value + tail.Length));
            await old.KillAsync();
            ensemble.Links.Cut([old.Id], rest);
            ensemble.Links.Heal();
            foreach (Task write in tail)
                await Assert.ThrowsAsync<ConnectionLossException>(() => write);
            EnsembleServer leader = await ensemble.LeaderAsync();
            Assert.Equal(3, leader.Id);
            await ensemble.WaitServingAsync(others);
            if (writesAfter > 0)
                await WriteAsync(leader, writesAfter);
            await RejoinAsync(ensemble, leader, old, way);
        });

    private static async Task<(EnsembleServer Leader, EnsembleServer Learner)> BeginAsync(Ensemble ensemble)
    {
        await ensemble.MakeLeaderAsync(ensemble[1]);
        await using KeeperClient client = await KeeperClient.ConnectAsync(ensemble.ConnectString, Cancellation);
        await client.EnsurePathAsync(Root, cancellation: Cancellation);
        return (ensemble[1], ensemble[2]);
    }

    private static async Task RejoinAsync(
        Ensemble ensemble, EnsembleServer leader, EnsembleServer learner, SyncWay way)
    {
        SyncProbe probe = await SyncProbe.BeginAsync(leader, learner, Cancellation);
        await ensemble.StartAsync(learner);
        Assert.Same(leader, await ensemble.LeaderAsync());
        await EnsembleChecks.TreesAreEqualAsync(ensemble);
        await probe.AssertAsync(way, Cancellation);
        // What the learner has now must be right for those that come after: it leads in its turn.
        await ensemble.MakeLeaderAsync(learner);
        await WriteAsync(learner, 10);
        await EnsembleChecks.AllIsEqualAsync(ensemble);
    }

    private static async Task WriteAsync(EnsembleServer server, int writes)
    {
        await using KeeperClient client = await KeeperClient.ConnectAsync(server.ConnectString, Cancellation);
        string path = await client.CreateAsync(
            Root + "/n-", mode: CreateMode.PersistentSequential, cancellation: Cancellation);
        await Task.WhenAll(Enumerable.Range(0, writes).Select(
            i => client.SetAsync(path, new byte[50 + i % 50], cancellation: Cancellation).AsTask()));
    }

    private static Zxid LastLogged(EnsembleServer server)
    {
        FileStorageDevice device = FileStorageDevice.Open(server.DataDirectory, server.DataDirectory);
        RecoveryResult result = Recovery.Run(device, new RecoveryOptions());
        result.Tree.Dispose();
        return result.Last;
    }
}
