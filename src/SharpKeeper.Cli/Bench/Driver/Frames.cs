using System.Buffers.Binary;
using SharpKeeper.Protocol;

namespace SharpKeeper.Cli.Bench.Driver;

/// <summary>Serialises request frames once, so that sending one is a copy and a few patched bytes.</summary>
internal static class Frames
{
    /// <summary>Where the xid stands in a request frame.</summary>
    public const int XidAt = 4;

    /// <summary>Bytes of frame length, xid and operation.</summary>
    public const int HeadBytes = 12;

    /// <summary>Bytes of xid, zxid and error in front of a reply's body.</summary>
    public const int ReplyHeadBytes = 16;

    /// <summary>Builds a request frame with xid 0.</summary>
    public static byte[] Request(OpCode operation, Action<JuteBuffer> body)
    {
        using var buffer = new JuteBuffer();
        int frame = buffer.BeginFrame();
        buffer.WriteInt32(0);
        buffer.WriteInt32((int)operation);
        body(buffer);
        buffer.EndFrame(frame);
        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>A read: a path and whether to leave a watch.</summary>
    public static byte[] Read(OpCode operation, string path, bool watch = false) => Request(operation, body =>
    {
        body.WriteString(path);
        body.WriteBoolean(watch);
    });

    /// <summary>A create that everybody may use.</summary>
    public static byte[] Create(string path, ReadOnlyMemory<byte> data) => Request(OpCode.Create, body =>
    {
        body.WriteString(path);
        body.WriteBuffer(data.Span);
        Acl.WriteVector(body, Acl.OpenUnsafe);
        body.WriteInt32((int)CreateMode.Persistent);
    });

    /// <summary>A delete of any version.</summary>
    public static byte[] Delete(string path) => Request(OpCode.Delete, body =>
    {
        body.WriteString(path);
        body.WriteInt32(-1);
    });

    /// <summary>A setData of any version.</summary>
    public static byte[] Set(string path, ReadOnlyMemory<byte> data) => Request(OpCode.SetData, body =>
    {
        body.WriteString(path);
        body.WriteBuffer(data.Span);
        body.WriteInt32(-1);
    });

    /// <summary>A ping.</summary>
    public static byte[] Ping()
    {
        byte[] frame = Request(OpCode.Ping, _ => { });
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(XidAt), Xids.Ping);
        return frame;
    }

    /// <summary>The handshake of a new session.</summary>
    public static byte[] Handshake(TimeSpan timeout)
    {
        using var buffer = new JuteBuffer();
        int frame = buffer.BeginFrame();
        new ConnectRequest(0, 0, (int)timeout.TotalMilliseconds, 0, new byte[16], false).Write(buffer);
        buffer.EndFrame(frame);
        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>Appends a copy of a prepared frame with its xid and returns the copy for more patching.</summary>
    public static Span<byte> Append(JuteBuffer output, ReadOnlySpan<byte> frame, int xid)
    {
        Span<byte> copy = output.Append(frame.Length);
        frame.CopyTo(copy);
        BinaryPrimitives.WriteInt32BigEndian(copy[XidAt..], xid);
        return copy;
    }
}
