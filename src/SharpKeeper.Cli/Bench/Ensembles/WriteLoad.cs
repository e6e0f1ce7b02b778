using System.Buffers.Binary;
using System.Diagnostics;
using System.Net;
using SharpKeeper.Cli.Bench.Driver;
using SharpKeeper.Client;
using SharpKeeper.Protocol;

namespace SharpKeeper.Cli.Bench.Ensembles;

/// <summary>
/// Writes that go on while servers come and go, through clients that reconnect by themselves. Each of many lanes has a
/// znode of its own and writes it at the version that it knows, one write after the other: so an acknowledged write
/// that is missing shows as a version that is too low, at once or when <see cref="CountLostAsync"/> looks.
/// </summary>
internal sealed class WriteLoad : IAsyncDisposable
{
    private static readonly TimeSpan SessionTimeout = TimeSpan.FromSeconds(10);

    private readonly Lock gate = new();
    private readonly CancellationTokenSource stopping = new();
    private readonly List<KeeperClient> clients = [];
    private readonly List<Lane> lanes = [];
    private readonly HashSet<KeeperClient> expired = [];
    private readonly int size;
    private Task running = Task.CompletedTask;
    private LoadWindow window = new(Stopwatch.GetTimestamp());
    private long lost;

    private WriteLoad(int size) => this.size = Math.Max(size, 4);

    /// <summary>Sessions that ended although their client lived.</summary>
    public int Expired
    {
        get
        {
            lock (gate)
                return expired.Count;
        }
    }

    /// <summary>Opens the sessions, creates the znodes and begins to write.</summary>
    /// <param name="servers">All sessions know all of them.</param>
    /// <param name="sessions">How many.</param>
    /// <param name="depth">Lanes of each.</param>
    /// <param name="size">Bytes of each write, at least 4.</param>
    /// <param name="cancel">Gives up waiting for the servers.</param>
    /// <exception cref="BenchException">The servers do not serve.</exception>
    public static async Task<WriteLoad> StartAsync(
        IReadOnlyList<IPEndPoint> servers, int sessions, int depth, int size, CancellationToken cancel)
    {
        var load = new WriteLoad(size);
        try
        {
            await load.OpenAsync(servers, sessions, depth, cancel).ConfigureAwait(false);
            load.Next();
            load.running = Task.WhenAll(load.lanes.Select(lane => Task.Run(() => load.RunAsync(lane), cancel)));
            return load;
        }
        catch (Exception e)
        {
            await load.DisposeAsync().ConfigureAwait(false);
            if (e is KeeperException failure)
                throw new BenchException($"cannot begin to write: {failure.Message}");
            throw;
        }
    }

    /// <summary>
    /// Ends the current stretch of time, begins the next one, and returns what the ended one measured.
    /// </summary>
    public LoadWindow Next()
    {
        lock (gate)
        {
            LoadWindow ended = window;
            long now = Stopwatch.GetTimestamp();
            ended.End(now);
            window = new LoadWindow(now);
            return ended;
        }
    }

    /// <summary>Has anything been acknowledged in the current stretch?</summary>
    public bool HasProgress
    {
        get
        {
            lock (gate)
                return window.Meter.Count > 0;
        }
    }

    /// <summary>Stops to write and waits for the answers.</summary>
    /// <exception cref="BenchException">A lane failed for another reason than servers that come and go.</exception>
    public async Task EndAsync()
    {
        await stopping.CancelAsync().ConfigureAwait(false);
        try
        {
            await running.ConfigureAwait(false);
        }
        catch (KeeperException e)
        {
            throw new BenchException($"writing failed: {e.Message}");
        }
    }

