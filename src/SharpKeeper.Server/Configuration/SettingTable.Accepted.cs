namespace SharpKeeper.Server.Configuration;

internal static partial class SettingTable
{
    private static IEnumerable<Setting> WithoutEffect() =>
    [
        .. Idle("replies are encoded straight from the tree, so there is no cache to size",
            "maxResponseCacheSize", "maxGetChildrenResponseCacheSize"),
        .. Idle("reads are answered on the connection threads and writes by one thread, so there is no such pool",
            "nio.numWorkerThreads", "commitProcessor.numWorkerThreads", "commitProcessor.shutdownTimeout",
            "commitProcessor.maxReadBatchSize", "commitProcessor.maxCommitBatchSize"),
        .. Idle("buffers grow and shrink with the traffic of their connection",
            "nio.directBufferBytes", "intBufferStartingSizeBytes"),
        .. Idle("connection threads end as soon as their connections are closed", "nio.shutdownTimeout"),
        .. Idle("there is one connection layer, and it needs no choice", "serverCnxnFactory"),
        .. Idle("there is one watch table, which knows all kinds of watches",
            "watchManagerName", "watcherCleanThreshold", "watcherCleanIntervalInSeconds",
            "watcherCleanThreadsNum", "maxInProcessingDeadWatchers", "bitHashCacheSize"),
        .. Idle("there is no Java machine whose pauses could be watched",
            "jvm.pause.monitor", "jvm.pause.warn-threshold.ms", "jvm.pause.info-threshold.ms",
            "jvm.pause.sleep.time.ms"),
        .. Idle("the writes at hand always share a sync, and none waits for others to come",
            "flushDelay", "maxWriteQueuePollTime", "maxBatchSize"),
        .. Idle("held requests stay unread and are looked at every 100 ms; those of a closed connection go with it",
            "request_throttle_stall_time", "request_throttle_drop_stale", "request_stale_latency_check",
            "request_stale_connection_check", "request_throttler.shutdownTimeout"),
        .. Idle("snapshots have the two parts that 3.8 and 3.9 both read", "serializeLastProcessedZxid.enabled"),
        .. Idle("there are no local sessions without peers", "connection_throttle_local_session_weight"),
        .. Idle("connections between servers always send at once", "leader.nodelay", "follower.nodelay"),
        .. Idle("no thread waits for the socket of another server to take bytes or to close",
            "leader.closeSocketAsync", "learner.closeSocketAsync", "learner.asyncSending"),
        .. Idle("acknowledgements are not logged one by one", "leader.ackLoggingFrequency"),
        .. Idle("a leader that gathers no quorum gives up at initLimit", "leader.maxTimeToWaitForEpoch"),
        .. Idle("a request that a learner forwards waits in one place only",
            "follower.skipLearnerRequestToNextProcessor"),
        .. Idle("observers connect to the leader itself", "observerMaster.sizeLimit"),
        .. Idle("the leader alone checks the rights of a write", "enableEagerACLCheck"),
        .. Idle("all addresses of a server are tried, and the first that answers is used",
            "multiAddress.reachabilityCheckEnabled", "multiAddress.reachabilityCheckTimeoutMs"),
        .. Idle("an observer waits as long as a voter before it looks for the leader again",
            "observer.reconnectDelayMs", "observer.election.DelayMs"),
        .. Idle("there is no JMX", "jmx.log4j.disable"),
        .. Idle("requests per path are not sampled", "pathStats.enabled", "pathStats.slotCapacity",
            "pathStats.slotDuration", "pathStats.maxDepth", "pathStats.sampleRate", "pathStats.initialDelay",
            "pathStats.delay", "pathStats.topPathMax"),
        .. Idle("messages between servers are not recorded", "messageTracker.Enabled", "messageTracker.BufferSize"),
        .. Idle("client addresses are taken from their connections",
            "IPAuthenticationProvider.usexforwardedfor"),
        .. Idle("logging goes to the console, and `sharpkeeper start` sends it to a file",
            "log.dir", "log.file", "log.threshold", "root.logger", "console.threshold", "tracelog.dir"),
    ];

    private static IEnumerable<Setting> Idle(string note, params string[] keys) =>
        keys.Select(key => Setting.NoEffect(key, note));
}
