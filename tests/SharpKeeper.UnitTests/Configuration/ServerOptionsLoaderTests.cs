using System.Net;
using SharpKeeper.Server;
using SharpKeeper.Server.Configuration;

namespace SharpKeeper.ServerTests;

public sealed class ServerOptionsLoaderTests
{
    private const string Minimal = "dataDir=/data\nclientPort=2181\n";

    /// <summary>Key, value, the member it sets, and the member's value as text.</summary>
    public static TheoryData<string, string, Func<ServerOptions, object?>, object?> AppliedSettings => new()
    {
        { "dataDir", "/srv/zk", static o => o.DataDir, "/srv/zk" },
        { "dataLogDir", "/srv/log", static o => o.DataLogDir, "/srv/log" },
        { "clientPort", "2299", static o => o.ClientPort, 2299 },
        { "clientPortAddress", "127.0.0.1", static o => o.ClientAddress, IPAddress.Loopback },
        { "clientPortAddress", "0.0.0.0", static o => o.ClientAddress, null },
        { "clientPortAddress", "::1", static o => o.ClientAddress, IPAddress.IPv6Loopback },
        { "clientPortListenBacklog", "100", static o => o.ListenBacklog, 100 },
        { "tickTime", "500", static o => o.SessionTimeoutMin, Ms(1000) },
        { "tickTime", "500", static o => o.SessionTimeoutMax, Ms(10_000) },
        { "minSessionTimeout", "100", static o => o.SessionTimeoutMin, Ms(100) },
        { "minSessionTimeout", "-1", static o => o.SessionTimeoutMin, Ms(6000) },
        { "maxSessionTimeout", "90000", static o => o.SessionTimeoutMax, Ms(90_000) },
        { "maxClientCnxns", "0", static o => o.ConnectionsPerAddressMax, 0 },
        { "maxCnxns", "7", static o => o.ConnectionsMax, 7 },
        { "nio.numSelectorThreads", "3", static o => o.ConnectionThreads, 3 },
        { "nio.sessionlessCnxnTimeout", "1500", static o => o.SessionlessConnectionTimeout, Ms(1500) },
        { "clientTcpKeepAlive", "TRUE", static o => o.ClientTcpKeepAlive, true },
        { "closeSessionTxn.enabled", "false", static o => o.CloseSessionTxnEnabled, false },
        { "readonlymode.enabled", "true", static o => o.ReadOnlyModeEnabled, true },
        { "localSessionsEnabled", "true", static o => o.LocalSessionsEnabled, true },
        { "localSessionsUpgradingEnabled", "true", static o => o.LocalSessionsUpgradingEnabled, true },
        { "reconfigEnabled", "true", static o => o.ReconfigEnabled, true },
        { "initLimit", "7", static o => o.EnsembleKeys.InitLimitTicks, 7 },
        { "syncLimit", "4", static o => o.EnsembleKeys.SyncLimitTicks, 4 },
        { "connectToLearnerMasterLimit", "3", static o => o.EnsembleKeys.ConnectLimitTicks, 3 },
        { "leaderConnectDelayDuringRetryMs", "20", static o => o.EnsembleKeys.ConnectRetryDelay, Ms(20) },
        { "cnxTimeout", "900", static o => o.EnsembleKeys.ElectionConnectTimeout, Ms(900) },
        { "quorumCnxnTimeoutMs", "800", static o => o.EnsembleKeys.ElectionHandshakeTimeout, Ms(800) },
        { "quorumCnxnTimeoutMs", "-1", static o => o.EnsembleKeys.ElectionHandshakeTimeout, null },
        { "electionPortBindRetry", "0", static o => o.EnsembleKeys.ElectionBindRetries, 0 },
        { "quorum.cnxn.threads.size", "2", static o => o.EnsembleKeys.ElectionConnectsMax, 2 },
        { "quorumListenOnAllIPs", "true", static o => o.EnsembleKeys.ListensOnAllAddresses, true },
        { "tcpKeepAlive", "true", static o => o.EnsembleKeys.TcpKeepAlive, true },
        { "fastleader.minNotificationInterval", "50", static o => o.EnsembleKeys.NotificationIntervalMin, Ms(50) },
        { "fastleader.maxNotificationInterval", "500", static o => o.EnsembleKeys.NotificationIntervalMax, Ms(500) },
        { "leader.maxConcurrentSnapSyncs", "2", static o => o.EnsembleKeys.ConcurrentSnapSyncsMax, 2 },
        { "leader.maxConcurrentDiffSyncs", "3", static o => o.EnsembleKeys.ConcurrentDiffSyncsMax, 3 },
        { "commitLogCount", "700", static o => o.EnsembleKeys.CommitLogCount, 700 },
        { "commitLogCount", "7", static o => o.EnsembleKeys.CommitLogCount, 500 },
        { "snapshotSizeFactor", "-1", static o => o.EnsembleKeys.SnapshotSizeFactor, -1.0 },
        { "snapshotSizeFactor", "0.5", static o => o.EnsembleKeys.SnapshotSizeFactor, 0.5 },
        { "forceSnapshotSync", "true", static o => o.EnsembleKeys.ForceSnapshotSync, true },
        { "peerType", "observer", static o => o.EnsembleKeys.IsObserver, true },
        { "electionAlg", "3", static o => o.Ensemble, null },
        { "standaloneEnabled", "true", static o => o.EnsembleKeys.StandaloneEnabled, true },
        { "leaderServes", "no", static o => o.EnsembleKeys.LeaderServes, false },
        { "syncEnabled", "false", static o => o.EnsembleKeys.ObserverLogs, false },
        { "observer.syncEnabled", "false", static o => o.EnsembleKeys.ObserverLogs, false },
        { "multiAddress.enabled", "true", static o => o.EnsembleKeys.MultiAddressEnabled, true },
        { "db.autocreate", "false", static o => o.EnsembleKeys.DatabaseAutoCreate, false },
        { "datadir.autocreate", "false", static o => o.DataDirAutoCreate, false },
        { "snapCount", "1000", static o => o.SnapCount, 1000 },
        { "snapCount", "1", static o => o.SnapCount, 2 },
        { "snapSizeLimitInKb", "10", static o => o.SnapSizeLimitBytes, 10_240L },
        { "snapSizeLimitInKb", "-1", static o => o.SnapSizeLimitBytes, 0L },
        { "txnLogSizeLimitInKb", "2", static o => o.TxnLogSizeLimitBytes, 2048L },
        { "preAllocSize", "1024", static o => o.PreAllocationBytes, 1L << 20 },
        { "forceSync", "no", static o => o.ForceSync, false },
        { "forceSync", "YES", static o => o.ForceSync, true },
        { "fsync.warningthresholdms", "20", static o => o.FsyncWarningThreshold, Ms(20) },
        { "snapshot.compression.method", "gz", static o => o.SnapshotCompression, SnapshotCompression.Gzip },
        { "snapshot.compression.method", "snappy", static o => o.SnapshotCompression, SnapshotCompression.Snappy },
        { "snapshot.compression.method", "", static o => o.SnapshotCompression, SnapshotCompression.None },
        { "snapshot.trust.empty", "true", static o => o.SnapshotTrustEmpty, true },
        { "digest.enabled", "false", static o => o.DigestEnabled, false },
        { "autopurge.purgeInterval", "0", static o => o.PurgeInterval, TimeSpan.Zero },
        { "autopurge.purgeInterval", "-1", static o => o.PurgeInterval, TimeSpan.Zero },
        { "autopurge.purgeInterval", "2", static o => o.PurgeInterval, TimeSpan.FromHours(2) },
        { "autopurge.purgeInterval", "250ms", static o => o.PurgeInterval, Ms(250) },
        { "autopurge.purgeInterval", "5s", static o => o.PurgeInterval, TimeSpan.FromSeconds(5) },
        { "autopurge.purgeInterval", "7m", static o => o.PurgeInterval, TimeSpan.FromMinutes(7) },
        { "autopurge.purgeInterval", "3 h", static o => o.PurgeInterval, TimeSpan.FromHours(3) },
        { "autopurge.purgeInterval", "2d", static o => o.PurgeInterval, TimeSpan.FromDays(2) },
        { "autopurge.snapRetainCount", "9", static o => o.SnapshotsRetained, 9 },
        { "autopurge.snapRetainCount", "1", static o => o.SnapshotsRetained, 3 },
        { "jute.maxbuffer", "4194304", static o => o.PacketBytesMax, 4 << 20 },
        { "jute.maxbuffer", "0x9fffff", static o => o.PacketBytesMax, 0x9fffff },
        { "jute.maxbuffer", "2000", static o => o.PacketExtraBytesMax, 2000 },
        { "jute.maxbuffer.extrasize", "99", static o => o.PacketExtraBytesMax, 99 },
        { "globalOutstandingLimit", "5", static o => o.OutstandingRequestsMax, 5 },
        { "largeRequestMaxBytes", "55", static o => o.LargeRequestBytesMax, 55 },
        { "largeRequestThreshold", "44", static o => o.LargeRequestThresholdBytes, 44 },
        { "throttled_op_wait_time", "80", static o => o.ThrottledOpWait, Ms(80) },
        { "znode.container.checkIntervalMs", "70", static o => o.ContainerCheckInterval, Ms(70) },
        { "znode.container.maxPerMinute", "60", static o => o.ContainerRemovalsPerMinuteMax, 60 },
        { "znode.container.maxNeverUsedIntervalMs", "50", static o => o.ContainerNeverUsedMax, Ms(50) },
        { "enforceQuota", "true", static o => o.EnforceQuota, true },
        { "extendedTypesEnabled", "true", static o => o.ExtendedTypesEnabled, true },
        { "emulate353TTLNodes", "true", static o => o.Emulate353TtlNodes, true },
        { "request_throttle_max_requests", "10", static o => o.RequestThrottle.RequestsMax, 10 },
        { "connection_throttle_tokens", "1", static o => o.ConnectionThrottle.Tokens, 1 },
        { "connection_throttle_fill_time", "2", static o => o.ConnectionThrottle.FillTime, Ms(2) },
        { "connection_throttle_fill_count", "3", static o => o.ConnectionThrottle.FillCount, 3 },
        { "connection_throttle_freeze_time", "4", static o => o.ConnectionThrottle.FreezeTime, Ms(4) },
        { "connection_throttle_drop_increase", "0.5", static o => o.ConnectionThrottle.DropIncrease, 0.5 },
        { "connection_throttle_drop_decrease", "0.25", static o => o.ConnectionThrottle.DropDecrease, 0.25 },
        { "connection_throttle_decrease_ratio", "1", static o => o.ConnectionThrottle.DecreaseRatio, 1.0 },
        { "connection_throttle_weight_enabled", "true", static o => o.ConnectionThrottle.WeightEnabled, true },
        { "connection_throttle_global_session_weight", "7",
            static o => o.ConnectionThrottle.GlobalSessionWeight, 7 },
        { "connection_throttle_renew_session_weight", "8", static o => o.ConnectionThrottle.RenewSessionWeight, 8 },
        { "skipACL", "yes", static o => o.SkipAcl, true },
        { "DigestAuthenticationProvider.superDigest", "super:xQJmxLMiHGwaqBvst5y6rkB6HQs=",
            static o => o.SuperDigest, "super:xQJmxLMiHGwaqBvst5y6rkB6HQs=" },
        { "DigestAuthenticationProvider.digestAlg", "SHA-256",
            static o => o.DigestAlgorithm, DigestAlgorithm.Sha256 },
        { "DigestAuthenticationProvider.enabled", "false", static o => o.DigestAuthEnabled, false },
        { "enforce.auth.enabled", "false", static o => o.EnforceAuthEnabled, false },
        { "enforce.auth.schemes", "digest, ip", static o => string.Join('+', o.EnforceAuthSchemes), "digest+ip" },
        { "4lw.commands.whitelist", "stat, ruok", static o => o.FourLetterWords.Allows("ruok"), true },
        { "admin.enableServer", "false", static o => o.Admin.Enabled, false },
        { "admin.serverAddress", "10.0.0.1", static o => o.Admin.Address, "10.0.0.1" },
        { "admin.serverPort", "8081", static o => o.Admin.Port, 8081 },
        { "admin.commandURL", "/c", static o => o.Admin.CommandUrl, "/c" },
        { "admin.idleTimeout", "5", static o => o.Admin.IdleTimeout, Ms(5) },
        { "admin.rateLimiterIntervalInMS", "6", static o => o.Admin.RateLimiterInterval, Ms(6) },
        { "admin.snapshot.enabled", "false", static o => o.Admin.SnapshotEnabled, false },
        { "admin.restore.enabled", "false", static o => o.Admin.RestoreEnabled, false },
        { "metricsProvider.className", "x.Y", static o => o.MetricsProvider, "x.Y" },
        { "metricsProvider.httpPort", "7000", static o => o.MetricsProviderSettings["httpPort"], "7000" },
    };

