using SharpKeeper.Cli.Bench.Driver;
using SharpKeeper.Cli.Bench.Workloads;

namespace SharpKeeper.Cli.Bench;

/// <content>The znodes that an operation needs before it can be measured.</content>
internal sealed partial class BenchRun
{
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
                return SetUpMulti();
            default:
                throw new InvalidOperationException($"{operation} has a way of its own");
        }
    }

    private MultiWork SetUpMulti()
    {
        string[][] paths = [.. OwnZnodes().Select(
            own => Enumerable.Range(0, options.MultiSize).Select(part => $"{own}-{part:d3}").ToArray())];
        SetUp(paths.SelectMany(its => its).Select(path => (path, Payload.Build(options.Size, 0))));
        return new MultiWork(paths, options.MultiSize, options.Size);
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

    /// <summary>Creates the root where it is missing, the run's own tree, and the znodes given.</summary>
    private void SetUp(IEnumerable<(string, byte[])> znodes)
    {
        var all = new List<(string, byte[])>();
        for (int end = options.Root.IndexOf('/', 1); end > 0; end = options.Root.IndexOf('/', end + 1))
            all.Add((options.Root[..end], []));
        if (options.Root != "/")
            all.Add((options.Root, []));
        int shared = all.Count;
        all.Add((tree, []));
        all.AddRange(znodes);
        RunSetup(all, shared);
        treeExists = true;
    }

    private void RunSetup(List<(string, byte[])> znodes, int shared)
    {
        progress.Begin("set up");
        var work = new SetupWork(znodes) { SharedCount = shared };
        driver.Run(new Lane(work, Slice(0, 1), SetupDepth), PhaseLimit.None);
        if (shared > 0)
            rootsCreated = work.SharedCreated;
        int all = driver.Sessions.Count;
        driver.Run(new Lane(new SyncWork(all), Slice(0, all), 1), PhaseLimit.None);
    }
}
