using SharpKeeper.Core.Log;
using SharpKeeper.Protocol;

namespace SharpKeeper.Cli.Files;

/// <summary>A place in a log that is not as it should be.</summary>
/// <param name="Offset">Where it starts.</param>
/// <param name="Reason">What is wrong, in words.</param>
/// <param name="EntriesBefore">Number of whole entries in front of it.</param>
/// <param name="LastBefore">The last of these.</param>
/// <param name="ResumesAt">Offset of the first whole entry behind it, or -1.</param>
internal sealed record LogFault(long Offset, string Reason, long EntriesBefore, Zxid LastBefore, long ResumesAt);

/// <summary>What reading a whole log file found.</summary>
internal sealed class LogInspection
{
    private readonly List<LogFault> faults = [];

    /// <summary>Number of whole entries.</summary>
    public long Entries { get; private set; }

    /// <summary>The first entry.</summary>
    public Zxid First { get; private set; }

    /// <summary>The last entry.</summary>
    public Zxid Last { get; private set; }

    /// <summary>Offset behind the last entry.</summary>
    public long End { get; private set; } = TxnLogReader.HeaderBytes;

    /// <summary>How the file ends.</summary>
    public LogReadStatus Status { get; private set; }

    /// <summary>In words, why it ends where it ends, if not plainly.</summary>
    public string Reason { get; private set; } = "";

    /// <summary>Damaged places; an entry cut off at the end is none.</summary>
    public IReadOnlyList<LogFault> Faults => faults;

    /// <summary>Reads a file to its end, past all damage.</summary>
    public static LogInspection Run(IStorageReader source)
    {
        var inspection = new LogInspection();
        using var reader = new TxnLogReader(source);
        do
        {
            while (reader.Next())
                inspection.Add(reader);
            if (reader.Status == LogReadStatus.Damage)
                inspection.AddFault(reader.Offset, reader.Reason, reader.NextEntryOffset);
        }
        while (ResumeAndAdd(reader, inspection));
        inspection.Status = reader.Status;
        inspection.Reason = reader.Reason;
        return inspection;
    }

    private static bool ResumeAndAdd(TxnLogReader reader, LogInspection inspection)
    {
        if (!reader.Resume())
            return false;
        inspection.Add(reader);
        return true;
    }

    private void Add(TxnLogReader reader)
    {
        Zxid zxid = reader.Zxid;
        if (!TxnRecords.TryRead(reader.Payload, out _))
            AddFault(reader.Offset, "it holds no transaction that is known", reader.EndOffset);
        else if (Entries > 0 && zxid <= Last)
            AddFault(reader.Offset, $"{zxid} stands behind {Last}", reader.EndOffset);
        else if (Entries > 0 && zxid != Last.Next && !(zxid.Epoch > Last.Epoch && zxid.Counter == 1)
            && (faults.Count == 0 || faults[^1].ResumesAt != reader.Offset))
            AddFault(reader.Offset, $"{zxid} follows on {Last}: transactions between them are missing", reader.Offset);
        if (Entries == 0)
            First = zxid;
        Entries++;
        Last = zxid;
        End = reader.EndOffset;
    }

    private void AddFault(long offset, string reason, long resumesAt) =>
        faults.Add(new LogFault(offset, reason, Entries, Last, resumesAt));
}