    [Theory]
    [MemberData(nameof(AppliedSettings))]
    public void Parse_applies_a_setting_in_all_spellings(
        string key, string value, Func<ServerOptions, object?> member, object? expected)
    {
        Assert.Equal(expected, member(Parse($"{Minimal}{key}={value}\n")));
        Assert.Equal(expected, member(Parse($"{Minimal}zookeeper.{key}={value}\n")));
        Assert.Equal(expected, member(ParseWithout(file: null, ($"zookeeper.{key}", value))));
        Assert.Equal(expected, member(ParseWithout(file: null, (key, value))));
    }

    [Fact]
    public void AppliedSettings_covers_every_setting_that_has_an_effect()
    {
        IEnumerable<string> tested = AppliedSettings.Select(static row => row.Data.Item1);
        IEnumerable<string> known = SettingTable.ByKey.Values
            .Where(static s => s.Effect is SettingEffect.Applied or SettingEffect.AppliedPropertyFirst)
            .Select(static s => s.Key);
        // A file that this one names must be there; EnsembleReaderTests has it.
        Assert.Equal(["dynamicConfigFile"], known.Except(tested));
    }

    [Fact]
    public void Parse_of_a_sample_file_gives_no_warning()
    {
        ServerOptions options = Parse("""
            # The number of milliseconds of each tick
            tickTime=2000
            initLimit=10
            syncLimit=5
            dataDir=/tmp/zookeeper
            clientPort=2181
            #maxClientCnxns=60
            standaloneEnabled=true
            secureClientPort=-1
            audit.enable=false
            ssl.clientAuth=
            authProvider.1=org.apache.zookeeper.server.auth.DigestAuthenticationProvider
            """);
        Assert.Empty(options.Warnings);
        Assert.Equal(Ms(4000), options.SessionTimeoutMin);
        Assert.Equal("/tmp/zookeeper", options.DataLogDir);
        Assert.Null(options.ClientAddress);
        Assert.Equal("zoo.cfg", options.ConfigFile);
        Assert.Contains("#maxClientCnxns=60", options.ConfigText, StringComparison.Ordinal);
    }

