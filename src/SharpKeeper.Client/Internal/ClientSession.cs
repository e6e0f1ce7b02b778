using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using SharpKeeper.Protocol;

namespace SharpKeeper.Client.Internal;

/// <summary>
/// The session machine: finds a server, keeps the session alive, resumes it elsewhere, and hands requests to whatever
/// connection there is. One lock guards the state, the connection's queues and the backlog; no code of the user runs
/// under it.
/// </summary>
internal sealed partial class ClientSession
{
    private readonly KeeperClientOptions options;
    private readonly TimeProvider time;
    private readonly ILogger logger;
    private readonly ConnectString address;
    private readonly ServerList servers;
    private readonly Lock gate = new();
    private readonly CancellationTokenSource stopping = new();
    private readonly List<AuthEntry> auth;
    private readonly Backlog backlog = new();
    private readonly List<StateWaiter> stateWaiters = [];
    private readonly Task running;

    private Connection? connection;
    private bool isMoving;
    private volatile KeeperState state = KeeperState.Connecting;
    private ErrorCode refusal = ErrorCode.Ok;
    private long sessionId;
    private byte[] password = new byte[16];
    private TimeSpan timeout;
    private long lastZxid;
    private int lastXid;
    private bool readWriteSeen;
    private string? lastFailure;
    private Task? closing;

    public ClientSession(KeeperClientOptions options)
    {
        options.Validate();
        this.options = options;
        time = options.TimeProvider;
        logger = options.LoggerFactory is { } factory
            ? factory.CreateLogger("SharpKeeper.Client") : NullLogger.Instance;
        address = Internal.ConnectString.Parse(options.ConnectString);
        timeout = options.SessionTimeout;
        servers = new ServerList(address.Servers, options.Random, options.ReconnectDelayMax);
        auth = [.. options.Auth.Select(info => new AuthEntry(info))];
        if (options.Session is { } session)
        {
            sessionId = session.Id.Value;
            password = session.Password.ToArray();
            readWriteSeen = true;
        }
        Watches = new WatchRegistry(gate);
        // What flows with the caller's async context must not live as long as the session.
        using (ExecutionContext.SuppressFlow())
        {
            Dispatcher = new EventDispatcher(logger);
            running = Task.Run(RunAsync);
        }
    }

    public event Action<KeeperState>? StateChanged;

    public event Action<WatchedEvent>? WatchFired;

    public EventDispatcher Dispatcher { get; }

    public ILogger Logger => logger;

    public WatchRegistry Watches { get; }

    public string Chroot => address.Chroot;

    public int WatchStreamEventsMax => options.WatchStreamEventsMax;

    public KeeperState State => state;

    public TimeSpan Timeout
    {
        get
        {
            lock (gate)
                return timeout;
        }
    }

    public Zxid LastZxid => new(Volatile.Read(ref lastZxid));

    public KeeperSession Identity
    {
        get
        {
            lock (gate)
                return new KeeperSession(new SessionId(sessionId), password);
        }
    }

    public string? Server
    {
        get
        {
            lock (gate)
                return connection?.Server.ToString();
        }
    }

    /// <summary>Sends a request, or keeps it until there is a connection.</summary>
    public ValueTask<T> SendAsync<TBody, T>(
        OpCode op, in TBody body, PendingRequest<T> request, CancellationToken cancellation)
        where TBody : struct, IRequestBody
    {
        short version = request.Version;
        if (TrySend(op, body, request, cancellation, isFollowed: false) is not { } refused)
            return new ValueTask<T>(request, version);
        return refused is OperationCanceledException
            ? ValueTask.FromCanceled<T>(cancellation) : ValueTask.FromException<T>(refused);
    }

    /// <summary>
    /// As <see cref="SendAsync{TBody, T}"/>, without the result. One that is followed leaves with the next request.
    /// </summary>
    public ValueTask SendOnlyAsync<TBody>(
        OpCode op, in TBody body, PendingRequest<bool> request, CancellationToken cancellation, bool isFollowed = false)
        where TBody : struct, IRequestBody
    {
        short version = request.Version;
        if (TrySend(op, body, request, cancellation, isFollowed) is not { } refused)
            return new ValueTask(request, version);
        return refused is OperationCanceledException
            ? ValueTask.FromCanceled(cancellation) : ValueTask.FromException(refused);
    }

