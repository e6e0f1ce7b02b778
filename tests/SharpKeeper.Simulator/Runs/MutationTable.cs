using System.Globalization;
using SharpKeeper.Core.Zab;

namespace SharpKeeper.Simulation;

/// <summary>In how many seeds each planted bug is found: this shows that the checkers can fail.</summary>
internal static class MutationTable
{
    /// <summary>Seeds after which a bug counts as not found.</summary>
    public const int SeedsMax = 200;

    /// <summary>The first seed in which a bug is found; null if none of the first <paramref name="seeds"/> finds it.</summary>
    public static RunReport? Find(PlantedBug bug, int seeds)
    {
        for (ulong seed = 1; seed <= (ulong)seeds; seed++)
        {
            RunReport report = Simulation.Run(new RunOptions { Seed = seed, Bugs = bug });
            if (report.Failure is not null)
                return report;
        }
        return null;
    }

    /// <summary>Prints the table; the exit code says whether all were found.</summary>
    public static int Print()
    {
        int missed = 0;
        foreach (PlantedBug bug in Enum.GetValues<PlantedBug>().Where(static bug => bug != PlantedBug.None))
        {
            RunReport? found = Find(bug, SeedsMax);
            missed += found is null ? 1 : 0;
            string seeds = found?.Options.Seed.ToString(CultureInfo.InvariantCulture) ?? "not found";
            Console.WriteLine($"| {bug} | {seeds} | {found?.Failure!.Checker ?? ""} |");
        }
        return missed > 0 ? 1 : 0;
    }
}