    [Fact]
    public void Parse_without_a_file_serves_loopback_from_a_local_directory()
    {
        ServerOptions options = ParseWithout(file: null);
        Assert.Equal(new IPEndPoint(IPAddress.Loopback, 2181), options.ClientEndPoint);
        Assert.Equal("sharpkeeper-data", options.DataDir);
        Assert.Equal(TimeSpan.FromDays(1), options.PurgeInterval);
        Assert.Equal(3, options.SnapshotsRetained);
        Assert.Null(options.ConfigText);
        Assert.Empty(options.Warnings);
    }

    [Fact]
    public void Parse_lets_overrides_win_over_file_and_properties()
    {
        ServerOverrides overrides = new() { DataDir = "/other", Port = 0, Listen = "*", InMemory = true };
        ServerOptions options = ServerOptionsLoader.Parse(
            Minimal + "dataLogDir=/log\nclientPortAddress=127.0.0.1\n", "zoo.cfg",
            [KeyValuePair.Create("zookeeper.clientPort", "5")], overrides);
        Assert.Equal("/other", options.DataDir);
        Assert.Equal("/other", options.DataLogDir);
        Assert.Equal(0, options.ClientPort);
        Assert.Null(options.ClientAddress);
        Assert.True(options.InMemory);
    }

    [Fact]
    public void Parse_lets_overrides_stand_in_for_required_lines()
    {
        ServerOptions options = ServerOptionsLoader.Parse(
            "tickTime=100\n", "zoo.cfg", [], new ServerOverrides { InMemory = true, Port = 99 });
        Assert.Equal(99, options.ClientPort);
    }

