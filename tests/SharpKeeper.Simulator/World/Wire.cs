using SharpKeeper.Protocol;

namespace SharpKeeper.Simulation;

/// <summary>What a connection is for; faults choose by it.</summary>
internal enum WireKind
{
    Client,
    Election,
    Quorum,
}

/// <summary>
/// A connection as TCP gives it: bytes arrive in order or not at all. A cut holds them back until it heals or the
/// connection breaks.
/// </summary>
internal sealed class Wire
{
    private readonly Network network;
    private readonly Direction[] directions;

    public Wire(Network network, WireKind kind, int first, int second)
    {
        this.network = network;
        Kind = kind;
        Nodes = [first, second];
        directions = [new Direction(this, 0), new Direction(this, 1)];
    }

    /// <summary>What it is for.</summary>
    public WireKind Kind { get; }

    /// <summary>The nodes at its two ends.</summary>
    public int[] Nodes { get; }

    /// <summary>What is done with bytes that arrive at an end.</summary>
    public Action<byte[]>?[] Received { get; } = new Action<byte[]>?[2];

    /// <summary>What is done when an end learns that the connection has gone.</summary>
    public Action?[] Closed { get; } = new Action?[2];

    /// <summary>Has the end closed it, or learnt that it has gone?</summary>
    public bool[] IsGone { get; } = new bool[2];

    /// <summary>Nothing gets through any more, though nobody is told.</summary>
    public bool IsSilent { get; set; }

    /// <summary>The last transaction of which the snapshot that was sent over it last may hold a part.</summary>
    public Zxid SnapshotEnd { get; set; }

    /// <summary>The end at a node.</summary>
    public int EndOf(int node) => Nodes[0] == node ? 0 : 1;

    /// <summary>Is anything held back on the way from an end?</summary>
    public bool IsHeldBack(int end) => directions[end].HoldsBack;

    /// <summary>Sends bytes from an end. They become the wire's.</summary>
    public void Send(int end, byte[] bytes)
    {
        if (IsGone[end])
            return;
        directions[end].Add(bytes, network.DelayUs(this, end));
    }

    /// <summary>An end closes; the other one learns of it after everything sent before.</summary>
    public void Close(int end)
    {
        if (IsGone[end])
            return;
        IsGone[end] = true;
        directions[end].Add(null, network.DelayUs(this, end));
        Retire();
    }

    /// <summary>
    /// The connection breaks: what is on its way is lost, and so is what an end still sends; both ends learn of it, each
    /// at its time.
    /// </summary>
    public void Break(long firstUs, long secondUs)
    {
        IsSilent = true;
        directions[0].Drop();
        directions[1].Drop();
        TellLater(0, firstUs);
        TellLater(1, secondUs);
    }

    /// <summary>An end's node has ended; the other end learns of it by itself, or not at all.</summary>
    public void Abandon(int end, bool isSilent, bool losesWhatIsOnItsWay)
    {
        IsGone[end] = true;
        directions[1 - end].Drop();
        if (losesWhatIsOnItsWay || isSilent)
            directions[end].Drop();
        if (isSilent)
            IsSilent = true;
        else
            directions[end].Add(null, network.DelayUs(this, end));
        Retire();
    }

    /// <summary>Lets go what a cut has held back.</summary>
    public void Resume()
    {
        directions[0].Resume();
        directions[1].Resume();
    }

    private void TellLater(int end, long delayUs) => network.Scheduler.After(delayUs, () => Tell(end));

    private void Tell(int end)
    {
        if (IsGone[end])
            return;
        IsGone[end] = true;
        directions[end].Drop();
        Retire();
        Closed[end]?.Invoke();
    }

    private void Retire()
    {
        if (IsGone[0] && IsGone[1])
            network.Forget(this);
    }

    private sealed class Direction(Wire wire, int from)
    {
        private readonly Queue<(long AtUs, byte[]? Bytes)> items = new();
        private long lastUs;
        private bool isScheduled;
        private int life;

        public bool HoldsBack => items.Count > 0 && wire.network.IsCut(wire, from);

        public void Add(byte[]? bytes, long delayUs)
        {
            lastUs = Math.Max(lastUs, wire.network.Scheduler.NowUs + delayUs);
            items.Enqueue((lastUs, bytes));
            Schedule();
        }

        public void Drop()
        {
            items.Clear();
            life++;
            isScheduled = false;
        }

        public void Resume() => Schedule();

        private void Schedule()
        {
            if (isScheduled || items.Count == 0 || wire.network.IsCut(wire, from))
                return;
            isScheduled = true;
            int born = life;
            wire.network.Scheduler.At(items.Peek().AtUs, () =>
            {
                if (born == life)
                    Deliver();
            });
        }

        private void Deliver()
        {
            isScheduled = false;
            if (items.Count == 0 || wire.network.IsCut(wire, from))
                return;
            byte[]? bytes = items.Dequeue().Bytes;
            Schedule();
            int to = 1 - from;
            if (wire.IsGone[to])
                return;
            if (bytes is null)
                wire.Tell(to);
            else
                wire.Received[to]?.Invoke(bytes);
        }
    }
}
