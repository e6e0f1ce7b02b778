using System.Buffers.Binary;
using System.Net.Sockets;
using SharpKeeper.Protocol;
using SharpKeeper.Protocol.Election;

namespace SharpKeeper.Server.Peers;

/// <summary>An established connection between two election ports.</summary>
internal sealed class ElectionConnection(Socket socket, ServerId peer) : IDisposable
{
    private readonly SemaphoreSlim work = new(0);

    /// <summary>The other server.</summary>
    public ServerId Peer { get; } = peer;

    /// <summary>There is something to send.</summary>
    public void Signal() => work.Release();

    /// <summary>Waits for the next <see cref="Signal"/>.</summary>
    public Task WorkAsync(CancellationToken cancellationToken) => work.WaitAsync(cancellationToken);

    /// <summary>Sends one message.</summary>
    public async Task SendAsync(byte[] payload, CancellationToken cancellationToken)
    {
        byte[] message = new byte[4 + payload.Length];
        BinaryPrimitives.WriteInt32BigEndian(message, payload.Length);
        payload.CopyTo(message, 4);
        await PeerSockets.SendAllAsync(socket, message, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The payload of the next message; null when the connection has ended or what comes is none.</summary>
    public async Task<byte[]?> ReceiveAsync(CancellationToken cancellationToken)
    {
        byte[] head = new byte[4];
        if (!await PeerSockets.ReceiveAllAsync(socket, head, cancellationToken).ConfigureAwait(false))
            return null;
        int length = BinaryPrimitives.ReadInt32BigEndian(head);
        if (length is < 1 or > ElectionFrames.PayloadBytesMax)
            return null;
        byte[] payload = new byte[length];
        bool isWhole = await PeerSockets.ReceiveAllAsync(socket, payload, cancellationToken).ConfigureAwait(false);
        return isWhole ? payload : null;
    }

    /// <summary>Closes the connection; what waits for it ends.</summary>
    public void Dispose() => socket.Dispose();
}
