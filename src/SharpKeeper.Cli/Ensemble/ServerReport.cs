using System.Globalization;
using System.Text.Json.Serialization;

namespace SharpKeeper.Cli.Ensemble;

/// <summary>What one server says of itself; what it does not say is null.</summary>
internal sealed record ServerReport
{
    /// <summary>Where it takes clients.</summary>
    public required string Server { get; init; }

    /// <summary>standalone, leader, follower, observer or read-only; null if it does not serve.</summary>
    public string? Mode { get; init; }

    /// <summary>Why there is no mode: unreachable, or not serving.</summary>
    public string? Problem { get; init; }

    /// <summary>The epoch of the last transaction it applied.</summary>
    public long? Epoch { get; init; }

    /// <summary>The last transaction it applied, hexadecimal with 0x.</summary>
    public string? Zxid { get; init; }

    /// <summary>Transactions it is behind the leader; null if it is in another epoch or there is no leader.</summary>
    public long? Lag { get; init; }

    /// <summary>Voters that follow it in time; leaders only, and only where <c>mntr</c> may be asked.</summary>
    public int? SyncedFollowers { get; init; }

    /// <summary>Observers that follow it in time; likewise.</summary>
    public int? SyncedObservers { get; init; }

    /// <summary>Voters of the ensemble; only where <c>mntr</c> may be asked.</summary>
    public int? Voters { get; init; }

    /// <summary>Open client connections, the asking one included.</summary>
    public long? Connections { get; init; }

    /// <summary>Requests in progress.</summary>
    public long? Outstanding { get; init; }

    /// <summary>Smallest latency of a request in milliseconds.</summary>
    public double? LatencyMinMs { get; init; }

    /// <summary>Average latency of a request in milliseconds.</summary>
    public double? LatencyAvgMs { get; init; }

    /// <summary>Largest latency of a request in milliseconds.</summary>
    public double? LatencyMaxMs { get; init; }

    /// <summary>Znodes, as Apache counts them.</summary>
    public long? Znodes { get; init; }

    /// <summary>The version of ZooKeeper it says it is, or follows.</summary>
    public string? Version { get; init; }

    /// <summary>Is there an answer at all?</summary>
    [JsonIgnore]
    public bool IsReachable { get; init; }

    /// <summary>The last transaction as a number.</summary>
    [JsonIgnore]
    internal long ZxidNumber { get; init; }

    /// <summary>Reads the reply to <c>srvr</c>.</summary>
    internal static ServerReport FromSrvr(ServerAddress server, string reply)
    {
        Dictionary<string, string> lines = Lines(reply, ": ");
        if (!lines.TryGetValue("Mode", out string? mode))
        {
            string said = reply.Split('\n')[0].Trim();
            return new ServerReport
            {
                Server = server.ToString(),
                IsReachable = true,
                Problem = said.Contains("not currently serving", StringComparison.Ordinal)
                    ? "not serving: it has no leader with a quorum, or is starting"
                    : said.Length == 0 ? "closed the connection without an answer" : $"answered: {said}",
            };
        }
        long? zxid = lines.TryGetValue("Zxid", out string? text) && text.StartsWith("0x", StringComparison.Ordinal)
            && long.TryParse(
                text.AsSpan(2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out long number)
            ? number : null;
        string[] latency = lines.GetValueOrDefault("Latency min/avg/max", "").Split('/');
        return new ServerReport
        {
            Server = server.ToString(),
            IsReachable = true,
            Mode = mode,
            Zxid = zxid is null ? null : text,
            ZxidNumber = zxid ?? 0,
            Epoch = zxid >> 32,
            Connections = Number(lines, "Connections"),
            Outstanding = Number(lines, "Outstanding"),
            Znodes = Number(lines, "Node count"),
            LatencyMinMs = Fraction(latency, 0),
            LatencyAvgMs = Fraction(latency, 1),
            LatencyMaxMs = Fraction(latency, 2),
            Version = VersionOf(lines.GetValueOrDefault("Zookeeper version", "")),
        };
    }

    /// <summary>Adds what the reply to <c>mntr</c> says, if that word may be asked.</summary>
    internal ServerReport WithMntr(string reply)
    {
        Dictionary<string, string> lines = Lines(reply, "\t");
        return this with
        {
            SyncedFollowers = (int?)Number(lines, "zk_synced_followers"),
            SyncedObservers = (int?)Number(lines, "zk_synced_observers"),
            Voters = (int?)Number(lines, "zk_quorum_size"),
        };
    }

    private static Dictionary<string, string> Lines(string reply, string separator)
    {
        Dictionary<string, string> lines = new(StringComparer.Ordinal);
        foreach (string line in reply.Split('\n'))
        {
            int at = line.IndexOf(separator, StringComparison.Ordinal);
            if (at > 0)
                lines[line[..at]] = line[(at + separator.Length)..].Trim();
        }
        return lines;
    }

    private static long? Number(Dictionary<string, string> lines, string key) =>
        long.TryParse(
            lines.GetValueOrDefault(key), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long value)
            ? value : null;

    private static double? Fraction(string[] parts, int index) =>
        index < parts.Length
        && double.TryParse(parts[index], NumberStyles.Float, CultureInfo.InvariantCulture, out double value)
            ? value : null;

    private static string? VersionOf(string line)
    {
        string number = line.Split('-', ',')[0].Trim();
        return number.Length > 0 ? number : null;
    }
}
