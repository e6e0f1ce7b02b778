using System.Net;
using System.Net.Sockets;

namespace SharpKeeper.Server.Peers;

/// <summary>Where another server can be reached.</summary>
/// <param name="Host">A name or an address, without brackets.</param>
/// <param name="Port">The port.</param>
internal readonly record struct PeerAddress(string Host, int Port)
{
    /// <summary>As in a configuration: <c>host:port</c>, an IPv6 address in brackets.</summary>
    public override string ToString() => Host.Contains(':') ? $"[{Host}]:{Port}" : $"{Host}:{Port}";
}

/// <summary>Connects to other servers: names are resolved each time, several addresses are tried at once.</summary>
internal static class PeerDialer
{
    /// <summary>The end points of an address; names are looked up.</summary>
    /// <exception cref="SocketException">The name is not known.</exception>
    public static async ValueTask<IPEndPoint[]> ResolveAsync(PeerAddress address, CancellationToken cancellationToken)
    {
        if (IPAddress.TryParse(address.Host, out IPAddress? literal))
            return [new IPEndPoint(literal, address.Port)];
        try
        {
            IPAddress[] found = await Dns.GetHostAddressesAsync(address.Host, cancellationToken).ConfigureAwait(false);
            return [.. found.Select(ip => new IPEndPoint(ip, address.Port))];
        }
        catch (ArgumentException)
        {
            // Too long for a name. It came from a configuration or a stranger, and is like any other nobody knows.
            throw new SocketException((int)SocketError.HostNotFound);
        }
    }

    /// <summary>A connection to the first of <paramref name="addresses"/> that answers.</summary>
    /// <exception cref="SocketException">None of them does.</exception>
    /// <exception cref="OperationCanceledException">The time is over, or the caller does not want it any more.
    /// </exception>
    public static async Task<Socket> ConnectAsync(
        IReadOnlyList<PeerAddress> addresses, TimeSpan timeout, bool keepAlive, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(timeout);
        if (addresses.Count == 1)
            return await ConnectAsync(addresses[0], keepAlive, limit.Token).ConfigureAwait(false);
        List<Task<Socket>> attempts = [.. addresses.Select(it => ConnectAsync(it, keepAlive, limit.Token))];
        Exception? failure = null;
        while (attempts.Count > 0)
        {
            Task<Socket> first = await Task.WhenAny(attempts).ConfigureAwait(false);
            attempts.Remove(first);
            if (first.IsCompletedSuccessfully)
            {
                await limit.CancelAsync().ConfigureAwait(false);
                await CloseAllAsync(attempts).ConfigureAwait(false);
                return await first.ConfigureAwait(false);
            }
            failure = first.Exception?.InnerException ?? failure;
        }
        throw failure ?? new OperationCanceledException(limit.Token);
    }

    private static async Task<Socket> ConnectAsync(
        PeerAddress address, bool keepAlive, CancellationToken cancellationToken)
    {
        SocketException? failure = null;
        foreach (IPEndPoint end in await ResolveAsync(address, cancellationToken).ConfigureAwait(false))
        {
            try
            {
                return await ConnectAsync(end, keepAlive, cancellationToken).ConfigureAwait(false);
            }
            catch (SocketException exception)
            {
                failure = exception;
            }
        }
        throw failure ?? new SocketException((int)SocketError.HostNotFound);
    }

    private static async Task<Socket> ConnectAsync(
        IPEndPoint end, bool keepAlive, CancellationToken cancellationToken)
    {
        var socket = new Socket(end.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            Prepare(socket, keepAlive);
            await Task.Factory.StartNew(() => Connect(socket, end, cancellationToken), cancellationToken,
                TaskCreationOptions.LongRunning, TaskScheduler.Default).ConfigureAwait(false);
            // On one machine a socket can meet itself on a port that nobody listens on yet.
            if (Equals(socket.LocalEndPoint, socket.RemoteEndPoint))
                throw new SocketException((int)SocketError.ConnectionRefused);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Connects and waits, on a thread of its own. A socket that has once done anything asynchronously wakes the pool for
    /// every packet that comes, even when only a thread of its own reads it: that was half of a follower's CPU time.
    /// </summary>
    private static void Connect(Socket socket, IPEndPoint end, CancellationToken cancellationToken)
    {
        try
        {
            using (cancellationToken.UnsafeRegister(static given => ((Socket)given!).Dispose(), socket))
                socket.Connect(end);
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            cancellationToken.ThrowIfCancellationRequested();
            throw;
        }
    }

    /// <summary>Sets what every socket between servers has.</summary>
    public static void Prepare(Socket socket, bool keepAlive)
    {
        socket.NoDelay = true;
        if (keepAlive)
            socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
    }

    private static async Task CloseAllAsync(List<Task<Socket>> attempts)
    {
        foreach (Task<Socket> attempt in attempts)
        {
            // They have been called off; one may have been faster than that.
            await Task.WhenAny(attempt).ConfigureAwait(false);
            if (attempt.IsCompletedSuccessfully)
                (await attempt.ConfigureAwait(false)).Dispose();
        }
    }
}
