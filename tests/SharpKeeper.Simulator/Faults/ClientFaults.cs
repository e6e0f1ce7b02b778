namespace SharpKeeper.Simulation;

/// <summary>Faults of clients and their connections.</summary>
internal static class ClientFaults
{
    public static IReadOnlyList<FaultKind> All { get; } =
    [
        Kind("client-break", "a client's connection breaks, replies on their way are lost", c => Break(c,
            c.AnyClient())),
        Kind("clients-break", "all clients' connections break", c => c.Network.Break(static w =>
            w.Kind == WireKind.Client)),
        Kind("client-cut", "a client cannot reach a server", c => Cut(c, c.AnyClient(), c.AnyServer().Id)),
        Kind("client-cut-off", "a client cannot reach any server, and its session may expire", CutOff),
        Kind("client-one-way", "a client's requests arrive, the replies do not", OneWay),
        Kind("client-moves", "clients go to other servers with requests under way", Move),
        Kind("client-sleeps", "a client is stopped and may lose its session", c => c.AnyClient().Sleep(c.LastsUs * 2)),
        Kind("client-gone", "a client leaves its session behind", c => c.AnyClient().Abandon()),
        Kind("client-slow", "a client's connection is slow", Slow),
        Kind("burst", "all clients send as much as they can", Burst),
        Kind("snapshots-now", "servers save a snapshot under load", SaveSnapshots),
    ];

    private static FaultKind Kind(string name, string how, Action<FaultContext> inject) =>
        new(name, "client", how, inject) { IsForOne = true };

    private static void Break(FaultContext c, SimClient client) =>
        c.Network.Break(wire => wire.Kind == WireKind.Client && wire.Nodes.Contains(client.Node));

    private static void Cut(FaultContext c, SimClient client, int server)
    {
        c.Cut(client.Node, server);
        c.Cut(server, client.Node);
    }

    private static void CutOff(FaultContext c)
    {
        SimClient client = c.AnyClient();
        foreach (int server in c.Everybody)
            Cut(c, client, server);
    }

    private static void OneWay(FaultContext c)
    {
        SimClient client = c.AnyClient();
        foreach (int server in c.Everybody)
            c.Cut(server, client.Node);
    }

    private static void Move(FaultContext c)
    {
        foreach (SimClient client in c.World.Clients)
        {
            for (int i = c.Random.Between(0, 4); i > 0; i--)
                c.AfterUs(c.Random.Between(0, c.LastsUs), client.Move);
        }
    }

    private static void Slow(FaultContext c)
    {
        SimClient client = c.AnyClient();
        long extra = c.Random.Skewed(5_000, 800_000);
        foreach (int server in c.Everybody)
        {
            c.Network.Slow(server, client.Node, extra);
            c.Network.Slow(client.Node, server, extra / 2);
            c.AtEnd(() => c.Network.Slow(server, client.Node, 0));
            c.AtEnd(() => c.Network.Slow(client.Node, server, 0));
        }
    }

    private static void Burst(FaultContext c)
    {
        c.World.IsBursting = true;
        c.AfterUs(Math.Min(c.LastsUs, 1_500_000), () => c.World.IsBursting = false);
    }

    private static void SaveSnapshots(FaultContext c)
    {
        foreach (SimServer server in c.World.Servers)
        {
            if (c.Random.PerMille(600))
                server.WantsSnapshot();
        }
    }
}
