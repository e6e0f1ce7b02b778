using System.Text;
using SharpKeeper.Protocol;

namespace SharpKeeper.ReplicaTests;

/// <summary>Bodies of requests.</summary>
internal static class RequestBody
{
    public static readonly IReadOnlyList<Acl> Open = Acl.OpenUnsafe;

    public static byte[] Make(Action<JuteBuffer> write)
    {
        using var buffer = new JuteBuffer();
        write(buffer);
        return buffer.WrittenSpan.ToArray();
    }

    public static byte[] Path(string? path) => Make(b => b.WriteString(path));

    public static byte[] Watched(string? path, bool isWatched = false) => Make(b =>
    {
        b.WriteString(path);
        b.WriteBoolean(isWatched);
    });

    public static byte[] Versioned(string? path, int version) => Make(b =>
    {
        b.WriteString(path);
        b.WriteInt32(version);
    });

    public static byte[] Create(
        string? path, byte[]? data = null, CreateMode mode = CreateMode.Persistent, IReadOnlyList<Acl>? acl = null) =>
        Make(b => WriteCreate(b, path, data, mode, acl ?? Open));

    public static byte[] CreateTtl(
        string? path, byte[]? data, CreateMode mode, long ttl, IReadOnlyList<Acl>? acl = null) => Make(b =>
    {
        WriteCreate(b, path, data, mode, acl ?? Open);
        b.WriteInt64(ttl);
    });

    public static byte[] SetData(string? path, byte[]? data, int version = -1) => Make(b =>
    {
        b.WriteString(path);
        b.WriteBuffer(data, data is null);
        b.WriteInt32(version);
    });

    public static byte[] SetAcl(string? path, IReadOnlyList<Acl>? acl, int version = -1) => Make(b =>
    {
        b.WriteString(path);
        Acl.WriteVector(b, acl);
        b.WriteInt32(version);
    });

    public static byte[] Multi(params (OpCode Op, byte[] Body)[] parts) => Make(b =>
    {
        foreach ((OpCode op, byte[] body) in parts)
        {
            WriteHeader(b, op, false);
            b.WriteRaw(body);
        }
        WriteHeader(b, OpCode.Error, true);
    });

    public static byte[] SetWatches(long seen, params IReadOnlyList<string>[] lists) => Make(b =>
    {
        b.WriteInt64(seen);
        foreach (IReadOnlyList<string> list in lists)
        {
            b.WriteInt32(list.Count);
            foreach (string path in list)
                b.WriteString(path);
        }
    });

    public static byte[]? Utf8(string? text) => text is null ? null : Encoding.UTF8.GetBytes(text);

    private static void WriteCreate(
        JuteBuffer b, string? path, byte[]? data, CreateMode mode, IReadOnlyList<Acl> acl)
    {
        b.WriteString(path);
        b.WriteBuffer(data, data is null);
        Acl.WriteVector(b, acl);
        b.WriteInt32((int)mode);
    }

    private static void WriteHeader(JuteBuffer b, OpCode op, bool isDone)
    {
        b.WriteInt32((int)op);
        b.WriteBoolean(isDone);
        b.WriteInt32(-1);
    }
}
