using SharpKeeper.Protocol;

namespace SharpKeeper.Simulation;

/// <summary>What scenarios are told in: wait until the world is so far, then cut, crash, start or write.</summary>
internal sealed class Stage(World world)
{
    /// <summary>The checker that fails if a scenario cannot be played to its end: that finds no bug.</summary>
    public const string Stuck = "Scenario";

    private const int PatienceMs = 30_000;
    private const int MomentUs = 200_000;

    private int written;

    /// <summary>The world.</summary>
    public World World => world;

    /// <summary>All servers.</summary>
    public IReadOnlyList<SimServer> Servers => world.Servers;

    /// <summary>Lets the world go on until it is so far; looks at the checkers' moment all the while.</summary>
    /// <exception cref="SimulationFailure">That takes more than 30 virtual seconds, or a checker found something.</exception>
    public void Until(string what, Func<bool> isSo)
    {
        world.Trace(0, "until " + what);
        long deadline = world.Scheduler.NowUs + (PatienceMs * 1000L);
        while (!world.Scheduler.RunUntil(isSo, world.Scheduler.NowUs + MomentUs))
        {
            world.Checkers.CheckMoment();
            if (world.Scheduler.NowUs >= deadline)
                throw new SimulationFailure(Stuck, $"waited {PatienceMs} ms in vain until {what}");
        }
    }

    /// <summary>The other servers.</summary>
    public SimServer[] Except(params SimServer[] left) => [.. Servers.Where(server => !left.Contains(server))];

    /// <summary>Waits until all that run are led, and says by whom.</summary>
    public SimServer AwaitLeader()
    {
        Until("all servers are led", () => world.FindLeader() is not null
            && Servers.All(static server => !server.IsUp || server.Zab!.IsSettled));
        return world.FindLeader()!;
    }

    /// <summary>Waits until all servers are led and every client has been served.</summary>
    public SimServer AwaitService()
    {
        long[] before = [.. world.Clients.Select(static client => client.Answered)];
        Until("clients are served", () => world.FindLeader() is not null
            && Servers.All(static server => !server.IsUp || server.Zab!.IsSettled)
            && world.Clients.All(client => client.IsConnected && client.Answered > before[client.Number - 1] + 3));
        return world.FindLeader()!;
    }

    /// <summary>Waits until so many more transactions are committed.</summary>
    public void AwaitCommits(int count)
    {
        int goal = world.Checkers.Committed.Count + count;
        Until($"{count} more transactions are committed", () => world.Checkers.Committed.Count >= goal);
    }

    /// <summary>Has clients ask for nothing more, and waits until all is answered and the same everywhere.</summary>
    public void Quiet()
    {
        world.AreClientsActive = false;
        Until("all is answered and applied", () => world.Clients.All(static client =>
                client.Outstanding == 0 && client.IsConnected)
            && Servers.All(server => !server.IsUp
                || (server.Replica.Tree.LastProcessed == world.Checkers.Committed.Last && !server.Log.IsBusy)));
    }

    /// <summary>Has clients go on asking.</summary>
    public void Resume() => world.AreClientsActive = true;

    /// <summary>A client creates a znode.</summary>
    /// <returns>False if it has no session now.</returns>
    public bool Write(SimClient client) =>
        Ask(client, OperationKind.Create, "/stage" + written++, CreateMode.Persistent);

    /// <summary>Has all clients go to that server, and waits until they are there.</summary>
    public void SendClientsTo(SimServer server)
    {
        world.ClientServers = [server.Id];
        Until($"clients are at server {server.Id}", () =>
        {
            // Some may just have been on their way to another one.
            foreach (SimClient client in world.Clients.Where(client => client.Server != server.Id))
                client.Move();
            return world.Clients.All(client => client.IsConnected && client.Server == server.Id);
        });
    }

    /// <summary>Ends processes; the system keeps what was written.</summary>
    public void Kill(params SimServer[] servers)
    {
        foreach (SimServer server in servers)
            server.Crash(losesPower: false);
    }

    /// <summary>Cuts machines' power: what was not synced is lost.</summary>
    public void CutPower(params SimServer[] servers)
    {
        foreach (SimServer server in servers)
            server.Crash(losesPower: true);
    }

    /// <summary>Starts servers.</summary>
    public void Start(params SimServer[] servers)
    {
        foreach (SimServer server in servers)
            server.Start();
    }

    /// <summary>Nothing gets through between a server and the others.</summary>
    public void CutOff(SimServer server)
    {
        foreach (SimServer other in Except(server))
        {
            world.Network.Cut(server.Id, other.Id);
            world.Network.Cut(other.Id, server.Id);
        }
    }

    /// <summary>Nothing gets from a server to the others; what it sends is held back until the way heals.</summary>
    public void Mute(SimServer server)
    {
        foreach (SimServer other in Except(server))
            world.Network.Cut(server.Id, other.Id);
    }

    /// <summary>Nothing of that kind gets from a server to the others.</summary>
    public void Mute(SimServer server, WireKind kind)
    {
        foreach (SimServer other in Except(server))
            world.Network.Cut(kind, server.Id, other.Id);
    }

    /// <summary>The links of a server with others break, and what is on its way is lost.</summary>
    public void BreakLinks(SimServer server) =>
        world.Network.Break(wire => wire.Kind == WireKind.Quorum && wire.Nodes.Contains(server.Id));

    /// <summary>Lets time pass.</summary>
    public void AwaitElapsed(int ms) => world.Scheduler.RunUntil(world.Scheduler.NowUs + (ms * 1000L));

    /// <summary>A client closes its session and creates an ephemeral behind that at once.</summary>
    public void CloseAndCreate(SimClient client)
    {
        Ask(client, OperationKind.Close, "", default);
        Ask(client, OperationKind.Create, "/stage" + written++, CreateMode.Ephemeral);
    }

    /// <summary>Nothing happens but pings; no session may end of that.</summary>
    public void BeIdle(int ms)
    {
        world.AreClientsActive = false;
        int[] before = [.. world.Clients.Select(static client => client.Expirations)];
        world.Scheduler.RunUntil(world.Scheduler.NowUs + (ms * 1000L));
        if (world.Clients.FirstOrDefault(client => client.Expirations != before[client.Number - 1]) is { } lost)
            throw new SimulationFailure("SessionLiveness", $"client {lost.Number} only pinged and lost its session");
    }

    /// <summary>Heals all cuts.</summary>
    public void Heal() => world.Network.HealAll();

    /// <summary>Waits until a server leads or follows an established leader.</summary>
    public void AwaitSettled(SimServer server) =>
        Until($"server {server.Id} is led", () => server.Zab is { IsSettled: true });

    private static bool Ask(SimClient client, OperationKind kind, string path, CreateMode mode) =>
        client.Ask(kind, "", [new WritePart(kind, path, kind == OperationKind.Close ? null : "value"u8.ToArray(), -1, mode)])
            is not null;
}
