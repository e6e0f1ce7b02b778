using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace SharpKeeper.CompatTests.Peers;

/// <summary>How an <see cref="ApacheServer"/> is started.</summary>
public sealed record ApacheServerOptions
{
    /// <summary>Lines of zoo.cfg, added to the defaults or instead of them.</summary>
    public IReadOnlyDictionary<string, string> Config { get; init; } = new Dictionary<string, string>();

    /// <summary>Java system properties, added to the defaults or instead of them.</summary>
    public IReadOnlyDictionary<string, string> SystemProperties { get; init; } = new Dictionary<string, string>();

    /// <summary>
    /// A data directory to open; it is left alone afterwards. Null makes one that is deleted afterwards.
    /// </summary>
    public string? DataDirectory { get; init; }

    /// <summary>Further arguments of the Java machine.</summary>
    public IReadOnlyList<string> JavaArguments { get; init; } = ApacheProgram.SmallMachine;

    /// <summary>Is the server to log? <see cref="ApacheServer.Output"/> has it then.</summary>
    public bool Logs { get; init; }
}

/// <summary>
/// A real Apache ZooKeeper server in a process of its own, on a free loopback port. It has answered a command before
/// <see cref="StartAsync"/> returns, and it is gone when <see cref="DisposeAsync"/> has returned.
/// </summary>
public sealed class ApacheServer : IAsyncDisposable
{
    private static readonly TimeSpan StartMax = TimeSpan.FromSeconds(90);
    private static readonly TimeSpan AnswerMax = TimeSpan.FromSeconds(5);

    private readonly ApacheServerOptions options;
    private readonly string directory;
    private readonly StringBuilder output = new();
    private ChildProcess? process;

    private ApacheServer(ApacheServerOptions options)
    {
        this.options = options;
        directory = Directory.CreateTempSubdirectory("apache-zk-").FullName;
        DataDirectory = options.DataDirectory ?? Path.Combine(directory, "data");
        Directory.CreateDirectory(DataDirectory);
    }

    /// <summary>Are Java and Apache's jar there?</summary>
    public static bool IsInstalled => ApacheProgram.IsInstalled;

    /// <summary>The client port.</summary>
    public int Port { get; private set; }

    /// <summary>Where clients connect.</summary>
    public string ConnectString => string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{Port}");

    /// <summary>The directory that holds version-2.</summary>
    public string DataDirectory { get; }

    /// <summary>All that the process has printed so far.</summary>
    public string Output => output + process?.Output;

    /// <summary>Ends the test as skipped where Apache is not installed.</summary>
    public static void SkipUnlessInstalled() => ApacheProgram.SkipUnlessInstalled();

    /// <summary>Starts a server and waits until it serves; skips the test where Apache is not installed.</summary>
    public static async Task<ApacheServer> StartAsync(
        ApacheServerOptions? options = null, CancellationToken cancellation = default)
    {
        SkipUnlessInstalled();
        var server = new ApacheServer(options ?? new ApacheServerOptions());
        try
        {
            await server.StartOnFreePortAsync(cancellation);
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    /// <summary>Kills the process as a power cut would and waits until it is gone; the data stay.</summary>
    public async Task KillAsync()
    {
        if (process is not { } running)
            return;
        await running.KillAsync();
        process = null;
        output.Append(running.Output);
        await running.DisposeAsync();
    }

    /// <summary>Kills the process and starts it again with the same port and data.</summary>
    public async Task RestartAsync(CancellationToken cancellation = default)
    {
        await KillAsync();
        if (!await TryStartAsync(cancellation))
            throw new InvalidOperationException($"The Apache server did not start again:\n{Output}");
    }

    /// <summary>Sends a four-letter word and returns the answer.</summary>
    public async Task<string> CommandAsync(string word, CancellationToken cancellation = default)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(new IPEndPoint(IPAddress.Loopback, Port), cancellation);
        await socket.SendAsync(Encoding.ASCII.GetBytes(word), cancellation);
        using var stream = new NetworkStream(socket);
        using var reader = new StreamReader(stream);
        return await reader.ReadToEndAsync(cancellation);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await KillAsync();
        Directory.Delete(directory, recursive: true);
    }

    private async Task StartOnFreePortAsync(CancellationToken cancellation)
    {
        // Between finding a port free and binding it somebody else may take it, so a failed start gets new ports.
        for (int attempt = 0; attempt < 5; attempt++)
        {
            Port = LoopbackPorts.Take(1)[0];
            if (await TryStartAsync(cancellation))
                return;
        }
        throw new InvalidOperationException($"The Apache server did not start:\n{Output}");
    }

    private async Task<bool> TryStartAsync(CancellationToken cancellation)
    {
        string config = WriteConfig();
        process = Launch(config);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(StartMax);
        while (!process.HasExited)
        {
            try
            {
                using var answer = CancellationTokenSource.CreateLinkedTokenSource(limit.Token);
                answer.CancelAfter(AnswerMax);
                if ((await CommandAsync("srvr", answer.Token)).Contains("Mode:", StringComparison.Ordinal))
                    return true;
            }
            catch (Exception e) when (e is SocketException or IOException
                || (e is OperationCanceledException && !limit.IsCancellationRequested))
            {
                // Not listening yet, closed or left without an answer because it is still starting: ask again.
            }
            await Task.Delay(20, limit.Token);
        }
        await KillAsync();
        return false;
    }

    private string WriteConfig()
    {
        var config = new Dictionary<string, string>
        {
            ["tickTime"] = "2000",
            ["dataDir"] = DataDirectory,
            ["clientPort"] = Port.ToString(CultureInfo.InvariantCulture),
            ["clientPortAddress"] = "127.0.0.1",
            ["maxClientCnxns"] = "0",
            ["admin.enableServer"] = "false",
            ["extendedTypesEnabled"] = "true",
            ["4lw.commands.whitelist"] = "*",
        };
        foreach ((string key, string value) in options.Config)
            config[key] = value;
        string path = Path.Combine(directory, "zoo.cfg");
        File.WriteAllLines(path, config.Select(line => $"{line.Key}={line.Value}"));
        return path;
    }

    private ChildProcess Launch(string config)
    {
        var properties = new Dictionary<string, string>
        {
            ["zookeeper.extendedTypesEnabled"] = "true",
            ["zookeeper.admin.enableServer"] = "false",
        };
        foreach ((string key, string value) in options.SystemProperties)
            properties[key] = value;
        return ChildProcess.Start(ApacheProgram.Command(
            options.JavaArguments, properties, "org.apache.zookeeper.server.ZooKeeperServerMain", options.Logs,
            config));
    }
}
