using SharpKeeper.Client;
using SharpKeeper.CompatTests.Peers;

namespace SharpKeeper.CompatTests.Ensembles;

/// <summary>Reads whole trees through servers.</summary>
internal static class TreeDump
{
    /// <summary>
    /// Every znode with its data, rights and whole stat, one line each, as a server has them after a sync.
    /// </summary>
    /// <param name="connectString">The server.</param>
    /// <param name="cancellation">Gives up.</param>
    public static async Task<IReadOnlyList<string>> ReadAsync(string connectString, CancellationToken cancellation)
    {
        await using KeeperClient client = await KeeperClient.ConnectAsync(
            new KeeperClientOptions { ConnectString = connectString, Auth = [SuperUser.Auth] }, cancellation);
        await client.SyncAsync("/", cancellation);
        var lines = new List<string>();
        string[] level = ["/"];
        while (level.Length > 0)
        {
            (string Line, string[] Children)[] read = await Task.WhenAll(
                level.Select(path => ReadAsync(client, path, cancellation)));
            lines.AddRange(read.Select(znode => znode.Line));
            level = [.. read.SelectMany(znode => znode.Children)];
        }
        return lines;
    }

    private static async Task<(string Line, string[] Children)> ReadAsync(
        KeeperClient client, string path, CancellationToken cancellation)
    {
        ZnodeData data = await client.GetAsync(path, cancellation: cancellation);
        ZnodeAcl acl = await client.GetAclAsync(path, cancellation);
        string bytes = data.Data is null ? "null" : Convert.ToHexString(data.Data);
        IReadOnlyList<string> children = await client.GetChildrenAsync(path, cancellation: cancellation);
        return ($"{path} {bytes} {string.Join(',', acl.Acl)} {data.Stat}",
            [.. children.Order(StringComparer.Ordinal).Select(child => path == "/" ? "/" + child : $"{path}/{child}")]);
    }
}
