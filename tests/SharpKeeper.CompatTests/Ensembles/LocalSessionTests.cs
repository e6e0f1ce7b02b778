using SharpKeeper.Client;
using SharpKeeper.CompatTests.Peers;
using SharpKeeper.Protocol;

namespace SharpKeeper.CompatTests.Ensembles;

/// <summary>Local sessions at Apache's servers, at ours, and where one leads the other.</summary>
[Collection(EnsembleCollection.Name)]
public sealed class LocalSessionTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("AAA")]
    [InlineData("SSS")]
    [InlineData("SSA")]
    [InlineData("AAS")]
    public Task Session_is_its_servers_own_until_it_owns_an_ephemeral(string kinds) => RunAsync(
        kinds, upgrades: true,
        async (ensemble, server) =>
        {
            string name = $"/a{server.Id}";
            // Servers differ in how they show an epoch in which nothing has happened.
            await using (KeeperClient first = await OpenAsync(server))
                await first.CreateAsync(name + "-first", "x", cancellation: Cancellation);
            Zxid before = (await ensemble.SettleAsync())[0].Zxid;
            await using KeeperClient client = await OpenAsync(server);
            Assert.Equal(1, await server.FigureAsync("zk_local_sessions", Cancellation));
            Assert.Equal(0, await server.FigureAsync("zk_global_sessions", Cancellation));
            await client.CreateAsync(name, "x", cancellation: Cancellation);
            await client.CreateAsync(name + "/e", "x", CreateMode.Ephemeral, Cancellation);

            ServerStatus[] after = await ensemble.SettleAsync();
            Assert.Equal(before.Value + 3, after[0].Zxid.Value);
            foreach (EnsembleServer other in ensemble.Servers)
            {
                Assert.Equal(0, await other.FigureAsync("zk_local_sessions", Cancellation));
                Assert.Equal(1, await other.FigureAsync("zk_global_sessions", Cancellation));
            }
            await client.DisposeAsync();
            await ensemble.SettleAsync();
            foreach (EnsembleServer other in ensemble.Servers)
            {
                await using KeeperClient reader = await OpenAsync(other);
                Assert.Empty((await reader.GetChildrenLatestAsync(name, cancellation: Cancellation)).Names);
            }
        });

    [Theory]
    [InlineData("AAA")]
    [InlineData("SSS")]
    [InlineData("SSA")]
    [InlineData("AAS")]
    public Task Ephemeral_of_a_session_that_stays_local_is_refused(string kinds) => RunAsync(
        kinds, upgrades: false,
        async (ensemble, server) =>
        {
            await using KeeperClient client = await OpenAsync(server);
            string name = $"/a{server.Id}";
            KeeperException refused = await Assert.ThrowsAnyAsync<KeeperException>(
                async () => await client.CreateAsync(name, "x", CreateMode.Ephemeral, Cancellation));
            Assert.Equal(ErrorCode.EphemeralOnLocalSession, refused.Code);
            await client.CreateAsync(name, "x", cancellation: Cancellation);
            await ensemble.SettleAsync();
            Assert.Equal(0, await ensemble[1].FigureAsync("zk_global_sessions", Cancellation));
        });

    private static Task RunAsync(string kinds, bool upgrades, Func<Ensemble, EnsembleServer, Task> scenario) =>
        Ensemble.RunAsync(
            EnsembleSetup.Of(kinds).With(
                ("localSessionsEnabled", "true"), ("localSessionsUpgradingEnabled", upgrades ? "true" : "false")),
            async ensemble =>
            {
                foreach (EnsembleServer server in ensemble.Servers)
                    await scenario(ensemble, server);
            });

    private static Task<KeeperClient> OpenAsync(EnsembleServer server) =>
        KeeperClient.ConnectAsync(server.ConnectString, Cancellation);
}
