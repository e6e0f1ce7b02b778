using System.Globalization;
using SharpKeeper.Cli.Bench.Driver;
using SharpKeeper.Cli.Bench.Report;
using SharpKeeper.Cli.Bench.Transport;
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
    private readonly int depth;
    private readonly int workers;

    private BenchRun(BenchOperation operation, BenchOptions options, TextWriter errors, CancellationToken cancel)
    {
        this.operation = operation;
        this.options = options;
        this.cancel = cancel;
        progress = new Progress(errors, NameOf(operation));
        driver = new LoadDriver(
            Transports.Create(options.PortableTransport),
            new DriverSettings(options.SessionTimeout, options.ReplyTimeout), progress.Tick, cancel);
        string unique = operation == BenchOperation.Fill ? "" : "-" + Guid.NewGuid().ToString("n")[..8];
        tree = (options.Root == "/" ? "" : options.Root) + "/" + NameOf(operation) + unique;
        workers = operation == BenchOperation.Stall ? 1 : options.Sessions;
        depth = options.Depth ?? DefaultDepth(operation);
    }

    /// <summary>The operation as the command line spells it.</summary>
    public static string NameOf(BenchOperation operation) =>
        operation.ToString().ToLower(CultureInfo.InvariantCulture);

    /// <summary>Measures.</summary>
    /// <param name="operation">What.</param>
    /// <param name="options">How.</param>
    /// <param name="errors">Gets a line of progress a second.</param>
    /// <param name="cancel">Ends the measured phase early; the result is then of a shorter run.</param>
    /// <exception cref="BenchException">The run could not be made, or a reply was wrong.</exception>
    public static BenchResult Execute(
        BenchOperation operation, BenchOptions options, TextWriter errors, CancellationToken cancel)
    {
        using var run = new BenchRun(operation, options, errors, cancel);
        try
        {
            return operation switch
            {
                BenchOperation.Delete => run.MeasureDelete(),
                _ => run.MeasureSteady(),
            };
        }
        catch (WrongReplyException e)
        {
            throw new WrongReplyException($"{NameOf(operation)}: wrong reply: {e.Message}");
        }
        catch (BenchException e)
        {
            throw new BenchException($"{NameOf(operation)}: {e.Message}");
        }
    }

    public void Dispose() => driver.Dispose();

    private static int DefaultDepth(BenchOperation operation) => operation switch
    {
        BenchOperation.Stall => 1,
        _ => 64,
    };

    /// <summary>One workload on all sessions: warm-up, then the measured phase.</summary>
    private BenchResult MeasureSteady()
    {
        Open(workers + (options.Probe is null ? 0 : 1));
        Workload work = SetUpWork();
        Workload? probe = SetUpProbe();
        WarmUp(work);
        Measurement measurement = Begin();
        PhaseResult phase = driver.Run(
            Workers(work, depth),
            SteadyLimit(),
            probe is null ? null : new Lane(probe, Slice(workers, 1), 1));
        BenchResult result = measurement.End(phase.Meter.Count, phase);
        CleanUp();
        return result;
    }

    /// <summary>Alternates between creating a stock, unmeasured, and deleting it, measured.</summary>
    private BenchResult MeasureDelete()
    {
        Open(workers);
        string[] parents = OwnZnodes();
        SetUp(parents.Select(path => (path, Array.Empty<byte>())));
        DeleteLaps(parents, new PhaseLimit(options.EffectiveWarmup, null), measured: null);
        Measurement measurement = Begin(paused: true);
        PhaseResult phase = DeleteLaps(
            parents, new PhaseLimit(options.Count is null ? options.Duration : null, options.Count), measurement);
        BenchResult result = measurement.End(phase.Meter.Count, phase);
        CleanUp();
        return result;
    }

    private PhaseLimit SteadyLimit()
    {
        if (operation == BenchOperation.Fill)
            return PhaseLimit.None;
        return options.Count is { } count ? new PhaseLimit(Count: count) : new PhaseLimit(options.Duration);
    }

    private PhaseResult DeleteLaps(string[] parents, PhaseLimit limit, Measurement? measured)
    {
        const int StockMax = 5000;
        var meter = new Meter();
        TimeSpan elapsed = TimeSpan.Zero;
        TimeSpan gap = TimeSpan.Zero;
        while (!cancel.IsCancellationRequested
            && (limit.Count is { } count ? meter.Count < count : elapsed < limit.Duration))
        {
            long missing = limit.Count is { } all ? all - meter.Count : (long)StockMax * workers;
            int stock = (int)Math.Min(StockMax, (missing + workers - 1) / workers);
            progress.Begin("stock");
            driver.Run(Workers(StockWork.Create(parents, stock, options.Size), SetupDepth), PhaseLimit.None);
            progress.Begin(measured is null ? "warm-up" : "measure");
            measured?.Resume();
            PhaseResult lap = driver.Run(Workers(StockWork.Delete(parents, stock), depth),
                limit.Count is null ? PhaseLimit.None : new PhaseLimit(Count: missing));
            measured?.Pause();
            meter.Add(lap.Meter);
            elapsed += lap.Elapsed;
            gap = lap.LongestGap > gap ? lap.LongestGap : gap;
        }
        return new PhaseResult(meter, elapsed, gap, null, TimeSpan.Zero);
    }

    private Workload SetUpWork()
    {
        switch (operation)
        {
            case BenchOperation.Get:
                return new GetWork(SetUpOwn(), options.Size);
            case BenchOperation.Exists:
                return new ExistsWork(SetUpOwn(), options.Size);
            case BenchOperation.Set or BenchOperation.Stall:
                return new SetWork(SetUpOwn(), options.Size, 0, depth);
            case BenchOperation.Mixed:
                return new SetWork(SetUpOwn(), options.Size, options.ReadRatio, depth);
            case BenchOperation.Create:
                SetUp([]);
                return new CreateWork(tree, workers, options.Size);
            case BenchOperation.Fill:
                SetUp([]);
                return new CreateWork(tree, workers, options.Size, options.Count ?? FillDefault);
            case BenchOperation.Children:
                SetUp(Enumerable.Range(0, options.Children)
                    .Select(child => ($"{tree}/{ChildrenWork.ChildName(child)}", Array.Empty<byte>())));
                return new ChildrenWork(tree, options.Children);
            case BenchOperation.Multi:
                string[][] paths = [.. OwnZnodes().Select(
                    own => Enumerable.Range(0, options.MultiSize).Select(part => $"{own}-{part:d3}").ToArray())];
                SetUp(paths.SelectMany(its => its).Select(path => (path, Payload.Build(options.Size, 0))));
                return new MultiWork(paths, options.MultiSize, options.Size);
            default:
                throw new InvalidOperationException($"{operation} has a way of its own");
        }
    }

    private Workload? SetUpProbe()
    {
        if (options.Probe is null)
            return null;
        string path = $"{tree}/probe";
        RunSetup([(path, Payload.Build(options.Size, 0))], 0);
        return options.Probe == BenchOperation.Set
            ? new SetWork([path], options.Size, 0, 1)
            : new GetWork([path], options.Size);
    }

    private string[] OwnZnodes() => [.. Enumerable.Range(0, workers).Select(number => $"{tree}/s{number:d4}")];

    private string[] SetUpOwn()
    {
        string[] paths = OwnZnodes();
        SetUp(paths.Select(path => (path, Payload.Build(options.Size, 0))));
        return paths;
    }

    private void Open(int sessions)
    {
        progress.Begin("open");
        driver.Open(options.Servers, sessions, HandshakesAtOnce);
    }

    private void SetUp(IEnumerable<(string, byte[])> znodes)
    {
        var all = new List<(string, byte[])>();
        for (int slash = 1; slash > 0 && options.Root != "/"; slash = options.Root.IndexOf('/', slash) + 1)
        {
            int end = options.Root.IndexOf('/', slash);
            all.Add((end < 0 ? options.Root : options.Root[..end], []));
        }
        int shared = all.Count;
        all.Add((tree, []));
        all.AddRange(znodes);
        RunSetup(all, shared);
    }

    private void RunSetup(List<(string, byte[])> znodes, int shared)
    {
        progress.Begin("set up");
        driver.Run(new Lane(new SetupWork(znodes) { SharedCount = shared }, Slice(0, 1), SetupDepth), PhaseLimit.None);
        int all = driver.Sessions.Count;
        driver.Run(new Lane(new SyncWork(all), Slice(0, all), 1), PhaseLimit.None);
    }

    private void WarmUp(Workload work)
    {
        if (options.EffectiveWarmup <= TimeSpan.Zero || operation == BenchOperation.Fill)
            return;
        progress.Begin("warm-up");
        driver.Run(Workers(work, depth), new PhaseLimit(options.EffectiveWarmup));
    }

    private void CleanUp()
    {
        progress.Begin("clean up");
        if (!options.Keep)
            Purge(tree);
        driver.CloseAll();
    }

    private long Purge(string path)
    {
        int all = driver.Sessions.Count;
        var work = new PurgeWork(path, all);
        driver.Run(new Lane(work, Slice(0, all), SetupDepth), PhaseLimit.None);
        return work.Deleted;
    }

    private Lane Workers(Workload work, int inFlight) => new(work, Slice(0, workers), inFlight);

    private ArraySegment<Session> Slice(int from, int count) => new([.. driver.Sessions], from, count);

    private Measurement Begin(bool paused = false)
    {
        progress.Begin("measure");
        return new Measurement(NameOf(operation), options, workers, depth, paused);
    }
}
