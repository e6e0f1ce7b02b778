using System.Globalization;
using SharpKeeper.Core.Transactions;
using SharpKeeper.Core.Tree;
using SharpKeeper.Core.Zab;
using SharpKeeper.Protocol;

namespace SharpKeeper.Core.Log;

/// <summary>Applies what the logs hold beyond a snapshot, and refuses where something is missing or damaged.</summary>
internal sealed class LogReplay
{
    private readonly IStorageDevice device;
    private readonly DataTree tree;
    private readonly TxnApplier applier;
    private readonly List<RecoveryNotice> notices;
    private readonly Zxid snapshot;
    private readonly List<LogFile> logsWithoutEntries = [];
    private readonly TxnDigest? snapshotDigest;
    private readonly Zxid snapshotDigestZxid;
    private readonly bool comparesDigests;
    private readonly TxnHistory? history;
    private string lastEntryName = "";
    private bool lastTailIsTorn;
    private long duplicates;

    /// <param name="device">Holds the logs.</param>
    /// <param name="options">Whether digests are compared.</param>
    /// <param name="tree">Receives the transactions; stands at the snapshot's.</param>
    /// <param name="sessions">Receive the transactions.</param>
    /// <param name="tail">The snapshot's, or null if the tree is a fresh one.</param>
    /// <param name="notices">Receives what an operator should know of.</param>
    public LogReplay(
        IStorageDevice device, RecoveryOptions options, DataTree tree, SessionTimeouts sessions, SnapshotTail? tail,
        List<RecoveryNotice> notices)
    {
        this.device = device;
        this.tree = tree;
        this.notices = notices;
        history = options.History;
        applier = new TxnApplier(tree, sessions);
        snapshot = tree.LastProcessed;
        // Before the point at which the snapshot was complete the tree is a mixture that no digest fits.
        bool isUsable = tail is { Digest.Version: TxnDigest.CurrentVersion } && tail.DigestZxid >= snapshot;
        comparesDigests = options.DigestEnabled && (tail is null || isUsable);
        if (comparesDigests && tail is not null)
        {
            snapshotDigest = tail.Digest;
            snapshotDigestZxid = tail.DigestZxid;
        }
    }

    /// <summary>Number of log files read.</summary>
    public int LogsRead { get; private set; }

    /// <summary>Number of transactions applied.</summary>
    public long TxnsApplied { get; private set; }

    /// <summary>Number of stored digests compared.</summary>
    public long DigestsCompared { get; private set; }

    /// <summary>Number of stored digests that differ from the tree's.</summary>
    public long DigestMismatches { get; private set; }

    /// <summary>Reads the logs that are needed, oldest first.</summary>
    /// <exception cref="CorruptDataException">They are damaged, or transactions are missing between them.</exception>
    public void Run(IReadOnlyList<LogFile> logs)
    {
        // Apache writes the very first snapshot with a digest of 0, before it has computed any.
        if (snapshotDigest is { } digest && snapshotDigestZxid == snapshot && snapshot != Zxid.Zero)
            CompareDigest(digest, snapshot);
        for (int index = StorageListing.LastUpTo(device, logs, snapshot.Next); index < logs.Count; index++)
            ReadLog(logs[index]);
        foreach (LogFile log in logsWithoutEntries)
            CheckNothingBefore(log);
        if (history is not null && history.Last != tree.LastProcessed)
            history.Clear();
        // The beginning of an epoch is no transaction: a leader's tree stands there before it has proposed anything.
        if (snapshotDigest is not null && snapshotDigestZxid > tree.LastProcessed && snapshotDigestZxid.Counter > 0)
        {
            notices.Add(new RecoveryNotice(
                RecoveryNoticeKind.SnapshotAheadOfLogs,
                $"The snapshot of {snapshot} was completed at {snapshotDigestZxid}, but the logs end with "
                + $"{tree.LastProcessed}: the tree may hold a part of the transactions between them."));
        }
        if (duplicates > 0)
        {
            notices.Add(new RecoveryNotice(
                RecoveryNoticeKind.DuplicateTransactions,
                string.Create(CultureInfo.InvariantCulture, $"{duplicates} transactions stand in the logs twice.")));
        }
    }

    private void ReadLog(in LogFile log)
    {
        using var reader = new TxnLogReader(device.Open(StorageArea.Logs, log.Name));
        LogsRead++;
        device.Sync(StorageArea.Logs, log.Name);
        long entries = 0;
        for (; reader.Next(); entries++)
            ReadEntry(log, reader);
        if (reader.Status == LogReadStatus.Damage)
            throw Damaged(log, reader.Offset, reader.Reason, reader.NextEntryOffset);
        if (entries == 0)
            logsWithoutEntries.Add(log);
        else
            lastTailIsTorn = false;
        if (reader.Status == LogReadStatus.NoHeader)
        {
            Notice(RecoveryNoticeKind.EmptyLog, log, $"is passed over: {reader.Reason}");
        }
        else if (reader.Status == LogReadStatus.TornTail)
        {
            lastTailIsTorn = true;
            Notice(RecoveryNoticeKind.TornTail, log, string.Create(
                CultureInfo.InvariantCulture,
                $"ends with an entry that was cut off at offset {reader.Offset}: {reader.Reason}; it is dropped"));
        }
    }

