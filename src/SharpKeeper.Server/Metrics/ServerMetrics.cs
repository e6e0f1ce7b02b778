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
        ClosedWithoutServer = AddCounter("cnxn_closed_without_zk_server_running");
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
        PrepQueueTime = AddSummary("prep_processor_queue_time_ms", SummaryDetail.Advanced);
        SyncQueueTime = AddSummary("sync_processor_queue_time_ms", SummaryDetail.Advanced);
        SyncFlushTime = AddSummary("sync_processor_queue_flush_time_ms", SummaryDetail.Advanced);
        SyncQueueAndFlushTime = AddSummary("sync_processor_queue_and_flush_time_ms", SummaryDetail.Advanced);
        RequestThrottleQueueTime = AddSummary("request_throttle_queue_time_ms", SummaryDetail.Advanced);
        CloseSessionPrepTime = AddSummary("close_session_prep_time", SummaryDetail.Advanced);

        // The write pipeline.
        PrepQueueSize = AddSummary("prep_processor_queue_size", SummaryDetail.Basic);
        PrepProcessTime = AddSummary("prep_process_time", SummaryDetail.Basic);
        SyncQueueSize = AddSummary("sync_processor_queue_size", SummaryDetail.Basic);
        SyncBatchSize = AddSummary("sync_processor_batch_size", SummaryDetail.Basic);
        SyncProcessTime = AddSummary("sync_process_time", SummaryDetail.Basic);
        PrepRequestsQueued = AddCounter("prep_processor_request_queued");
        SyncRequestsQueued = AddCounter("sync_processor_request_queued");
        OutstandingChangesQueued = AddCounter("outstanding_changes_queued");
        OutstandingChangesRemoved = AddCounter("outstanding_changes_removed");

        // Storage, times in milliseconds.
        FsyncTime = AddSummary("fsynctime", SummaryDetail.Basic);
        SnapshotTime = AddSummary("snapshottime", SummaryDetail.Basic);
        DatabaseInitTime = AddSummary("dbinittime", SummaryDetail.Basic);
        RestoreTime = AddSummary("restore_time", SummaryDetail.Basic);
        StartupTxnsLoaded = AddSummary("startup_txns_loaded", SummaryDetail.Basic);
        StartupTxnsLoadTime = AddSummary("startup_txns_load_time", SummaryDetail.Basic);
        StartupSnapshotLoadTime = AddSummary("startup_snap_load_time", SummaryDetail.Basic);
        FsyncThresholdExceeded = AddCounter("fsync_threshold_exceed_count");
        SnapshotErrors = AddCounter("snapshot_error_count");
        SnapshotsRateLimited = AddCounter("snapshot_rate_limited_count");
        RestoreErrors = AddCounter("restore_error_count");
        RestoresRateLimited = AddCounter("restore_rate_limited_count");

        // Watches fired by an event.
        NodeCreatedWatches = AddSummary("node_created_watch_count", SummaryDetail.Basic);
        NodeDeletedWatches = AddSummary("node_deleted_watch_count", SummaryDetail.Basic);
        NodeChangedWatches = AddSummary("node_changed_watch_count", SummaryDetail.Basic);
        NodeChildrenWatches = AddSummary("node_children_watch_count", SummaryDetail.Basic);

        // Throttling.
        ThrottledOps = AddCounter("throttled_ops");
        RequestThrottleWaits = AddCounter("request_throttle_wait_count");
        StaleRequests = AddCounter("stale_requests");
        StaleRequestsDropped = AddCounter("stale_requests_dropped");
        StaleReplies = AddCounter("stale_replies");
        LargeRequestsRejected = AddCounter("large_requests_rejected");

        // Safety.
        DigestMismatches = AddCounter("digest_mismatches_count");
        UnrecoverableErrors = AddCounter("unrecoverable_error_count");

        // By the first part of the path.
        ReadsByNamespace = new("read_per_namespace", static name => new Summary(name));
        WritesByNamespace = new("write_per_namespace", static name => new Summary(name));
        QuotaExceededByNamespace = new("quota_exceeded_error_per_namespace", static name => new Counter(name));
        _counters.Add(QuotaExceededByNamespace);
        _summaries.Add(ReadsByNamespace);
        _summaries.Add(WritesByNamespace);
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

    /// <summary>Connections closed because the server was not serving.</summary>
    internal Counter ClosedWithoutServer { get; }

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

    /// <summary>Wait of a request until it is prepared.</summary>
    internal Summary PrepQueueTime { get; }

    /// <summary>Wait of a transaction until it is written to the log.</summary>
    internal Summary SyncQueueTime { get; }

    /// <summary>Wait of a written transaction until it is on disk.</summary>
    internal Summary SyncFlushTime { get; }

    /// <summary>From hand-over to the log until on disk.</summary>
    internal Summary SyncQueueAndFlushTime { get; }

    /// <summary>Wait of a request in the throttle.</summary>
    internal Summary RequestThrottleQueueTime { get; }

    /// <summary>Preparation of the end of a session.</summary>
    internal Summary CloseSessionPrepTime { get; }

    /// <summary>Requests waiting to be prepared, when one more arrives.</summary>
    internal Summary PrepQueueSize { get; }

    /// <summary>Preparation of a request, in ms.</summary>
    internal Summary PrepProcessTime { get; }

    /// <summary>Transactions waiting for the log, when one more arrives.</summary>
    internal Summary SyncQueueSize { get; }

    /// <summary>Transactions that shared a sync.</summary>
    internal Summary SyncBatchSize { get; }

    /// <summary>Writing of a transaction to the log, in ms.</summary>
    internal Summary SyncProcessTime { get; }

    /// <summary>Requests handed over to be prepared.</summary>
    internal Counter PrepRequestsQueued { get; }

    /// <summary>Transactions handed over to the log.</summary>
    internal Counter SyncRequestsQueued { get; }

    /// <summary>Changes prepared and not yet applied, as they are added.</summary>
    internal Counter OutstandingChangesQueued { get; }

    /// <summary>The same, as they are removed.</summary>
    internal Counter OutstandingChangesRemoved { get; }

    /// <summary>One sync of the log.</summary>
    internal Summary FsyncTime { get; }

    /// <summary>Writing of one snapshot.</summary>
    internal Summary SnapshotTime { get; }

    /// <summary>Loading of snapshot and log at start.</summary>
    internal Summary DatabaseInitTime { get; }

    /// <summary>Restore from a given snapshot.</summary>
    internal Summary RestoreTime { get; }

    /// <summary>Transactions replayed at start.</summary>
    internal Summary StartupTxnsLoaded { get; }

    /// <summary>Replay of the log at start.</summary>
    internal Summary StartupTxnsLoadTime { get; }

    /// <summary>Loading of the snapshot at start.</summary>
    internal Summary StartupSnapshotLoadTime { get; }

    /// <summary>Syncs slower than the warning threshold.</summary>
    internal Counter FsyncThresholdExceeded { get; }

    /// <summary>Snapshots asked for that failed.</summary>
    internal Counter SnapshotErrors { get; }

    /// <summary>Snapshots refused because one was made just before.</summary>
    internal Counter SnapshotsRateLimited { get; }

    /// <summary>Restores that failed.</summary>
    internal Counter RestoreErrors { get; }

    /// <summary>Restores refused because one was made just before.</summary>
    internal Counter RestoresRateLimited { get; }

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

    /// <summary>Requests found stale.</summary>
    internal Counter StaleRequests { get; }

    /// <summary>Stale requests dropped.</summary>
    internal Counter StaleRequestsDropped { get; }

    /// <summary>Replies whose connection was closed already.</summary>
    internal Counter StaleReplies { get; }

    /// <summary>Requests refused for the bytes in progress.</summary>
    internal Counter LargeRequestsRejected { get; }

    /// <summary>Transactions after which the tree digest was not the expected one.</summary>
    internal Counter DigestMismatches { get; }

    /// <summary>Errors that ended the server.</summary>
    internal Counter UnrecoverableErrors { get; }

    /// <summary>Bytes of read requests and replies by the first part of their path.</summary>
    internal KeyedMetrics<Summary> ReadsByNamespace { get; }

    /// <summary>Bytes of write requests by the first part of their path.</summary>
    internal KeyedMetrics<Summary> WritesByNamespace { get; }

    /// <summary>Writes that exceeded a quota, by the first part of their path.</summary>
    internal KeyedMetrics<Counter> QuotaExceededByNamespace { get; }

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