    [Fact]
    public void Parse_lets_the_file_win_over_a_property_as_Apache_does()
    {
        ServerOptions options = ParseWithout(Minimal + "snapCount=777\n", ("zookeeper.snapCount", "555"));
        Assert.Equal(777, options.SnapCount);
        Assert.Equal(["-Dzookeeper.snapCount: snapCount does not count, since zoo.cfg line 3 wins over it"],
            options.Warnings);
    }

    [Fact]
    public void Parse_lets_a_property_win_where_Apache_reads_nothing_else()
    {
        ServerOptions options = ParseWithout(Minimal + "jute.maxbuffer=1000\n", ("jute.maxbuffer", "2000"));
        Assert.Equal(2000, options.PacketBytesMax);
        Assert.Equal(["zoo.cfg line 3: jute.maxbuffer does not count, since -Djute.maxbuffer wins over it"],
            options.Warnings);
    }

    [Fact]
    public void Parse_of_a_repeated_key_takes_the_later_and_warns()
    {
        ServerOptions options = Parse(Minimal + "tickTime=1000\nzookeeper.tickTime=1500\n");
        Assert.Equal(Ms(1500), options.TickTime);
        Assert.Equal(["zoo.cfg line 4: tickTime was already set by zoo.cfg line 3; the later one counts"],
            options.Warnings);
    }

