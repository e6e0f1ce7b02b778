using System.Net.Sockets;

namespace SharpKeeper.Client.Internal;

/// <summary>How a client reaches a server: sockets, or a fake in tests.</summary>
internal interface ITransport
{
    ValueTask<ITransportConnection> ConnectAsync(ServerEndpoint server, CancellationToken cancellation);
}

/// <summary>A stream of bytes in both directions. One call of each method may be under way at a time.</summary>
internal interface ITransportConnection : IDisposable
{
    /// <summary>Sends all bytes.</summary>
    ValueTask SendAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellation);

    /// <summary>Receives at least a byte; 0 says that the server has closed the connection.</summary>
    ValueTask<int> ReceiveAsync(Memory<byte> buffer, CancellationToken cancellation);
}

/// <summary>Plain TCP.</summary>
internal sealed class SocketTransport : ITransport
{
    public static SocketTransport Instance { get; } = new();

    public async ValueTask<ITransportConnection> ConnectAsync(ServerEndpoint server, CancellationToken cancellation)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(server.Host, server.Port, cancellation).ConfigureAwait(false);
            return new SocketConnection(socket);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private sealed class SocketConnection(Socket socket) : ITransportConnection
    {
        public async ValueTask SendAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellation)
        {
            while (!bytes.IsEmpty)
            {
                int sent = await socket.SendAsync(bytes, SocketFlags.None, cancellation).ConfigureAwait(false);
                bytes = bytes[sent..];
            }
        }

        public ValueTask<int> ReceiveAsync(Memory<byte> buffer, CancellationToken cancellation) =>
            socket.ReceiveAsync(buffer, SocketFlags.None, cancellation);

        public void Dispose() => socket.Dispose();
    }
}
