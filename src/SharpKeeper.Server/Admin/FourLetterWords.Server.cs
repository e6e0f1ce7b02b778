using System.Globalization;
using System.Net;
using System.Runtime.InteropServices;
using System.Text;
using SharpKeeper.Core.Zab;
using SharpKeeper.Protocol;
using SharpKeeper.Server.Metrics;

namespace SharpKeeper.Server.Admin;

internal sealed partial class FourLetterWords
{
    private const long Mebibyte = 1 << 20;

    private static string VersionLine() => $"Zookeeper version: {ServerVersion.Text}\n";

    private string Statistics()
    {
        SummaryValues latency = metrics.RequestLatency.Read();
        StringBuilder text = new();
        if (source.IsReadOnly)
            text.Append("READ-ONLY mode; serving only read-only clients\n");
        CultureInfo invariant = CultureInfo.InvariantCulture;
        text.Append(invariant, $"Latency min/avg/max: {latency.Min}/{JavaText.Of(latency.Average)}/{latency.Max}\n");
        text.Append(invariant, $"Received: {metrics.PacketsReceived.Value}\nSent: {metrics.PacketsSent.Value}\n");
        text.Append(invariant, $"Connections: {source.ConnectionCount}\nOutstanding: {source.OutstandingRequests}\n");
        text.Append(invariant, $"Zxid: {source.LastZxid}\nMode: {source.Mode}\n");
        text.Append(invariant, $"Node count: {source.Counts.Znodes}\n");
        if (source.Ensemble is { State: ServerState.Leading, ProposalSizes: ProposalSizes sizes })
            text.Append(invariant, $"Proposal sizes last/min/max: {sizes.Last}/{sizes.Min}/{sizes.Max}\n");
        return text.ToString();
    }

    private string Clients()
    {
        StringBuilder text = new("Clients:\n");
        foreach (ConnectionStatus connection in source.Connections)
            AppendBrief(text, connection).Append(")\n");
        return text.Append('\n').ToString();
    }

    private string Cons()
    {
        StringBuilder text = new();
        foreach (ConnectionStatus connection in source.Connections)
        {
            AppendBrief(text, connection);
            if (connection.Session != default)
                AppendSession(text, connection);
            text.Append(")\n");
        }
        return text.Append('\n').ToString();
    }

    private static StringBuilder AppendBrief(StringBuilder text, ConnectionStatus c) =>
        text.Append(CultureInfo.InvariantCulture,
            $" {JavaText.Of(c.Remote)}[{c.InterestOps:x}](queued={c.Queued},recved={c.Received},sent={c.Sent}");

    private static void AppendSession(StringBuilder text, ConnectionStatus c)
    {
        CultureInfo invariant = CultureInfo.InvariantCulture;
        text.Append(invariant, $",sid={c.Session},lop={c.LastOperation}");
        text.Append(invariant, $",est={c.Established.ToUnixTimeMilliseconds()}");
        text.Append(invariant, $",to={(long)c.SessionTimeout.TotalMilliseconds}");
        if (c.LastXid >= 0)
            text.Append(invariant, $",lcxid=0x{c.LastXid:x}");
        text.Append(invariant, $",lzxid={c.LastZxid},lresp={c.LastResponseMs},llat={c.LastLatencyMs}");
        text.Append(invariant, $",minlat={c.MinLatencyMs},avglat={c.AvgLatencyMs},maxlat={c.MaxLatencyMs}");
    }

    private string Conf()
    {
        StringBuilder text = new();
        foreach ((string key, string value) in ConfEntries())
            text.Append(key).Append('=').Append(value).Append('\n');
        if (source.Ensemble is EnsembleStatus ensemble)
            AppendEnsemble(text, ensemble);
        return text.ToString();
    }

    /// <summary>The settings <c>conf</c> shows, in its order.</summary>
    internal IEnumerable<KeyValuePair<string, string>> ConfEntries()
    {
        ServerOptions options = source.Options;
        static KeyValuePair<string, string> Entry(string key, long value) =>
            new(key, value.ToString(CultureInfo.InvariantCulture));
        static KeyValuePair<string, string> Time(string key, TimeSpan value) =>
            Entry(key, (long)value.TotalMilliseconds);
        return
        [
            Entry("clientPort", source.ClientPort),
            Entry("secureClientPort", -1),
            new("dataDir", VersionedDirectory(options.DataDir)),
            Entry("dataDirSize", source.DataDirBytes),
            new("dataLogDir", VersionedDirectory(options.DataLogDir)),
            Entry("dataLogSize", source.LogDirBytes),
            Time("tickTime", options.TickTime),
            Entry("maxClientCnxns", options.ConnectionsPerAddressMax),
            Time("minSessionTimeout", options.SessionTimeoutMin),
            Time("maxSessionTimeout", options.SessionTimeoutMax),
            Entry("clientPortListenBacklog", options.ListenBacklog),
            Entry("serverId", source.ServerId),
        ];
    }

    private string VersionedDirectory(string directory) => source.Options.InMemory
        ? "(memory)" : Path.Combine(Path.GetFullPath(directory), "version-2");

    private static string Envi()
    {
        StringBuilder text = new("Environment:\n");
        foreach ((string key, string value) in EnvironmentEntries())
            text.Append(key).Append('=').Append(value).Append('\n');
        return text.ToString();
    }

    /// <summary>Apache's keys without those of Java, for which the run time's name and version stand.</summary>
    internal static IEnumerable<KeyValuePair<string, string>> EnvironmentEntries()
    {
        long used = Environment.WorkingSet;
        long available = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
        return
        [
            new("zookeeper.version", ServerVersion.Text),
            new("host.name", Dns.GetHostName()),
            new("runtime.version", RuntimeInformation.FrameworkDescription),
            new("os.name", OperatingSystem.IsWindows() ? "Windows" : OperatingSystem.IsMacOS() ? "Mac OS X" : "Linux"),
            new("os.arch", Architecture()),
            new("os.version", Environment.OSVersion.Version.ToString()),
            new("user.name", Environment.UserName),
            new("user.home", Environment.GetFolderPath(Environment.SpecialFolder.UserProfile)),
            new("user.dir", Environment.CurrentDirectory),
            new("os.memory.free", Mebibytes(Math.Max(0, available - used))),
            new("os.memory.max", Mebibytes(available)),
            new("os.memory.total", Mebibytes(used)),
        ];
    }

    private static string Mebibytes(long bytes) =>
        (bytes / Mebibyte).ToString(CultureInfo.InvariantCulture) + "MB";

    private static string Architecture() => RuntimeInformation.ProcessArchitecture switch
    {
        System.Runtime.InteropServices.Architecture.X64 => "amd64",
        System.Runtime.InteropServices.Architecture.Arm64 => "aarch64",
        System.Runtime.InteropServices.Architecture other => other.ToString().ToLowerInvariant(),
    };
}
