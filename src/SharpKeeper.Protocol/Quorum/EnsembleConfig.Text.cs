using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;

namespace SharpKeeper.Protocol.Quorum;

public sealed partial class EnsembleConfig
{
    private const string ServerPrefix = "server.";
    private const string GroupPrefix = "group.";
    private const string WeightPrefix = "weight.";

    /// <summary>The text as Apache's servers write it: a line a server, then groups and weights, the version last.</summary>
    public string Format() =>
        FormatMembers() + "version=" + Version.ToString("x", CultureInfo.InvariantCulture);

    /// <summary>Reads such a text. Lines of other keys are passed over.</summary>
    /// <param name="text">Lines <c>server.N=...</c>, <c>group.N=...</c>, <c>weight.N=...</c>, <c>version=...</c>.</param>
    /// <param name="config">The configuration; null if the text is none.</param>
    /// <param name="problem">What is wrong and how to mend it; empty if nothing is.</param>
    public static bool TryParse(string text, [NotNullWhen(true)] out EnsembleConfig? config, out string problem)
    {
        ArgumentNullException.ThrowIfNull(text);
        config = null;
        var servers = new Dictionary<ServerId, EnsembleServer>();
        var groups = new Dictionary<long, IReadOnlyList<ServerId>>();
        var weights = new Dictionary<ServerId, long>();
        long version = 0;
        problem = "";
        foreach (string raw in text.Split('\n'))
        {
            string line = raw.Trim();
            int equals = line.IndexOf('=', StringComparison.Ordinal);
            if (equals < 0 || line[0] is '#' or '!')
                continue;
            string key = line[..equals].Trim();
            string value = line[(equals + 1)..].Trim().Replace("\\", "", StringComparison.Ordinal);
            if (key == "version")
            {
                if (!long.TryParse(value, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out version))
                    problem = $"version={value}: the version must be a hexadecimal number";
            }
            else if (key.StartsWith(ServerPrefix, StringComparison.Ordinal))
            {
                if (TryParseServer(key[ServerPrefix.Length..], value, out EnsembleServer? server, out problem))
                    servers[server.Id] = server;
            }
            else if (key.StartsWith(GroupPrefix, StringComparison.Ordinal))
            {
                ParseGroup(key, value, groups, out problem);
            }
            else if (key.StartsWith(WeightPrefix, StringComparison.Ordinal))
            {
                ParseWeight(key, value, weights, out problem);
            }
            if (problem.Length > 0)
                return false;
        }
        return TryBuild(servers.Values, version, groups, weights, out config, out problem);
    }

    /// <summary>Puts a configuration together and checks that its parts agree.</summary>
    public static bool TryBuild(
        IEnumerable<EnsembleServer> servers, long version,
        IReadOnlyDictionary<long, IReadOnlyList<ServerId>> groups, IReadOnlyDictionary<ServerId, long> weights,
        [NotNullWhen(true)] out EnsembleConfig? config, out string problem)
    {
        ArgumentNullException.ThrowIfNull(groups);
        problem = "";
        var built = new EnsembleConfig(servers, version, groups, weights);
        config = null;
        if (built.Servers.Count == 0)
            problem = "there is no line server.N=host:quorumPort:electionPort";
        var grouped = new HashSet<ServerId>();
        foreach ((long group, IReadOnlyList<ServerId> members) in groups)
        {
            foreach (ServerId member in members)
            {
                if (built.Find(member) is null)
                    problem = $"group.{group} names server {member}, for which there is no line server.{member}=...";
                else if (!grouped.Add(member))
                    problem = $"server {member} is in two groups; name it in one";
            }
        }
        foreach (ServerId voter in built.Voters)
        {
            if (built.IsHierarchical && !grouped.Contains(voter))
                problem = $"server {voter} votes and is in no group; add it to a group.N line";
        }
        if (problem.Length > 0)
            return false;
        config = built;
        return true;
    }

