using System.Globalization;
using SharpKeeper.Core.Zab;

namespace SharpKeeper.Simulation;

/// <summary>A planted bug and the runs that are to find it.</summary>
/// <param name="Bug">The mistake.</param>
/// <param name="Issue">The number of ZooKeeper's issue that it stands for; 0 for none.</param>
/// <param name="Kinds">Kinds of fault that bring it about; null for what the seeds choose.</param>
internal sealed record Mutation(PlantedBug Bug, int Issue = 0, string? Kinds = null)
{
    /// <summary>What is played to find it; null if runs of faults do.</summary>
    public Scenario? Scenario { get; init; }

    /// <summary>Does it take learners that need snapshots?</summary>
    public bool NeedsSnapshots { get; init; }

    /// <summary>Does it take clients that only read?</summary>
    public bool HasReaders { get; init; }

    /// <summary>Does it take servers that are added and removed?</summary>
    public bool HasReconfigs { get; init; }

    /// <summary>Number of voters, where it matters.</summary>
    public int Servers { get; init; }

    /// <summary>The run of a seed, with the bug or without.</summary>
    public RunOptions Options(ulong seed, bool isPlanted) => new()
    {
        Seed = seed,
        Servers = Scenario is null ? Servers : 3,
        Clients = Scenario is null ? 0 : 3,
        Scenario = Scenario,
        Bugs = isPlanted ? Bug : PlantedBug.None,
        Observers = Scenario is not null ? 0 : Bug == PlantedBug.CountObservers ? 2 : -1,
        Kinds = Kinds?.Split(' '),
        NeedsSnapshots = NeedsSnapshots,
        HasReaders = HasReaders,
        Reconfigs = HasReconfigs,
        Groups = false,
        LocalSessions = false,
    };
}

/// <summary>In how many seeds each planted bug is found: this shows that the checkers can fail.</summary>
internal static class MutationTable
{
    /// <summary>Seeds after which a bug counts as not found.</summary>
    public const int SeedsMax = 60;

    /// <summary>How often each scenario is played, with another timing each time.</summary>
    public const int PlaysMax = 10;

    /// <summary>All of them.</summary>
    public static IReadOnlyList<Mutation> All { get; } =
    [
        new(PlantedBug.AckBeforeDurable),
        new(PlantedBug.CommitWithoutQuorum),
        new(PlantedBug.ForgetCurrentEpoch),
        new(PlantedBug.ForgetAcceptedEpoch),
        new(PlantedBug.AcceptOldLeader) { Scenario = ScenarioTable.LateProposals },
        new(PlantedBug.KeepTruncated),
        new(PlantedBug.CountObservers),
        new(PlantedBug.AckNewLeaderBeforeDurable, 3911) { Scenario = ScenarioTable.SlowLogBeforeNewLeader },
        new(PlantedBug.LogAfterNewLeader) { Scenario = ScenarioTable.SlowLogBeforeNewLeader },
        new(PlantedBug.LogDuringNewLeader, 4785) { Scenario = ScenarioTable.SlowLogBeforeNewLeader },
        new(PlantedBug.EpochBeforeData, 4646) { Scenario = ScenarioTable.SlowLogBeforeNewLeader },
        new(PlantedBug.PartialSnapshotInstall, 3642) { Scenario = ScenarioTable.PowerLossBehindSnapshot },
        new(PlantedBug.NewLeaderBeforeSync, 3104) { Scenario = ScenarioTable.SlowLogBeforeNewLeader },
        new(PlantedBug.KeepUncommittedInTree, 2845) { Scenario = ScenarioTable.CutOffTail },
        new(PlantedBug.HoleInHistory, 4925) { Scenario = ScenarioTable.DiffBehindDiff },
        new(PlantedBug.UsePartialSnapshot) { Scenario = ScenarioTable.LinkEndsBehindSnapshot },
        new(PlantedBug.CreateWhileClosing, 4837) { Scenario = ScenarioTable.CreateBehindClose },
        new(PlantedBug.EmptyTreeWithoutSnapshot, 2325) { Scenario = ScenarioTable.LostSnapshots },
        new(PlantedBug.ForgetFailedWrite, 4882) { Scenario = ScenarioTable.FullDiskForAWhile },
        new(PlantedBug.LeadWithoutQuorum),
        new(PlantedBug.SyncWithoutQuorum, 0, "slow-clock-cut-off") { Servers = 3, HasReaders = true },
        new(PlantedBug.DropInheritedTail),
        new(PlantedBug.IgnoreTouches) { Scenario = ScenarioTable.OnlyPings },
        new(PlantedBug.ReuseEpoch) { Scenario = ScenarioTable.PromisesOnly },
        new(PlantedBug.ForgetNextConfig) { HasReconfigs = true },
        new(PlantedBug.CountNewConfigOnly) { HasReconfigs = true },
        new(PlantedBug.ActivateAtProposal) { HasReconfigs = true },
    ];

    /// <summary>
    /// The first run in which a bug is found that goes well without it; null if none of so many seeds finds it.
    /// </summary>
    public static RunReport? Find(Mutation mutation, ulong first, int seeds)
    {
        for (ulong seed = first; seed < first + (ulong)seeds; seed++)
        {
            RunReport report = Simulation.Run(mutation.Options(seed, isPlanted: true));
            if (IsFound(report) && Simulation.Run(mutation.Options(seed, isPlanted: false)).Failure is null)
                return report;
        }
        return null;
    }

    /// <summary>Has a checker found a bug? A scenario that could not be played to its end shows none.</summary>
    public static bool IsFound(RunReport report) => report.Failure is { } failure && failure.Checker != Stage.Stuck;

    /// <summary>Prints the table of some, or of all; the exit code says whether all were found.</summary>
    public static int Print(string names, ulong first)
    {
        int missed = 0;
        foreach (Mutation mutation in All.Where(it => names.Length == 0
            || names.Split(',').Contains(it.Bug.ToString())))
        {
            bool isFound = mutation.Scenario is null ? PrintSeed(mutation, first) : PrintScenario(mutation, first);
            missed += isFound ? 0 : 1;
        }
        return missed > 0 ? 1 : 0;
    }

    private static bool PrintSeed(Mutation mutation, ulong first)
    {
        RunReport? found = Find(mutation, first, SeedsMax);
        string seed = found?.Options.Seed.ToString(CultureInfo.InvariantCulture) ?? $"not in {SeedsMax}";
        Console.WriteLine($"| {mutation.Bug} | {seed} | {found?.Failure!.Checker} | {mutation.Kinds ?? "any"} |");
        return found is not null;
    }

    private static bool PrintScenario(Mutation mutation, ulong first)
    {
        RunReport[] planted = Play(mutation, first, isPlanted: true);
        RunReport[] sound = Play(mutation, first, isPlanted: false);
        int found = planted.Count(IsFound);
        int failed = sound.Count(static report => report.Failure is not null);
        string checkers = string.Join(", ", planted.Select(static report => report.Failure?.Checker ?? "none").Distinct());
        Console.WriteLine($"| {mutation.Bug} | {found} of {PlaysMax} | {checkers} | {mutation.Scenario!.Name} |"
            + (failed == 0 ? "" : $" fails {failed} times without it: "
                + sound.First(static report => report.Failure is not null).Failure!.Message));
        return found == PlaysMax && failed == 0;
    }

    /// <summary>The runs of a scenario, each with another timing.</summary>
    public static RunReport[] Play(Mutation mutation, ulong first, bool isPlanted) =>
        [.. Enumerable.Range(0, PlaysMax).Select(number =>
            Simulation.Run(mutation.Options(first + (ulong)number, isPlanted)))];
}