    /// <summary>Adds credentials to this and all later connections; ends when a server has accepted them.</summary>
    public Task AddAuthAsync(AuthInfo info, CancellationToken cancellation)
    {
        var entry = new AuthEntry(info);
        Connection? flush = null;
        lock (gate)
        {
            if (refusal != ErrorCode.Ok)
                return Task.FromException(KeeperException.For(refusal));
            auth.Add(entry);
            if (connection is { } current)
            {
                current.AppendAuth(entry);
                flush = current.BeginFlush() ? current : null;
            }
        }
        flush?.Flush();
        return entry.Accepted.Task.WaitAsync(cancellation);
    }

    /// <summary>
    /// Sets again what is registered for a path, after a removal at the server that took more than it should; what has
    /// changed since the zxid given fires.
    /// </summary>
    public void SetWatchesAgain(string path, long sinceZxid)
    {
        Connection? flush = null;
        lock (gate)
        {
            if (connection is not { } current)
                return;
            Watches.WriteSetWatches(current.Outgoing, sinceZxid, Chroot, path);
            if (current.BeginFlush())
                flush = current;
        }
        flush?.Flush();
    }

    /// <summary>Raises <see cref="WatchFired"/> for an event that the client made itself.</summary>
    public void RaiseWatchFired(in WatchedEvent watched)
    {
        if (WatchFired is { } handler)
            Dispatcher.Enqueue(handler, watched);
    }

    public void OnReply(PendingRequest request, long zxid, ErrorCode error, ref JuteReader body, int oversized)
    {
        if (zxid > 0)
            Volatile.Write(ref lastZxid, zxid);
        if (request.Watch is { } watch)
            Watches.OnReply(request.Path!, request.WatchKind, watch, error);
        if (oversized > 0)
        {
            request.Fail(ErrorCode.MarshallingError,
                $"the reply of {oversized} bytes is over the limit of {options.ReplyBytesMax}; raise ReplyBytesMax");
            return;
        }
        request.Complete(error, ref body, Chroot);
        if (error == ErrorCode.SessionClosedRequireAuth)
            Stop(KeeperState.AuthFailed);
    }

    public void OnEvent(WatchEventType type, string path, long zxid)
    {
        var watched = new WatchedEvent(type, state, ChrootPaths.Strip(path, Chroot), new Zxid(zxid));
        RaiseWatchFired(watched);
        if (path == WatchRegistry.ConfigPath)
            Watches.OnConfigEvent(watched, Dispatcher);
        if (ChrootPaths.IsUnder(path, Chroot))
            Watches.OnEvent(watched, Dispatcher);
    }

    public void OnSetWatchesReply(Connection from, ErrorCode error)
    {
        if (error == ErrorCode.Ok)
            return;
        ClientLog.SetWatchesRefused(logger, from.Server, error);
        from.Abort($"setting the watches again failed with {error}");
    }

    public void OnAuthFailed(Connection from)
    {
        ClientLog.AuthFailed(logger, new SessionId(sessionId));
        Stop(KeeperState.AuthFailed);
        from.Abort("authentication was refused");
    }

    /// <summary>Sends or keeps the request, or says why not; then nobody holds it any more.</summary>
    private Exception? TrySend<TBody, T>(
        OpCode op, in TBody body, PendingRequest<T> request, CancellationToken cancellation, bool isFollowed)
        where TBody : struct, IRequestBody
    {
        Connection? flush = null;
        Exception? refused = null;
        if (cancellation.IsCancellationRequested)
        {
            refused = new OperationCanceledException(cancellation);
        }
        else
        {
            lock (gate)
            {
                Connection? target = isMoving ? null : connection;
                if (refusal != ErrorCode.Ok)
                    refused = KeeperException.For(refusal, request.Path);
                else if (TryAppend(target, op, body, request, out refused))
                    flush = target is not null && !isFollowed && target.BeginFlush() ? target : null;
            }
        }
        if (refused is null)
        {
            request.CancelWith(cancellation);
            flush?.Flush();
        }
        else
        {
            request.Release();
            request.Release();
        }
        return refused;
    }