    /// <summary>
    /// Reads <c>host:quorumPort:electionPort[|host:port:port...][:role][;[host:]clientPort][;[host:]securePort]</c>.
    /// </summary>
    /// <param name="id">The number behind <c>server.</c>.</param>
    /// <param name="value">What stands behind the equals sign.</param>
    /// <param name="server">The server; null if the value is none.</param>
    /// <param name="problem">What is wrong and how to mend it; empty if nothing is.</param>
    public static bool TryParseServer(
        string id, string value, [NotNullWhen(true)] out EnsembleServer? server, out string problem)
    {
        ArgumentNullException.ThrowIfNull(id);
        ArgumentNullException.ThrowIfNull(value);
        server = null;
        string line = $"{ServerPrefix}{id}={value}";
        problem = "";
        if (!long.TryParse(id, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long number))
        {
            problem = $"{line}: \"{id}\" is no number; the line must begin with server. and the server's myid";
            return false;
        }
        string[] parts = value.Split(';');
        var role = ServerRole.Participant;
        var addresses = new List<ServerAddress>();
        foreach (string text in parts[0].Split('|'))
        {
            if (!TryParseAddress(text, out ServerAddress? address, ref role))
            {
                problem = $"{line}: \"{text}\" is not host:quorumPort:electionPort[:participant|:observer]";
                return false;
            }
            addresses.Add(address);
        }
        ClientAddress? client = null;
        ClientAddress? secure = null;
        if ((parts.Length > 1 && parts[1].Length > 0 && !TryParseClient(parts[1], out client))
            || (parts.Length > 2 && parts[2].Length > 0 && !TryParseClient(parts[2], out secure)) || parts.Length > 3)
        {
            problem = $"{line}: what follows the semicolon must be [host:]clientPort[;[host:]secureClientPort]";
            return false;
        }
        server = new EnsembleServer(new ServerId(number), addresses, role, client, secure);
        return true;
    }

    private string FormatMembers()
    {
        var text = new StringBuilder();
        foreach (EnsembleServer server in Servers)
            text.Append(ServerPrefix).Append(server.Id).Append('=').Append(server.Format()).Append('\n');
        foreach ((long group, IReadOnlyList<ServerId> members) in Groups.OrderBy(static entry => entry.Key))
            text.Append(CultureInfo.InvariantCulture, $"{GroupPrefix}{group}={string.Join(':', members)}\n");
        foreach ((ServerId id, long weight) in Weights.OrderBy(static entry => entry.Key))
            text.Append(CultureInfo.InvariantCulture, $"{WeightPrefix}{id}={weight}\n");
        return text.ToString();
    }

    private static void ParseGroup(
        string key, string value, Dictionary<long, IReadOnlyList<ServerId>> groups, out string problem)
    {
        problem = $"{key}={value}: a group is written as group.N=id:id:id";
        if (!TryParseNumber(key[GroupPrefix.Length..], out long group))
            return;
        var members = new List<ServerId>();
        foreach (string member in value.Split(':', StringSplitOptions.RemoveEmptyEntries))
        {
            if (!TryParseNumber(member, out long id))
                return;
            members.Add(new ServerId(id));
        }
        if (members.Count == 0)
            return;
        groups[group] = members;
        problem = "";
    }

    private static void ParseWeight(
        string key, string value, Dictionary<ServerId, long> weights, out string problem)
    {
        problem = $"{key}={value}: a weight is written as weight.N=number, 0 or more";
        if (!TryParseNumber(key[WeightPrefix.Length..], out long id) || !TryParseNumber(value, out long weight)
            || weight < 0)
            return;
        weights[new ServerId(id)] = weight;
        problem = "";
    }

    private static bool TryParseNumber(string text, out long number) =>
        long.TryParse(text.Trim(), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out number);

    private static bool TryParseAddress(
        string text, [NotNullWhen(true)] out ServerAddress? address, ref ServerRole role)
    {
        address = null;
        if (!TrySplitHost(text.Trim(), out string host, out string rest))
            return false;
        string[] fields = rest.Split(':');
        if (fields.Length is < 2 or > 3 || !TryParsePort(fields[0], out int quorum)
            || !TryParsePort(fields[1], out int election))
            return false;
        if (fields.Length == 3 && !TryParseRole(fields[2], ref role))
            return false;
        address = new ServerAddress(host, quorum, election);
        return true;
    }

    private static bool TryParseRole(string text, ref ServerRole role)
    {
        bool isObserver = text.Equals("observer", StringComparison.OrdinalIgnoreCase);
        if (!isObserver && !text.Equals("participant", StringComparison.OrdinalIgnoreCase))
            return false;
        role = isObserver ? ServerRole.Observer : ServerRole.Participant;
        return true;
    }

    private static bool TryParseClient(string text, out ClientAddress? address)
    {
        address = null;
        string host = "0.0.0.0";
        string port = text.Trim();
        if (port.Contains(':', StringComparison.Ordinal) && !TrySplitHost(port, out host, out port))
            return false;
        if (!TryParsePort(port, out int number))
            return false;
        address = new ClientAddress(host, number);
        return true;
    }

    // An IPv6 address stands in brackets, because of its colons.
    private static bool TrySplitHost(string text, out string host, out string rest)
    {
        host = rest = "";
        int end = text.StartsWith('[') ? text.IndexOf(']', StringComparison.Ordinal) + 1
            : text.IndexOf(':', StringComparison.Ordinal);
        if (end <= 0 || end >= text.Length || text[end] != ':')
            return false;
        host = text[..end].Trim('[', ']');
        rest = text[(end + 1)..];
        return host.Length > 0;
    }

    private static bool TryParsePort(string text, out int port) =>
        int.TryParse(text.Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out port) && port is >= 0 and <= 65535;
}
