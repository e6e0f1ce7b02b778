using SharpKeeper.Client.Internal;
using SharpKeeper.Protocol;

namespace SharpKeeper.Client;

/// <content>The operations on znodes.</content>
public sealed partial class KeeperClient
{
    /// <inheritdoc/>
    public ValueTask<string> CreateAsync(
        string path, ReadOnlyMemory<byte>? data = null, CreateMode mode = CreateMode.Persistent,
        IReadOnlyList<Acl>? acl = null, TimeSpan? ttl = null, CancellationToken cancellation = default)
    {
        Arguments.CheckCreate(path, mode, acl, ttl);
        var body = new CreateBody(path, data, acl ?? Acl.OpenUnsafe, mode, ttl);
        return session.SendAsync(CreateCode(mode, OpCode.Create), body, Rent(Replies.Path, path), cancellation);
    }

    /// <inheritdoc/>
    public ValueTask<CreatedZnode> CreateWithStatAsync(
        string path, ReadOnlyMemory<byte>? data = null, CreateMode mode = CreateMode.Persistent,
        IReadOnlyList<Acl>? acl = null, TimeSpan? ttl = null, CancellationToken cancellation = default)
    {
        Arguments.CheckCreate(path, mode, acl, ttl);
        var body = new CreateBody(path, data, acl ?? Acl.OpenUnsafe, mode, ttl);
        return session.SendAsync(CreateCode(mode, OpCode.Create2), body, Rent(Replies.Created, path), cancellation);
    }

    /// <inheritdoc/>
    public ValueTask<string?> TryCreateAsync(
        string path, ReadOnlyMemory<byte>? data = null, CreateMode mode = CreateMode.Persistent,
        IReadOnlyList<Acl>? acl = null, TimeSpan? ttl = null, CancellationToken cancellation = default)
    {
        Arguments.CheckCreate(path, mode, acl, ttl);
        var body = new CreateBody(path, data, acl ?? Acl.OpenUnsafe, mode, ttl);
        PendingRequest<string?> request = Rent(Replies.PathOrNull, path, ErrorCode.NodeExists);
        return session.SendAsync(CreateCode(mode, OpCode.Create), body, request, cancellation);
    }

    /// <inheritdoc/>
    public ValueTask DeleteAsync(string path, int version = -1, CancellationToken cancellation = default)
    {
        ZnodePath.Validate(path);
        return session.SendOnlyAsync(
            OpCode.Delete, new PathInt32Body(path, version), Rent(Replies.None, path), cancellation);
    }

    /// <inheritdoc/>
    public ValueTask<bool> TryDeleteAsync(string path, int version = -1, CancellationToken cancellation = default)
    {
        ZnodePath.Validate(path);
        PendingRequest<bool> request = Rent(Replies.None, path, ErrorCode.NoNode);
        return session.SendAsync(OpCode.Delete, new PathInt32Body(path, version), request, cancellation);
    }

    /// <inheritdoc/>
    public ValueTask<Stat?> ExistsAsync(string path, Watch? watch = null, CancellationToken cancellation = default)
    {
        ZnodePath.Validate(path);
        PendingRequest<Stat?> request =
            PendingRequest<Stat?>.Rent(Replies.StatOrNull, path, ErrorCode.NoNode, watch, WatchKind.Exists);
        return session.SendAsync(OpCode.Exists, new PathWatchBody(path, watch is not null), request, cancellation);
    }

    /// <inheritdoc/>
    public ValueTask<ZnodeData> GetAsync(string path, Watch? watch = null, CancellationToken cancellation = default)
    {
        ZnodePath.Validate(path);
        PendingRequest<ZnodeData> request = Rent(Replies.Data, path, watch, WatchKind.Data);
        return session.SendAsync(OpCode.GetData, new PathWatchBody(path, watch is not null), request, cancellation);
    }

    /// <inheritdoc/>
    public ValueTask<Stat> SetAsync(
        string path, ReadOnlyMemory<byte>? data, int version = -1, CancellationToken cancellation = default)
    {
        ZnodePath.Validate(path);
        var body = new SetDataBody(path, data, version);
        return session.SendAsync(OpCode.SetData, body, Rent(Replies.Stat1, path), cancellation);
    }

