using System.Globalization;
using SharpKeeper.Client;

namespace SharpKeeper.Cli.Shell;

/// <summary>How the shell gets its clients; tests give others.</summary>
/// <param name="Create">Makes a client that connects in the background.</param>
/// <param name="Connect">Makes a client and waits until a server serves it.</param>
internal sealed record ShellClients(
    Func<KeeperClientOptions, IKeeperClient> Create,
    Func<KeeperClientOptions, CancellationToken, Task<IKeeperClient>> Connect)
{
    /// <summary>Clients of real servers.</summary>
    public static ShellClients Real { get; } = new(
        static options => new KeeperClient(options),
        static async (options, cancellation) =>
            await KeeperClient.ConnectAsync(options, cancellation).ConfigureAwait(false));
}

/// <summary>
/// One shell: its connection, its history and the running of its commands. Commands run one after the other; events
/// arrive at any time.
/// </summary>
internal sealed partial class ShellSession(ShellOptions options, ShellResults results, ShellClients clients)
    : IAsyncDisposable
{
    private readonly Lock gate = new();
    private IKeeperClient? client;
    private bool isUp;
    private CancellationTokenSource? running;

    /// <summary>Raised when the state or the number of commands has changed, from any thread.</summary>
    public event Action? PromptChanged;

    /// <summary>Where commands report.</summary>
    public ShellResults Results => results;

    /// <summary>The servers as the user gave them.</summary>
    public string ConnectString { get; private set; } = options.ConnectString;

    /// <summary>Are events printed?</summary>
    public bool PrintsWatches { get; set; } = true;

    /// <summary>The commands typed so far; their indices are the numbers of the history.</summary>
    public List<string> Commands { get; } = [];

    /// <summary>Has the user asked to leave?</summary>
    public bool IsLeaving { get; set; }

    /// <summary>The connection.</summary>
    /// <exception cref="ShellNotConnectedException">There is none, or its session has ended.</exception>
    public IKeeperClient Client =>
        client is { } open && !open.State.IsFinal() ? open : throw new ShellNotConnectedException();

    /// <summary>The prompt in zkCli's form.</summary>
    public string Prompt
    {
        get
        {
            string state = client is { } open ? WatchedEventText.PromptName(open.State) : "CLOSED";
            return string.Create(CultureInfo.InvariantCulture, $"[zk: {ConnectString}({state}) {Commands.Count}] ");
        }
    }

    /// <summary>Starts to connect; commands wait for it.</summary>
    /// <exception cref="ArgumentException">The connect string is wrong.</exception>
    public void Connect() => Adopt(clients.Create(ClientOptions()));

    /// <summary>Connects and waits for it, at most the session timeout. A session open before is closed.</summary>
    public async Task ConnectAsync(string connectString, CancellationToken cancellation)
    {
        await CloseAsync().ConfigureAwait(false);
        ConnectString = connectString;
        Adopt(await clients.Connect(ClientOptions(), cancellation).ConfigureAwait(false));
        OnEvent(StateEvent(client!.State));
    }

    /// <summary>Ends the session, if there is one, and reports that.</summary>
    public async Task CloseAsync()
    {
        if (await EndAsync().ConfigureAwait(false))
            OnEvent(StateEvent(KeeperState.Closed));
    }

    /// <summary>Ends the session without a word.</summary>
    public async ValueTask DisposeAsync() => await EndAsync().ConfigureAwait(false);

    private async Task<bool> EndAsync()
    {
        if (Interlocked.Exchange(ref client, null) is not { } open)
            return false;
        open.WatchFired -= OnEvent;
        await open.DisposeAsync().ConfigureAwait(false);
        return true;
    }

    private KeeperClientOptions ClientOptions() => new()
    {
        ConnectString = ConnectString,
        SessionTimeout = options.SessionTimeout,
        ConnectTimeout = options.SessionTimeout,
        ReadOnlyAllowed = options.ReadOnlyAllowed,
    };

    private void Adopt(IKeeperClient made)
    {
        lock (gate)
            isUp = false;
        client = made;
        made.WatchFired += OnEvent;
    }

    private static WatchedEvent StateEvent(KeeperState state) =>
        new(Protocol.WatchEventType.None, state, null, WatchedEvent.NoZxid);

    // The first "connected" may be reported by the client, by ConnectAsync, or by both: it is printed once.
    private void OnEvent(WatchedEvent watched)
    {
        lock (gate)
        {
            bool wasUp = isUp;
            if (watched.IsSessionEvent)
            {
                isUp = watched.State.IsConnected();
                LimitWait();
            }
            bool isNews = !watched.IsSessionEvent || !(isUp && wasUp);
            if (isNews && PrintsWatches && !(options.Quiet && watched.IsSessionEvent))
                results.Event(watched);
        }
        PromptChanged?.Invoke();
    }

    // A command waits for a lost connection as long as the session can live; then it fails rather than hang.
    private void LimitWait() => running?.CancelAfter(isUp ? Timeout.InfiniteTimeSpan : options.SessionTimeout);
}
