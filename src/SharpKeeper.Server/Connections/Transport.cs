using System.Net;
using System.Net.Sockets;
using System.Runtime.Versioning;
using Microsoft.Extensions.Logging;

namespace SharpKeeper.Server.Connections;

/// <summary>How a <see cref="Transport"/> works.</summary>
internal sealed record TransportOptions
{
    /// <summary>Whether to use System.Net.Sockets where epoll is available too.</summary>
    public bool UsePortable { get; init; }

    /// <summary>Whether the operating system probes idle peers.</summary>
    public bool KeepAlive { get; init; }

    /// <summary>
    /// Descriptors that the process may open, of which some are kept from peers; null for the process's limit.
    /// </summary>
    public int? DescriptorsMax { get; init; }

    /// <summary>
    /// Is told, on the loop's thread, of an exception that a handler threw, which ends the loop. By default it is
    /// thrown on, which ends the process.
    /// </summary>
    public Action<Exception> Failed { get; init; } = static exception =>
        throw new InvalidOperationException("A connection loop has failed: " + exception.Message, exception);
}

/// <summary>
/// Listens on one address and serves the accepted connections on a fixed number of threads. On Linux the loops use
/// epoll directly, elsewhere System.Net.Sockets.
/// </summary>
internal sealed class Transport : IAsyncDisposable
{
    private static readonly TimeSpan StopTimeMax = TimeSpan.FromSeconds(10);

    private readonly TransportOptions options;
    private readonly ILogger logger;
    private readonly Lock moveLock = new();
    private ConnectionLoop[] loops = [];
    private IListener? listener;
    private bool isStopped;

    /// <summary>Creates a transport that does nothing before <see cref="Start"/>.</summary>
    public Transport(TransportOptions options, ILogger logger)
    {
        this.options = options;
        this.logger = logger;
    }

    /// <summary>The address listened on, with the real port; valid after <see cref="Start"/>.</summary>
    public IPEndPoint LocalEndPoint { get; private set; } = new(IPAddress.None, 0);

    /// <summary>The loops; empty before <see cref="Start"/>.</summary>
    public IReadOnlyList<ConnectionLoop> Loops => loops;

    /// <summary>Number of connections on all loops.</summary>
    public int ConnectionCount => loops.Sum(loop => loop.ConnectionCount);

    /// <summary>
    /// Opens the listener and starts the loops. The IPv6 wildcard address takes IPv4 peers too. Each handler is made
    /// on the calling thread and used on its loop's thread only.
    /// </summary>
    /// <exception cref="SocketException">The address cannot be listened on.</exception>
    public void Start(IPEndPoint address, int backlog, int loopCount, Func<int, ILoopHandler> createHandler)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(loopCount, 1);
        if (listener is not null)
            throw new InvalidOperationException("The transport has been started already.");
        Socket socket = Open(address, backlog);
        try
        {
            Serve(socket, loopCount, createHandler);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Listens on another address in place of the present one; connections go on. Must not be called on a loop's
    /// thread.
    /// </summary>
    /// <exception cref="SocketException">It cannot be listened on; the present address stays in use.</exception>
    public void MoveTo(IPEndPoint address, int backlog)
    {
        lock (moveLock)
        {
            if (isStopped || address.Equals(LocalEndPoint))
                return;
            IPEndPoint former = LocalEndPoint;
            // Two addresses may share the port, and then exclude each other.
            if (former.Port == address.Port)
                StopAccepting();
            Socket socket;
            try
            {
                socket = Open(address, backlog);
            }
            catch (SocketException) when (listener is null)
            {
                Listen(Open(former, backlog));
                throw;
            }
            StopAccepting();
            Listen(socket);
        }
    }

    /// <summary>Closes the listener; connections go on. No peer is accepted once the call has returned.</summary>
    public void StopAccepting()
    {
        if (Interlocked.Exchange(ref listener, null) is not { } stopped)
            return;
        ConnectionLoop first = loops[0];
        if (first.IsCurrent)
        {
            stopped.Stop();
            return;
        }
        var done = new TaskCompletionSource();
        first.Post(() =>
        {
            stopped.Stop();
            done.SetResult();
        });
        // A loop that has failed runs nothing any more.
        if (Task.WaitAny([done.Task, first.Ended], StopTimeMax) == 1 && !done.Task.IsCompleted)
            stopped.Stop();
    }

    /// <summary>
    /// Stops accepting, closes all connections with <see cref="CloseReason.Server"/>, gives queued output a second to
    /// go out, and ends the loops. Must not be called on a loop's thread.
    /// </summary>
    public async ValueTask DisposeAsync()
    {
        lock (moveLock)
            isStopped = true;
        StopAccepting();
        foreach (ConnectionLoop loop in loops)
            loop.RequestStop();
        foreach (ConnectionLoop loop in loops)
            await loop.Ended.WaitAsync(StopTimeMax).ConfigureAwait(false);
    }

    private void Serve(Socket socket, int loopCount, Func<int, ILoopHandler> createHandler)
    {
        if (OperatingSystem.IsLinux() && !options.UsePortable)
            loops = CreateEpoll(loopCount, createHandler);
        else
            loops = Create(loopCount, i => new SocketLoop(i, createHandler(i), options.Failed));
        foreach (ConnectionLoop loop in loops)
            loop.Start();
        Listen(socket);
    }

    private void Listen(Socket socket)
    {
        LocalEndPoint = (IPEndPoint)socket.LocalEndPoint!;
        var guard = new AcceptGuard(logger, options.DescriptorsMax);
        listener = OperatingSystem.IsLinux() && !options.UsePortable
            ? new EpollListener(socket, (EpollLoop[])loops, guard)
            : new SocketListener(socket, (SocketLoop[])loops, guard);
        listener.Start();
    }

    [SupportedOSPlatform("linux")]
    private EpollLoop[] CreateEpoll(int loopCount, Func<int, ILoopHandler> createHandler) =>
        Create(loopCount, i => new EpollLoop(i, createHandler(i), options.Failed));

    private static T[] Create<T>(int count, Func<int, T> create)
    {
        var made = new T[count];
        for (int i = 0; i < count; i++)
            made[i] = create(i);
        return made;
    }

    private Socket Open(IPEndPoint address, int backlog)
    {
        // A system without IPv6 can still serve all its IPv4 addresses.
        if (address.Address.Equals(IPAddress.IPv6Any) && !Socket.OSSupportsIPv6)
            address = new IPEndPoint(IPAddress.Any, address.Port);
        var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            if (address.AddressFamily == AddressFamily.InterNetworkV6)
                socket.DualMode = address.Address.Equals(IPAddress.IPv6Any);
            // Accepted sockets inherit it.
            if (options.KeepAlive)
                socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
            socket.Bind(address);
            socket.Listen(backlog);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
