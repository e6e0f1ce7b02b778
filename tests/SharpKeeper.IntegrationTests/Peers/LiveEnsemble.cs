using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using SharpKeeper.Client;
using SharpKeeper.Core;
using SharpKeeper.Protocol;
using SharpKeeper.Protocol.Quorum;
using SharpKeeper.Server;
using SharpKeeper.Server.Configuration;
using SharpKeeper.ServerTests;

namespace SharpKeeper.PeersTests;

/// <summary>Several servers of one ensemble in the test's process, each with a directory of its own.</summary>
internal sealed class LiveEnsemble : IAsyncDisposable
{
    private static readonly TimeSpan patience = TimeSpan.FromSeconds(30);

    private readonly string directory = Directory.CreateTempSubdirectory("sharpkeeper-ensemble-").FullName;
    private readonly Dictionary<long, ServerHost> hosts = [];
    private readonly Dictionary<long, int> clientPorts = [];
    private readonly TestLog log = new();
    private readonly Func<ServerOptions, ServerOptions> configure;

    private LiveEnsemble(int voters, int observers, Func<ServerOptions, ServerOptions>? configure)
    {
        this.configure = configure ?? (static options => options);
        int[] ports = FreePorts((voters + observers) * 3);
        var servers = new List<EnsembleServer>();
        for (int i = 0; i < voters + observers; i++)
        {
            var id = new ServerId(i + 1);
            clientPorts.Add(id.Value, ports[i * 3 + 2]);
            servers.Add(new EnsembleServer(
                id, [new ServerAddress("127.0.0.1", ports[i * 3], ports[i * 3 + 1])],
                i < voters ? ServerRole.Participant : ServerRole.Observer, null, null));
        }
        Config = new EnsembleConfig(servers, 0);
    }

    public EnsembleConfig Config { get; }

    public IEnumerable<long> Running => hosts.Keys;

    /// <summary>What the servers logged, for a failing test's eyes.</summary>
    public string Log => log.Text;

    /// <summary>Starts all servers and waits until each serves.</summary>
    public static async Task<LiveEnsemble> StartAsync(
        int voters = 3, int observers = 0, Func<ServerOptions, ServerOptions>? configure = null)
    {
        var ensemble = new LiveEnsemble(voters, observers, configure);
        try
        {
            foreach (EnsembleServer server in ensemble.Config.Servers)
                await ensemble.StartServerAsync(server.Id.Value);
            ensemble.AwaitServing();
            return ensemble;
        }
        catch
        {
            await ensemble.DisposeAsync();
            throw;
        }
    }

    public async Task StartServerAsync(long id)
    {
        string data = Path.Combine(directory, id.ToString());
        var options = new ServerOptions
        {
            ClientAddress = IPAddress.Loopback,
            ClientPort = clientPorts[id],
            DataDir = data,
            DataLogDir = data,
            TickTime = TimeSpan.FromMilliseconds(500),
            SessionTimeoutMax = TimeSpan.FromHours(1),
            ConnectionsPerAddressMax = 0,
            ConnectionThreads = 1,
            FourLetterWords = FourLetterWordWhitelist.All,
            PreAllocationBytes = 1 << 20,
            Ensemble = new EnsembleSettings { Self = new ServerId(id), Config = Config },
        };
        hosts[id] = await ServerHost.StartAsync(
            configure(options), log.FactoryOf(id), TestContext.Current.CancellationToken);
    }

    public async Task StopServerAsync(long id)
    {
        ServerHost host = hosts[id];
        hosts.Remove(id);
        await host.DisposeAsync().AsTask().WaitAsync(patience);
        log.Note($"{id} has stopped");
    }

    /// <summary>Removes what a stopped server had.</summary>
    public void Wipe(long id) => Directory.Delete(Path.Combine(directory, id.ToString()), recursive: true);

    public async Task RestartServerAsync(long id)
    {
        await StopServerAsync(id);
        await StartServerAsync(id);
    }

    public ServerHost Host(long id) => hosts[id];

    /// <summary>Looks into a server's replica between two steps.</summary>
    public T Inspect<T>(long id, Func<Replica, T> look) =>
        hosts[id].Runtime.Driver.RunAsync(look).WaitAsync(patience).GetAwaiter().GetResult();

    /// <summary>The server that leads and serves; null while there is none.</summary>
    public long? Leader => hosts.Keys.Cast<long?>().FirstOrDefault(
        id => hosts[id!.Value].Ensemble!.Quorum.ListeningOn.Count > 0 && Inspect(id.Value, static it => it.IsServing));

    /// <summary>Waits until every running server serves.</summary>
    public void AwaitServing() => Until(
        () => hosts.Keys.All(id => Inspect(id, static it => it is { IsServing: true, IsSettled: true })),
        "all servers serve");

    /// <summary>Waits until all running servers have the same state, and gives its digest.</summary>
    public long AwaitEqual()
    {
        long digest = 0;
        Until(() =>
        {
            var states = hosts.Keys.Select(id => Inspect(id, static it => (it.Tree.LastProcessed, it.Tree.Digest)))
                .Distinct().ToList();
            digest = states[0].Digest;
            return states.Count == 1;
        }, "all servers have the same state");
        return digest;
    }

    public RawClient Connect(long id, int timeoutMs = 30_000) => RawClient.Connect(clientPorts[id], timeoutMs);

    public int ClientPort(long id) => clientPorts[id];

    /// <summary>A client that knows all servers.</summary>
    public Task<KeeperClient> ConnectAsync() => KeeperClient.ConnectAsync(
        string.Join(',', clientPorts.Values.Select(static port => $"127.0.0.1:{port}")),
        TestContext.Current.CancellationToken);

    public void Until(Func<bool> holds, string what)
    {
        if (!SpinWait.SpinUntil(holds, patience))
            throw new TimeoutException($"It did not come about that {what}.\n{Log}");
    }

    public async ValueTask DisposeAsync()
    {
        foreach (long id in hosts.Keys.ToArray())
            await StopServerAsync(id);
        Directory.Delete(directory, recursive: true);
    }

    /// <summary>Ports that nobody listens on, below those that the system gives to outgoing connections.</summary>
    public static int[] FreePorts(int count)
    {
        var free = new HashSet<int>();
        while (free.Count < count)
        {
            int port = Random.Shared.Next(10_000, 32_000);
            using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            try
            {
                socket.Bind(new IPEndPoint(IPAddress.Loopback, port));
                free.Add(port);
            }
            catch (SocketException)
            {
                // Somebody has it.
            }
        }
        return [.. free];
    }
}

/// <summary>Gathers what several servers log.</summary>
internal sealed class TestLog
{
    private readonly ConcurrentQueue<string> lines = [];
    private readonly long started = Environment.TickCount64;

    public string Text => string.Join('\n', lines);

    public ILoggerFactory FactoryOf(long id) => new Factory(this, id);

    public void Note(string line) => lines.Enqueue($"{Environment.TickCount64 - started,6} {line}");

    private sealed class Factory(TestLog log, long id) : ILoggerFactory, ILogger
    {
        public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception,
            Func<TState, Exception?, string> formatter) =>
            log.Note($"{id} {logLevel}: {formatter(state, exception)} {exception}");

        public void Dispose()
        {
        }
    }
}