    /// <inheritdoc/>
    public ValueTask<Stat?> TrySetAsync(
        string path, ReadOnlyMemory<byte>? data, int version, CancellationToken cancellation = default)
    {
        ZnodePath.Validate(path);
        var body = new SetDataBody(path, data, version);
        PendingRequest<Stat?> request = Rent(Replies.StatOrNull, path, ErrorCode.BadVersion);
        return session.SendAsync(OpCode.SetData, body, request, cancellation);
    }

    /// <inheritdoc/>
    public ValueTask<ZnodeAcl> GetAclAsync(string path, CancellationToken cancellation = default)
    {
        ZnodePath.Validate(path);
        return session.SendAsync(OpCode.GetAcl, new PathBody(path), Rent(Replies.AclAndStat, path), cancellation);
    }

    /// <inheritdoc/>
    public ValueTask<Stat> SetAclAsync(
        string path, IReadOnlyList<Acl> acl, int version = -1, CancellationToken cancellation = default)
    {
        ZnodePath.Validate(path);
        ArgumentNullException.ThrowIfNull(acl);
        Arguments.CheckAcl(acl);
        var body = new SetAclBody(path, acl, version);
        return session.SendAsync(OpCode.SetAcl, body, Rent(Replies.Stat1, path), cancellation);
    }

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<string>> GetChildrenAsync(
        string path, Watch? watch = null, CancellationToken cancellation = default)
    {
        ZnodePath.Validate(path);
        PendingRequest<IReadOnlyList<string>> request = Rent(Replies.Names, path, watch, WatchKind.Children);
        return session.SendAsync(OpCode.GetChildren, new PathWatchBody(path, watch is not null), request, cancellation);
    }

    /// <inheritdoc/>
    public ValueTask<ZnodeChildren> GetChildrenWithStatAsync(
        string path, Watch? watch = null, CancellationToken cancellation = default)
    {
        ZnodePath.Validate(path);
        PendingRequest<ZnodeChildren> request = Rent(Replies.Children, path, watch, WatchKind.Children);
        return session.SendAsync(
            OpCode.GetChildren2, new PathWatchBody(path, watch is not null), request, cancellation);
    }

    /// <inheritdoc/>
    public ValueTask<int> GetAllChildrenNumberAsync(string path, CancellationToken cancellation = default)
    {
        ZnodePath.Validate(path);
        return session.SendAsync(
            OpCode.GetAllChildrenNumber, new PathBody(path), Rent(Replies.Int32, path), cancellation);
    }

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<string>> GetEphemeralsAsync(
        string prefix = ZnodePath.Root, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(prefix);
        return session.SendAsync(
            OpCode.GetEphemerals, new PathBody(prefix), Rent(Replies.Paths, prefix), cancellation);
    }

    /// <inheritdoc/>
    public ValueTask SyncAsync(string path = ZnodePath.Root, CancellationToken cancellation = default)
    {
        ZnodePath.Validate(path);
        return session.SendOnlyAsync(OpCode.Sync, new PathBody(path), Rent(Replies.None, path), cancellation);
    }

    /// <inheritdoc/>
    public ValueTask<ZnodeData> GetLatestAsync(
        string path, Watch? watch = null, CancellationToken cancellation = default)
    {
        ZnodePath.Validate(path);
        return AfterSync(SyncUnsent(path, cancellation), GetAsync(path, watch, cancellation));
    }

    /// <inheritdoc/>
    public ValueTask<Stat?> ExistsLatestAsync(
        string path, Watch? watch = null, CancellationToken cancellation = default)
    {
        ZnodePath.Validate(path);
        return AfterSync(SyncUnsent(path, cancellation), ExistsAsync(path, watch, cancellation));
    }

    /// <inheritdoc/>
    public ValueTask<ZnodeChildren> GetChildrenLatestAsync(
        string path, Watch? watch = null, CancellationToken cancellation = default)
    {
        ZnodePath.Validate(path);
        return AfterSync(SyncUnsent(path, cancellation), GetChildrenWithStatAsync(path, watch, cancellation));
    }

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<AuthId>> WhoAmIAsync(CancellationToken cancellation = default) =>
        session.SendAsync(OpCode.WhoAmI, new EmptyBody(), Rent(Replies.Identities, null), cancellation);

