using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Net;
using SharpKeeper.Protocol;
using SharpKeeper.Server.Connections;

namespace SharpKeeper.TransportTests;

/// <summary>
/// Echoes frames (a 4-byte length and as many bytes). Tests replace its parts and wait for what it records.
/// </summary>
internal sealed class TestLoopHandler : ILoopHandler
{
    private bool inPass;

    public Func<IPEndPoint, Connection?> OnAccept { get; set; } = _ => new Connection();

    public TestReceiver? OnReceived { get; set; }

    public Action? OnWoken { get; set; }

    public BlockingCollection<Connection> Accepted { get; } = [];

    public BlockingCollection<(Connection Connection, CloseReason Reason)> ClosedConnections { get; } = [];

    public ConcurrentQueue<string> Violations { get; } = [];

    public int ReceivedCalls { get; private set; }

    public Action<long>? OnTick { get; set; }

    public delegate int TestReceiver(Connection connection, ReadOnlySpan<byte> bytes);

    public Connection? Accept(ConnectionLoop loop, IPEndPoint remote)
    {
        CheckThread(loop);
        Connection? connection = OnAccept(remote);
        if (connection is not null)
            Accepted.Add(connection);
        return connection;
    }

    public void PassStarting()
    {
        Check(!inPass, "a pass started in a pass");
        inPass = true;
    }

    public int Received(Connection connection, ReadOnlySpan<byte> bytes)
    {
        CheckThread(connection.Loop);
        Check(inPass, "input came outside a pass");
        Check(!connection.IsClosed, "input came after the end");
        Check(!bytes.IsEmpty, "input was empty");
        ReceivedCalls++;
        return OnReceived is { } receiver ? receiver(connection, bytes) : Echo(connection, bytes);
    }

    public void PassCompleted()
    {
        Check(inPass, "a pass ended that had not started");
        inPass = false;
    }

    public void Woken() => OnWoken?.Invoke();

    public void Tick(long nowMs) => OnTick?.Invoke(nowMs);

    public void Drained(Connection connection)
    {
        // These tests look at what the peer receives.
    }

    public void Closed(Connection connection, CloseReason reason)
    {
        CheckThread(connection.Loop);
        Check(connection.IsClosed, "an open connection was reported closed");
        ClosedConnections.Add((connection, reason));
    }

    public static int Echo(Connection connection, ReadOnlySpan<byte> bytes)
    {
        int used = 0;
        while (bytes.Length - used >= 4)
        {
            int frame = 4 + BinaryPrimitives.ReadInt32BigEndian(bytes[used..]);
            if (bytes.Length - used < frame)
                break;
            used += frame;
        }
        if (used > 0)
        {
            var reply = new JuteBuffer();
            reply.WriteRaw(bytes[..used]);
            connection.Send(reply);
        }
        return used;
    }

    private void Check(bool condition, string violation)
    {
        if (!condition)
            Violations.Enqueue(violation);
    }

    private void CheckThread(ConnectionLoop loop) => Check(loop.IsCurrent, "a call came on another thread");
}
