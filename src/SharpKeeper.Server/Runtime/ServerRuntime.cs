using System.Net;
using System.Text;
using Microsoft.Extensions.Logging;
using SharpKeeper.Core;
using SharpKeeper.Core.Clients;
using SharpKeeper.Core.Log;
using SharpKeeper.Core.Watches;
using SharpKeeper.Protocol;
using SharpKeeper.Server.Admin;
using SharpKeeper.Server.Auth;
using SharpKeeper.Server.Connections;
using SharpKeeper.Server.Metrics;

namespace SharpKeeper.Server.Runtime;

/// <summary>What the parts of one running server share.</summary>
internal sealed partial class ServerRuntime
{
    // What may wait for the disk before clients are held back, besides the number of requests.
    private const long QueuedLogBytesMax = 256L << 20;
    private const long SessionlessCheckMs = 1000;

    private readonly ILogger logger;
    private readonly TimeProvider clock;
    private readonly IReadOnlyList<IAuthProvider> providers;
    private readonly ClientLoop[] loops;
    private readonly FourLetterWords words;
    private readonly int outstandingMax;
    private long largeBytes;
    private long nextSessionlessCheckMs;
    private long movedSent;
    private long movedExpired;
    private long movedResumed;
    private long movedMismatches;
    private long movedEventBytes;

    /// <summary>Puts the parts together; the transport follows with <see cref="Transport"/>.</summary>
    public ServerRuntime(
        ServerOptions options, Replica replica, IReadOnlyList<IAuthProvider> providers, int loopCount,
        TimeProvider clock, ILogger logger, Action<Exception> fatal)
    {
        Options = options;
        Replica = replica;
        this.providers = providers;
        this.clock = clock;
        this.logger = logger;
        outstandingMax = options.OutstandingRequestsMax;
        RequestBytesMax = options.PacketBytesMax;
        Admission = new Admission(options.ConnectionsPerAddressMax, options.ConnectionsMax);
        Throttle = new ConnectionThrottle(options.ConnectionThrottle, Metrics, (uint)Environment.TickCount);
        // The last two slots are the snapshot's and the transfers'.
        Gate = new AccessGate(loopCount + 2);
        Driver = new ReplicaDriver(replica, Gate, Metrics, clock, logger, fatal) { Dispatch = Dispatch };
        loops = new ClientLoop[loopCount];
        for (int i = 0; i < loopCount; i++)
        {
            var watches = new WatchTable();
            replica.AddWatchTable(watches);
            loops[i] = new ClientLoop(this, i, watches);
        }
        words = new FourLetterWords(new StatusSource(this), Metrics, clock);
    }

    /// <summary>The settings.</summary>
    public ServerOptions Options { get; }

    /// <summary>The replica.</summary>
    public Replica Replica { get; }

    /// <summary>What runs the replica.</summary>
    public ReplicaDriver Driver { get; }

    /// <summary>Keeps readers and the applier apart.</summary>
    public AccessGate Gate { get; }

    /// <summary>The reader slot of the thread that writes snapshots.</summary>
    public int SnapshotSlot => loops.Length;

    /// <summary>The reader slot that those share who send the tree to other servers.</summary>
    public int TransferSlot => loops.Length + 1;

    /// <summary>Who may connect.</summary>
    public Admission Admission { get; }

    /// <summary>What the server counts and measures.</summary>
    public ServerMetrics Metrics { get; } = new();

    /// <summary>When the server began to serve, monotonic milliseconds.</summary>
    public long StartedMs { get; } = Environment.TickCount64;

    /// <summary>Handlers by connection thread.</summary>
    public IReadOnlyList<ClientLoop> Loops => loops;

    /// <summary>The client port.</summary>
    public Transport? Transport { get; set; }

    /// <summary>What writes snapshots; null when nothing is kept on disk.</summary>
    public SnapshotKeeper? Snapshots { get; set; }

    /// <summary>The data directory; null when nothing is kept on disk.</summary>
    public IStorageDevice? Device { get; set; }

