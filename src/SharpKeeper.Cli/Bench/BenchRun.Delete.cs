using SharpKeeper.Cli.Bench.Driver;
using SharpKeeper.Cli.Bench.Report;
using SharpKeeper.Cli.Bench.Workloads;

namespace SharpKeeper.Cli.Bench;

/// <content>delete: what is deleted must have been created, so the two alternate and only one is measured.</content>
internal sealed partial class BenchRun
{
    private const int StockMax = 5000;

    private BenchResult MeasureDelete()
    {
        Open(workers);
        string[] parents = OwnZnodes();
        SetUp(parents.Select(path => (path, Array.Empty<byte>())));
        DeleteLaps(parents, new PhaseLimit(options.EffectiveWarmup), measured: null);
        Measurement measurement = Begin(paused: true);
        PhaseResult phase = DeleteLaps(
            parents, new PhaseLimit(options.Count is null ? options.Duration : null, options.Count), measurement);
        BenchResult result = measurement.End(phase.Meter.Count, phase);
        CleanUp();
        return result;
    }

    private PhaseResult DeleteLaps(string[] parents, PhaseLimit limit, Measurement? measured)
    {
        var meter = new Meter();
        TimeSpan elapsed = TimeSpan.Zero;
        TimeSpan gap = TimeSpan.Zero;
        while (!cancel.IsCancellationRequested
            && (limit.Count is { } count ? meter.Count < count : elapsed < limit.Duration))
        {
            long missing = limit.Count is { } all ? all - meter.Count : (long)StockMax * workers;
            PhaseResult lap = DeleteLap(parents, missing, measured);
            meter.Add(lap.Meter);
            elapsed += lap.Elapsed;
            gap = lap.LongestGap > gap ? lap.LongestGap : gap;
        }
        return new PhaseResult(meter, elapsed, gap, null, TimeSpan.Zero);
    }

    private PhaseResult DeleteLap(string[] parents, long countMax, Measurement? measured)
    {
        int stock = (int)Math.Min(StockMax, (countMax + workers - 1) / workers);
        progress.Begin("stock");
        driver.Run(Workers(StockWork.Create(parents, stock, options.Size), SetupDepth), PhaseLimit.None);
        progress.Begin(measured is null ? "warm-up" : "measure");
        measured?.Resume();
        PhaseResult lap = driver.Run(
            Workers(StockWork.Delete(parents, stock), depth), new PhaseLimit(Count: countMax));
        measured?.Pause();
        return lap;
    }
}
