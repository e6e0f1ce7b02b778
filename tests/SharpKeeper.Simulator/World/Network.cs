namespace SharpKeeper.Simulation;

/// <summary>
/// The network between servers and clients: which way is cut, how long bytes take, and all connections there are.
/// Servers are nodes 1 and up, clients 1000 and up.
/// </summary>
internal sealed class Network
{
    /// <summary>Node number of the first client.</summary>
    public const int FirstClient = 1000;

    private const int UsualDelayUs = 150;

    private readonly SimRandom random;
    private readonly HashSet<(int From, int To)> cuts = [];
    private readonly HashSet<(WireKind Kind, int From, int To)> kindCuts = [];
    private readonly Dictionary<(int From, int To), long> extraDelays = [];
    private readonly List<Wire> wires = [];

    public Network(Scheduler scheduler, SimRandom random)
    {
        Scheduler = scheduler;
        this.random = random;
    }

    /// <summary>Virtual time.</summary>
    public Scheduler Scheduler { get; }

    /// <summary>All connections that at least one end believes in.</summary>
    public IReadOnlyList<Wire> Wires => wires;

    /// <summary>Extra delay of every message, microseconds at most.</summary>
    public long JitterUs { get; set; }

    /// <summary>Is a way cut for a kind of connection?</summary>
    public bool IsCut(WireKind kind, int from, int to) =>
        (cuts.Count > 0 && cuts.Contains((from, to))) || (kindCuts.Count > 0 && kindCuts.Contains((kind, from, to)));

    /// <summary>Does nothing get through from an end of a connection?</summary>
    public bool IsCut(Wire wire, int from) =>
        wire.IsSilent || IsCut(wire.Kind, wire.Nodes[from], wire.Nodes[1 - from]);

    /// <summary>Can a connection be made between two nodes?</summary>
    public bool IsReachable(WireKind kind, int from, int to) => !IsCut(kind, from, to) && !IsCut(kind, to, from);

    /// <summary>Cuts one way for everything.</summary>
    public void Cut(int from, int to) => cuts.Add((from, to));

    /// <summary>Cuts one way for a kind of connection.</summary>
    public void Cut(WireKind kind, int from, int to) => kindCuts.Add((kind, from, to));

    /// <summary>Heals one way.</summary>
    public void Heal(int from, int to)
    {
        if (cuts.Remove((from, to)))
            Resume();
    }

    /// <summary>Heals one way for a kind of connection.</summary>
    public void Heal(WireKind kind, int from, int to)
    {
        if (kindCuts.Remove((kind, from, to)))
            Resume();
    }

    /// <summary>Heals everything and takes all delays back.</summary>
    public void HealAll()
    {
        cuts.Clear();
        kindCuts.Clear();
        extraDelays.Clear();
        JitterUs = 0;
        Resume();
    }

    /// <summary>Makes one way slower; 0 takes that back.</summary>
    public void Slow(int from, int to, long extraUs)
    {
        if (extraUs == 0)
            extraDelays.Remove((from, to));
        else
            extraDelays[(from, to)] = extraUs;
    }

    /// <summary>How long what an end sends now is on its way.</summary>
    public long DelayUs(Wire wire, int end)
    {
        long delay = (UsualDelayUs / 2) + random.Below(UsualDelayUs);
        if (random.PerMille(5))
            delay += random.Below(20_000);
        if (JitterUs > 0)
            delay += random.Between(0, JitterUs);
        if (extraDelays.Count > 0 && extraDelays.TryGetValue((wire.Nodes[end], wire.Nodes[1 - end]), out long extra))
            delay += (extra / 2) + random.Between(0, extra / 2);
        return delay;
    }

    /// <summary>Makes a connection.</summary>
    public Wire Connect(WireKind kind, int first, int second)
    {
        var wire = new Wire(this, kind, first, second);
        wires.Add(wire);
        return wire;
    }

    /// <summary>Nobody believes in a connection any more.</summary>
    public void Forget(Wire wire) => wires.Remove(wire);

    /// <summary>Breaks connections.</summary>
    public void Break(Func<Wire, bool> which)
    {
        foreach (Wire wire in wires.Where(which).ToArray())
            wire.Break(random.Between(0, 5_000), random.Between(0, 5_000));
    }

    /// <summary>Breaks connections that are cut, some at one end long before the other.</summary>
    public void BreakCut(long withinUs)
    {
        foreach (Wire wire in wires.Where(wire => IsCut(wire, 0) || IsCut(wire, 1)).ToArray())
            wire.Break(random.Between(0, withinUs), random.Between(0, withinUs));
    }

    /// <summary>A node has ended.</summary>
    public void NodeEnded(int node, bool isSilent)
    {
        foreach (Wire wire in wires.Where(wire => wire.Nodes.Contains(node)).ToArray())
        {
            int end = wire.EndOf(node);
            if (!wire.IsGone[end])
                wire.Abandon(end, isSilent, random.PerMille(500));
        }
    }

    /// <summary>A node is there again: connections from before are refused by it now.</summary>
    public void NodeStarted(int node)
    {
        foreach (Wire wire in wires.Where(wire => wire.Nodes.Contains(node)).ToArray())
            wire.Break(0, random.Between(0, 200_000));
    }

    private void Resume()
    {
        foreach (Wire wire in wires.ToArray())
            wire.Resume();
    }
}
