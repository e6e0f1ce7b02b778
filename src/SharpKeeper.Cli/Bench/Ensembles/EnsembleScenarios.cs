using System.Diagnostics;
using SharpKeeper.Cli.Bench.Report;

namespace SharpKeeper.Cli.Bench.Ensembles;

/// <summary>A figure of one round.</summary>
/// <param name="Name">What it is, with its unit.</param>
/// <param name="Value">The figure.</param>
internal readonly record struct EnsembleFigure(string Name, double Value);

/// <summary>
/// What is measured of ensembles. Each runs one round on one ensemble and leaves all its servers running.
/// </summary>
internal sealed class EnsembleScenarios(EnsembleBenchOptions options, TextWriter errors, CancellationToken cancel)
{
    private static readonly TimeSpan Baseline = TimeSpan.FromSeconds(3);
    private const int FillSessions = 9;
    private const int FillDepth = 64;

    /// <summary>The operations, with sessions spread evenly over all servers.</summary>
    public List<EnsembleFigure> Load(BenchEnsemble ensemble)
    {
        var figures = new List<EnsembleFigure>();
        foreach (ComparedOperation operation in options.Operations)
        {
            BenchResult result = BenchRun.Execute(operation.Operation, Options(ensemble, operation), errors, cancel);
            string name = $"{result.Operation} {result.Sessions}x{result.Depth}";
            figures.Add(new($"{name} /s", result.PerSecond));
            figures.Add(new($"{name} p50 us", result.LatencyUs.P50));
            figures.Add(new($"{name} p99 us", result.LatencyUs.P99));
            figures.Add(new($"{name} servers' CPU us/op", result.ServerCpuUsPerOp ?? 0));
            figures.Add(new(
                $"{name} servers' RSS MiB", result.Processes.Sum(process => process.RssBytesAfter) / 1048576.0));
        }
        return figures;
    }

    /// <summary>All servers from nothing to the first reply of the last.</summary>
    public static List<EnsembleFigure> ColdStart(BenchEnsemble ensemble)
    {
        foreach (BenchServer server in ensemble.Servers)
            server.Stop();
        foreach (BenchServer server in ensemble.Servers)
            server.Wipe();
        return [new("all serving after ms", ensemble.StartAll().TotalMilliseconds)];
    }

    /// <summary>The leader is killed under writes of many sessions; then it comes back.</summary>
    public async Task<List<EnsembleFigure>> FailoverAsync(BenchEnsemble ensemble)
    {
        WriteLoad load = await WriteLoad.StartAsync(
            ensemble.EndPoints, options.Sessions, options.Depth, options.Size, cancel).ConfigureAwait(false);
        await using (load.ConfigureAwait(false))
        {
            Sleep(options.Warmup);
            load.Next();
            Sleep(options.Duration);
            BenchServer leader = ensemble.Leader();
            double before = load.Next().PerSecond;
            leader.Kill();
            LoadWindow death = load.Next();
            ensemble.WaitUntil("a write after the leader's death", () => load.HasProgress);
            Sleep(options.Duration);
            LoadWindow after = load.Next();
            long start = Stopwatch.GetTimestamp();
            ensemble.Start(leader);
            ensemble.WaitServing(leader);
            TimeSpan back = Stopwatch.GetElapsedTime(start);
            ensemble.WaitInSync(leader, ensemble.Leader());
            LoadWindow rejoin = load.Next();
            await load.EndAsync().ConfigureAwait(false);
            TimeSpan idle = Return(ensemble, ensemble.Servers.First(server => server != leader));
            long lost = await load.CountLostAsync(ensemble.EndPoints, cancel).ConfigureAwait(false);
            TimeSpan gap = after.LongestGap > death.LongestGap ? after.LongestGap : death.LongestGap;
            return
            [
                new("writes/s before", before),
                new("longest gap of acknowledged writes ms", gap.TotalMilliseconds),
                new("writes/s after", after.PerSecond),
                new("killed server serves again, under load, ms", back.TotalMilliseconds),
                new("killed server serves again, idle, ms", idle.TotalMilliseconds),
                new("longest gap while it rejoins ms", rejoin.LongestGap.TotalMilliseconds),
                new("acknowledged writes lost", lost),
                new("sessions expired", load.Expired),
            ];
        }
    }

