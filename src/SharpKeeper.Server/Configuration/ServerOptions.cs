using System.Net;
using SharpKeeper.Server.Configuration;

namespace SharpKeeper.Server;

/// <summary>
/// Every local setting of one server, complete and immutable. The defaults are Apache's unless a member says
/// otherwise; <see cref="ServerOptionsLoader"/> makes one from a zoo.cfg, system properties and command-line
/// overrides, and embedders write an object initializer. <see cref="Validate"/> tells whether the values agree.
/// </summary>
public sealed partial record ServerOptions
{
    /// <summary>The port clients connect to when nothing names another (Apache has no default but ships 2181).</summary>
    public const int DefaultClientPort = 2181;

    private readonly TimeSpan? _sessionTimeoutMin;
    private readonly TimeSpan? _sessionTimeoutMax;

    /// <summary>
    /// The port clients connect to; 0 takes a free one. Default 2181. Key <c>clientPort</c>.
    /// </summary>
    public int ClientPort { get; init; } = DefaultClientPort;

    /// <summary>
    /// The address the client port listens on; null listens on all interfaces. Default 127.0.0.1 here, and all
    /// interfaces when a zoo.cfg leaves out <c>clientPortAddress</c>, as in Apache.
    /// </summary>
    public IPAddress? ClientAddress { get; init; } = IPAddress.Loopback;

    /// <summary>Connections the kernel may queue before they are accepted; -1 leaves it to the system (default).
    /// Key <c>clientPortListenBacklog</c>.</summary>
    public int ListenBacklog { get; init; } = -1;

    /// <summary>The basic unit of time: buckets of session expiry, and the session timeout bounds. Default 3 s.
    /// Key <c>tickTime</c> (ms).</summary>
    public TimeSpan TickTime { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>The shortest session timeout a client is granted. Default 2 ticks.
    /// Key <c>minSessionTimeout</c> (ms).</summary>
    public TimeSpan SessionTimeoutMin
    {
        get => _sessionTimeoutMin ?? 2 * TickTime;
        init => _sessionTimeoutMin = value;
    }

    /// <summary>The longest session timeout a client is granted. Default 20 ticks.
    /// Key <c>maxSessionTimeout</c> (ms).</summary>
    public TimeSpan SessionTimeoutMax
    {
        get => _sessionTimeoutMax ?? 20 * TickTime;
        init => _sessionTimeoutMax = value;
    }

    /// <summary>Connections allowed from one address; 0 is no limit. Default 60.
    /// Key <c>maxClientCnxns</c>.</summary>
    public int ConnectionsPerAddressMax { get; init; } = 60;

    /// <summary>Connections allowed in all; 0 is no limit (default). Key <c>maxCnxns</c>.</summary>
    public int ConnectionsMax { get; init; }

    /// <summary>Threads that serve client connections. Default one for every two processors, at most 16: one of them
    /// answers millions of reads a second, and the log needs a processor too. Key <c>nio.numSelectorThreads</c>.</summary>
    public int ConnectionThreads { get; init; } = Math.Clamp(Environment.ProcessorCount / 2, 1, 16);

    /// <summary>How long a connection may stay without asking for a session. Default 10 s.
    /// Key <c>nio.sessionlessCnxnTimeout</c> (ms).</summary>
    public TimeSpan SessionlessConnectionTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Whether client sockets ask for TCP keep-alive. Default false. Key <c>clientTcpKeepAlive</c>.</summary>
    public bool ClientTcpKeepAlive { get; init; }

    /// <summary>Whether closing a session writes the paths of its ephemerals into the transaction. Default true.
    /// Key <c>closeSessionTxn.enabled</c>.</summary>
    public bool CloseSessionTxnEnabled { get; init; } = true;

    /// <summary>Whether read-only clients may ask with <c>isro</c>, and be served read-only without a quorum.
    /// Default false. Key <c>readonlymode.enabled</c>.</summary>
    public bool ReadOnlyModeEnabled { get; init; }

    /// <summary>Whether sessions may be local to one server. Without effect on a standalone server. Default false.
    /// Key <c>localSessionsEnabled</c>.</summary>
    public bool LocalSessionsEnabled { get; init; }

    /// <summary>Whether a local session turns global when it first creates an ephemeral. Default false.
    /// Key <c>localSessionsUpgradingEnabled</c>.</summary>
    public bool LocalSessionsUpgradingEnabled { get; init; }

    /// <summary>Whether the reconfig operation is allowed; a standalone server then answers "unimplemented" instead
    /// of "reconfig disabled". Default false. Key <c>reconfigEnabled</c>.</summary>
    public bool ReconfigEnabled { get; init; }

    /// <summary>The four-letter words that are answered; <c>srvr</c> always is. Default srvr alone.
    /// Key <c>4lw.commands.whitelist</c>.</summary>
    public FourLetterWordWhitelist FourLetterWords { get; init; } = FourLetterWordWhitelist.Default;

    /// <summary>Settings of the admin server. Keys <c>admin.*</c>.</summary>
    public AdminOptions Admin { get; init; } = new();

    /// <summary>The class named by <c>metricsProvider.className</c>, or null. Kept for the metrics endpoint.</summary>
    public string? MetricsProvider { get; init; }

    /// <summary>The other <c>metricsProvider.*</c> settings, without that prefix.</summary>
    public IReadOnlyDictionary<string, string> MetricsProviderSettings { get; init; } =
        new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>The configuration file these options were read from, or null.</summary>
    public string? ConfigFile { get; init; }

    /// <summary>The text of <see cref="ConfigFile"/> as it was at start, or null.</summary>
    public string? ConfigText { get; init; }

    /// <summary>What the operator should be told about the settings, in the order found. Never null.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];

    /// <summary>The end point the client port listens on, the IPv6 wildcard standing for all interfaces.</summary>
    public IPEndPoint ClientEndPoint => new(ClientAddress ?? IPAddress.IPv6Any, ClientPort);

    /// <summary>Whether the minimum session timeout was set, rather than derived from the tick.</summary>
    internal bool IsSessionTimeoutMinSet => _sessionTimeoutMin is not null;

    /// <summary>Whether the maximum session timeout was set, rather than derived from the tick.</summary>
    internal bool IsSessionTimeoutMaxSet => _sessionTimeoutMax is not null;
}
