using SharpKeeper.Client;
using SharpKeeper.CompatTests.Peers;

namespace SharpKeeper.CompatTests.Ensembles;

/// <summary>
/// Sessions that write and read through all servers of an ensemble for as long as a scenario lasts, and remember what
/// they were told. <see cref="StopAsync"/> checks all of it.
/// </summary>
internal sealed class Load : IAsyncDisposable
{
    /// <summary>Above every znode of the load.</summary>
    public const string Root = "/load";

    private const int Registers = 4;
    private static readonly TimeSpan ProgressMax = TimeSpan.FromSeconds(90);

    private readonly CancellationTokenSource stopping = new();
    private readonly History history = new();
    private readonly List<LoadSession> sessions = [];
    private readonly Lock gate = new();
    private readonly List<(int At, TaskCompletionSource Reached)> waits = [];
    private Task[] running = [];
    private int acknowledged;

    private Load()
    {
    }

    /// <summary>Writes acknowledged so far.</summary>
    public int Acknowledged => Volatile.Read(ref acknowledged);

    private Deed FreshDeed { get; init; }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>Opens sessions and has them write.</summary>
    /// <param name="ensemble">The servers; the sessions know all of them.</param>
    /// <param name="count">Number of sessions.</param>
    /// <param name="seed">What the sessions do follows from it.</param>
    /// <param name="syncIsFresh">
    /// Does a read after a sync see all that was acknowledged before? Not with Apache, whose leader answers a sync
    /// without asking anybody: one that woke up and was replaced meanwhile gives old answers.
    /// </param>
    public static async Task<Load> StartAsync(
        Ensemble ensemble, int count = 6, int seed = 1, bool syncIsFresh = true)
    {
        var load = new Load { FreshDeed = syncIsFresh ? Deed.FreshRead : Deed.Read };
        try
        {
            await load.BeginAsync(ensemble, count, seed);
            return load;
        }
        catch
        {
            await load.DisposeAsync();
            throw;
        }
    }

    /// <summary>Waits until so many further writes have been acknowledged.</summary>
    public async Task ProgressAsync(int writes)
    {
        var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        int start;
        lock (gate)
        {
            start = acknowledged;
            waits.Add((start + writes, reached));
        }
        Task ended = Task.WhenAny(running);
        try
        {
            await Task.WhenAny(reached.Task, ended).WaitAsync(ProgressMax, Cancellation);
        }
        catch (TimeoutException)
        {
            throw new TimeoutException(
                $"Only {Acknowledged - start} of {writes} writes were acknowledged within {ProgressMax.TotalSeconds} s; "
                + $"the sessions: {string.Join("; ", sessions)}.");
        }
        if (ended.IsCompleted)
            await await Task.WhenAny(running);
    }

    /// <summary>
    /// Ends the load once every session has been served again, and checks: nothing acknowledged is missing, no session
    /// has expired, and the histories are what the protocol promises.
    /// </summary>
    public async Task StopAsync()
    {
        await stopping.CancelAsync();
        await Task.WhenAll(running).WaitAsync(ProgressMax, Cancellation);
        await Task.WhenAll(sessions.Select(session => session.ReadAllAsync(Registers)));
        IReadOnlyList<string> problems = HistoryChecks.Problems(history.Operations);
        Assert.True(problems.Count == 0, $"{problems.Count} problems:\n{string.Join('\n', problems.Take(10))}");
        await CheckCreatedAsync();
        foreach (LoadSession session in sessions)
            await session.CheckAliveAsync();
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync();
        foreach (LoadSession session in sessions)
            await session.DisposeAsync();
        stopping.Dispose();
    }

    private async Task BeginAsync(Ensemble ensemble, int count, int seed)
    {
        await using KeeperClient client = await KeeperClient.ConnectAsync(ensemble.ConnectString, Cancellation);
        await client.EnsurePathAsync(Root, cancellation: Cancellation);
        await client.TryCreateAsync(LoadSession.LogPath, cancellation: Cancellation);
        for (int i = 0; i < Registers; i++)
            await client.TryCreateAsync(LoadSession.RegisterPath(i), cancellation: Cancellation);
        for (int i = 0; i < count; i++)
        {
            sessions.Add(await LoadSession.OpenAsync(
                i, ensemble.ConnectString, new Random(seed * 1000 + i), history, CountAck, Cancellation));
        }
        running = [.. sessions.Select(session => Task.Run(() => session.RunAsync(Registers, FreshDeed, stopping.Token)))];
    }

    private void CountAck()
    {
        lock (gate)
        {
            acknowledged++;
            foreach ((_, TaskCompletionSource reached) in waits.Where(wait => wait.At <= acknowledged))
                reached.TrySetResult();
            waits.RemoveAll(wait => wait.At <= acknowledged);
        }
    }

    // What was acknowledged is there; what was not may be there, but only once.
    private async Task CheckCreatedAsync()
    {
        IKeeperClient reader = sessions[0].Client;
        await reader.SyncAsync("/", Cancellation);
        var found = new Dictionary<string, string>();
        foreach (string name in await reader.GetChildrenAsync(LoadSession.LogPath, cancellation: Cancellation))
        {
            string path = $"{LoadSession.LogPath}/{name}";
            ZnodeData data = await reader.GetAsync(path, cancellation: Cancellation);
            Assert.True(found.TryAdd(data.Text!, path), $"{path} and {found[data.Text!]} were created by one request");
        }
        foreach (LoadSession session in sessions)
        {
            foreach ((string value, string path) in session.Created)
            {
                Assert.True(found.Remove(value, out string? actual), $"{path} was acknowledged and is missing");
                Assert.Equal(path, actual);
            }
            foreach (string value in session.Doubtful)
                found.Remove(value);
        }
        Assert.Empty(found);
    }
}
