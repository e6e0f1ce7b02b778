using System.Buffers.Binary;
using SharpKeeper.Protocol;

namespace SharpKeeper.Core.Clients;

/// <summary>How replies and events are framed.</summary>
public static class Replies
{
    /// <summary>Size of a reply header.</summary>
    public const int HeaderBytes = 16;

    private const int ConnectedState = 3;

    /// <summary>Starts a reply frame; what follows is its body. The result goes to <see cref="End"/>.</summary>
    public static int Begin(JuteBuffer output, int xid, Zxid zxid, ErrorCode error)
    {
        int frame = output.BeginFrame();
        Span<byte> header = output.Append(HeaderBytes);
        BinaryPrimitives.WriteInt32BigEndian(header, xid);
        BinaryPrimitives.WriteInt64BigEndian(header[4..], zxid.Value);
        BinaryPrimitives.WriteInt32BigEndian(header[12..], (int)error);
        return frame;
    }

    /// <summary>Drops the body written so far and makes the reply an error.</summary>
    public static void Fail(JuteBuffer output, int frame, ErrorCode error)
    {
        output.Truncate(frame + 4 + HeaderBytes);
        output.PatchInt32(frame + 4 + 12, (int)error);
    }

    /// <summary>Makes the reply an error and leaves the body written so far.</summary>
    public static void FailKeepingBody(JuteBuffer output, int frame, ErrorCode error) =>
        output.PatchInt32(frame + 4 + 12, (int)error);

    /// <summary>
    /// Ends a reply frame. A frame longer than <paramref name="bytesMax"/> becomes an error reply, since clients drop the
    /// connection over a frame that is too long for them.
    /// </summary>
    public static void End(JuteBuffer output, int frame, int bytesMax)
    {
        if (output.Length - frame - 4 > bytesMax)
            Fail(output, frame, ErrorCode.MarshallingError);
        output.EndFrame(frame);
    }

    /// <summary>Appends a whole reply without a body.</summary>
    public static void WriteEmpty(JuteBuffer output, int xid, Zxid zxid, ErrorCode error) =>
        output.EndFrame(Begin(output, xid, zxid, error));

    /// <summary>Appends a watch event.</summary>
    public static void WriteEvent(JuteBuffer output, long zxid, WatchEventType type, ReadOnlySpan<byte> path)
    {
        int frame = Begin(output, Xids.WatchEvent, new Zxid(zxid), ErrorCode.Ok);
        output.WriteInt32((int)type);
        output.WriteInt32(ConnectedState);
        output.WriteBuffer(path);
        output.EndFrame(frame);
    }
}
