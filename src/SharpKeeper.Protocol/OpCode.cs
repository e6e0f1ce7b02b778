namespace SharpKeeper.Protocol;

/// <summary>The operation in a request header, and the type of a transaction.</summary>
public enum OpCode
{
    /// <summary>Not a request.</summary>
    Notification = 0,

    /// <summary>Create, reply with the path.</summary>
    Create = 1,

    /// <summary>Delete.</summary>
    Delete = 2,

    /// <summary>Stat of a znode, with an optional watch.</summary>
    Exists = 3,

    /// <summary>Data and stat, with an optional watch.</summary>
    GetData = 4,

    /// <summary>Replace the data.</summary>
    SetData = 5,

    /// <summary>ACL and stat.</summary>
    GetAcl = 6,

    /// <summary>Replace the ACL.</summary>
    SetAcl = 7,

    /// <summary>Names of the children.</summary>
    GetChildren = 8,

    /// <summary>Catch up with the leader.</summary>
    Sync = 9,

    /// <summary>Heartbeat.</summary>
    Ping = 11,

    /// <summary>Names of the children and stat.</summary>
    GetChildren2 = 12,

    /// <summary>Version check, in a multi only.</summary>
    Check = 13,

    /// <summary>Several writes, all or none.</summary>
    Multi = 14,

    /// <summary>Create, reply with path and stat.</summary>
    Create2 = 15,

    /// <summary>Change the ensemble's members.</summary>
    Reconfig = 16,

    /// <summary>Is a watch registered?</summary>
    CheckWatches = 17,

    /// <summary>Remove watches.</summary>
    RemoveWatches = 18,

    /// <summary>Create a container.</summary>
    CreateContainer = 19,

    /// <summary>Server-internal removal of an empty container or an expired TTL znode.</summary>
    DeleteContainer = 20,

    /// <summary>Create a TTL znode.</summary>
    CreateTtl = 21,

    /// <summary>Several reads.</summary>
    MultiRead = 22,

    /// <summary>Add an identity to the connection.</summary>
    Auth = 100,

    /// <summary>Register one-shot watches again after a reconnect.</summary>
    SetWatches = 101,

    /// <summary>A step of a SASL exchange.</summary>
    Sasl = 102,

    /// <summary>The session's ephemerals.</summary>
    GetEphemerals = 103,

    /// <summary>Number of descendants.</summary>
    GetAllChildrenNumber = 104,

    /// <summary>Register all kinds of watches again after a reconnect.</summary>
    SetWatches2 = 105,

    /// <summary>Register a persistent watch.</summary>
    AddWatch = 106,

    /// <summary>The connection's identities.</summary>
    WhoAmI = 107,

    /// <summary>Server-internal start of a session.</summary>
    CreateSession = -10,

    /// <summary>End of a session.</summary>
    CloseSession = -11,

    /// <summary>Type of a transaction that failed.</summary>
    Error = -1,
}

/// <summary>Request ids with a meaning of their own.</summary>
public static class Xids
{
    /// <summary>A watch event.</summary>
    public const int WatchEvent = -1;

    /// <summary>A ping and its reply.</summary>
    public const int Ping = -2;

    /// <summary>An auth packet as clients number it.</summary>
    public const int Auth = -4;

    /// <summary>setWatches and setWatches2 as clients number them.</summary>
    public const int SetWatches = -8;
}

/// <summary>How a create makes its znode; the values of the flags field of a create request.</summary>
public enum CreateMode
{
    /// <summary>Stays until deleted.</summary>
    Persistent = 0,

    /// <summary>Goes with its session.</summary>
    Ephemeral = 1,

    /// <summary>Stays until deleted; the name gets a suffix that counts up.</summary>
    PersistentSequential = 2,

    /// <summary>Goes with its session; the name gets a suffix that counts up.</summary>
    EphemeralSequential = 3,

    /// <summary>Removed by the server some time after its last child has gone.</summary>
    Container = 4,

    /// <summary>Removed by the server when it has no children and was not written for its time to live.</summary>
    PersistentWithTtl = 5,

    /// <summary>As <see cref="PersistentWithTtl"/>; the name gets a suffix that counts up.</summary>
    PersistentSequentialWithTtl = 6,
}

/// <summary>Questions about a <see cref="CreateMode"/>.</summary>
public static class CreateModes
{
    /// <summary>Is it one of the seven modes?</summary>
    public static bool IsDefined(CreateMode mode) => (uint)mode <= 6;

    /// <summary>Does the name get a suffix?</summary>
    public static bool IsSequential(this CreateMode mode) => mode is CreateMode.PersistentSequential
        or CreateMode.EphemeralSequential or CreateMode.PersistentSequentialWithTtl;

    /// <summary>Does the znode go with its session?</summary>
    public static bool IsEphemeral(this CreateMode mode) =>
        mode is CreateMode.Ephemeral or CreateMode.EphemeralSequential;

    /// <summary>Does the znode have a time to live?</summary>
    public static bool IsTtl(this CreateMode mode) =>
        mode is CreateMode.PersistentWithTtl or CreateMode.PersistentSequentialWithTtl;
}

/// <summary>What happened to a znode.</summary>
public enum WatchEventType
{
    /// <summary>A change of the client's own state; never sent by a server.</summary>
    None = -1,

    /// <summary>The znode was created.</summary>
    NodeCreated = 1,

    /// <summary>The znode was deleted.</summary>
    NodeDeleted = 2,

    /// <summary>The znode's data was replaced.</summary>
    NodeDataChanged = 3,

    /// <summary>A child was created or deleted.</summary>
    NodeChildrenChanged = 4,

    /// <summary>Made by a client: a data watch was removed.</summary>
    DataWatchRemoved = 5,

    /// <summary>Made by a client: a child watch was removed.</summary>
    ChildWatchRemoved = 6,

    /// <summary>Made by a client: a persistent watch was removed.</summary>
    PersistentWatchRemoved = 7,
}

/// <summary>How an addWatch watches.</summary>
public enum AddWatchMode
{
    /// <summary>The znode and its list of children, until removed.</summary>
    Persistent = 0,

    /// <summary>The znode and everything below it, until removed; no child-list events.</summary>
    PersistentRecursive = 1,
}

/// <summary>Which watches checkWatches and removeWatches mean.</summary>
public enum WatcherType
{
    /// <summary>Child watches.</summary>
    Children = 1,

    /// <summary>Data and exists watches.</summary>
    Data = 2,

    /// <summary>All watches.</summary>
    Any = 3,

    /// <summary>Persistent watches.</summary>
    Persistent = 4,

    /// <summary>Persistent recursive watches.</summary>
    PersistentRecursive = 5,
}
