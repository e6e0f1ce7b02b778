using SharpKeeper.Protocol;

namespace SharpKeeper.Client;

/// <summary>
/// A session with an ensemble of ZooKeeper-protocol servers. Implemented by <see cref="KeeperClient"/>; an interface so
/// that code using it can be tested with another implementation.
/// <para>
/// Operations of one client reach the server in the order of the calls, and many may be under way at once. One that is
/// called while there is no connection waits until there is one, until its token is cancelled, or until the session
/// ends. One that is under way when the connection breaks fails with <see cref="ConnectionLossException"/>: it may or
/// may not have been carried out. Cancelling a token ends the wait, not the operation, once its request has been sent.
/// </para>
/// <para>
/// All fail with <see cref="SessionExpiredException"/> once the session has ended, with <see cref="KeeperException"/>
/// of code <see cref="ErrorCode.AuthFailed"/> after refused credentials and of code <see cref="ErrorCode.Closing"/>
/// once the client is closed. Paths that break the rules are refused with <see cref="ArgumentException"/> before
/// anything is sent. Await each returned <see cref="ValueTask"/> once.
/// </para>
/// </summary>
public interface IKeeperClient : IAsyncDisposable
{
    /// <summary>
    /// Reports each state the client enters, in order, on the thread pool. Handlers may await calls of the client.
    /// </summary>
    event Action<KeeperState>? StateChanged;

    /// <summary>
    /// Reports every event: of all watches, whatever else they do, and of the session (with no path). Handlers run in
    /// order, on the thread pool, and may await calls of the client.
    /// </summary>
    event Action<WatchedEvent>? WatchFired;

    /// <summary>The state of the client.</summary>
    KeeperState State { get; }

    /// <summary>The session, for going on with it in another client.</summary>
    KeeperSession Session { get; }

    /// <summary>The timeout that the server has agreed to; before that, the one asked for.</summary>
    TimeSpan SessionTimeout { get; }

    /// <summary>The latest transaction that a reply has shown.</summary>
    Zxid LastZxid { get; }

    /// <summary>Host and port of the server that serves the session; null while there is none.</summary>
    string? ConnectedServer { get; }

    /// <summary>The path that all paths of this client are below; empty without one.</summary>
    string Chroot { get; }

    /// <summary>
    /// Waits until the client is in a state. Fails as operations do when it has entered another final state.
    /// </summary>
    Task WaitForStateAsync(KeeperState state, CancellationToken cancellation = default);

    /// <summary>Creates a znode and returns its path, which a sequential mode gives a suffix.</summary>
    /// <param name="path">Where; with a sequential mode it may end with a slash.</param>
    /// <param name="data">What it holds; null for null data, which servers tell from empty data.</param>
    /// <param name="mode">How long it lives and whether its name is numbered.</param>
    /// <param name="acl">Who may do what; null for <see cref="Acl.OpenUnsafe"/>.</param>
    /// <param name="ttl">Time to live, for the modes that have one and only for them.</param>
    /// <param name="cancellation">Ends the wait.</param>
    /// <exception cref="NodeExistsException">The znode exists.</exception>
    /// <exception cref="NoNodeException">The parent does not exist.</exception>
    ValueTask<string> CreateAsync(
        string path, ReadOnlyMemory<byte>? data = null, CreateMode mode = CreateMode.Persistent,
        IReadOnlyList<Acl>? acl = null, TimeSpan? ttl = null, CancellationToken cancellation = default);

    /// <summary>Creates a znode and returns its path and metadata.</summary>
    /// <inheritdoc cref="CreateAsync"/>
    ValueTask<CreatedZnode> CreateWithStatAsync(
        string path, ReadOnlyMemory<byte>? data = null, CreateMode mode = CreateMode.Persistent,
        IReadOnlyList<Acl>? acl = null, TimeSpan? ttl = null, CancellationToken cancellation = default);

    /// <summary>Creates a znode and returns its path, or null if it exists.</summary>
    /// <inheritdoc cref="CreateAsync"/>
    ValueTask<string?> TryCreateAsync(
        string path, ReadOnlyMemory<byte>? data = null, CreateMode mode = CreateMode.Persistent,
        IReadOnlyList<Acl>? acl = null, TimeSpan? ttl = null, CancellationToken cancellation = default);

