using System.Net.Sockets;

namespace SharpKeeper.Server.Peers;

/// <summary>Whole reads and writes.</summary>
internal static class PeerSockets
{
    /// <summary>Fills <paramref name="destination"/>; false if the connection ends before.</summary>
    public static async ValueTask<bool> ReceiveAllAsync(
        Socket socket, Memory<byte> destination, CancellationToken cancellationToken)
    {
        while (!destination.IsEmpty)
        {
            int received = await socket.ReceiveAsync(destination, cancellationToken).ConfigureAwait(false);
            if (received == 0)
                return false;
            destination = destination[received..];
        }
        return true;
    }

    /// <summary>Sends all of <paramref name="bytes"/>.</summary>
    public static async ValueTask SendAllAsync(
        Socket socket, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        while (!bytes.IsEmpty)
        {
            int sent = await socket.SendAsync(bytes, cancellationToken).ConfigureAwait(false);
            bytes = bytes[sent..];
        }
    }

    /// <summary>Is this how a connection ends that the other side or this one has closed?</summary>
    public static bool IsEnd(Exception exception) =>
        exception is SocketException or ObjectDisposedException or OperationCanceledException;
}
