using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using SharpKeeper.Protocol;
using SharpKeeper.Protocol.Quorum;

namespace SharpKeeper.Server.Peers;

/// <summary>
/// Carries vote notifications between the election ports: unreliable, the newest message to a server takes the place of
/// one that is not sent yet. Between two servers there is one connection, made by the one with the larger number.
/// </summary>
internal sealed partial class ElectionNetwork : IAsyncDisposable
{
    // Servers outside the configurations that are remembered.
    private const int StrangersMax = 64;

    // New connections that have not said who they are.
    private const int HandshakesMax = 64;

    private readonly ElectionNetworkOptions options;
    private readonly IElectionEvents events;
    private readonly ILogger logger;
    private readonly Lock stateLock = new();
    private readonly Dictionary<ServerId, ElectionPeer> peers = [];
    private readonly CancellationTokenSource stopping = new();
    private readonly TaskCompletionSource ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly SemaphoreSlim connects;
    private IReadOnlyList<PeerAddress> own = [];
    private PeerListener? listener;
    private int running = 1;
    private int handshakes;
    private long lastStranger;

    /// <summary>Creates the network; nothing is opened.</summary>
    public ElectionNetwork(ElectionNetworkOptions options, IElectionEvents events, ILogger logger)
    {
        this.options = options;
        this.events = events;
        this.logger = logger;
        connects = new SemaphoreSlim(options.ConnectsMax);
    }

    /// <summary>Where the election port is; empty before <see cref="ListenAsync"/>.</summary>
    public IReadOnlyList<IPEndPoint> ListeningOn
    {
        get
        {
            lock (stateLock)
                return listener?.LocalEndPoints ?? [];
        }
    }

    /// <summary>Opens the election port at the server's own addresses, in the place of the ones before.</summary>
    /// <exception cref="IOException">The port cannot be had; the message says what to do.</exception>
    public async Task ListenAsync(IReadOnlyList<PeerAddress> addresses, CancellationToken cancellationToken)
    {
        PeerListener? former;
        lock (stateLock)
        {
            former = listener;
            listener = null;
        }
        former?.Dispose();
        for (int attempt = 0; ; attempt++)
        {
            try
            {
                IReadOnlyList<IPEndPoint> ends = await ListenAddresses.FindAsync(
                    addresses, options.ListensOnAllAddresses, cancellationToken).ConfigureAwait(false);
                Open(ends, addresses);
                return;
            }
            catch (SocketException exception) when (options.BindRetries == 0 || attempt < options.BindRetries)
            {
                LogBindRetry(string.Join(", ", addresses), exception.Message);
            }
            catch (SocketException exception)
            {
                throw new IOException(
                    $"The election port {string.Join(", ", addresses)} cannot be listened on: {exception.Message}. Free "
                    + "the port, or correct the server line of this server; electionPortBindRetry says how often it is "
                    + "tried.",
                    exception);
            }
            await Task.Delay(options.BindRetryDelay, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Says which servers there are and where.</summary>
    public void Use(EnsembleConfig config, EnsembleConfig? next)
    {
        lock (stateLock)
        {
            foreach (ElectionPeer peer in peers.Values)
                peer.Configured = [];
            foreach (EnsembleServer server in config.Servers)
                AddAddresses(server);
            foreach (EnsembleServer server in next?.Servers ?? [])
                AddAddresses(server);
        }
    }

    /// <summary>Is there a connection to that server?</summary>
    public bool IsConnected(ServerId server)
    {
        lock (stateLock)
            return peers.TryGetValue(server, out ElectionPeer? peer) && peer.Connection is not null;
    }

    /// <summary>
    /// Sends a message as soon as there is a connection, which is made if there is none. Never waits.
    /// </summary>
    public void Send(ServerId to, byte[] payload)
    {
        lock (stateLock)
        {
            if (to == options.Self || Find(to) is not { } peer)
                return;
            peer.Pending = payload;
            if (peer.Connection is { } connection)
                connection.Signal();
            else
                Connect(peer);
        }
    }

    /// <summary>Closes everything; no report comes after that.</summary>
    public async ValueTask DisposeAsync()
    {
        lock (stateLock)
        {
            if (stopping.IsCancellationRequested)
                return;
        }
        await stopping.CancelAsync().ConfigureAwait(false);
        lock (stateLock)
        {
            listener?.Dispose();
            foreach (ElectionPeer peer in peers.Values)
                peer.Connection?.Dispose();
        }
        Leave();
        await ended.Task.ConfigureAwait(false);
    }

    private void Open(IReadOnlyList<IPEndPoint> ends, IReadOnlyList<PeerAddress> addresses)
    {
        lock (stateLock)
        {
            if (stopping.IsCancellationRequested)
                return;
            listener = PeerListener.Open(ends, options.KeepAlive, Accept);
            // A port of 0 has become a real one.
            own = [.. addresses.Select(
                (it, i) => it.Port == 0 ? it with { Port = listener.LocalEndPoints[i].Port } : it)];
        }
    }

    // Under the lock.
    private void AddAddresses(EnsembleServer server)
    {
        if (server.Id == options.Self)
            return;
        if (!peers.TryGetValue(server.Id, out ElectionPeer? peer))
            peers.Add(server.Id, peer = new ElectionPeer(server.Id));
        PeerAddress[] addresses = [.. server.Addresses.Select(static it => new PeerAddress(it.Host, it.ElectionPort))];
        if (!peer.Configured.Any(it => it.SequenceEqual(addresses)))
            peer.Configured = [.. peer.Configured, addresses];
    }

    /// <summary>What is known of a server, a stranger included; null when there are too many strangers.</summary>
    private ElectionPeer? Find(ServerId id)
    {
        if (peers.TryGetValue(id, out ElectionPeer? peer))
            return peer;
        if (peers.Values.Count(static it => !it.IsKnown) >= StrangersMax)
        {
            ElectionPeer? idle = peers.Values.FirstOrDefault(
                static it => it is { IsKnown: false, Connection: null, IsConnecting: false });
            if (idle is null)
                return null;
            peers.Remove(idle.Id);
        }
        peers.Add(id, peer = new ElectionPeer(id));
        return peer;
    }

    /// <summary>Runs something whose end <see cref="DisposeAsync"/> waits for.</summary>
    private void Run(Func<Task> action)
    {
        Interlocked.Increment(ref running);
        _ = Task.Run(async () =>
        {
            try
            {
                await action().ConfigureAwait(false);
            }
            catch (Exception exception) when (PeerSockets.IsEnd(exception))
            {
                // The end of a connection that nobody waits for any more.
            }
            finally
            {
                Leave();
            }
        });
    }

    private void Leave()
    {
        if (Interlocked.Decrement(ref running) == 0)
            ended.TrySetResult();
    }

    [LoggerMessage(EventId = 210, Level = LogLevel.Warning, Message =
        "The election port {Addresses} cannot be listened on yet: {Reason}. It is tried again.")]
    private partial void LogBindRetry(string addresses, string reason);
}
