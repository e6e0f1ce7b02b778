using SharpKeeper.Core.Transactions;
using SharpKeeper.Core.Tree;
using SharpKeeper.Protocol;

namespace SharpKeeper.Core.Log;

/// <summary>
/// Writes the tree as the stream that follows a SNAP packet, in slices between which the tree may change: what a
/// snapshot file has between its header and its checksums, then a mark. The learner is to get the transactions after
/// <see cref="Start"/> behind it; with them its tree is the one that the last slice found.
/// </summary>
/// <remarks>Never compressed. Every call belongs to the writer of the tree.</remarks>
public sealed class SnapshotStreamWriter : IDisposable
{
    private readonly DataTree tree;
    private readonly SnapshotBody body;
    private bool isDone;

    /// <summary>Begins a stream of the tree as it is now.</summary>
    /// <param name="tree">Stays in use.</param>
    /// <param name="sessions">A copy of the sessions, taken now.</param>
    public SnapshotStreamWriter(DataTree tree, IReadOnlyList<SessionTimeout> sessions)
    {
        this.tree = tree;
        body = new SnapshotBody(tree, sessions);
    }

    /// <summary>The last transaction in the tree when the stream began: the zxid of the SNAP packet.</summary>
    public Zxid Start => body.Start;

    /// <summary>The last transaction in the tree when the stream ended; zero before.</summary>
    public Zxid End { get; private set; }

    /// <summary>Number of bytes written so far.</summary>
    public long Bytes { get; private set; }

    /// <summary>
    /// Appends the next part, of about <paramref name="bytesMax"/> bytes: one znode more than that at most. True if
    /// there is more to write.
    /// </summary>
    public bool WriteSlice(JuteBuffer output, int bytesMax)
    {
        int start = output.Length;
        if (!isDone && !body.WriteSlice(output, bytesMax))
        {
            output.WriteBuffer(SnapshotStream.EndMark);
            End = tree.LastProcessed;
            isDone = true;
        }
        Bytes += output.Length - start;
        return !isDone;
    }

    /// <inheritdoc/>
    public void Dispose() => body.Dispose();
}
