namespace SharpKeeper.Client;

/// <summary>Where a client stands with its session.</summary>
public enum KeeperState
{
    /// <summary>No server has accepted the session yet.</summary>
    Connecting,

    /// <summary>A server serves the session.</summary>
    Connected,

    /// <summary>A read-only server serves the session; writes fail until a read-write one is found.</summary>
    ConnectedReadOnly,

    /// <summary>The connection is lost and another one is being sought; the session may live on.</summary>
    Disconnected,

    /// <summary>The session has ended and its ephemerals are gone. Final: make another client.</summary>
    Expired,

    /// <summary>A server refused the authentication. Final.</summary>
    AuthFailed,

    /// <summary>The client was closed. Final.</summary>
    Closed,
}

/// <summary>Questions about a <see cref="KeeperState"/>.</summary>
public static class KeeperStates
{
    /// <summary>Does a server serve the session?</summary>
    public static bool IsConnected(this KeeperState state) =>
        state is KeeperState.Connected or KeeperState.ConnectedReadOnly;

    /// <summary>Does the state last for good?</summary>
    public static bool IsFinal(this KeeperState state) =>
        state is KeeperState.Expired or KeeperState.AuthFailed or KeeperState.Closed;
}
