using SharpKeeper.Client.Internal;
using SharpKeeper.Protocol;

namespace SharpKeeper.Client;

/// <summary>
/// The client of ZooKeeper-protocol servers. It starts to connect when it is made, reconnects by itself and may be used
/// by many threads at once; one per process is the rule. It uses no thread of its own.
/// </summary>
public sealed partial class KeeperClient : IKeeperClient
{
    private readonly ClientSession session;

    /// <summary>Makes a client that connects in the background; operations wait until it has.</summary>
    /// <exception cref="ArgumentException">An option is out of range; the message names it.</exception>
    public KeeperClient(KeeperClientOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        session = new ClientSession(options);
        if (options.FollowConfig)
            _ = Task.Run(new ConfigFollower(this, session).RunAsync);
    }

    /// <inheritdoc cref="KeeperClient(KeeperClientOptions)"/>
    /// <param name="connectString">See <see cref="KeeperClientOptions.ConnectString"/>.</param>
    public KeeperClient(string connectString)
        : this(new KeeperClientOptions { ConnectString = connectString })
    {
    }

    /// <inheritdoc/>
    public event Action<KeeperState>? StateChanged
    {
        add => session.StateChanged += value;
        remove => session.StateChanged -= value;
    }

    /// <inheritdoc/>
    public event Action<WatchedEvent>? WatchFired
    {
        add => session.WatchFired += value;
        remove => session.WatchFired -= value;
    }

    /// <inheritdoc/>
    public KeeperState State => session.State;

    /// <inheritdoc/>
    public KeeperSession Session => session.Identity;

    /// <inheritdoc/>
    public TimeSpan SessionTimeout => session.Timeout;

    /// <inheritdoc/>
    public Zxid LastZxid => session.LastZxid;

    /// <inheritdoc/>
    public string? ConnectedServer => session.Server;

    /// <inheritdoc/>
    public string Chroot => session.Chroot;

    /// <summary>Makes a client and waits until a server serves it.</summary>
    /// <exception cref="ConnectionLossException">
    /// No server did within <see cref="KeeperClientOptions.ConnectTimeout"/>.
    /// </exception>
    /// <exception cref="SessionExpiredException">The session to go on with has ended.</exception>
    /// <exception cref="ArgumentException">An option is out of range; the message names it.</exception>
    public static async Task<KeeperClient> ConnectAsync(
        KeeperClientOptions options, CancellationToken cancellation)
    {
        var client = new KeeperClient(options);
        try
        {
            await client.session.WaitForFirstServerAsync(cancellation).ConfigureAwait(false);
            return client;
        }
        catch
        {
            await client.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <inheritdoc cref="ConnectAsync(KeeperClientOptions, CancellationToken)"/>
    public static Task<KeeperClient> ConnectAsync(KeeperClientOptions options) =>
        ConnectAsync(options, CancellationToken.None);

    /// <inheritdoc cref="ConnectAsync(KeeperClientOptions, CancellationToken)"/>
    /// <param name="connectString">See <see cref="KeeperClientOptions.ConnectString"/>.</param>
    public static Task<KeeperClient> ConnectAsync(string connectString) =>
        ConnectAsync(connectString, CancellationToken.None);

    /// <inheritdoc cref="ConnectAsync(KeeperClientOptions, CancellationToken)"/>
    /// <param name="connectString">As <see cref="KeeperClientOptions.ConnectString"/>.</param>
    /// <param name="cancellation">Gives up waiting for the connection.</param>
    public static Task<KeeperClient> ConnectAsync(string connectString, CancellationToken cancellation) =>
        ConnectAsync(new KeeperClientOptions { ConnectString = connectString }, cancellation);

    /// <inheritdoc/>
    public Task WaitForStateAsync(KeeperState state, CancellationToken cancellation = default) =>
        session.WaitForStateAsync(reached => reached == state, cancellation);

    /// <inheritdoc/>
    public Task CloseAsync() => session.CloseAsync();

    /// <inheritdoc cref="CloseAsync"/>
    public async ValueTask DisposeAsync() => await session.CloseAsync().ConfigureAwait(false);
}
