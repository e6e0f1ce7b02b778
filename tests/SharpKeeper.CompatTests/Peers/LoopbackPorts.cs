using System.Net;
using System.Net.Sockets;

namespace SharpKeeper.CompatTests.Peers;

/// <summary>
/// Ports for servers that are stopped and started again. They lie below those that the system hands out to connections,
/// so that nobody takes one while its server is down.
/// </summary>
internal static class LoopbackPorts
{
    private const int First = 12_000;
    private const int Count = 19_000;
    private static readonly Lock gate = new();
    private static int next = Random.Shared.Next(Count);

    /// <summary>Ports that nothing listens on at the moment; each is handed out only once for a long while.</summary>
    public static int[] Take(int count)
    {
        lock (gate)
            return [.. Enumerable.Range(0, count).Select(_ => TakeOne())];
    }

    private static int TakeOne()
    {
        for (int attempt = 0; attempt < Count; attempt++)
        {
            next = (next + 1) % Count;
            if (IsFree(First + next))
                return First + next;
        }
        throw new InvalidOperationException("No port is free.");
    }

    private static bool IsFree(int port)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Bind(new IPEndPoint(IPAddress.Loopback, port));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
