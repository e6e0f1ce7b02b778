using System.Net.Sockets;
using SharpKeeper.Core.Zab;

namespace SharpKeeper.Server.Peers;

/// <summary>
/// The connection behind one <see cref="PeerLink"/>: a thread that reads, and a thread that writes once the peer does
/// not take everything at once. The socket never blocks a thread that sends for the replica.
/// </summary>
internal sealed partial class QuorumConnection
{
    private readonly IQuorumEvents events;
    private readonly QuorumNetworkOptions options;
    private readonly Action<QuorumConnection> ended;
    private readonly CancellationTokenSource closing = new();
    private readonly Lock stateLock = new();
    private readonly bool isDialled;
    private Socket? socket;
    private Thread? reader;
    private string? closeReason;
    private bool isReported;

    /// <summary>Makes the connection of a link; <see cref="Start"/> gives it a socket.</summary>
    /// <param name="link">Its <see cref="PeerLink.Owner"/> is this connection from now on.</param>
    /// <param name="isDialled">Is this the learner's end?</param>
    /// <param name="options">Limits, and how snapshots are loaded.</param>
    /// <param name="events">Told of what happens.</param>
    /// <param name="ended">Called once, when nothing of the connection is left.</param>
    public QuorumConnection(
        PeerLink link, bool isDialled, QuorumNetworkOptions options, IQuorumEvents events,
        Action<QuorumConnection> ended)
    {
        Link = link;
        link.Owner = this;
        this.isDialled = isDialled;
        this.options = options;
        this.events = events;
        this.ended = ended;
    }

    /// <summary>The link.</summary>
    public PeerLink Link { get; }

    /// <summary>Is cancelled when the connection is to close, even while it is being made.</summary>
    public CancellationToken Closing => closing.Token;

    /// <summary>Has the connection been closed, or is it about to?</summary>
    public bool IsClosed => Volatile.Read(ref closeReason) is not null;

    /// <summary>Takes over a connected socket and begins to read. If the connection is closed already the socket goes.
    /// </summary>
    public void Start(Socket connected)
    {
        // It takes effect on the descriptor: neither reading nor sending ever waits inside a call.
        connected.Blocking = false;
        lock (stateLock)
        {
            socket = connected;
            if (closeReason is null)
            {
                reader = new Thread(Read) { IsBackground = true, Name = "peer-reader" };
                reader.Start();
                return;
            }
        }
        connected.Dispose();
        ReportEnd();
    }

    /// <summary>
    /// Closes the connection; any thread. <see cref="IQuorumEvents.LinkClosed"/> follows from another one. What was
    /// sent and not taken by the peer may be lost.
    /// </summary>
    public void Close(string reason)
    {
        bool isRead;
        lock (stateLock)
        {
            if (closeReason is not null)
                return;
            Volatile.Write(ref closeReason, reason);
            isRead = reader is not null;
        }
        // What waits for the connection to be made goes on elsewhere, not inside this call.
        _ = closing.CancelAsync();
        if (isRead)
            ShutDown();
        WakeSenders();
        WakeReader();
    }

    /// <summary>Ends a connection that was never made; its dialler calls it.</summary>
    public void GiveUp(string reason)
    {
        Close(reason);
        ReportEnd();
    }

    private void ShutDown()
    {
        try
        {
            // Wakes whoever waits for the socket; output that the system has goes out first.
            socket!.Shutdown(SocketShutdown.Both);
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            // The peer was faster; that wakes them too.
        }
    }

    private void ReportEnd()
    {
        lock (stateLock)
        {
            if (isReported)
                return;
            isReported = true;
        }
        events.LinkClosed(Link, closeReason ?? "it ended");
        ended(this);
    }
}
