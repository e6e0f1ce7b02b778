namespace SharpKeeper.Server.Metrics;

/// <summary>
/// What one server counts and measures, under the names of Apache's registry as far as a server without peers has
/// something to say there. One instance is passed to whoever counts; there are no statics.
/// </summary>
internal sealed class ServerMetrics
{
    private readonly List<Metric> _counters = [];
    private readonly List<Metric> _summaries = [];

    internal ServerMetrics()
    {
        // What clients do.
        ConnectionRequests = AddCounter("connection_request_count");
        SessionsRevalidated = AddCounter("connection_revalidate_count");
        ConnectionsDropped = AddCounter("connection_drop_count");
        ConnectionsRejected = AddCounter("connection_rejected");
        SessionlessConnectionsExpired = AddCounter("sessionless_connections_expired");
        StaleSessionsExpired = AddCounter("stale_sessions_expired");
        BytesReceived = AddCounter("bytes_received_count");
        ResponseBytes = AddCounter("response_bytes");
        WatchBytes = AddCounter("watch_bytes");
        HandshakesFailed = AddCounter("unsuccessful_handshake");
        AuthFailed = AddCounter("auth_failed_count");
        ConnectionTokenDeficit = AddSummary("connection_token_deficit", SummaryDetail.Basic);

        // Latency in milliseconds.
        ReadLatency = AddSummary("readlatency", SummaryDetail.Advanced);
        UpdateLatency = AddSummary("updatelatency", SummaryDetail.Advanced);
        PropagationLatency = AddSummary("propagation_latency", SummaryDetail.Advanced);

        // The write pipeline.
        SyncBatchSize = AddSummary("sync_processor_batch_size", SummaryDetail.Basic);
        SyncRequestsQueued = AddCounter("sync_processor_request_queued");

        // Storage, times in milliseconds.
        FsyncTime = AddSummary("fsynctime", SummaryDetail.Basic);
        SnapshotTime = AddSummary("snapshottime", SummaryDetail.Basic);
        DatabaseInitTime = AddSummary("dbinittime", SummaryDetail.Basic);
        StartupTxnsLoaded = AddSummary("startup_txns_loaded", SummaryDetail.Basic);
        FsyncThresholdExceeded = AddCounter("fsync_threshold_exceed_count");
        SnapshotErrors = AddCounter("snapshot_error_count");

        // Watches fired by an event.
        NodeCreatedWatches = AddSummary("node_created_watch_count", SummaryDetail.Basic);
        NodeDeletedWatches = AddSummary("node_deleted_watch_count", SummaryDetail.Basic);
        NodeChangedWatches = AddSummary("node_changed_watch_count", SummaryDetail.Basic);
        NodeChildrenWatches = AddSummary("node_children_watch_count", SummaryDetail.Basic);

        // Throttling.
        ThrottledOps = AddCounter("throttled_ops");
        RequestThrottleWaits = AddCounter("request_throttle_wait_count");
        LargeRequestsRejected = AddCounter("large_requests_rejected");

        // Safety.
        DigestMismatches = AddCounter("digest_mismatches_count");
        UnrecoverableErrors = AddCounter("unrecoverable_error_count");
    }

    /// <summary>Sessions asked for, new and resumed.</summary>
    internal Counter ConnectionRequests { get; }

    /// <summary>Sessions resumed on this server.</summary>
    internal Counter SessionsRevalidated { get; }

    /// <summary>Connections the server closed.</summary>
    internal Counter ConnectionsDropped { get; }

    /// <summary>Connections refused by a limit or the throttle.</summary>
    internal Counter ConnectionsRejected { get; }

    /// <summary>Connections closed for never asking for a session.</summary>
    internal Counter SessionlessConnectionsExpired { get; }

    /// <summary>Sessions that expired.</summary>
    internal Counter StaleSessionsExpired { get; }

    /// <summary>Bytes read from clients.</summary>
    internal Counter BytesReceived { get; }

    /// <summary>Bytes of replies, without watch events.</summary>
    internal Counter ResponseBytes { get; }

