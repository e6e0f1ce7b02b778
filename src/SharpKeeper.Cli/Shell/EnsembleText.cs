using System.Text;

namespace SharpKeeper.Cli.Shell;

/// <summary>The text of /zookeeper/config: a line for each server and one for the version.</summary>
internal static class EnsembleText
{
    /// <summary>The version, a blank, and the addresses for clients joined by commas.</summary>
    public static string ClientAddresses(string config)
    {
        string version = "";
        StringBuilder addresses = new();
        const StringSplitOptions Lines = StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries;
        foreach (string line in config.Split('\n', Lines))
        {
            int equals = line.IndexOf('=', StringComparison.Ordinal);
            if (line.StartsWith("version=", StringComparison.Ordinal))
                version = line[(equals + 1)..];
            else if (equals > 0 && line.StartsWith("server.", StringComparison.Ordinal))
                Append(addresses, line[(equals + 1)..]);
        }
        return $"{version} {addresses}";
    }

    // server.1=host:2888:3888:participant;0.0.0.0:2181
    private static void Append(StringBuilder addresses, string server)
    {
        int client = server.LastIndexOf(';');
        if (client < 0)
            return;
        if (addresses.Length > 0)
            addresses.Append(',');
        string address = server[(client + 1)..];
        addresses.Append(address.Contains(':', StringComparison.Ordinal) ? address : $"0.0.0.0:{address}");
    }
}
