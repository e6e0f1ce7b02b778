using SharpKeeper.Protocol;

namespace SharpKeeper.Client;

/// <summary>
/// An operation failed. The message starts as the Java client's does, so that what is known about it can be found, and
/// ends with what can be done.
/// </summary>
public class KeeperException : Exception
{
    /// <summary>Creates the exception for an error code.</summary>
    public KeeperException(ErrorCode code, string? path = null, string? detail = null, Exception? inner = null)
        : base(Describe(code, path, detail), inner)
    {
        Code = code;
        Path = path;
    }

    /// <summary>The error.</summary>
    public ErrorCode Code { get; }

    /// <summary>The path of the operation, without the client's chroot; null where there is none.</summary>
    public string? Path { get; }

    /// <summary>Creates the exception of the class that stands for an error code.</summary>
    public static KeeperException For(ErrorCode code, string? path = null, string? detail = null) => code switch
    {
        ErrorCode.NoNode => new NoNodeException(path, detail),
        ErrorCode.NodeExists => new NodeExistsException(path, detail),
        ErrorCode.BadVersion => new BadVersionException(path, detail),
        ErrorCode.NotEmpty => new NotEmptyException(path, detail),
        ErrorCode.SessionExpired => new SessionExpiredException(path, detail),
        ErrorCode.ConnectionLoss => new ConnectionLossException(path, detail),
        ErrorCode.NoAuth => new NoAuthException(path, detail),
        ErrorCode.ReconfigInProgress => new ReconfigInProgressException(path, detail),
        ErrorCode.NewConfigNoQuorum => new NewConfigNoQuorumException(path, detail),
        ErrorCode.ReconfigDisabled => new ReconfigDisabledException(path, detail),
        _ => new KeeperException(code, path, detail),
    };

    /// <summary>The name that the Java client gives an error code.</summary>
    public static string NameOf(ErrorCode code) => code switch
    {
        ErrorCode.NotEmpty => "Directory not empty",
        ErrorCode.SessionExpired => "Session expired",
        ErrorCode.InvalidCallback => "Invalid callback",
        ErrorCode.InvalidAcl => "InvalidACL",
        ErrorCode.SessionMoved => "Session moved",
        ErrorCode.NotReadOnly => "Not a read-only call",
        ErrorCode.EphemeralOnLocalSession => "Ephemeral node on local session",
        ErrorCode.NoWatcher => "No such watcher",
        ErrorCode.ReconfigDisabled => "Reconfig is disabled",
        ErrorCode.SessionClosedRequireAuth => "Session closed because client failed to authenticate",
        ErrorCode.QuotaExceeded => "Quota has exceeded",
        ErrorCode.ThrottledOp => "Op throttled due to high load",
        _ => code.ToString(),
    };

    private static string Describe(ErrorCode code, string? path, string? detail)
    {
        string what = $"KeeperErrorCode = {NameOf(code)}{(path is null ? "" : $" for {path}")}";
        string? remedy = detail ?? Remedy(code);
        return remedy is null ? what : $"{what}: {remedy}";
    }

