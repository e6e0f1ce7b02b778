using System.Text;
using SharpKeeper.Protocol;

namespace SharpKeeper.Client.Internal;

/// <summary>A request's body, written straight into the send buffer.</summary>
internal interface IRequestBody
{
    void Write(JuteBuffer output, string chroot);
}

internal readonly struct EmptyBody : IRequestBody
{
    public void Write(JuteBuffer output, string chroot)
    {
        // The operation has a header only.
    }
}

internal readonly struct PathBody(string path) : IRequestBody
{
    public void Write(JuteBuffer output, string chroot) => output.WritePath(chroot, path);
}

internal readonly struct PathWatchBody(string path, bool watch) : IRequestBody
{
    public void Write(JuteBuffer output, string chroot)
    {
        output.WritePath(chroot, path);
        output.WriteBoolean(watch);
    }
}

/// <summary>A path outside the chroot: the ensemble's own znodes.</summary>
internal readonly struct AbsolutePathWatchBody(string path, bool watch) : IRequestBody
{
    public void Write(JuteBuffer output, string chroot)
    {
        output.WriteString(path);
        output.WriteBoolean(watch);
    }
}

/// <summary>A path and a version, a watcher type or a watch mode.</summary>
internal readonly struct PathInt32Body(string path, int value) : IRequestBody
{
    public void Write(JuteBuffer output, string chroot)
    {
        output.WritePath(chroot, path);
        output.WriteInt32(value);
    }
}

internal readonly struct CreateBody(
    string path, ReadOnlyMemory<byte>? data, IReadOnlyList<Acl> acl, CreateMode mode, TimeSpan? ttl) : IRequestBody
{
    public void Write(JuteBuffer output, string chroot)
    {
        output.WritePath(chroot, path);
        output.WriteBuffer(data.GetValueOrDefault().Span, data is null);
        Acl.WriteVector(output, acl);
        output.WriteInt32((int)mode);
        if (mode.IsTtl())
            output.WriteInt64((long)ttl!.Value.TotalMilliseconds);
    }
}

internal readonly struct SetDataBody(string path, ReadOnlyMemory<byte>? data, int version) : IRequestBody
{
    public void Write(JuteBuffer output, string chroot)
    {
        output.WritePath(chroot, path);
        output.WriteBuffer(data.GetValueOrDefault().Span, data is null);
        output.WriteInt32(version);
    }
}

internal readonly struct SetAclBody(string path, IReadOnlyList<Acl> acl, int version) : IRequestBody
{
    public void Write(JuteBuffer output, string chroot)
    {
        output.WritePath(chroot, path);
        Acl.WriteVector(output, acl);
        output.WriteInt32(version);
    }
}

internal readonly struct ReconfigBody(string? joining, string? leaving, string? members, long fromConfig) : IRequestBody
{
    public void Write(JuteBuffer output, string chroot)
    {
        output.WriteString(joining);
        output.WriteString(leaving);
        output.WriteString(members);
        output.WriteInt64(fromConfig);
    }
}

/// <summary>The operations of a multi or a multiRead, each behind its header, and the end mark.</summary>
internal readonly struct MultiBody(IReadOnlyList<MultiOp> operations) : IRequestBody
{
    public void Write(JuteBuffer output, string chroot)
    {
        foreach (MultiOp operation in operations)
        {
            WriteHeader(output, operation.Code, done: false);
            operation.Write(output, chroot);
        }
        WriteHeader(output, OpCode.Error, done: true);
    }

    private static void WriteHeader(JuteBuffer output, OpCode type, bool done)
    {
        output.WriteInt32((int)type);
        output.WriteBoolean(done);
        output.WriteInt32(-1);
    }
}

/// <summary>Paths with the client's chroot.</summary>
internal static class ChrootPaths
{
    /// <summary>Appends chroot and path as one string without making it.</summary>
    public static void WritePath(this JuteBuffer output, string chroot, string path)
    {
        if (chroot.Length == 0)
        {
            output.WriteString(path);
            return;
        }
        if (path == ZnodePath.Root)
        {
            output.WriteString(chroot);
            return;
        }
        int head = Encoding.UTF8.GetByteCount(chroot);
        int tail = Encoding.UTF8.GetByteCount(path);
        output.WriteInt32(head + tail);
        Span<byte> span = output.Append(head + tail);
        Encoding.UTF8.GetBytes(chroot, span);
        Encoding.UTF8.GetBytes(path, span[head..]);
    }

    /// <summary>Takes the chroot off a path that a server sent; paths outside it stay as they are.</summary>
    public static string Strip(string path, string chroot)
    {
        if (chroot.Length == 0 || !IsUnder(path, chroot))
            return path;
        return path.Length == chroot.Length ? ZnodePath.Root : path[chroot.Length..];
    }

    /// <summary>Is the path the chroot or below it?</summary>
    public static bool IsUnder(string path, string chroot) =>
        path.StartsWith(chroot, StringComparison.Ordinal)
        && (path.Length == chroot.Length || path[chroot.Length] == '/');
}