    /// <summary>A follower misses many transactions, and catches up while others write to the leader.</summary>
    public Task<List<EnsembleFigure>> CatchUpAsync(BenchEnsemble ensemble)
    {
        BenchServer leader = ensemble.Leader();
        BenchServer follower = ensemble.Servers.First(server => server != leader);
        follower.Stop();
        BenchRun.Execute(BenchOperation.Set, new BenchOptions
        {
            Servers = [.. ensemble.Servers.Where(server => server != follower).Select(server => server.EndPoint)],
            Sessions = FillSessions,
            Depth = FillDepth,
            Size = options.Size,
            Count = options.Txns,
        }, errors, cancel);
        return ReturnAsync(ensemble, follower, leader);
    }

    /// <summary>
    /// The znodes that <see cref="SnapshotAsync"/> needs. <see cref="CatchUpAsync"/> needs them as well: beside a small
    /// tree a leader would send the tree instead of the transactions that are missing.
    /// </summary>
    public void Fill(BenchEnsemble ensemble) => BenchRun.Execute(BenchOperation.Fill, new BenchOptions
    {
        Servers = ensemble.EndPoints,
        Sessions = FillSessions,
        Depth = FillDepth,
        Size = options.Size,
        Count = options.Znodes,
        Keep = true,
    }, errors, cancel);

    /// <summary>A server that has lost everything takes over all znodes while others write to the leader.</summary>
    public Task<List<EnsembleFigure>> SnapshotAsync(BenchEnsemble ensemble)
    {
        BenchServer leader = ensemble.Leader();
        BenchServer follower = ensemble.Servers.First(server => server != leader);
        follower.Stop();
        follower.Wipe();
        return ReturnAsync(ensemble, follower, leader);
    }

    /// <summary>Kills a server while nobody writes, and takes the time from its start to its first reply.</summary>
    private static TimeSpan Return(BenchEnsemble ensemble, BenchServer server)
    {
        server.Kill();
        long start = Stopwatch.GetTimestamp();
        ensemble.Start(server);
        ensemble.WaitServing(server);
        return Stopwatch.GetElapsedTime(start);
    }

    private async Task<List<EnsembleFigure>> ReturnAsync(
        BenchEnsemble ensemble, BenchServer follower, BenchServer leader)
    {
        WriteLoad load = await WriteLoad.StartAsync([leader.EndPoint], options.ProbeSessions, 1, options.Size, cancel)
            .ConfigureAwait(false);
        await using (load.ConfigureAwait(false))
        {
            Sleep(TimeSpan.FromSeconds(1));
            load.Next();
            Sleep(Baseline);
            LoadWindow before = load.Next();
            long start = Stopwatch.GetTimestamp();
            ensemble.Start(follower);
            ensemble.WaitInSync(follower, leader);
            TimeSpan took = Stopwatch.GetElapsedTime(start);
            LoadWindow meanwhile = load.Next();
            await load.EndAsync().ConfigureAwait(false);
            return
            [
                new("in sync after ms", took.TotalMilliseconds),
                new("leader's write p99 before us", before.Meter.PercentileUs(99)),
                new("leader's write p99 meanwhile us", meanwhile.Meter.PercentileUs(99)),
                new("p99 meanwhile / before", meanwhile.Meter.PercentileUs(99) / before.Meter.PercentileUs(99)),
                new("longest gap meanwhile ms", meanwhile.LongestGap.TotalMilliseconds),
                new("writes/s before", before.PerSecond),
                new("writes/s meanwhile", meanwhile.PerSecond),
            ];
        }
    }

    private BenchOptions Options(BenchEnsemble ensemble, ComparedOperation operation) => new()
    {
        Servers = ensemble.EndPoints,
        ServerPids = ensemble.Pids,
        Sessions = operation.Sessions,
        Depth = operation.Depth,
        Size = options.Size,
        Duration = options.Duration,
        Warmup = options.Warmup,
    };

    private void Sleep(TimeSpan time)
    {
        if (cancel.WaitHandle.WaitOne(time))
            throw new BenchException("stopped");
    }
}
