using System.Globalization;
using System.Text;
using System.Text.Json;
using SharpKeeper.Core.Transactions;
using SharpKeeper.Core.Tree;
using SharpKeeper.Protocol;

namespace SharpKeeper.LogTests;

/// <summary>Compares whole trees.</summary>
internal static class TreeAssert
{
    /// <summary>Tree and sessions are those of a fixture's expected.json.</summary>
    public static void Matches(JsonElement expected, DataTree tree, SessionTimeouts sessions)
    {
        Assert.Equal(expected.GetProperty("lastProcessedZxid").GetString(), tree.LastProcessed.ToString());
        Assert.Equal(expected.GetProperty("treeDigestAtEnd").GetInt64(), tree.Digest);
        Assert.Equal(expected.GetProperty("nodeCount").GetInt32(), tree.Count);
        foreach (JsonElement node in expected.GetProperty("nodes").EnumerateArray())
            NodeMatches(node, tree);
        SessionTimeout[] actual = sessions.ToArray();
        JsonElement table = expected.GetProperty("sessionTableAtEnd");
        Assert.Equal(
            table.EnumerateObject().Select(s => $"{s.Name}={s.Value.GetInt32()}").Order(),
            actual.Select(s => $"{s.Id}={s.TimeoutMs}").Order());
    }

    /// <summary>Everything about every znode, one line each, in a defined order.</summary>
    public static string Dump(DataTree tree)
    {
        var lines = new List<string>();
        Collect(tree, tree.Root, lines);
        lines.Sort(string.CompareOrdinal);
        return string.Join('\n', lines);
    }

    private static void Collect(DataTree tree, ZnodeId id, List<string> lines)
    {
        string data = Convert.ToHexString(tree.GetData(id, out bool isNull));
        string acl = Convert.ToHexString(tree.Acls.Encoded(tree.GetAclId(id)));
        lines.Add($"{tree.GetPath(id)} {(isNull ? "null" : data)} {acl} {tree.GetPersisted(id)}");
        for (ZnodeId child = tree.FirstChild(id); !child.IsNone; child = tree.NextSibling(child))
            Collect(tree, child, lines);
    }

    private static void NodeMatches(JsonElement expected, DataTree tree)
    {
        string path = expected.GetProperty("path").GetString()!;
        ZnodeId id = tree.Find(Encoding.UTF8.GetBytes(path));
        Assert.False(id.IsNone, $"{path} is missing");
        byte[] data = tree.GetData(id, out bool isNull).ToArray();
        JsonElement expectedData = expected.GetProperty("data");
        Assert.Equal(expectedData.ValueKind == JsonValueKind.Null, isNull);
        if (!isNull)
            Assert.Equal(expectedData.GetBytesFromBase64(), data);
        Assert.Equal((path, ReadStat(expected.GetProperty("stat"))), (path, tree.GetStat(id)));
        JsonElement persisted = expected.GetProperty("persisted");
        Assert.Equal(persisted.GetProperty("cversion").GetInt32(), tree.GetStoredCversion(id));
        Assert.Equal(Hex(persisted.GetProperty("ephemeralOwner")), tree.GetOwner(id));
        Acl[] acl =
        [
            .. expected.GetProperty("acl").EnumerateArray().Select(entry => new Acl(
                (Permissions)entry.GetProperty("perms").GetInt32(),
                new AuthId(entry.GetProperty("scheme").GetString()!, entry.GetProperty("id").GetString()!))),
        ];
        Assert.Equal(acl, tree.Acls.Entries(tree.GetAclId(id)));
    }

    private static Stat ReadStat(JsonElement stat) => new(
        stat.GetProperty("czxid").GetInt64(), stat.GetProperty("mzxid").GetInt64(),
        stat.GetProperty("ctime").GetInt64(), stat.GetProperty("mtime").GetInt64(),
        stat.GetProperty("version").GetInt32(), stat.GetProperty("cversion").GetInt32(),
        stat.GetProperty("aversion").GetInt32(), Hex(stat.GetProperty("ephemeralOwner")),
        stat.GetProperty("dataLength").GetInt32(), stat.GetProperty("numChildren").GetInt32(),
        stat.GetProperty("pzxid").GetInt64());

    private static long Hex(JsonElement element) =>
        long.Parse(element.GetString()!.AsSpan(2), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
}