    /// <inheritdoc/>
    public Task AddAuthAsync(AuthInfo credentials, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(credentials);
        return session.AddAuthAsync(credentials, cancellation);
    }

    /// <inheritdoc/>
    public ValueTask<ZnodeData> GetConfigAsync(Watch? watch = null, CancellationToken cancellation = default)
    {
        const string Path = WatchRegistry.ConfigPath;
        var body = new AbsolutePathWatchBody(Path, watch is not null);
        PendingRequest<ZnodeData> request = Rent(Replies.Data, Path, watch, WatchKind.Config);
        return session.SendAsync(OpCode.GetData, body, request, cancellation);
    }

    /// <inheritdoc/>
    public bool UpdateServers(string connectString) => session.UpdateServers(connectString);

    /// <inheritdoc/>
    public ValueTask<ZnodeData> ReconfigAsync(
        string? joining, string? leaving, string? members, long fromConfig = -1,
        CancellationToken cancellation = default)
    {
        if (members is not null && (joining is not null || leaving is not null))
            throw new ArgumentException("Give either all members or those that join and leave.", nameof(members));
        var body = new ReconfigBody(joining, leaving, members, fromConfig);
        return session.SendAsync(OpCode.Reconfig, body, Rent(Replies.Data, null), cancellation);
    }

    /// <inheritdoc/>
    public async ValueTask<IReadOnlyList<MultiResult>> MultiAsync(
        IReadOnlyList<MultiOp> operations, CancellationToken cancellation = default)
    {
        IReadOnlyList<MultiResult> results = await TryMultiAsync(operations, cancellation).ConfigureAwait(false);
        for (int i = 0; i < results.Count; i++)
        {
            if (results[i].Error is not (ErrorCode.Ok or ErrorCode.RuntimeInconsistency))
                throw new MultiException(results, i, operations[i].Path);
        }
        return results;
    }

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<MultiResult>> TryMultiAsync(
        IReadOnlyList<MultiOp> operations, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(operations);
        if (operations.Any(operation => operation.IsRead))
            throw new ArgumentException("A multi writes; use MultiReadAsync to read.", nameof(operations));
        return session.SendAsync(OpCode.Multi, new MultiBody(operations), Rent(Replies.Multi, null), cancellation);
    }

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<MultiResult>> MultiReadAsync(
        IReadOnlyList<MultiOp> operations, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(operations);
        if (!operations.All(operation => operation.IsRead))
            throw new ArgumentException("A multi-read only reads; use MultiAsync to write.", nameof(operations));
        return session.SendAsync(OpCode.MultiRead, new MultiBody(operations), Rent(Replies.Multi, null), cancellation);
    }

    /// <summary>
    /// A sync that leaves together with the request that follows. The replies come in the order of the requests, and
    /// from one server unless one of them fails.
    /// </summary>
    private ValueTask SyncUnsent(string path, CancellationToken cancellation) => session.SendOnlyAsync(
        OpCode.Sync, new PathBody(path), Rent(Replies.None, path), cancellation, isFollowed: true);

    private static async ValueTask<T> AfterSync<T>(ValueTask sync, ValueTask<T> read)
    {
        try
        {
            await sync.ConfigureAwait(false);
        }
        catch (Exception failure)
        {
            // What was read without the sync may be old; it is awaited all the same, so that nothing is left behind.
            try
            {
                await read.ConfigureAwait(false);
            }
            catch (Exception e) when (e is KeeperException or OperationCanceledException)
            {
                // The first failure is the one to report.
            }
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(failure);
        }
        return await read.ConfigureAwait(false);
    }

    private static OpCode CreateCode(CreateMode mode, OpCode ordinary) => mode.IsTtl() ? OpCode.CreateTtl
        : mode == CreateMode.Container ? OpCode.CreateContainer : ordinary;

    private static PendingRequest<T> Rent<T>(
        ReplyDecoder<T> decode, string? path, ErrorCode tolerated = ErrorCode.Ok) =>
        PendingRequest<T>.Rent(decode, path, tolerated, null, WatchKind.None);

    private static PendingRequest<T> Rent<T>(ReplyDecoder<T> decode, string path, Watch? watch, WatchKind kind) =>
        PendingRequest<T>.Rent(decode, path, ErrorCode.Ok, watch, kind);
}
