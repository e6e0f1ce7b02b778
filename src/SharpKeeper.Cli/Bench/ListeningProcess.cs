using System.Globalization;
using System.Net;

namespace SharpKeeper.Cli.Bench;

/// <summary>Finds the processes of servers on this machine, on Linux, by the ports that they listen on.</summary>
internal static class ListeningProcess
{
    private const string Listening = "0A";
    private static readonly string[] tables = ["/proc/net/tcp", "/proc/net/tcp6"];

    /// <summary>
    /// The processes of all servers; none unless every one of them is local and its process may be looked at.
    /// </summary>
    public static IReadOnlyList<int> FindAll(IReadOnlyList<IPEndPoint> servers)
    {
        if (!OperatingSystem.IsLinux() || servers.Any(server => !IPAddress.IsLoopback(server.Address)))
            return [];
        try
        {
            Dictionary<string, int> portsByLink = [];
            foreach (string table in tables.Where(File.Exists))
                ReadTable(File.ReadLines(table), servers, portsByLink);
            Dictionary<int, int> pidsByPort = [];
            foreach (string process in Directory.EnumerateDirectories("/proc"))
            {
                string name = Path.GetFileName(process);
                if (int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out int pid))
                    Look(process, pid, portsByLink, pidsByPort);
            }
            return servers.All(server => pidsByPort.ContainsKey(server.Port))
                ? [.. servers.Select(server => pidsByPort[server.Port]).Distinct()] : [];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Without /proc there are no process figures; the others can be had.
            return [];
        }
    }

    /// <summary>
    /// Takes the listening sockets from the lines of /proc/net/tcp: the link that a process holds, and the port.
    /// </summary>
    public static void ReadTable(
        IEnumerable<string> lines, IReadOnlyList<IPEndPoint> servers, Dictionary<string, int> portsByLink)
    {
        foreach (string line in lines.Skip(1))
        {
            string[] fields = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (fields.Length < 10 || fields[3] != Listening)
                continue;
            string hex = fields[1][(fields[1].LastIndexOf(':') + 1)..];
            if (int.TryParse(hex, NumberStyles.HexNumber, CultureInfo.InvariantCulture, out int port)
                && servers.Any(server => server.Port == port))
                portsByLink[$"socket:[{fields[9]}]"] = port;
        }
    }

    private static void Look(
        string process, int pid, Dictionary<string, int> portsByLink, Dictionary<int, int> pidsByPort)
    {
        try
        {
            foreach (string descriptor in Directory.EnumerateFiles(Path.Combine(process, "fd")))
            {
                if (new FileInfo(descriptor).LinkTarget is { } link && portsByLink.TryGetValue(link, out int port))
                    pidsByPort[port] = pid;
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The process has ended, or is somebody else's.
        }
    }
}
