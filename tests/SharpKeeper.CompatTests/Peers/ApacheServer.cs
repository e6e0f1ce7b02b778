using System.Diagnostics;
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
    public IReadOnlyList<string> JavaArguments { get; init; } = ["-Xmx256m", "-XX:TieredStopAtLevel=1"];
}

/// <summary>
/// A real Apache ZooKeeper server in a process of its own, on a free loopback port. It has answered a command before
/// <see cref="StartAsync"/> returns, and it is gone when <see cref="DisposeAsync"/> has returned.
/// </summary>
public sealed class ApacheServer : IAsyncDisposable
{
    private const string Jar = "/usr/share/java/zookeeper.jar";
    private const string JavaPath = "/usr/bin/java";
    private const string TimeoutPath = "/usr/bin/timeout";
    private static readonly TimeSpan LifeMax = TimeSpan.FromMinutes(30);
    private static readonly TimeSpan StartMax = TimeSpan.FromSeconds(90);
    private static readonly TimeSpan ProbeMax = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan AnswerMax = TimeSpan.FromSeconds(5);

    private readonly ApacheServerOptions options;
    private readonly string directory;
    private readonly StringBuilder output = new();
    private Process? process;

    private ApacheServer(ApacheServerOptions options)
    {
        this.options = options;
        directory = Directory.CreateTempSubdirectory("apache-zk-").FullName;
        DataDirectory = options.DataDirectory ?? Path.Combine(directory, "data");
        Directory.CreateDirectory(DataDirectory);
    }

    /// <summary>Are Java and Apache's jar there?</summary>
    public static bool IsInstalled => File.Exists(Jar) && File.Exists(JavaPath);

    /// <summary>The client port.</summary>
    public int Port { get; private set; }

    /// <summary>Where clients connect.</summary>
    public string ConnectString => string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{Port}");

    /// <summary>The directory that holds version-2.</summary>
    public string DataDirectory { get; }

    /// <summary>All that the process has printed so far.</summary>
    public string Output
    {
        get
        {
            lock (output)
                return output.ToString();
        }
    }

    /// <summary>Ends the test as skipped where Apache is not installed.</summary>
    public static void SkipUnlessInstalled()
    {
        if (!IsInstalled)
        {
            Assert.Skip($"Apache ZooKeeper is not installed: {Jar} or {JavaPath} is missing "
                + "(on Debian: apt install zookeeper).");
        }
    }

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
        process = null;
        if (!running.HasExited)
            running.Kill(entireProcessTree: true);
        await running.WaitForExitAsync();
        running.Dispose();
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
            Port = FreePort();
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

    // Bounded, because a socket that connects to a free port of its own machine may meet itself and never hear an answer.
    private async Task<bool> AnswersAsync(CancellationToken cancellation)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(ProbeMax);
        try
        {
            return (await CommandAsync("srvr", limit.Token)).Contains("Mode:", StringComparison.Ordinal);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return false;
        }
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

    private Process Launch(string config)
    {
        var properties = new Dictionary<string, string>
        {
            ["zookeeper.extendedTypesEnabled"] = "true",
            ["zookeeper.admin.enableServer"] = "false",
        };
        foreach ((string key, string value) in options.SystemProperties)
            properties[key] = value;
        var start = new ProcessStartInfo { RedirectStandardOutput = true, RedirectStandardError = true };
        if (File.Exists(TimeoutPath))
        {
            // A test run that is killed cannot stop the server; the wrapper ends it then.
            start.FileName = TimeoutPath;
            start.ArgumentList.Add("-sKILL");
            start.ArgumentList.Add(LifeMax.TotalSeconds.ToString(CultureInfo.InvariantCulture));
            start.ArgumentList.Add(JavaPath);
        }
        else
        {
            start.FileName = JavaPath;
        }
        foreach (string argument in options.JavaArguments)
            start.ArgumentList.Add(argument);
        foreach ((string key, string value) in properties)
            start.ArgumentList.Add($"-D{key}={value}");
        foreach (string argument in (string[])["-cp", Jar, "org.apache.zookeeper.server.ZooKeeperServerMain", config])
            start.ArgumentList.Add(argument);
        Process started = Process.Start(start)!;
        started.OutputDataReceived += (_, line) => Record(line.Data);
        started.ErrorDataReceived += (_, line) => Record(line.Data);
        started.BeginOutputReadLine();
        started.BeginErrorReadLine();
        return started;
    }

    private void Record(string? line)
    {
        lock (output)
            output.AppendLine(line);
    }

    private static int FreePort()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }
}
