using System.Diagnostics;
using System.Globalization;
using SharpKeeper.Core.Zab;

namespace SharpKeeper.Simulation;

/// <summary>What the simulator does when it is run by hand, by CI or overnight.</summary>
internal static class CommandLine
{
    private const int ShrinkRunsMax = 120;

    private const string Usage = """
        usage: dotnet run --project tests/SharpKeeper.Simulator -- WHAT [OPTIONS]
          --seeds A..B       run seeds; the first failing one is shrunk and printed, exit code 1
          --replay SEED      run one seed and print what happens
          --hunt SECONDS     run fresh seeds for so long; their numbers are printed
          --list-faults      the kinds of fault
          --mutations [BUG]  in how many seeds each planted bug is found
        options
          --servers N        1, 3, 5 or 7 voters; the seed chooses otherwise. 1 stands alone
          --observers N      observers; the seed chooses otherwise
          --reconfigs on|off servers are added and removed during the run, or not; the seed chooses otherwise
          --groups on|off    servers have groups and weights, or not; the seed chooses otherwise
          --local-sessions on|off   sessions are local to a server at first, or not; the seed chooses otherwise
          --play BUG         with --replay: the scenario, or the kinds of fault, that find that bug
          --first N          the first seed of --mutations
          --needs-snapshots  learners that were away need a snapshot
          --bug NAME[,NAME]  plant deliberate mistakes
          --faults 3,7,9     only these faults of the seed's schedule; --faults none for no fault
          --faults NAME@AT+LASTS:CHOICE,...   these faults, as a failure prints them
          --keep-going       do not stop at the first failing seed
          --no-shrink        print a failure as it is
        Without any of them the tests run, as 'dotnet test' has them.
        """;

    /// <summary>Are the arguments for the simulator, and not for the test runner?</summary>
    public static bool IsMeant(string[] args) => args.Length > 0
        && args[0] is "--seeds" or "--replay" or "--hunt" or "--list-faults" or "--mutations" or "--usage";

    /// <summary>Runs; the result is the exit code.</summary>
    public static int Run(string[] args)
    {
        if (!TryParse(args, out Dictionary<string, string> flags, out string problem)
            || !TryOptions(flags, out RunOptions options, out problem))
        {
            Console.Error.WriteLine(problem);
            Console.Error.WriteLine(Usage);
            return 2;
        }
        if (flags.ContainsKey("--list-faults"))
            return ListFaults();
        if (flags.ContainsKey("--mutations"))
            return MutationTable.Print(flags["--mutations"],
                ulong.TryParse(flags.GetValueOrDefault("--first"), CultureInfo.InvariantCulture, out ulong from) ? from : 1);
        if (flags.TryGetValue("--replay", out string? seed) && SeedRange.TryParse(seed, out ulong replayed, out _))
            return Replay(options with { Seed = replayed });
        if (flags.TryGetValue("--hunt", out string? seconds)
            && int.TryParse(seconds, NumberStyles.None, CultureInfo.InvariantCulture, out int budget))
            return Hunt(options, TimeSpan.FromSeconds(budget), flags);
        if (flags.TryGetValue("--seeds", out string? range) && SeedRange.TryParse(range, out ulong first,
            out ulong last))
            return RunSeeds(options, first, last, TimeSpan.MaxValue, flags);
        Console.Error.WriteLine(Usage);
        return 2;
    }

    private static bool TryParse(string[] args, out Dictionary<string, string> flags, out string problem)
    {
        flags = [];
        problem = "";
        for (int i = 0; i < args.Length; i++)
        {
            if (!args[i].StartsWith("--", StringComparison.Ordinal))
            {
                problem = $"'{args[i]}' was not expected there.";
                return false;
            }
            bool hasValue = i + 1 < args.Length && !args[i + 1].StartsWith("--", StringComparison.Ordinal);
            flags[args[i]] = hasValue ? args[i + 1] : "";
            i += hasValue ? 1 : 0;
        }
        return true;
    }

