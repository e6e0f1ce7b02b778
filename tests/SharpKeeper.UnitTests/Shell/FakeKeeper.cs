using SharpKeeper.Client;
using SharpKeeper.Protocol;

namespace SharpKeeper.ShellTests;

/// <summary>
/// A client with a tree of its own: enough of the rules for the commands of the shell. Operations complete at once
/// unless <see cref="Hangs"/> is set. What the shell does not call is not supported.
/// </summary>
internal sealed class FakeKeeper : IKeeperClient
{
    private sealed class Node
    {
        public byte[]? Data;
        public int Version;
        public int Created;
        public CreateMode Mode;
        public IReadOnlyList<Acl> Acl = Protocol.Acl.OpenUnsafe;
        public int Aversion;
    }

    private readonly SortedDictionary<string, Node> nodes = new(StringComparer.Ordinal)
    {
        ["/"] = new(),
        ["/zookeeper"] = new(),
        ["/zookeeper/quota"] = new(),
        ["/zookeeper/config"] = new() { Data = [] },
    };

    private readonly HashSet<string> watched = [];

    public event Action<KeeperState>? StateChanged;

    public event Action<WatchedEvent>? WatchFired;

    public KeeperState State { get; private set; } = KeeperState.Connected;

    public List<string> Calls { get; } = [];

    /// <summary>Do operations wait until they are cancelled?</summary>
    public bool Hangs { get; set; }

    public bool IsDisposed { get; private set; }

    public KeeperSession Session { get; } = new(new SessionId(1), new byte[16]);

    public TimeSpan SessionTimeout => TimeSpan.FromSeconds(30);

    public Zxid LastZxid => Zxid.Zero;

    public string? ConnectedServer => "127.0.0.1:2181";

    public string Chroot => "";

    public void Enter(KeeperState state)
    {
        State = state;
        StateChanged?.Invoke(state);
        WatchFired?.Invoke(new WatchedEvent(WatchEventType.None, state, null, WatchedEvent.NoZxid));
    }

    public async ValueTask<string> CreateAsync(
        string path, ReadOnlyMemory<byte>? data = null, CreateMode mode = CreateMode.Persistent,
        IReadOnlyList<Acl>? acl = null, TimeSpan? ttl = null, CancellationToken cancellation = default)
    {
        await EnterAsync($"create {path} {mode} {ttl?.TotalMilliseconds}", cancellation);
        Node parent = Find(ParentOf(path), path);
        if (parent.Mode.IsEphemeral())
            throw new KeeperException(ErrorCode.NoChildrenForEphemerals, path);
        string full = mode.IsSequential() ? $"{path}{parent.Created:D10}" : path;
        parent.Created++;
        if (!nodes.TryAdd(full, new Node { Data = data?.ToArray(), Mode = mode, Acl = acl ?? Acl.OpenUnsafe }))
            throw new NodeExistsException(path);
        Fire(full, WatchEventType.NodeCreated);
        Fire(ParentOf(full), WatchEventType.NodeChildrenChanged);
        return full;
    }

    public async ValueTask<string?> TryCreateAsync(
        string path, ReadOnlyMemory<byte>? data = null, CreateMode mode = CreateMode.Persistent,
        IReadOnlyList<Acl>? acl = null, TimeSpan? ttl = null, CancellationToken cancellation = default) =>
        nodes.ContainsKey(path) ? null : await CreateAsync(path, data, mode, acl, ttl, cancellation);

    public async ValueTask DeleteAsync(string path, int version = -1, CancellationToken cancellation = default)
    {
        await EnterAsync($"delete {path} {version}", cancellation);
        Check(Find(path, path).Version, version, path);
        if (ChildrenOf(path).Count > 0)
            throw new NotEmptyException(path);
        nodes.Remove(path);
        Fire(path, WatchEventType.NodeDeleted);
    }

    public async ValueTask<bool> TryDeleteAsync(
        string path, int version = -1, CancellationToken cancellation = default)
    {
        if (!nodes.ContainsKey(path))
            return false;
        await DeleteAsync(path, version, cancellation);
        return true;
    }

    public async ValueTask<Stat?> ExistsAsync(
        string path, Watch? watch = null, CancellationToken cancellation = default)
    {
        await EnterAsync($"exists {path}", cancellation);
        WatchIf(watch, path);
        return nodes.TryGetValue(path, out Node? node) ? StatOf(path, node) : null;
    }

