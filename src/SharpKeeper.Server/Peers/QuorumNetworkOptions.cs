using SharpKeeper.Core.Log;
using SharpKeeper.Core.Transactions;
using SharpKeeper.Core.Tree;

namespace SharpKeeper.Server.Peers;

/// <summary>A snapshot that came in over a link.</summary>
/// <param name="Tree">The tree.</param>
/// <param name="Sessions">Its sessions.</param>
/// <param name="Rest">Bytes that were read and belong to what follows the snapshot.</param>
internal readonly record struct LoadedSnapshot(DataTree Tree, SessionTimeouts Sessions, byte[] Rest);

/// <summary>How a <see cref="QuorumNetwork"/> is to work.</summary>
internal sealed record QuorumNetworkOptions
{
    /// <summary>Longest data of a packet, bytes.</summary>
    public int PacketBytesMax { get; init; } = 64 << 20;

    /// <summary>
    /// Longest data of the first packet of who connects here, bytes: it says who that is. A stranger can so make this
    /// server keep no more than that of it.
    /// </summary>
    public int FirstPacketBytesMax { get; init; } = 4096;

    /// <summary>
    /// A peer that has left more bytes than that unread is cut off. More than the replica holds back of a learner
    /// during a transfer, which goes out in one piece behind it.
    /// </summary>
    public long UnsentBytesMax { get; init; } = 768L << 20;

    /// <summary>
    /// How long nothing of a snapshot, or of a part of the log, may come in or be taken before the link is given up.
    /// The replica waits for transfers without a limit of its own.
    /// </summary>
    public TimeSpan TransferSilenceMax { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>Connections to the own quorum port at one time.</summary>
    public int ConnectionsMax { get; init; } = 1000;

    /// <summary>How long one attempt to connect may take.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>The longest wait between two attempts to connect; the first waits are shorter.</summary>
    public TimeSpan ConnectRetryDelayMax { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>
    /// How long a leader's machine may refuse connections: longer than a leader takes to open its port after it was
    /// elected, and much shorter than the ensemble should wait for one that has died since.
    /// </summary>
    public TimeSpan RefusedTimeMax { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Does the quorum port listen on all addresses of the machine?</summary>
    public bool ListensOnAllAddresses { get; init; }

    /// <summary>Do sockets ask for TCP keep-alive?</summary>
    public bool KeepAlive { get; init; }

    /// <summary>Loads a snapshot stream.</summary>
    public required Func<IStorageReader, LoadedSnapshot> LoadSnapshot { get; init; }
}
