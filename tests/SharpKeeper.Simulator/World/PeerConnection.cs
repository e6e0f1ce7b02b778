using SharpKeeper.Core.Zab;
using SharpKeeper.Protocol;
using SharpKeeper.Protocol.Quorum;

namespace SharpKeeper.Simulation;

/// <summary>
/// One end of a link between a leader and a learner: cuts what comes in into whole packets and snapshots, and sends
/// what
/// the replica wrote, with snapshots and parts of the log between.
/// </summary>
internal sealed class PeerConnection
{
    private const int PacketBytesMax = 64 << 20;

    private readonly SimServer server;
    private readonly World world;
    private readonly JuteBuffer incoming = new();
    private bool isReadingSnapshot;
    private IDisposable? transfer;

    public PeerConnection(SimServer server, World world, Wire wire, int end, PeerLink link)
    {
        this.server = server;
        this.world = world;
        Wire = wire;
        End = end;
        Link = link;
    }

    /// <summary>The connection.</summary>
    public Wire Wire { get; }

    /// <summary>This server's end of it.</summary>
    public int End { get; }

    /// <summary>The link as the replica sees it.</summary>
    public PeerLink Link { get; }

    /// <summary>The server at the other end.</summary>
    public int Other => Wire.Nodes[1 - End];

    /// <summary>Sends what the replica wrote, unless something else is being sent first.</summary>
    public void Flush()
    {
        if (transfer is not null || Link.Output.Length == 0)
            return;
        SendPieces(Link.Output.WrittenSpan);
        Link.Output.Clear();
    }

    /// <summary>Sends bytes, in pieces as small as a fault wants them.</summary>
    public void SendPieces(ReadOnlySpan<byte> bytes)
    {
        while (bytes.Length > 0)
        {
            int length = Math.Min(bytes.Length, server.PieceBytes);
            Wire.Send(End, bytes[..length].ToArray());
            bytes = bytes[length..];
        }
    }

    /// <summary>Sends what the replica wrote so far, and nothing more until <see cref="TransferDone"/>.</summary>
    public void BeginTransfer(IDisposable source)
    {
        Flush();
        transfer = source;
    }

    /// <summary>Is that what is being sent?</summary>
    public bool IsSending(IDisposable source) => transfer == source;

    /// <summary>All of it is sent.</summary>
    public void TransferDone()
    {
        EndTransfer();
        Link.IsTransferring = false;
        server.TransferDone(Link);
    }

    /// <summary>Gives up what is being sent.</summary>
    public void EndTransfer()
    {
        transfer?.Dispose();
        transfer = null;
    }

    /// <summary>Bytes have come in.</summary>
    public void Take(byte[] bytes)
    {
        if (Link.IsClosed)
            return;
        incoming.WriteRaw(bytes);
        while (!Link.IsClosed && (isReadingSnapshot ? TakeSnapshot() : TakePackets()))
        {
        }
    }

    private bool TakePackets()
    {
        int taken = 0;
        while (!isReadingSnapshot)
        {
            PacketReadResult result = QuorumPackets.TryRead(
                incoming.WrittenSpan[taken..], PacketBytesMax, out QuorumPacket packet, out int consumed);
            if (result == PacketReadResult.Corrupt)
                throw new SimulationFailure("Framing",
                    $"server {server.Id} got bytes from server {Other} that are no packet");
            if (result == PacketReadResult.Incomplete)
                break;
            taken += consumed;
            world.PacketReceived(server, Other, packet);
            isReadingSnapshot = packet.Type == QuorumPacketType.Snap;
        }
        if (taken == 0)
            return false;
        byte[] packets = incoming.WrittenSpan[..taken].ToArray();
        Drop(taken);
        server.PeerPackets(Link, packets);
        return isReadingSnapshot;
    }

    private bool TakeSnapshot()
    {
        int length = SnapshotTransfer.FindEnd(incoming.WrittenSpan);
        if (length < 0)
            return false;
        byte[] stream = incoming.WrittenSpan[..length].ToArray();
        Drop(length);
        isReadingSnapshot = false;
        server.SnapshotReceived(this, stream);
        return true;
    }

    private void Drop(int length)
    {
        byte[] rest = incoming.WrittenSpan[length..].ToArray();
        incoming.Clear();
        incoming.WriteRaw(rest);
    }
}
