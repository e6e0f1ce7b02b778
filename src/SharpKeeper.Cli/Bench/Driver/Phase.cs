namespace SharpKeeper.Cli.Bench.Driver;

/// <summary>When a phase ends: after a time, after a number of requests, or when its work is done.</summary>
internal readonly record struct PhaseLimit(TimeSpan? Duration = null, long? Count = null)
{
    /// <summary>Until the work has no more to ask.</summary>
    public static PhaseLimit None => default;
}

/// <summary>What a phase measured.</summary>
/// <param name="Meter">Times and counts.</param>
/// <param name="Elapsed">From the first send to the last reply.</param>
/// <param name="LongestGap">Longest time without a reply on any session while some were due.</param>
/// <param name="BesideMeter">Of the probe, where there was one.</param>
/// <param name="BesideLongestGap">Of the probe.</param>
internal sealed record PhaseResult(
    Meter Meter, TimeSpan Elapsed, TimeSpan LongestGap, Meter? BesideMeter, TimeSpan BesideLongestGap);
