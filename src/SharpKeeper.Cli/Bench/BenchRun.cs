using System.Globalization;
using SharpKeeper.Cli.Bench.Driver;
using SharpKeeper.Cli.Bench.Report;
using SharpKeeper.Cli.Bench.Workloads;

namespace SharpKeeper.Cli.Bench;

/// <summary>
/// Measures one operation: opens the sessions, sets up the znodes, warms up, measures, removes what it created and
/// closes the sessions. A wrong reply ends it at once and leaves the znodes for a look at them.
/// </summary>
internal sealed partial class BenchRun : IDisposable
{
    private const int HandshakesAtOnce = 32;
    private const int SetupDepth = 64;
    private const long FillDefault = 100_000;

    private readonly BenchOperation operation;
    private readonly BenchOptions options;
    private readonly CancellationToken cancel;
    private readonly Progress progress;
    private readonly LoadDriver driver;
    private readonly string tree;
    private readonly int workers;
    private readonly int depth;
    private bool treeExists;
    private IReadOnlyList<string> rootsCreated = [];

    private BenchRun(BenchOperation operation, BenchOptions options, TextWriter errors, CancellationToken cancel)
    {
        this.operation = operation;
        this.options = options;
        this.cancel = cancel;
        progress = new Progress(errors, NameOf(operation), options.Time);
        driver = new LoadDriver(
            options.Transport(), new DriverSettings(options.SessionTimeout, options.ReplyTimeout),
            options.Time, progress.Tick, cancel);
        // What fill leaves behind is looked for later, so it has a name of its own; the others may run side by side.
        string unique = operation == BenchOperation.Fill ? "" : "-" + Guid.NewGuid().ToString("n")[..8];
        tree = (options.Root == "/" ? "" : options.Root) + "/" + NameOf(operation) + unique;
        // A stall is felt by one session that does one thing after the other; a change is watched one at a time.
        workers = operation == BenchOperation.Stall ? 1 : options.Sessions ?? DefaultSessions(operation);
        depth = operation is BenchOperation.Stall or BenchOperation.Watch
            ? 1 : options.Depth ?? DefaultDepth(operation);
    }

    /// <summary>The operation as the command line spells it.</summary>
    public static string NameOf(BenchOperation operation) =>
        operation.ToString().ToLower(CultureInfo.InvariantCulture);

    /// <summary>Measures.</summary>
    /// <param name="operation">What.</param>
    /// <param name="options">How.</param>
    /// <param name="errors">Gets a line of progress a second.</param>
    /// <param name="cancel">Ends the measured phase early; the result is then of a shorter run.</param>
    /// <exception cref="WrongReplyException">The server answered what no correct server answers.</exception>
    /// <exception cref="BenchException">The run could not be made.</exception>
    public static BenchResult Execute(
        BenchOperation operation, BenchOptions options, TextWriter errors, CancellationToken cancel)
    {
        using var run = new BenchRun(operation, options, errors, cancel);
        try
        {
            return operation switch
            {
                BenchOperation.Delete => run.MeasureDelete(),
                BenchOperation.Watch => run.MeasureWatch(),
                BenchOperation.Connect => run.MeasureConnect(),
                BenchOperation.Idle => run.MeasureIdle(),
                _ => run.MeasureSteady(),
            };
        }
        catch (WrongReplyException e)
        {
            throw new WrongReplyException($"{NameOf(operation)}: wrong reply: {e.Message}{run.WhatIsLeft}");
        }
        catch (BenchException e)
        {
            throw new BenchException($"{NameOf(operation)}: {e.Message}{run.WhatIsLeft}");
        }
    }

    /// <summary>Deletes the root of all benchmarks and everything below it.</summary>
    /// <returns>The number of znodes deleted.</returns>
    /// <exception cref="BenchException">The server refused.</exception>
    public static long Clean(BenchOptions options, TextWriter errors, CancellationToken cancel)
    {
        using var run = new BenchRun(BenchOperation.Delete, options, errors, cancel);
        run.Open(run.workers);
        run.progress.Begin("clean up");
        long deleted = run.Purge(options.Root);
        run.driver.CloseAll();
        return deleted;
    }

    public void Dispose() => driver.Dispose();

    private string WhatIsLeft => treeExists ? $"\n{tree} is left on the server" : "";

    private static int DefaultSessions(BenchOperation operation) => operation switch
    {
        BenchOperation.Watch or BenchOperation.Connect or BenchOperation.Idle => 1000,
        _ => 8,
    };

    private static int DefaultDepth(BenchOperation operation) => operation switch
    {
        BenchOperation.Connect or BenchOperation.Idle => HandshakesAtOnce,
        _ => 64,
    };

    /// <summary>One workload on all sessions: warm-up, then the measured phase.</summary>
    private BenchResult MeasureSteady()
    {
        Open(workers + (options.Probe is null ? 0 : 1));
        Workload work = SetUpWork();
        Workload? probe = SetUpProbe();
        WarmUp(Workers(work, depth));
        Measurement measurement = Begin();
        PhaseResult phase = driver.Run(
            Workers(work, depth), SteadyLimit(), probe is null ? null : new Lane(probe, Slice(workers, 1), 1));
        BenchResult result = measurement.End(phase.Meter.Count, phase, SteadyExtra(work, phase));
        CleanUp();
        return result;
    }

    private PhaseLimit SteadyLimit()
    {
        if (operation == BenchOperation.Fill)
            return PhaseLimit.None;
        return options.Count is { } count ? new PhaseLimit(Count: count) : new PhaseLimit(options.Duration);
    }

    private Dictionary<string, double> SteadyExtra(Workload work, PhaseResult phase) => work switch
    {
        CreateWork create when operation == BenchOperation.Fill => new() { ["znodes"] = create.Children },
        MultiWork => new() { ["writesPerSecond"] = phase.Meter.Count * options.MultiSize / phase.Elapsed.TotalSeconds },
        _ => [],
    };

    private void WarmUp(Lane lane)
    {
        if (options.EffectiveWarmup <= TimeSpan.Zero || operation == BenchOperation.Fill)
            return;
        progress.Begin("warm-up");
        driver.Run(lane, new PhaseLimit(options.EffectiveWarmup));
    }

    private Measurement Begin(bool paused = false)
    {
        progress.Begin("measure");
        return new Measurement(NameOf(operation), options, workers, depth, paused);
    }

    private void CleanUp()
    {
        progress.Begin("clean up");
        if (!options.Keep)
        {
            Purge(tree);
            driver.Run(
                new Lane(new DeleteEmptyWork([.. rootsCreated.Reverse()]), Slice(0, 1), SetupDepth), PhaseLimit.None);
        }
        treeExists = false;
        driver.CloseAll();
    }

    private long Purge(string path)
    {
        int all = driver.Sessions.Count;
        var work = new PurgeWork(path, all);
        driver.Run(new Lane(work, Slice(0, all), SetupDepth), PhaseLimit.None);
        return work.Deleted;
    }

    private void Open(int sessions)
    {
        progress.Begin("open");
        driver.Open(options.Servers, sessions, HandshakesAtOnce);
    }

    private Lane Workers(Workload work, int inFlight) => new(work, Slice(0, workers), inFlight);

    private ArraySegment<Session> Slice(int from, int count) => new([.. driver.Sessions], from, count);
}
