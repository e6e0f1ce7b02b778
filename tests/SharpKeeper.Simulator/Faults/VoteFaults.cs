namespace SharpKeeper.Simulation;

/// <summary>Faults of the messages of elections.</summary>
internal static class VoteFaults
{
    public static IReadOnlyList<FaultKind> All { get; } =
    [
        Kind("votes-lost", "some votes never arrive", Lose),
        Kind("votes-doubled", "some votes arrive twice, the second time late", Double),
        Kind("votes-late", "votes are late, each by another time, so that old ones arrive after new ones", Delay),
        Kind("votes-resent", "connections for votes break, and the last vote is sent again on the new ones",
            c => c.Network.Break(wire => wire.Kind == WireKind.Election)),
        Kind("election-again", "the leader's links break while votes are lost", BreakAndLose),
    ];

    private static FaultKind Kind(string name, string how, Action<FaultContext> inject) =>
        new(name, "votes", how, inject);

    private static void Lose(FaultContext c)
    {
        c.World.Elections.LossPerMille = c.Random.Between(50, 600);
        c.AtEnd(() => c.World.Elections.LossPerMille = 0);
    }

    private static void Double(FaultContext c)
    {
        c.World.Elections.DuplicatesPerMille = c.Random.Between(100, 800);
        c.AtEnd(() => c.World.Elections.DuplicatesPerMille = 0);
    }

    private static void Delay(FaultContext c)
    {
        c.World.Elections.LatenessUs = c.Random.Skewed(5_000, 1_000_000);
        c.AtEnd(() => c.World.Elections.LatenessUs = 0);
    }

    private static void BreakAndLose(FaultContext c)
    {
        Lose(c);
        int leader = c.Leader().Id;
        c.Network.Break(wire => wire.Kind == WireKind.Quorum && wire.Nodes.Contains(leader));
    }
}
