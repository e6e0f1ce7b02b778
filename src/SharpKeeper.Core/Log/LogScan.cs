using System.Globalization;
using SharpKeeper.Protocol;

namespace SharpKeeper.Core.Log;

/// <summary>
/// Reads the entries of several logs one behind the other, as recovery does, and stops with an exception where recovery
/// would: at damage, and where transactions are missing.
/// </summary>
internal sealed class LogScan : IDisposable
{
    private readonly IStorageDevice device;
    private readonly IReadOnlyList<LogFile> logs;
    private readonly bool isGrowing;
    private TxnLogReader? reader;

    /// <param name="device">Holds the logs.</param>
    /// <param name="logs">All logs, oldest first.</param>
    /// <param name="from">Index of the first one to read.</param>
    /// <param name="last">What the first newer entry must follow; null to start with any.</param>
    /// <param name="isGrowing">
    /// The newest log may be written to meanwhile: whatever is not a whole entry there is taken for the end.
    /// </param>
    public LogScan(IStorageDevice device, IReadOnlyList<LogFile> logs, int from, Zxid? last, bool isGrowing)
    {
        this.device = device;
        this.logs = logs;
        this.isGrowing = isGrowing;
        FileIndex = from;
        Last = last;
    }

    /// <summary>Index of the log that the current entry is in.</summary>
    public int FileIndex { get; private set; }

    /// <summary>The newest entry met so far, or what was given at first.</summary>
    public Zxid? Last { get; private set; }

    /// <summary>The current entry is newer than all before; logs may hold transactions twice.</summary>
    public bool IsNew { get; private set; }

    /// <summary>The current entry's id.</summary>
    public Zxid Zxid => reader!.Zxid;

    /// <summary>The current entry's offset in its log.</summary>
    public long Offset => reader!.Offset;

    /// <summary>The current entry's header, record and digest; valid until the next call.</summary>
    public ReadOnlySpan<byte> Payload => reader!.Payload;

    /// <summary>May <paramref name="next"/> follow <paramref name="last"/> in a log with nothing in between?</summary>
    public static bool IsNext(Zxid last, Zxid next) =>
        next == last.Next || (next.Epoch > last.Epoch && next.Counter == 1);

    /// <summary>Goes to the next entry; false at the end of the last log.</summary>
    /// <exception cref="CorruptDataException">A log is damaged, or transactions are missing.</exception>
    public bool Next()
    {
        while (FileIndex < logs.Count)
        {
            reader ??= new TxnLogReader(device.Open(StorageArea.Logs, logs[FileIndex].Name));
            if (reader.Next())
            {
                Take();
                return true;
            }
            if (reader.Status == LogReadStatus.Damage && !(isGrowing && FileIndex == logs.Count - 1))
                throw Damaged();
            reader.Dispose();
            reader = null;
            FileIndex++;
        }
        return false;
    }

    public void Dispose() => reader?.Dispose();

    private void Take()
    {
        IsNew = Last is not { } last || Zxid > last;
        if (!IsNew)
            return;
        if (Last is { } before && !IsNext(before, Zxid))
        {
            throw new CorruptDataException(
                $"Transactions between {before} and {Zxid} are missing before "
                + $"{device.Describe(StorageArea.Logs, logs[FileIndex].Name)}.");
        }
        Last = Zxid;
    }

    private CorruptDataException Damaged()
    {
        string path = device.Describe(StorageArea.Logs, logs[FileIndex].Name);
        return new CorruptDataException(string.Create(
            CultureInfo.InvariantCulture, $"{path} is damaged at offset {reader!.Offset}: {reader.Reason}."));
    }
}
