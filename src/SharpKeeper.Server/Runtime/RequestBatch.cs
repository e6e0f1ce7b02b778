using SharpKeeper.Core.Clients;
using SharpKeeper.Protocol;

namespace SharpKeeper.Server.Runtime;

/// <summary>What an item of a <see cref="RequestBatch"/> asks of the replica.</summary>
internal enum RequestKind : byte
{
    /// <summary>A handshake; the bytes are its payload.</summary>
    Connect,

    /// <summary>A request; the bytes are its body.</summary>
    Request,

    /// <summary>A request that was held back for too long and is to be refused in its turn.</summary>
    Throttled,

    /// <summary>The connection has gone.</summary>
    Closed,
}

/// <summary>One item of a <see cref="RequestBatch"/>.</summary>
internal readonly record struct RequestItem(
    RequestKind Kind, ClientLink Link, OpCode Op, int Xid, int Offset, int Length);

/// <summary>What one connection thread hands to the replica in one go, with its own copy of the bytes.</summary>
internal sealed class RequestBatch
{
    private const int KeptBytesMax = 1 << 20;

    private readonly JuteBuffer bytes = new();

    /// <summary>The items in the order in which they arrived.</summary>
    public List<RequestItem> Items { get; } = [];

    /// <summary>Adds an item and copies its bytes.</summary>
    public void Add(RequestKind kind, ClientLink link, OpCode op, int xid, ReadOnlySpan<byte> body)
    {
        Items.Add(new RequestItem(kind, link, op, xid, bytes.Length, body.Length));
        bytes.WriteRaw(body);
    }

    /// <summary>The bytes of an item.</summary>
    public ReadOnlySpan<byte> BytesOf(in RequestItem item) => bytes.WrittenSpan.Slice(item.Offset, item.Length);

    /// <summary>Empties the batch for another use.</summary>
    public void Clear()
    {
        Items.Clear();
        if (bytes.Capacity > KeptBytesMax)
            bytes.Reset();
        else
            bytes.Clear();
    }
}
