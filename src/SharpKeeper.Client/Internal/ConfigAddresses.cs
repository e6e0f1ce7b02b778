namespace SharpKeeper.Client.Internal;

/// <summary>The addresses for clients in the text of /zookeeper/config.</summary>
internal static class ConfigAddresses
{
    /// <summary>
    /// Reads lines like <c>server.1=host:2888:3888:participant;0.0.0.0:2181</c> into a list of servers, joined by
    /// commas. A server that listens on every address is called by its own host; one without a client address is left
    /// out.
    /// </summary>
    public static string ToConnectString(string config)
    {
        const StringSplitOptions Lines = StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries;
        var addresses = new List<string>();
        foreach (string line in config.Split('\n', Lines))
        {
            int equals = line.IndexOf('=', StringComparison.Ordinal);
            if (equals > 0 && line.StartsWith("server.", StringComparison.Ordinal)
                && ClientAddress(line[(equals + 1)..]) is { } address)
                addresses.Add(address);
        }
        return string.Join(',', addresses);
    }

    private static string? ClientAddress(string server)
    {
        string[] parts = server.Split(';', StringSplitOptions.TrimEntries);
        // A third part is the address for TLS.
        if (parts.Length < 2 || parts[1].Length == 0)
            return null;
        int colon = parts[1].LastIndexOf(':');
        string host = colon < 0 ? "" : parts[1][..colon];
        string port = parts[1][(colon + 1)..];
        return $"{(host is "" or "0.0.0.0" or "[::]" or "*" ? OwnHost(parts[0]) : host)}:{port}";
    }

    /// <summary>The first of the addresses for servers, which are separated by bars, without its ports.</summary>
    private static string OwnHost(string addresses)
    {
        string first = addresses.Split('|', 2)[0];
        int end = first.StartsWith('[')
            ? first.IndexOf(']', StringComparison.Ordinal) + 1 : first.IndexOf(':', StringComparison.Ordinal);
        return end > 0 ? first[..end] : first;
    }
}
