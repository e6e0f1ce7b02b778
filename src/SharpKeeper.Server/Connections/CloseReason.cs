namespace SharpKeeper.Server.Connections;

/// <summary>Why a connection ended.</summary>
internal enum CloseReason
{
    /// <summary>The peer closed it.</summary>
    Peer,

    /// <summary>The network failed or the peer reset it.</summary>
    Error,

    /// <summary>The peer sent what the protocol does not allow.</summary>
    Protocol,

    /// <summary>The server ended it or stops.</summary>
    Server,

    /// <summary>The peer does not read what it is sent.</summary>
    Overflow,

    /// <summary>The peer was silent for too long.</summary>
    Timeout,

    /// <summary>The peer was turned away after it had been accepted.</summary>
    Refused,
}
