using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace SharpKeeper.PeersTests;

/// <summary>A raw socket that plays another server; every wait is bounded.</summary>
internal sealed class ScriptedPeer : IDisposable
{
    public const int WaitMs = 20_000;

    private readonly Socket socket;

    public ScriptedPeer(Socket socket)
    {
        this.socket = socket;
        socket.NoDelay = true;
        socket.ReceiveTimeout = socket.SendTimeout = WaitMs;
    }

    public Socket Socket => socket;

    public static ScriptedPeer Connect(IPEndPoint end)
    {
        var socket = new Socket(end.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        socket.Connect(end);
        return new ScriptedPeer(socket);
    }

    /// <summary>The first message on an election connection in its first version.</summary>
    public static byte[] Introduction(long sid, string addresses, long version = -65536)
    {
        byte[] text = Encoding.UTF8.GetBytes(addresses);
        byte[] bytes = new byte[20 + text.Length];
        BinaryPrimitives.WriteInt64BigEndian(bytes, version);
        BinaryPrimitives.WriteInt64BigEndian(bytes.AsSpan(8), sid);
        BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(16), text.Length);
        text.CopyTo(bytes, 20);
        return bytes;
    }

    public void Send(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
            bytes = bytes[socket.Send(bytes)..];
    }

    public void SendMessage(byte[] payload)
    {
        byte[] message = new byte[4 + payload.Length];
        BinaryPrimitives.WriteInt32BigEndian(message, payload.Length);
        payload.CopyTo(message, 4);
        Send(message);
    }

    public byte[] Receive(int count)
    {
        byte[] bytes = new byte[count];
        for (int got = 0; got < count;)
        {
            int received = socket.Receive(bytes.AsSpan(got));
            Assert.True(received > 0, $"the connection ended after {got} of {count} bytes");
            got += received;
        }
        return bytes;
    }

    public byte[] ReceiveMessage() => Receive(BinaryPrimitives.ReadInt32BigEndian(Receive(4)));

    /// <summary>Reads the first message of an election connection and gives number and addresses.</summary>
    public (long Sid, string Addresses) ReceiveIntroduction()
    {
        byte[] head = Receive(20);
        Assert.Equal(-65536, BinaryPrimitives.ReadInt64BigEndian(head));
        int length = BinaryPrimitives.ReadInt32BigEndian(head.AsSpan(16));
        return (BinaryPrimitives.ReadInt64BigEndian(head.AsSpan(8)), Encoding.UTF8.GetString(Receive(length)));
    }

    /// <summary>Waits for the other side's end, which may also be a reset.</summary>
    public void AwaitEnd()
    {
        byte[] bytes = new byte[4096];
        try
        {
            while (socket.Receive(bytes) > 0)
            {
            }
        }
        catch (SocketException exception) when (exception.SocketErrorCode != SocketError.TimedOut)
        {
        }
    }

    public void Dispose() => socket.Dispose();
}

/// <summary>A port on the loopback address that accepts one after the other.</summary>
internal sealed class ScriptedListener : IDisposable
{
    private readonly Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);

    public ScriptedListener(int port = 0)
    {
        socket.Bind(new IPEndPoint(IPAddress.Loopback, port));
        socket.Listen(64);
    }

    public int Port => ((IPEndPoint)socket.LocalEndPoint!).Port;

    public string Address => $"127.0.0.1:{Port}";

    public ScriptedPeer Accept()
    {
        Assert.True(socket.Poll(ScriptedPeer.WaitMs * 1000, SelectMode.SelectRead), "nobody connects");
        return new ScriptedPeer(socket.Accept());
    }

    /// <summary>Is nobody waiting to be accepted?</summary>
    public bool IsQuiet => !socket.Poll(0, SelectMode.SelectRead);

    public void Dispose() => socket.Dispose();
}
