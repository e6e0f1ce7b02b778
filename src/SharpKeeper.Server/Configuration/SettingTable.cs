using System.Collections.Frozen;

namespace SharpKeeper.Server.Configuration;

/// <summary>Every key that is accepted, in the groups of the guide's configuration page.</summary>
internal static partial class SettingTable
{
    private const string MetricsPrefix = "metricsProvider.";

    /// <summary>All settings by key. Keys are compared exactly, as in Apache.</summary>
    internal static FrozenDictionary<string, Setting> ByKey { get; } =
        new[] { Network, Storage, Limits, Security, Admin, Ensemble, WithoutEffect }
            .SelectMany(static group => group())
            .ToFrozenDictionary(static setting => setting.Key, StringComparer.Ordinal);

    /// <summary>Finds the setting for a key written without <c>zookeeper.</c> in front.</summary>
    internal static Setting? Find(string key) =>
        ByKey.TryGetValue(key, out Setting? setting) ? setting : FindByPrefix(key);

    private static Setting? FindByPrefix(string key)
    {
        if (key.StartsWith(MetricsPrefix, StringComparison.Ordinal))
        {
            string name = key[MetricsPrefix.Length..];
            return Setting.Applied(key, (o, v) => o with
            {
                MetricsProviderSettings = new Dictionary<string, string>(o.MetricsProviderSettings) { [name] = v.Text },
            });
        }
        return null;
    }

    private static IEnumerable<Setting> Network() =>
    [
        Setting.Applied("clientPort", (o, v) => o with { ClientPort = v.Port() }),
        Setting.Applied("clientPortAddress", (o, v) => o with { ClientAddress = v.Address() }),
        Setting.Applied("clientPortListenBacklog", (o, v) => o with { ListenBacklog = v.Int(-1) }),
        Setting.Applied("tickTime", (o, v) => o with { TickTime = v.Milliseconds(1) }),
        Setting.Applied("minSessionTimeout", (o, v) => v.Int(-1) == -1
            ? o : o with { SessionTimeoutMin = v.Milliseconds() }),
        Setting.Applied("maxSessionTimeout", (o, v) => v.Int(-1) == -1
            ? o : o with { SessionTimeoutMax = v.Milliseconds(1) }),
        Setting.Applied("maxClientCnxns", (o, v) => o with { ConnectionsPerAddressMax = Math.Max(0, v.Int()) }),
        Setting.Applied("maxCnxns", (o, v) => o with { ConnectionsMax = Math.Max(0, v.Int()) }),
        Setting.Applied("nio.numSelectorThreads", (o, v) => o with { ConnectionThreads = v.Int(1, 1024) }),
        Setting.Applied("nio.sessionlessCnxnTimeout",
            (o, v) => o with { SessionlessConnectionTimeout = v.Milliseconds(1) }),
        Setting.Applied("clientTcpKeepAlive", (o, v) => o with { ClientTcpKeepAlive = v.Boolean() }),
        Setting.Applied("closeSessionTxn.enabled", (o, v) => o with { CloseSessionTxnEnabled = v.Boolean() }),
        Setting.PropertyFirst("readonlymode.enabled", (o, v) => o with { ReadOnlyModeEnabled = v.Boolean() }),
        Setting.Applied("localSessionsEnabled", (o, v) => o with { LocalSessionsEnabled = v.Boolean() }),
        Setting.Applied("localSessionsUpgradingEnabled",
            (o, v) => o with { LocalSessionsUpgradingEnabled = v.Boolean() }),
        Setting.Applied("reconfigEnabled", (o, v) => o with { ReconfigEnabled = v.Boolean() }),
        Setting.Applied("4lw.commands.whitelist",
            (o, v) => o with { FourLetterWords = FourLetterWordWhitelist.Parse(v.Text) }),
    ];

    private static IEnumerable<Setting> Storage() =>
    [
        Setting.Applied("dataDir", (o, v) => o with { DataDir = v.NonEmpty("a directory") }),
        Setting.Applied("dataLogDir", (o, v) => o with { DataLogDir = v.NonEmpty("a directory") }),
        Setting.Applied("datadir.autocreate", (o, v) => o with { DataDirAutoCreate = v.Boolean() }),
        Setting.Applied("snapCount", (o, v) => o with { SnapCount = Raised(v, 2) }),
        Setting.Applied("snapSizeLimitInKb", (o, v) => o with { SnapSizeLimitBytes = v.KibibytesOrNone() }),
        Setting.Applied("txnLogSizeLimitInKb", (o, v) => o with { TxnLogSizeLimitBytes = v.KibibytesOrNone() }),
        Setting.Applied("preAllocSize",
            (o, v) => o with { PreAllocationBytes = v.Long(0, int.MaxValue) << 10 }),
        Setting.Applied("forceSync", (o, v) => o with { ForceSync = v.YesNo() }),
        Setting.Applied("fsync.warningthresholdms", (o, v) => o with { FsyncWarningThreshold = v.Milliseconds() }),
        Setting.Applied("snapshot.compression.method", (o, v) => o with
        {
            SnapshotCompression = v.OneOf(
                ("", SnapshotCompression.None), ("gz", SnapshotCompression.Gzip),
                ("snappy", SnapshotCompression.Snappy)),
        }),
        Setting.Applied("snapshot.trust.empty", (o, v) => o with { SnapshotTrustEmpty = v.Boolean() }),
        Setting.Applied("digest.enabled", (o, v) => o with { DigestEnabled = v.Boolean() }),
        Setting.Applied("autopurge.purgeInterval", (o, v) => o with { PurgeInterval = v.HoursOrUnits() }),
        Setting.Applied("autopurge.snapRetainCount", (o, v) => o with { SnapshotsRetained = Raised(v, 3) }),
    ];

    /// <summary>Reads a number that Apache raises to a least value instead of refusing it.</summary>
    private static int Raised(SettingValue value, int least)
    {
        int number = value.Int();
        if (number < least)
            value.Warn($"{value.Key}={number} is too small and was raised to {least}");
        return Math.Max(number, least);
    }
}
