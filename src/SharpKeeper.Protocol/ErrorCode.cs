namespace SharpKeeper.Protocol;

/// <summary>The result of an operation as it stands in a reply header or in a multi's result.</summary>
public enum ErrorCode
{
    /// <summary>Success.</summary>
    Ok = 0,

    /// <summary>Never sent by a server; also the type of an error transaction.</summary>
    SystemError = -1,

    /// <summary>Stands for the operations of a multi that follow the failing one.</summary>
    RuntimeInconsistency = -2,

    /// <summary>Never sent in practice.</summary>
    DataInconsistency = -3,

    /// <summary>Made by a client: the connection broke and the outcome is unknown.</summary>
    ConnectionLoss = -4,

    /// <summary>The request could not be decoded.</summary>
    MarshallingError = -5,

    /// <summary>The server does not know or does not offer the operation.</summary>
    Unimplemented = -6,

    /// <summary>Made by a client: no answer in time.</summary>
    OperationTimeout = -7,

    /// <summary>A path, a flag or a TTL breaks the rules.</summary>
    BadArguments = -8,

    /// <summary>The session is not known to the server asked.</summary>
    UnknownSession = -12,

    /// <summary>A reconfiguration names members of which no quorum is connected.</summary>
    NewConfigNoQuorum = -13,

    /// <summary>Another reconfiguration has not ended.</summary>
    ReconfigInProgress = -14,

    /// <summary>Boundary value, never sent.</summary>
    ApiError = -100,

    /// <summary>The znode, or for a create its parent, does not exist.</summary>
    NoNode = -101,

    /// <summary>The ACL does not allow it.</summary>
    NoAuth = -102,

    /// <summary>The expected version is not the current one.</summary>
    BadVersion = -103,

    /// <summary>An ephemeral znode cannot have children.</summary>
    NoChildrenForEphemerals = -108,

    /// <summary>The znode exists.</summary>
    NodeExists = -110,

    /// <summary>The znode has children.</summary>
    NotEmpty = -111,

    /// <summary>The session has ended.</summary>
    SessionExpired = -112,

    /// <summary>Never sent by a server.</summary>
    InvalidCallback = -113,

    /// <summary>The ACL is empty or names a scheme or id that the server refuses.</summary>
    InvalidAcl = -114,

    /// <summary>Authentication was refused; the connection is closed.</summary>
    AuthFailed = -115,

    /// <summary>Made by a client: it is closing.</summary>
    Closing = -116,

    /// <summary>The session is served by another server now.</summary>
    SessionMoved = -118,

    /// <summary>A write was sent to a read-only server.</summary>
    NotReadOnly = -119,

    /// <summary>A local session cannot own an ephemeral.</summary>
    EphemeralOnLocalSession = -120,

    /// <summary>No such watch is registered.</summary>
    NoWatcher = -121,

    /// <summary>Made by a client: no answer in time.</summary>
    RequestTimeout = -122,

    /// <summary>Dynamic reconfiguration is turned off.</summary>
    ReconfigDisabled = -123,

    /// <summary>The server requires an authenticated connection.</summary>
    SessionClosedRequireAuth = -124,

    /// <summary>A hard quota would be exceeded.</summary>
    QuotaExceeded = -125,

    /// <summary>The request waited too long in the server's throttle queue.</summary>
    ThrottledOp = -127,
}
