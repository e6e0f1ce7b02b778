using System.Net;
using Microsoft.Extensions.Logging.Abstractions;
using SharpKeeper.Protocol;
using SharpKeeper.Server;
using SharpKeeper.Server.Configuration;
using SharpKeeper.Server.Runtime;
using SharpKeeper.Server.Storage;

namespace SharpKeeper.ServerTests;

/// <summary>A server in the test's process whose inside can be looked at.</summary>
internal sealed class LiveServer : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly ServerOptions options;
    private readonly ILogFiles? files;
    private readonly string? directory;
    private ServerHost host = null!;

    private LiveServer(ServerOptions options, string? directory, ILogFiles? files)
    {
        this.options = options;
        this.directory = directory;
        this.files = files;
    }

    public int Port => host.ClientPort;

    public ServerHost Host => host;

    /// <summary>Where its snapshots and logs are.</summary>
    public string DataFiles => Path.Combine(directory!, "version-2");

    /// <summary>Starts one that keeps everything in memory.</summary>
    public static Task<LiveServer> StartAsync(Func<ServerOptions, ServerOptions>? configure = null) =>
        StartAsync(null, configure, null);

    /// <summary>Starts one on a directory of its own.</summary>
    public static Task<LiveServer> StartOnDiskAsync(
        Func<ServerOptions, ServerOptions>? configure = null, ILogFiles? files = null) =>
        StartAsync(Directory.CreateTempSubdirectory("sharpkeeper-server-").FullName, configure, files);

    /// <summary>Opens a session.</summary>
    public RawClient Connect(int timeoutMs = 30_000) => RawClient.Connect(Port, timeoutMs);

    /// <summary>Stops the server and starts it again; without a directory everything is forgotten.</summary>
    public async Task RestartAsync()
    {
        await StopAsync();
        await StartHostAsync(files);
    }

    /// <summary>As <see cref="RestartAsync"/>, on a disk that works.</summary>
    public async Task RestartOnGoodDiskAsync()
    {
        await StopAsync();
        await StartHostAsync(null);
    }

    public async Task StopAsync() => await host.DisposeAsync().AsTask().WaitAsync(Patience);

    /// <summary>Looks at the inside while nothing moves in it.</summary>
    public T Inspect<T>(Func<ServerRuntime, T> look) => host.Runtime.Driver.RunAsync(_ =>
    {
        host.Runtime.Gate.EnterExclusive();
        try
        {
            return look(host.Runtime);
        }
        finally
        {
            host.Runtime.Gate.ExitExclusive();
        }
    }).WaitAsync(Patience).GetAwaiter().GetResult();

    /// <summary>Looks at a session's connection while nothing moves; the default of a session without one.</summary>
    public T? Inspect<T>(long session, Func<ClientConnection, T> look) => Inspect(runtime => runtime.Loops
        .SelectMany(loop => loop.Clients)
        .Where(client => client.Link.Session.Value == session && !client.IsClosed)
        .Select(look)
        .FirstOrDefault());

    /// <summary>Looks again and again until something holds.</summary>
    public static void Until(Func<bool> holds, string what)
    {
        if (!SpinWait.SpinUntil(holds, Patience))
            throw new TimeoutException($"It did not come about that {what}.");
    }

    /// <summary>Fails unless the server answers a word and a session.</summary>
    public void AssertServes(RawClient bystander)
    {
        Assert.Equal("imok", Words.Ask(Port, "ruok"));
        Assert.Equal(ErrorCode.Ok, bystander.Call(OpCode.Exists, 77, Bodies.Watched("/")).Error);
        Assert.False(host.Completion.IsFaulted);
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        if (directory is not null)
            Directory.Delete(directory, recursive: true);
    }

    private static async Task<LiveServer> StartAsync(
        string? directory, Func<ServerOptions, ServerOptions>? configure, ILogFiles? files)
    {
        var settings = new ServerOptions
        {
            ClientAddress = IPAddress.Loopback,
            ClientPort = 0,
            InMemory = directory is null,
            DataDir = directory ?? "memory",
            TickTime = TimeSpan.FromMilliseconds(100),
            SessionTimeoutMax = TimeSpan.FromHours(1),
            ConnectionsPerAddressMax = 0,
            ConnectionThreads = 2,
            FourLetterWords = FourLetterWordWhitelist.All,
            PreAllocationBytes = 1 << 20,
        };
        var server = new LiveServer(configure?.Invoke(settings) ?? settings, directory, files);
        await server.StartHostAsync(files);
        return server;
    }

    private async Task StartHostAsync(ILogFiles? logFiles) => host = await ServerHost.StartWithAsync(
        options, NullLoggerFactory.Instance, logFiles, CancellationToken.None);
}
