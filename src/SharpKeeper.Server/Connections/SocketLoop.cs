using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace SharpKeeper.Server.Connections;

/// <summary>
/// A loop on System.Net.Sockets for systems without epoll. Operations complete on threads of the pool, which hand
/// them to the loop's thread; all else happens there, on sockets that do not block.
/// </summary>
internal sealed class SocketLoop(int index, ILoopHandler handler, Action<Exception> failed)
    : ConnectionLoop(index, handler, failed)
{
    private readonly object gate = new();
    private List<SocketOperation> completed = [];
    private List<SocketOperation> taken = [];
    private bool interrupted;

    /// <summary>The listener that accepts on this loop, or null.</summary>
    public SocketListener? Listener { get; set; }

    /// <summary>Takes over an accepted socket.</summary>
    public void Adopt(Socket socket, IPEndPoint remote)
    {
        if (Admit(remote) is not { } connection)
        {
            socket.Dispose();
            return;
        }
        connection.Link = new SocketLink(socket, this, connection);
        AwaitReadable(connection);
    }

    /// <summary>Takes a completed operation from any thread.</summary>
    public void Complete(SocketOperation operation)
    {
        lock (gate)
        {
            completed.Add(operation);
            Monitor.Pulse(gate);
        }
    }

    /// <inheritdoc/>
    internal override int TrySend(Connection connection, ReadOnlySpan<byte> bytes)
    {
        int sent = connection.Link!.Socket.Send(bytes, SocketFlags.None, out SocketError error);
        return error switch
        {
            SocketError.Success => sent,
            SocketError.WouldBlock => 0,
            _ => -1,
        };
    }

    /// <inheritdoc/>
    internal override void AwaitWritable(Connection connection)
    {
        SocketLink link = connection.Link!;
        if (link.IsSending)
            return;
        link.IsSending = true;
        link.Sending ??= new SocketOperation(this, connection, isSend: true);
        link.Sending.SetBuffer(MemoryMarshal.AsMemory(connection.FirstSegment.Unsent));
        if (!link.Socket.SendAsync(link.Sending))
            Complete(link.Sending);
    }

    /// <inheritdoc/>
    protected override int TryReceive(Connection connection, Span<byte> bytes)
    {
        int count = connection.Link!.Socket.Receive(bytes, SocketFlags.None, out SocketError error);
        return error switch
        {
            SocketError.Success => count,
            SocketError.WouldBlock => -1,
            _ => -2,
        };
    }

    /// <inheritdoc/>
    protected override void AwaitReadable(Connection connection)
    {
        SocketLink link = connection.Link!;
        if (link.IsReceiving || connection.InputEnded)
            return;
        link.IsReceiving = true;
        if (!link.Socket.ReceiveAsync(link.Receiving))
            Complete(link.Receiving);
    }

    /// <inheritdoc/>
    protected override void ReadingDone(Connection connection)
    {
        if (!connection.IsPaused)
            AwaitReadable(connection);
    }

    /// <inheritdoc/>
    protected override void WaitForEvents(int timeoutMs)
    {
        lock (gate)
        {
            if (completed.Count == 0 && !interrupted && timeoutMs > 0)
                Monitor.Wait(gate, timeoutMs);
            interrupted = false;
            (completed, taken) = (taken, completed);
        }
        foreach (SocketOperation operation in taken)
        {
            Connection connection = operation.Connection;
            if (connection.State == ConnectionState.Closed)
                continue;
            if (operation.IsSend)
                Sent(connection, operation);
            else
                Received(connection);
        }
        taken.Clear();
    }

    /// <inheritdoc/>
    protected override void Interrupt()
    {
        lock (gate)
        {
            interrupted = true;
            Monitor.Pulse(gate);
        }
    }

    /// <inheritdoc/>
    protected override void ShutdownSend(Connection connection)
    {
        if (!TryShutdownSend(connection.Link!))
            connection.Fail();
    }

    /// <inheritdoc/>
    protected override bool CloseSocket(Connection connection)
    {
        if (connection.Link is not { } link)
            return true;
        connection.Link = null;
        // Without it the runtime resets a connection that has a receive under way, and the peer may lose the last
        // bytes it was sent.
        if (connection.Reason != CloseReason.Error)
            TryShutdownSend(link);
        link.Dispose();
        return !link.IsSending;
    }

    /// <inheritdoc/>
    protected override void OnTick(long nowMs) => Listener?.OnTick();

    /// <inheritdoc/>
    protected override void Release()
    {
    }

    // False when the peer has gone already.
    private static bool TryShutdownSend(SocketLink link)
    {
        try
        {
            link.Socket.Shutdown(SocketShutdown.Send);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private void Received(Connection connection)
    {
        // An error shows again when the input is taken.
        connection.Link!.IsReceiving = false;
        Ready.Add(connection);
    }

    private void Sent(Connection connection, SocketOperation operation)
    {
        connection.Link!.IsSending = false;
        if (connection.State == ConnectionState.Closing)
            return;
        if (operation.SocketError != SocketError.Success)
        {
            connection.Fail();
            return;
        }
        connection.NoteSent(operation.BytesTransferred);
        Writable(connection);
    }
}