    /// <summary>Bytes of watch events.</summary>
    internal Counter WatchBytes { get; }

    /// <summary>Handshakes that failed.</summary>
    internal Counter HandshakesFailed { get; }

    /// <summary>Failed attempts to authenticate.</summary>
    internal Counter AuthFailed { get; }

    /// <summary>Tokens missing in the bucket of the connection throttle.</summary>
    internal Summary ConnectionTokenDeficit { get; }

    /// <summary>From receipt to reply of reads.</summary>
    internal Summary ReadLatency { get; }

    /// <summary>From receipt to reply of writes.</summary>
    internal Summary UpdateLatency { get; }

    /// <summary>From the time stamped into a transaction until it is applied.</summary>
    internal Summary PropagationLatency { get; }

    /// <summary>Transactions that shared a sync.</summary>
    internal Summary SyncBatchSize { get; }

    /// <summary>Transactions handed over to the log.</summary>
    internal Counter SyncRequestsQueued { get; }

    /// <summary>One sync of the log.</summary>
    internal Summary FsyncTime { get; }

    /// <summary>Writing of one snapshot.</summary>
    internal Summary SnapshotTime { get; }

    /// <summary>Loading of snapshot and log at start.</summary>
    internal Summary DatabaseInitTime { get; }

    /// <summary>Transactions replayed at start.</summary>
    internal Summary StartupTxnsLoaded { get; }

    /// <summary>Syncs slower than the warning threshold.</summary>
    internal Counter FsyncThresholdExceeded { get; }

    /// <summary>Snapshots asked for that failed.</summary>
    internal Counter SnapshotErrors { get; }

    /// <summary>By the creation of a node.</summary>
    internal Summary NodeCreatedWatches { get; }

    /// <summary>By the removal of a node.</summary>
    internal Summary NodeDeletedWatches { get; }

    /// <summary>By a change of data.</summary>
    internal Summary NodeChangedWatches { get; }

    /// <summary>By a change of children.</summary>
    internal Summary NodeChildrenWatches { get; }

    /// <summary>Requests answered with "throttled".</summary>
    internal Counter ThrottledOps { get; }

    /// <summary>Times the throttle made a request wait.</summary>
    internal Counter RequestThrottleWaits { get; }

    /// <summary>Requests refused for the bytes in progress.</summary>
    internal Counter LargeRequestsRejected { get; }

    /// <summary>Transactions after which the tree digest was not the expected one.</summary>
    internal Counter DigestMismatches { get; }

    /// <summary>Errors that ended the server.</summary>
    internal Counter UnrecoverableErrors { get; }

    /// <summary>Packets read from clients, four-letter words included.</summary>
    internal Counter PacketsReceived { get; } = new("packets_received");

    /// <summary>Packets sent to clients.</summary>
    internal Counter PacketsSent { get; } = new("packets_sent");

    /// <summary>From receipt to reply of all requests, heartbeats included, in ms.</summary>
    internal Summary RequestLatency { get; } = new("latency");

    /// <summary>Sizes of replies.</summary>
    internal ResponseSizes ResponseSizes { get; } = new();

    /// <summary>Hands out all counters and then all summaries. What <c>srvr</c> shows is not among them.</summary>
    internal void CopyTo(IMetricSink sink)
    {
        foreach (Metric counter in _counters)
            counter.CopyTo(sink);
        foreach (Metric summary in _summaries)
            summary.CopyTo(sink);
    }

    /// <summary>Starts all metrics again from nothing.</summary>
    internal void Reset()
    {
        foreach (Metric metric in _counters.Concat(_summaries))
            metric.Reset();
        PacketsReceived.Reset();
        PacketsSent.Reset();
        RequestLatency.Reset();
        ResponseSizes.Reset();
    }

    private Counter AddCounter(string name)
    {
        Counter counter = new(name);
        _counters.Add(counter);
        return counter;
    }

    private Summary AddSummary(string name, SummaryDetail detail)
    {
        Summary summary = new(name, detail);
        _summaries.Add(summary);
        return summary;
    }
}
