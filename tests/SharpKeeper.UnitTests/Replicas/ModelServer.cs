using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using SharpKeeper.Core.Tree;
using SharpKeeper.Protocol;

namespace SharpKeeper.ReplicaTests;

/// <summary>A znode of the model.</summary>
internal sealed record ModelZnode(byte[]? Data, IReadOnlyList<Acl> Acl)
{
    public long Czxid { get; init; }

    public long Mzxid { get; init; }

    public long Pzxid { get; init; }

    public long Ctime { get; init; }

    public long Mtime { get; init; }

    public int Version { get; init; }

    /// <summary>Children ever created.</summary>
    public int Created { get; init; }

    public int Aversion { get; init; }

    public long Owner { get; init; }

    public StatPersisted Persisted => new(Czxid, Mzxid, Ctime, Mtime, Version, Created, Aversion, Owner, Pzxid);
}

/// <summary>A change that watches may care for, with the ACLs of that moment.</summary>
internal sealed record ModelChange(
    WatchEventType Type, string Path, IReadOnlyList<Acl> Acl, IReadOnlyList<Acl> ParentAcl);

/// <summary>
/// What a ZooKeeper server makes of requests that come one after the other, written from the protocol's description
/// with plain immutable dictionaries: no pending changes, no log, no deltas.
/// </summary>
internal sealed class ModelServer
{
    private const long ContainerOwner = long.MinValue;
    private const long TtlMark = unchecked((long)0xff00_0000_0000_0000);

    private readonly HashSet<long> closing = [];

    public ModelServer()
    {
        IReadOnlyList<Acl> open = Acl.OpenUnsafe;
        Znodes = ImmutableSortedDictionary.Create<string, ModelZnode>(StringComparer.Ordinal)
            .Add("/", new ModelZnode([], open))
            .Add("/zookeeper", new ModelZnode([], open))
            .Add("/zookeeper/quota", new ModelZnode([], open))
            .Add("/zookeeper/config", new ModelZnode([], Acl.ReadUnsafe) { Aversion = -1 });
        History.Add(Znodes);
    }

    /// <summary>The znodes now.</summary>
    public ImmutableSortedDictionary<string, ModelZnode> Znodes { get; private set; }

    /// <summary>The znodes after each transaction.</summary>
    public List<ImmutableSortedDictionary<string, ModelZnode>> History { get; } = [];

    public long Zxid => History.Count - 1;

    /// <summary>What the last transaction changed, in order.</summary>
    public List<ModelChange> Changes { get; } = [];

    /// <summary>A transaction that changes no znode.</summary>
    public long OpenSession()
    {
        History.Add(Znodes);
        return Zxid;
    }

    public long CloseSession(long session)
    {
        closing.Add(session);
        Changes.Clear();
        foreach (string path in Znodes.Where(pair => pair.Value.Owner == session).Select(pair => pair.Key).ToArray())
            Remove(path, Zxid + 1);
        History.Add(Znodes);
        return Zxid;
    }

    public bool IsClosing(long session) => closing.Contains(session);

    /// <summary>Can the request be decoded? If not it costs no transaction.</summary>
    public static bool IsDecodable(ModelRequest request) => request.CutOff == 0
        && (request.Op != OpCode.Multi || request.Parts.All(part =>
            (part.IsCreate || part.Op is OpCode.Delete or OpCode.SetData or OpCode.Check)
            && (!part.IsCreate || part.Op == OpCode.CreateTtl || (uint)part.Mode <= 4) && part.CutOff == 0));

    /// <summary>Executes a write as one transaction; gives the error and the text of the reply's body.</summary>
    public (ErrorCode Error, string Body) Write(
        ModelRequest request, long session, IReadOnlyList<AuthId> identities, long wallMs)
    {
        ImmutableSortedDictionary<string, ModelZnode> before = Znodes;
        Changes.Clear();
        long zxid = Zxid + 1;
        ErrorCode error = ErrorCode.Ok;
        string body;
        if (request.Op == OpCode.Multi)
        {
            body = Multi(request, session, identities, zxid, wallMs, before);
        }
        else
        {
            error = Apply(request, session, identities, zxid, wallMs, false, out string path, out OpCode type);
            body = error == ErrorCode.Ok ? ResultOf(type, path) : "";
            if (error != ErrorCode.Ok)
                Znodes = before;
        }
        History.Add(Znodes);
        return (error, body);
    }

