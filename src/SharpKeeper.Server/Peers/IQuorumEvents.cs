using SharpKeeper.Core.Transactions;
using SharpKeeper.Core.Tree;
using SharpKeeper.Core.Zab;

namespace SharpKeeper.Server.Peers;

/// <summary>
/// What the <see cref="QuorumNetwork"/> reports; any thread, for one link in order: it is connected, packets and
/// snapshots, it is closed.
/// </summary>
internal interface IQuorumEvents
{
    /// <summary>A learner has connected.</summary>
    void LearnerConnected(PeerLink link);

    /// <summary>A link that was dialled is there.</summary>
    void PeerConnected(PeerLink link);

    /// <summary>Whole packets have come in; whoever has taken them gives the batch back.</summary>
    void PacketsReceived(PacketBatch batch);

    /// <summary>The snapshot behind a SNAP packet has come in.</summary>
    void SnapshotReceived(PeerLink link, DataTree tree, SessionTimeouts sessions);

    /// <summary>A link has gone, or could not be made; the last report about it.</summary>
    void LinkClosed(PeerLink link, string reason);
}
