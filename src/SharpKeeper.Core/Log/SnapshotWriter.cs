using SharpKeeper.Core.Transactions;
using SharpKeeper.Core.Tree;
using SharpKeeper.Protocol;

namespace SharpKeeper.Core.Log;

/// <summary>
/// Writes a snapshot in slices, between which the tree may change. Replaying the transactions after
/// <see cref="Start"/> onto it gives the tree as it is when the last slice is written.
/// </summary>
/// <remarks>Two checksums, as 3.6 to 3.8 write them; 3.9 reads that as well. Every call belongs to the writer of the
/// tree.</remarks>
public sealed class SnapshotWriter : IDisposable
{
    private readonly DataTree tree;
    private readonly SnapshotBody body;
    private bool hasHeader;
    private bool isDone;
    private uint sum = 1;
    private int summed;

    /// <summary>Begins a snapshot of the tree as it is now.</summary>
    /// <param name="tree">Stays in use.</param>
    /// <param name="sessions">A copy of the sessions, taken now.</param>
    public SnapshotWriter(DataTree tree, IReadOnlyList<SessionTimeout> sessions)
    {
        this.tree = tree;
        body = new SnapshotBody(tree, sessions);
    }

    /// <summary>The last transaction in the tree when the snapshot began: it gives the file its name.</summary>
    public Zxid Start => body.Start;

    /// <summary>
    /// The last transaction in the tree when the snapshot ended: the file may take effect once the log is durable up to
    /// here.
    /// </summary>
    public Zxid End { get; private set; }

    /// <summary>Number of znodes written so far.</summary>
    public long Nodes => body.Nodes;

    /// <summary>Number of bytes written so far.</summary>
    public long Bytes { get; private set; }

    /// <summary>
    /// Appends the next part, of about <paramref name="bytesMax"/> bytes: one znode more than that at most. True if
    /// there is more to write.
    /// </summary>
    public bool WriteSlice(JuteBuffer output, int bytesMax)
    {
        int start = summed = output.Length;
        if (!hasHeader)
            WriteHeader(output);
        else if (!isDone && !body.WriteSlice(output, bytesMax))
            WriteTail(output);
        Sum(output);
        Bytes += output.Length - start;
        return !isDone;
    }

    /// <inheritdoc/>
    public void Dispose() => body.Dispose();

    private void WriteHeader(JuteBuffer output)
    {
        output.WriteInt32(SnapshotReader.Magic);
        output.WriteInt32(SnapshotReader.Version);
        output.WriteInt64(-1);
        hasHeader = true;
    }

    private void WriteTail(JuteBuffer output)
    {
        WriteSeal(output);
        End = tree.LastProcessed;
        output.WriteInt64(End.Value);
        TxnRecords.WriteDigest(output, tree.Digest);
        WriteSeal(output);
        isDone = true;
    }

    private void WriteSeal(JuteBuffer output)
    {
        Sum(output);
        output.WriteInt64(sum);
        output.WriteBuffer("/"u8);
    }

    private void Sum(JuteBuffer output)
    {
        sum = Adler32.Compute(output.WrittenSpan[summed..], sum);
        summed = output.Length;
    }
}
