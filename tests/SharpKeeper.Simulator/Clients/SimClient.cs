using SharpKeeper.Protocol;

namespace SharpKeeper.Simulation;

/// <summary>
/// A client as libraries are: it keeps a session over connections to whatever server takes it, sets its watches again,
/// pings, and asks for what its workload wants. Everything is recorded.
/// </summary>
internal sealed partial class SimClient
{
    private readonly World world;
    private readonly SimRandom random;
    private readonly Queue<Operation> outstanding = new();
    private Wire? wire;
    private int attempt;
    private bool isConnected;
    private readonly Queue<byte[]> unread = new();
    private bool isAsleep;
    private int sleeps;
    private int xid;
    private byte[] password = new byte[16];
    private long lastHeardUs;
    private long lastSentUs;

    public SimClient(World world, int number, Workload? workload = null)
    {
        this.world = world;
        Number = number;
        random = SimRandom.For(world.Options.Seed, "client", number);
        Workload = workload ?? new Workload(world, SimRandom.For(world.Options.Seed, "workload", number));
        Workload.Use(this);
    }

    /// <summary>Its number.</summary>
    public int Number { get; }

    /// <summary>What it asks for.</summary>
    public Workload Workload { get; }

    /// <summary>Its node of the network.</summary>
    public int Node => Network.FirstClient + Number;

    /// <summary>The server it is or was connected to.</summary>
    public int Server { get; private set; } = 1;

    /// <summary>The session; 0 for none.</summary>
    public long Session { get; private set; }

    /// <summary>The session's timeout as agreed, milliseconds.</summary>
    public int TimeoutMs { get; private set; }

    /// <summary>The latest transaction that its session has seen in a reply.</summary>
    public Zxid LastSeen { get; private set; }

    /// <summary>Requests without a reply.</summary>
    public int Outstanding => outstanding.Count;

    /// <summary>Is the session established over the present connection?</summary>
    public bool IsConnected => isConnected;

    /// <summary>When the session was established over the present connection.</summary>
    public long ConnectedUs { get; private set; }

    /// <summary>Operations answered so far.</summary>
    public long Answered { get; private set; }

    /// <summary>Sessions that it was told have expired.</summary>
    public int Expirations { get; private set; }

    /// <summary>Begins.</summary>
    public void Start()
    {
        world.Scheduler.After(random.Between(0, 300_000), Connect);
        world.Scheduler.After(random.Between(0, 100_000), Watchdog);
    }

    /// <summary>Does nothing for a while, like a process that is stopped.</summary>
    public void Sleep(long us)
    {
        isAsleep = true;
        int mine = ++sleeps;
        world.Scheduler.After(us, () =>
        {
            if (mine == sleeps)
                WakeUp();
        });
    }

    private void WakeUp()
    {
        isAsleep = false;
        while (unread.TryDequeue(out byte[]? bytes))
            Take(bytes);
    }

    /// <summary>Leaves the session to its fate and begins another one.</summary>
    public void Abandon()
    {
        Drop();
        ForgetSession();
    }

    /// <summary>Goes to another server.</summary>
    public void Move() => Drop();

    /// <summary>Asks for something, if there is a connection.</summary>
    public Operation? Ask(
        OperationKind kind, string path, IReadOnlyList<WritePart>? parts = null, bool isWatched = false,
        Operation? behindSync = null)
    {
        if (!isConnected || wire is null)
            return null;
        var operation = new Operation
        {
            Number = world.History.Count,
            Client = Number,
            Session = Session,
            Xid = ++xid,
            Kind = kind,
            Path = path,
            Parts = parts ?? [],
            IsWatched = isWatched,
            InvokedUs = behindSync?.InvokedUs ?? world.Scheduler.NowUs,
            Floor = behindSync?.Floor ?? world.Observed,
            IsSynced = behindSync is not null,
        };
        world.History.Add(operation);
        outstanding.Enqueue(operation);
        world.Trace(Node, "asks " + operation);
        Send(RequestFrames.Of(operation));
        return operation;
    }

