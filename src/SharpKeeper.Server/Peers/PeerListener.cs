using System.Net;
using System.Net.Sockets;

namespace SharpKeeper.Server.Peers;

/// <summary>Listens on one or several addresses for other servers and hands over each connection.</summary>
internal sealed class PeerListener : IDisposable
{
    private const int Backlog = 256;

    // How long nobody is accepted after the system had no resources for one more.
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    private readonly List<Socket> sockets = [];
    private readonly CancellationTokenSource stopping = new();
    private readonly Action<Socket> accepted;
    private readonly bool keepAlive;

    private PeerListener(Action<Socket> accepted, bool keepAlive)
    {
        this.accepted = accepted;
        this.keepAlive = keepAlive;
    }

    /// <summary>The addresses that are listened on.</summary>
    public IReadOnlyList<IPEndPoint> LocalEndPoints { get; private set; } = [];

    /// <summary>Opens all addresses or none. <paramref name="accepted"/> is called on threads of the pool and owns the
    /// socket.</summary>
    /// <exception cref="SocketException">An address cannot be listened on.</exception>
    public static PeerListener Open(IEnumerable<IPEndPoint> addresses, bool keepAlive, Action<Socket> accepted)
    {
        var listener = new PeerListener(accepted, keepAlive);
        try
        {
            foreach (IPEndPoint address in addresses)
                listener.sockets.Add(Bind(address));
        }
        catch
        {
            listener.Dispose();
            throw;
        }
        listener.LocalEndPoints = [.. listener.sockets.Select(static socket => (IPEndPoint)socket.LocalEndPoint!)];
        foreach (Socket socket in listener.sockets)
            _ = listener.AcceptAsync(socket);
        return listener;
    }

    /// <summary>Closes the ports; they are free when the call returns.</summary>
    public void Dispose()
    {
        stopping.Cancel();
        foreach (Socket socket in sockets)
            socket.Dispose();
    }

    private static Socket Bind(IPEndPoint address)
    {
        if (address.Address.Equals(IPAddress.IPv6Any) && !Socket.OSSupportsIPv6)
            address = new IPEndPoint(IPAddress.Any, address.Port);
        var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            if (address.AddressFamily == AddressFamily.InterNetworkV6)
                socket.DualMode = address.Address.Equals(IPAddress.IPv6Any);
            socket.Bind(address);
            socket.Listen(Backlog);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private async Task AcceptAsync(Socket listening)
    {
        while (!stopping.IsCancellationRequested)
        {
            try
            {
                Socket socket = await listening.AcceptAsync(stopping.Token).ConfigureAwait(false);
                Take(socket);
            }
            catch (Exception exception) when (exception is OperationCanceledException or ObjectDisposedException)
            {
                return;
            }
            catch (SocketException)
            {
                // A peer that has gone again, or too few descriptors: both pass.
                if (!stopping.IsCancellationRequested)
                    await Task.Delay(Pause).ConfigureAwait(false);
            }
        }
    }

    private void Take(Socket socket)
    {
        try
        {
            PeerDialer.Prepare(socket, keepAlive);
        }
        catch (SocketException)
        {
            // It has gone already.
            socket.Dispose();
            return;
        }
        accepted(socket);
    }
}