    /// <summary>What a read answers to somebody at the time of a transaction.</summary>
    public (ErrorCode Error, string Body) Read(ModelRequest request, IReadOnlyList<AuthId> identities, long zxid)
    {
        ImmutableSortedDictionary<string, ModelZnode> then = History[(int)zxid];
        string path = request.Path.Length == 0 ? "/" : request.Path;
        if (request.Op == OpCode.Exists && path.Contains('\0', StringComparison.Ordinal))
            return (ErrorCode.BadArguments, "");
        if (!then.TryGetValue(path, out ModelZnode? znode))
            return (ErrorCode.NoNode, "");
        Permissions wanted = request.Op == OpCode.GetAcl ? Permissions.Read | Permissions.Admin : Permissions.Read;
        if (!IsAllowed(znode, wanted, identities))
            return (ErrorCode.NoAuth, "");
        string stat = WireText.Of(StatOf(then, path));
        string[] below = [.. then.Keys.Where(key => key != "/" && key.StartsWith(
            path == "/" ? "/" : path + "/", StringComparison.Ordinal))];
        string names = WireText.Names(below.Where(key => ParentOf(key) == path).Select(NameOf));
        return (ErrorCode.Ok, request.Op switch
        {
            OpCode.Exists => stat,
            OpCode.GetData => WireText.Data(znode.Data) + " " + stat,
            OpCode.GetChildren => names,
            OpCode.GetChildren2 => names + " " + stat,
            OpCode.GetAllChildrenNumber => below.Length.ToString(CultureInfo.InvariantCulture),
            _ => WireText.Of(IsAllowed(znode, Permissions.Admin, identities) ? znode.Acl : znode.Acl.Select(Mask))
                + " " + stat,
        });
    }

    /// <summary>The digest that the tree must have after a transaction.</summary>
    public long DigestAt(long zxid)
    {
        long sum = 0;
        foreach ((string path, ModelZnode znode) in History[(int)zxid])
        {
            if (!path.StartsWith("/zookeeper/", StringComparison.Ordinal))
                sum += TreeDigest.OfNode(Encoding.UTF8.GetBytes(path == "/" ? "" : path), znode.Data, znode.Persisted);
        }
        return sum;
    }

    public static string ParentOf(string path) => path.LastIndexOf('/') switch
    {
        0 => "/",
        < 0 => "",
        int slash => path[..slash],
    };

    private static string NameOf(string path) => path[(path.LastIndexOf('/') + 1)..];

    private static Acl Mask(Acl entry) => entry.Id.Scheme == "digest"
        ? entry with { Id = new AuthId("digest", entry.Id.Id.Split(':')[0] + ":x") }
        : entry;

    private static Stat StatOf(ImmutableSortedDictionary<string, ModelZnode> znodes, string path)
    {
        ModelZnode z = znodes[path];
        int kids = znodes.Keys.Count(key => key != "/" && ParentOf(key) == path);
        return new Stat(
            z.Czxid, z.Mzxid, z.Ctime, z.Mtime, z.Version, 2 * z.Created - kids, z.Aversion, Math.Max(z.Owner, 0),
            z.Data?.Length ?? 0, kids, z.Pzxid);
    }

    private static bool IsAllowed(ModelZnode znode, Permissions wanted, IReadOnlyList<AuthId> identities) =>
        IsAllowed(znode.Acl, wanted, identities);

    public static bool IsAllowed(IReadOnlyList<Acl> acl, Permissions wanted, IReadOnlyList<AuthId> identities) =>
        acl.Any(entry => (entry.Permissions & wanted) != 0
            && (entry.Id == AuthId.Anyone || (entry.Id.Scheme == "digest" && identities.Contains(entry.Id))));

    private static List<Acl>? Resolve(IReadOnlyList<Acl>? entries, IReadOnlyList<AuthId> identities)
    {
        if (entries is null or [])
            return null;
        var all = new List<Acl>();
        foreach (Acl entry in entries)
        {
            Acl[] meant = entry.Id.Scheme == "auth"
                ? [.. identities.Where(id => id.Scheme == "digest").Select(id => entry with { Id = id })]
                : [entry];
            if (meant.Length == 0 || !meant.All(IsStorable))
                return null;
            all.AddRange(meant);
        }
        return [.. all.Distinct()];
    }

    private static bool IsStorable(Acl entry) => entry.Id == AuthId.Anyone
        || (entry.Id.Scheme == "digest" && entry.Id.Id.Count(c => c == ':') == 1)
        || (entry.Id.Scheme == "ip" && entry.Id.Id == "127.0.0.1");

