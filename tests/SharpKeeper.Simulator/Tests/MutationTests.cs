using SharpKeeper.Core.Zab;
using Xunit;

namespace SharpKeeper.Simulation;

/// <summary>Deliberate mistakes must be found, or the checkers prove nothing.</summary>
public class MutationTests
{
    public static TheoryData<string> Bugs() =>
        [.. MutationTable.All.Where(static it => it.Issue == 0).Select(static it => it.Bug.ToString())];

    public static TheoryData<int> Issues() =>
        [.. MutationTable.All.Where(static it => it.Issue != 0).Select(static it => it.Issue)];

    [Theory]
    [MemberData(nameof(Bugs))]
    public void Planted_bug_is_found(string bug) =>
        Find(MutationTable.All.Single(it => it.Bug == Enum.Parse<PlantedBug>(bug)));

    /// <summary>
    /// The ways in which ZooKeeper lost data or let servers differ, by the number of the issue: with the mistake
    /// planted
    /// the run fails, without it the same run goes well.
    /// </summary>
    [Theory]
    [MemberData(nameof(Issues))]
    public void Loss_that_ZooKeeper_had_is_found_if_planted_and_does_not_happen_here(int issue) =>
        Find(MutationTable.All.Single(it => it.Issue == issue));

    [Fact]
    public void Shrinking_keeps_what_fails_and_replays_from_its_words()
    {
        Mutation mutation = MutationTable.All.Single(static it => it.Bug == PlantedBug.KeepTruncated);
        RunReport failing = MutationTable.Find(mutation, 1, MutationTable.SeedsMax)!;
        RunReport smallest = Shrinker.Shrink(failing, runsMax: 8);
        Assert.True(smallest.Faults.Count < failing.Faults.Count);
        Fault[] schedule = [.. smallest.Faults.Select(static (fault, number) => Fault.Parse(fault.Word, number)!)];
        RunReport again = Simulation.Run(failing.Options with { Schedule = schedule });
        Assert.Equal(smallest.Failure!.Message, again.Failure?.Message);
        Assert.Equal(smallest.Fingerprint, again.Fingerprint);
    }

    private static void Find(Mutation mutation)
    {
        if (mutation.Scenario is null)
        {
            RunReport? found = MutationTable.Find(mutation, 1, MutationTable.SeedsMax);
            Assert.True(found is not null, $"{mutation.Bug} is not found in {MutationTable.SeedsMax} seeds");
            return;
        }
        Assert.All(MutationTable.Play(mutation, 1, isPlanted: false),
            static report => Assert.Null(report.Failure?.Message));
        Assert.All(MutationTable.Play(mutation, 1, isPlanted: true), report => Assert.True(
            MutationTable.IsFound(report),
            $"{mutation.Bug} is not found in play {report.Options.Seed}: {report.Failure?.Message ?? "all went well"}"));
    }
}
