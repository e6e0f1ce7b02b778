using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace SharpKeeper.Protocol.Quorum;

/// <summary>Takes the entries of a configuration one by one and checks the whole.</summary>
internal sealed class EnsembleConfigParser
{
    private readonly SortedDictionary<ServerId, EnsembleServer> servers = [];
    private readonly SortedDictionary<long, ServerId[]> groups = [];
    private readonly SortedDictionary<ServerId, long> weights = [];
    private long version;

    public bool TryAdd(string key, string value, out string problem)
    {
        if (key == "version")
            return TryAddVersion(value, out problem);
        int dot = key.IndexOf('.', StringComparison.Ordinal);
        string kind = dot < 0 ? key : key[..dot];
        if (kind is not ("server" or "group" or "weight"))
        {
            problem = $"'{key}' is no entry of a configuration of an ensemble; it has server.N, group.N, weight.N and "
                + "version";
            return false;
        }
        if (dot < 0 || !TryParseNumber(key[(dot + 1)..], out long number))
        {
            problem = $"'{key}' has no number; write {kind}.N with N from 0";
            return false;
        }
        return kind switch
        {
            "server" => TryAddServer(new ServerId(number), value, out problem),
            "group" => TryAddGroup(number, value, out problem),
            _ => TryAddWeight(new ServerId(number), value, out problem),
        };
    }

    public bool TryFinish([NotNullWhen(true)] out EnsembleConfig? config, out string problem)
    {
        config = null;
        if (!servers.Values.Any(static server => server.Role == ServerRole.Participant))
        {
            problem = servers.Count == 0
                ? "the configuration names no server; add server.N lines"
                : "the configuration has no server that votes; make at least one a participant";
            return false;
        }
        if ((groups.Count > 0 || weights.Count > 0) && !CheckGroups(out problem))
            return false;
        config = new EnsembleConfig(
            servers.Values, version, groups.Select(static pair => new ServerGroup(pair.Key, pair.Value)), weights);
        problem = "";
        return true;
    }

    /// <summary>Reads a number from 0, digits only.</summary>
    internal static bool TryParseNumber(string text, out long number) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);

    private bool TryAddServer(ServerId id, string value, out string problem)
    {
        if (!EnsembleServerParser.TryParse(id, value, out EnsembleServer? server, out problem))
            return false;
        servers[id] = server;
        return true;
    }

    private bool TryAddGroup(long group, string value, out string problem)
    {
        var members = new SortedSet<ServerId>();
        foreach (string one in value.Split(':'))
        {
            if (!TryParseNumber(one.Trim(), out long number))
            {
                problem = $"group.{group} names '{one.Trim()}'; write the ids of its servers between colons";
                return false;
            }
            if (!members.Add(new ServerId(number)))
            {
                problem = $"group.{group} names server {number} twice; name it once";
                return false;
            }
        }
        groups[group] = [.. members];
        problem = "";
        return true;
    }

    private bool TryAddWeight(ServerId id, string value, out string problem)
    {
        problem = "";
        if (!TryParseNumber(value, out long weight) || weight > int.MaxValue)
            problem = $"weight.{id} is '{value}'; use a number from 0 to {int.MaxValue}";
        else
            weights[id] = weight;
        return problem.Length == 0;
    }

    private bool TryAddVersion(string value, out string problem)
    {
        problem = "";
        if (!long.TryParse(value, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out version)
            || version < 0)
        {
            problem = $"the version is '{value}'; it is a hexadecimal number without 0x, below 8000000000000000";
        }
        return problem.Length == 0;
    }

    private bool CheckGroups(out string problem)
    {
        var grouped = new Dictionary<ServerId, long>();
        foreach ((long group, ServerId[] members) in groups)
        {
            foreach (ServerId id in members)
            {
                if (!grouped.TryAdd(id, group))
                {
                    problem = $"server {id} is in group.{grouped[id]} and in group.{group}; put it into one";
                    return false;
                }
                if (!weights.ContainsKey(id) && !IsVoter(id))
                {
                    problem = $"group.{group} names server {id}, which is no participant; take it out";
                    return false;
                }
            }
        }
        foreach (EnsembleServer server in servers.Values)
        {
            if (server.Role == ServerRole.Participant && !grouped.ContainsKey(server.Id))
            {
                problem = $"server {server.Id} is in no group although there are groups or weights; put it into a "
                    + "group.N line";
                return false;
            }
        }
        bool hasWeight = grouped.Keys.Any(id => weights.GetValueOrDefault(id, 1) > 0);
        problem = hasWeight ? "" : "no server has a weight above 0, so there can be no quorum; raise a weight.N";
        return hasWeight;
    }

    private bool IsVoter(ServerId id) =>
        servers.TryGetValue(id, out EnsembleServer? server) && server.Role == ServerRole.Participant;
}
