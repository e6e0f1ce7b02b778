using SharpKeeper.Core.Clients;
using SharpKeeper.Core.Watches;
using SharpKeeper.Protocol;
using SharpKeeper.Server.Admin;
using SharpKeeper.Server.Connections;

namespace SharpKeeper.Server.Runtime;

/// <summary>How far a connection has come.</summary>
internal enum ConnectionPhase : byte
{
    /// <summary>Nothing has been received: a four-letter word or a handshake may come.</summary>
    Fresh,

    /// <summary>The handshake is with the replica; nothing more is read until it is answered.</summary>
    Connecting,

    /// <summary>A session speaks.</summary>
    Established,

    /// <summary>A four-letter word was answered, or the protocol was broken; what else arrives is ignored.</summary>
    Done,
}

/// <summary>A connection of the client port. Belongs to its loop's thread.</summary>
internal sealed class ClientConnection : Connection
{
    /// <summary>Creates the connection with its link to the replica.</summary>
    public ClientConnection(ClientLoop handler, WatchTable watches, long acceptedMs, long acceptedWallMs)
    {
        Handler = handler;
        Link = new ClientLink(watches, this);
        AcceptedMs = acceptedMs;
        AcceptedWallMs = acceptedWallMs;
    }

    /// <summary>The handler of its loop.</summary>
    public ClientLoop Handler { get; }

    /// <summary>The connection as the replica sees it.</summary>
    public new ClientLink Link { get; }

    /// <summary>Monotonic time of the accept, milliseconds.</summary>
    public long AcceptedMs { get; }

    /// <summary>Wall time of the accept, milliseconds since 1970.</summary>
    public long AcceptedWallMs { get; }

    /// <summary>How far the connection has come.</summary>
    public ConnectionPhase Phase { get; set; }

    /// <summary>Its place among the connections of its handler.</summary>
    public int Index { get; set; }

    /// <summary>The four-letter word it asked.</summary>
    public FourLetterWord Word { get; set; }

    /// <summary>The number behind that word.</summary>
    public long WordArgument { get; set; }

    /// <summary>Must nothing more be read for now?</summary>
    public bool IsWaiting => WaitsForReplica || WaitsForSync || WaitsForPeer || WaitsForThrottle;

    /// <summary>Reading waits until the replica has answered what it was given.</summary>
    public bool WaitsForReplica { get; set; }

    /// <summary>
    /// Reading waits until a sync is answered: it takes a turn to the leader, and nothing of the session may overtake it.
    /// </summary>
    public bool WaitsForSync { get; set; }

    /// <summary>Reading waits until the peer has taken more of what it was sent.</summary>
    public bool WaitsForPeer { get; set; }

    /// <summary>Reads handed to the replica since it last had nothing of this client.</summary>
    public int WaitingReads { get; set; }

    /// <summary>About how many bytes those reads and their replies take.</summary>
    public long WaitingReadBytes { get; set; }

    /// <summary>When the request at hand was first held back by the request throttle; 0 if it was not.</summary>
    public long ThrottledSinceMs { get; set; }

    /// <summary>Reading waits for the request throttle.</summary>
    public bool WaitsForThrottle { get; set; }

    /// <summary>Bytes of large requests that are not answered yet.</summary>
    public long LargeBytes { get; set; }

    /// <summary>Bytes of the large reply that is on its way; it may stay unsent as long as the peer takes.</summary>
    public int LargeReplyBytes { get; set; }

    /// <summary>Output of the pass under way waits to be flushed.</summary>
    public bool IsTouched { get; set; }

    /// <summary>An error that follows the answers still owed and ends the connection.</summary>
    public (int Xid, Zxid Zxid, ErrorCode Error)? PendingRefusal { get; set; }

    /// <summary>Has an identity of a scheme that the server demands been added?</summary>
    public bool IsAuthorized { get; set; }
}
