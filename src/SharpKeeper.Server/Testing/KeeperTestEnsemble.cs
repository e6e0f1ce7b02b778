using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using SharpKeeper.Core;
using SharpKeeper.Protocol;
using SharpKeeper.Protocol.Quorum;

namespace SharpKeeper.Server.Testing;

/// <summary>What a <see cref="KeeperTestEnsemble"/> is to be like.</summary>
public sealed record KeeperTestEnsembleOptions
{
    /// <summary>Servers that vote, 2 or more; 3 by default, of which any one may stop.</summary>
    public int Voters { get; init; } = 3;

    /// <summary>Servers that serve without a vote, numbered after the voters; none by default.</summary>
    public int Observers { get; init; }

    /// <summary>Length of a tick; the default of 500 ms allows session timeouts from a second to an hour.</summary>
    public TimeSpan TickTime { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>How long the servers may take until they serve; 30 s by default.</summary>
    public TimeSpan ServingTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Changes the settings that each server starts with; <see cref="EnsembleSettings.Self"/> of
    /// <see cref="ServerOptions.Ensemble"/> tells which it is.</summary>
    public Func<ServerOptions, ServerOptions>? Configure { get; init; }

    /// <summary>Where the servers log; nowhere by default.</summary>
    public ILoggerFactory LoggerFactory { get; init; } = NullLoggerFactory.Instance;
}

/// <summary>
/// A real ensemble inside the process of a test: its servers elect and replicate over free ports of the loopback
/// address and keep their data in a temporary directory, which goes with the disposal. Servers can be stopped and
/// started again, to see what a client makes of it. Calls that start or stop servers must not overlap.
/// </summary>
public sealed class KeeperTestEnsemble : IAsyncDisposable
{
    // Below those that the system gives to outgoing connections.
    private const int PortMin = 10_000;
    private const int PortMax = 32_000;

    private static readonly TimeSpan pollInterval = TimeSpan.FromMilliseconds(5);

    private readonly KeeperTestEnsembleOptions options;
    private readonly EnsembleConfig config;
    private readonly string directory = Directory.CreateTempSubdirectory("sharpkeeper-test-").FullName;
    private readonly SortedDictionary<int, ServerHost> hosts = [];
    private readonly int[] clientPorts;

    private KeeperTestEnsemble(KeeperTestEnsembleOptions options)
    {
        this.options = options;
        int count = options.Voters + options.Observers;
        int[] ports = FreePorts(count * 3);
        clientPorts = ports[(count * 2)..];
        config = new EnsembleConfig(Enumerable.Range(0, count).Select(index => new EnsembleServer(
            new ServerId(index + 1), [new ServerAddress("127.0.0.1", ports[index * 2], ports[index * 2 + 1])],
            index < options.Voters ? ServerRole.Participant : ServerRole.Observer, null, null)), 0);
    }

    /// <summary>What the connect string of a client that knows all servers must say.</summary>
    public string ConnectString => string.Join(',', ServerIds.Select(ConnectStringOf));

    /// <summary>The numbers of all servers, from 1, whether they run or not.</summary>
    public IEnumerable<int> ServerIds => Enumerable.Range(1, clientPorts.Length);

    /// <summary>The numbers of the servers that run, ascending.</summary>
    public IReadOnlyList<int> RunningServerIds => [.. hosts.Keys];

