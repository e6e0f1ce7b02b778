using SharpKeeper.Protocol;
using SharpKeeper.Protocol.Quorum;

namespace SharpKeeper.Core.Log;

/// <summary>
/// Reads transactions from the logs on disk and writes them as a learner gets them during its synchronisation: each as
/// a PROPOSAL and a COMMIT, in order and without a gap. The newest log may be written to meanwhile.
/// </summary>
public sealed class LogRange : IDisposable
{
    private readonly Zxid after;
    private readonly Zxid upTo;
    private readonly LogScan scan;
    private bool hasStart;
    private bool isComplete;

    /// <summary>Opens the logs as they are now.</summary>
    /// <param name="device">Holds the logs.</param>
    /// <param name="after">The transactions behind this one are wanted; it or an earlier one must be there.</param>
    /// <param name="upTo">
    /// The last one wanted; it must be there, and durable by now. The start of an epoch, which is no transaction, stands
    /// for the last one before it: what follows it must be there then.
    /// </param>
    public LogRange(IStorageDevice device, Zxid after, Zxid upTo)
    {
        this.after = after;
        this.upTo = upTo;
        Last = after;
        IReadOnlyList<LogFile> logs = StorageListing.Logs(device);
        scan = new LogScan(device, logs, StorageListing.LastUpTo(device, logs, after), last: null, isGrowing: true);
    }

    /// <summary>The last transaction written so far; at first the one behind which it begins.</summary>
    public Zxid Last { get; private set; }

    /// <summary>Number of transactions written so far.</summary>
    public long Txns { get; private set; }

    /// <summary>
    /// Appends the next transactions, of about <paramref name="bytesMax"/> bytes: one transaction more than that at
    /// most. True if there is more to write.
    /// </summary>
    /// <exception cref="CorruptDataException">
    /// The logs do not hold all that is wanted; the message says what is missing. What was written before is right, but
    /// the learner must not take it for everything.
    /// </exception>
    public bool WriteSlice(JuteBuffer output, int bytesMax = 64 << 10)
    {
        int end = output.Length + bytesMax;
        while (Last < upTo && !isComplete)
        {
            if (output.Length >= end)
                return true;
            if (!scan.Next())
                throw Missing($"the logs end with {scan.Last?.ToString() ?? "nothing"}");
            if (scan.IsNew)
                Take(output);
        }
        return false;
    }

    /// <inheritdoc/>
    public void Dispose() => scan.Dispose();

    private void Take(JuteBuffer output)
    {
        Zxid zxid = scan.Zxid;
        if (zxid <= after)
        {
            hasStart = true;
            return;
        }
        if (!hasStart)
            throw Missing($"the logs begin with {zxid}");
        if (zxid > upTo)
        {
            if (upTo.Counter != 0)
                throw Missing($"{zxid} follows {Last}");
            isComplete = true;
            return;
        }
        QuorumPackets.Write(output, QuorumPacketType.Proposal, zxid, scan.Payload);
        QuorumPackets.WriteEmpty(output, QuorumPacketType.Commit, zxid);
        Last = zxid;
        Txns++;
    }

    private CorruptDataException Missing(string found) =>
        new($"The transactions after {after} up to {upTo} are not all in the logs: {found}.");
}
