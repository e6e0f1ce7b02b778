using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace SharpKeeper.Cli.Bench;

/// <summary>Reads lists of servers.</summary>
internal static class ServerAddresses
{
    private const int DefaultPort = 2181;

    /// <summary>Reads <c>host:port[,host:port...]</c>; the port is 2181 if left out, IPv6 stands in brackets.</summary>
    /// <exception cref="BenchException">The list is empty, or one of its parts is wrong or unknown.</exception>
    public static IReadOnlyList<IPEndPoint> Parse(string list)
    {
        string[] parts = list.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        if (parts.Length == 0)
            throw new BenchException("no server is given; write host:port");
        return [.. parts.Select(ParseOne)];
    }

    private static IPEndPoint ParseOne(string part)
    {
        int colon = part.LastIndexOf(':');
        bool hasPort = colon >= 0 && part.IndexOf(']', colon) < 0;
        string host = hasPort ? part[..colon] : part;
        int port = DefaultPort;
        if (hasPort && (!int.TryParse(part[(colon + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out port)
            || port is < 1 or > 65535))
            throw new BenchException($"{part}: the port must be a number from 1 to 65535");
        if (host.Length == 0)
            throw new BenchException($"{part}: the host is missing; write host:port");
        return new IPEndPoint(Resolve(host, part), port);
    }

    private static IPAddress Resolve(string host, string part)
    {
        if (IPAddress.TryParse(host, out IPAddress? address))
            return address;
        try
        {
            IPAddress[] found = Dns.GetHostAddresses(host);
            return Array.Find(found, its => its.AddressFamily == AddressFamily.InterNetwork) ?? found[0];
        }
        catch (Exception e) when (e is SocketException or ArgumentException)
        {
            throw new BenchException($"{part}: the host {host} is not known: {e.Message}");
        }
    }
}
