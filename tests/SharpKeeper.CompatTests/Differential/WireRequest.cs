using System.Globalization;
using System.Text;
using SharpKeeper.Protocol;

namespace SharpKeeper.CompatTests.Differential;

/// <summary>A request as a script sends it.</summary>
/// <param name="Label">What failure messages call it.</param>
/// <param name="Op">Its operation code; also says how the reply is decoded.</param>
/// <param name="Body">What follows the request header.</param>
internal sealed record WireRequest(string Label, OpCode Op, byte[] Body)
{
    /// <summary>The request id; null takes the connection's next one.</summary>
    public int? Xid { get; init; }

    public override string ToString() => Label;
}

/// <summary>Makes requests of all kinds, well-formed or not.</summary>
internal static class Requests
{
    public static IReadOnlyList<Acl> Open => Acl.OpenUnsafe;

    public static Acl Entry(int permissions, string scheme, string id) =>
        new((Permissions)permissions, new AuthId(scheme, id));

    public static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);

    public static WireRequest Create(
        string? path, string? data = "", int flags = 0, IReadOnlyList<Acl>? acl = null, OpCode op = OpCode.Create) =>
        Make(op, $"{path} {Short(data)} flags {flags}{Show(acl)}", body =>
            CreateBody(body, path, data, flags, acl ?? Open));

    public static WireRequest CreateWithAcl(string path, IReadOnlyList<Acl>? acl, OpCode op = OpCode.Create) =>
        Make(op, $"{path} acl {(acl is null ? "null" : Show(acl))}", body => CreateBody(body, path, "", 0, acl));

    public static WireRequest CreateTtl(string path, int flags, long ttl, string? data = "") =>
        Make(OpCode.CreateTtl, string.Create(CultureInfo.InvariantCulture, $"{path} flags {flags} ttl {ttl}"), body =>
        {
            CreateBody(body, path, data, flags, Open);
            body.WriteInt64(ttl);
        });

    public static WireRequest Delete(string? path, int version = -1) => PathAndInt(OpCode.Delete, path, version);

    public static WireRequest Check(string? path, int version = -1) => PathAndInt(OpCode.Check, path, version);

    public static WireRequest Exists(string? path, bool watch = false) => PathAndWatch(OpCode.Exists, path, watch);

    public static WireRequest GetData(string? path, bool watch = false) => PathAndWatch(OpCode.GetData, path, watch);

    public static WireRequest GetChildren(string? path, bool watch = false) =>
        PathAndWatch(OpCode.GetChildren, path, watch);

    public static WireRequest GetChildren2(string? path, bool watch = false) =>
        PathAndWatch(OpCode.GetChildren2, path, watch);

    public static WireRequest SetData(string? path, string? data, int version = -1) =>
        Make(OpCode.SetData, $"{path} {Short(data)} v{version}", body =>
        {
            body.WriteString(path);
            WriteData(body, data);
            body.WriteInt32(version);
        });

    public static WireRequest GetAcl(string? path) => PathOnly(OpCode.GetAcl, path);

    public static WireRequest SetAcl(string? path, IReadOnlyList<Acl>? acl, int version = -1) =>
        Make(OpCode.SetAcl, $"{path} {Show(acl)} v{version}", body =>
        {
            body.WriteString(path);
            Acl.WriteVector(body, acl);
            body.WriteInt32(version);
        });

    public static WireRequest Sync(string? path) => PathOnly(OpCode.Sync, path);

    public static WireRequest GetEphemerals(string? prefix) => PathOnly(OpCode.GetEphemerals, prefix);

    public static WireRequest GetAllChildrenNumber(string? path) => PathOnly(OpCode.GetAllChildrenNumber, path);

    public static WireRequest WhoAmI() => Raw(OpCode.WhoAmI, []);

    public static WireRequest Ping() => Raw(OpCode.Ping, []) with { Xid = Xids.Ping };

    public static WireRequest CloseSession() => Raw(OpCode.CloseSession, []);

    public static WireRequest Auth(string? scheme, string? credentials) =>
        Make(OpCode.Auth, $"{scheme} {credentials}", body =>
        {
            body.WriteInt32(0);
            body.WriteString(scheme);
            WriteData(body, credentials);
        }) with
        { Xid = Xids.Auth };

    public static WireRequest Sasl(string? token) => Make(OpCode.Sasl, $"{token}", body => WriteData(body, token));

    public static WireRequest AddWatch(string? path, int mode) => PathAndInt(OpCode.AddWatch, path, mode);

    public static WireRequest CheckWatches(string? path, int type) => PathAndInt(OpCode.CheckWatches, path, type);

    public static WireRequest RemoveWatches(string? path, int type) => PathAndInt(OpCode.RemoveWatches, path, type);

    /// <summary>setWatches with three lists or setWatches2 with five; null is the null vector.</summary>
    public static WireRequest SetWatches(long relativeZxid, params string[]?[] lists) =>
        Make(lists.Length == 5 ? OpCode.SetWatches2 : OpCode.SetWatches, $"{lists.Length} lists", body =>
        {
            body.WriteInt64(relativeZxid);
            foreach (string[]? list in lists)
                WriteStrings(body, list);
        }) with
        { Xid = Xids.SetWatches };

    public static WireRequest Reconfig(string? joining, string? leaving, string? members, long version) =>
        Make(OpCode.Reconfig, $"{joining} {leaving} {members}", body =>
        {
            body.WriteString(joining);
            body.WriteString(leaving);
            body.WriteString(members);
            body.WriteInt64(version);
        });

    public static WireRequest Multi(params WireRequest[] parts) => MultiOf(OpCode.Multi, parts);

    public static WireRequest MultiRead(params WireRequest[] parts) => MultiOf(OpCode.MultiRead, parts);

    public static WireRequest Raw(OpCode op, byte[] body) => new($"{op}({(int)op})[{body.Length}]", op, body);

    /// <summary>The request with bytes cut off its end.</summary>
    public static WireRequest Cut(WireRequest request, int bytes) =>
        request with { Label = $"{request.Label} cut by {bytes}", Body = request.Body[..^bytes] };

    /// <summary>The request with bytes added that nobody asked for.</summary>
    public static WireRequest Trailing(WireRequest request) =>
        request with { Label = $"{request.Label} with trailing bytes", Body = [.. request.Body, 1, 2, 3] };

    private static WireRequest MultiOf(OpCode op, WireRequest[] parts)
    {
        string label = string.Join("; ", parts.Select(part => part.Label));
        return Make(op, $"[{label}]", body =>
        {
            foreach (WireRequest part in parts)
            {
                WriteMultiHeader(body, (int)part.Op, false);
                body.WriteRaw(part.Body);
            }
            WriteMultiHeader(body, -1, true);
        });
    }

    private static void WriteMultiHeader(JuteBuffer body, int type, bool done)
    {
        body.WriteInt32(type);
        body.WriteBoolean(done);
        body.WriteInt32(-1);
    }

    private static WireRequest PathOnly(OpCode op, string? path) => Make(op, $"{path}", body => body.WriteString(path));

    private static WireRequest PathAndInt(OpCode op, string? path, int value) => Make(op, $"{path} {value}", body =>
    {
        body.WriteString(path);
        body.WriteInt32(value);
    });

    private static WireRequest PathAndWatch(OpCode op, string? path, bool watch) =>
        Make(op, $"{path}{(watch ? " watch" : "")}", body =>
        {
            body.WriteString(path);
            body.WriteBoolean(watch);
        });

    private static WireRequest Make(OpCode op, string label, Action<JuteBuffer> write)
    {
        using var body = new JuteBuffer();
        write(body);
        return new WireRequest($"{op} {label}", op, body.WrittenSpan.ToArray());
    }

    private static void CreateBody(JuteBuffer body, string? path, string? data, int flags, IReadOnlyList<Acl>? acl)
    {
        body.WriteString(path);
        WriteData(body, data);
        Acl.WriteVector(body, acl);
        body.WriteInt32(flags);
    }

    private static void WriteData(JuteBuffer body, string? data) => body.WriteBuffer(Bytes(data ?? ""), data is null);

    private static void WriteStrings(JuteBuffer body, string[]? list)
    {
        body.WriteInt32(list?.Length ?? -1);
        foreach (string text in list ?? [])
            body.WriteString(text);
    }

    private static string Short(string? data) =>
        data is null ? "null" : data.Length > 20 ? $"[{data.Length}]" : $"'{data}'";

    private static string Show(IReadOnlyList<Acl>? acl) => acl is null
        ? ""
        : " " + string.Join(",", acl.Select(entry => $"{(int)entry.Permissions}:{entry.Id.Scheme}:{entry.Id.Id}"));
}