    /// <summary>Deletes a znode, at a version or at any (-1).</summary>
    /// <exception cref="NoNodeException">The znode does not exist.</exception>
    /// <exception cref="BadVersionException">The version is another.</exception>
    /// <exception cref="NotEmptyException">The znode has children.</exception>
    ValueTask DeleteAsync(string path, int version = -1, CancellationToken cancellation = default);

    /// <summary>Deletes a znode; false if it does not exist.</summary>
    /// <inheritdoc cref="DeleteAsync"/>
    ValueTask<bool> TryDeleteAsync(string path, int version = -1, CancellationToken cancellation = default);

    /// <summary>Reads the metadata of a znode; null if it does not exist.</summary>
    /// <param name="path">Which.</param>
    /// <param name="watch">What to do when the znode is created, deleted, or its data replaced.</param>
    /// <param name="cancellation">Ends the wait.</param>
    ValueTask<Stat?> ExistsAsync(string path, Watch? watch = null, CancellationToken cancellation = default);

    /// <summary>Reads data and metadata of a znode.</summary>
    /// <param name="path">Which.</param>
    /// <param name="watch">What to do when the data is replaced or the znode deleted.</param>
    /// <param name="cancellation">Ends the wait.</param>
    /// <exception cref="NoNodeException">The znode does not exist; no watch is set then.</exception>
    ValueTask<ZnodeData> GetAsync(string path, Watch? watch = null, CancellationToken cancellation = default);

    /// <summary>Replaces the data of a znode, at a version or at any (-1).</summary>
    /// <exception cref="NoNodeException">The znode does not exist.</exception>
    /// <exception cref="BadVersionException">The version is another.</exception>
    ValueTask<Stat> SetAsync(
        string path, ReadOnlyMemory<byte>? data, int version = -1, CancellationToken cancellation = default);

    /// <summary>Replaces the data of a znode at a version; null if the version is another.</summary>
    /// <exception cref="NoNodeException">The znode does not exist.</exception>
    ValueTask<Stat?> TrySetAsync(
        string path, ReadOnlyMemory<byte>? data, int version, CancellationToken cancellation = default);

    /// <summary>Reads the access control list of a znode.</summary>
    /// <exception cref="NoNodeException">The znode does not exist.</exception>
    ValueTask<ZnodeAcl> GetAclAsync(string path, CancellationToken cancellation = default);

    /// <summary>
    /// Replaces the access control list of a znode, at a version of the list (<see cref="Stat.Aversion"/>) or at any
    /// (-1).
    /// </summary>
    /// <exception cref="NoNodeException">The znode does not exist.</exception>
    /// <exception cref="BadVersionException">The version is another.</exception>
    ValueTask<Stat> SetAclAsync(
        string path, IReadOnlyList<Acl> acl, int version = -1, CancellationToken cancellation = default);

    /// <summary>Lists the names of the children of a znode, in no particular order.</summary>
    /// <param name="path">Which.</param>
    /// <param name="watch">What to do when a child is created or deleted, or the znode is deleted.</param>
    /// <param name="cancellation">Ends the wait.</param>
    /// <exception cref="NoNodeException">The znode does not exist; no watch is set then.</exception>
    ValueTask<IReadOnlyList<string>> GetChildrenAsync(
        string path, Watch? watch = null, CancellationToken cancellation = default);

    /// <summary>Lists the names of the children of a znode, and reads its metadata.</summary>
    /// <inheritdoc cref="GetChildrenAsync"/>
    ValueTask<ZnodeChildren> GetChildrenWithStatAsync(
        string path, Watch? watch = null, CancellationToken cancellation = default);

    /// <summary>Counts all descendants of a znode. Servers before 3.5.7 do not offer it.</summary>
    ValueTask<int> GetAllChildrenNumberAsync(string path, CancellationToken cancellation = default);

    /// <summary>
    /// Lists the ephemerals of this session whose path starts with <paramref name="prefix"/>, which is compared as
    /// text.
    /// </summary>
    ValueTask<IReadOnlyList<string>> GetEphemeralsAsync(
        string prefix = ZnodePath.Root, CancellationToken cancellation = default);

