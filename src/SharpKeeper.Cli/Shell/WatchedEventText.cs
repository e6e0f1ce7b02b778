using SharpKeeper.Client;

namespace SharpKeeper.Cli.Shell;

/// <summary>Events and states under the names that ZooKeeper's tools use.</summary>
internal static class WatchedEventText
{
    /// <summary>For example <c>WatchedEvent state:SyncConnected type:NodeDeleted path:/master</c>.</summary>
    public static string Format(in WatchedEvent watched) =>
        $"WatchedEvent state:{StateName(watched.State)} type:{watched.Type} path:{watched.Path ?? "null"}";

    /// <summary>The state in an event.</summary>
    public static string StateName(KeeperState state) => state switch
    {
        KeeperState.Connected => "SyncConnected",
        KeeperState.Connecting => "Disconnected",
        _ => state.ToString(),
    };

    /// <summary>The state in the prompt.</summary>
    public static string PromptName(KeeperState state) => state switch
    {
        KeeperState.Connected => "CONNECTED",
        KeeperState.ConnectedReadOnly => "CONNECTEDREADONLY",
        KeeperState.Connecting or KeeperState.Disconnected => "CONNECTING",
        KeeperState.AuthFailed => "AUTH_FAILED",
        _ => "CLOSED",
    };
}
