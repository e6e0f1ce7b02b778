using SharpKeeper.Client.Internal;
using SharpKeeper.Protocol;

namespace SharpKeeper.Client;

/// <summary>
/// One operation of a multi: make them with <see cref="Create"/>, <see cref="Delete"/>, <see cref="Set"/> and
/// <see cref="Check"/> for <see cref="IKeeperClient.MultiAsync"/>, or with <see cref="Get"/> and
/// <see cref="GetChildren"/> for <see cref="IKeeperClient.MultiReadAsync"/>.
/// </summary>
public abstract record MultiOp
{
    private protected MultiOp(OpCode code, string path)
    {
        Code = code;
        Path = path;
    }

    /// <summary>The path that the operation names.</summary>
    public string Path { get; }

    internal OpCode Code { get; }

    internal bool IsRead => Code is OpCode.GetData or OpCode.GetChildren;

    /// <summary>Creates a znode; the result has its <see cref="MultiResult.Path"/>.</summary>
    /// <exception cref="ArgumentException">The path, the mode or the time to live breaks the rules.</exception>
    public static MultiOp Create(
        string path, ReadOnlyMemory<byte>? data = null, CreateMode mode = CreateMode.Persistent,
        IReadOnlyList<Acl>? acl = null, TimeSpan? ttl = null)
    {
        Arguments.CheckCreate(path, mode, acl, ttl);
        // The form that promises metadata too is answered without in a multi, by 3.8 at least: do not ask for it.
        OpCode code = mode.IsTtl() ? OpCode.CreateTtl
            : mode == CreateMode.Container ? OpCode.CreateContainer : OpCode.Create;
        return new Body<CreateBody>(code, path, new CreateBody(path, data, acl ?? Acl.OpenUnsafe, mode, ttl));
    }

    /// <summary>Deletes a znode, at a version or at any (-1).</summary>
    /// <exception cref="ArgumentException">The path breaks the rules.</exception>
    public static MultiOp Delete(string path, int version = -1)
    {
        ZnodePath.Validate(path);
        return new Body<PathInt32Body>(OpCode.Delete, path, new PathInt32Body(path, version));
    }

    /// <summary>
    /// Replaces the data of a znode, at a version or at any (-1); the result has its <see cref="MultiResult.Stat"/>.
    /// </summary>
    /// <exception cref="ArgumentException">The path breaks the rules.</exception>
    public static MultiOp Set(string path, ReadOnlyMemory<byte>? data, int version = -1)
    {
        ZnodePath.Validate(path);
        return new Body<SetDataBody>(OpCode.SetData, path, new SetDataBody(path, data, version));
    }

    /// <summary>Makes the multi fail unless the znode exists, at a version or at any (-1).</summary>
    /// <exception cref="ArgumentException">The path breaks the rules.</exception>
    public static MultiOp Check(string path, int version = -1)
    {
        ZnodePath.Validate(path);
        return new Body<PathInt32Body>(OpCode.Check, path, new PathInt32Body(path, version));
    }

    /// <summary>
    /// Reads a znode; the result has its <see cref="MultiResult.Data"/> and <see cref="MultiResult.Stat"/>.
    /// </summary>
    /// <exception cref="ArgumentException">The path breaks the rules.</exception>
    public static MultiOp Get(string path)
    {
        ZnodePath.Validate(path);
        return new Body<PathWatchBody>(OpCode.GetData, path, new PathWatchBody(path, false));
    }

    /// <summary>
    /// Lists the children of a znode; the result has their names in <see cref="MultiResult.Children"/>.
    /// </summary>
    /// <exception cref="ArgumentException">The path breaks the rules.</exception>
    public static MultiOp GetChildren(string path)
    {
        ZnodePath.Validate(path);
        return new Body<PathWatchBody>(OpCode.GetChildren, path, new PathWatchBody(path, false));
    }

    internal abstract void Write(JuteBuffer output, string chroot);

    private sealed record Body<T>(OpCode Operation, string Name, T Record) : MultiOp(Operation, Name)
        where T : struct, IRequestBody
    {
        internal override void Write(JuteBuffer output, string chroot) => Record.Write(output, chroot);
    }
}

/// <summary>The result of one operation of a multi; what the operation does not give is null.</summary>
/// <param name="Error">
/// <see cref="ErrorCode.Ok"/>, the error, or <see cref="ErrorCode.RuntimeInconsistency"/> behind a failed operation.
/// </param>
/// <param name="Path">The path of a created znode, with the suffix of a sequential mode.</param>
/// <param name="Stat">
/// Metadata after a set, or as read. Of creates, servers give it for containers and those with a time to live only.
/// </param>
/// <param name="Data">Data as read; null for null data too.</param>
/// <param name="Children">Names of the children as read.</param>
public readonly record struct MultiResult(
    ErrorCode Error, string? Path, Stat? Stat, byte[]? Data, IReadOnlyList<string>? Children);
