using System.Net.Sockets;
using SharpKeeper.Core;
using SharpKeeper.Protocol.Quorum;

namespace SharpKeeper.Server.Peers;

internal sealed partial class QuorumConnection
{
    // Batches that may be on their way to the replica; more of them make the reader, and so the peer, wait.
    private const int BatchesMax = 16;

    private readonly object batchLock = new();
    private readonly Stack<PacketBatch> freeBatches = new();
    private int batches;
    private bool hasPacket;

    /// <summary>Takes a batch back; any thread.</summary>
    public void Return(PacketBatch batch)
    {
        lock (batchLock)
        {
            freeBatches.Push(batch);
            Monitor.Pulse(batchLock);
        }
    }

    private void Read()
    {
        string reason;
        try
        {
            if (isDialled)
                events.PeerConnected(Link);
            else
                events.LearnerConnected(Link);
            reason = ReadPackets();
        }
        catch (CorruptDataException exception)
        {
            reason = exception.Message;
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            reason = "the socket failed: " + exception.Message;
        }
        Close(reason);
        JoinWriter();
        socket!.Dispose();
        ReportEnd();
    }

    /// <summary>Hands packets on until the connection ends; says why it does.</summary>
    private string ReadPackets()
    {
        const string closed = "the other side closed the connection";
        PacketBatch? batch = Rent();
        // What came behind a snapshot is looked at before more is awaited.
        bool hasUnread = false;
        while (batch is not null)
        {
            if (!hasUnread && !ReceiveInto(batch))
                return closed;
            string? problem = Cut(batch, out int whole, out bool snapshotFollows);
            hasUnread = snapshotFollows;
            if (snapshotFollows)
            {
                byte[] rest = batch.Packets[whole..].ToArray();
                Post(batch, whole);
                batch = ReadSnapshot(rest);
            }
            else if (whole > 0)
            {
                batch = PostWhole(batch, whole);
            }
            if (problem is not null)
            {
                batch?.Return();
                return problem;
            }
        }
        return closed;
    }

    /// <summary>Finds the end of the last whole packet, or of a SNAP packet.</summary>
    private string? Cut(PacketBatch batch, out int whole, out bool snapshotFollows)
    {
        whole = 0;
        snapshotFollows = false;
        while (true)
        {
            int bytesMax = isDialled || hasPacket
                ? options.PacketBytesMax : Math.Min(options.FirstPacketBytesMax, options.PacketBytesMax);
            PacketReadResult result = QuorumPackets.TryRead(
                batch.Packets[whole..], bytesMax, out QuorumPacket packet, out int consumed);
            if (result == PacketReadResult.Incomplete)
                return null;
            if (result == PacketReadResult.Corrupt)
            {
                return $"it sent bytes that are no packet of at most {bytesMax} bytes; "
                    + "something else may be talking to the quorum port";
            }
            whole += consumed;
            hasPacket = true;
            snapshotFollows = isDialled && packet.Type == QuorumPacketType.Snap;
            if (snapshotFollows)
                return null;
        }
    }

    /// <summary>Hands the whole packets on; the result holds the beginning of the next one, null at the end.</summary>
    private PacketBatch? PostWhole(PacketBatch batch, int whole)
    {
        int rest = batch.Length - whole;
        PacketBatch? next = Rent();
        if (rest > 0)
            next?.Append(batch.Packets[whole..]);
        Post(batch, whole);
        return next;
    }

    private void Post(PacketBatch batch, int whole)
    {
        batch.Length = whole;
        events.PacketsReceived(batch);
    }

    /// <summary>Loads the snapshot that begins with <paramref name="rest"/>; gives what follows it.</summary>
    private PacketBatch? ReadSnapshot(byte[] rest)
    {
        var source = new SnapshotSource(rest, this);
        LoadedSnapshot loaded = options.LoadSnapshot(source);
        if (IsClosed)
        {
            loaded.Tree.Dispose();
            return null;
        }
        events.SnapshotReceived(Link, loaded.Tree, loaded.Sessions);
        PacketBatch? next = Rent();
        next?.Append(loaded.Rest);
        return next;
    }

    private bool ReceiveInto(PacketBatch batch)
    {
        int received = Receive(batch.GetFree().Span, Timeout.InfiniteTimeSpan);
        batch.Length += received;
        return received > 0;
    }

    /// <summary>Waits for bytes of a snapshot; 0 at the connection's end, which comes if they fail to come.</summary>
    public int ReceiveTransfer(Span<byte> destination) => Receive(destination, options.TransferSilenceMax);

    /// <summary>Waits for bytes; 0 at the connection's end.</summary>
    private int Receive(Span<byte> destination, TimeSpan silenceMax)
    {
        while (!IsClosed)
        {
            int received = socket!.Receive(destination, SocketFlags.None, out SocketError error);
            if (error == SocketError.Success)
                return received;
            if (error is not (SocketError.WouldBlock or SocketError.IOPending))
                throw new SocketException((int)error);
            if (!socket.Poll(silenceMax, SelectMode.SelectRead))
                Close($"nothing of a snapshot came for {silenceMax.TotalMilliseconds} ms");
        }
        return 0;
    }

    /// <summary>An empty batch; waits while too many are on their way. Null at the connection's end.</summary>
    private PacketBatch? Rent()
    {
        lock (batchLock)
        {
            while (!IsClosed)
            {
                if (freeBatches.TryPop(out PacketBatch? free))
                    return free;
                if (batches < BatchesMax)
                {
                    batches++;
                    return new PacketBatch(this);
                }
                Monitor.Wait(batchLock);
            }
            return null;
        }
    }

    private void WakeReader()
    {
        lock (batchLock)
            Monitor.PulseAll(batchLock);
    }
}
