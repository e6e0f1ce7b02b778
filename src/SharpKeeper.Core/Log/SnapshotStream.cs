using SharpKeeper.Core.Transactions;
using SharpKeeper.Core.Tree;

namespace SharpKeeper.Core.Log;

/// <summary>The stream that follows a SNAP packet, loaded into a tree.</summary>
public sealed class SnapshotStream
{
    private SnapshotStream(SnapshotLoad load, byte[] rest)
    {
        Tree = load.Tree;
        Sessions = load.Sessions;
        MissingAcls = load.MissingAcls;
        Rest = rest;
    }

    /// <summary>
    /// The tree. Its last processed transaction is left to the caller: the zxid of the SNAP packet. It may hold parts
    /// of later ones, which are to be applied once more as they come.
    /// </summary>
    public DataTree Tree { get; }

    /// <summary>The sessions.</summary>
    public SessionTimeouts Sessions { get; }

    /// <summary>See <see cref="SnapshotLoad.MissingAcls"/>.</summary>
    public int MissingAcls { get; }

    /// <summary>
    /// Bytes that were read behind the stream's end: the packets that follow it start with them. Read ahead is only
    /// what the source gave together with bytes of the stream; it is not asked for more than the stream needs.
    /// </summary>
    public ReadOnlyMemory<byte> Rest { get; }

    /// <summary>What stands at the end.</summary>
    internal static ReadOnlySpan<byte> EndMark => "BenWasHere"u8;

    /// <summary>Loads a stream.</summary>
    /// <param name="source">
    /// Stands behind the SNAP packet. Its Read waits until there are bytes, and gives those that have come; 0 means
    /// that the connection has ended. Not disposed.
    /// </param>
    /// <param name="options">How the tree is made.</param>
    /// <exception cref="CorruptDataException">It is no whole stream; the message says where and why.</exception>
    public static SnapshotStream Load(IStorageReader source, RecoveryOptions options)
    {
        // Left undisposed, as the source is the caller's and there is nothing else to it.
        SnapshotReader reader = SnapshotReader.OfStream(source);
        return new SnapshotStream(SnapshotLoad.Load(reader, options), reader.Unread.ToArray());
    }
}
