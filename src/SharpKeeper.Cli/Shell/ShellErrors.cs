using SharpKeeper.Client;
using SharpKeeper.Protocol;

namespace SharpKeeper.Cli.Shell;

/// <summary>Errors of the server in the sentences that zkCli's users know and scripts look for.</summary>
internal static class ShellErrors
{
    /// <summary>The line for an error.</summary>
    public static string Describe(KeeperException error) => error.Code switch
    {
        ErrorCode.NoNode => $"Node does not exist: {error.Path}",
        ErrorCode.NodeExists => $"Node already exists: {error.Path}",
        ErrorCode.NotEmpty => $"Node not empty: {error.Path}",
        ErrorCode.NoChildrenForEphemerals => $"Ephemerals cannot have children: {error.Path}",
        ErrorCode.NotReadOnly => $"Not a read-only call: {error.Path}",
        ErrorCode.InvalidAcl => $"Acl is not valid : {error.Path}",
        ErrorCode.NoAuth => $"Insufficient permission : {error.Path}",
        ErrorCode.BadArguments => $"Arguments are not valid : {error.Path}",
        ErrorCode.BadVersion => $"version No is not valid : {error.Path}",
        ErrorCode.QuotaExceeded => $"Quota has exceeded : {error.Path}",
        ErrorCode.ReconfigInProgress => "Another reconfiguration is in progress; try again when it has ended",
        ErrorCode.NewConfigNoQuorum =>
            "No quorum of the new configuration is connected and up to date; start its servers first",
        // What the user can do about these is worth more than the short form.
        ErrorCode.ConnectionLoss or ErrorCode.SessionExpired or ErrorCode.AuthFailed => error.Message,
        _ => $"KeeperErrorCode = {KeeperException.NameOf(error.Code)}"
            + (error.Path is null ? "" : $" for {error.Path}"),
    };
}
