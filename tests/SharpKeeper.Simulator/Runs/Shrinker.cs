namespace SharpKeeper.Simulation;

/// <summary>Finds a small part of a failing seed's schedule that fails in the same way.</summary>
internal static class Shrinker
{
    /// <summary>
    /// Leaves out faults as long as the same checker still fails: halves first, then smaller parts, then single ones.
    /// </summary>
    public static RunReport Shrink(RunReport failing, int runsMax)
    {
        RunReport smallest = failing;
        List<int> kept = [.. failing.Faults.Select(static fault => fault.Number)];
        int parts = 2;
        int runs = 0;
        while (kept.Count > 0 && runs < runsMax)
        {
            bool isSmaller = false;
            int length = Math.Max(1, (kept.Count + parts - 1) / parts);
            for (int start = 0; start < kept.Count && runs < runsMax; start += length)
            {
                List<int> without = [.. kept.Take(start), .. kept.Skip(start + length)];
                RunReport report = Simulation.Run(failing.Options with { Faults = without });
                runs++;
                if (report.Failure?.Checker != failing.Failure!.Checker)
                    continue;
                kept = without;
                smallest = report;
                isSmaller = true;
                parts = Math.Max(2, parts - 1);
                break;
            }
            if (isSmaller)
                continue;
            if (length == 1)
                break;
            parts = Math.Min(kept.Count, parts * 2);
        }
        return smallest;
    }
}
