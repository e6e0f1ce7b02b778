using System.Net;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace SharpKeeper.Server.Testing;

/// <summary>What a <see cref="KeeperTestServer"/> is to be like.</summary>
public sealed record KeeperTestServerOptions
{
    /// <summary>Where the data are kept; null, the default, keeps them in memory.</summary>
    public string? DataDir { get; init; }

    /// <summary>Length of a tick; the default of 100 ms allows session timeouts from 200 ms to an hour.</summary>
    public TimeSpan TickTime { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>Changes the settings a server starts with.</summary>
    public Func<ServerOptions, ServerOptions>? Configure { get; init; }

    /// <summary>Where the server logs; nowhere by default.</summary>
    public ILoggerFactory LoggerFactory { get; init; } = NullLoggerFactory.Instance;
}

/// <summary>
/// A real server inside the process of a test: on a free port of the loopback address, in memory unless told
/// otherwise, ready in milliseconds, gone with its disposal.
/// </summary>
public sealed class KeeperTestServer : IAsyncDisposable
{
    private readonly KeeperTestServerOptions options;
    private ServerHost? host;

    private KeeperTestServer(KeeperTestServerOptions options) => this.options = options;

    /// <summary>The port, the same after a restart.</summary>
    public int Port { get; private set; }

    /// <summary>What a client's connect string must say.</summary>
    public string ConnectString => $"127.0.0.1:{Port}";

    /// <summary>Starts a server; it serves when the task is done.</summary>
    public static async Task<KeeperTestServer> StartAsync(
        KeeperTestServerOptions? options = null, CancellationToken cancellationToken = default)
    {
        var server = new KeeperTestServer(options ?? new KeeperTestServerOptions());
        await server.StartHostAsync(cancellationToken).ConfigureAwait(false);
        return server;
    }

    /// <summary>Stops the server; clients find nobody until <see cref="RestartAsync"/>.</summary>
    public async Task StopAsync()
    {
        if (host is not { } running)
            return;
        host = null;
        await running.DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>
    /// Stops the server if it runs and starts it again on the same port; with a data directory sessions and data are
    /// still there, in memory everything is gone.
    /// </summary>
    public async Task RestartAsync(CancellationToken cancellationToken = default)
    {
        await StopAsync().ConfigureAwait(false);
        await StartHostAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync() => await StopAsync().ConfigureAwait(false);

    private async Task StartHostAsync(CancellationToken cancellationToken)
    {
        var settings = new ServerOptions
        {
            ClientAddress = IPAddress.Loopback,
            ClientPort = Port,
            InMemory = options.DataDir is null,
            DataDir = options.DataDir ?? "memory",
            TickTime = options.TickTime,
            SessionTimeoutMax = TimeSpan.FromHours(1),
            ConnectionsPerAddressMax = 0,
            ConnectionThreads = 1,
            ExtendedTypesEnabled = true,
            FourLetterWords = Configuration.FourLetterWordWhitelist.All,
            PreAllocationBytes = 1 << 20,
        };
        settings = options.Configure?.Invoke(settings) ?? settings;
        host = await ServerHost.StartAsync(settings, options.LoggerFactory, cancellationToken).ConfigureAwait(false);
        Port = host.ClientPort;
    }
}
