using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using SharpKeeper.Cli.Bench.Driver;
using SharpKeeper.Protocol;

namespace SharpKeeper.Cli.Bench;

/// <summary>Asks whether a server serves.</summary>
internal static class FirstReply
{
    /// <summary>
    /// Opens a session, asks for the root and ends the session again; false when the server is not ready for all that.
    /// </summary>
    public static bool TryGet(IPEndPoint server)
    {
        using var socket = new Socket(server.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        socket.ReceiveTimeout = 1000;
        try
        {
            socket.Connect(server);
            socket.Send(Frames.Handshake(TimeSpan.FromSeconds(10)));
            // A port that nobody listens on may connect to itself and give back the request, which has no timeout here.
            if (!ConnectResponse.TryRead(ReadFrame(socket), out ConnectResponse response)
                || response.SessionId == 0 || response.TimeoutMs <= 0)
                return false;
            socket.Send(Numbered(Frames.Read(OpCode.Exists, "/"), 1));
            bool answered = new JuteReader(ReadFrame(socket)).ReadInt32() == 1;
            socket.Send(Numbered(Frames.Request(OpCode.CloseSession, _ => { }), 2));
            return answered && ReadFrame(socket).Length > 0;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private static byte[] Numbered(byte[] frame, int xid)
    {
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(Frames.XidAt), xid);
        return frame;
    }

    private static byte[] ReadFrame(Socket socket)
    {
        int length = BinaryPrimitives.ReadInt32BigEndian(ReadExactly(socket, 4));
        return length is < 0 or > 65536 ? [] : ReadExactly(socket, length);
    }

    private static byte[] ReadExactly(Socket socket, int count)
    {
        byte[] bytes = new byte[count];
        for (int at = 0; at < count;)
        {
            int got = socket.Receive(bytes.AsSpan(at));
            if (got == 0)
                throw new SocketException((int)SocketError.ConnectionReset);
            at += got;
        }
        return bytes;
    }
}