    [Theory]
    [InlineData("tickTme", "tickTime")]
    [InlineData("ticktime", "tickTime")]
    [InlineData("snapcount", "snapCount")]
    [InlineData("maxClientConns", "maxClientCnxns")]
    [InlineData("autopurge.purgeIntervall", "autopurge.purgeInterval")]
    [InlineData("4lw.command.whitelist", "4lw.commands.whitelist")]
    [InlineData("secureClientprt", "secureClientPort")]
    public void Parse_of_an_unknown_key_warns_with_the_nearest(string key, string nearest)
    {
        ServerOptions options = Parse($"{Minimal}{key}=5\n");
        Assert.Equal([$"zoo.cfg line 3: {key} is not a setting of this server and is ignored; " +
            $"did you mean {nearest}?"], options.Warnings);
    }

    [Fact]
    public void Parse_of_a_key_like_no_other_suggests_nothing()
    {
        ServerOptions options = Parse(Minimal + "com.example.completely.different=5\n");
        Assert.EndsWith("is ignored", Assert.Single(options.Warnings), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("tickTime=0", "tickTime=0 is not valid; allowed: a whole number, 1 or more")]
    [InlineData("tickTime=2 s", "tickTime=2 s is not valid; allowed: a whole number, 1 or more")]
    [InlineData("clientPort=65536", "clientPort=65536 is not valid; allowed: a whole number from 0 to 65535")]
    [InlineData("clientPort=", "clientPort= is not valid; allowed: a whole number from 0 to 65535")]
    [InlineData("maxCnxns=many", "maxCnxns=many is not valid; allowed: a whole number")]
    [InlineData("maxCnxns=99999999999", "maxCnxns=99999999999 is not valid; allowed: a whole number")]
    [InlineData("forceSync=false", "forceSync=false is not valid; allowed: yes or no")]
    [InlineData("skipACL=1", "skipACL=1 is not valid; allowed: yes or no")]
    [InlineData("enforceQuota=yes", "enforceQuota=yes is not valid; allowed: true or false")]
    [InlineData("clientPortAddress=no host!",
        "clientPortAddress=no host! is not valid; allowed: an IP address or a host name")]
    [InlineData("snapshot.compression.method=zip",
        "snapshot.compression.method=zip is not valid; allowed: one of gz, snappy")]
    [InlineData("autopurge.purgeInterval=5w", "autopurge.purgeInterval=5w is not valid; allowed: a number of hours, " +
        "or a number with ms, s, m, h or d; 0 turns it off")]
    [InlineData("connection_throttle_drop_increase=2",
        "connection_throttle_drop_increase=2 is not valid; allowed: a number from 0 to 1")]
    [InlineData("DigestAuthenticationProvider.superDigest=secret",
        "DigestAuthenticationProvider.superDigest=(hidden) is not valid; allowed: " +
        "user:hash, where hash is the Base64 digest of user:password")]
    [InlineData("electionAlg=0", "electionAlg=0 is not valid; allowed: 3")]
    [InlineData("peerType=voter", "peerType=voter is not valid; allowed: one of participant, observer")]
    [InlineData("initLimit=-1", "initLimit=-1 is not valid; allowed: a whole number, 0 or more")]
    [InlineData("syncLimit=5s", "syncLimit=5s is not valid; allowed: a whole number, 0 or more")]
    [InlineData("cnxTimeout=0", "cnxTimeout=0 is not valid; allowed: a whole number, 1 or more")]
    [InlineData("leaderServes=true", "leaderServes=true is not valid; allowed: yes or no")]
    [InlineData("standaloneEnabled=no", "standaloneEnabled=no is not valid; allowed: true or false")]
    [InlineData("snapshotSizeFactor=third", "snapshotSizeFactor=third is not valid; allowed: a number")]
    [InlineData("electionPortBindRetry=-1",
        "electionPortBindRetry=-1 is not valid; allowed: a whole number, 0 or more")]
    [InlineData("leader.maxConcurrentSnapSyncs=0",
        "leader.maxConcurrentSnapSyncs=0 is not valid; allowed: a whole number, 1 or more")]
    [InlineData("admin.commandURL=x", "admin.commandURL=x is not valid; allowed: a path that begins with a slash")]
    public void Parse_of_a_bad_value_names_line_key_value_and_what_is_allowed(string line, string message)
    {
        Assert.Equal(["zoo.cfg line 3: " + message], Problems(Minimal + line + "\n"));
    }

    [Fact]
    public void Parse_reports_all_problems_at_once()
    {
        Assert.Equal(
            [
                "zoo.cfg line 3: tickTime=x is not valid; allowed: a whole number, 1 or more",
                "zoo.cfg line 4: snapCount=y is not valid; allowed: a whole number",
            ],
            Problems(Minimal + "tickTime=x\nsnapCount=y\n"));
    }

    [Theory]
    [InlineData("clientPort=2181", "zoo.cfg: dataDir is not set; add a line dataDir=/path/to/data")]
    [InlineData("dataDir=/d",
        "zoo.cfg: clientPort is not set, so clients could not connect; add a line clientPort=2181")]
    [InlineData("dataDir=/d\nclientPortAddress=127.0.0.1",
        "zoo.cfg: clientPortAddress is set but clientPort is not; add a line clientPort=2181")]
    [InlineData(Minimal + "minSessionTimeout=500\nmaxSessionTimeout=400", "minSessionTimeout is 500 ms (as set) and " +
        "maxSessionTimeout is 400 ms (as set); the minimum must not exceed the maximum")]
    [InlineData(Minimal + "minSessionTimeout=90000", "minSessionTimeout is 90000 ms (as set) and maxSessionTimeout " +
        "is 60000 ms (20 x tickTime); the minimum must not exceed the maximum")]
    [InlineData(Minimal + "enforce.auth.enabled=true",
        "enforce.auth.enabled=true needs enforce.auth.schemes, a list of digest and ip")]
    [InlineData(Minimal + "enforce.auth.schemes=sasl",
        "enforce.auth.schemes names sasl; this server knows digest and ip")]
    [InlineData(Minimal + "enforce.auth.schemes=digest\nDigestAuthenticationProvider.enabled=false",
        "enforce.auth.schemes names digest, which DigestAuthenticationProvider.enabled=false turns off")]
    [InlineData(Minimal + "a=\\u00", "zoo.cfg line 3: \\u must be followed by four hex digits")]
    public void Parse_of_settings_that_do_not_fit_together_fails(string text, string message)
    {
        Assert.Equal([message], Problems(text));
    }

    [Theory]
    [InlineData("secureClientPort=2182", "TLS, which")]
    [InlineData("ssl.keyStore.location=/k", "TLS, which")]
    [InlineData("ssl.quorum.trustStore.password=p", "TLS, which")]
    [InlineData("sslQuorum=true", "TLS, which")]
    [InlineData("client.portUnification=true", "TLS, which")]
    [InlineData("quorum.auth.enableSasl=true", "SASL authentication")]
    [InlineData("sessionRequireClientSASLAuth=true", "SASL authentication")]
    [InlineData("authProvider.sasl=org.apache.zookeeper.server.auth.SASLAuthenticationProvider",
        "an authentication provider of its own")]
    [InlineData("observerMasterPort=2191", "followers that feed observers")]
    [InlineData("oraclePath=/o", "an oracle for ensembles of two")]
    [InlineData("audit.enable=true", "the audit log")]
    [InlineData("X509AuthenticationProvider.superUser=cn", "X.509 authentication")]
    public void Parse_refuses_a_later_capability_by_name(string line, string capability)
    {
        string problem = Assert.Single(Problems(Minimal + line + "\n"));
        string key = line[..line.IndexOf('=', StringComparison.Ordinal)];
        Assert.StartsWith($"zoo.cfg line 3: {key} asks for {capability}", problem, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("commitProcessor.numWorkerThreads=4", "zoo.cfg line 3: commitProcessor.numWorkerThreads has no effect")]
    [InlineData("maxResponseCacheSize=4", "zoo.cfg line 3: maxResponseCacheSize has no effect")]
    [InlineData("skipACL=yes", "zoo.cfg line 3: skipACL=yes: every client may read and change every node")]
    [InlineData("commitLogCount=1", "zoo.cfg line 3: commitLogCount=1 is too small and was raised to 500")]
    [InlineData("leader.nodelay=true", "zoo.cfg line 3: leader.nodelay has no effect: connections between servers")]
    [InlineData("leader.maxTimeToWaitForEpoch=5", "zoo.cfg line 3: leader.maxTimeToWaitForEpoch has no effect")]
    [InlineData("snapCount=1", "zoo.cfg line 3: snapCount=1 is too small and was raised to 2")]
    [InlineData("admin.serverPort=9", "admin.* settings were read, but this release has no admin server yet")]
    [InlineData("metricsProvider.className=org.apache.zookeeper.metrics.prometheus.PrometheusMetricsProvider",
        "metricsProvider.* settings were read, but this release exports no metrics yet")]
    public void Parse_warns_of_settings_with_consequences(string line, string warning)
    {
        Assert.StartsWith(warning, Assert.Single(Parse(Minimal + line + "\n").Warnings), StringComparison.Ordinal);
    }

    [Fact]
    public void Parse_enforces_authentication_by_the_listed_schemes()
    {
        ServerOptions options = Parse(Minimal + "enforce.auth.enabled=true\nenforce.auth.schemes=digest\n");
        Assert.True(options.EnforceAuthEnabled);
        Assert.Equal(["digest"], options.EnforceAuthSchemes);
    }

    [Fact]
    public void Parse_with_read_only_mode_answers_isro()
    {
        Assert.False(Parse(Minimal).FourLetterWords.Allows("isro"));
        Assert.True(Parse(Minimal + "readonlymode.enabled=true").FourLetterWords.Allows("isro"));
    }

    [Fact]
    public void Parse_hides_nothing_of_a_bad_listen_address()
    {
        ServerConfigurationException e = Assert.Throws<ServerConfigurationException>(() =>
            ServerOptionsLoader.Parse(null, "-", [], new ServerOverrides { Listen = "a b" }));
        Assert.Equal(["--listen a b is not valid; allowed: an IP address or a host name"], e.Problems);
    }

    private static TimeSpan Ms(int milliseconds) => TimeSpan.FromMilliseconds(milliseconds);

    private static ServerOptions Parse(string text) => ParseWithout(text);

    private static ServerOptions ParseWithout(string? file, params (string Name, string Value)[] properties) =>
        ServerOptionsLoader.Parse(file, "zoo.cfg",
            [.. properties.Select(static p => KeyValuePair.Create(p.Name, p.Value))], new ServerOverrides());

    private static IReadOnlyList<string> Problems(string text) =>
        Assert.Throws<ServerConfigurationException>(() => Parse(text)).Problems;
}