    /// <summary>
    /// Makes the server catch up with the leader: what was committed before the call is seen by reads after it. See
    /// <see cref="GetLatestAsync"/> for both in one call.
    /// </summary>
    ValueTask SyncAsync(string path = ZnodePath.Root, CancellationToken cancellation = default);

    /// <summary>
    /// Reads data and metadata of a znode as of now: a sync and the read, sent together. What is returned is no older
    /// than any write that was acknowledged to anybody before the call. With SharpKeeper's leaders that always holds,
    /// for they make sure of their leadership before they answer a sync; Apache's may answer for a moment longer than
    /// they lead. Costs a round trip to the leader and needs a quorum.
    /// </summary>
    /// <exception cref="NoNodeException">The znode does not exist; no watch is set then.</exception>
    /// <inheritdoc cref="GetAsync"/>
    ValueTask<ZnodeData> GetLatestAsync(string path, Watch? watch = null, CancellationToken cancellation = default);

    /// <summary>
    /// Reads the metadata of a znode as of now, null if it does not exist; see <see cref="GetLatestAsync"/>.
    /// </summary>
    /// <inheritdoc cref="ExistsAsync"/>
    ValueTask<Stat?> ExistsLatestAsync(string path, Watch? watch = null, CancellationToken cancellation = default);

    /// <summary>
    /// Lists the children of a znode and reads its metadata, as of now; see <see cref="GetLatestAsync"/>.
    /// </summary>
    /// <inheritdoc cref="GetChildrenAsync"/>
    ValueTask<ZnodeChildren> GetChildrenLatestAsync(
        string path, Watch? watch = null, CancellationToken cancellation = default);

    /// <summary>Carries out all operations or none, and returns a result for each.</summary>
    /// <exception cref="MultiException">An operation failed, and so none was carried out.</exception>
    ValueTask<IReadOnlyList<MultiResult>> MultiAsync(
        IReadOnlyList<MultiOp> operations, CancellationToken cancellation = default);

    /// <summary>
    /// As <see cref="MultiAsync"/>, but returns the results of a failed multi too: the error of the operation that
    /// failed, <see cref="ErrorCode.Ok"/> before it, <see cref="ErrorCode.RuntimeInconsistency"/> behind it.
    /// </summary>
    ValueTask<IReadOnlyList<MultiResult>> TryMultiAsync(
        IReadOnlyList<MultiOp> operations, CancellationToken cancellation = default);

    /// <summary>
    /// Reads several znodes in one request; each result has its own error. Servers before 3.6 do not offer it.
    /// </summary>
    ValueTask<IReadOnlyList<MultiResult>> MultiReadAsync(
        IReadOnlyList<MultiOp> operations, CancellationToken cancellation = default);

    /// <summary>Lists the identities of the connection. Servers before 3.7 do not offer it.</summary>
    ValueTask<IReadOnlyList<AuthId>> WhoAmIAsync(CancellationToken cancellation = default);

    /// <summary>
    /// Adds credentials, to this connection and to all later ones. Refused credentials end the client: see
    /// <see cref="KeeperState.AuthFailed"/>.
    /// </summary>
    Task AddAuthAsync(AuthInfo credentials, CancellationToken cancellation = default);

    /// <summary>
    /// Reads the ensemble's membership, as text, and its metadata. The path of the watch's event is /zookeeper/config,
    /// with a chroot too.
    /// </summary>
    /// <param name="watch">What to do when the membership changes.</param>
    /// <param name="cancellation">Ends the wait.</param>
    ValueTask<ZnodeData> GetConfigAsync(Watch? watch = null, CancellationToken cancellation = default);

