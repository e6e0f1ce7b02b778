using SharpKeeper.Protocol;

namespace SharpKeeper.Client;

/// <summary>
/// What a watch reports. An event of type <see cref="WatchEventType.None"/> has no path and speaks of the session:
/// after it, whatever was read before may have changed unnoticed.
/// </summary>
/// <param name="Type">What happened to the znode, or <see cref="WatchEventType.None"/>.</param>
/// <param name="State">State of the client when the event arrived.</param>
/// <param name="Path">The znode, without the client's chroot; null for session events.</param>
/// <param name="Zxid">
/// The transaction that caused the event, or -1 where the server did not tell: servers before 3.9 never do, and no
/// server does for what was missed while disconnected.
/// </param>
public readonly record struct WatchedEvent(WatchEventType Type, KeeperState State, string? Path, Zxid Zxid)
{
    /// <summary>The zxid of events whose transaction is not known.</summary>
    public static Zxid NoZxid => new(-1);

    /// <summary>Does the event speak of the session rather than of a znode?</summary>
    public bool IsSessionEvent => Type == WatchEventType.None;

    /// <summary>The form that ZooKeeper's tools print.</summary>
    public override string ToString() => $"WatchedEvent state:{StateName(State)} type:{Type} path:{Path ?? "null"}";

    internal static WatchedEvent ForState(KeeperState state) => new(WatchEventType.None, state, null, NoZxid);

    private static string StateName(KeeperState state) => state switch
    {
        KeeperState.Connected => "SyncConnected",
        KeeperState.Connecting => "Disconnected",
        _ => state.ToString(),
    };
}
