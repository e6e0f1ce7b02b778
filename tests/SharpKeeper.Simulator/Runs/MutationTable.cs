using System.Globalization;
using SharpKeeper.Core.Zab;

namespace SharpKeeper.Simulation;

/// <summary>A planted bug and the runs that are to find it.</summary>
/// <param name="Bug">The mistake.</param>
/// <param name="Issue">The number of ZooKeeper's issue that it stands for; 0 for none.</param>
/// <param name="Kinds">Kinds of fault that bring it about; null for what the seeds choose.</param>
internal sealed record Mutation(PlantedBug Bug, int Issue = 0, string? Kinds = null)
{
    /// <summary>The seed in which it was found first.</summary>
    public ulong Seed { get; init; } = 1;

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
        Servers = Servers,
        Bugs = isPlanted ? Bug : PlantedBug.None,
        Observers = Bug == PlantedBug.CountObservers ? 2 : -1,
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
    public const int SeedsMax = 120;

    /// <summary>All of them.</summary>
    public static IReadOnlyList<Mutation> All { get; } =
    [
        new(PlantedBug.AckBeforeDurable),
        new(PlantedBug.CommitWithoutQuorum),
        new(PlantedBug.ForgetCurrentEpoch) { Seed = 17 },
        new(PlantedBug.ForgetAcceptedEpoch),
        new(PlantedBug.AcceptOldLeader) { Seed = 2 },
        new(PlantedBug.KeepTruncated) { Seed = 2 },
        new(PlantedBug.CountObservers) { Seed = 5 },
        new(PlantedBug.AckNewLeaderBeforeDurable, 3911) { Seed = 2 },
        new(PlantedBug.LogAfterNewLeader),
        new(PlantedBug.LogDuringNewLeader, 4785) { Seed = 2 },
        new(PlantedBug.EpochBeforeData, 4646) { Seed = 2 },
        new(PlantedBug.PartialSnapshotInstall, 3642),
        new(PlantedBug.NewLeaderBeforeSync, 3104),
        new(PlantedBug.KeepUncommittedInTree, 2845, "stranded-leader") { Servers = 3, Seed = 26 },
        new(PlantedBug.HoleInHistory, 4925, "kill kill-leader quick-restart burst")
        {
            NeedsSnapshots = true, Servers = 3, Seed = 46,
        },
        new(PlantedBug.UsePartialSnapshot, 0, "break-on-snapshot kill-leader quick-restart")
        {
            NeedsSnapshots = true, Servers = 3, Seed = 105,
        },
        new(PlantedBug.CreateWhileClosing, 4837) { Seed = 3 },
        new(PlantedBug.EmptyTreeWithoutSnapshot, 2325, "snapshots-lost kill kill-leader") { Servers = 3 },
        new(PlantedBug.ForgetFailedWrite, 4882) { Seed = 5 },
        new(PlantedBug.LeadWithoutQuorum) { Seed = 2 },
        new(PlantedBug.SyncWithoutQuorum, 0, "slow-clock-cut-off") { Servers = 3, HasReaders = true, Seed = 2 },
        new(PlantedBug.DropInheritedTail) { Seed = 2 },
        new(PlantedBug.IgnoreTouches),
        new(PlantedBug.ForgetNextConfig) { HasReconfigs = true, Seed = 10 },
        new(PlantedBug.CountNewConfigOnly) { HasReconfigs = true },
        new(PlantedBug.ActivateAtProposal) { HasReconfigs = true },
    ];

    /// <summary>
    /// The first run in which a bug is found that goes well without it; null if none of the first seeds finds it.
    /// </summary>
    public static RunReport? Find(Mutation mutation, int seeds)
    {
        for (ulong seed = 1; seed <= (ulong)seeds; seed++)
        {
            if (TrySeed(mutation, seed) is { } report)
                return report;
        }
        return null;
    }

    /// <summary>The run of a seed if it finds the bug and goes well without it; else null.</summary>
    public static RunReport? TrySeed(Mutation mutation, ulong seed)
    {
        RunReport report = Simulation.Run(mutation.Options(seed, isPlanted: true));
        return report.Failure is not null && Simulation.Run(mutation.Options(seed, isPlanted: false)).Failure is null
            ? report
            : null;
    }

    /// <summary>Prints the table of some, or of all; the exit code says whether all were found.</summary>
    public static int Print(string names)
    {
        int missed = 0;
        foreach (Mutation mutation in All.Where(it => names.Length == 0
            || names.Split(',').Contains(it.Bug.ToString())))
        {
            RunReport? found = Find(mutation, SeedsMax);
            missed += found is null ? 1 : 0;
            string seeds = found?.Options.Seed.ToString(CultureInfo.InvariantCulture) ?? $"not in {SeedsMax}";
            string issue = mutation.Issue > 0 ? $"ZOOKEEPER-{mutation.Issue}" : "";
            Console.WriteLine($"| {mutation.Bug} | {issue} | {seeds} | {found?.Failure!.Checker} | "
            + $"{mutation.Kinds ?? "any"} |");
        }
        return missed > 0 ? 1 : 0;
    }
}