    public async ValueTask<ZnodeData> GetAsync(
        string path, Watch? watch = null, CancellationToken cancellation = default)
    {
        await EnterAsync($"get {path}", cancellation);
        Node node = Find(path, path);
        WatchIf(watch, path);
        return new ZnodeData(node.Data, StatOf(path, node));
    }

    public async ValueTask<Stat> SetAsync(
        string path, ReadOnlyMemory<byte>? data, int version = -1, CancellationToken cancellation = default)
    {
        await EnterAsync($"set {path} {version}", cancellation);
        Node node = Find(path, path);
        Check(node.Version, version, path);
        node.Data = data?.ToArray();
        node.Version++;
        Fire(path, WatchEventType.NodeDataChanged);
        return StatOf(path, node);
    }

    public async ValueTask<ZnodeAcl> GetAclAsync(string path, CancellationToken cancellation = default)
    {
        await EnterAsync($"getAcl {path}", cancellation);
        Node node = Find(path, path);
        return new ZnodeAcl(node.Acl, StatOf(path, node));
    }

    public async ValueTask<Stat> SetAclAsync(
        string path, IReadOnlyList<Acl> acl, int version = -1, CancellationToken cancellation = default)
    {
        await EnterAsync($"setAcl {path} {version}", cancellation);
        Node node = Find(path, path);
        Check(node.Aversion, version, path);
        node.Acl = acl;
        node.Aversion++;
        return StatOf(path, node);
    }

    public async ValueTask<IReadOnlyList<string>> GetChildrenAsync(
        string path, Watch? watch = null, CancellationToken cancellation = default) =>
        (await GetChildrenWithStatAsync(path, watch, cancellation)).Names;

    public async ValueTask<ZnodeChildren> GetChildrenWithStatAsync(
        string path, Watch? watch = null, CancellationToken cancellation = default)
    {
        await EnterAsync($"children {path}", cancellation);
        Node node = Find(path, path);
        WatchIf(watch, path);
        return new ZnodeChildren([.. Enumerable.Reverse(ChildrenOf(path))], StatOf(path, node));
    }

    public async ValueTask<int> GetAllChildrenNumberAsync(string path, CancellationToken cancellation = default)
    {
        await EnterAsync($"count {path}", cancellation);
        return nodes.Keys.Count(other => other != path && other.StartsWith(path, StringComparison.Ordinal));
    }

    public async ValueTask<IReadOnlyList<string>> GetEphemeralsAsync(
        string prefix = "/", CancellationToken cancellation = default)
    {
        await EnterAsync($"ephemerals {prefix}", cancellation);
        return [.. nodes.Where(node => node.Value.Mode.IsEphemeral()).Select(node => node.Key).Reverse()];
    }

    public ValueTask SyncAsync(string path = "/", CancellationToken cancellation = default) =>
        EnterAsync($"sync {path}", cancellation);

    public async ValueTask<IReadOnlyList<AuthId>> WhoAmIAsync(CancellationToken cancellation = default)
    {
        await EnterAsync("whoami", cancellation);
        return [new AuthId("ip", "127.0.0.1"), new AuthId("digest", "bob")];
    }

    public Task AddAuthAsync(AuthInfo credentials, CancellationToken cancellation = default)
    {
        Calls.Add($"addauth {credentials.Scheme}");
        if (credentials.Scheme == "digest")
            return Task.CompletedTask;
        Enter(KeeperState.AuthFailed);
        return Task.FromException(KeeperException.For(ErrorCode.AuthFailed));
    }

    public ValueTask AddWatchAsync(
        string path, AddWatchMode mode, Watch? watch = null, CancellationToken cancellation = default) =>
        EnterAsync($"addWatch {path} {mode}", cancellation);

    public async ValueTask RemoveWatchesAsync(
        string path, WatcherType type, bool local = false, CancellationToken cancellation = default)
    {
        await EnterAsync($"removewatches {path} {type} {local}", cancellation);
        if (!watched.Remove(path))
            throw KeeperException.For(ErrorCode.NoWatcher, path);
    }

