using System.Diagnostics;
using System.Globalization;
using SharpKeeper.Client;
using SharpKeeper.Protocol;

namespace SharpKeeper.CompatTests.Ensembles;

/// <summary>One session of a <see cref="Load"/>: one operation after the other, each remembered.</summary>
internal sealed class LoadSession : IAsyncDisposable
{
    /// <summary>Below it are the znodes that are created.</summary>
    public const string LogPath = Load.Root + "/log";

    private const int CreatesMax = 300;
    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(2);
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(30);

    private readonly int index;
    private readonly KeeperClient client;
    private readonly Random random;
    private readonly History history;
    private readonly Action acknowledged;
    private SessionId id;
    private int writes;

    private LoadSession(int index, KeeperClient client, Random random, History history, Action acknowledged)
    {
        this.index = index;
        this.client = client;
        this.random = random;
        this.history = history;
        this.acknowledged = acknowledged;
    }

    /// <summary>Its client.</summary>
    public IKeeperClient Client => client;

    /// <summary>What was created, by its data, with the path that the server gave.</summary>
    public Dictionary<string, string> Created { get; } = [];

    /// <summary>Data of creates whose outcome is not known.</summary>
    public List<string> Doubtful { get; } = [];

    private string Ephemeral => string.Create(CultureInfo.InvariantCulture, $"{Load.Root}/session-{index}");

    /// <summary>The znode of a register.</summary>
    public static string RegisterPath(int register) =>
        string.Create(CultureInfo.InvariantCulture, $"{Load.Root}/register-{register}");

    /// <summary>Opens a session that has an ephemeral znode.</summary>
    public static async Task<LoadSession> OpenAsync(
        int index, string connectString, Random random, History history, Action acknowledged,
        CancellationToken cancellation)
    {
        KeeperClient client = await KeeperClient.ConnectAsync(
            new KeeperClientOptions
            {
                ConnectString = connectString,
                SessionTimeout = Timeout,
                ReconnectDelayMax = TimeSpan.FromMilliseconds(50),
            },
            cancellation);
        var session = new LoadSession(index, client, random, history, acknowledged);
        session.id = client.Session.Id;
        await client.CreateAsync(session.Ephemeral, null, CreateMode.Ephemeral, cancellation: cancellation);
        return session;
    }

    /// <summary>Works until it is told to stop; the operation under way is brought to its end.</summary>
    public async Task RunAsync(int registers, Deed fresh, CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            string register = RegisterPath(random.Next(registers));
            int dice = random.Next(100);
            if (dice < 45 || (dice < 60 && Created.Count + Doubtful.Count >= CreatesMax))
                await WriteAsync(register);
            else if (dice < 60)
                await CreateAsync();
            else
                await ReadAsync(register, dice < 80 ? fresh : Deed.Read);
            // All servers share this machine: without a pause those that start would starve.
            await Task.Delay(Pace, CancellationToken.None);
        }
    }

    /// <summary>Reads every register freshly.</summary>
    public async Task ReadAllAsync(int registers)
    {
        for (int i = 0; i < registers; i++)
            await ReadAsync(RegisterPath(i), Deed.FreshRead);
    }

    /// <summary>The session is the one that was opened, and still has its ephemeral.</summary>
    public async Task CheckAliveAsync()
    {
        Assert.Equal(id, client.Session.Id);
        Stat? stat = await client.ExistsAsync(Ephemeral);
        Assert.True(stat is not null, $"{Ephemeral} is gone though session {id} lives");
        Assert.Equal(id.Value, stat.Value.EphemeralOwner);
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => client.DisposeAsync();

    /// <inheritdoc/>
    public override string ToString() => $"{index} {id} {client.State} at {client.ConnectedServer ?? "no server"}";

    private async Task WriteAsync(string register)
    {
        string value = NextValue();
        long invoked = Stopwatch.GetTimestamp();
        try
        {
            Stat stat = await client.SetAsync(register, value);
            history.Add(new Operation(index, register, Deed.Write, value, stat, invoked, Stopwatch.GetTimestamp()));
            acknowledged();
        }
        catch (ConnectionLossException)
        {
            history.Add(new Operation(index, register, Deed.Write, value, null, invoked, long.MaxValue));
        }
    }

    private async Task CreateAsync()
    {
        string value = NextValue();
        try
        {
            Created[value] = await client.CreateAsync(LogPath + "/n-", value, CreateMode.PersistentSequential);
            acknowledged();
        }
        catch (ConnectionLossException)
        {
            Doubtful.Add(value);
        }
    }

    private async Task ReadAsync(string register, Deed deed)
    {
        while (true)
        {
            long invoked = Stopwatch.GetTimestamp();
            try
            {
                if (deed == Deed.FreshRead)
                    await client.SyncAsync(register);
                ZnodeData data = await client.GetAsync(register);
                history.Add(new Operation(
                    index, register, deed, data.Text ?? "", data.Stat, invoked, Stopwatch.GetTimestamp()));
                return;
            }
            catch (ConnectionLossException)
            {
                // Nothing was learnt: once more.
            }
        }
    }

    private string NextValue() => string.Create(CultureInfo.InvariantCulture, $"{index}:{writes++}");
}