    /// <summary>Largest request frame, bytes.</summary>
    public int RequestBytesMax { get; }

    /// <summary>Limits how fast sessions are established.</summary>
    public ConnectionThrottle Throttle { get; }

    /// <summary>Must new requests wait, because enough are in process?</summary>
    public bool HoldsRequests =>
        Options.RequestThrottle.RequestsMax > 0 && Driver.Outstanding >= Options.RequestThrottle.RequestsMax;

    /// <summary>Must connections authenticate with certain schemes?</summary>
    public bool AuthEnforced => Options.EnforceAuthEnabled;

    /// <summary>Has the server so much in hand that clients with unanswered requests must wait?</summary>
    public bool IsOverloaded =>
        Driver.Outstanding > outstandingMax || Driver.QueuedLogBytes > QueuedLogBytesMax;

    /// <summary>Wall time, milliseconds since 1970.</summary>
    public long WallMs() => clock.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>
    /// Takes a large request into account; false if that would exceed what large requests may take together.
    /// </summary>
    public bool TryTakeLarge(int bytes)
    {
        if (Interlocked.Add(ref largeBytes, bytes) <= Options.LargeRequestBytesMax)
            return true;
        Interlocked.Add(ref largeBytes, -bytes);
        Metrics.LargeRequestsRejected.Add();
        return false;
    }

    /// <summary>Large requests of that many bytes have been answered.</summary>
    public void ReturnLarge(long bytes) => Interlocked.Add(ref largeBytes, -bytes);

    /// <summary>The provider of a scheme, or null.</summary>
    public IAuthProvider? FindProvider(string? scheme) => providers.FirstOrDefault(provider => provider.Name == scheme);

    /// <summary>Does an identity of that scheme satisfy what the server demands?</summary>
    public bool SatisfiesEnforcedAuth(string scheme) =>
        Options.EnforceAuthSchemes.Contains(scheme, StringComparer.OrdinalIgnoreCase);

    /// <summary>
    /// Answers a four-letter word in the replica's turn, with nobody else at the tree, and closes the connection.
    /// The caller holds no access to the tree.
    /// </summary>
    public void AnswerWord(ClientConnection client, FourLetterWord word, long argument) => Driver.Post(replica =>
    {
        MoveStatistics(replica.Statistics);
        string reply;
        Gate.EnterExclusive();
        try
        {
            reply = words.Reply(word, argument);
        }
        finally
        {
            Gate.ExitExclusive();
        }
        client.Loop.Post(() =>
        {
            client.Send(Encoding.UTF8.GetBytes(reply));
            Metrics.PacketsSent.Add();
            client.Close(CloseReason.Server, flush: true);
        });
    });

    /// <summary>
    /// Closes the connections of all sessions once what was answered is sent; in the replica's turn. No request that
    /// they send is looked at once the call has returned: what this server shows from then on may be older than what
    /// they have seen.
    /// </summary>
    public void HangUpClients()
    {
        var links = new List<ClientLink>();
        Gate.EnterExclusive();
        try
        {
            foreach (ClientLoop loop in loops)
            {
                foreach (ClientConnection client in loop.Clients)
                {
                    if (client.Link.Session == SessionId.None || client.Link.IsHangingUp)
                        continue;
                    client.Link.IsHangingUp = client.Link.IsClosing = client.Link.SendsRest = true;
                    links.Add(client.Link);
                }
            }
        }
        finally
        {
            Gate.ExitExclusive();
        }
        if (links.Count > 0)
            Dispatch([], links);
    }