    // Java's view of characters: units of UTF-16.
    private static bool IsValidPath(string path) => path == "/"
        || (path.StartsWith('/') && path.Split('/').Skip(1).All(part => part is not ("" or "." or ".."))
            && !path.Any(IsForbidden));

    private static bool IsForbidden(char c) => c is <= '\u001f' or (>= '\u007f' and <= '\u009f')
        or (>= '\ud800' and <= '\uf8ff') or >= '\ufff0';

    private string Multi(
        ModelRequest request, long session, IReadOnlyList<AuthId> identities, long zxid, long wallMs,
        ImmutableSortedDictionary<string, ModelZnode> before)
    {
        var results = new List<string>();
        for (int i = 0; i < request.Parts.Count; i++)
        {
            ErrorCode error = Apply(
                request.Parts[i], session, identities, zxid, wallMs, true, out string path, out OpCode type);
            if (error == ErrorCode.Ok)
            {
                string body = type == OpCode.Check || type == OpCode.Delete ? "" : ResultOf(type, path);
                results.Add(WireText.Part(type, body));
                continue;
            }
            Znodes = before;
            Changes.Clear();
            results = [.. Enumerable.Range(0, request.Parts.Count).Select(k => WireText.Failed(
                k < i ? ErrorCode.Ok : k == i ? error : ErrorCode.RuntimeInconsistency))];
            break;
        }
        return "{" + string.Join(" | ", results) + "}";
    }

    private string ResultOf(OpCode type, string path) => type switch
    {
        OpCode.Create => path,
        OpCode.Create2 => path + " " + WireText.Of(StatOf(Znodes, path)),
        OpCode.SetData or OpCode.SetAcl => WireText.Of(StatOf(Znodes, path)),
        _ => "",
    };

    private ErrorCode Apply(
        ModelRequest request, long session, IReadOnlyList<AuthId> identities, long zxid, long wallMs, bool isPart,
        out string path, out OpCode type)
    {
        path = request.Path;
        type = request.Op;
        return request.Op switch
        {
            OpCode.Create or OpCode.Create2 or OpCode.CreateContainer or OpCode.CreateTtl =>
                Create(request, session, identities, zxid, wallMs, isPart, out path, out type),
            OpCode.Delete => Delete(request, session, identities, zxid),
            OpCode.SetData => SetData(request, session, identities, zxid, wallMs),
            OpCode.SetAcl => SetAcl(request, session, identities),
            OpCode.Check => Guard(request, session, identities, Permissions.Read, out ModelZnode? z) is var e
                && e != ErrorCode.Ok ? e : IsMatch(request.Version, z!.Version),
            _ => ErrorCode.ReconfigDisabled,
        };
    }

    private static ErrorCode IsMatch(int wanted, int actual) =>
        wanted == -1 || wanted == actual ? ErrorCode.Ok : ErrorCode.BadVersion;

    private ErrorCode Guard(
        ModelRequest request, long session, IReadOnlyList<AuthId> identities, Permissions wanted, out ModelZnode? znode)
    {
        znode = null;
        if (closing.Contains(session))
            return ErrorCode.SessionExpired;
        if (!IsValidPath(request.Path))
            return ErrorCode.BadArguments;
        if (!Znodes.TryGetValue(request.Path, out znode))
            return ErrorCode.NoNode;
        return IsAllowed(znode, wanted, identities) ? ErrorCode.Ok : ErrorCode.NoAuth;
    }

