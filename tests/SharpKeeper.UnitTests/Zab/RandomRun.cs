using System.Globalization;
using System.Text;
using SharpKeeper.Protocol;

namespace SharpKeeper.ZabTests;

/// <summary>An ensemble with writes, crashes and cut links in an order that a seed decides.</summary>
internal sealed class RandomRun(int voters, int observers, int seed)
{
    private readonly Random random = new(seed);
    private readonly List<string> acknowledged = [];
    private int names;

    public void Run()
    {
        using var world = new EnsembleHarness(voters, observers);
        world.StartAll();
        for (int step = 0; step < 60; step++)
            Step(world);
        world.IsLinked = static (_, _) => true;
        foreach (HarnessServer server in world.Servers)
        {
            if (!server.IsUp)
                server.Start();
        }
        world.Run(20_000);
        Check(world);
    }

    private void Step(EnsembleHarness world)
    {
        HarnessServer server = world.Servers[random.Next(world.Servers.Count)];
        switch (random.Next(8))
        {
            case 0 when server.IsUp && world.Servers.Count(static other => !other.IsUp) < voters / 2:
                server.Crash();
                break;
            case 1 when !server.IsUp:
                server.Start();
                break;
            case 2:
                ServerId cut = server.Id;
                world.IsLinked = (from, to) => from != cut && to != cut;
                break;
            case 3:
                world.IsLinked = static (_, _) => true;
                break;
            case 4:
                world.Run(random.Next(3000));
                break;
            default:
                Write(world, server);
                break;
        }
    }

    private void Write(EnsembleHarness world, HarnessServer server)
    {
        if (!server.IsUp || !server.Replica.IsServing)
            return;
        EnsembleClient client = server.Connect();
        for (int i = random.Next(4); i >= 0 && client.IsConnected; i--)
        {
            string path = "/n" + (++names).ToString(CultureInfo.InvariantCulture);
            client.TakeReplies();
            client.Send(OpCode.Create, EnsembleClient.CreateBody(path));
            if (client.TakeReplies() is [(_, ErrorCode.Ok)])
                acknowledged.Add(path);
        }
    }

    private void Check(EnsembleHarness world)
    {
        HarnessServer leader = world.Leader;
        foreach (HarnessServer server in world.Servers)
        {
            Assert.True(server.Replica.IsServing, $"seed {seed}: server {server.Id} does not serve");
            Assert.Equal(leader.Tree.LastProcessed, server.Tree.LastProcessed);
            Assert.Equal(leader.Tree.Digest, server.Tree.Digest);
            Assert.Equal(0, server.Replica.Statistics.DigestMismatches);
            foreach (string path in acknowledged)
                Assert.False(server.Tree.Find(Encoding.UTF8.GetBytes(path)).IsNone, $"seed {seed}: {path} is lost");
        }
    }
}
