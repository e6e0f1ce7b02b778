using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace SharpKeeper.CompatTests.Differential;

/// <summary>A TCP connection that sends and receives frames and knows nothing of what is in them.</summary>
internal sealed class WireConnection : IDisposable
{
    private readonly Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp)
    {
        NoDelay = true,
    };

    public static async Task<WireConnection> OpenAsync(int port, CancellationToken cancellation)
    {
        var connection = new WireConnection();
        await connection.socket.ConnectAsync(new IPEndPoint(IPAddress.Loopback, port), cancellation);
        return connection;
    }

    /// <summary>Sends bytes as they are; a peer that has closed already is noticed by the next receive.</summary>
    public async Task SendAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellation)
    {
        try
        {
            while (bytes.Length > 0)
                bytes = bytes[await socket.SendAsync(bytes, cancellation)..];
        }
        catch (SocketException)
        {
            // The receiving side reports the end of the connection.
        }
    }

    public Task SendFrameAsync(ReadOnlySpan<byte> payload, CancellationToken cancellation)
    {
        var frame = new byte[4 + payload.Length];
        BinaryPrimitives.WriteInt32BigEndian(frame, payload.Length);
        payload.CopyTo(frame.AsSpan(4));
        return SendAsync(frame, cancellation);
    }

    /// <summary>The next frame's payload, or null once the peer has closed the connection.</summary>
    public async Task<byte[]?> ReceiveFrameAsync(CancellationToken cancellation)
    {
        var length = new byte[4];
        if (!await TryFillAsync(length, cancellation))
            return null;
        var payload = new byte[BinaryPrimitives.ReadInt32BigEndian(length)];
        return await TryFillAsync(payload, cancellation) ? payload : null;
    }

    /// <summary>Everything up to the end of the connection.</summary>
    public async Task<byte[]> ReceiveAllAsync(CancellationToken cancellation)
    {
        using var all = new MemoryStream();
        var part = new byte[4096];
        while (true)
        {
            int count = await ReceiveAsync(part, cancellation);
            if (count == 0)
                return all.ToArray();
            all.Write(part, 0, count);
        }
    }

    public void Dispose() => socket.Dispose();

    private async Task<bool> TryFillAsync(Memory<byte> buffer, CancellationToken cancellation)
    {
        while (buffer.Length > 0)
        {
            int count = await ReceiveAsync(buffer, cancellation);
            if (count == 0)
                return false;
            buffer = buffer[count..];
        }
        return true;
    }

    private async Task<int> ReceiveAsync(Memory<byte> buffer, CancellationToken cancellation)
    {
        try
        {
            return await socket.ReceiveAsync(buffer, cancellation);
        }
        catch (SocketException)
        {
            // A server that closes with bytes of ours unread resets the connection: closed is closed.
            return 0;
        }
    }
}
