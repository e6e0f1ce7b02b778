using System.Buffers.Binary;
using System.Net;
using SharpKeeper.Protocol;

namespace SharpKeeper.Cli.Bench.Driver;

/// <summary>One session on its own connection, with the requests it has in flight.</summary>
internal sealed class Session
{
    private long[] sentAt = new long[1];

    public Session(int index, IPEndPoint server)
    {
        Index = index;
        Server = server;
    }

    /// <summary>Number of the session among all of the driver's.</summary>
    public int Index { get; }

    /// <summary>Where it is connected to.</summary>
    public IPEndPoint Server { get; }

    /// <summary>Number of the session in its lane: what the work calls it.</summary>
    public int Number { get; set; }

    /// <summary>The stream of work it serves; null when it only keeps alive.</summary>
    public Lane? Lane { get; set; }

    /// <summary>The transport's handle; -1 without a connection.</summary>
    public int Handle { get; set; } = -1;

    public SessionState State { get; set; }

    /// <summary>The server's name for it; 0 before the handshake ended.</summary>
    public long Id { get; set; }

    /// <summary>Negotiated, in milliseconds.</summary>
    public int TimeoutMs { get; set; }

    /// <summary>Highest zxid in a reply so far; no later reply may carry a lower one.</summary>
    public long LastZxid { get; set; }

    /// <summary>Xid of the next request.</summary>
    public int NextXid { get; set; } = 1;

    /// <summary>Xid that the next reply must carry.</summary>
    public int NextReplyXid { get; set; } = 1;

    /// <summary>Pings sent and not answered.</summary>
    public int PingsInFlight { get; set; }

    /// <summary>Stopwatch ticks of the last send.</summary>
    public long LastSentAt { get; set; }

    /// <summary>Bytes that the connection did not take yet, from <see cref="UnsentFrom"/> on.</summary>
    public JuteBuffer Unsent { get; } = new();

    public int UnsentFrom { get; set; }

    /// <summary>The head of a frame whose rest has not come.</summary>
    public byte[] Partial { get; set; } = [];

    public int PartialLength { get; set; }

    /// <summary>Requests sent and not answered.</summary>
    public int InFlight => NextXid - NextReplyXid;

    /// <summary>Makes room for the send times of <paramref name="depth"/> requests in flight.</summary>
    public void SetDepth(int depth)
    {
        int size = (int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)depth);
        if (size > sentAt.Length)
            sentAt = new long[size];
    }

    /// <summary>Notes when the requests from <paramref name="firstXid"/> up to the next one were sent.</summary>
    public void StampSent(int firstXid, long now)
    {
        for (int xid = firstXid; xid != NextXid; xid++)
            sentAt[xid & (sentAt.Length - 1)] = now;
        LastSentAt = now;
    }

    /// <summary>When the request with this xid was sent.</summary>
    public long SentAt(int xid) => sentAt[xid & (sentAt.Length - 1)];

    /// <summary>Length of the frame whose head is in <see cref="Partial"/>; 0 while that is not known.</summary>
    public int PartialFrameBytes =>
        PartialLength < 4 ? 0 : 4 + BinaryPrimitives.ReadInt32BigEndian(Partial);

    public override string ToString() => $"session 0x{Id:x} (number {Index})";
}

/// <summary>Where a session is in its life.</summary>
internal enum SessionState
{
    /// <summary>No connection.</summary>
    Closed,

    /// <summary>Connecting, or waiting for the answer to the handshake.</summary>
    Opening,

    /// <summary>Ready for requests.</summary>
    Open,

    /// <summary>closeSession is on its way.</summary>
    Closing,
}
