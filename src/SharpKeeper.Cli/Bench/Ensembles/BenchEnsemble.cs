using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using SharpKeeper.Protocol;

namespace SharpKeeper.Cli.Bench.Ensembles;

/// <summary>
/// Servers of one program, each a process on loopback with a directory of its own below a temporary one. When it has
/// been disposed of, no process and no file is left.
/// </summary>
internal sealed class BenchEnsemble : IDisposable
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(4);

    private readonly EnsembleSide side;
    private readonly TimeSpan readyMax;
    private readonly CancellationToken cancel;
    private readonly DirectoryInfo directory;

    /// <summary>Writes the files; nothing is started.</summary>
    public BenchEnsemble(EnsembleSide side, EnsembleBenchOptions options, CancellationToken cancel)
    {
        this.side = side;
        this.cancel = cancel;
        readyMax = options.ReadyMax;
        directory = options.Directory is { } parent
            ? Directory.CreateDirectory(Path.Combine(parent, $"bench-{side.Name}-{Guid.NewGuid():n}"))
            : Directory.CreateTempSubdirectory("sharpkeeper-bench-");
        int[] ports = FreePorts(3 * options.Servers);
        Servers = [.. Enumerable.Range(0, options.Servers).Select(i => new BenchServer(
            i + 1, Path.Combine(directory.FullName, string.Create(CultureInfo.InvariantCulture, $"server-{i + 1}")),
            ports[3 * i], ports[3 * i + 1], ports[3 * i + 2]))];
        foreach (BenchServer server in Servers)
            server.WriteFiles(Config(options), Servers);
    }

    /// <summary>All servers; the first has number 1.</summary>
    public IReadOnlyList<BenchServer> Servers { get; }

    /// <summary>Where clients connect.</summary>
    public IReadOnlyList<IPEndPoint> EndPoints => [.. Servers.Select(server => server.EndPoint)];

    /// <summary>The processes.</summary>
    public IReadOnlyList<int> Pids => [.. Servers.Where(server => server.IsRunning).Select(server => server.Pid)];

    /// <summary>Starts every server that does not run, and waits until each answers a client's request.</summary>
    /// <returns>The time from before the first start to the reply of the last.</returns>
    public TimeSpan StartAll()
    {
        long start = Stopwatch.GetTimestamp();
        foreach (BenchServer server in Servers.Where(server => !server.IsRunning))
            server.Start(side);
        foreach (BenchServer server in Servers)
            WaitServing(server);
        return Stopwatch.GetElapsedTime(start);
    }

    /// <summary>Starts a server and does not wait.</summary>
    public void Start(BenchServer server) => server.Start(side);

    /// <summary>Waits until a server answers a client's request.</summary>
    public void WaitServing(BenchServer server) =>
        WaitUntil($"server {server.Id} to serve", () => FirstReply.TryGet(server.EndPoint));

    /// <summary>The server that leads, as soon as there is one.</summary>
    public BenchServer Leader()
    {
        BenchServer? leader = null;
        WaitUntil("a leader", () => (leader = Servers.FirstOrDefault(
            server => server.IsRunning && ServerStatus.Ask(server.EndPoint)?.Mode == "leader")) is not null);
        return leader!;
    }

    /// <summary>Waits until a server that serves has applied what another one had when it was asked.</summary>
    public void WaitInSync(BenchServer behind, BenchServer leader) => WaitUntil($"server {behind.Id} to catch up", () =>
    {
        if (ServerStatus.Ask(leader.EndPoint) is not { } ahead)
            return false;
        Zxid target = ahead.Zxid;
        return ServerStatus.Ask(behind.EndPoint) is { IsServing: true } status && status.Zxid.Value >= target.Value;
    });

    /// <summary>Asks until something holds.</summary>
    /// <exception cref="BenchException">It does not in the time allowed, or a server has ended by itself.</exception>
    public void WaitUntil(string what, Func<bool> holds)
    {
        long start = Stopwatch.GetTimestamp();
        while (!holds())
        {
            foreach (BenchServer server in Servers)
                server.ThrowIfEnded();
            if (cancel.IsCancellationRequested)
                throw new BenchException("stopped");
            if (Stopwatch.GetElapsedTime(start) > readyMax)
                throw new BenchException(
                    $"{side.Program}: waited {readyMax.TotalSeconds:0} s in vain for {what}");
            Thread.Sleep(Pause);
        }
    }

    public void Dispose()
    {
        foreach (BenchServer server in Servers)
            server.Dispose();
        directory.Delete(recursive: true);
    }

    private static string[] Config(EnsembleBenchOptions options) =>
    [
        string.Create(CultureInfo.InvariantCulture, $"tickTime={options.TickTimeMs}"),
        "initLimit=10",
        "syncLimit=5",
        "maxClientCnxns=0",
        "admin.enableServer=false",
        "4lw.commands.whitelist=srvr",
        .. options.Config,
    ];

    /// <summary>
    /// Ports that were free a moment ago. They lie below those that the system gives to connections, so that nobody
    /// takes one while its server is down.
    /// </summary>
    private static int[] FreePorts(int count)
    {
        const int First = 12_000;
        const int Range = 19_000;
        var ports = new List<int>();
        int start = Random.Shared.Next(Range);
        for (int i = 0; i < Range && ports.Count < count; i++)
        {
            int port = First + (start + i) % Range;
            if (IsFree(port))
                ports.Add(port);
        }
        return ports.Count == count ? [.. ports] : throw new BenchException($"no {count} ports are free");
    }

    private static bool IsFree(int port)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Bind(new IPEndPoint(IPAddress.Loopback, port));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