    private static string? Remedy(ErrorCode code) => code switch
    {
        ErrorCode.ConnectionLoss => "the connection broke before the answer came; the operation may have been carried "
            + "out, so read before repeating it",
        ErrorCode.MarshallingError => "the server could not decode the request, or the client the reply",
        ErrorCode.Unimplemented => "the server does not offer the operation, or it is turned off there",
        ErrorCode.BadArguments => "the server refuses the path, the mode or the time to live",
        ErrorCode.NoNode => "the znode does not exist; to create a znode its parent must exist",
        ErrorCode.NoAuth => "the access control list does not allow it; add credentials with AddAuthAsync",
        ErrorCode.BadVersion => "the version is not the expected one; read again and repeat with the current version",
        ErrorCode.NoChildrenForEphemerals => "an ephemeral znode cannot have children",
        ErrorCode.NodeExists => "the znode exists already",
        ErrorCode.NotEmpty => "the znode has children; delete them first or use DeleteRecursiveAsync",
        ErrorCode.SessionExpired => "the session has ended and its ephemerals are gone; make another client",
        ErrorCode.InvalidAcl => "the list is empty, or names a scheme or id that the server does not accept",
        ErrorCode.AuthFailed => "the server refused the credentials; make another client with the right ones",
        ErrorCode.Closing => "the client has been closed",
        ErrorCode.SessionMoved => "the session is served by another server; repeat the operation",
        ErrorCode.NotReadOnly => "only a read-only server can be reached; wait for the state Connected",
        ErrorCode.NoWatcher => "no such watch is registered",
        ErrorCode.ReconfigInProgress => "another change of the membership is under way; try again when it has ended",
        ErrorCode.NewConfigNoQuorum =>
            "no quorum of the new members is connected and up to date; start the new servers first",
        ErrorCode.ReconfigDisabled => "the servers do not allow it; set reconfigEnabled=true in their configuration",
        ErrorCode.QuotaExceeded => "the operation would exceed a hard quota",
        ErrorCode.ThrottledOp => "the server is overloaded and did not carry it out; repeat it later",
        _ => null,
    };
}

/// <summary>The znode, or for a create its parent, does not exist.</summary>
public sealed class NoNodeException(string? path = null, string? detail = null)
    : KeeperException(ErrorCode.NoNode, path, detail);

/// <summary>The znode exists.</summary>
public sealed class NodeExistsException(string? path = null, string? detail = null)
    : KeeperException(ErrorCode.NodeExists, path, detail);

/// <summary>The expected version is not the current one.</summary>
public sealed class BadVersionException(string? path = null, string? detail = null)
    : KeeperException(ErrorCode.BadVersion, path, detail);

/// <summary>The znode has children.</summary>
public sealed class NotEmptyException(string? path = null, string? detail = null)
    : KeeperException(ErrorCode.NotEmpty, path, detail);

/// <summary>The session has ended; this client is of no more use.</summary>
public sealed class SessionExpiredException(string? path = null, string? detail = null)
    : KeeperException(ErrorCode.SessionExpired, path, detail);

/// <summary>
/// The connection broke while the operation was under way. It may or may not have been carried out. The client is
/// reconnecting already; later operations wait for that.
/// </summary>
public sealed class ConnectionLossException(string? path = null, string? detail = null)
    : KeeperException(ErrorCode.ConnectionLoss, path, detail);

/// <summary>The access control list does not allow the operation.</summary>
public sealed class NoAuthException(string? path = null, string? detail = null)
    : KeeperException(ErrorCode.NoAuth, path, detail);

/// <summary>Another change of the ensemble's membership is under way.</summary>
public sealed class ReconfigInProgressException(string? path = null, string? detail = null)
    : KeeperException(ErrorCode.ReconfigInProgress, path, detail);

/// <summary>
/// The membership was not changed, because no quorum of the new members is connected and up to date.
/// </summary>
public sealed class NewConfigNoQuorumException(string? path = null, string? detail = null)
    : KeeperException(ErrorCode.NewConfigNoQuorum, path, detail);

/// <summary>The servers do not allow changes of the ensemble's membership.</summary>
public sealed class ReconfigDisabledException(string? path = null, string? detail = null)
    : KeeperException(ErrorCode.ReconfigDisabled, path, detail);

/// <summary>A multi failed, and none of its operations was carried out.</summary>
public sealed class MultiException : KeeperException
{
    /// <summary>Creates the exception from the results of all operations.</summary>
    public MultiException(IReadOnlyList<MultiResult> results, int failedIndex, string? path)
        : base(results[failedIndex].Error, path,
            $"operation {failedIndex} of the multi failed, and so none was carried out")
    {
        Results = results;
        FailedIndex = failedIndex;
    }

    /// <summary>
    /// One result for each operation: <see cref="ErrorCode.Ok"/> before the failing one,
    /// <see cref="ErrorCode.RuntimeInconsistency"/> behind it.
    /// </summary>
    public IReadOnlyList<MultiResult> Results { get; }

    /// <summary>Index of the operation that failed.</summary>
    public int FailedIndex { get; }
}
