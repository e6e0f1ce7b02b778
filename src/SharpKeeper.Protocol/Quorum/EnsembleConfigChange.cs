using System.Diagnostics.CodeAnalysis;

namespace SharpKeeper.Protocol.Quorum;

/// <summary>What a reconfiguration makes of a configuration.</summary>
internal static class EnsembleConfigChange
{
    public static bool TryApply(
        EnsembleConfig current, string? joining, string? leaving, string? newMembers,
        [NotNullWhen(true)] out EnsembleConfig? changed, out ErrorCode error, out string problem)
    {
        error = ErrorCode.Ok;
        if (newMembers is not null)
            TryReplace(current, newMembers, out changed, out error, out problem);
        else
            TryEdit(current, joining, leaving, out changed, out error, out problem);
        if (changed is not null)
            return true;
        if (error == ErrorCode.Ok)
            error = ErrorCode.BadArguments;
        return false;
    }

    private static bool TryReplace(
        EnsembleConfig current, string newMembers, out EnsembleConfig? changed, out ErrorCode error,
        out string problem)
    {
        error = ErrorCode.Ok;
        if (!EnsembleConfigText.TryParse(
            newMembers.Replace(',', '\n'), out EnsembleConfig? parsed, out problem, out bool lacksServerNumber))
        {
            // As for those that join or leave.
            if (lacksServerNumber)
                error = ErrorCode.MarshallingError;
            changed = null;
            return false;
        }
        changed = parsed.WithVersion(current.Version);
        return true;
    }

    private static bool TryEdit(
        EnsembleConfig current, string? joining, string? leaving, out EnsembleConfig? changed,
        out ErrorCode error, out string problem)
    {
        changed = null;
        error = ErrorCode.Ok;
        if (current.IsHierarchical)
        {
            problem = "the ensemble has groups of servers, so servers cannot join or leave one by one; give all "
                + "members at once";
            return false;
        }
        var servers = current.Servers.ToDictionary(static server => server.Id);
        if (!TryRemove(servers, leaving, out error, out problem) || !TryJoin(servers, joining, out error, out problem))
            return false;
        if (!servers.Values.Any(static server => server.Role == ServerRole.Participant))
        {
            problem = "no server that votes would be left; keep at least one participant";
            return false;
        }
        changed = new EnsembleConfig(servers.Values, current.Version);
        return true;
    }

    private static string[] Entries(string? list) => list is null
        ? []
        : list.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    private static bool TryRemove(
        Dictionary<ServerId, EnsembleServer> servers, string? leaving, out ErrorCode error, out string problem)
    {
        error = ErrorCode.Ok;
        problem = "";
        foreach (string entry in Entries(leaving))
        {
            if (!EnsembleConfigParser.TryParseNumber(entry, out long id))
            {
                // Apache fails while it reads the number, which it reports like a request that cannot be decoded.
                error = ErrorCode.MarshallingError;
                problem = $"'{entry}' is to leave; write the ids of the servers between commas";
                return false;
            }
            servers.Remove(new ServerId(id));
        }
        return true;
    }

    private static bool TryJoin(
        Dictionary<ServerId, EnsembleServer> servers, string? joining, out ErrorCode error, out string problem)
    {
        error = ErrorCode.Ok;
        problem = "";
        foreach (string entry in Entries(joining))
        {
            string[] parts = entry.Split(
                '=', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
            if (parts.Length != 2)
            {
                problem = $"'{entry}' is to join; write server.N=host:quorumPort:electionPort:role;clientPort";
                return false;
            }
            if (!EnsembleConfigParser.TryParseNumber(parts[0][(parts[0].LastIndexOf('.') + 1)..], out long number))
            {
                error = ErrorCode.MarshallingError;
                problem = $"'{parts[0]}' is to join; write server.N with N from 0";
                return false;
            }
            var id = new ServerId(number);
            if (!EnsembleServerParser.TryParse(id, parts[1], out EnsembleServer? server, out problem)
                || !CheckJoining(servers, server, out problem))
            {
                return false;
            }
            servers[id] = server;
        }
        return true;
    }

    private static bool CheckJoining(
        Dictionary<ServerId, EnsembleServer> servers, EnsembleServer joining, out string problem)
    {
        problem = "";
        if (joining.Client is null && joining.SecureClient is null)
        {
            problem = $"server.{joining.Id} is to join without a client port; add ;port";
            return false;
        }
        HashSet<(string, int)> own = [.. Ports(joining)];
        foreach (EnsembleServer other in servers.Values.OrderBy(static server => server.Id.Value))
        {
            if (other.Id == joining.Id)
                continue;
            foreach ((string host, int port) in Ports(other))
            {
                if (own.Contains((host, port)))
                {
                    problem = $"server.{joining.Id} is to join with {host}:{port}, which is an address of "
                        + $"server.{other.Id}; give it another port";
                    return false;
                }
            }
        }
        return true;
    }

    /// <summary>What cannot be shared by two servers: addresses that do not depend on who asks.</summary>
    private static IEnumerable<(string Host, int Port)> Ports(EnsembleServer server)
    {
        IEnumerable<(string Host, int Port)> all = server.Addresses
            .SelectMany(static a => new[] { (a.Host, a.QuorumPort), (a.Host, a.ElectionPort) });
        if (server.Client is not null)
            all = all.Append((server.Client.Host, server.Client.Port));
        if (server.SecureClient is not null)
            all = all.Append((server.SecureClient.Host, server.SecureClient.Port));
        return all.Where(static a => !HostText.IsWildcard(a.Host) && !HostText.IsLoopback(a.Host))
            .Select(static a => (a.Host.ToUpperInvariant(), a.Port));
    }
}
