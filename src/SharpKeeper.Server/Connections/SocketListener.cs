using System.Net;
using System.Net.Sockets;

namespace SharpKeeper.Server.Connections;

/// <summary>Accepts peers with System.Net.Sockets and deals them out to all loops.</summary>
internal sealed class SocketListener : SocketAsyncEventArgs, IListener
{
    private const int AcceptedMax = 64;

    private readonly Socket socket;
    private readonly SocketLoop[] loops;
    private readonly AcceptGuard guard;
    private int next;
    private bool isStopped;
    private bool isBackingOff;

    /// <summary>Takes over a listening socket.</summary>
    public SocketListener(Socket socket, SocketLoop[] loops, AcceptGuard guard)
        : base(true)
    {
        this.socket = socket;
        this.loops = loops;
        this.guard = guard;
    }

    /// <inheritdoc/>
    public void Start()
    {
        loops[0].Post(() =>
        {
            loops[0].Listener = this;
            AcceptBatch();
        });
    }

    /// <inheritdoc/>
    public void Stop()
    {
        isStopped = true;
        loops[0].Listener = null;
        socket.Dispose();
    }

    /// <summary>Goes on after a pause.</summary>
    public void OnTick()
    {
        if (!isBackingOff)
            return;
        isBackingOff = false;
        AcceptBatch();
    }

    /// <inheritdoc/>
    protected override void OnCompleted(SocketAsyncEventArgs e) => loops[0].Post(() =>
    {
        if (TakeAccepted())
            AcceptBatch();
    });

    private void AcceptBatch()
    {
        for (int i = 0; i < AcceptedMax; i++)
        {
            AcceptSocket = null;
            if (isStopped || socket.AcceptAsync(this) || !TakeAccepted())
                return;
        }
        loops[0].Post(AcceptBatch);
    }

    // False when accepting has stopped or pauses.
    private bool TakeAccepted()
    {
        Socket? accepted = AcceptSocket;
        if (isStopped)
        {
            accepted?.Dispose();
            return false;
        }
        if (SocketError is SocketError.TooManyOpenSockets or SocketError.NoBufferSpaceAvailable)
        {
            guard.Report(SocketError.ToString());
            isBackingOff = true;
            return false;
        }
        // Another error is the fate of one peer that has gone already.
        if (SocketError == SocketError.Success && accepted is not null)
            HandOver(accepted);
        return true;
    }

    private void HandOver(Socket accepted)
    {
        if (!OperatingSystem.IsWindows() && !guard.Allows(accepted.Handle))
        {
            accepted.Dispose();
            return;
        }
        IPEndPoint remote;
        try
        {
            remote = (IPEndPoint)accepted.RemoteEndPoint!;
            accepted.NoDelay = true;
            accepted.Blocking = false;
        }
        catch (SocketException)
        {
            // The peer has gone already.
            accepted.Dispose();
            return;
        }
        if (remote.Address.IsIPv4MappedToIPv6)
            remote = new IPEndPoint(remote.Address.MapToIPv4(), remote.Port);
        SocketLoop loop = loops[next];
        next = (next + 1) % loops.Length;
        if (loop.IsCurrent)
            loop.Adopt(accepted, remote);
        else
            loop.Post(() => loop.Adopt(accepted, remote));
    }
}
