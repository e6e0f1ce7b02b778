using SharpKeeper.Server;
using SharpKeeper.Server.Configuration;
using SharpKeeper.Server.Testing;

namespace SharpKeeper.CompatTests.Clients;

/// <summary>
/// Our server as client programs meet it: on disk, with a tick of two seconds, in a directory that goes with it.
/// </summary>
internal sealed class ClientsServer : IClientsPeer
{
    private readonly string directory = Directory.CreateTempSubdirectory("sharpkeeper-clients-").FullName;
    private KeeperTestServer? server;

    public string ConnectString => server!.ConnectString;

    /// <summary>Starts a server.</summary>
    /// <param name="configure">Changes its settings.</param>
    public static async Task<ClientsServer> StartAsync(Func<ServerOptions, ServerOptions>? configure = null)
    {
        var started = new ClientsServer();
        started.server = await KeeperTestServer.StartAsync(
            new KeeperTestServerOptions
            {
                DataDir = started.directory,
                TickTime = TimeSpan.FromSeconds(2),
                // The super user that kazoo's own tests expect has the password "test".
                Configure = options =>
                {
                    options = options with
                    {
                        SuperDigest = "super:D/InIHSb7yEEbrWz8b9l71RjZJU=",
                        FourLetterWords = FourLetterWordWhitelist.All,
                    };
                    return configure?.Invoke(options) ?? options;
                },
            },
            TestContext.Current.CancellationToken);
        return started;
    }

    /// <summary>
    /// Fulfils what a client program wishes of the server; a number behind the wish names the only server there is.
    /// </summary>
    public Task FulfilAsync(string wish) => wish.Split(' ')[0] switch
    {
        "stop" or "kill" => server!.StopAsync(),
        "start" => server!.RestartAsync(),
        _ => throw new ArgumentException($"The wish {wish} is not known."),
    };

    public Task ExplainAsync(Func<Task> part) => part();

    public async ValueTask DisposeAsync()
    {
        if (server is not null)
            await server.DisposeAsync();
        Directory.Delete(directory, recursive: true);
    }
}