    private static bool TryOptions(Dictionary<string, string> flags, out RunOptions options, out string problem)
    {
        options = new RunOptions { Seed = 1 };
        problem = "";
        if (flags.TryGetValue("--servers", out string? servers))
            options = options with { Servers = int.Parse(servers, CultureInfo.InvariantCulture) };
        if (flags.TryGetValue("--observers", out string? observers))
            options = options with { Observers = int.Parse(observers, CultureInfo.InvariantCulture) };
        if (flags.TryGetValue("--reconfigs", out string? reconfigs))
            options = options with { Reconfigs = reconfigs != "off" };
        if (flags.TryGetValue("--groups", out string? groups))
            options = options with { Groups = groups != "off" };
        if (flags.TryGetValue("--local-sessions", out string? local))
            options = options with { LocalSessions = local != "off" };
        options = options with { NeedsSnapshots = flags.ContainsKey("--needs-snapshots") };
        if (flags.TryGetValue("--play", out string? play)
            && MutationTable.All.FirstOrDefault(it => it.Bug.ToString() == play) is { } mutation)
            options = mutation.Options(1, isPlanted: true);
        if (flags.TryGetValue("--faults", out string? faults) && !TryFaults(faults, ref options, out problem))
            return false;
        foreach (string name in flags.GetValueOrDefault("--bug", "").Split(',', StringSplitOptions.RemoveEmptyEntries))
        {
            if (!Enum.TryParse(name, out PlantedBug bug))
            {
                problem = $"There is no bug {name}; there are {string.Join(", ", Enum.GetNames<PlantedBug>())}.";
                return false;
            }
            options = options with { Bugs = options.Bugs | bug };
        }
        return true;
    }

    private static bool TryFaults(string text, ref RunOptions options, out string problem)
    {
        problem = "";
        string[] words = text == "none" ? [] : text.Split(',');
        if (words.All(static word => int.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out _)))
        {
            options = options with
            {
                Faults = [.. words.Select(static word => int.Parse(word,
                CultureInfo.InvariantCulture))]
            };
            return true;
        }
        var schedule = new List<Fault>();
        foreach (string word in words)
        {
            if (Fault.Parse(word, schedule.Count) is not { } fault)
            {
                problem = $"'{word}' is no fault; it must be like isolate-leader@1500+300:1f.";
                return false;
            }
            schedule.Add(fault);
        }
        options = options with { Schedule = schedule };
        return true;
    }

    private static int ListFaults()
    {
        foreach (FaultKind kind in FaultTable.All)
            Console.WriteLine($"{kind.Area,-8} {kind.Name,-30} {kind.How}");
        Console.WriteLine($"{FaultTable.All.Count} kinds of fault");
        return 0;
    }

    private static int Replay(RunOptions options)
    {
        RunReport report = Simulation.Run(options with { IsTraced = true });
        foreach (string line in report.Trace)
            Console.WriteLine(line);
        Console.WriteLine(Reports.Summary(report));
        return report.Failure is null ? 0 : 1;
    }

    private static int Hunt(RunOptions options, TimeSpan budget, Dictionary<string, string> flags)
    {
        ulong first = (ulong)DateTime.UtcNow.Ticks / 10_000 % 1_000_000_000 * 1000;
        Console.WriteLine($"seeds from {first} on");
        return RunSeeds(options, first, first + 1_000_000, budget, flags);
    }

    private static int RunSeeds(
        RunOptions options, ulong first, ulong last, TimeSpan budget, Dictionary<string, string> flags)
    {
        var watch = Stopwatch.StartNew();
        long virtualUs = 0;
        long committed = 0;
        int failed = 0;
        ulong seed = first;
        for (; seed <= last && watch.Elapsed < budget; seed++)
        {
            RunReport report = Simulation.Run(options with { Seed = seed });
            virtualUs += report.VirtualUs;
            committed += report.Committed;
            if (report.Failure is null)
                continue;
            failed++;
            Console.WriteLine(Reports.Failure(flags.ContainsKey("--no-shrink")
                ? report : Shrinker.Shrink(report, ShrinkRunsMax)));
            if (!flags.ContainsKey("--keep-going"))
                break;
        }
        ulong runs = Math.Min(seed, last) - first + (failed > 0 || seed > last ? 1UL : 0);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{runs} seeds from {first}, {failed} failed, {committed} transactions, {virtualUs / 3.6e9:F2} "
            + $"virtual hours in "
            + $"{watch.Elapsed.TotalSeconds:F1} s: {virtualUs / 3.6e9 / watch.Elapsed.TotalMinutes:F2} virtual "
            + $"hours per minute"));
        return failed > 0 ? 1 : 0;
    }
}
