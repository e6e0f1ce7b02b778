namespace SharpKeeper.Simulation;

/// <summary>
/// The connections between servers on which votes go: at most one for each pair, the newest message instead of one that
/// could not be sent, and the last message again on a new connection.
/// </summary>
internal sealed class ElectionWires
{
    private sealed class Line
    {
        /// <summary>The newest message, sent or not.</summary>
        public byte[]? Last { get; set; }

        /// <summary>Has it been handed to a connection?</summary>
        public bool IsSent { get; set; }
    }

    private readonly World world;
    private readonly SimRandom random;
    private readonly Dictionary<(int From, int To), Line> lines = [];
    private readonly Dictionary<(int Low, int High), Wire> wires = [];
    private readonly HashSet<(int From, int To)> connecting = [];

    public ElectionWires(World world)
    {
        this.world = world;
        random = SimRandom.For(world.Options.Seed, "election");
    }

    /// <summary>So many of a thousand votes get lost.</summary>
    public int LossPerMille { get; set; }

    /// <summary>So many of a thousand votes arrive twice, the second time late.</summary>
    public int DuplicatesPerMille { get; set; }

    /// <summary>Every vote takes up to so much longer, each by itself.</summary>
    public long LatenessUs { get; set; }

    /// <summary>A server sends a vote.</summary>
    public void Send(int from, int to, byte[] payload)
    {
        Line line = LineOf(from, to);
        line.Last = payload;
        line.IsSent = false;
        if (wires.TryGetValue(PairOf(from, to), out Wire? wire))
            Flush(wire, from, to);
        else
            Connect(from, to);
    }

    /// <summary>A server runs.</summary>
    public void ServerStarted(SimServer server)
    {
    }

    /// <summary>A server has ended: it remembers nothing.</summary>
    public void ServerEnded(SimServer server)
    {
        foreach ((int From, int To) key in lines.Keys.ToArray())
        {
            if (key.From == server.Id)
                lines.Remove(key);
        }
        connecting.RemoveWhere(pair => pair.From == server.Id);
        foreach ((int Low, int High) pair in wires.Keys.ToArray())
        {
            if (pair.Low == server.Id || pair.High == server.Id)
                wires.Remove(pair);
        }
    }

    private static (int Low, int High) PairOf(int a, int b) => a < b ? (a, b) : (b, a);

    private Line LineOf(int from, int to)
    {
        if (!lines.TryGetValue((from, to), out Line? line))
            lines.Add((from, to), line = new Line());
        return line;
    }

    private void Flush(Wire wire, int from, int to)
    {
        Line line = LineOf(from, to);
        if (line.IsSent || line.Last is null)
            return;
        int end = wire.EndOf(from);
        if (wire.IsHeldBack(end))
        {
            world.Scheduler.After(50_000, () => FlushAgain(wire, from, to));
            return;
        }
        line.IsSent = true;
        if (random.PerMille(LossPerMille))
            return;
        byte[] payload = line.Last;
        if (LatenessUs > 0)
            world.Scheduler.After(random.Between(0, LatenessUs), () => wire.Send(end, payload));
        else
            wire.Send(end, payload);
        if (random.PerMille(DuplicatesPerMille))
            world.Scheduler.After(random.Between(1_000, 400_000), () => wire.Send(end, payload));
    }

    private void FlushAgain(Wire wire, int from, int to)
    {
        if (wires.TryGetValue(PairOf(from, to), out Wire? present) && present == wire)
            Flush(wire, from, to);
    }

    private void Connect(int from, int to)
    {
        if (!connecting.Add((from, to)))
            return;
        bool isRefused = world.FindServer(to) is not { IsUp: true };
        bool isReachable = world.Network.IsReachable(WireKind.Election, from, to);
        long delay = isReachable ? random.Between(200, 3_000) : 1_000_000;
        SimServer origin = world.FindServer(from)!;
        int life = origin.Starts;
        world.Scheduler.After(delay, () =>
        {
            if (origin.Starts != life || !connecting.Remove((from, to)))
                return;
            bool canMeet = world.FindServer(to) is { IsUp: true } && !isRefused
                && world.Network.IsReachable(WireKind.Election, from, to);
            if (wires.ContainsKey(PairOf(from, to)))
                return;
            if (canMeet)
                Meet(from, to);
            else if (origin.IsUp)
                origin.VoteLinkChanged(to, isUp: false);
        });
    }

    private void Meet(int from, int to)
    {
        Wire wire = world.Network.Connect(WireKind.Election, from, to);
        wires[PairOf(from, to)] = wire;
        Attach(wire, from, to);
        Attach(wire, to, from);
        foreach ((int a, int b) in new[] { (from, to), (to, from) })
        {
            // The last message is sent again, however old it is.
            LineOf(a, b).IsSent = false;
            world.FindServer(a)!.VoteLinkChanged(b, isUp: true);
            if (wires.GetValueOrDefault(PairOf(a, b)) == wire)
                Flush(wire, a, b);
        }
    }

    private void Attach(Wire wire, int node, int other)
    {
        int end = wire.EndOf(node);
        SimServer server = world.FindServer(node)!;
        wire.Received[end] = payload => server.VoteReceived(other, payload);
        wire.Closed[end] = () =>
        {
            if (wires.GetValueOrDefault(PairOf(node, other)) == wire)
            {
                wires.Remove(PairOf(node, other));
                wire.Close(1 - end);
                world.FindServer(other)!.VoteLinkChanged(node, isUp: false);
            }
            server.VoteLinkChanged(other, isUp: false);
        };
    }
}
