using SharpKeeper.Cli.Bench.Driver;
using SharpKeeper.Cli.Bench.Report;
using SharpKeeper.Cli.Bench.Workloads;

namespace SharpKeeper.Cli.Bench;

/// <content>watch, connect and idle: the operations whose load is the number of sessions.</content>
internal sealed partial class BenchRun
{
    private BenchResult MeasureWatch()
    {
        Open(workers + 1);
        string path = $"{tree}/watched";
        SetUp([(path, Payload.Build(options.Size, 0))]);
        var work = new WatchWork(path, workers, options.Size, options.Persistent);
        progress.Begin("watch");
        work.ChangesMax = 0;
        driver.Run(Watchers(work), PhaseLimit.None);
        work.ChangesMax = long.MaxValue;
        WarmUp(Watchers(work));
        long before = work.Changes;
        if (options.Count is { } count)
            work.ChangesMax = before + (count + workers - 1) / workers;
        Measurement measurement = Begin();
        PhaseResult phase = driver.Run(
            Watchers(work), options.Count is null ? new PhaseLimit(options.Duration) : PhaseLimit.None);
        BenchResult result = measurement.End(
            phase.Meter.Count, phase, new() { ["changes"] = work.Changes - before });
        CleanUp();
        return result;
    }

    /// <summary>Opens all sessions, measured, and closes them, unmeasured, until there were enough.</summary>
    private BenchResult MeasureConnect()
    {
        var meter = new Meter();
        TimeSpan elapsed = TimeSpan.Zero;
        Measurement measurement = Begin(paused: true);
        while (!cancel.IsCancellationRequested
            && (options.Count is { } count ? meter.Count < count : elapsed < options.Duration))
        {
            driver.CloseAll();
            int lap = (int)Math.Min(workers, options.Count - meter.Count ?? long.MaxValue);
            progress.Begin("measure");
            measurement.Resume();
            PhaseResult phase = driver.Open(options.Servers, lap, depth, options.Close);
            measurement.Pause();
            meter.Add(phase.Meter);
            elapsed += phase.Elapsed;
        }
        BenchResult result = measurement.End(
            meter.Count, new PhaseResult(meter, elapsed, TimeSpan.Zero, null, TimeSpan.Zero));
        driver.CloseAll();
        return result;
    }

    /// <summary>Opens all sessions and leaves them alone; what counts is the server's memory.</summary>
    private BenchResult MeasureIdle()
    {
        Measurement measurement = Begin(paused: true);
        progress.Begin("open");
        PhaseResult opened = driver.Open(options.Servers, workers, depth);
        measurement.Resume();
        driver.Idle(options.Duration);
        BenchResult result = measurement.End(opened.Meter.Count, opened);
        driver.CloseAll();
        if (result.Processes.Length == 0)
            return result;
        long grown = result.Processes.Sum(process => process.RssBytesAfter - process.RssBytesBefore);
        result.Extra["serverBytesPerSession"] = (double)grown / workers;
        return result;
    }

    private Lane Watchers(WatchWork work) => new(work, Slice(0, workers + 1), 1);
}
