using System.Buffers.Binary;
using System.Net.Sockets;
using SharpKeeper.Protocol;
using SharpKeeper.Protocol.Election;
using SharpKeeper.Protocol.Quorum;

namespace SharpKeeper.Server.Peers;

/// <summary>Sends and receives what a server says first on a connection to an election port.</summary>
internal static class Introduction
{
    private const int IdBytes = 8;
    private const int HeadBytes = 20;

    /// <summary>The bytes to send, in one piece: Apache reads the addresses with a single call.</summary>
    /// <param name="self">This server.</param>
    /// <param name="addresses">Its election addresses.</param>
    /// <param name="multiAddress">Are all of them told, in the second version? Else the first one in the first.</param>
    public static byte[] Write(ServerId self, IReadOnlyList<PeerAddress> addresses, bool multiAddress)
    {
        using var buffer = new JuteBuffer();
        ElectionAddress[] told = [.. addresses.Select(static it => new ElectionAddress(it.Host, it.Port))];
        new ElectionHandshake(self, told, multiAddress).Write(buffer);
        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>Reads one of any version and nothing behind it; null if the bytes are none.</summary>
    public static async Task<ElectionHandshake?> ReadAsync(Socket socket, CancellationToken cancellationToken)
    {
        byte[] bytes = new byte[ElectionHandshake.BytesMax];
        int count = 0;
        int wanted = IdBytes;
        while (true)
        {
            if (!await PeerSockets.ReceiveAllAsync(socket, bytes.AsMemory(count..wanted), cancellationToken)
                .ConfigureAwait(false))
                return null;
            count = wanted;
            PacketReadResult result = ElectionHandshake.TryRead(
                bytes.AsSpan(0, count), out ElectionHandshake handshake, out _, out _);
            if (result != PacketReadResult.Incomplete)
                return result == PacketReadResult.Complete ? handshake : null;
            wanted = count < HeadBytes
                ? HeadBytes
                : HeadBytes + BinaryPrimitives.ReadInt32BigEndian(bytes.AsSpan(HeadBytes - 4));
        }
    }
}
