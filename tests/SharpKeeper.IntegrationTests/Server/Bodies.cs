using System.Text;
using SharpKeeper.Protocol;

namespace SharpKeeper.ServerTests;

/// <summary>Bodies of requests.</summary>
internal static class Bodies
{
    public static Action<JuteBuffer> Create(
        string path, ReadOnlyMemory<byte> data, CreateMode mode = CreateMode.Persistent) => output =>
    {
        output.WriteString(path);
        output.WriteBuffer(data.Span);
        Acl.WriteVector(output, Acl.OpenUnsafe);
        output.WriteInt32((int)mode);
    };

    public static Action<JuteBuffer> Create(string path, string data, CreateMode mode = CreateMode.Persistent) =>
        Create(path, Encoding.UTF8.GetBytes(data), mode);

    public static Action<JuteBuffer> Set(string path, ReadOnlyMemory<byte> data, int version = -1) => output =>
    {
        output.WriteString(path);
        output.WriteBuffer(data.Span);
        output.WriteInt32(version);
    };

    public static Action<JuteBuffer> Set(string path, string data, int version = -1) =>
        Set(path, Encoding.UTF8.GetBytes(data), version);

    public static Action<JuteBuffer> Versioned(string path, int version = -1) => output =>
    {
        output.WriteString(path);
        output.WriteInt32(version);
    };

    public static Action<JuteBuffer> Watched(string path, bool isWatched = false) => output =>
    {
        output.WriteString(path);
        output.WriteBoolean(isWatched);
    };

    public static Action<JuteBuffer> Multi(params (OpCode Op, Action<JuteBuffer> Body)[] parts) => output =>
    {
        foreach ((OpCode op, Action<JuteBuffer> body) in parts)
        {
            Head(output, op, isDone: false);
            body(output);
        }
        Head(output, OpCode.Error, isDone: true);
    };

    public static Action<JuteBuffer> AddWatch(string path, AddWatchMode mode) => output =>
    {
        output.WriteString(path);
        output.WriteInt32((int)mode);
    };

    public static Action<JuteBuffer> Auth(string scheme, string credentials) => output =>
    {
        output.WriteInt32(0);
        output.WriteString(scheme);
        output.WriteBuffer(Encoding.UTF8.GetBytes(credentials));
    };

    private static void Head(JuteBuffer output, OpCode op, bool isDone)
    {
        output.WriteInt32((int)op);
        output.WriteBoolean(isDone);
        output.WriteInt32(-1);
    }
}
