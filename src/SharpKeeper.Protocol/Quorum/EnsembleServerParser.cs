using System.Diagnostics.CodeAnalysis;

namespace SharpKeeper.Protocol.Quorum;

/// <summary>Reads the value of a <c>server.N</c> line.</summary>
internal static class EnsembleServerParser
{
    private const string AnyHost = "0.0.0.0";
    private const string Form = "write host:quorumPort:electionPort[:participant|:observer][;[host:]clientPort]";

    public static bool TryParse(
        ServerId id, string value, [NotNullWhen(true)] out EnsembleServer? server, out string problem)
    {
        server = null;
        // Java's split, which Apache uses, forgets what is empty at the end.
        string[] parts = value.TrimEnd(';', ' ', '\t').Split(';');
        problem = "";
        if (parts.Length > 3)
            problem = $"server.{id} has more than two parts for clients; {Form}";
        else if (TryParseAddresses(id, parts[0], out List<ServerAddress> addresses, out ServerRole role, out problem)
            && TryParseClients(id, parts, out ClientAddress? client, out ClientAddress? secure, out problem))
        {
            server = new EnsembleServer(id, addresses, role, client, secure);
        }
        return server is not null;
    }

    private static bool TryParseAddresses(
        ServerId id, string text, out List<ServerAddress> addresses, out ServerRole role, out string problem)
    {
        addresses = [];
        role = ServerRole.Participant;
        ServerRole? said = null;
        foreach (string one in text.Split('|'))
        {
            if (!TryParseAddress(id, one.Trim(), out ServerAddress? address, out ServerRole? own, out problem))
                return false;
            if (own is not null && said is not null && own != said)
            {
                problem = $"server.{id} has addresses with different roles; give the role once, after the last one";
                return false;
            }
            said ??= own;
            if (!addresses.Contains(address))
                addresses.Add(address);
        }
        role = said ?? ServerRole.Participant;
        problem = "";
        return true;
    }

    private static bool TryParseAddress(
        ServerId id, string text, [NotNullWhen(true)] out ServerAddress? address, out ServerRole? role,
        out string problem)
    {
        address = null;
        role = null;
        if (!HostText.TrySplit(text, out string host, out string[] fields) || fields.Length is < 2 or > 3)
        {
            problem = $"server.{id} has the address '{text}'; {Form}, an IPv6 host in brackets";
            return false;
        }
        if (!HostText.IsHost(host))
            problem = $"server.{id} has the host '{host}', which is no name or address; {Form}";
        else if (!HostText.TryParsePort(fields[0], out int quorum))
            problem = $"server.{id} has the quorum port '{fields[0]}'; use a number from 0 to 65535";
        else if (!HostText.TryParsePort(fields[1], out int election))
            problem = $"server.{id} has the election port '{fields[1]}'; use a number from 0 to 65535";
        else if (fields.Length == 3 && !TryParseRole(fields[2], out role))
            problem = $"server.{id} has the role '{fields[2]}'; use participant or observer";
        else
        {
            address = new ServerAddress(host, quorum, election);
            problem = "";
        }
        return address is not null;
    }

    private static bool TryParseRole(string text, out ServerRole? role)
    {
        string word = text.Trim();
        role = word.Equals("participant", StringComparison.OrdinalIgnoreCase) ? ServerRole.Participant
            : word.Equals("observer", StringComparison.OrdinalIgnoreCase) ? ServerRole.Observer
            : null;
        return role is not null;
    }

    private static bool TryParseClients(
        ServerId id, string[] parts, out ClientAddress? client, out ClientAddress? secure, out string problem)
    {
        client = null;
        secure = null;
        problem = "";
        // The part for plain clients may be empty only where one for secure clients follows.
        if (parts.Length > 1 && !(parts.Length == 3 && parts[1].Trim().Length == 0)
            && !TryParseClient(id, "client", parts[1].Trim(), out client, out problem))
        {
            return false;
        }
        return parts.Length < 3 || TryParseClient(id, "secure client", parts[2].Trim(), out secure, out problem);
    }

    private static bool TryParseClient(
        ServerId id, string what, string text, out ClientAddress? client, out string problem)
    {
        client = null;
        string host = AnyHost;
        string port = text;
        if (text.Contains(':', StringComparison.Ordinal) || text.StartsWith('['))
        {
            if (!HostText.TrySplit(text, out host, out string[] fields) || fields.Length != 1)
            {
                problem = $"server.{id} has the {what} part '{text}'; write port or host:port, IPv6 in brackets";
                return false;
            }
            port = fields[0];
        }
        if (!HostText.IsHost(host))
            problem = $"server.{id} has the {what} host '{host}', which is no name or address";
        else if (!HostText.TryParsePort(port, out int number))
            problem = $"server.{id} has the {what} port '{port}'; use a number from 0 to 65535";
        else
        {
            client = new ClientAddress(host, number);
            problem = "";
        }
        return client is not null;
    }
}
