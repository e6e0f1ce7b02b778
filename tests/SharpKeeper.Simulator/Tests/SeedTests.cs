using System.Globalization;
using Xunit;

namespace SharpKeeper.Simulation;

/// <summary>Seeds that must go well, the same ones on every machine and some that nobody has tried.</summary>
public class SeedTests
{
    private const ulong FixedSeeds = 24;
    private const ulong FreshSeeds = 6;

    public static TheoryData<ulong> Fixed() => [.. Seeds(1, FixedSeeds)];

    public static TheoryData<ulong> Alone() => [.. Seeds(1, 12)];

    /// <summary>Drawn from the time: a failure names the seed, and with it the run can be seen again.</summary>
    public static TheoryData<ulong> Fresh() =>
        [.. Seeds((ulong)DateTime.UtcNow.Ticks / 10_000 % 1_000_000_000 * 1000, FreshSeeds * TestScale.Factor)];

    [Theory]
    [MemberData(nameof(Fixed))]
    public void Ensemble_keeps_its_promises_under_the_faults_of_a_fixed_seed(ulong seed) =>
        Pass(new RunOptions { Seed = seed });

    [Theory]
    [MemberData(nameof(Fresh))]
    public void Ensemble_keeps_its_promises_under_the_faults_of_a_fresh_seed(ulong seed) =>
        Pass(new RunOptions { Seed = seed });

    [Theory]
    [MemberData(nameof(Alone))]
    public void Lone_server_keeps_its_promises(ulong seed) => Pass(new RunOptions { Seed = seed, Servers = 1 });

    [Theory]
    [InlineData(3)]
    [InlineData(5)]
    [InlineData(7)]
    public void Ensemble_without_faults_serves_and_agrees(int servers) =>
        Pass(new RunOptions { Seed = 100, Servers = servers, Faults = [], FaultMs = 5_000 });

    [Theory]
    [InlineData(2)]
    [InlineData(15)]
    public void Same_seed_gives_the_same_run(ulong seed)
    {
        RunReport first = Simulation.Run(new RunOptions { Seed = seed, FaultMs = 15_000 });
        RunReport second = Simulation.Run(new RunOptions { Seed = seed, FaultMs = 15_000 });
        Assert.Equal(
            (first.Fingerprint, first.Steps, first.Committed), (second.Fingerprint, second.Steps, second.Committed));
    }

    [Fact]
    public void Different_seeds_give_different_runs()
    {
        RunReport first = Simulation.Run(new RunOptions { Seed = 2, FaultMs = 2_000 });
        RunReport second = Simulation.Run(new RunOptions { Seed = 3, FaultMs = 2_000 });
        Assert.NotEqual(first.Fingerprint, second.Fingerprint);
    }

    [Fact]
    public void There_are_more_kinds_of_fault_than_the_mark_to_pass()
    {
        Assert.True(FaultTable.All.Count > 42, FaultTable.All.Count.ToString(CultureInfo.InvariantCulture));
        Assert.Equal(FaultTable.All.Count, FaultTable.All.Select(static kind => kind.Name).Distinct().Count());
    }

    internal static void Pass(RunOptions options)
    {
        RunReport report = Simulation.Run(options);
        Assert.True(report.Failure is null, Reports.Failure(report));
    }

    private static IEnumerable<ulong> Seeds(ulong first, ulong count)
    {
        for (ulong i = 0; i < count; i++)
            yield return first + i;
    }
}

/// <summary>How many more random cases the nightly run does.</summary>
internal static class TestScale
{
    /// <summary>1 unless <c>SHARPKEEPER_TEST_SCALE</c> says otherwise.</summary>
    public static uint Factor { get; } = uint.TryParse(
        Environment.GetEnvironmentVariable("SHARPKEEPER_TEST_SCALE"), NumberStyles.None, CultureInfo.InvariantCulture,
        out uint factor) ? Math.Max(factor, 1) : 1;
}