    private ErrorCode Create(
        ModelRequest request, long session, IReadOnlyList<AuthId> identities, long zxid, long wallMs, bool isPart,
        out string path, out OpCode type)
    {
        path = request.Path;
        CreateMode mode = request.Mode;
        if (isPart && request.Op == OpCode.CreateTtl && (int)mode is not (5 or 6))
            request = request with { Op = OpCode.Create };
        bool isTtl = request.Op == OpCode.CreateTtl;
        bool isContainer = request.Op == OpCode.CreateContainer || (isPart && mode == CreateMode.Container);
        type = request.Op == OpCode.Create && !isContainer ? OpCode.Create : OpCode.Create2;
        if ((int)mode is < 0 or > 6 || isTtl != (int)mode is 5 or 6)
            return ErrorCode.BadArguments;
        if (isTtl && request.Ttl is <= 0 or > 0xff_ffff_ffff)
            return ErrorCode.BadArguments;
        if (closing.Contains(session))
            return ErrorCode.SessionExpired;
        if (!path.Contains('/', StringComparison.Ordinal) || path.Contains('\0', StringComparison.Ordinal))
            return ErrorCode.BadArguments;
        if (Resolve(request.Acl, identities) is not { } acl)
            return ErrorCode.InvalidAcl;
        string parentPath = ParentOf(path);
        if (!Znodes.TryGetValue(parentPath, out ModelZnode? parent))
            return ErrorCode.NoNode;
        if (!IsAllowed(parent, Permissions.Create, identities))
            return ErrorCode.NoAuth;
        if ((int)mode is 2 or 3 or 6)
            path += parent.Created.ToString("D10", CultureInfo.InvariantCulture);
        if (!IsValidPath(path))
            return ErrorCode.BadArguments;
        if (Znodes.ContainsKey(path))
            return ErrorCode.NodeExists;
        if (parent.Owner > 0)
            return ErrorCode.NoChildrenForEphemerals;
        Changes.Add(new ModelChange(WatchEventType.NodeCreated, path, acl, parent.Acl));
        long owner = isContainer ? ContainerOwner : isTtl ? TtlMark | request.Ttl : (int)mode is 1 or 3 ? session : 0;
        Znodes = Znodes
            .SetItem(parentPath, parent with { Created = parent.Created + 1, Pzxid = zxid })
            .Add(path, new ModelZnode(request.Data, acl)
            {
                Czxid = zxid,
                Mzxid = zxid,
                Pzxid = zxid,
                Ctime = wallMs,
                Mtime = wallMs,
                Owner = owner,
            });
        return ErrorCode.Ok;
    }

    private ErrorCode Delete(ModelRequest request, long session, IReadOnlyList<AuthId> identities, long zxid)
    {
        string path = request.Path;
        if (closing.Contains(session))
            return ErrorCode.SessionExpired;
        if (!path.Contains('/', StringComparison.Ordinal) || path.Contains('\0', StringComparison.Ordinal)
            || path is "/" or "/zookeeper" or "/zookeeper/quota" or "/zookeeper/config")
        {
            return ErrorCode.BadArguments;
        }
        if (!Znodes.TryGetValue(ParentOf(path), out ModelZnode? parent))
            return ErrorCode.NoNode;
        if (!IsAllowed(parent, Permissions.Delete, identities))
            return ErrorCode.NoAuth;
        if (!Znodes.TryGetValue(path, out ModelZnode? znode))
            return ErrorCode.NoNode;
        if (IsMatch(request.Version, znode.Version) != ErrorCode.Ok)
            return ErrorCode.BadVersion;
        if (Znodes.Keys.Any(key => key.StartsWith(path + "/", StringComparison.Ordinal)))
            return ErrorCode.NotEmpty;
        Remove(path, zxid);
        return ErrorCode.Ok;
    }

    private void Remove(string path, long zxid)
    {
        string parent = ParentOf(path);
        Changes.Add(new ModelChange(WatchEventType.NodeDeleted, path, Znodes[path].Acl, Znodes[parent].Acl));
        Znodes = Znodes.Remove(path).SetItem(parent, Znodes[parent] with { Pzxid = zxid });
    }

    private ErrorCode SetData(
        ModelRequest request, long session, IReadOnlyList<AuthId> identities, long zxid, long wallMs)
    {
        ErrorCode error = Guard(request, session, identities, Permissions.Write, out ModelZnode? znode);
        if (error == ErrorCode.Ok)
            error = IsMatch(request.Version, znode!.Version);
        if (error != ErrorCode.Ok)
            return error;
        Changes.Add(new ModelChange(WatchEventType.NodeDataChanged, request.Path, znode!.Acl, znode.Acl));
        Znodes = Znodes.SetItem(request.Path, znode with
        {
            Data = request.Data,
            Version = znode.Version + 1,
            Mzxid = zxid,
            Mtime = wallMs,
        });
        return ErrorCode.Ok;
    }

    private ErrorCode SetAcl(ModelRequest request, long session, IReadOnlyList<AuthId> identities)
    {
        if (closing.Contains(session))
            return ErrorCode.SessionExpired;
        if (!IsValidPath(request.Path))
            return ErrorCode.BadArguments;
        if (Resolve(request.Acl, identities) is not { } acl)
            return ErrorCode.InvalidAcl;
        ErrorCode error = Guard(request, session, identities, Permissions.Admin, out ModelZnode? znode);
        if (error == ErrorCode.Ok)
            error = IsMatch(request.Version, znode!.Aversion);
        if (error != ErrorCode.Ok)
            return error;
        Znodes = Znodes.SetItem(request.Path, znode! with { Acl = acl, Aversion = znode.Aversion + 1 });
        return ErrorCode.Ok;
    }
}
