using SharpKeeper.Core.Zab;
using SharpKeeper.Protocol;
using SharpKeeper.Protocol.Quorum;

namespace SharpKeeper.Simulation;

/// <summary>How many servers of which kind there are, and how they are set, as the seed chooses.</summary>
internal sealed class EnsembleSetup
{
    /// <summary>Bytes of committed transactions kept in memory beyond <see cref="HistoryTxns"/>.</summary>
    public const long HistoryBytes = 20_000;

    public EnsembleSetup(RunOptions options)
    {
        var random = SimRandom.For(options.Seed, "setup");
        int voters = options.Servers > 0 ? options.Servers : random.Pick([3, 3, 3, 3, 5, 5, 7]);
        int observers = options.Observers >= 0 ? options.Observers
            : options.Bugs.HasFlag(PlantedBug.CountObservers) ? 2
            : voters == 1 ? 0 : random.Pick([0, 0, 0, 1, 1, 2]);
        Voters = [.. Enumerable.Range(1, voters)];
        Observers = [.. Enumerable.Range(voters + 1, observers)];
        Clients = options.Clients > 0 ? options.Clients : random.Between(2, 6);
        SnapshotTxns = random.Pick([20, 60, 200, 1000]);
        HistoryTxns = random.Pick([1, 5, 30, 500]);
        UsesLogOnDisk = random.PerMille(500);
        ForcesSnapshots = random.PerMille(80);
        SliceUsMax = random.Pick([500, 3_000, 40_000]);
        SliceBytesMax = random.Pick([400, 3_000]);
        if (options.Scenario is not null)
        {
            SnapshotTxns = 100_000;
            HistoryTxns = 500;
            ForcesSnapshots = UsesLogOnDisk = false;
        }
        else if (options.NeedsSnapshots)
        {
            HistoryTxns = 1;
            UsesLogOnDisk = false;
            SliceUsMax = 40_000;
        }
        LeaderServes = !random.PerMille(100) || options.Scenario is not null;
        ObserverLogs = !random.PerMille(200) || options.Scenario is not null;
        Reconfigs = WantsReconfigs(options);
        LocalSessions = Chooses(options, options.LocalSessions, "local-sessions", 150);
        UpgradesSessions = LocalSessions && SimRandom.For(options.Seed, "upgrades").PerMille(800);
        Spares = Reconfigs ? SimRandom.For(options.Seed, "spares").Between(1, 3) : 0;
        var servers = Enumerable.Range(1, voters + observers)
            .Select(id => Member(id, id <= voters ? ServerRole.Participant : ServerRole.Observer)).ToList();
        Config = Chooses(options, options.Groups, "groups", Reconfigs ? 0 : 150)
            ? Grouped(servers, SimRandom.For(options.Seed, "weights")) : new EnsembleConfig(servers, version: 0);
    }

    /// <summary>Numbers of the voters.</summary>
    public IReadOnlyList<int> Voters { get; }

    /// <summary>Numbers of the observers.</summary>
    public IReadOnlyList<int> Observers { get; }

    /// <summary>The configuration at the start.</summary>
    public EnsembleConfig Config { get; }

    /// <summary>Have groups and weights a say at the start?</summary>
    public bool HasGroups => Config.IsHierarchical;

    /// <summary>Number of all servers, those included that are not in use at the start.</summary>
    public int ServerCount => Voters.Count + Observers.Count + Spares;

    /// <summary>What of it a command must say to get the same without the seed's own schedule.</summary>
    public string Flags => (Reconfigs ? " --reconfigs on" : "") + (HasGroups ? " --groups on" : "")
        + (LocalSessions ? " --local-sessions on" : "");

    /// <summary>Are sessions local to one server at first?</summary>
    public bool LocalSessions { get; }

    /// <summary>Does a local session become known to all when it creates an ephemeral?</summary>
    public bool UpgradesSessions { get; }

    /// <summary>Are servers added and removed?</summary>
    public bool Reconfigs { get; }

    /// <summary>Servers that are there, with an empty disk, and not in use at the start.</summary>
    public int Spares { get; }

    /// <summary>Number of clients.</summary>
    public int Clients { get; }

    /// <summary>Transactions between snapshots.</summary>
    public int SnapshotTxns { get; }

    /// <summary>Committed transactions kept in memory.</summary>
    public int HistoryTxns { get; }

    /// <summary>Are learners brought up to date from the log on disk?</summary>
    public bool UsesLogOnDisk { get; }

    /// <summary>Is every learner sent a snapshot?</summary>
    public bool ForcesSnapshots { get; }

    /// <summary>Longest time between two slices of a snapshot or log that is sent, microseconds.</summary>
    public int SliceUsMax { get; }

    /// <summary>Largest such slice, bytes.</summary>
    public int SliceBytesMax { get; }

    /// <summary>Does the leader take clients?</summary>
    public bool LeaderServes { get; }

    /// <summary>Do observers log?</summary>
    public bool ObserverLogs { get; }

    /// <summary>A server as it stands in a configuration.</summary>
    public static EnsembleServer Member(int id, ServerRole role, int quorumPort = 2888) => new(
        new ServerId(id), [new ServerAddress("s" + id, quorumPort, 3888)], role, new ClientAddress("s" + id, 2181),
        null);

    /// <summary>The servers with the voters in groups, some with another weight than 1, some with none.</summary>
    public static EnsembleConfig Grouped(IReadOnlyList<EnsembleServer> servers, SimRandom random)
    {
        ServerId[] voters =
            [.. servers.Where(static it => it.Role == ServerRole.Participant).Select(static it => it.Id)];
        random.Shuffle(voters);
        int groups = random.Between(1, Math.Min(3, voters.Length));
        var weights = voters.Select((id, index) => KeyValuePair.Create(
            id, index == 0 ? 1L : random.Pick<long>([0, 1, 1, 1, 1, 1, 2, 3]))).ToList();
        return new EnsembleConfig(
            servers, version: 0,
            Enumerable.Range(0, groups).Select(group => new ServerGroup(
                group + 1, [.. voters.Where((_, index) => index % groups == group).Order()])),
            weights);
    }

    private static bool Chooses(RunOptions options, bool? wanted, string label, int perMille) => wanted ??
        (!options.IsStandalone && options.Schedule is null && options.Kinds is null && options.Bugs == PlantedBug.None
        && SimRandom.For(options.Seed, label).PerMille(perMille));

    // Chosen apart from everything else: a seed without reconfigurations is what it was before there were any.
    private static bool WantsReconfigs(RunOptions options)
    {
        if (options.Reconfigs is { } wanted || options.IsStandalone)
            return options.Reconfigs == true && !options.IsStandalone;
        if (options.Schedule is { } schedule)
            return schedule.Any(static fault => fault.Kind.Area == ReconfigFaults.Area);
        if (options.Kinds is { } kinds)
            return ReconfigFaults.All.Any(kind => kinds.Contains(kind.Name));
        return options.Bugs == PlantedBug.None && SimRandom.For(options.Seed, "reconfigs").PerMille(400);
    }

    /// <inheritdoc/>
    public override string ToString() =>
        $"{Voters.Count} voters, {Observers.Count} observers, {Clients} clients, snapshot after {SnapshotTxns}, "
        + $"history {HistoryTxns}, disk diffs {UsesLogOnDisk}, forced snapshots {ForcesSnapshots}"
        + (ObserverLogs ? "" : ", observers without logs") + (HasGroups ? ", groups" : "")
        + (LocalSessions ? $", local sessions (upgraded {UpgradesSessions})" : "")
        + (Reconfigs ? $", reconfigurations with {Spares} servers to spare" : "");
}
