using System.Globalization;
using SharpKeeper.Protocol;

namespace SharpKeeper.Simulation;

/// <summary>The bytes of requests.</summary>
internal static class RequestFrames
{
    /// <summary>The frame of an operation, without its length.</summary>
    public static byte[] Of(Operation operation)
    {
        using var buffer = new JuteBuffer();
        buffer.WriteInt32(operation.Xid);
        buffer.WriteInt32((int)CodeOf(operation));
        switch (operation.Kind)
        {
            case OperationKind.Get or OperationKind.Exists or OperationKind.Children:
                buffer.WriteString(operation.Path);
                buffer.WriteBoolean(operation.IsWatched);
                break;
            case OperationKind.Sync:
                buffer.WriteString(operation.Path);
                break;
            case OperationKind.Multi:
                WriteMulti(buffer, operation.Parts);
                break;
            case OperationKind.Reconfig:
                WriteReconfig(buffer, operation.Parts[0]);
                break;
            case OperationKind.Close:
                break;
            default:
                WritePart(buffer, operation.Parts[0]);
                break;
        }
        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>The frame of a handshake.</summary>
    public static byte[] Connect(in ConnectRequest request)
    {
        using var buffer = new JuteBuffer();
        request.Write(buffer);
        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>The frame of a ping.</summary>
    public static byte[] Ping()
    {
        using var buffer = new JuteBuffer();
        buffer.WriteInt32(Xids.Ping);
        buffer.WriteInt32((int)OpCode.Ping);
        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>The frame that sets watches again after a connection was made.</summary>
    public static byte[] SetWatches(
        Zxid seen, IReadOnlyList<string> data, IReadOnlyList<string> exist, IReadOnlyList<string> child)
    {
        using var buffer = new JuteBuffer();
        buffer.WriteInt32(Xids.SetWatches);
        buffer.WriteInt32((int)OpCode.SetWatches);
        buffer.WriteInt64(seen.Value);
        foreach (IReadOnlyList<string> list in new[] { data, exist, child })
        {
            buffer.WriteInt32(list.Count);
            foreach (string path in list)
                buffer.WriteString(path);
        }
        return buffer.WrittenSpan.ToArray();
    }

    private static OpCode CodeOf(Operation operation) => operation.Kind switch
    {
        OperationKind.Get => OpCode.GetData,
        OperationKind.Exists => OpCode.Exists,
        OperationKind.Children => OpCode.GetChildren2,
        OperationKind.Sync => OpCode.Sync,
        OperationKind.Multi => OpCode.Multi,
        OperationKind.Close => OpCode.CloseSession,
        OperationKind.Reconfig => OpCode.Reconfig,
        _ => CodeOf(operation.Parts[0].Kind),
    };

    private static OpCode CodeOf(OperationKind kind) => kind switch
    {
        OperationKind.Create => OpCode.Create2,
        OperationKind.Delete => OpCode.Delete,
        OperationKind.Set => OpCode.SetData,
        _ => OpCode.Check,
    };

    private static void WriteMulti(JuteBuffer buffer, IReadOnlyList<WritePart> parts)
    {
        foreach (WritePart part in parts)
        {
            WriteHeader(buffer, part.Kind == OperationKind.Create ? OpCode.Create : CodeOf(part.Kind), false);
            WritePart(buffer, part);
        }
        WriteHeader(buffer, OpCode.Error, true);
    }

    private static void WriteHeader(JuteBuffer buffer, OpCode op, bool isDone)
    {
        buffer.WriteInt32((int)op);
        buffer.WriteBoolean(isDone);
        buffer.WriteInt32(-1);
    }

    private static void WritePart(JuteBuffer buffer, in WritePart part)
    {
        buffer.WriteString(part.Path);
        switch (part.Kind)
        {
            case OperationKind.Create:
                buffer.WriteBuffer(part.Data, part.Data is null);
                Acl.WriteVector(buffer, Acl.OpenUnsafe);
                buffer.WriteInt32((int)part.Mode);
                break;
            case OperationKind.Set:
                buffer.WriteBuffer(part.Data, part.Data is null);
                buffer.WriteInt32(part.Version);
                break;
            default:
                buffer.WriteInt32(part.Version);
                break;
        }
    }

    // Joining servers, leaving servers, all members, and the version that is expected or -1 for any.
    private static void WriteReconfig(JuteBuffer buffer, in WritePart part)
    {
        string[] lists = part.Path.Split('|');
        buffer.WriteString(lists[0].Length > 0 ? lists[0] : null);
        buffer.WriteString(lists[1].Length > 0 ? lists[1] : null);
        buffer.WriteString(lists[2].Length > 0 ? lists[2] : null);
        buffer.WriteInt64(long.Parse(lists[3], CultureInfo.InvariantCulture));
    }
}
