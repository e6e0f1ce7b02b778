using Microsoft.Extensions.Logging;

namespace SharpKeeper.Client.Internal;

/// <summary>What the client logs. Next free event id: 15.</summary>
internal static partial class ClientLog
{
    [LoggerMessage(1, LogLevel.Debug, "Connecting to {Server} after {Delay}.")]
    public static partial void Connecting(ILogger logger, ServerEndpoint server, TimeSpan delay);

    [LoggerMessage(2, LogLevel.Information,
        "Session {SessionId} is served by {Server}, timeout {Timeout}, state {State}.")]
    public static partial void Connected(
        ILogger logger, Protocol.SessionId sessionId, ServerEndpoint server, TimeSpan timeout, KeeperState state);

    [LoggerMessage(3, LogLevel.Debug, "Server {Server} did not accept the session: {Reason}")]
    public static partial void ConnectFailed(ILogger logger, ServerEndpoint server, string reason);

    [LoggerMessage(4, LogLevel.Information, "Session {SessionId} lost its connection to {Server}: {Reason}")]
    public static partial void ConnectionLost(
        ILogger logger, Protocol.SessionId sessionId, ServerEndpoint server, string reason);

    [LoggerMessage(5, LogLevel.Warning, "Session {SessionId} has expired.")]
    public static partial void Expired(ILogger logger, Protocol.SessionId sessionId);

    [LoggerMessage(6, LogLevel.Error, "The server refused the authentication of session {SessionId}.")]
    public static partial void AuthFailed(ILogger logger, Protocol.SessionId sessionId);

    [LoggerMessage(7, LogLevel.Debug, "Session {SessionId} is closed.")]
    public static partial void Closed(ILogger logger, Protocol.SessionId sessionId);

    [LoggerMessage(8, LogLevel.Error, "A callback failed on {Watched}.")]
    public static partial void CallbackFailed(ILogger logger, WatchedEvent watched, Exception exception);

    [LoggerMessage(9, LogLevel.Warning, "Server {Server} refused to set watches again: {Error}.")]
    public static partial void SetWatchesRefused(ILogger logger, ServerEndpoint server, Protocol.ErrorCode error);

    [LoggerMessage(10, LogLevel.Information, "Server {Server} is read-write: leaving the read-only one.")]
    public static partial void FoundReadWrite(ILogger logger, ServerEndpoint server);

    [LoggerMessage(11, LogLevel.Error, "The client has a defect.")]
    public static partial void Defect(ILogger logger, Exception exception);

    [LoggerMessage(12, LogLevel.Debug, "Could not remove the watch on {Path}: {Error}.")]
    public static partial void WatchNotRemoved(ILogger logger, string path, Protocol.ErrorCode error);

    [LoggerMessage(13, LogLevel.Information, "The servers are now {Servers}; moves to another one: {Moves}.")]
    public static partial void ServersUpdated(ILogger logger, string servers, bool moves);

    [LoggerMessage(14, LogLevel.Warning, "The ensemble's configuration cannot be followed: {Reason}")]
    public static partial void ConfigNotFollowed(ILogger logger, string reason);
}