    /// <summary>
    /// Reads every lane's znode at every server, as of now, and counts the acknowledged writes that are missing
    /// somewhere, with those that were missed on the way.
    /// </summary>
    public async Task<long> CountLostAsync(IEnumerable<IPEndPoint> servers, CancellationToken cancel)
    {
        long missing = 0;
        foreach (IPEndPoint server in servers)
        {
            KeeperClient client = await KeeperClient.ConnectAsync($"{server}", cancel).ConfigureAwait(false);
            await using (client.ConfigureAwait(false))
            {
                long here = 0;
                foreach (Lane lane in lanes)
                    here += await MissingAsync(client, lane, cancel).ConfigureAwait(false);
                missing = Math.Max(missing, here);
            }
        }
        return missing + Interlocked.Read(ref lost);
    }

    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync().ConfigureAwait(false);
        await Task.WhenAll(clients.Select(client => client.CloseAsync())).ConfigureAwait(false);
        try
        {
            await running.ConfigureAwait(false);
        }
        catch (KeeperException)
        {
            // The clients were closed under lanes that still waited.
        }
        stopping.Dispose();
    }

    private async Task OpenAsync(IReadOnlyList<IPEndPoint> servers, int sessions, int depth, CancellationToken cancel)
    {
        string root = $"/bench-writes-{Guid.NewGuid().ToString("n")[..8]}";
        for (int i = 0; i < sessions; i++)
        {
            clients.Add(await KeeperClient.ConnectAsync(new KeeperClientOptions
            {
                ConnectString = string.Join(',', servers),
                SessionTimeout = SessionTimeout,
            }, cancel).ConfigureAwait(false));
        }
        await clients[0].CreateAsync(root, cancellation: cancel).ConfigureAwait(false);
        foreach (KeeperClient client in clients)
        {
            await client.SyncAsync(root, cancel).ConfigureAwait(false);
            for (int i = 0; i < depth; i++)
            {
                var lane = new Lane(client, $"{root}/l{lanes.Count:d5}", new byte[size]);
                await client.CreateAsync(lane.Path, lane.Data, cancellation: cancel).ConfigureAwait(false);
                lanes.Add(lane);
            }
        }
    }

    private async Task RunAsync(Lane lane)
    {
        while (!stopping.IsCancellationRequested)
        {
            try
            {
                if (lane.IsUncertain)
                    await FindVersionAsync(lane).ConfigureAwait(false);
                else
                    await WriteAsync(lane).ConfigureAwait(false);
            }
            catch (Exception e) when (e is ConnectionLossException or BadVersionException)
            {
                lane.IsUncertain = true;
            }
            catch (SessionExpiredException)
            {
                lock (gate)
                    expired.Add(lane.Client);
                return;
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    private async Task WriteAsync(Lane lane)
    {
        BinaryPrimitives.WriteInt32BigEndian(lane.Data, lane.Version + 1);
        long start = Stopwatch.GetTimestamp();
        // While there is no server a write waits; the end of the run must not wait with it.
        Stat stat = await lane.Client.SetAsync(lane.Path, lane.Data, lane.Version, stopping.Token)
            .ConfigureAwait(false);
        long now = Stopwatch.GetTimestamp();
        if (stat.Version != lane.Version + 1)
            throw new BenchException($"{lane.Path}: version {stat.Version} came after {lane.Version}");
        lane.Version = stat.Version;
        lock (gate)
            window.Note(now, now - start);
    }

    /// <summary>
    /// After a write whose fate is unknown the version is what was acknowledged, or more; less is a loss.
    /// </summary>
    private async Task FindVersionAsync(Lane lane)
    {
        Stat? stat = await lane.Client.ExistsLatestAsync(lane.Path, null, stopping.Token).ConfigureAwait(false);
        int version = stat?.Version ?? -1;
        if (version < lane.Version)
            Interlocked.Add(ref lost, lane.Version - version);
        if (version < 0)
            throw new BenchException($"{lane.Path} has vanished");
        lane.Version = version;
        lane.IsUncertain = false;
    }

    private static async Task<long> MissingAsync(KeeperClient client, Lane lane, CancellationToken cancel)
    {
        try
        {
            ZnodeData znode = await client.GetLatestAsync(lane.Path, null, cancel).ConfigureAwait(false);
            int stamp = znode.Data is { Length: >= 4 } data ? BinaryPrimitives.ReadInt32BigEndian(data) : -1;
            if (stamp != znode.Stat.Version)
                throw new WrongReplyException($"{lane.Path} has version {znode.Stat.Version} and the data of {stamp}");
            return Math.Max(lane.Version - znode.Stat.Version, 0);
        }
        catch (NoNodeException)
        {
            return lane.Version + 1;
        }
    }

    private sealed class Lane(KeeperClient client, string path, byte[] data)
    {
        public KeeperClient Client { get; } = client;

        public string Path { get; } = path;

        public byte[] Data { get; } = data;

        /// <summary>The last version acknowledged.</summary>
        public int Version { get; set; }

        /// <summary>Is the fate of the last write unknown?</summary>
        public bool IsUncertain { get; set; }
    }
}

/// <summary>What a stretch of time measured.</summary>
internal sealed class LoadWindow
{
    private readonly long start;
    private long end;
    private long lastAt;
    private long longestGap;

    /// <param name="now">Stopwatch ticks of its beginning.</param>
    public LoadWindow(long now) => start = end = lastAt = now;

    /// <summary>Acknowledged writes and how long they took.</summary>
    public Meter Meter { get; } = new();

    /// <summary>Longest time without an acknowledged write of any session.</summary>
    public TimeSpan LongestGap => Stopwatch.GetElapsedTime(0, longestGap);

    /// <summary>Acknowledged writes in a second.</summary>
    public double PerSecond => Meter.Count / Math.Max(Stopwatch.GetElapsedTime(start, end).TotalSeconds, 1e-9);

    /// <summary>Takes an acknowledged write.</summary>
    public void Note(long now, long took)
    {
        longestGap = Math.Max(longestGap, now - lastAt);
        lastAt = Math.Max(lastAt, now);
        Meter.Record(took, 1);
    }

    /// <summary>Ends the stretch.</summary>
    public void End(long now)
    {
        longestGap = Math.Max(longestGap, now - lastAt);
        end = now;
    }
}