    /// <summary>
    /// Changes the ensemble's membership and returns the new one, as text. Give <paramref name="joining"/> and
    /// <paramref name="leaving"/>, or <paramref name="members"/>.
    /// </summary>
    /// <param name="joining">Servers to add, as server.id=... lines joined by commas; null for none.</param>
    /// <param name="leaving">Ids of servers to remove, joined by commas; null for none.</param>
    /// <param name="members">All servers of the new ensemble; null for a change by the two others.</param>
    /// <param name="fromConfig">The configuration to start from, or -1 for whatever is current.</param>
    /// <param name="cancellation">Ends the wait.</param>
    /// <exception cref="BadVersionException">The configuration is another than the one to start from.</exception>
    /// <exception cref="ReconfigInProgressException">Another change is under way.</exception>
    /// <exception cref="NewConfigNoQuorumException">
    /// No quorum of the new members is connected and up to date; nothing has changed.
    /// </exception>
    /// <exception cref="ReconfigDisabledException">The servers do not allow it.</exception>
    /// <exception cref="NoAuthException">Only the super user, or who may write /zookeeper/config, may.</exception>
    ValueTask<ZnodeData> ReconfigAsync(
        string? joining, string? leaving, string? members, long fromConfig = -1,
        CancellationToken cancellation = default);

    /// <summary>
    /// Sets a lasting watch on a path, which need not exist. Servers before 3.6 do not offer it. Before 3.9 a one-shot
    /// watch of this client on the same path takes the place of the lasting one: keep them apart there. What happens
    /// while there is no connection is not reported later: see <see cref="StateChanged"/>, or use
    /// <see cref="WatchAsync"/>, which says when to read again.
    /// </summary>
    /// <param name="path">Which.</param>
    /// <param name="mode">The znode and its list of children, or everything below too.</param>
    /// <param name="watch">What to do with each event; null for <see cref="WatchFired"/> only.</param>
    /// <param name="cancellation">Ends the wait.</param>
    ValueTask AddWatchAsync(
        string path, AddWatchMode mode, Watch? watch = null, CancellationToken cancellation = default);

    /// <summary>
    /// Streams the events of a lasting watch, which is removed when the enumeration ends. The first event is a session
    /// event (<see cref="WatchedEvent.IsSessionEvent"/>): from then on nothing is missed, so read what there is.
    /// Further session events tell of a lost connection, and of a regained one or a reader too slow, after which
    /// everything has to be read again. Ends when the client is closed or the watch removed; fails when the session has
    /// ended.
    /// </summary>
    /// <inheritdoc cref="AddWatchAsync"/>
    IAsyncEnumerable<WatchedEvent> WatchAsync(
        string path, AddWatchMode mode = AddWatchMode.Persistent, CancellationToken cancellation = default);

    /// <summary>
    /// Does the server hold a watch of this client on the path? Servers before 3.9 do not know the types of lasting
    /// watches and fail with <see cref="ErrorCode.MarshallingError"/>: ask for <see cref="WatcherType.Any"/> there.
    /// </summary>
    ValueTask<bool> CheckWatchesAsync(string path, WatcherType type, CancellationToken cancellation = default);

    /// <summary>
    /// Removes all watches of this client on a path; each fires once more, with an event that says that it was removed.
    /// </summary>
    /// <param name="path">Which.</param>
    /// <param name="type">Which kind of watches.</param>
    /// <param name="local">Remove them here even if the server cannot be asked.</param>
    /// <param name="cancellation">Ends the wait.</param>
    /// <exception cref="KeeperException">Code <see cref="ErrorCode.NoWatcher"/>: there is none.</exception>
    ValueTask RemoveWatchesAsync(
        string path, WatcherType type, bool local = false, CancellationToken cancellation = default);

    /// <summary>
    /// Replaces the list of servers. The session goes on: the client stays where it is, or moves to another server as
    /// soon as what is under way has been answered. It moves when its server is not in the new list, and otherwise with
    /// such a probability that many clients, spread evenly over the old list, end up spread evenly over the new one.
    /// </summary>
    /// <param name="connectString">
    /// As <see cref="KeeperClientOptions.ConnectString"/>. The chroot cannot change: leave it out, or repeat it.
    /// </param>
    /// <returns>Is the client moving?</returns>
    /// <exception cref="ArgumentException">The list is malformed, or has another chroot.</exception>
    bool UpdateServers(string connectString);

    /// <summary>
    /// Ends the session, and its ephemerals with it. Without a connection the server ends it when its timeout is over.
    /// Never fails; calling it again waits for the same end.
    /// </summary>
    Task CloseAsync();
}
