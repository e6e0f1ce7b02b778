using SharpKeeper.Core.Log;
using SharpKeeper.Protocol;

namespace SharpKeeper.Simulation;

/// <summary>Everything there is in one run: servers, clients, network, time, and the checkers that watch.</summary>
internal sealed partial class World : IDisposable
{
    /// <summary>Wall time at the start, milliseconds since 1970.</summary>
    public const long StartWallMs = 1_700_000_000_000;

    private readonly List<SimServer> servers = [];
    private readonly List<SimClient> clients = [];
    private readonly SimRandom random;
    private readonly Checkers checkers;

    public World(RunOptions options)
    {
        Options = options;
        random = SimRandom.For(options.Seed, "world");
        Setup = new EnsembleSetup(options);
        Scheduler = new Scheduler();
        Network = new Network(Scheduler, SimRandom.For(options.Seed, "network"));
        checkers = new Checkers(this);
        for (int id = 1; id <= Setup.ServerCount; id++)
            servers.Add(new SimServer(this, id));
        for (int number = 1; number <= Setup.Clients; number++)
            clients.Add(new SimClient(this, number));
        if (Setup.Reconfigs)
            clients.Add(new SimClient(this, Setup.Clients + 1, Operator = new OperatorWorkload(this)));
        Elections = new ElectionWires(this);
    }

    /// <summary>How the run was asked for.</summary>
    public RunOptions Options { get; }

    /// <summary>How the ensemble is set up.</summary>
    public EnsembleSetup Setup { get; }

    /// <summary>Virtual time.</summary>
    public Scheduler Scheduler { get; }

    /// <summary>The network.</summary>
    public Network Network { get; }

    /// <summary>Connections for votes.</summary>
    public ElectionWires Elections { get; }

    /// <summary>All servers, ascending by number.</summary>
    public IReadOnlyList<SimServer> Servers => servers;

    /// <summary>All clients.</summary>
    public IReadOnlyList<SimClient> Clients => clients;

    /// <summary>Who changes the ensemble; null if nobody does.</summary>
    public OperatorWorkload? Operator { get; }

    /// <summary>Every request of every client, in the order asked.</summary>
    public List<Operation> History { get; } = [];

    /// <summary>The latest transaction that any client knows of.</summary>
    public Zxid Observed { get; private set; }

    /// <summary>Do clients ask for anything?</summary>
    public bool AreClientsActive { get; set; } = true;

    /// <summary>Does every other client only ping?</summary>
    public bool AreSomeClientsIdle { get; set; }

    /// <summary>Do clients ask for more than usual?</summary>
    public bool IsBursting { get; set; }

    /// <summary>Are servers that have ended started again by themselves?</summary>
    public bool IsRestarting { get; set; } = true;

    /// <summary>What the checkers know.</summary>
    public Checkers Checkers => checkers;

    /// <summary>What has happened, if it is written down.</summary>
    public List<string> TraceLines { get; } = [];

    /// <summary>A number that two runs have in common if everything went the same.</summary>
    public ulong Fingerprint { get; private set; } = 14695981039346656037UL;

    /// <summary>Starts all servers and clients.</summary>
    public void Start()
    {
        foreach (SimServer server in servers.Take(servers.Count - Setup.Spares))
            Scheduler.After(random.Between(0, 50_000), server.Start);
        foreach (SimClient client in clients)
            client.Start();
    }

    /// <summary>The server of that number, or null.</summary>
    public SimServer? FindServer(int id) => id >= 1 && id <= servers.Count ? servers[id - 1] : null;

    /// <summary>The servers that clients go to; empty for all.</summary>
    public IReadOnlyList<int> ClientServers { get; set; } = [];

    /// <summary>A server for a client to try.</summary>
    public int PickServer(SimRandom choices)
    {
        if (ClientServers.Count > 0)
            return choices.Pick(ClientServers);
        // Who is not in the ensemble any more need not serve.
        return AreFaultsOver && Setup.Reconfigs ? choices.Pick(MemberIds) : choices.Between(1, servers.Count);
    }

    /// <summary>How long a server that has ended stays so, microseconds.</summary>
    public long RestartUs() => random.Skewed(50_000, 3_000_000);

    /// <summary>Starts a server again after a while.</summary>
    public void RestartLater(SimServer server) => Scheduler.After(RestartUs(), server.Start);

