using System.Net;
using SharpKeeper.Core.Zab;
using SharpKeeper.Protocol;
using SharpKeeper.Server;
using SharpKeeper.Server.Admin;
using SharpKeeper.Server.Configuration;

namespace SharpKeeper.ServerTests;

/// <summary>A server that tells about itself what a test says.</summary>
internal sealed class FixedStatusSource : IServerStatusSource
{
    public ServerOptions Options { get; set; } = new() { FourLetterWords = FourLetterWordWhitelist.All };

    public bool IsServing { get; set; } = true;

    public bool IsReadOnly { get; set; }

    public EnsembleStatus? Ensemble { get; set; }

    public IReadOnlyList<KeyValuePair<SessionId, TimeSpan>>? FollowedSessions { get; set; }

    public IReadOnlyList<ExpiryBucket<SessionId>>? LocalSessionExpiries { get; set; }

    public string Mode { get; set; } = "standalone";

    public int ClientPort { get; set; } = 23981;

    public long ServerId { get; set; }

    public Zxid LastZxid { get; set; } = new(0x134);

    public long OutstandingRequests { get; set; }

    public int ConnectionCount { get; set; } = 3;

    public TimeSpan Uptime { get; set; } = TimeSpan.FromMilliseconds(728_797);

    public TreeCounts Counts { get; set; } = new(11, 4, 3, 75, 2, 0);

    public double ConnectionDropProbability { get; set; }

    public long DataDirBytes { get; set; } = 457;

    public long LogDirBytes { get; set; } = 67_109_337;

    public IReadOnlyList<ConnectionStatus> Connections { get; set; } = [];

    public IReadOnlyList<ExpiryBucket<SessionId>> SessionExpiries { get; set; } = [];

    public IReadOnlyList<ExpiryBucket<ConnectionId>> ConnectionExpiries { get; set; } = [];

    public IReadOnlyList<KeyValuePair<SessionId, IReadOnlyList<string>>> EphemeralsBySession { get; set; } = [];

    public IReadOnlyList<KeyValuePair<SessionId, IReadOnlyList<string>>> WatchedPathsBySession { get; set; } = [];

    public IReadOnlyList<KeyValuePair<string, IReadOnlyList<SessionId>>> WatchingSessionsByPath { get; set; } = [];

    public WatchCounts DataWatches { get; set; }

    public IReadOnlyList<KeyValuePair<Zxid, ulong>> Digests { get; set; } = [];

    public IReadOnlyList<QuotaStatus> Quotas { get; set; } = [];

    public int ResetsOfConnections { get; private set; }

    public void ResetConnectionStatistics() => ResetsOfConnections++;

    public static EndPoint Local(int port) => new IPEndPoint(IPAddress.Loopback, port);
}

/// <summary>A clock whose local zone is UTC whatever the machine's is.</summary>
internal sealed class UtcTimeProvider : TimeProvider
{
    public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;
}
