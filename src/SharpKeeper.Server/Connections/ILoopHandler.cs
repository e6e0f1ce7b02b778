using System.Net;

namespace SharpKeeper.Server.Connections;

/// <summary>
/// What a <see cref="ConnectionLoop"/> calls; one instance per loop, every call on the loop's own thread. No call is
/// made from inside a method of <see cref="Connection"/>: closing and failing take effect between the calls.
/// </summary>
internal interface ILoopHandler
{
    /// <summary>
    /// A peer has connected. The result is the connection's object, which may be used once this call has returned;
    /// null refuses the peer, and its socket is closed without a word.
    /// </summary>
    Connection? Accept(ConnectionLoop loop, IPEndPoint remote);

    /// <summary>Precedes the first <see cref="Received"/> of one wake-up.</summary>
    void PassStarting();

    /// <summary>
    /// Gives all bytes not yet consumed and returns how many are consumed now. The rest is presented again when more
    /// has arrived behind it, or after <see cref="Connection.ResumeReading"/>.
    /// </summary>
    int Received(Connection connection, ReadOnlySpan<byte> bytes);

    /// <summary>Follows the last <see cref="Received"/> of one wake-up.</summary>
    void PassCompleted();

    /// <summary>Follows one or several calls of <see cref="ConnectionLoop.Wake"/>.</summary>
    void Woken();

    /// <summary>Comes about every 100 ms with <see cref="Environment.TickCount64"/>.</summary>
    void Tick(long nowMs);

    /// <summary>Comes when output that had to be queued has been sent to its last byte.</summary>
    void Drained(Connection connection);

    /// <summary>Comes exactly once for each accepted connection, when its socket has been closed.</summary>
    void Closed(Connection connection, CloseReason reason);
}
