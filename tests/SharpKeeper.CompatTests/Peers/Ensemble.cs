using System.Globalization;
using System.Text;
using SharpKeeper.Client;

namespace SharpKeeper.CompatTests.Peers;

/// <summary>
/// An ensemble of real processes on loopback, each of them Apache ZooKeeper or SharpKeeper, with everything that a test
/// does to servers. When <see cref="DisposeAsync"/> has returned, no process and no file is left.
/// </summary>
public sealed class Ensemble : IAsyncDisposable
{
    private static readonly TimeSpan ServingMax = TimeSpan.FromSeconds(90);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);
    private const int TailLines = 60;

    private readonly string root = Directory.CreateTempSubdirectory("ensemble-").FullName;
    private readonly EnsembleSetup setup;
    private LinkMesh? links;

    private Ensemble(EnsembleSetup setup)
    {
        this.setup = setup;
        Servers = [.. setup.Kinds.Select((kind, i) => NewServer(i + 1, kind))];
    }

    /// <summary>All servers; the first has id 1.</summary>
    public IReadOnlyList<EnsembleServer> Servers { get; }

    /// <summary>Cuts links between servers, if the setup has asked for it.</summary>
    public LinkMesh Links => links ?? throw new InvalidOperationException("The setup did not ask for links.");

    /// <summary>All servers that are in the configuration at first.</summary>
    public string ConnectString => string.Join(
        ',', Servers.Where(server => !setup.Outsiders.Contains(server.Id)).Select(server => server.ConnectString));

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>The server with an id.</summary>
    public EnsembleServer this[int id] => Servers[id - 1];

    /// <summary>
    /// Makes an ensemble, runs a scenario on it and ends it. When the scenario fails, the end of each server's output is
    /// in the message, and the whole of it in files that the message names.
    /// </summary>
    public static async Task RunAsync(EnsembleSetup setup, Func<Ensemble, Task> scenario, bool start = true)
    {
        if (setup.Kinds.Contains(ServerKind.Apache))
            ApacheProgram.SkipUnlessInstalled();
        await using var ensemble = new Ensemble(setup);
        ensemble.WriteConfigs();
        await ensemble.ExplainAsync(async () =>
        {
            if (start)
                await ensemble.StartAsync();
            await scenario(ensemble);
        });
    }

    /// <summary>Makes an ensemble whose owner ends it and starts its servers.</summary>
    public static async Task<Ensemble> StartAsync(EnsembleSetup setup)
    {
        if (setup.Kinds.Contains(ServerKind.Apache))
            ApacheProgram.SkipUnlessInstalled();
        var ensemble = new Ensemble(setup);
        ensemble.WriteConfigs();
        try
        {
            await ensemble.ExplainAsync(ensemble.StartAsync);
            return ensemble;
        }
        catch
        {
            await ensemble.DisposeAsync();
            throw;
        }
    }

    /// <summary>Runs a part of a test and adds the servers' output to the message when it fails.</summary>
    public async Task ExplainAsync(Func<Task> part)
    {
        try
        {
            await part();
        }
        catch (Exception failure) when (!failure.GetType().Name.StartsWith("Skip", StringComparison.Ordinal))
        {
            throw new InvalidOperationException(Describe(failure), failure);
        }
    }

    /// <summary>Starts all servers that are not running and waits until each serves.</summary>
    public async Task StartAsync()
    {
        foreach (EnsembleServer server in Servers.Where(server => !server.IsRunning))
            server.Start();
        await WaitServingAsync();
    }

    /// <summary>Waits until all servers that run serve clients.</summary>
    public Task WaitServingAsync() => WaitServingAsync([.. Servers.Where(server => server.IsRunning)]);

    /// <summary>Waits until servers serve clients.</summary>
    public Task WaitServingAsync(params EnsembleServer[] some) => WithinAsync(
        stop => Task.WhenAll(some.Select(server => server.WaitServingAsync(stop))),
        () => $"servers {string.Join(", ", some.Select(server => server.Id))} to serve");

    /// <summary>Starts one server, as the program it was or as another one, and waits until it serves.</summary>
    public async Task StartAsync(EnsembleServer server, ServerKind? kind = null)
    {
        server.Start(kind);
        await WaitServingAsync(server);
    }

    /// <summary>The server that leads, as soon as there is one.</summary>
    /// <param name="except">Servers that are not to be asked.</param>
    public async Task<EnsembleServer> LeaderAsync(params EnsembleServer[] except)
    {
        EnsembleServer? leader = null;
        EnsembleServer[] asked = [.. Servers.Where(server => server.IsRunning).Except(except)];
        await UntilAsync("a leader", async stop =>
        {
            ServerStatus?[] answers = await Task.WhenAll(asked.Select(server => server.StatusAsync(stop)));
            int index = Array.FindIndex(answers, status => status?.Mode == "leader");
            leader = index < 0 ? null : asked[index];
            return leader is not null;
        });
        return leader!;
    }

    /// <summary>The running servers that do not lead.</summary>
    public async Task<IReadOnlyList<EnsembleServer>> LearnersAsync()
    {
        EnsembleServer leader = await LeaderAsync();
        return [.. Servers.Where(server => server.IsRunning && server != leader)];
    }

    /// <summary>
    /// Stops and starts voters so that the one wanted leads: the longest history wins an election, so half of the others
    /// miss a transaction and vote for it while the other half is down.
    /// </summary>
    public async Task MakeLeaderAsync(EnsembleServer wanted)
    {
        await StartAsync();
        EnsembleServer leader = await LeaderAsync();
        if (leader == wanted)
            return;
        EnsembleServer[] others = [.. Voters.Where(server => server != wanted).OrderBy(server => server == leader)];
        EnsembleServer[] behind = others[..((others.Length + 1) / 2)];
        EnsembleServer[] ahead = others[behind.Length..];
        await Task.WhenAll(behind.Select(server => server.StopAsync()));
        await WaitServingAsync(wanted);
        await using (KeeperClient client = await KeeperClient.ConnectAsync(wanted.ConnectString, Cancellation))
            await client.SyncAsync("/", Cancellation);
        await Task.WhenAll(ahead.Select(server => server.StopAsync()));
        foreach (EnsembleServer server in behind)
            server.Start();
        await UntilAsync(
            $"server {wanted.Id} to lead", async stop => (await wanted.StatusAsync(stop))?.Mode == "leader");
        await StartAsync();
    }

    /// <summary>Waits until all running servers have applied the same last transaction; gives it.</summary>
    public async Task<ServerStatus[]> SettleAsync()
    {
        ServerStatus?[] seen = [];
        await UntilAsync("all servers to stand at the same transaction", async stop =>
        {
            seen = await Task.WhenAll(
                Servers.Where(server => server.IsRunning).Select(server => server.StatusAsync(stop)));
            return seen.All(status => status is not null) && seen.Select(status => status!.Zxid).Distinct().Count() == 1;
        });
        return [.. seen.Select(status => status!)];
    }

    /// <summary>Asks again and again, within reason, until something holds of foreign processes.</summary>
    public Task UntilAsync(string what, Func<CancellationToken, Task<bool>> holds) => WithinAsync(
        async stop =>
        {
            while (!await holds(stop))
                await Task.Delay(Pause, stop);
        },
        () => what);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await Task.WhenAll(Servers.Select(server => server.DisposeAsync().AsTask()));
        if (links is not null)
            await links.DisposeAsync();
        Directory.Delete(root, recursive: true);
    }

    private IEnumerable<EnsembleServer> Voters => Servers.Where(server => !setup.Observers.Contains(server.Id));

    private static async Task WithinAsync(Func<CancellationToken, Task> wait, Func<string> what)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        limit.CancelAfter(ServingMax);
        try
        {
            await wait(limit.Token);
        }
        catch (OperationCanceledException) when (!Cancellation.IsCancellationRequested)
        {
            throw new TimeoutException($"Waited {ServingMax.TotalSeconds} s in vain for {what()}.");
        }
    }

    private EnsembleServer NewServer(int id, ServerKind kind)
    {
        string directory = Path.Combine(root, string.Create(CultureInfo.InvariantCulture, $"server-{id}"));
        Directory.CreateDirectory(directory);
        return new EnsembleServer(id, kind, directory, setup);
    }

    private void WriteConfigs()
    {
        if (setup.HasLinks)
            links = new LinkMesh(Servers);
        foreach (EnsembleServer server in Servers)
            File.WriteAllLines(server.ConfigFile, ConfigOf(server));
    }

    private IEnumerable<string> ConfigOf(EnsembleServer server)
    {
        var config = new Dictionary<string, string>
        {
            ["tickTime"] = setup.TickTimeMs.ToString(CultureInfo.InvariantCulture),
            ["initLimit"] = "20",
            ["syncLimit"] = "10",
            ["dataDir"] = server.DataDirectory,
            ["maxClientCnxns"] = "0",
            ["admin.enableServer"] = "false",
            ["4lw.commands.whitelist"] = "*",
            ["preAllocSize"] = "256",
            ["reconfigEnabled"] = setup.CanReconfigure ? "true" : "false",
            ["DigestAuthenticationProvider.superDigest"] = SuperUser.Digest,
        };
        if (setup.Observers.Contains(server.Id))
            config["peerType"] = "observer";
        foreach ((string key, string value) in setup.Config)
            config[key] = value;
        return config.Select(line => $"{line.Key}={line.Value}").Concat(
            Servers.Where(other => other == server || !setup.Outsiders.Contains(other.Id))
                .Select(other => ServerLine(other, server)));
    }

    /// <summary>The line that tells one server of another one.</summary>
    public string ServerLine(EnsembleServer server, EnsembleServer? reader = null)
    {
        (int quorum, int election) = links is null || reader is null || reader == server
            ? (server.QuorumPort, server.ElectionPort)
            : links.Ports(reader.Id, server.Id);
        string role = setup.Observers.Contains(server.Id) ? "observer" : "participant";
        return string.Create(
            CultureInfo.InvariantCulture,
            $"server.{server.Id}=127.0.0.1:{quorum}:{election}:{role};127.0.0.1:{server.ClientPort}");
    }

    private string Describe(Exception failure)
    {
        string test = TestContext.Current.Test?.TestDisplayName ?? "ensemble";
        string name = string.Concat(test.Select(c => char.IsAsciiLetterOrDigit(c) ? c : '_'));
        string kept = Path.Combine(AppContext.BaseDirectory, "ensemble-logs", name[..Math.Min(name.Length, 120)]);
        Directory.CreateDirectory(kept);
        var message = new StringBuilder(failure.Message).AppendLine();
        message.AppendLine(CultureInfo.InvariantCulture, $"What the servers said is in {kept}; the end of it:");
        foreach (EnsembleServer server in Servers)
        {
            File.WriteAllText(
                Path.Combine(kept, string.Create(CultureInfo.InvariantCulture, $"server-{server.Id}.log")), server.Output);
            message.AppendLine(CultureInfo.InvariantCulture, $"== server {server.Id} ({server.Kind})");
            message.AppendLine(server.Tail(TailLines));
        }
        return message.ToString();
    }
}
