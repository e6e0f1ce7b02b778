using SharpKeeper.Core;
using SharpKeeper.Core.Zab;
using SharpKeeper.Protocol;

namespace SharpKeeper.Simulation;

internal sealed partial class SimServer
{
    private const int DialsMax = 5;
    private const int DialAgainUs = 100_000;

    private readonly List<PeerConnection> peers = [];

    /// <summary>Is the quorum port open?</summary>
    public bool IsListening { get; private set; }

    /// <summary>The links to other servers.</summary>
    public IReadOnlyList<PeerConnection> Peers => peers;

    /// <summary>Bytes sent in one piece to another server at most; small ones cut packets in the middle.</summary>
    public int PieceBytes { get; set; } = int.MaxValue;

    /// <summary>A vote has come in.</summary>
    public void VoteReceived(int from, byte[] payload) => Post(() =>
    {
        if (!world.Options.IsStandalone)
            Replica.Step(Input.VoteReceived(new ServerId(from), payload, NowMs, WallMs));
    });

    /// <summary>The connection for votes has come or gone.</summary>
    public void VoteLinkChanged(int other, bool isUp) => Post(() =>
        Replica.Step(Input.VoteLinkChanged(new ServerId(other), isUp, NowMs, WallMs)));

    private void Dial(PeerLink link, int leader, int tries)
    {
        if (link.IsClosed)
            return;
        SimServer? target = world.FindServer(leader);
        bool isReachable = world.Network.IsReachable(WireKind.Quorum, Id, leader);
        if (target is { IsUp: true, IsListening: true } && isReachable)
        {
            Wire wire = world.Network.Connect(WireKind.Quorum, Id, leader);
            PeerConnection mine = Attach(wire, link);
            target.AcceptLearner(wire, Id);
            Replica.Step(Input.PeerConnected(mine.Link, NowMs, WallMs));
            return;
        }
        if (tries < DialsMax)
        {
            Later(DialAgainUs, () => Dial(link, leader, tries + 1));
            return;
        }
        Later(0, () => GoneBeforeConnected(link));
    }

    private void GoneBeforeConnected(PeerLink link)
    {
        if (!link.IsClosed)
            Replica.Step(Input.PeerClosed(link, NowMs, WallMs));
        link.IsClosed = true;
    }

    private void AcceptLearner(Wire wire, int learner)
    {
        var link = new PeerLink { Description = "server " + learner };
        PeerConnection connection = Attach(wire, link);
        Post(() =>
        {
            if (IsListening)
                Replica.Step(Input.LearnerConnected(connection.Link, NowMs, WallMs));
            else
                Hangup(connection);
        });
    }

    private PeerConnection Attach(Wire wire, PeerLink link)
    {
        int end = wire.EndOf(Id);
        var connection = new PeerConnection(this, world, wire, end, link);
        link.Owner = connection;
        peers.Add(connection);
        int born = life;
        wire.Received[end] = bytes =>
        {
            if (born == life)
                Post(() => connection.Take(bytes));
        };
        wire.Closed[end] = () =>
        {
            if (born == life)
                Post(() => Gone(connection));
        };
        return connection;
    }

    /// <summary>A link has gone: the replica is told unless it wanted that itself.</summary>
    public void Gone(PeerConnection connection)
    {
        if (!peers.Remove(connection))
            return;
        connection.EndTransfer();
        if (!connection.Link.IsClosed)
            Replica.Step(Input.PeerClosed(connection.Link, NowMs, WallMs));
        connection.Link.IsClosed = true;
    }

    private void FlushPeers(Outbox outbox)
    {
        foreach (PeerLink link in outbox.DirtyPeers.ToArray())
        {
            link.IsDirty = false;
            (link.Owner as PeerConnection)?.Flush();
        }
        outbox.DirtyPeers.Clear();
        foreach (PeerLink link in outbox.PeerHangups.ToArray())
        {
            world.Trace(Id, $"closes the link to {link.Description}: {link.CloseReason}");
            if (link.Owner is PeerConnection connection)
                Hangup(connection);
        }
        outbox.PeerHangups.Clear();
    }

    private void Hangup(PeerConnection connection)
    {
        connection.Flush();
        connection.Link.IsClosed = true;
        connection.EndTransfer();
        peers.Remove(connection);
        connection.Wire.Close(connection.End);
    }

    private void EndPeers()
    {
        IsListening = false;
        foreach (PeerConnection connection in peers)
            connection.EndTransfer();
        peers.Clear();
    }
}
