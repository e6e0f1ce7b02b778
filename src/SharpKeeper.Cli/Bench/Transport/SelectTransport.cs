using System.Net;
using System.Net.Sockets;

namespace SharpKeeper.Cli.Bench.Transport;

/// <summary>
/// The portable transport: non-blocking sockets and <see cref="Socket.Select(System.Collections.IList,
/// System.Collections.IList, System.Collections.IList, int)"/>. Connecting waits for the handshake of TCP, and each
/// wait costs time in proportion to the number of connections.
/// </summary>
internal sealed class SelectTransport : ITransport
{
    private readonly List<Entry?> entries = [];
    private readonly Stack<int> free = [];
    private readonly Dictionary<Socket, Entry> bySocket = [];
    private readonly List<Socket> readable = [];
    private readonly List<Socket> writable = [];

    public int Connect(IPEndPoint endPoint, int tag)
    {
        var socket = new Socket(endPoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            socket.Connect(endPoint);
            socket.Blocking = false;
        }
        catch (SocketException e)
        {
            socket.Dispose();
            throw new TransportException($"connect to {endPoint}: {e.Message}");
        }
        var entry = new Entry(socket, tag);
        bySocket[socket] = entry;
        if (free.TryPop(out int handle))
        {
            entries[handle] = entry;
            return handle;
        }
        entries.Add(entry);
        return entries.Count - 1;
    }

    public void Close(int handle)
    {
        if (entries[handle] is not { } entry)
            return;
        entries[handle] = null;
        free.Push(handle);
        bySocket.Remove(entry.Socket);
        entry.Socket.Dispose();
    }

    public int Send(int handle, ReadOnlySpan<byte> bytes)
    {
        int sent = SocketOf(handle).Send(bytes, SocketFlags.None, out SocketError error);
        return error switch
        {
            SocketError.Success => sent,
            SocketError.WouldBlock => 0,
            _ => throw new TransportException($"send: {new SocketException((int)error).Message}"),
        };
    }

    public int Receive(int handle, Span<byte> bytes)
    {
        int count = SocketOf(handle).Receive(bytes, SocketFlags.None, out SocketError error);
        return error switch
        {
            SocketError.Success => count,
            SocketError.WouldBlock => -1,
            _ => throw new TransportException($"receive: {new SocketException((int)error).Message}"),
        };
    }

    public void WatchWritable(int handle, bool watch)
    {
        if (entries[handle] is { } entry)
            entry.WatchesWritable = watch;
    }

    public int Wait(Span<Readiness> ready, int timeoutMs)
    {
        readable.Clear();
        writable.Clear();
        foreach (Entry? entry in entries)
        {
            if (entry is null)
                continue;
            readable.Add(entry.Socket);
            if (entry.WatchesWritable)
                writable.Add(entry.Socket);
        }
        if (readable.Count == 0)
        {
            Thread.Sleep(timeoutMs);
            return 0;
        }
        Socket.Select(readable, writable.Count > 0 ? writable : null, null, TimeSpan.FromMilliseconds(timeoutMs));
        return Fill(ready);
    }

    public void Dispose()
    {
        for (int i = 0; i < entries.Count; i++)
            Close(i);
    }

    private int Fill(Span<Readiness> ready)
    {
        int count = 0;
        foreach (Socket socket in readable)
        {
            if (count == ready.Length)
                return count;
            ready[count++] = new Readiness(bySocket[socket].Tag, CanRead: true, CanWrite: false);
        }
        foreach (Socket socket in writable)
        {
            if (count == ready.Length)
                return count;
            ready[count++] = new Readiness(bySocket[socket].Tag, CanRead: false, CanWrite: true);
        }
        return count;
    }

    private Socket SocketOf(int handle) =>
        entries[handle]?.Socket ?? throw new TransportException("the connection was closed");

    private sealed class Entry(Socket socket, int tag)
    {
        public Socket Socket { get; } = socket;

        public int Tag { get; } = tag;

        public bool WatchesWritable { get; set; }
    }
}
