using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using SharpKeeper.Core.Zab;

namespace SharpKeeper.Server.Peers;

/// <summary>
/// The connections between a leader and its learners: the port that learners connect to, the connection to the leader,
/// and packets over both.
/// </summary>
internal sealed partial class QuorumNetwork : IAsyncDisposable
{
    private static readonly TimeSpan FirstRetryDelay = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan ListenRetryDelay = TimeSpan.FromMilliseconds(50);

    private readonly QuorumNetworkOptions options;
    private readonly IQuorumEvents events;
    private readonly ILogger logger;
    private readonly Lock stateLock = new();
    private readonly HashSet<QuorumConnection> connections = [];
    private CancellationTokenSource? listening;
    private readonly TaskCompletionSource ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private PeerListener? listener;
    private bool isStopped;

    /// <summary>Creates the network; nothing is opened.</summary>
    public QuorumNetwork(QuorumNetworkOptions options, IQuorumEvents events, ILogger logger)
    {
        this.options = options;
        this.events = events;
        this.logger = logger;
    }

    /// <summary>Where learners can connect now; empty while nobody can.</summary>
    public IReadOnlyList<IPEndPoint> ListeningOn
    {
        get
        {
            lock (stateLock)
                return listener?.LocalEndPoints ?? [];
        }
    }

    /// <summary>
    /// Opens the quorum port at <paramref name="addresses"/> (the server's own ones). If that fails it is tried again
    /// until <see cref="StopListening"/>.
    /// </summary>
    public void Listen(IReadOnlyList<PeerAddress> addresses)
    {
        CancellationToken stopped;
        lock (stateLock)
        {
            if (isStopped || listening is not null)
                return;
            listening = new CancellationTokenSource();
            stopped = listening.Token;
        }
        _ = ListenAsync(addresses, stopped);
    }

    /// <summary>Closes the quorum port, which is free when the call returns. Connections stay.</summary>
    public void StopListening()
    {
        PeerListener? closed;
        lock (stateLock)
        {
            listening?.Cancel();
            listening = null;
            closed = listener;
            listener = null;
        }
        closed?.Dispose();
    }

    /// <summary>
    /// Connects a link to one of <paramref name="addresses"/>, and tries again until that succeeds, the link is hung
    /// up, or connections have been refused for too long.
    /// </summary>
    public void Dial(PeerLink link, IReadOnlyList<PeerAddress> addresses)
    {
        var connection = new QuorumConnection(link, isDialled: true, options, events, Forget);
        link.Description = string.Join(" or ", addresses);
        if (!Remember(connection))
            connection.GiveUp("the server stops");
        else if (addresses.Count == 0)
            connection.GiveUp("its address is not known");
        else
            _ = DialAsync(connection, addresses);
    }

    /// <summary>Closes everything; no report comes after that.</summary>
    public async ValueTask DisposeAsync()
    {
        QuorumConnection[] open;
        lock (stateLock)
        {
            isStopped = true;
            open = [.. connections];
            if (open.Length == 0)
                ended.TrySetResult();
        }
        StopListening();
        foreach (QuorumConnection connection in open)
            connection.Close("the server stops");
        await ended.Task.ConfigureAwait(false);
    }

    private async Task ListenAsync(IReadOnlyList<PeerAddress> addresses, CancellationToken stopped)
    {
        bool isReported = false;
        while (!stopped.IsCancellationRequested)
        {
            try
            {
                IReadOnlyList<IPEndPoint> ends =
                    await ListenAddresses.FindAsync(addresses, options.ListensOnAllAddresses, stopped)
                        .ConfigureAwait(false);
                Open(ends, stopped);
                return;
            }
            catch (SocketException exception)
            {
                if (!isReported)
                    LogCannotListen(string.Join(", ", addresses), exception.Message);
                isReported = true;
            }
            catch (OperationCanceledException)
            {
                return;
            }
            await Task.WhenAny(Task.Delay(ListenRetryDelay, stopped)).ConfigureAwait(false);
        }
    }

    private void Open(IReadOnlyList<IPEndPoint> ends, CancellationToken stopped)
    {
        lock (stateLock)
        {
            if (stopped.IsCancellationRequested)
                return;
            listener = PeerListener.Open(ends, options.KeepAlive, socket => Accept(socket, stopped));
        }
    }

    private void Accept(Socket socket, CancellationToken stopped)
    {
        var link = new PeerLink { Description = DescribeRemote(socket) };
        var connection = new QuorumConnection(link, isDialled: false, options, events, Forget);
        if (stopped.IsCancellationRequested || !Remember(connection))
        {
            socket.Dispose();
            return;
        }
        connection.Start(socket);
    }

    private async Task DialAsync(QuorumConnection connection, IReadOnlyList<PeerAddress> addresses)
    {
        TimeSpan delay = FirstRetryDelay;
        long started = Stopwatch.GetTimestamp();
        string? failure = null;
        while (!connection.IsClosed)
        {
            try
            {
                Socket socket = await PeerDialer.ConnectAsync(
                    addresses, options.ConnectTimeout, options.KeepAlive, connection.Closing).ConfigureAwait(false);
                connection.Start(socket);
                return;
            }
            catch (SocketException exception)
            {
                failure = exception.Message;
                bool isRefused = exception.SocketErrorCode == SocketError.ConnectionRefused;
                if (isRefused && Stopwatch.GetElapsedTime(started) > options.RefusedTimeMax)
                    break;
            }
            catch (OperationCanceledException)
            {
                failure = "it does not answer";
            }
            if (await WaitAsync(delay, connection.Closing).ConfigureAwait(false))
                delay = Min(delay * 2, options.ConnectRetryDelayMax);
        }
        if (failure is not null)
            LogNotReached(connection.Link.Description, failure);
        connection.GiveUp("it was not reached");
    }

    private static TimeSpan Min(TimeSpan left, TimeSpan right) => left < right ? left : right;

    private static async Task<bool> WaitAsync(TimeSpan delay, CancellationToken cancellationToken)
    {
        Task waiting = Task.Delay(delay, cancellationToken);
        await Task.WhenAny(waiting).ConfigureAwait(false);
        return waiting.IsCompletedSuccessfully;
    }

    private bool Remember(QuorumConnection connection)
    {
        lock (stateLock)
        {
            if (isStopped || connections.Count >= options.ConnectionsMax)
                return false;
            connections.Add(connection);
            return true;
        }
    }

    private void Forget(QuorumConnection connection)
    {
        lock (stateLock)
        {
            connections.Remove(connection);
            if (isStopped && connections.Count == 0)
                ended.TrySetResult();
        }
    }

    private static string DescribeRemote(Socket socket)
    {
        try
        {
            return socket.RemoteEndPoint?.ToString() ?? "?";
        }
        catch (SocketException)
        {
            return "?";
        }
    }

    [LoggerMessage(EventId = 200, Level = LogLevel.Error, Message =
        "Cannot listen for learners on {Addresses}: {Reason}. It is tried again as long as this server leads.")]
    private partial void LogCannotListen(string addresses, string reason);

    [LoggerMessage(EventId = 201, Level = LogLevel.Warning, Message =
        "The leader's quorum port {Address} was not reached: {Reason}.")]
    private partial void LogNotReached(string address, string reason);
}
