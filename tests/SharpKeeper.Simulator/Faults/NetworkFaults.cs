namespace SharpKeeper.Simulation;

/// <summary>Faults of the network between servers.</summary>
internal static class NetworkFaults
{
    public static IReadOnlyList<FaultKind> All { get; } =
    [
        Kind("isolate-any", "one server is cut off from all others", c => c.Split([c.AnyServer().Id])),
        Kind("isolate-leader", "the leader is cut off from all others", c => c.Split([c.Leader().Id])),
        Kind("split-minority", "a minority of voters is cut off", c => c.Split(c.SomeVoters(c.MinorityCount))),
        Kind("split-majority-without-leader", "a majority that the leader is not in is cut off", SplitMajority),
        Kind("split-to-pieces", "every server is cut off from every other", SplitToPieces),
        Kind("split-three-ways", "three groups, none of which may have a quorum", SplitThreeWays),
        Kind("partial", "two servers cannot reach each other, all others can reach both", PartialCut),
        Kind("partial-to-leader", "a follower cannot reach the leader, both can reach all others",
            c => c.CutBoth(c.Leader().Id, c.Follower().Id)),
        Kind("bridge", "two groups that only one server in the middle can reach", Bridge),
        Kind("ring", "each server reaches its neighbours only", Ring),
        Kind("one-way", "nothing gets from one server to another, the other way works", OneWay),
        Kind("one-way-from-leader", "nothing gets from the leader to a follower", c => c.Cut(c.Leader().Id,
            c.Follower().Id)),
        Kind("one-way-to-leader", "nothing gets from a follower to the leader", c => c.Cut(c.Follower().Id,
            c.Leader().Id)),
        Kind("mute-leader", "nothing gets out of the leader, everything gets in", c => OutOf(c, c.Leader().Id)),
        Kind("deaf-leader", "nothing gets to the leader, everything gets out", c => Into(c, c.Leader().Id)),
        Kind("mute-any", "nothing gets out of a server", c => OutOf(c, c.AnyServer().Id)),
        Kind("deaf-any", "nothing gets to a server", c => Into(c, c.AnyServer().Id)),
        Kind("flap", "a link is cut and healed many times", Flap),
        Kind("flap-leader", "the leader is cut off and back many times", FlapLeader),
        Kind("votes-cut", "votes do not get through between two servers, the quorum port does",
            c => CutKind(c, WireKind.Election)),
        Kind("quorum-port-cut", "the quorum port cannot be reached between two servers, votes get through",
            c => CutKind(c, WireKind.Quorum)),
        Kind("slow-link", "one way between two servers is slow", c => Slow(c, c.AnyServer().Id, c.Follower().Id)),
        Kind("slow-leader-link", "the way from the leader to a follower is slow", c => Slow(c, c.Leader().Id,
            c.Follower().Id)),
        Kind("slow-acks", "the way from a follower to the leader is slow", c => Slow(c, c.Follower().Id,
            c.Leader().Id)),
        Kind("slow-everything", "every message between servers is slow", SlowEverything),
        Kind("jitter", "every message is late by another time, so that links overtake each other", Jitter),
        Kind("break-links", "all connections between two servers break, what is on its way is lost", BreakPair),
        Kind("break-all", "all connections between servers break", c => c.Network.Break(static w =>
            w.Kind != WireKind.Client)),
        Kind("break-leader-links", "all links to the leader's quorum port break", BreakLeaderLinks),
        Kind("half-open", "connections between two servers carry nothing more, and nobody is told", HalfOpen),
        Kind("trickle", "a server's packets to others arrive in small pieces", Trickle),
    ];

    private static FaultKind Kind(string name, string how, Action<FaultContext> inject) =>
        new(name, "network", how, inject);

    private static void SplitMajority(FaultContext c)
    {
        int leader = c.Leader().Id;
        List<int> voters = [.. c.World.VoterIds.Where(id => id != leader)];
        c.Random.Shuffle(voters);
        c.Split(voters[..Math.Min(voters.Count, (c.World.VoterIds.Count / 2) + 1)]);
    }

    private static void SplitToPieces(FaultContext c)
    {
        foreach (int a in c.Everybody)
        {
            foreach (int b in c.Everybody)
            {
                if (a != b)
                    c.Cut(a, b);
            }
        }
        c.MaybeBreak();
    }

    private static void SplitThreeWays(FaultContext c)
    {
        var group = c.Everybody.ToDictionary(static id => id, _ => c.Random.Below(3));
        foreach (int a in c.Everybody)
        {
            foreach (int b in c.Everybody)
            {
                if (group[a] != group[b])
                    c.Cut(a, b);
            }
        }
        c.MaybeBreak();
    }

    private static void PartialCut(FaultContext c)
    {
        int a = c.AnyServer().Id;
        int b = c.AnyServer().Id;
        if (a != b)
            c.CutBoth(a, b);
        c.MaybeBreak();
    }

