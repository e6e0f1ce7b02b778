using SharpKeeper.Protocol;

namespace SharpKeeper.Simulation;

/// <summary>What came of a run.</summary>
internal sealed record RunReport
{
    /// <summary>How it was asked for.</summary>
    public required RunOptions Options { get; init; }

    /// <summary>What failed; null if nothing did.</summary>
    public SimulationFailure? Failure { get; init; }

    /// <summary>The faults that were injected.</summary>
    public required IReadOnlyList<Fault> Faults { get; init; }

    /// <summary>Virtual time that passed, microseconds.</summary>
    public required long VirtualUs { get; init; }

    /// <summary>Events that happened.</summary>
    public required long Steps { get; init; }

    /// <summary>Transactions committed.</summary>
    public required int Committed { get; init; }

    /// <summary>Requests that were answered.</summary>
    public required int Answered { get; init; }

    /// <summary>The same for two runs that went the same.</summary>
    public required ulong Fingerprint { get; init; }

    /// <summary>How the ensemble was set up.</summary>
    public required string Setup { get; init; }

    /// <summary>What of the set-up a command must say to see the run again.</summary>
    public required string SetupFlags { get; init; }

    /// <summary>Keys whose histories were too tangled for the general linearizability check.</summary>
    public int UndecidedKeys { get; init; }

    /// <summary>What happened, if it was written down.</summary>
    public required IReadOnlyList<string> Trace { get; init; }
}

/// <summary>Runs one seed: faults, then calm, then a look at everything.</summary>
internal sealed class Simulation
{
    private const int SliceUs = 200_000;

    private readonly World world;
    private readonly RunOptions options;
    private readonly IReadOnlyList<Fault> faults;
    private int undecidedKeys;

    private Simulation(RunOptions options)
    {
        this.options = options;
        IReadOnlyList<Fault> schedule = options.Schedule
            ?? (options.Scenario is null ? FaultTable.Schedule(options) : []);
        faults = options.Faults is { } chosen ? [.. schedule.Where(fault => chosen.Contains(fault.Number))] : schedule;
        world = new World(options);
    }

    /// <summary>Runs a seed.</summary>
    public static RunReport Run(RunOptions options)
    {
        var simulation = new Simulation(options);
        using World world = simulation.world;
        SimulationFailure? failure = null;
        try
        {
            simulation.RunAll();
        }
        catch (SimulationFailure e)
        {
            failure = e;
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            failure = new SimulationFailure("Exception", e.ToString());
        }
        if (failure is not null)
            world.Trace(0, "FAILED " + failure.Message);
        return new RunReport
        {
            Options = options,
            Failure = failure,
            Faults = simulation.faults,
            VirtualUs = world.Scheduler.NowUs,
            Steps = world.Scheduler.Steps,
            Committed = world.Checkers.Committed.Count,
            Answered = world.History.Count(static operation => operation.IsDone),
            Fingerprint = world.Fingerprint,
            Setup = world.Setup.ToString(),
            SetupFlags = world.Setup.Flags,
            UndecidedKeys = simulation.undecidedKeys,
            Trace = world.TraceLines,
        };
    }

    private void RunAll()
    {
        world.Start();
        if (options.Scenario is { } scenario)
        {
            scenario.Play(new Stage(world));
            world.EndFaults();
            AwaitService();
            Finish();
            return;
        }
        foreach (Fault fault in faults)
            world.Scheduler.At(fault.AtMs * 1000L, () => Inject(fault));
        for (long at = SliceUs; at <= options.FaultMs * 1000L; at += SliceUs)
        {
            world.Scheduler.RunUntil(at);
            world.Checkers.CheckMoment();
        }
        world.EndFaults();
        AwaitService();
        BeCalm();
        Finish();
    }

    private void Inject(Fault fault)
    {
        world.Trace(0, fault.ToString());
        fault.Kind.Inject(new FaultContext(world, fault));
    }

    /// <summary>Faults are over: every client must be answered again before long.</summary>
    private void AwaitService()
    {
        Dictionary<SimClient, long> before = world.Clients.ToDictionary(
            static client => client, static client => client.Answered);
        long deadline = world.Scheduler.NowUs + (options.RecoveryMs * 1000L);
        long started = world.Scheduler.NowUs;
        bool served = world.Scheduler.RunUntil(
            () => world.Scheduler.NowUs > started + 1_000_000
                && world.Clients.All(client => client.Answered >= before[client] + 3),
            deadline);
        if (served)
            return;
        string waiting = string.Join(", ", world.Clients.Where(client => client.Answered < before[client] + 3)
            .Select(static client => client.Number));
        throw new SimulationFailure("Liveness",
            $"{options.RecoveryMs} ms after the faults ended clients {waiting} are not served: {Describe()}");
    }

    /// <summary>Without faults no session with a live client may end.</summary>
    private void BeCalm()
    {
        world.Scheduler.RunUntil(world.Scheduler.NowUs + (options.SessionTimeoutMs * 1000L));
        Dictionary<SimClient, int> before = world.Clients.ToDictionary(
            static client => client, static client => client.Expirations);
        // Some only ping: nothing but the touches that learners report keeps their sessions.
        world.AreSomeClientsIdle = true;
        world.Scheduler.RunUntil(world.Scheduler.NowUs + (options.CalmMs * 1000L));
        world.AreSomeClientsIdle = false;
        foreach (SimClient client in world.Clients)
        {
            if (client.Expirations != before[client])
            {
                throw new SimulationFailure("SessionLiveness",
                    $"client {client.Number} lost its session though nothing was wrong");
            }
        }
        world.Checkers.CheckMoment();
    }

    /// <summary>Clients fall silent: all servers must end up with the same, and so must their disks.</summary>
    private void Finish()
    {
        world.AreClientsActive = false;
        long deadline = world.Scheduler.NowUs + 20_000_000;
        world.Scheduler.RunUntil(
            () => world.Clients.All(static client => client.Outstanding == 0) && AreEqual(), deadline);
        if (!AreEqual())
            throw new SimulationFailure("Liveness", "servers do not come to the same state: " + Describe());
        SimServer[] members = [.. world.Servers.Where(server => server.IsUp && world.IsMember(server))];
        foreach (SimServer server in members)
        {
            TreeComparison.Check(members[0], server);
            world.Checkers.CheckReplay(server);
            if (world.Setup.Reconfigs)
                world.Checkers.CheckConfigAtEnd(server);
        }
        undecidedKeys = Linearizability.Check(world.History, world.Checkers.Committed);
    }

    private bool AreEqual()
    {
        Zxid last = world.Checkers.Committed.Last;
        foreach (SimServer server in world.Servers)
        {
            if (server.Refusal is not null || !world.IsMember(server))
                continue;
            if (server.Life != ServerLife.Running
                || world.Checkers.Proposals.Resolve(server.Replica.Tree.LastProcessed) != last
                || server.Log.IsBusy)
                return false;
        }
        return true;
    }

    private string Describe() => string.Join("; ", world.Servers.Select(server => server.IsUp
        ? $"server {server.Id} {server.Zab?.State.ToString() ?? "alone"} ({server.Zab?.Reason}) epoch "
            + $"{server.AcceptedEpoch}/{server.CurrentEpoch} tree {server.Replica.Tree.LastProcessed}"
        : $"server {server.Id} is down{(server.Refusal is null ? "" : ": " + server.Refusal)}"))
        + $"; committed {world.Checkers.Committed.Last}";
}
