using System.Globalization;

namespace SharpKeeper.Cli.Ensemble;

/// <summary>Where one server takes clients; the host is not looked up yet.</summary>
internal readonly record struct ServerAddress(string Host, int Port)
{
    private const int DefaultPort = 2181;

    /// <summary>
    /// Reads a connect string: <c>host:port[,host:port...]</c>. The port is 2181 if left out, IPv6 stands in brackets,
    /// and a path behind the last server is passed over.
    /// </summary>
    /// <exception cref="FormatException">The list is empty or one of its parts is wrong; the message says
    /// which.</exception>
    internal static IReadOnlyList<ServerAddress> ParseList(string list)
    {
        int path = list.IndexOf('/', StringComparison.Ordinal);
        string servers = path < 0 ? list : list[..path];
        string[] parts = servers.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        return parts.Length > 0
            ? [.. parts.Select(Parse).Distinct()]
            : throw new FormatException("no server is given; write host:port,host:port,...");
    }

    private static ServerAddress Parse(string part)
    {
        int colon = part.LastIndexOf(':');
        bool hasPort = colon >= 0 && part.IndexOf(']', colon) < 0;
        string host = hasPort ? part[..colon] : part;
        int port = DefaultPort;
        if (hasPort && (!int.TryParse(part[(colon + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out port)
            || port is < 1 or > 65535))
            throw new FormatException($"{part}: the port must be a number from 1 to 65535");
        host = host.Trim('[', ']');
        return host.Length > 0 ? new ServerAddress(host, port)
            : throw new FormatException($"{part}: the host is missing; write host:port");
    }

    /// <summary>As it is written in a connect string.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"{(Host.Contains(':', StringComparison.Ordinal) ? $"[{Host}]" : Host)}:{Port}");
}
