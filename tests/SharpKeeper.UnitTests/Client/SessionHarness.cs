using SharpKeeper.Client;
using SharpKeeper.Protocol;

namespace SharpKeeper.UnitTests.Client;

/// <summary>A client on a fake transport and a fake clock.</summary>
public abstract class SessionHarness : IAsyncDisposable
{
    private readonly List<KeeperClient> clients = [];

    internal FakeTime Time { get; } = new();

    internal FakeTransport Transport { get; } = new();

    internal static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    internal static Stat SomeStat { get; } = new(1, 2, 3, 4, 5, 6, 7, 0, 3, 0, 8);

    public async ValueTask DisposeAsync()
    {
        foreach (KeeperClient client in clients)
            _ = client.CloseAsync();
        // Sessions that wait for an answer to their farewell stop waiting after five seconds of the fake clock.
        foreach (KeeperClient client in clients)
        {
            while (!client.CloseAsync().IsCompleted)
            {
                Time.Advance(TimeSpan.FromSeconds(5));
                await Task.Yield();
            }
        }
        GC.SuppressFinalize(this);
    }

    internal KeeperClient Start(Func<KeeperClientOptions, KeeperClientOptions>? change = null)
    {
        var options = new KeeperClientOptions
        {
            ConnectString = "one:1,two:2",
            ReconnectDelayMax = TimeSpan.Zero,
            TimeProvider = Time,
            Transport = Transport,
            Random = new Random(1),
        };
        var client = new KeeperClient(change?.Invoke(options) ?? options);
        clients.Add(client);
        return client;
    }

    /// <summary>A client whose session a server has accepted.</summary>
    internal async Task<(KeeperClient Client, FakeServer Server)> ConnectAsync(
        Func<KeeperClientOptions, KeeperClientOptions>? change = null, int timeoutMs = 30_000)
    {
        KeeperClient client = Start(change);
        FakeServer server = await Transport.AcceptAsync(Cancellation);
        await server.AcceptSessionAsync(Cancellation, timeoutMs);
        await client.WaitForStateAsync(KeeperState.Connected, Cancellation);
        return (client, server);
    }

    /// <summary>Breaks the connection and accepts the session again.</summary>
    internal async Task<(ConnectRequest Request, FakeServer Server)> ReconnectAsync(FakeServer lost)
    {
        lost.Close();
        FakeServer server = await Transport.AcceptAsync(Cancellation);
        ConnectRequest request = await server.AcceptSessionAsync(Cancellation);
        return (request, server);
    }

    internal static void WriteData(JuteBuffer output)
    {
        output.WriteBuffer("abc"u8);
        SomeStat.Write(output);
    }
}
