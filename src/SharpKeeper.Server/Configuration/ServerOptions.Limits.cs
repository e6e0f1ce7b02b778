namespace SharpKeeper.Server;

public sealed partial record ServerOptions
{
    /// <summary>Apache's default packet limit, one byte short of a mebibyte.</summary>
    public const int DefaultPacketBytesMax = 0xfffff;

    private readonly int? _packetExtraBytesMax;

    /// <summary>The longest packet a client may send, in bytes without its length prefix. Default 1,048,575.
    /// Key <c>jute.maxbuffer</c> (bytes).</summary>
    public int PacketBytesMax { get; init; } = DefaultPacketBytesMax;

    /// <summary>Bytes that records on disk may exceed <see cref="PacketBytesMax"/> by. Default the same number again.
    /// Key <c>jute.maxbuffer.extrasize</c> (bytes).</summary>
    public int PacketExtraBytesMax
    {
        get => _packetExtraBytesMax ?? PacketBytesMax;
        init => _packetExtraBytesMax = value;
    }

    /// <summary>Requests in progress beyond which a connection is not read from until its own are answered.
    /// Default 1000. Key <c>globalOutstandingLimit</c>.</summary>
    public int OutstandingRequestsMax { get; init; } = 1000;

    /// <summary>Bytes that requests over <see cref="LargeRequestThresholdBytes"/> may hold at one time.
    /// Default 100 MiB. Key <c>largeRequestMaxBytes</c>.</summary>
    public int LargeRequestBytesMax { get; init; } = 100 << 20;

    /// <summary>Bytes from which a request counts as large; -1 counts none (default).
    /// Key <c>largeRequestThreshold</c>.</summary>
    public int LargeRequestThresholdBytes { get; init; } = -1;

    /// <summary>Limits on requests in progress. Keys <c>request_throttle_*</c> and neighbours.</summary>
    public RequestThrottleOptions RequestThrottle { get; init; } = new();

    /// <summary>Limits on new connections. Keys <c>connection_throttle_*</c>.</summary>
    public ConnectionThrottleOptions ConnectionThrottle { get; init; } = new();

    /// <summary>A request that waited longer before it was processed is answered with "throttled"; zero never
    /// (default). Key <c>throttled_op_wait_time</c> (ms).</summary>
    public TimeSpan ThrottledOpWait { get; init; }

    /// <summary>How often empty containers and expired TTL nodes are looked for. Default 1 minute.
    /// Key <c>znode.container.checkIntervalMs</c>.</summary>
    public TimeSpan ContainerCheckInterval { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>Containers and TTL nodes removed in a minute at most. Default 10,000.
    /// Key <c>znode.container.maxPerMinute</c>.</summary>
    public int ContainerRemovalsPerMinuteMax { get; init; } = 10_000;

    /// <summary>A container that never had a child is removed after this; zero never (default).
    /// Key <c>znode.container.maxNeverUsedIntervalMs</c>.</summary>
    public TimeSpan ContainerNeverUsedMax { get; init; }

    /// <summary>Whether a write over its quota is refused instead of warned of. Default false.
    /// Key <c>enforceQuota</c>.</summary>
    public bool EnforceQuota { get; init; }

    /// <summary>Whether nodes with a time to live may be created. Default false.
    /// Key <c>extendedTypesEnabled</c>.</summary>
    public bool ExtendedTypesEnabled { get; init; }

    /// <summary>Whether TTL nodes are written as 3.5.3 did. Default false. Key <c>emulate353TTLNodes</c>.</summary>
    public bool Emulate353TtlNodes { get; init; }
}

/// <summary>Limits on the requests in progress, off unless <see cref="RequestsMax"/> is set.</summary>
public sealed record RequestThrottleOptions
{
    /// <summary>Requests in progress beyond which new ones wait; 0 is no limit (default).
    /// Key <c>request_throttle_max_requests</c>.</summary>
    public int RequestsMax { get; init; }
}

/// <summary>A token bucket in front of new connections, off unless <see cref="Tokens"/> is set.</summary>
public sealed record ConnectionThrottleOptions
{
    /// <summary>Tokens the bucket holds; 0 is no throttle (default). Key <c>connection_throttle_tokens</c>.</summary>
    public int Tokens { get; init; }

    /// <summary>Time between fills. Default 1 ms. Key <c>connection_throttle_fill_time</c> (ms).</summary>
    public TimeSpan FillTime { get; init; } = TimeSpan.FromMilliseconds(1);

    /// <summary>Tokens added by a fill. Default 1. Key <c>connection_throttle_fill_count</c>.</summary>
    public int FillCount { get; init; } = 1;

    /// <summary>Time between changes of the drop probability, or a negative time to keep it at 0 (default).
    /// Key <c>connection_throttle_freeze_time</c> (ms).</summary>
    public TimeSpan FreezeTime { get; init; } = TimeSpan.FromMilliseconds(-1);

    /// <summary>Added to the drop probability while tokens run short. Default 0.02.
    /// Key <c>connection_throttle_drop_increase</c>.</summary>
    public double DropIncrease { get; init; } = 0.02;

    /// <summary>Taken from the drop probability while tokens suffice. Default 0.002.
    /// Key <c>connection_throttle_drop_decrease</c>.</summary>
    public double DropDecrease { get; init; } = 0.002;

    /// <summary>The share of tokens that may be taken while the drop probability falls. Default 0: none.
    /// Key <c>connection_throttle_decrease_ratio</c>.</summary>
    public double DecreaseRatio { get; init; }

    /// <summary>Whether kinds of sessions cost different numbers of tokens. Default false.
    /// Key <c>connection_throttle_weight_enabled</c>.</summary>
    public bool WeightEnabled { get; init; }

    /// <summary>Tokens a new global session costs. Default 3.
    /// Key <c>connection_throttle_global_session_weight</c>.</summary>
    public int GlobalSessionWeight { get; init; } = 3;

    /// <summary>Tokens a resumed session costs. Default 2.
    /// Key <c>connection_throttle_renew_session_weight</c>.</summary>
    public int RenewSessionWeight { get; init; } = 2;
}
