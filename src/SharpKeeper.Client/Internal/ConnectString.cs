using System.Globalization;
using SharpKeeper.Protocol;

namespace SharpKeeper.Client.Internal;

/// <summary>Where a server listens.</summary>
internal sealed record ServerEndpoint(string Host, int Port)
{
    public override string ToString() => Host.Contains(':', StringComparison.Ordinal)
        ? string.Create(CultureInfo.InvariantCulture, $"[{Host}]:{Port}")
        : string.Create(CultureInfo.InvariantCulture, $"{Host}:{Port}");
}

/// <summary>A connect string taken apart: servers, and the chroot, which is empty or starts with a slash.</summary>
internal sealed record ConnectString(IReadOnlyList<ServerEndpoint> Servers, string Chroot)
{
    public const int DefaultPort = 2181;

    public static ConnectString Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        int slash = text.IndexOf('/', StringComparison.Ordinal);
        string hosts = slash < 0 ? text : text[..slash];
        string chroot = slash < 0 ? "" : text[slash..];
        if (chroot.Length > 0)
            ZnodePath.Validate(chroot);
        ServerEndpoint[] servers = [.. hosts.Split(',').Select(host => ParseServer(host.Trim(), text)).Distinct()];
        return new ConnectString(servers, chroot == ZnodePath.Root ? "" : chroot);
    }

    private static ServerEndpoint ParseServer(string server, string whole)
    {
        if (server.Length == 0)
            throw Bad(whole, "a server is missing between two commas, or there is none at all");
        string host;
        string port = "";
        if (server[0] == '[')
        {
            int end = server.IndexOf(']', StringComparison.Ordinal);
            if (end < 0 || (end + 1 < server.Length && server[end + 1] != ':'))
                throw Bad(whole, $"\"{server}\" must look like [address] or [address]:port");
            host = server[1..end];
            if (end + 1 < server.Length)
                port = server[(end + 2)..];
        }
        else
        {
            string[] parts = server.Split(':');
            if (parts.Length > 2)
                throw Bad(whole, $"\"{server}\" has several colons; put an IPv6 address in brackets");
            host = parts[0];
            port = parts.Length == 2 ? parts[1] : "";
        }
        if (host.Length == 0)
            throw Bad(whole, $"\"{server}\" has no host");
        if (port.Length == 0 && !server.EndsWith(':'))
            return new ServerEndpoint(host, DefaultPort);
        if (!int.TryParse(port, NumberStyles.None, CultureInfo.InvariantCulture, out int number)
            || number is 0 or > 65535)
            throw Bad(whole, $"\"{server}\" has no port between 1 and 65535 behind the colon");
        return new ServerEndpoint(host, number);
    }

    private static ArgumentException Bad(string text, string reason) =>
        new($"Invalid connect string \"{text}\": {reason}.", nameof(text));
}
