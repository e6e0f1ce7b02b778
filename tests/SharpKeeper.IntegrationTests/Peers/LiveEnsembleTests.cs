using SharpKeeper.Protocol;
using SharpKeeper.ServerTests;

namespace SharpKeeper.PeersTests;

public sealed class LiveEnsembleTests
{
    [Fact]
    public async Task Three_servers_elect_serve_and_replicate()
    {
        await using LiveEnsemble ensemble = await LiveEnsemble.StartAsync();
        foreach (long id in ensemble.Running)
        {
            using RawClient client = ensemble.Connect(id);
            for (int i = 0; i < 50; i++)
            {
                RawReply reply = client.Call(OpCode.Create, i + 1, Bodies.Create($"/s{id}-{i}", "data"));
                Assert.Equal(ErrorCode.Ok, reply.Error);
            }
        }

        ensemble.AwaitEqual();

        foreach (long id in ensemble.Running)
            Assert.Equal(150, ensemble.Inspect(id, static it => CountOfRoot(it)));
    }

    private static int CountOfRoot(Core.Replica replica) => replica.Tree.Count - 4;
}
