using System.Text;
using SharpKeeper.Core.Tree;
using SharpKeeper.Protocol;

namespace SharpKeeper.TreeTests;

/// <summary>The tree as plain dictionaries, written from the rules without regard to speed.</summary>
internal sealed class ModelTree
{
    public const long Container = long.MinValue;

    private readonly SortedDictionary<string, Znode> znodes = new(StringComparer.Ordinal);

    public ModelTree()
    {
        byte[] open = DataTreeTests.Vector(Acl.OpenUnsafe);
        znodes["/"] = new Znode([], open);
        Znode system = Plant("/zookeeper", [], open);
        Plant("/zookeeper/quota", [], open);
        Plant("/zookeeper/config", [], DataTreeTests.Vector(Acl.ReadUnsafe)).Aversion = -1;
        Assert.Equal(2, system.Children.Count);
    }

    public IReadOnlyDictionary<string, Znode> Znodes => znodes;

    public ErrorCode Create(string path, byte[]? data, byte[] acl, long owner, int parentCversion, long zxid, long time)
    {
        if (path == "/")
            return ErrorCode.NodeExists;
        if (!znodes.TryGetValue(ParentOf(path), out Znode? parent))
            return ErrorCode.NoNode;
        int wanted = parentCversion == -1 ? parent.Cversion + 1 : parentCversion;
        if (wanted > parent.Cversion)
        {
            parent.Cversion = wanted;
            parent.Pzxid = zxid;
        }
        if (znodes.TryGetValue(path, out Znode? there))
        {
            there.Acl = acl;
            return ErrorCode.NodeExists;
        }
        Znode created = Plant(path, data, acl);
        created.Czxid = created.Mzxid = created.Pzxid = zxid;
        created.Ctime = created.Mtime = time;
        created.Owner = owner;
        if (IsQuotaZnode(path, "zookeeper_stats", out string quota))
            Recount(quota);
        Count(path, 1, data?.Length ?? 0);
        return ErrorCode.Ok;
    }

    public ErrorCode Delete(string path, long zxid)
    {
        if (path == "/")
            return ErrorCode.BadArguments;
        if (!znodes.TryGetValue(ParentOf(path), out Znode? parent))
            return ErrorCode.NoNode;
        parent.Pzxid = Math.Max(parent.Pzxid, zxid);
        if (!znodes.ContainsKey(path))
            return ErrorCode.NoNode;
        string[] doomed = [.. znodes.Keys.Where(key => key == path || key.StartsWith(path + "/", StringComparison.Ordinal))];
        foreach (string each in doomed.OrderByDescending(key => key.Length))
        {
            byte[]? data = znodes[each].Data;
            znodes.Remove(each);
            znodes[ParentOf(each)].Children.Remove(each[(each.LastIndexOf('/') + 1)..]);
            Count(each, -1, -(data?.Length ?? 0));
        }
        return ErrorCode.Ok;
    }

    public ErrorCode SetData(string path, byte[]? data, int version, long zxid, long time)
    {
        if (!znodes.TryGetValue(path, out Znode? znode))
            return ErrorCode.NoNode;
        int growth = (data?.Length ?? 0) - (znode.Data?.Length ?? 0);
        znode.Data = data;
        znode.Version = version;
        znode.Mzxid = zxid;
        znode.Mtime = time;
        Count(path, 0, growth);
        return ErrorCode.Ok;
    }

    public ErrorCode SetAcl(string path, byte[] acl, int version)
    {
        if (!znodes.TryGetValue(path, out Znode? znode))
            return ErrorCode.NoNode;
        znode.Acl = acl;
        znode.Aversion = version;
        return ErrorCode.Ok;
    }

    /// <summary>Path of the quota that applies, or null.</summary>
    public string? QuotaOf(string path)
    {
        if (path == "/zookeeper" || path.StartsWith("/zookeeper/", StringComparison.Ordinal))
            return null;
        for (string at = path; at != "/"; at = ParentOf(at))
        {
            if (znodes.ContainsKey("/zookeeper/quota" + at + "/zookeeper_limits"))
                return at;
        }
        return null;
    }

    /// <summary>Znodes and bytes at the path and below.</summary>
    public (long Count, long Bytes) Measure(string path)
    {
        var below = znodes.Where(pair => pair.Key == path || pair.Key.StartsWith(path + "/", StringComparison.Ordinal));
        return (below.Count(), below.Sum(pair => pair.Value.Data?.Length ?? 0));
    }

    public static string ParentOf(string path)
    {
        int slash = path.LastIndexOf('/');
        return slash == 0 ? "/" : path[..slash];
    }

    private static bool IsQuotaZnode(string path, string name, out string quota)
    {
        const string root = "/zookeeper/quota";
        quota = "";
        if (!path.StartsWith(root + "/", StringComparison.Ordinal) || !path.EndsWith("/" + name, StringComparison.Ordinal))
            return false;
        quota = path[root.Length..^(name.Length + 1)];
        return quota.Length > 0;
    }

    private Znode Plant(string path, byte[]? data, byte[] acl)
    {
        var znode = new Znode(data, acl);
        znodes[path] = znode;
        znodes[ParentOf(path)].Children.Add(path[(path.LastIndexOf('/') + 1)..]);
        return znode;
    }

    private void Count(string path, long count, long bytes)
    {
        if ((count == 0 && bytes == 0) || QuotaOf(path) is not { } quota
            || !znodes.TryGetValue("/zookeeper/quota" + quota + "/zookeeper_stats", out Znode? stats))
        {
            return;
        }
        QuotaLimits now = QuotaLimits.Parse(stats.Data);
        stats.Data = Text(now.Count + count, now.Bytes + bytes);
    }

    private void Recount(string quota)
    {
        (long count, long bytes) = Measure(quota);
        znodes["/zookeeper/quota" + quota + "/zookeeper_stats"].Data = Text(count, bytes);
    }

    private static byte[] Text(long count, long bytes) => Encoding.ASCII.GetBytes($"count={count},bytes={bytes}");

    internal sealed class Znode(byte[]? data, byte[] acl)
    {
        public byte[]? Data { get; set; } = data;

        public byte[] Acl { get; set; } = acl;

        public List<string> Children { get; } = [];

        public long Czxid { get; set; }

        public long Mzxid { get; set; }

        public long Pzxid { get; set; }

        public long Ctime { get; set; }

        public long Mtime { get; set; }

        public long Owner { get; set; }

        public int Version { get; set; }

        public int Cversion { get; set; }

        public int Aversion { get; set; }

        public StatPersisted Stat => new(Czxid, Mzxid, Ctime, Mtime, Version, Cversion, Aversion, Owner, Pzxid);
    }
}
