using System.Globalization;
using SharpKeeper.Protocol;

namespace SharpKeeper.Core.Log;

/// <summary>How a snapshot's bytes are stored.</summary>
public enum SnapshotFormat
{
    /// <summary>As they are.</summary>
    Plain,

    /// <summary>In gzip; suffix .gz.</summary>
    Gzip,

    /// <summary>In the stream format of snappy-java; suffix .snappy.</summary>
    Snappy,
}

/// <summary>The names of logs and snapshots.</summary>
public static class StorageNames
{
    private const string LogPrefix = "log.";
    private const string SnapshotPrefix = "snapshot.";
    private const string GzipSuffix = ".gz";
    private const string SnappySuffix = ".snappy";

    /// <summary>Suffix of a file that is still being written.</summary>
    public const string TemporarySuffix = ".tmp";

    /// <summary>Name of the log whose first transaction is <paramref name="first"/>.</summary>
    public static string Log(Zxid first) => LogPrefix + Hex(first);

    /// <summary>Name of the snapshot begun after <paramref name="last"/> was applied.</summary>
    public static string Snapshot(Zxid last, SnapshotFormat format = SnapshotFormat.Plain) =>
        SnapshotPrefix + Hex(last) + format switch
        {
            SnapshotFormat.Gzip => GzipSuffix,
            SnapshotFormat.Snappy => SnappySuffix,
            _ => "",
        };

    /// <summary>Is it a log's name, and of which first transaction?</summary>
    public static bool TryParseLog(string name, out Zxid first) => TryParse(name, LogPrefix, out first);

    /// <summary>Is it a snapshot's name, and of which transaction? Files still being written are not.</summary>
    public static bool TryParseSnapshot(string name, out Zxid last) => TryParse(name, SnapshotPrefix, out last);

    /// <summary>The format that a file's suffix stands for; unknown suffixes stand for plain.</summary>
    public static SnapshotFormat FormatOf(string name)
    {
        if (name.EndsWith(GzipSuffix, StringComparison.Ordinal))
            return SnapshotFormat.Gzip;
        return name.EndsWith(SnappySuffix, StringComparison.Ordinal)
            ? SnapshotFormat.Snappy
            : SnapshotFormat.Plain;
    }

    private static string Hex(Zxid zxid) => zxid.Value.ToString("x", CultureInfo.InvariantCulture);

    private static bool TryParse(string name, string prefix, out Zxid zxid)
    {
        zxid = default;
        if (!name.StartsWith(prefix, StringComparison.Ordinal)
            || name.EndsWith(TemporarySuffix, StringComparison.Ordinal))
            return false;
        ReadOnlySpan<char> hex = name.AsSpan(prefix.Length);
        int dot = hex.IndexOf('.');
        if (dot >= 0)
            hex = hex[..dot];
        bool parsed = long.TryParse(hex, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out long value);
        zxid = new Zxid(value);
        return parsed && value >= 0;
    }
}