    /// <summary>Starts an ensemble; all its servers serve when the task is done.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There are too few voters, or fewer than no observers.</exception>
    /// <exception cref="Configuration.ServerConfigurationException">What
    /// <see cref="KeeperTestEnsembleOptions.Configure"/> made of the settings cannot run, in memory for example.
    /// </exception>
    /// <exception cref="TimeoutException">The servers did not serve in time.</exception>
    public static async Task<KeeperTestEnsemble> StartAsync(
        KeeperTestEnsembleOptions? options = null, CancellationToken cancellationToken = default)
    {
        options ??= new KeeperTestEnsembleOptions();
        ArgumentOutOfRangeException.ThrowIfLessThan(options.Voters, 2);
        ArgumentOutOfRangeException.ThrowIfNegative(options.Observers);
        var ensemble = new KeeperTestEnsemble(options);
        try
        {
            foreach (int id in ensemble.ServerIds)
                await ensemble.StartServerAsync(id, cancellationToken).ConfigureAwait(false);
            await ensemble.WaitUntilServingAsync(cancellationToken).ConfigureAwait(false);
            return ensemble;
        }
        catch
        {
            await ensemble.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>What the connect string of a client of this server alone must say; the same after a restart.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no such server.</exception>
    public string ConnectStringOf(int serverId) => $"127.0.0.1:{ClientPortOf(serverId)}";

    /// <summary>
    /// Starts a server that was stopped, with the data that it had. It serves once it has found the others: see
    /// <see cref="WaitUntilServingAsync"/>.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no such server.</exception>
    /// <exception cref="InvalidOperationException">The server runs.</exception>
    public async Task StartServerAsync(int serverId, CancellationToken cancellationToken = default)
    {
        ServerOptions settings = SettingsOf(serverId);
        if (hosts.ContainsKey(serverId))
            throw new InvalidOperationException($"Server {serverId} runs already; stop it first.");
        settings = options.Configure?.Invoke(settings) ?? settings;
        hosts[serverId] = await ServerHost.StartAsync(settings, options.LoggerFactory, cancellationToken)
            .ConfigureAwait(false);
    }

    /// <summary>Stops a server; nothing happens if it does not run.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no such server.</exception>
    public async Task StopServerAsync(int serverId)
    {
        ClientPortOf(serverId);
        if (hosts.Remove(serverId, out ServerHost? host))
            await host.DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>
    /// Stops a server if it runs and starts it again with the data that it had; see <see cref="StartServerAsync"/>.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no such server.</exception>
    public async Task RestartServerAsync(int serverId, CancellationToken cancellationToken = default)
    {
        await StopServerAsync(serverId).ConfigureAwait(false);
        await StartServerAsync(serverId, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Waits until every server that runs serves, which takes more than half of the voters.</summary>
    /// <exception cref="TimeoutException"><see cref="KeeperTestEnsembleOptions.ServingTimeout"/> has passed; the
    /// message says which servers do not serve, and why not.</exception>
    public async Task WaitUntilServingAsync(CancellationToken cancellationToken = default)
    {
        long deadline = Environment.TickCount64 + (long)options.ServingTimeout.TotalMilliseconds;
        while (await DescribeIdleAsync(cancellationToken).ConfigureAwait(false) is { Length: > 0 } idle)
        {
            if (Environment.TickCount64 >= deadline)
                throw new TimeoutException($"After {options.ServingTimeout.TotalSeconds:0.#} s {idle}.");
            await Task.Delay(pollInterval, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>The number of the server that leads; null while there is none.</summary>
    public async Task<int?> FindLeaderAsync(CancellationToken cancellationToken = default)
    {
        foreach ((int id, ServerHost host) in hosts)
        {
            bool leads = await LookAsync(
                host, static replica => replica.IsSettled && replica.EnsembleStatus?.State == ServerState.Leading,
                cancellationToken).ConfigureAwait(false);
            if (leads)
                return id;
        }
        return null;
    }

    /// <summary>Stops all servers and removes their data.</summary>
    public async ValueTask DisposeAsync()
    {
        foreach (int id in RunningServerIds)
            await StopServerAsync(id).ConfigureAwait(false);
        if (Directory.Exists(directory))
            Directory.Delete(directory, recursive: true);
    }

    /// <summary>Where a server keeps its data.</summary>
    internal string DataDirOf(int serverId) =>
        Path.Combine(directory, serverId.ToString(CultureInfo.InvariantCulture));

    private int ClientPortOf(int serverId) => serverId >= 1 && serverId <= clientPorts.Length
        ? clientPorts[serverId - 1]
        : throw new ArgumentOutOfRangeException(
            nameof(serverId), serverId, $"The servers have the numbers 1 to {clientPorts.Length}.");

    private ServerOptions SettingsOf(int serverId) => new()
    {
        ClientAddress = IPAddress.Loopback,
        ClientPort = ClientPortOf(serverId),
        DataDir = DataDirOf(serverId),
        DataLogDir = DataDirOf(serverId),
        TickTime = options.TickTime,
        SessionTimeoutMax = TimeSpan.FromHours(1),
        ConnectionsPerAddressMax = 0,
        ConnectionThreads = 1,
        ExtendedTypesEnabled = true,
        FourLetterWords = Configuration.FourLetterWordWhitelist.All,
        PreAllocationBytes = 1 << 20,
        Ensemble = new EnsembleSettings
        {
            Self = new ServerId(serverId),
            Config = config,
            IsObserver = serverId > options.Voters,
        },
    };

    private async Task<string> DescribeIdleAsync(CancellationToken cancellationToken)
    {
        List<string> idle = [];
        foreach ((int id, ServerHost host) in hosts)
        {
            // One that takes no clients while it leads never serves.
            string? why = await LookAsync(
                host, static replica => replica.IsSettled ? null : replica.EnsembleStatus?.Reason ?? "",
                cancellationToken).ConfigureAwait(false);
            if (why is not null)
                idle.Add(why.Length == 0 ? $"server {id} does not serve" : $"server {id} does not serve: {why}");
        }
        return string.Join("; ", idle);
    }

    /// <summary>Looks into a server between two of its steps; a server that broke says why.</summary>
    private static async Task<T> LookAsync<T>(
        ServerHost host, Func<Replica, T> look, CancellationToken cancellationToken)
    {
        if (host.Completion.IsFaulted)
            await host.Completion.ConfigureAwait(false);
        return await host.Runtime.Driver.RunAsync(look).WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    private static int[] FreePorts(int count)
    {
        var free = new HashSet<int>();
        while (free.Count < count)
        {
            int port = Random.Shared.Next(PortMin, PortMax);
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
