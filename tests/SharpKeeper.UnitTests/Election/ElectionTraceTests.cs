using System.Runtime.CompilerServices;
using SharpKeeper.Core.Zab;
using SharpKeeper.Protocol;

namespace SharpKeeper.ElectionTests;

/// <summary>
/// Golden traces of elections: every message and decision, compared literally. With SHARPKEEPER_REWRITE_TRACES=1 the
/// test writes what happened into the source files instead.
/// </summary>
public class ElectionTraceTests
{
    private static readonly Dictionary<string, Func<ElectionWorld>> Scenarios = new()
    {
        ["election-equal-zxids"] = EqualZxids,
        ["election-late-joiner"] = LateJoiner,
        ["election-stale-round"] = StaleRound,
    };

    public static TheoryData<string> Names() => [.. Scenarios.Keys.Order()];

    [Theory]
    [MemberData(nameof(Names))]
    public void Scenario_goes_as_recorded(string name)
    {
        string actual = Scenarios[name]().Trace;
        if (Environment.GetEnvironmentVariable("SHARPKEEPER_REWRITE_TRACES") == "1")
        {
            File.WriteAllText(Path.Combine(SourceDirectory(), name + ".txt"), actual);
            return;
        }
        string file = Path.Combine(AppContext.BaseDirectory, "testdata", "zab", name + ".txt");
        Assert.Equal(File.ReadAllText(file).ReplaceLineEndings("\n"), actual);
    }

    private static ElectionWorld EqualZxids()
    {
        ElectionWorld world = new(Ensembles.Of(3)) { TellsOfConnections = false };
        world.Comment("Three servers with equal logs. 3 starts last, when 1 and 2 have a quorum for 2 and wait for");
        world.Comment("better votes; its number makes its vote the greatest. Once all three propose it nobody waits.");
        for (int id = 1; id <= 3; id++)
            world.Add(id, zxid: 0x1_0000_0005, epoch: 1);
        world[3].IsRunning = true;
        world.Run(1);
        world.Run(2);
        world.At(50, () => world.Run(3));
        world.RunUntil(1000);
        return world;
    }

    private static ElectionWorld LateJoiner()
    {
        ElectionWorld world = new(Ensembles.Of(5)) { TellsOfConnections = false };
        world.Comment("2, 3 and 4 serve under 4 in epoch 2. They joined it in different rounds, with different logs.");
        world.Comment("5 starts with a log that is longer than theirs, and joins. 1 starts while 4 is unheard: the");
        world.Comment("word of followers alone is not enough.");
        for (int id = 1; id <= 5; id++)
            world.Add(id, zxid: id == 5 ? 0x1_0000_0009 : 0x1_0000_0001, epoch: 1);
        world.RunSettled(2, ServerState.Following, new Vote(new ServerId(4), new Zxid(0x1_0000_0001), 7, 2));
        world.RunSettled(3, ServerState.Following, new Vote(new ServerId(4), new Zxid(0x1_0000_0003), 3, 2));
        world.RunSettled(4, ServerState.Leading, new Vote(new ServerId(4), new Zxid(0x1_0000_0004), 6, 2));
        world.At(10, () => world.Run(5));
        world.At(100, () =>
        {
            world.Cut(1, 4, isCut: true);
            world.Run(1);
        });
        world.At(150, () => world.Cut(1, 4, isCut: false));
        world.RunUntil(1000);
        return world;
    }

    private static ElectionWorld StaleRound()
    {
        ElectionWorld world = new(Ensembles.Of(3)) { TellsOfConnections = false };
        world.Comment("1 and 2 have been through more elections than 3, which was restarted, and 1 through one more");
        world.Comment("than 2. A vote of 3 from an election long ago, when it had the longest log, comes in again and");
        world.Comment("again and counts for nothing.");
        world.Add(1, zxid: 0x2_0000_0004, epoch: 2, roundsBefore: 5);
        world.Add(2, zxid: 0x2_0000_0004, epoch: 2, roundsBefore: 4);
        world.Add(3, zxid: 0x2_0000_0001, epoch: 2);
        byte[] stale = world.PayloadOf(new Vote(new ServerId(3), new Zxid(0x2_0000_0009), 2, 2));
        foreach (long atMs in new[] { 1, 11, 13, 21 })
            world.At(atMs, () => world.DeliverStale(3, 1, stale));
        world.Run(1);
        world.At(10, () => world.Run(2));
        world.At(20, () => world.Run(3));
        world.RunUntil(1000);
        return world;
    }

    private static string SourceDirectory([CallerFilePath] string here = "") =>
        Path.Combine(Path.GetDirectoryName(here)!, "..", "testdata", "zab");
}