    private void ReadEntry(in LogFile log, TxnLogReader reader)
    {
        Zxid zxid = reader.Zxid;
        lastEntryName = log.Name;
        if (zxid <= snapshot)
        {
            Remember(zxid, reader.Payload);
            return;
        }
        Zxid last = tree.LastProcessed;
        if (zxid <= last)
        {
            duplicates++;
            return;
        }
        if (!LogScan.IsNext(last, zxid))
            throw Missing(last, zxid, log);
        ReadOnlySpan<byte> payload = reader.Payload;
        if (!TxnRecords.TryRead(payload, out TxnView txn))
            throw Damaged(log, reader.Offset, "it holds no transaction that is known", reader.EndOffset);
        Apply(log, reader.Offset, txn, payload);
        TxnsApplied++;
        if (last == snapshot && history is not null && history.Last != snapshot)
            history.Clear();
        Remember(zxid, payload);
        if (comparesDigests && zxid >= snapshotDigestZxid)
            CompareDigests(txn, zxid);
    }

    // The history goes back beyond the snapshot as far as the logs do without a gap.
    private void Remember(Zxid zxid, ReadOnlySpan<byte> payload)
    {
        if (history is null || zxid <= history.Last)
            return;
        if (history.Count > 0 && !LogScan.IsNext(history.Last, zxid))
            history.Clear();
        history.Append(zxid, payload);
        history.Trim();
    }

    private void Apply(in LogFile log, long offset, scoped in TxnView txn, ReadOnlySpan<byte> payload)
    {
        try
        {
            applier.Apply(txn, payload);
        }
        catch (CorruptDataException e)
        {
            throw Damaged(log, offset, e.Message, -1);
        }
    }

    private void CompareDigests(scoped in TxnView txn, Zxid zxid)
    {
        if (snapshotDigest is { } digest && zxid == snapshotDigestZxid)
            CompareDigest(digest, zxid);
        else if (txn.HasDigest)
            CompareDigest(txn.Digest, zxid);
    }

    private void CompareDigest(TxnDigest stored, Zxid zxid)
    {
        if (stored.Version != TxnDigest.CurrentVersion)
            return;
        DigestsCompared++;
        if (stored.TreeDigest == tree.Digest)
            return;
        DigestMismatches++;
        if (DigestMismatches > 1)
            return;
        notices.Add(new RecoveryNotice(
            RecoveryNoticeKind.DigestMismatch,
            string.Create(
                CultureInfo.InvariantCulture,
                $"After {zxid} the tree's digest is {tree.Digest}, but {stored.TreeDigest} was stored with it.")));
    }

    // A log is named after the first transaction that was to go into it, so those before it were written once.
    private void CheckNothingBefore(in LogFile log)
    {
        Zxid last = tree.LastProcessed;
        if (log.First > last && !LogScan.IsNext(last, log.First) && !lastTailIsTorn)
            throw Missing(last, log.First, log);
    }

    private void Notice(RecoveryNoticeKind kind, in LogFile log, string what) =>
        notices.Add(new RecoveryNotice(kind, $"{device.Describe(StorageArea.Logs, log.Name)} {what}."));

    private CorruptDataException Missing(Zxid last, Zxid next, in LogFile log)
    {
        string before = lastEntryName.Length == 0 || last == snapshot
            ? $"the snapshot of {snapshot}"
            : device.Describe(StorageArea.Logs, lastEntryName);
        string until = next.Epoch == last.Epoch ? new Zxid(next.Value - 1).ToString() : $"before {next}";
        return new CorruptDataException(
            $"Transactions {last.Next} to {until} are missing: {before} ends with {last}, and "
            + $"{device.Describe(StorageArea.Logs, log.Name)} goes on with {next}. Restore the log that holds them from "
            + "a backup or from another server. To go back to the state before them on purpose, move that file and "
            + "all later logs away.");
    }

    private CorruptDataException Damaged(in LogFile log, long offset, string reason, long nextEntryOffset)
    {
        string behind = nextEntryOffset < 0
            ? "no whole entry follows"
            : string.Create(CultureInfo.InvariantCulture, $"whole entries follow from offset {nextEntryOffset} on");
        string path = device.Describe(StorageArea.Logs, log.Name);
        return new CorruptDataException(
            $"{path} is damaged at offset {offset.ToString(CultureInfo.InvariantCulture)}: {reason}; the last transaction "
            + $"before is {tree.LastProcessed}, and {behind}. Restore the file from a backup or from another "
            + $"server. 'sharpkeeper log verify {path}' lists the damage; 'sharpkeeper log repair {path} --output FILE' writes a "
            + "copy that ends before it, which loses everything behind.");
    }
}
