namespace SharpKeeper.Server.Configuration;

internal static partial class SettingTable
{
    private const int CommitLogCountMin = 500;

    /// <summary>Keys between the servers of an ensemble. Sample files of standalone servers carry some of them too.
    /// </summary>
    private static IEnumerable<Setting> Ensemble() =>
    [
        .. EnsembleConnections(),
        .. EnsembleSynchronization(),
        OfEnsemble("peerType", (e, v) => e with
        {
            IsObserver = v.OneOf(("participant", false), ("observer", true)),
        }),
        OfEnsemble("electionAlg", (e, v) => v.Int() == 3 ? e : throw new SettingException("3")),
        OfEnsemble("standaloneEnabled", (e, v) => e with { StandaloneEnabled = v.Boolean() }),
        OfEnsemble("leaderServes", (e, v) => e with { LeaderServes = v.YesNo() }),
        OfEnsemble("syncEnabled", (e, v) => e with { ObserverLogs = v.Boolean() }),
        OfEnsemble("observer.syncEnabled", (e, v) => e with { ObserverLogs = v.Boolean() }),
        OfEnsemble("dynamicConfigFile", (e, v) => e with { DynamicConfigFile = v.NonEmpty("the path of a file") }),
        OfEnsemble("multiAddress.enabled", (e, v) => e with { MultiAddressEnabled = v.Boolean() }),
        OfEnsemble("db.autocreate", (e, v) => e with { DatabaseAutoCreate = v.Boolean() }),
    ];

    private static IEnumerable<Setting> EnsembleConnections() =>
    [
        OfEnsemble("initLimit", (e, v) => e with { InitLimitTicks = v.Int(0) }),
        OfEnsemble("syncLimit", (e, v) => e with { SyncLimitTicks = v.Int(0) }),
        OfEnsemble("connectToLearnerMasterLimit", (e, v) => e with { ConnectLimitTicks = v.Int(0) }),
        OfEnsemble("leaderConnectDelayDuringRetryMs", (e, v) => e with { ConnectRetryDelay = v.Milliseconds() }),
        OfEnsemble("cnxTimeout", (e, v) => e with { ElectionConnectTimeout = v.Milliseconds(1) }),
        OfEnsemble("quorumCnxnTimeoutMs", (e, v) => e with
        {
            ElectionHandshakeTimeout = v.Int(-1) <= 0 ? null : v.Milliseconds(),
        }),
        OfEnsemble("electionPortBindRetry", (e, v) => e with { ElectionBindRetries = v.Int(0) }),
        OfEnsemble("quorum.cnxn.threads.size", (e, v) => e with { ElectionConnectsMax = v.Int(1) }),
        OfEnsemble("quorumListenOnAllIPs", (e, v) => e with { ListensOnAllAddresses = v.Boolean() }),
        OfEnsemble("tcpKeepAlive", (e, v) => e with { TcpKeepAlive = v.Boolean() }),
        OfEnsemble("fastleader.minNotificationInterval",
            (e, v) => e with { NotificationIntervalMin = v.Milliseconds(1) }),
        OfEnsemble("fastleader.maxNotificationInterval",
            (e, v) => e with { NotificationIntervalMax = v.Milliseconds(1) }),
    ];

    private static IEnumerable<Setting> EnsembleSynchronization() =>
    [
        OfEnsemble("leader.maxConcurrentSnapSyncs", (e, v) => e with { ConcurrentSnapSyncsMax = v.Int(1) }),
        OfEnsemble("leader.maxConcurrentDiffSyncs", (e, v) => e with { ConcurrentDiffSyncsMax = v.Int(1) }),
        OfEnsemble("commitLogCount", (e, v) => e with { CommitLogCount = Raised(v, CommitLogCountMin) }),
        OfEnsemble("snapshotSizeFactor", (e, v) => e with { SnapshotSizeFactor = v.Number() }),
        OfEnsemble("forceSnapshotSync", (e, v) => e with { ForceSnapshotSync = v.Boolean() }),
    ];

    private static Setting OfEnsemble(string key, Func<EnsembleSettings, SettingValue, EnsembleSettings> apply) =>
        Setting.Applied(key, (o, v) => o with { EnsembleKeys = apply(o.EnsembleKeys, v) });
}