    /// <summary>Carries over what the replica counted; in its turn.</summary>
    private void MoveStatistics(ReplicaStatistics statistics)
    {
        statistics.Latency.Drain((ms, count) =>
        {
            Metrics.UpdateLatency.Add(ms, count);
            Metrics.RequestLatency.Add(ms, count);
        });
        foreach ((WatchEventType type, int count) in statistics.Fired)
            FiredSummary(type).Add(count);
        statistics.Fired.Clear();
        Metrics.PacketsSent.Add(statistics.Replies + statistics.Events - movedSent);
        movedSent = statistics.Replies + statistics.Events;
        Metrics.StaleSessionsExpired.Add(statistics.SessionsExpired - movedExpired);
        movedExpired = statistics.SessionsExpired;
        Metrics.SessionsRevalidated.Add(statistics.SessionsResumed - movedResumed);
        movedResumed = statistics.SessionsResumed;
        Metrics.DigestMismatches.Add(statistics.DigestMismatches - movedMismatches);
        movedMismatches = statistics.DigestMismatches;
        Metrics.WatchBytes.Add(statistics.EventBytes - movedEventBytes);
        movedEventBytes = statistics.EventBytes;
        statistics.Propagation.Drain((ms, count) => Metrics.PropagationLatency.Add(ms, count));
    }

    private Summary FiredSummary(WatchEventType type) => type switch
    {
        WatchEventType.NodeCreated => Metrics.NodeCreatedWatches,
        WatchEventType.NodeDeleted => Metrics.NodeDeletedWatches,
        WatchEventType.NodeDataChanged => Metrics.NodeChangedWatches,
        _ => Metrics.NodeChildrenWatches,
    };

    /// <summary>Comes about every 100 ms on the first connection thread.</summary>
    public void Tick(long nowMs)
    {
        Driver.PostTick();
        Driver.Post(replica => MoveStatistics(replica.Statistics));
        if (nowMs < nextSessionlessCheckMs)
            return;
        nextSessionlessCheckMs = nowMs + SessionlessCheckMs;
        long olderThanMs = nowMs - (long)Options.SessionlessConnectionTimeout.TotalMilliseconds;
        for (int i = 0; i < loops.Length; i++)
        {
            ClientLoop handler = loops[i];
            ConnectionLoop loop = Transport!.Loops[i];
            loop.Post(() => handler.CloseSessionless(loop, olderThanMs));
        }
    }

    private void Dispatch(List<ClientLink> dirty, List<ClientLink> hangups)
    {
        foreach (ClientLink link in dirty)
            HandOver(link);
        foreach (ClientLink link in hangups)
            HandOver(link);
        IReadOnlyList<ConnectionLoop> threads = Transport!.Loops;
        for (int i = 0; i < threads.Count; i++)
        {
            if (loops[i].HasDirty && !threads[i].IsCurrent)
                threads[i].Wake();
        }
    }

    private static void HandOver(ClientLink link) => ((ClientConnection)link.Owner!).Handler.AddDirty(link);

    [LoggerMessage(EventId = 110, Level = LogLevel.Warning, Message =
        "Closed the connection of {Remote}: a frame of {Length} bytes was announced, which is no ZooKeeper request. "
        + "Something else may be talking to the client port.")]
    public partial void LogBadFrame(IPEndPoint remote, int length);

    [LoggerMessage(EventId = 111, Level = LogLevel.Warning, Message =
        "Closed the connection of session {Session} from {Remote} over a request of {Length} bytes: the limit is {Limit} "
        + "bytes. Raise jute.maxbuffer, here and in the client, to allow it.")]
    public partial void LogOversizedRequest(SessionId session, IPEndPoint remote, int length, int limit);

    [LoggerMessage(EventId = 112, Level = LogLevel.Warning, Message =
        "Refused the credentials of scheme \"{Scheme}\" from {Remote}.")]
    public partial void LogAuthFailed(string scheme, IPEndPoint remote);

    [LoggerMessage(EventId = 113, Level = LogLevel.Warning, Message =
        "Closed the connection of session {Session} from {Remote}: it left {Bytes} bytes of replies and events unread.")]
    public partial void LogSlowReader(SessionId session, IPEndPoint remote, int bytes);

    [LoggerMessage(EventId = 114, Level = LogLevel.Warning, Message =
        "Closed the connection of session {Session} from {Remote}: with its request of {Bytes} bytes all large requests "
        + "in process would exceed {Limit} bytes. Raise largeRequestMaxBytes to allow more.")]
    public partial void LogLargeRequests(SessionId session, IPEndPoint remote, int bytes, int limit);
}