    private static void Bridge(FaultContext c)
    {
        List<int> all = [.. c.Everybody];
        c.Random.Shuffle(all);
        for (int i = 1; i < all.Count; i++)
        {
            for (int j = i + 1; j < all.Count; j++)
            {
                if (i % 2 != j % 2)
                    c.CutBoth(all[i], all[j]);
            }
        }
    }

    private static void Ring(FaultContext c)
    {
        List<int> all = [.. c.Everybody];
        c.Random.Shuffle(all);
        for (int i = 0; i < all.Count; i++)
        {
            for (int j = i + 2; j < all.Count; j++)
            {
                if (i > 0 || j < all.Count - 1 || all.Count == 3)
                    c.CutBoth(all[i], all[j]);
            }
        }
    }

    private static void OneWay(FaultContext c)
    {
        int a = c.AnyServer().Id;
        int b = c.AnyServer().Id;
        if (a != b)
            c.Cut(a, b);
        c.MaybeBreak();
    }

    private static void OutOf(FaultContext c, int server)
    {
        foreach (int other in c.Everybody)
        {
            if (other != server)
                c.Cut(server, other);
        }
        c.MaybeBreak();
    }

    private static void Into(FaultContext c, int server)
    {
        foreach (int other in c.Everybody)
        {
            if (other != server)
                c.Cut(other, server);
        }
        c.MaybeBreak();
    }

    private static void Flap(FaultContext c)
    {
        int a = c.AnyServer().Id;
        int b = c.Follower().Id;
        if (a != b)
            FlapBetween(c, [(a, b), (b, a)], c.LastsUs);
    }

    private static void FlapLeader(FaultContext c)
    {
        int leader = c.Leader().Id;
        (int, int)[] ways = [.. c.Everybody.Where(id => id != leader).SelectMany(id => new[] { (id, leader), (leader,
            id) })];
        FlapBetween(c, ways, c.LastsUs);
    }

    private static void FlapBetween(FaultContext c, (int From, int To)[] ways, long leftUs)
    {
        if (leftUs <= 0)
            return;
        long cutUs = c.Random.Skewed(5_000, 700_000);
        long healedUs = c.Random.Skewed(5_000, 700_000);
        foreach ((int from, int to) in ways)
            c.Network.Cut(from, to);
        if (c.Random.PerMille(300))
            c.Network.BreakCut(cutUs);
        c.AfterUs(cutUs, () =>
        {
            foreach ((int from, int to) in ways)
                c.Network.Heal(from, to);
            c.AfterUs(healedUs, () => FlapBetween(c, ways, leftUs - cutUs - healedUs));
        });
    }

    private static void CutKind(FaultContext c, WireKind kind)
    {
        int a = c.AnyServer().Id;
        foreach (int b in c.Everybody)
        {
            if (a == b || c.Random.PerMille(300))
                continue;
            c.Cut(kind, a, b);
            c.Cut(kind, b, a);
        }
        c.MaybeBreak();
    }

    private static void Slow(FaultContext c, int from, int to)
    {
        c.Network.Slow(from, to, c.Random.Skewed(5_000, 1_500_000));
        c.AtEnd(() => c.Network.Slow(from, to, 0));
    }

    private static void SlowEverything(FaultContext c)
    {
        long extra = c.Random.Skewed(2_000, 150_000);
        foreach (int a in c.Everybody)
        {
            foreach (int b in c.Everybody)
            {
                c.Network.Slow(a, b, extra);
                c.AtEnd(() => c.Network.Slow(a, b, 0));
            }
        }
    }

    private static void Jitter(FaultContext c)
    {
        c.Network.JitterUs = c.Random.Skewed(2_000, 300_000);
        c.AtEnd(() => c.Network.JitterUs = 0);
    }

    private static void BreakPair(FaultContext c)
    {
        int a = c.AnyServer().Id;
        c.Network.Break(wire => wire.Kind != WireKind.Client && wire.Nodes.Contains(a) && c.Random.PerMille(600));
    }

    private static void BreakLeaderLinks(FaultContext c)
    {
        int leader = c.Leader().Id;
        c.Network.Break(wire => wire.Kind == WireKind.Quorum && wire.Nodes.Contains(leader));
    }

    private static void HalfOpen(FaultContext c)
    {
        int a = c.AnyServer().Id;
        int b = c.Follower().Id;
        Wire[] silent = [.. c.Network.Wires.Where(wire => wire.Nodes.Contains(a) && wire.Nodes.Contains(b) && a != b)];
        foreach (Wire wire in silent)
            wire.IsSilent = true;
        c.World.Scheduler.After(c.LastsUs, () =>
        {
            foreach (Wire wire in silent)
                wire.Break(c.Random.Between(0, 100_000), c.Random.Between(0, 100_000));
        });
    }

    private static void Trickle(FaultContext c)
    {
        SimServer server = c.AnyServer();
        server.PieceBytes = c.Random.Between(1, 40);
        c.AtEnd(() => server.PieceBytes = int.MaxValue);
    }
}
