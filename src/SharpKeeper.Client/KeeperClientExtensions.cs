using System.Text;
using SharpKeeper.Protocol;

namespace SharpKeeper.Client;

/// <summary>Everyday combinations of the operations of <see cref="IKeeperClient"/>.</summary>
public static class KeeperClientExtensions
{
    private const int DeletesUnderWay = 512;

    /// <summary>Creates a znode that holds text, in UTF-8, and returns its path.</summary>
    /// <inheritdoc cref="IKeeperClient.CreateAsync"/>
    public static ValueTask<string> CreateAsync(
        this IKeeperClient client, string path, string text, CreateMode mode = CreateMode.Persistent,
        CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(client);
        return client.CreateAsync(path, Encoding.UTF8.GetBytes(text), mode, cancellation: cancellation);
    }

    /// <summary>Replaces the data of a znode by text, in UTF-8, at a version or at any (-1).</summary>
    /// <inheritdoc cref="IKeeperClient.SetAsync"/>
    public static ValueTask<Stat> SetAsync(
        this IKeeperClient client, string path, string text, int version = -1, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(client);
        return client.SetAsync(path, Encoding.UTF8.GetBytes(text), version, cancellation);
    }

    /// <summary>Reads a znode, and says when what was read has changed.</summary>
    /// <exception cref="NoNodeException">The znode does not exist; nothing is watched then.</exception>
    public static async Task<Watched<ZnodeData>> WatchDataAsync(
        this IKeeperClient client, string path, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(client);
        WatchOnce watch = Watch.Once();
        ZnodeData data = await client.GetAsync(path, watch, cancellation).ConfigureAwait(false);
        return new Watched<ZnodeData>(data, watch.Fired);
    }

    /// <summary>Reads the metadata of a znode, null if there is none, and says when that has changed.</summary>
    public static async Task<Watched<Stat?>> WatchExistsAsync(
        this IKeeperClient client, string path, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(client);
        WatchOnce watch = Watch.Once();
        Stat? stat = await client.ExistsAsync(path, watch, cancellation).ConfigureAwait(false);
        return new Watched<Stat?>(stat, watch.Fired);
    }

    /// <summary>Lists the children of a znode, and says when the list has changed.</summary>
    /// <exception cref="NoNodeException">The znode does not exist; nothing is watched then.</exception>
    public static async Task<Watched<ZnodeChildren>> WatchChildrenAsync(
        this IKeeperClient client, string path, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(client);
        WatchOnce watch = Watch.Once();
        ZnodeChildren children =
            await client.GetChildrenWithStatAsync(path, watch, cancellation).ConfigureAwait(false);
        return new Watched<ZnodeChildren>(children, watch.Fired);
    }

    /// <summary>
    /// Makes a path exist, with all above it: what is missing is created, persistent, with null data and
    /// <paramref name="acl"/> (null for <see cref="Acl.OpenUnsafe"/>).
    /// </summary>
    public static async Task EnsurePathAsync(
        this IKeeperClient client, string path, IReadOnlyList<Acl>? acl = null,
        CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(client);
        if (await client.ExistsAsync(path, null, cancellation).ConfigureAwait(false) is not null)
            return;
        var creates = new List<Task<string?>>();
        for (int slash = path.IndexOf('/', 1); slash >= 0; slash = path.IndexOf('/', slash + 1))
            creates.Add(client.TryCreateAsync(path[..slash], null, acl: acl, cancellation: cancellation).AsTask());
        creates.Add(client.TryCreateAsync(path, null, acl: acl, cancellation: cancellation).AsTask());
        await WhenAllOrMissingAsync(client, path, creates, cancellation).ConfigureAwait(false);
    }

    /// <summary>
    /// Deletes a znode and everything below it, and returns how many znodes that were. Not atomic: what others delete
    /// meanwhile is left out, what they create may make it fail with <see cref="NotEmptyException"/>. A znode that does
    /// not exist counts as deleted. "/" and the servers' own znodes below /zookeeper cannot be deleted.
    /// </summary>
    public static async Task<int> DeleteRecursiveAsync(
        this IKeeperClient client, string path, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(client);
        List<string> paths = await ListTreeAsync(client, path, cancellation).ConfigureAwait(false);
        int deleted = 0;
        for (int end = paths.Count; end > 0; end -= DeletesUnderWay)
        {
            // Deepest first; the server carries them out in the order of the calls.
            var deletes = new List<Task<bool>>(DeletesUnderWay);
            for (int i = end - 1; i >= Math.Max(end - DeletesUnderWay, 0); i--)
                deletes.Add(client.TryDeleteAsync(paths[i], -1, cancellation).AsTask());
            bool[] gone = await Task.WhenAll(deletes).ConfigureAwait(false);
            deleted += gone.Count(one => one);
        }
        return deleted;
    }

    /// <summary>Paths of a znode and all below it, parents before children; none if it does not exist.</summary>
    private static async Task<List<string>> ListTreeAsync(
        IKeeperClient client, string path, CancellationToken cancellation)
    {
        var paths = new List<string> { path };
        for (int first = 0; first < paths.Count;)
        {
            int count = Math.Min(paths.Count - first, DeletesUnderWay);
            List<string> parents = paths.GetRange(first, count);
            Task<IReadOnlyList<string>>[] lists =
                [.. parents.Select(parent => ChildrenOrNoneAsync(client, parent, cancellation))];
            await Task.WhenAll(lists).ConfigureAwait(false);
            for (int i = 0; i < count; i++)
            {
                string prefix = parents[i] == ZnodePath.Root ? ZnodePath.Root : parents[i] + "/";
                foreach (string name in await lists[i].ConfigureAwait(false))
                    paths.Add(prefix + name);
            }
            first += count;
        }
        return paths;
    }

    private static async Task<IReadOnlyList<string>> ChildrenOrNoneAsync(
        IKeeperClient client, string path, CancellationToken cancellation)
    {
        try
        {
            return await client.GetChildrenAsync(path, null, cancellation).ConfigureAwait(false);
        }
        catch (NoNodeException)
        {
            return [];
        }
    }

    /// <summary>
    /// Where somebody may not create, an existing parent is reported as forbidden: what counts is that the path exists.
    /// </summary>
    private static async Task WhenAllOrMissingAsync(
        IKeeperClient client, string path, List<Task<string?>> creates, CancellationToken cancellation)
    {
        try
        {
            await Task.WhenAll(creates).ConfigureAwait(false);
        }
        catch (NoAuthException)
        {
            if (await client.ExistsAsync(path, null, cancellation).ConfigureAwait(false) is null)
                throw;
        }
    }
}