    public ValueTask<ZnodeData> ReconfigAsync(
        string? joining, string? leaving, string? members, long fromConfig = -1,
        CancellationToken cancellation = default)
    {
        Calls.Add($"reconfig {joining} {leaving} {members} {fromConfig}");
        return ValueTask.FromException<ZnodeData>(KeeperException.For(ErrorCode.ReconfigDisabled));
    }

    public Task CloseAsync()
    {
        IsDisposed = true;
        return Task.CompletedTask;
    }

    public async ValueTask DisposeAsync() => await CloseAsync();

    public ValueTask<ZnodeData> GetConfigAsync(Watch? watch = null, CancellationToken cancellation = default) =>
        GetAsync("/zookeeper/config", watch, cancellation);

    bool IKeeperClient.UpdateServers(string connectString) => throw NotCalled();

    ValueTask<ZnodeData> IKeeperClient.GetLatestAsync(
        string path, Watch? watch, CancellationToken cancellation) => throw NotCalled();

    ValueTask<Stat?> IKeeperClient.ExistsLatestAsync(
        string path, Watch? watch, CancellationToken cancellation) => throw NotCalled();

    ValueTask<ZnodeChildren> IKeeperClient.GetChildrenLatestAsync(
        string path, Watch? watch, CancellationToken cancellation) => throw NotCalled();

    Task IKeeperClient.WaitForStateAsync(KeeperState state, CancellationToken cancellation) => throw NotCalled();

    ValueTask<CreatedZnode> IKeeperClient.CreateWithStatAsync(
        string path, ReadOnlyMemory<byte>? data, CreateMode mode, IReadOnlyList<Acl>? acl, TimeSpan? ttl,
        CancellationToken cancellation) => throw NotCalled();

    ValueTask<Stat?> IKeeperClient.TrySetAsync(
        string path, ReadOnlyMemory<byte>? data, int version, CancellationToken cancellation) => throw NotCalled();

    ValueTask<IReadOnlyList<MultiResult>> IKeeperClient.MultiAsync(
        IReadOnlyList<MultiOp> operations, CancellationToken cancellation) => throw NotCalled();

    ValueTask<IReadOnlyList<MultiResult>> IKeeperClient.TryMultiAsync(
        IReadOnlyList<MultiOp> operations, CancellationToken cancellation) => throw NotCalled();

    ValueTask<IReadOnlyList<MultiResult>> IKeeperClient.MultiReadAsync(
        IReadOnlyList<MultiOp> operations, CancellationToken cancellation) => throw NotCalled();

    IAsyncEnumerable<WatchedEvent> IKeeperClient.WatchAsync(
        string path, AddWatchMode mode, CancellationToken cancellation) => throw NotCalled();

    ValueTask<bool> IKeeperClient.CheckWatchesAsync(
        string path, WatcherType type, CancellationToken cancellation) => throw NotCalled();

    private static NotSupportedException NotCalled() => new("The shell does not call this.");

    private async ValueTask EnterAsync(string call, CancellationToken cancellation)
    {
        Calls.Add(call);
        if (Hangs)
            await Task.Delay(Timeout.Infinite, cancellation);
    }

    private void WatchIf(Watch? watch, string path)
    {
        if (watch is not null)
            watched.Add(path);
    }

    private void Fire(string path, WatchEventType type)
    {
        if (watched.Remove(path))
            WatchFired?.Invoke(new WatchedEvent(type, State, path, WatchedEvent.NoZxid));
    }

    private Node Find(string path, string asked) =>
        nodes.TryGetValue(path, out Node? node) ? node : throw new NoNodeException(asked);

    private static void Check(int present, int asked, string path)
    {
        if (asked != -1 && asked != present)
            throw new BadVersionException(path);
    }

    private static string ParentOf(string path) => path.LastIndexOf('/') is > 0 and int slash ? path[..slash] : "/";

    private List<string> ChildrenOf(string path) =>
    [
        .. nodes.Keys.Where(other => other != "/" && ParentOf(other) == path)
            .Select(other => other[(other.LastIndexOf('/') + 1)..]),
    ];

    private Stat StatOf(string path, Node node) => new(
        0x10, 0x11, 1795373546_000, 1795373547_000, node.Version, 0, node.Aversion,
        node.Mode.IsEphemeral() ? 0x1000abc : 0, node.Data?.Length ?? 0, ChildrenOf(path).Count, 0x12);
}
