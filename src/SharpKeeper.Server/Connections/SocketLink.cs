using System.Net.Sockets;

namespace SharpKeeper.Server.Connections;

/// <summary>What a connection of the portable transport owns: its socket and the operations under way on it.</summary>
internal sealed class SocketLink : IDisposable
{
    public SocketLink(Socket socket, SocketLoop loop, Connection connection)
    {
        Socket = socket;
        Receiving = new SocketOperation(loop, connection, isSend: false);
        // A receive of no bytes waits for input without tying up a buffer.
        Receiving.SetBuffer(Array.Empty<byte>(), 0, 0);
    }

    public Socket Socket { get; }

    public SocketOperation Receiving { get; }

    public SocketOperation? Sending { get; set; }

    public bool IsReceiving { get; set; }

    public bool IsSending { get; set; }

    public void Dispose()
    {
        Socket.Dispose();
        Receiving.Dispose();
        Sending?.Dispose();
    }
}

/// <summary>An operation whose completion is handed to the loop's thread.</summary>
internal sealed class SocketOperation(SocketLoop loop, Connection connection, bool isSend)
    : SocketAsyncEventArgs(true)
{
    public Connection Connection { get; } = connection;

    public bool IsSend { get; } = isSend;

    protected override void OnCompleted(SocketAsyncEventArgs e) => loop.Complete(this);
}
