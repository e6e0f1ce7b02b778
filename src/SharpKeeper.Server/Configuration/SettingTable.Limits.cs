namespace SharpKeeper.Server.Configuration;

internal static partial class SettingTable
{
    private static IEnumerable<Setting> Limits() =>
    [
        Setting.PropertyFirst("jute.maxbuffer", (o, v) => o with { PacketBytesMax = v.Int(64) }),
        Setting.Applied("jute.maxbuffer.extrasize", (o, v) => o with { PacketExtraBytesMax = v.Int(0) }),
        Setting.Applied("globalOutstandingLimit", (o, v) => o with { OutstandingRequestsMax = v.Int(1) }),
        Setting.Applied("largeRequestMaxBytes", (o, v) => o with { LargeRequestBytesMax = v.Int(1) }),
        Setting.Applied("largeRequestThreshold", (o, v) => o with { LargeRequestThresholdBytes = v.Int(-1) }),
        Setting.Applied("throttled_op_wait_time", (o, v) => o with { ThrottledOpWait = v.Milliseconds() }),
        Setting.PropertyFirst("znode.container.checkIntervalMs",
            (o, v) => o with { ContainerCheckInterval = v.Milliseconds(1) }),
        Setting.PropertyFirst("znode.container.maxPerMinute",
            (o, v) => o with { ContainerRemovalsPerMinuteMax = v.Int(1) }),
        Setting.PropertyFirst("znode.container.maxNeverUsedIntervalMs",
            (o, v) => o with { ContainerNeverUsedMax = v.Milliseconds() }),
        Setting.Applied("enforceQuota", (o, v) => o with { EnforceQuota = v.Boolean() }),
        Setting.Applied("extendedTypesEnabled", (o, v) => o with { ExtendedTypesEnabled = v.Boolean() }),
        Setting.Applied("emulate353TTLNodes", (o, v) => o with { Emulate353TtlNodes = v.Boolean() }),
        .. RequestThrottles(),
        .. ConnectionThrottles(),
    ];

    private static IEnumerable<Setting> RequestThrottles()
    {
        static Setting Of(string key, Func<RequestThrottleOptions, SettingValue, RequestThrottleOptions> apply) =>
            Setting.Applied(key, (o, v) => o with { RequestThrottle = apply(o.RequestThrottle, v) });
        return
        [
            Of("request_throttle_max_requests", (t, v) => t with { RequestsMax = v.Int(0) }),
        ];
    }

    private static IEnumerable<Setting> ConnectionThrottles()
    {
        static Setting Of(string key, Func<ConnectionThrottleOptions, SettingValue, ConnectionThrottleOptions> apply) =>
            Setting.Applied("connection_throttle_" + key,
                (o, v) => o with { ConnectionThrottle = apply(o.ConnectionThrottle, v) });
        return
        [
            Of("tokens", (t, v) => t with { Tokens = v.Int(0) }),
            Of("fill_time", (t, v) => t with { FillTime = v.Milliseconds(1) }),
            Of("fill_count", (t, v) => t with { FillCount = v.Int(1) }),
            Of("freeze_time", (t, v) => t with { FreezeTime = v.Milliseconds(-1) }),
            Of("drop_increase", (t, v) => t with { DropIncrease = v.Fraction() }),
            Of("drop_decrease", (t, v) => t with { DropDecrease = v.Fraction() }),
            Of("decrease_ratio", (t, v) => t with { DecreaseRatio = v.Fraction() }),
            Of("weight_enabled", (t, v) => t with { WeightEnabled = v.Boolean() }),
            Of("global_session_weight", (t, v) => t with { GlobalSessionWeight = v.Int(1) }),
            Of("renew_session_weight", (t, v) => t with { RenewSessionWeight = v.Int(1) }),
        ];
    }
}