    /// <summary>Queues the request's frame, or nothing if it breaks a limit.</summary>
    private bool TryAppend<TBody>(
        Connection? target, OpCode op, in TBody body, PendingRequest request,
        [NotNullWhen(false)] out Exception? refused)
        where TBody : struct, IRequestBody
    {
        if (target is null && backlog.Bytes.Length > options.QueuedBytesMax)
            backlog.Compact();
        JuteBuffer output = target?.Outgoing ?? backlog.Bytes;
        lastXid = lastXid == int.MaxValue ? 1 : lastXid + 1;
        request.Xid = lastXid;
        int start = output.BeginFrame();
        try
        {
            output.WriteInt32(lastXid);
            output.WriteInt32((int)op);
            body.Write(output, Chroot);
        }
        catch
        {
            // A list of the caller's may throw; half a frame must not stay behind.
            output.Truncate(start);
            throw;
        }
        output.EndFrame(start);
        int bytes = output.Length - start - 4;
        if (bytes > options.RequestBytesMax)
            refused = TooLong(request, bytes);
        else if (start > options.QueuedBytesMax)
            refused = TooMany(request);
        else
            refused = null;
        if (refused is not null)
            output.Truncate(start);
        else if (target is null)
            backlog.Add(request, start);
        else
            target.Enqueue(request);
        return refused is null;
    }

    private KeeperException TooLong(PendingRequest request, int bytes) => new(ErrorCode.MarshallingError, request.Path,
        $"the request of {bytes} bytes is over the limit of {options.RequestBytesMax}; store less, or raise "
        + "RequestBytesMax here and jute.maxbuffer at the servers");

    private KeeperException TooMany(PendingRequest request) => new(ErrorCode.ThrottledOp, request.Path,
        $"more than {options.QueuedBytesMax} bytes of requests wait to be sent; slow down, or raise QueuedBytesMax");

    /// <summary>Requests made while there is no connection, as frames one behind the other.</summary>
    private sealed class Backlog
    {
        private readonly List<(PendingRequest Request, int Start, int End)> requests = [];

        public JuteBuffer Bytes { get; } = new();

        public void Add(PendingRequest request, int start) => requests.Add((request, start, Bytes.Length));

        /// <summary>Hands the requests to a connection, without those whose callers have given up.</summary>
        public void MoveTo(Connection connection)
        {
            foreach ((PendingRequest request, int start, int end) in requests)
            {
                if (request.IsFinished)
                {
                    request.Release();
                    continue;
                }
                connection.Outgoing.WriteRaw(Bytes.WrittenSpan[start..end]);
                connection.Enqueue(request);
            }
            requests.Clear();
            Bytes.Reset();
        }

        /// <summary>Forgets the requests whose callers have given up, so that they do not fill the queue.</summary>
        public void Compact()
        {
            int kept = 0;
            int length = 0;
            for (int i = 0; i < requests.Count; i++)
            {
                (PendingRequest request, int start, int end) = requests[i];
                if (request.IsFinished)
                {
                    request.Release();
                    continue;
                }
                Bytes.Written[start..end].CopyTo(Bytes.Written[length..]);
                requests[kept++] = (request, length, length + end - start);
                length += end - start;
            }
            requests.RemoveRange(kept, requests.Count - kept);
            Bytes.Truncate(length);
        }

        public PendingRequest[] Take()
        {
            PendingRequest[] all = [.. requests.Select(waiting => waiting.Request)];
            requests.Clear();
            Bytes.Reset();
            return all;
        }
    }

    private sealed record StateWaiter(Func<KeeperState, bool> IsWanted, TaskCompletionSource Reached);
}
