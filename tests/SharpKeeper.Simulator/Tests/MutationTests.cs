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
        RunReport failing = Simulation.Run(new RunOptions { Seed = 2, Bugs = PlantedBug.KeepTruncated });
        Assert.NotNull(failing.Failure);
        RunReport smallest = Shrinker.Shrink(failing, runsMax: 40);
        Assert.True(smallest.Faults.Count < failing.Faults.Count);
        Fault[] schedule = [.. smallest.Faults.Select(static (fault, number) => Fault.Parse(fault.Word, number)!)];
        RunReport again = Simulation.Run(new RunOptions
        {
            Seed = 2,
            Bugs = PlantedBug.KeepTruncated,
            Schedule = schedule,
        });
        Assert.Equal(smallest.Failure!.Message, again.Failure?.Message);
        Assert.Equal(smallest.Fingerprint, again.Fingerprint);
    }

    // The seed that found it last comes first; a change of the code may have moved it.
    private static void Find(Mutation mutation)
    {
        RunReport? found = MutationTable.TrySeed(mutation, mutation.Seed)
            ?? MutationTable.Find(mutation, MutationTable.SeedsMax);
        Assert.True(found is not null, $"{mutation.Bug} is not found in {MutationTable.SeedsMax} seeds");
    }
}
