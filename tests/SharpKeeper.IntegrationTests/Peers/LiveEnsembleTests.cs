using System.Text;
using SharpKeeper.Client;
using SharpKeeper.Protocol;
using SharpKeeper.Protocol.Quorum;
using SharpKeeper.ServerTests;

namespace SharpKeeper.PeersTests;

public sealed class LiveEnsembleTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Three_servers_elect_serve_and_replicate_writes_through_each()
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
            AssertHas(ensemble, id, "/s1-0", "/s1-49", "/s2-0", "/s2-49", "/s3-0", "/s3-49");
    }

    [Fact]
    public async Task Leader_that_stops_is_replaced_and_clients_keep_session_and_ephemerals()
    {
        await using LiveEnsemble ensemble = await LiveEnsemble.StartAsync();
        await using KeeperClient client = await ensemble.ConnectAsync();
        await client.CreateAsync("/kept", "1", cancellation: Cancellation);
        await client.CreateAsync("/mine", "1", CreateMode.Ephemeral, Cancellation);
        KeeperSession session = client.Session;
        long former = ensemble.Leader!.Value;

        await ensemble.StopServerAsync(former);
        ensemble.AwaitServing();

        Assert.NotEqual(former, ensemble.Leader);
        await RetryAsync(() => client.SetAsync("/kept", "2", cancellation: Cancellation).AsTask());
        Assert.Equal(session.Id, client.Session.Id);
        await ensemble.StartServerAsync(former);
        ensemble.AwaitServing();
        ensemble.AwaitEqual();
        foreach (long id in ensemble.Running)
            AssertHas(ensemble, id, "/kept", "/mine");
    }

    [Theory]
    [InlineData(100)]
    [InlineData(3000)]
    public async Task Follower_that_was_away_catches_up(int txns)
    {
        await using LiveEnsemble ensemble = await LiveEnsemble.StartAsync();
        long away = ensemble.Running.First(id => id != ensemble.Leader);
        using RawClient client = ensemble.Connect(ensemble.Leader!.Value);
        Assert.Equal(ErrorCode.Ok, client.Call(OpCode.Create, 1, Bodies.Create("/n", "data")).Error);
        await ensemble.StopServerAsync(away);

        Write(client, txns);
        await ensemble.StartServerAsync(away);
        ensemble.AwaitServing();

        ensemble.AwaitEqual();
    }

    [Fact]
    public async Task Follower_with_an_empty_directory_is_sent_everything()
    {
        await using LiveEnsemble ensemble = await LiveEnsemble.StartAsync();
        long fresh = ensemble.Running.First(id => id != ensemble.Leader);
        using RawClient client = ensemble.Connect(ensemble.Leader!.Value);
        Assert.Equal(ErrorCode.Ok, client.Call(OpCode.Create, 1, Bodies.Create("/n", "data")).Error);
        Write(client, 2000);
        await ensemble.StopServerAsync(fresh);
        ensemble.Wipe(fresh);

        Task restart = ensemble.StartServerAsync(fresh);
        Write(client, 2000);
        await restart;
        ensemble.AwaitServing();

        ensemble.AwaitEqual();
        await ensemble.RestartServerAsync(fresh);
        ensemble.AwaitServing();
        ensemble.AwaitEqual();
    }

    [Fact]
    public async Task Observer_serves_reads_and_writes_without_a_vote()
    {
        await using LiveEnsemble ensemble = await LiveEnsemble.StartAsync(voters: 3, observers: 1);
        using RawClient client = ensemble.Connect(4);

        Assert.Equal(ErrorCode.Ok, client.Call(OpCode.Create, 1, Bodies.Create("/through", "observer")).Error);
        Assert.Equal(ErrorCode.Ok, client.Call(OpCode.GetData, 2, Bodies.Watched("/through")).Error);

        ensemble.AwaitEqual();
        Assert.NotEqual(4, ensemble.Leader);
    }

    [Fact]
    public async Task Server_without_a_quorum_serves_nobody()
    {
        await using LiveEnsemble ensemble = await LiveEnsemble.StartAsync();
        long[] all = [.. ensemble.Running];
        using RawClient client = ensemble.Connect(all[0]);

        await ensemble.StopServerAsync(all[1]);
        await ensemble.StopServerAsync(all[2]);

        ensemble.Until(() => !ensemble.Inspect(all[0], static it => it.IsServing), "the last server serves nobody");
        client.ReadToEnd();
        Assert.Throws<IOException>(() => ensemble.Connect(all[0]));
        await ensemble.StartServerAsync(all[1]);
        ensemble.AwaitServing();
        using RawClient again = ensemble.Connect(all[0]);
        Assert.Equal(ErrorCode.Ok, again.Call(OpCode.Exists, 1, Bodies.Watched("/")).Error);
    }

    [Fact]
    public async Task Reconfig_removes_the_leader_and_moves_a_client_port()
    {
        await using LiveEnsemble ensemble = await LiveEnsemble.StartAsync(
            configure: static options => options with { ReconfigEnabled = true, SkipAcl = true });
        long former = ensemble.Leader!.Value;
        long moved = ensemble.Running.First(id => id != former);
        int port = ensemble.Host(moved).ClientPort;
        EnsembleServer server = ensemble.Config.Servers.Single(it => it.Id.Value == moved);
        int newPort = LiveEnsemble.FreePorts(1)[0];
        await using KeeperClient client = await ensemble.ConnectAsync();

        await RetryAsync(() => client.ReconfigAsync(
            $"server.{moved}={(server with { Client = new ClientAddress("127.0.0.1", newPort) }).Format()}", null, null,
            cancellation: Cancellation).AsTask());

        ensemble.Until(() => ensemble.Host(moved).ClientPort == newPort, "the client port is another one");
        using (RawClient there = RawClient.Connect(newPort))
            Assert.Equal(ErrorCode.Ok, there.Call(OpCode.Exists, 1, Bodies.Watched("/")).Error);
        Assert.ThrowsAny<Exception>(() => RawClient.Connect(port));

        await RetryAsync(() => client.ReconfigAsync(null, $"{former}", null, cancellation: Cancellation).AsTask());
        ensemble.Until(() => ensemble.Leader is { } leader && leader != former, "another server leads");
        await RetryAsync(() => client.CreateAsync("/after", "1", cancellation: Cancellation).AsTask());
        ensemble.AwaitServing();
        ensemble.AwaitEqual();
    }

    [Fact]
    public async Task Leaders_that_stop_again_and_again_lose_no_acknowledged_write()
    {
        await using LiveEnsemble ensemble = await LiveEnsemble.StartAsync();
        await using KeeperClient client = await ensemble.ConnectAsync();
        var acknowledged = new List<string>();
        using var ends = new CancellationTokenSource();
        Task writing = Task.Run(async () =>
        {
            for (int i = 0; !ends.IsCancellationRequested; i++)
            {
                try
                {
                    await client.CreateAsync($"/w-{i}", "1", cancellation: Cancellation);
                    acknowledged.Add($"/w-{i}");
                }
                catch (ConnectionLossException)
                {
                    // It may have happened or not.
                }
            }
        }, Cancellation);

        for (int round = 0; round < 5; round++)
        {
            long? former = ensemble.Leader;
            await ensemble.RestartServerAsync(former!.Value);
            ensemble.AwaitServing();
        }
        await ends.CancelAsync();
        await writing;

        ensemble.AwaitEqual();
        Assert.NotEmpty(acknowledged);
        foreach (long id in ensemble.Running)
            AssertHas(ensemble, id, [.. acknowledged]);
    }

    private static void Write(RawClient client, int txns)
    {
        for (int i = 0; i < txns; i++)
            client.Put(OpCode.SetData, i + 2, Bodies.Set("/n", $"{i}"));
        client.Flush();
        for (int i = 0; i < txns; i++)
            Assert.Equal(ErrorCode.Ok, client.ReadReply(i + 2).Error);
    }

    private static void AssertHas(LiveEnsemble ensemble, long id, params string[] paths)
    {
        string? missing = ensemble.Inspect(id, it => paths.FirstOrDefault(
            path => it.Tree.Find(Encoding.UTF8.GetBytes(path)).IsNone));
        Assert.True(missing is null, $"server {id} lacks {missing}\n{ensemble.Log}");
    }

    /// <summary>A client finds another server before it writes again.</summary>
    private static async Task RetryAsync(Func<Task> action)
    {
        while (true)
        {
            try
            {
                await action();
                return;
            }
            catch (ConnectionLossException)
            {
                Cancellation.ThrowIfCancellationRequested();
            }
        }
    }
}
