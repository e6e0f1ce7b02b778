using System.Diagnostics.CodeAnalysis;

namespace SharpKeeper.Protocol.Quorum;

public sealed partial class EnsembleConfig
{
    /// <summary>
    /// The configuration that a reconfig request leads to, still with this one's version. How many voters must be left is
    /// for the caller to check.
    /// </summary>
    /// <param name="joining">Servers to add or replace, <c>server.N=...</c> separated by commas; null for none.</param>
    /// <param name="leaving">Numbers of servers to remove, separated by commas; null for none.</param>
    /// <param name="newMembers">The whole new configuration, separated by commas or lines; null for a change.</param>
    /// <param name="changed">The new configuration; null if the request is wrong.</param>
    /// <param name="error">The answer to the client then.</param>
    /// <param name="problem">What is wrong; empty if nothing is.</param>
    public bool TryChange(
        string? joining, string? leaving, string? newMembers, [NotNullWhen(true)] out EnsembleConfig? changed,
        out ErrorCode error, out string problem)
    {
        error = ErrorCode.BadArguments;
        if (newMembers is not null)
        {
            if (!TryParse(newMembers.Replace(',', '\n'), out changed, out problem))
                return false;
            changed = changed.WithVersion(Version);
            return TryAccept(changed, out error, out problem);
        }
        changed = null;
        if (IsHierarchical)
        {
            problem = "an ensemble with groups can only be changed by naming all its members";
            return false;
        }
        var servers = Servers.ToDictionary(static server => server.Id);
        if (!TryLeave(servers, leaving, out problem) || !TryJoin(servers, joining, out problem))
            return false;
        if (servers.Count == 0)
        {
            problem = "no server would be left";
            return false;
        }
        changed = new EnsembleConfig(servers.Values, Version);
        return TryAccept(changed, out error, out problem);
    }

    private static bool TryLeave(Dictionary<ServerId, EnsembleServer> servers, string? leaving, out string problem)
    {
        problem = "";
        foreach (string text in Split(leaving))
        {
            if (!TryParseNumber(text, out long id))
            {
                problem = $"\"{text}\" is no server's number";
                return false;
            }
            servers.Remove(new ServerId(id));
        }
        return true;
    }

    private static bool TryJoin(Dictionary<ServerId, EnsembleServer> servers, string? joining, out string problem)
    {
        problem = "";
        foreach (string text in Split(joining))
        {
            int equals = text.IndexOf('=', StringComparison.Ordinal);
            string key = equals < 0 ? "" : text[..equals].Trim();
            if (!key.StartsWith(ServerPrefix, StringComparison.Ordinal))
            {
                problem = $"\"{text}\" is not server.N=host:quorumPort:electionPort[:role];[host:]clientPort";
                return false;
            }
            if (!TryParseServer(
                key[ServerPrefix.Length..], text[(equals + 1)..].Trim(), out EnsembleServer? server, out problem))
                return false;
            if (server.Client is null && server.SecureClient is null)
            {
                problem = $"server {server.Id} has no client port; add ;port";
                return false;
            }
            foreach (EnsembleServer other in servers.Values)
            {
                if (other.Id != server.Id && SharesAddress(other, server))
                {
                    problem = $"server {server.Id} has an address of server {other.Id}";
                    return false;
                }
            }
            servers[server.Id] = server;
        }
        return true;
    }

    private static bool TryAccept(EnsembleConfig changed, out ErrorCode error, out string problem)
    {
        error = ErrorCode.Ok;
        problem = "";
        if (changed.Voters.Count > 0)
            return true;
        error = ErrorCode.BadArguments;
        problem = "no server would be left that votes";
        return false;
    }

    private static bool SharesAddress(EnsembleServer a, EnsembleServer b)
    {
        foreach (ServerAddress one in a.Addresses)
        {
            foreach (ServerAddress other in b.Addresses)
            {
                if (one.Host == other.Host && SharesPort(one, other))
                    return true;
            }
        }
        return a.Client is not null && a.Client == b.Client && a.Client.Host != "0.0.0.0";
    }

    private static bool SharesPort(ServerAddress one, ServerAddress other) =>
        one.QuorumPort == other.QuorumPort || one.QuorumPort == other.ElectionPort
        || one.ElectionPort == other.QuorumPort || one.ElectionPort == other.ElectionPort;

    private static string[] Split(string? list) => list is null
        ? []
        : list.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
}
