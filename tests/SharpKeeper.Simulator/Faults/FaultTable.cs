namespace SharpKeeper.Simulation;

/// <summary>Every kind of fault there is, in one table; the documentation counts them from here.</summary>
internal static class FaultTable
{
    /// <summary>All kinds in a fixed order.</summary>
    public static IReadOnlyList<FaultKind> All { get; } =
        [.. NetworkFaults.All, .. VoteFaults.All, .. ProcessFaults.All, .. DiskFaults.All, .. ClientFaults.All,
            .. ReconfigFaults.All];

    /// <summary>The schedule of a seed: kinds chosen for this run, at random times.</summary>
    public static IReadOnlyList<Fault> Schedule(RunOptions options)
    {
        var random = SimRandom.For(options.Seed, "faults");
        List<FaultKind> usable = [.. All.Where(kind => kind.Area != ReconfigFaults.Area
            && (kind.IsForOne || options.Servers != 1))];
        // Few kinds in one run, so that they meet each other often; now and then everything at once.
        random.Shuffle(usable);
        int kinds = random.PerMille(150) ? usable.Count : random.Between(2, 9);
        if (options.Kinds is { } wanted)
        {
            usable = [.. All.Where(kind => wanted.Contains(kind.Name))];
            kinds = usable.Count;
        }
        List<FaultKind> chosen = [.. usable.Take(kinds).SelectMany(static kind => Enumerable.Repeat(kind,
            kind.Weight))];
        int count = random.Between(3, Math.Max(4, options.FaultMs / 1_500));
        var schedule = new List<Fault>();
        for (int i = 0; i < count; i++)
        {
            int at = random.Between(500, options.FaultMs);
            schedule.Add(new Fault(0, random.Pick(chosen), at, (int)random.Skewed(20, 8_000), random.Next()));
        }
        if (options.Kinds is null && new EnsembleSetup(options).Reconfigs)
            AddReconfigs(schedule, options);
        return [.. schedule.OrderBy(static fault => fault.AtMs).Select(static (fault, index) => fault with { Number =
            index })];
    }

    // Beside what the seed chooses anyway, so that reconfigurations meet all other kinds.
    private static void AddReconfigs(List<Fault> schedule, RunOptions options)
    {
        var random = SimRandom.For(options.Seed, "reconfig-faults");
        List<FaultKind> chosen = [.. ReconfigFaults.All];
        random.Shuffle(chosen);
        if (!random.PerMille(300))
            chosen = chosen[..random.Between(2, 6)];
        for (int count = random.Between(2, Math.Max(3, options.FaultMs / 2_000)); count > 0; count--)
        {
            int at = random.Between(1_500, options.FaultMs);
            schedule.Add(new Fault(0, random.Pick(chosen), at, (int)random.Skewed(20, 6_000), random.Next()));
        }
    }
}
