using SharpKeeper.CompatTests.Ensembles;

namespace SharpKeeper.CompatTests.Clients;

/// <summary>The client of Node.js (node-zookeeper-client) against our server.</summary>
public sealed class NodeTests
{
    [Fact]
    public async Task Node_client_works_unchanged()
    {
        await using ClientsServer server = await ClientsServer.StartAsync();
        await ClientPrograms.RunNodeAsync("node_client", server);
    }
}

/// <summary>The client of Node.js against an ensemble of ours.</summary>
[Collection(EnsembleCollection.Name)]
public sealed class EnsembleNodeTests
{
    [Fact]
    public async Task Node_client_moves_between_servers()
    {
        await using ClientsEnsemble ensemble = await ClientsEnsemble.StartAsync("SSS");
        await ClientPrograms.RunNodeAsync("node_client", ensemble);
    }
}