    /// <summary>How a server recovers.</summary>
    public RecoveryOptions RecoveryOptions(int id) => new()
    {
        HashSeed = (uint)id,
        ExtendedTypesEnabled = true,
    };

    /// <summary>Is that server in the configuration in force?</summary>
    public bool IsMember(SimServer server) => MemberIds.Contains(server.Id);

    /// <summary>Numbers of the servers in the configuration in force.</summary>
    public IReadOnlyList<int> MemberIds => [.. checkers.Config.Servers.Select(static server => (int)server.Id.Value)];

    /// <summary>Numbers of its voters.</summary>
    public IReadOnlyList<int> VoterIds => QuorumModel.VotersOf(checkers.Config);

    /// <summary>Writes down what happens.</summary>
    public void Trace(int node, string what)
    {
        if (Options.IsTraced)
            TraceLines.Add($"{Scheduler.NowUs / 1000.0,12:F3} "
            + $"{(node >= Network.FirstClient ? "c" + (node - Network.FirstClient) : node == 0 ? "-" : "s" + node),-4} {what}");
    }

    /// <summary>A transaction goes to a server's log.</summary>
    public void Appended(SimServer server, Zxid zxid, ReadOnlySpan<byte> payload)
    {
        bool isNew = checkers.Appended(server, zxid, payload);
        if (Setup.Reconfigs && checkers.Proposals.Find(zxid)!.Header.Type == OpCode.Reconfig)
            Reached(isNew ? ReconfigStage.Proposed : ReconfigStage.Logged, server);
    }

    /// <summary>A server has applied a transaction; what was before is null if its tree was replaced.</summary>
    public void Applied(SimServer server, Zxid? before, Zxid after, bool isFinishing)
    {
        Mix((ulong)after.Value ^ ((ulong)server.Id << 56) ^ (ulong)Scheduler.NowUs);
        checkers.Applied(server, before, after, isFinishing);
    }

    /// <summary>A server has recovered and not begun to run.</summary>
    public void Recovered(SimServer server, RecoveryResult recovered)
    {
        Trace(server.Id, $"recovers {recovered.Last}");
        checkers.Recovered(server, recovered);
        if (Setup.Reconfigs)
            checkers.ConfigRecovered(server, server.Config);
    }

    /// <summary>A server runs.</summary>
    public void ServerStarted(SimServer server) => Elections.ServerStarted(server);

    /// <summary>A server has ended.</summary>
    public void ServerEnded(SimServer server)
    {
        Elections.ServerEnded(server);
        checkers.Ended(server);
    }

    /// <summary>A server does not start because of what is on its disk.</summary>
    public void ServerRefused(SimServer server, string why)
    {
        Trace(server.Id, "does not start: " + why);
        checkers.Refused(server, why);
    }

    /// <summary>More of a server's log is on disk.</summary>
    public void LogDurable(SimServer server, Zxid zxid) => checkers.LogDurable(server, zxid);

    /// <summary>A client has its reply.</summary>
    public void Returned(SimClient client, Operation operation)
    {
        Mix((ulong)operation.Zxid.Value ^ ((ulong)client.Number << 48) ^ (ulong)(int)operation.Error);
        if (Options.IsTraced)
            Trace(client.Node, operation.ToString());
        checkers.Returned(client, operation);
        if ((operation.IsWrite || operation.IsSynced) && operation.Zxid > Observed)
            Observed = operation.Zxid;
    }

    /// <summary>A client has its session over a new connection.</summary>
    public void SessionEstablished(SimClient client) =>
        Trace(client.Node, $"has session 0x{client.Session:x} at s{client.Server}");

    /// <summary>A client was told that its session has expired.</summary>
    public void SessionExpired(SimClient client)
    {
        Trace(client.Node, $"lost session 0x{client.Session:x}");
        checkers.Expired(client);
    }

    /// <summary>A client has seen a transaction: did the watches fire that it could have noticed?</summary>
    public void CheckWatches(SimClient client, Zxid seen) => checkers.CheckWatches(client, seen);

    /// <summary>A watch was set again and did not fire: is that right?</summary>
    public void CheckRearmedWatch(SimClient client, string path, WatchWait wait, Zxid since, Zxid seen) =>
        checkers.CheckRearmedWatch(client, path, wait, since, seen);

    /// <summary>Adds to what tells runs apart.</summary>
    public void Mix(ulong value) => Fingerprint = (Fingerprint ^ value) * 1099511628211UL;

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (SimServer server in servers)
            server.Release();
    }
}