    private void Send(byte[] frame)
    {
        lastSentUs = world.Scheduler.NowUs;
        wire!.Send(0, frame);
    }

    private void Connect()
    {
        if (wire is not null)
            return;
        Server = world.PickServer(random);
        int mine = ++attempt;
        world.Scheduler.After(random.Between(100, 2_000), () => MakeConnection(mine));
    }

    private void MakeConnection(int mine)
    {
        if (mine != attempt || wire is not null)
            return;
        SimServer? target = world.FindServer(Server);
        if (target is not { IsUp: true } || !world.Network.IsReachable(WireKind.Client, Node, Server))
        {
            world.Scheduler.After(random.Between(20_000, 300_000), Connect);
            return;
        }
        wire = world.Network.Connect(WireKind.Client, Node, Server);
        Wire made = wire;
        made.Received[0] = bytes =>
        {
            if (wire == made)
                Take(bytes);
        };
        made.Closed[0] = () =>
        {
            if (wire == made)
                Drop();
        };
        target.Accept(made);
        lastHeardUs = world.Scheduler.NowUs;
        isConnected = false;
        Send(RequestFrames.Connect(new ConnectRequest(
            0, LastSeen.Value, world.Options.SessionTimeoutMs, Session, password, false)));
    }

    private void Drop()
    {
        if (wire is null)
            return;
        wire.Close(0);
        wire = null;
        isConnected = false;
        outstanding.Clear();
        unread.Clear();
        world.Scheduler.After(random.Skewed(1_000, 300_000), Connect);
    }

    private void ForgetSession()
    {
        Session = 0;
        password = new byte[16];
        LastSeen = Zxid.Zero;
        xid = 0;
        watches.Clear();
        Workload.SessionEnded();
    }

    // Every so often: pings, gives up connections that say nothing, and asks for more.
    private void Watchdog()
    {
        world.Scheduler.After(20_000 + random.Between(0, 10_000), Watchdog);
        if (isAsleep || wire is null)
            return;
        long now = world.Scheduler.NowUs;
        long patienceUs = (isConnected ? TimeoutMs : world.Options.SessionTimeoutMs) * 1000L;
        if (now - lastHeardUs > patienceUs * 2 / 3)
        {
            Drop();
            return;
        }
        if (!isConnected)
            return;
        if (now - lastSentUs > patienceUs / 4)
            Send(RequestFrames.Ping());
        if (world.AreClientsActive && !(world.AreSomeClientsIdle && Number % 2 == 0))
            Workload.Think();
    }

    private void Take(byte[] bytes)
    {
        // A stopped process reads later.
        if (isAsleep)
        {
            unread.Enqueue(bytes);
            return;
        }
        lastHeardUs = world.Scheduler.NowUs;
        var reader = new JuteReader(bytes);
        while (reader.Remaining > 0 && wire is not null)
        {
            ReadOnlySpan<byte> frame = reader.ReadBuffer();
            if (reader.Failed)
                throw new SimulationFailure("Framing", $"client {Number} got a frame that is cut off");
            if (isConnected)
                TakeReply(frame);
            else
                TakeHandshake(frame);
        }
    }

    private void TakeHandshake(ReadOnlySpan<byte> frame)
    {
        if (!ConnectResponse.TryRead(frame, out ConnectResponse response))
            throw new SimulationFailure("Framing", $"client {Number} got an answer to its handshake that is none");
        if (response.TimeoutMs == 0)
        {
            world.SessionExpired(this);
            Expirations++;
            Wire old = wire!;
            wire = null;
            old.Close(0);
            outstanding.Clear();
            ForgetSession();
            world.Scheduler.After(random.Between(1_000, 50_000), Connect);
            return;
        }
        isConnected = true;
        ConnectedUs = world.Scheduler.NowUs;
        Session = response.SessionId;
        TimeoutMs = response.TimeoutMs;
        password = response.Password;
        RearmWatches();
        world.SessionEstablished(this);
    }
}
