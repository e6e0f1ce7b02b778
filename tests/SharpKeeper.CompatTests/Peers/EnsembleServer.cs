using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using SharpKeeper.Protocol;

namespace SharpKeeper.CompatTests.Peers;

/// <summary>What a server says of itself.</summary>
/// <param name="Mode">leader, follower, observer, standalone or read-only.</param>
/// <param name="Zxid">The last transaction it has applied.</param>
public sealed record ServerStatus(string Mode, Zxid Zxid);

/// <summary>
/// One place in an ensemble: an id, ports, a zoo.cfg and a data directory, which either program may serve in turns.
/// </summary>
public sealed class EnsembleServer : IAsyncDisposable
{
    private static readonly TimeSpan AnswerMax = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan StopMax = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);

    private readonly StringBuilder before = new();
    private readonly IReadOnlyDictionary<string, string> properties;
    private ChildProcess? process;

    internal EnsembleServer(int id, ServerKind kind, string directory, EnsembleSetup setup)
    {
        properties = setup.Properties;
        Id = id;
        Kind = kind;
        Directory = directory;
        DataDirectory = setup.DataDirectory(id) ?? Path.Combine(directory, "data");
        int[] ports = LoopbackPorts.Take(3);
        (ClientPort, QuorumPort, ElectionPort) = (ports[0], ports[1], ports[2]);
        System.IO.Directory.CreateDirectory(DataDirectory);
        File.WriteAllText(Path.Combine(DataDirectory, "myid"), id.ToString(CultureInfo.InvariantCulture) + "\n");
    }

    /// <summary>Its number, as myid has it.</summary>
    public int Id { get; }

    /// <summary>The program that runs, or that the next start runs.</summary>
    public ServerKind Kind { get; private set; }

    /// <summary>Where its zoo.cfg is.</summary>
    public string Directory { get; }

    /// <summary>Holds myid and version-2.</summary>
    public string DataDirectory { get; }

    /// <summary>Where clients connect.</summary>
    public int ClientPort { get; }

    /// <summary>Where learners connect while it leads.</summary>
    public int QuorumPort { get; }

    /// <summary>Where votes arrive.</summary>
    public int ElectionPort { get; }

    /// <summary>Where clients connect.</summary>
    public string ConnectString => string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{ClientPort}");

    /// <summary>Its configuration file.</summary>
    public string ConfigFile => Path.Combine(Directory, "zoo.cfg");

    /// <summary>Is its process there?</summary>
    public bool IsRunning => process is { HasExited: false };

    /// <summary>Everything that its processes have printed.</summary>
    public string Output => before + process?.Output;

    /// <summary>Starts the process and does not wait.</summary>
    /// <param name="kind">The program to run from now on; null for the same as before.</param>
    public void Start(ServerKind? kind = null)
    {
        if (process is not null)
            throw new InvalidOperationException($"Server {Id} has been started already.");
        Kind = kind ?? Kind;
        before.AppendLine(CultureInfo.InvariantCulture, $"---- {Kind} {DateTime.Now:HH:mm:ss.fff}");
        process = ChildProcess.Start(Kind == ServerKind.Apache ? ApacheCommand() : OurCommand(), Directory);
    }

    /// <summary>Ends the process as a power cut would.</summary>
    public Task KillAsync() => EndAsync(child => child.KillAsync());

    /// <summary>Asks the process to end and waits for it.</summary>
    public Task StopAsync() => EndAsync(child => child.StopAsync(StopMax));

    /// <summary>Stops the process in its tracks: its connections stay and nothing answers.</summary>
    public Task FreezeAsync() => Running.SignalAsync("STOP");

    /// <summary>Lets a frozen process go on.</summary>
    public Task ThawAsync() => Running.SignalAsync("CONT");

    /// <summary>Sends a four-letter word and returns the answer.</summary>
    public async Task<string> CommandAsync(string word, CancellationToken cancellation)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(new IPEndPoint(IPAddress.Loopback, ClientPort), cancellation);
        await socket.SendAsync(Encoding.ASCII.GetBytes(word), cancellation);
        using var stream = new NetworkStream(socket);
        using var reader = new StreamReader(stream);
        return await reader.ReadToEndAsync(cancellation);
    }

    /// <summary>What it says of itself; null while it serves nobody.</summary>
    public async Task<ServerStatus?> StatusAsync(CancellationToken cancellation)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(AnswerMax);
        try
        {
            string answer = await CommandAsync("srvr", limit.Token);
            return Value(answer, "Mode: ") is { } mode && Value(answer, "Zxid: 0x") is { } zxid
                ? new ServerStatus(mode, new Zxid(long.Parse(zxid, NumberStyles.HexNumber, CultureInfo.InvariantCulture)))
                : null;
        }
        catch (Exception e) when (e is SocketException or IOException
            || (e is OperationCanceledException && !cancellation.IsCancellationRequested))
        {
            return null;
        }
    }

    /// <summary>A figure that <c>mntr</c> gives; null if it gives none of the name.</summary>
    public async Task<long?> FigureAsync(string name, CancellationToken cancellation) =>
        Value(await CommandAsync("mntr", cancellation), name + "\t") is { } text
            ? (long)double.Parse(text, CultureInfo.InvariantCulture)
            : null;

    /// <summary>Waits until it serves clients in a role of an ensemble.</summary>
    public async Task<ServerStatus> WaitServingAsync(CancellationToken cancellation)
    {
        while (true)
        {
            if (await StatusAsync(cancellation) is { } status && status.Mode != "read-only")
                return status;
            if (!IsRunning)
                throw new InvalidOperationException($"Server {Id} ({Kind}) ended instead of serving:\n{Tail(40)}");
            await Task.Delay(Pause, cancellation);
        }
    }

    /// <summary>The last lines that it printed.</summary>
    public string Tail(int lines) => string.Join('\n', Output.TrimEnd().Split('\n').TakeLast(lines));

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (process is not null)
            await KillAsync();
    }

    private ChildProcess Running =>
        process ?? throw new InvalidOperationException($"Server {Id} has not been started.");

    private async Task EndAsync(Func<ChildProcess, Task> end)
    {
        ChildProcess child = Running;
        try
        {
            await end(child);
        }
        finally
        {
            process = null;
            await child.DisposeAsync();
            before.Append(child.Output);
        }
    }

    private IReadOnlyList<string> ApacheCommand() => ApacheProgram.Command(
        ApacheProgram.SmallMachine, properties, "org.apache.zookeeper.server.quorum.QuorumPeerMain", logs: true,
        ConfigFile);

    private IReadOnlyList<string> OurCommand() =>
    [
        Path.Combine(AppContext.BaseDirectory, "sharpkeeper"), "server", ConfigFile,
        .. properties.Select(property => $"-D{property.Key}={property.Value}"),
    ];

    private static string? Value(string answer, string name)
    {
        string? line = answer.Split('\n').FirstOrDefault(line => line.StartsWith(name, StringComparison.Ordinal));
        return line?[name.Length..].TrimEnd();
    }
}
