namespace SharpKeeper.Server;

public sealed partial record ServerOptions
{
    private readonly string? _dataLogDir;

    /// <summary>
    /// The directory of snapshots (and of logs, unless <see cref="DataLogDir"/> differs); files go into its
    /// <c>version-2</c> folder. Default <c>sharpkeeper-data</c> in the working directory. Key <c>dataDir</c>.
    /// </summary>
    public string DataDir { get; init; } = "sharpkeeper-data";

    /// <summary>The directory of transaction logs. Default <see cref="DataDir"/>. Key <c>dataLogDir</c>.</summary>
    public string DataLogDir
    {
        get => _dataLogDir ?? DataDir;
        init => _dataLogDir = value;
    }

    /// <summary>Whether nothing is kept on disk: all data is lost when the server ends. Default false.
    /// Command line <c>--memory</c> only.</summary>
    public bool InMemory { get; init; }

    /// <summary>Whether missing data directories are created. Default true. Key <c>datadir.autocreate</c>.</summary>
    public bool DataDirAutoCreate { get; init; } = true;

    /// <summary>Transactions between snapshots, randomised between half and all of it; at least 2. Default 100,000.
    /// Key <c>snapCount</c>.</summary>
    public int SnapCount { get; init; } = 100_000;

    /// <summary>Bytes of log between snapshots, randomised likewise; 0 is no limit. Default 4 GiB.
    /// Key <c>snapSizeLimitInKb</c> (KiB).</summary>
    public long SnapSizeLimitBytes { get; init; } = 4L << 30;

    /// <summary>Bytes after which a new log file is begun; 0 is no limit (default).
    /// Key <c>txnLogSizeLimitInKb</c> (KiB).</summary>
    public long TxnLogSizeLimitBytes { get; init; }

    /// <summary>Bytes a log file is extended by ahead of writing. Default 64 MiB.
    /// Key <c>preAllocSize</c> (KiB).</summary>
    public long PreAllocationBytes { get; init; } = 64L << 20;

    /// <summary>Whether a write is acknowledged only once it is on disk. Default true; false loses acknowledged
    /// writes when the machine fails. Key <c>forceSync</c> (yes or no).</summary>
    public bool ForceSync { get; init; } = true;

    /// <summary>A sync of the log that takes longer is warned of. Default 1 s.
    /// Key <c>fsync.warningthresholdms</c> (ms).</summary>
    public TimeSpan FsyncWarningThreshold { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How snapshot files are compressed. Default not at all.
    /// Key <c>snapshot.compression.method</c> (gz or snappy).</summary>
    public SnapshotCompression SnapshotCompression { get; init; }

    /// <summary>Whether logs without any snapshot are trusted, as after an upgrade from 3.4. Default false.
    /// Key <c>snapshot.trust.empty</c>.</summary>
    public bool SnapshotTrustEmpty { get; init; }

    /// <summary>Whether the tree digest is kept and written to logs and snapshots. Default true.
    /// Key <c>digest.enabled</c>.</summary>
    public bool DigestEnabled { get; init; } = true;

    /// <summary>How often old logs and snapshots are purged; zero turns it off. Default one day, where Apache purges
    /// only on request. Key <c>autopurge.purgeInterval</c> (hours, or a number with ms, s, m, h, d).</summary>
    public TimeSpan PurgeInterval { get; init; } = TimeSpan.FromDays(1);

    /// <summary>Snapshots a purge keeps, with the logs they need; at least 3. Default 3.
    /// Key <c>autopurge.snapRetainCount</c>.</summary>
    public int SnapshotsRetained { get; init; } = 3;
}

/// <summary>How a snapshot file is compressed, by the name Apache gives the method.</summary>
public enum SnapshotCompression
{
    /// <summary>Not compressed.</summary>
    None,

    /// <summary>gzip; the file name ends with <c>.gz</c>.</summary>
    Gzip,

    /// <summary>Snappy in xerial framing; the file name ends with <c>.snappy</c>.</summary>
    Snappy,
}
