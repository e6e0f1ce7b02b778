using System.Globalization;

namespace SharpKeeper.Simulation;

/// <summary>One fault of a run's schedule.</summary>
/// <param name="Number">Its place in the schedule of the seed.</param>
/// <param name="Kind">What kind it is.</param>
/// <param name="AtMs">Virtual time at which it happens.</param>
/// <param name="LastsMs">How long it lasts, where it does.</param>
/// <param name="Choice">Decides everything else about it.</param>
internal sealed record Fault(int Number, FaultKind Kind, int AtMs, int LastsMs, ulong Choice)
{
    /// <summary>The fault as a word: kind, time, duration and choice.</summary>
    public string Word => string.Create(CultureInfo.InvariantCulture, $"{Kind.Name}@{AtMs}+{LastsMs}:{Choice:x}");

    /// <summary>Reads a word; null if it is none, or of no kind there is.</summary>
    public static Fault? Parse(string word, int number)
    {
        string[] parts = word.Split('@', '+', ':');
        FaultKind? kind = FaultTable.All.FirstOrDefault(kind => kind.Name == parts[0]);
        return parts.Length == 4 && kind is not null
            && int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out int at)
            && int.TryParse(parts[2], NumberStyles.None, CultureInfo.InvariantCulture, out int lasts)
            && ulong.TryParse(parts[3], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out ulong choice)
            ? new Fault(number, kind, at, lasts, choice)
            : null;
    }

    /// <inheritdoc/>
    public override string ToString() => $"#{Number} {AtMs} ms {Kind.Name} ({LastsMs} ms)";
}

/// <summary>A kind of fault that the simulator can inject.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Area">What it strikes.</param>
/// <param name="How">How it is injected.</param>
/// <param name="Inject">Injects it.</param>
internal sealed record FaultKind(string Name, string Area, string How, Action<FaultContext> Inject)
{
    /// <summary>Does it make sense for a server that stands alone?</summary>
    public bool IsForOne { get; init; }

    /// <summary>How often it is chosen, compared with others.</summary>
    public int Weight { get; init; } = 2;
}

/// <summary>What a fault needs to be injected.</summary>
internal sealed class FaultContext(World world, Fault fault)
{
    /// <summary>The world.</summary>
    public World World => world;

    /// <summary>The fault.</summary>
    public Fault Fault => fault;

    /// <summary>Its choices.</summary>
    public SimRandom Random { get; } = new(fault.Choice);

    /// <summary>How long it lasts, microseconds.</summary>
    public long LastsUs => fault.LastsMs * 1000L;

    /// <summary>The network.</summary>
    public Network Network => world.Network;

    /// <summary>Numbers of all servers.</summary>
    public IReadOnlyList<int> Everybody { get; } = [.. world.Servers.Select(static server => server.Id)];

    /// <summary>Any server.</summary>
    public SimServer AnyServer() => Random.Pick(world.Servers);

    /// <summary>The server that leads, or else any.</summary>
    public SimServer Leader() => world.FindLeader() ?? AnyServer();

    /// <summary>A server that does not lead, if there is one.</summary>
    public SimServer Follower()
    {
        SimServer? leader = world.FindLeader();
        SimServer[] others = [.. world.Servers.Where(server => server != leader)];
        return others.Length == 0 ? world.Servers[0] : Random.Pick(others);
    }

    /// <summary>Any client.</summary>
    public SimClient AnyClient() => Random.Pick(world.Clients);

    /// <summary>Some of the voters, so many.</summary>
    public List<int> SomeVoters(int count)
    {
        List<int> voters = [.. world.VoterIds];
        Random.Shuffle(voters);
        return voters[..Math.Clamp(count, 0, voters.Count)];
    }

    /// <summary>A number of voters that is less than a quorum, at least one.</summary>
    public int MinorityCount => Math.Max(1, (world.VoterIds.Count - 1) / 2);

    /// <summary>Does something when the fault is over; not once all faults have been ended.</summary>
    public void AtEnd(Action action) => AfterUs(LastsUs, action);

    /// <summary>Does something later; not once all faults have been ended.</summary>
    public void AfterUs(long us, Action action) => world.Scheduler.After(us, () =>
    {
        if (!world.AreFaultsOver)
            action();
    });

    /// <summary>Cuts one way until the fault is over.</summary>
    public void Cut(int from, int to)
    {
        Network.Cut(from, to);
        AtEnd(() => Network.Heal(from, to));
    }

    /// <summary>Cuts both ways until the fault is over.</summary>
    public void CutBoth(int a, int b)
    {
        Cut(a, b);
        Cut(b, a);
    }

    /// <summary>Cuts one way for a kind of connection until the fault is over.</summary>
    public void Cut(WireKind kind, int from, int to)
    {
        Network.Cut(kind, from, to);
        AtEnd(() => Network.Heal(kind, from, to));
    }

    /// <summary>Cuts two groups of servers from each other.</summary>
    public void Split(IReadOnlyList<int> group)
    {
        foreach (int inside in group)
        {
            foreach (int outside in Everybody)
            {
                if (!group.Contains(outside))
                    CutBoth(inside, outside);
            }
        }
        MaybeBreak();
    }

    /// <summary>In some cases connections that are cut break, each end at its time.</summary>
    public void MaybeBreak()
    {
        if (Random.PerMille(500))
            AfterUs(Random.Between(0, LastsUs), () => Network.BreakCut(Random.Between(1, 2_000_000)));
    }

    /// <summary>Ends a server and starts it again when the fault is over.</summary>
    public void Crash(SimServer server, bool losesPower, bool isSilent = false)
    {
        server.Crash(losesPower, isSilent);
        world.Scheduler.After(LastsUs, server.Start);
    }

    /// <summary>
    /// Has a server crash in the middle of some work with its disk; at the end of the fault at the latest.
    /// </summary>
    public void CrashDuring(SimServer server, DiskWork work, int operationsMax)
    {
        server.Disk.CrashWork = work;
        server.Disk.CrashAfterOps = Random.Between(0, operationsMax);
        AtEnd(() => server.Disk.CrashAfterOps = -1);
    }
}
