using System.Buffers.Binary;
using System.Net;
using SharpKeeper.Core.Clients;
using SharpKeeper.Core.Watches;
using SharpKeeper.Protocol;
using SharpKeeper.Server.Admin;
using SharpKeeper.Server.Auth;
using SharpKeeper.Server.Connections;

namespace SharpKeeper.Server.Runtime;

/// <summary>
/// What one connection thread does: cuts frames, answers reads on the spot, hands everything else to the replica in one
/// batch per pass, and flushes what the replica wrote.
/// </summary>
internal sealed class ClientLoop : ILoopHandler
{
    private const int RequestHeaderBytes = 8;

    // A frame longer than the limit is taken for a request up to this multiple; longer ones are garbage.
    private const int RequestLimits = 64;

    // A connection with so much unsent output is not read any more: its peer must take some first.
    private const int UnsentBytesSoftMax = 4 << 20;

    // Reads that wait behind a write cannot be taken back, so no more of them are handed over than their replies may
    // take together, nor more than this number.
    private const int WaitingReadsMax = 1024;

    // Events still come in while it is not read; with so much of them, besides a large reply, it is cut off.
    private const int UnsentBytesHardMax = 32 << 20;

    // Larger output is handed over as it is, so that nothing is copied if the peer does not take it at once.
    private const int ReusedBytesMax = 64 * 1024;

    private readonly ServerRuntime runtime;
    private readonly WatchTable watches;
    private readonly LoopCounters counters = new();
    private readonly List<ClientConnection> clients = [];
    private readonly List<ClientConnection> asking = [];
    private readonly List<ClientConnection> held = [];
    private readonly int slot;
    private readonly List<ClientConnection> touched = [];
    private readonly Stack<JuteBuffer> emptyBuffers = new();
    private readonly Lock dirtyLock = new();
    private List<ClientLink> dirty = [];
    private List<ClientLink> dirtySpare = [];
    private RequestBatch? batch;
    private long nowMs = Environment.TickCount64;

    /// <summary>Creates the handler of the loop with that index; its reader slot has the same number.</summary>
    public ClientLoop(ServerRuntime runtime, int index, WatchTable watches)
    {
        this.runtime = runtime;
        this.watches = watches;
        slot = index;
    }

    /// <summary>The watches of this thread's connections.</summary>
    public WatchTable Watches => watches;

    /// <summary>The connections of this thread; for whoever has shared or exclusive access to the tree.</summary>
    public IReadOnlyList<ClientConnection> Clients => clients;

    /// <summary>Notes links with output or to be hung up; any thread. The caller wakes the loop.</summary>
    public void AddDirty(ClientLink link)
    {
        lock (dirtyLock)
            dirty.Add(link);
    }

    /// <summary>Are there links to look after?</summary>
    public bool HasDirty => Volatile.Read(ref dirty).Count > 0;

    /// <inheritdoc/>
    public Connection? Accept(ConnectionLoop loop, IPEndPoint remote)
    {
        if (!runtime.Admission.TryEnter(remote.Address))
        {
            runtime.Metrics.ConnectionsRejected.Add();
            return null;
        }
        var connection = new ClientConnection(this, watches, Environment.TickCount64, runtime.WallMs());
        connection.Link.AddIdentity(IpProvider.IdentityOf(remote.Address));
        connection.IsAuthorized = !runtime.AuthEnforced;
        runtime.Gate.EnterShared(slot);
        connection.Index = clients.Count;
        clients.Add(connection);
        runtime.Gate.ExitShared(slot);
        return connection;
    }

    /// <inheritdoc/>
    public void PassStarting() => nowMs = Environment.TickCount64;

    /// <inheritdoc/>
    public int Received(Connection connection, ReadOnlySpan<byte> bytes)
    {
        var client = (ClientConnection)connection;
        runtime.Gate.EnterShared(slot);
        try
        {
            return Consume(client, bytes);
        }
        finally
        {
            runtime.Gate.ExitShared(slot);
        }
    }

    /// <inheritdoc/>
    public void PassCompleted()
    {
        PostBatch();
        foreach (ClientConnection client in touched)
        {
            client.IsTouched = false;
            Flush(client);
        }
        touched.Clear();
        AnswerWords();
        FlushDirty();
    }

    /// <inheritdoc/>
    public void Woken() => FlushDirty();

    /// <inheritdoc/>
    public void Tick(long nowMs)
    {
        this.nowMs = nowMs;
        counters.MoveTo(runtime.Metrics);
        ReleaseHeld();
        if (slot == 0)
            runtime.Tick(nowMs);
        FlushDirty();
    }

    /// <summary>Closes connections that have not come to a session in time.</summary>
    public void CloseSessionless(ConnectionLoop loop, long olderThanMs)
    {
        foreach (Connection connection in loop.Connections)
        {
            if (connection is ClientConnection { Phase: ConnectionPhase.Fresh or ConnectionPhase.Done } client
                && client.AcceptedMs < olderThanMs)
            {
                runtime.Metrics.SessionlessConnectionsExpired.Add();
                client.Close(CloseReason.Timeout, flush: false);
            }
        }
    }

    /// <inheritdoc/>
    public void Closed(Connection connection, CloseReason reason)
    {
        var client = (ClientConnection)connection;
        runtime.Admission.Leave(client.Remote.Address);
        ReturnLarge(client);
        held.Remove(client);
        if (reason != CloseReason.Peer)
            runtime.Metrics.ConnectionsDropped.Add();
        runtime.Gate.EnterShared(slot);
        watches.RemoveAll(client.Link);
        client.Link.Output.Reset();
        ClientConnection last = clients[^1];
        clients[client.Index] = last;
        last.Index = client.Index;
        clients.RemoveAt(clients.Count - 1);
        runtime.Gate.ExitShared(slot);
        if (client.Phase is ConnectionPhase.Connecting or ConnectionPhase.Established
            || client.Link.Session != SessionId.None)
        {
            (batch ??= runtime.Driver.RentBatch()).Add(
                RequestKind.Closed, client.Link, default, 0, default);
            PostBatch();
            FlushDirty();
        }
    }

    /// <inheritdoc/>
    public void Drained(Connection connection)
    {
        var client = (ClientConnection)connection;
        if (!client.WaitsForPeer)
            return;
        // Its pings wait unread behind what it has just taken.
        client.Link.LastHeardMs = nowMs;
        client.WaitsForPeer = false;
        ResumeIfFree(client);
    }

    private void PostBatch()
    {
        if (batch is not { } full)
            return;
        batch = null;
        runtime.Driver.Post(full);
    }

    private int Consume(ClientConnection client, ReadOnlySpan<byte> bytes)
    {
        int consumed = 0;
        while (!client.IsClosed && !client.IsWaiting && !client.Link.IsHangingUp)
        {
            int taken = ConsumeOne(client, bytes[consumed..]);
            if (taken == 0)
                break;
            consumed += taken;
        }
        if (client.IsWaiting)
            client.PauseReading();
        return consumed;
    }

    /// <summary>Takes one frame; 0 when more bytes are needed.</summary>
    private int ConsumeOne(ClientConnection client, ReadOnlySpan<byte> bytes)
    {
        if (client.Phase == ConnectionPhase.Done)
            return bytes.Length;
        if (bytes.Length < 4)
            return 0;
        int length = BinaryPrimitives.ReadInt32BigEndian(bytes);
        if (client.Phase == ConnectionPhase.Fresh)
        {
            FourLetterWord word = FourLetterWordRecognizer.Recognize(length);
            if (word != FourLetterWord.None)
                return TakeWord(client, word, bytes);
        }
        if (length < 0 || length > runtime.RequestBytesMax)
            return RefuseOversized(client, length);
        if (bytes.Length - 4 < length)
            return 0;
        if (client.Phase == ConnectionPhase.Established && IsHeldBack(client, bytes.Slice(4, length)))
            return 0;
        TakeFrame(client, bytes.Slice(4, length));
        return 4 + length;
    }

    /// <summary>Leaves a request where it is while the throttle holds requests back.</summary>
    private bool IsHeldBack(ClientConnection client, ReadOnlySpan<byte> frame)
    {
        if (!runtime.HoldsRequests || frame.Length < RequestHeaderBytes)
            return false;
        var op = (OpCode)BinaryPrimitives.ReadInt32BigEndian(frame[4..]);
        if (op is OpCode.Ping or OpCode.CloseSession || ThrottleTimeIsOver(client))
            return false;
        if (client.ThrottledSinceMs == 0)
        {
            client.ThrottledSinceMs = nowMs;
            runtime.Metrics.RequestThrottleWaits.Add();
        }
        client.WaitsForThrottle = true;
        held.Add(client);
        return true;
    }

    private bool ThrottleTimeIsOver(ClientConnection client) => runtime.Options.ThrottledOpWait > TimeSpan.Zero
        && client.ThrottledSinceMs != 0
        && nowMs - client.ThrottledSinceMs > runtime.Options.ThrottledOpWait.TotalMilliseconds;

    private void ReleaseHeld()
    {
        if (held.Count == 0)
            return;
        ClientConnection[] released = [.. held];
        held.Clear();
        foreach (ClientConnection client in released)
        {
            client.WaitsForThrottle = false;
            ResumeIfFree(client);
        }
    }

    /// <summary>
    /// Ends the connection over a frame that is too long, once the requests before it are answered. Clients are used to
    /// that from Apache; why it happens stands in the log.
    /// </summary>
    private int RefuseOversized(ClientConnection client, int length)
    {
        if (client.Phase != ConnectionPhase.Established || length < 0
            || length > (long)runtime.RequestBytesMax * RequestLimits)
        {
            runtime.LogBadFrame(client.Remote, length);
            Break(client, CloseReason.Protocol);
            return 0;
        }
        if (client.Link.HasUnanswered)
        {
            client.WaitsForReplica = true;
            return 0;
        }
        runtime.LogOversizedRequest(client.Link.Session, client.Remote, length, runtime.RequestBytesMax);
        runtime.Metrics.LargeRequestsRejected.Add();
        client.Phase = ConnectionPhase.Done;
        client.Close(CloseReason.Protocol, flush: true);
        return 0;
    }

    private int TakeWord(ClientConnection client, FourLetterWord word, ReadOnlySpan<byte> bytes)
    {
        int argumentBytes = FourLetterWordRecognizer.ArgumentBytes(word);
        if (bytes.Length < 4 + argumentBytes)
            return 0;
        client.Phase = ConnectionPhase.Done;
        client.Link.Statistics.Received++;
        counters.Received++;
        client.Word = word;
        client.WordArgument = argumentBytes > 0 ? BinaryPrimitives.ReadInt64BigEndian(bytes[4..]) : 0;
        asking.Add(client);
        return bytes.Length;
    }

    /// <summary>Has the words of this pass answered, now that this thread keeps nobody from exclusive access.</summary>
    private void AnswerWords()
    {
        if (asking.Count == 0)
            return;
        counters.MoveTo(runtime.Metrics);
        foreach (ClientConnection client in asking)
            runtime.AnswerWord(client, client.Word, client.WordArgument);
        asking.Clear();
    }

    private void TakeFrame(ClientConnection client, ReadOnlySpan<byte> frame)
    {
        client.Link.Statistics.Received++;
        counters.Received++;
        counters.BytesReceived += frame.Length;
        if (client.Phase == ConnectionPhase.Fresh)
        {
            TakeHandshake(client, frame);
            return;
        }
        if (frame.Length < RequestHeaderBytes)
        {
            Break(client, CloseReason.Protocol);
            return;
        }
        client.Link.LastHeardMs = nowMs;
        int xid = BinaryPrimitives.ReadInt32BigEndian(frame);
        var op = (OpCode)BinaryPrimitives.ReadInt32BigEndian(frame[4..]);
        TakeRequest(client, xid, op, frame[RequestHeaderBytes..]);
    }

    private void TakeHandshake(ClientConnection client, ReadOnlySpan<byte> frame)
    {
        if (!ConnectRequest.TryRead(frame, out ConnectRequest request))
        {
            runtime.Metrics.HandshakesFailed.Add();
            Break(client, CloseReason.Protocol);
            return;
        }
        runtime.Metrics.ConnectionRequests.Add();
        if (!runtime.Throttle.TryEnter(isRenewal: request.SessionId != 0, nowMs))
        {
            runtime.Metrics.ConnectionsRejected.Add();
            Break(client, CloseReason.Refused);
            return;
        }
        client.Phase = ConnectionPhase.Connecting;
        client.WaitsForReplica = true;
        PostToReplica(client, RequestKind.Connect, OpCode.CreateSession, 0, frame);
    }

    private void TakeRequest(ClientConnection client, int xid, OpCode op, ReadOnlySpan<byte> body)
    {
        ClientLink link = client.Link;
        OpClass opClass = OpTable.Find(op).Class;
        if (client.ThrottledSinceMs != 0 && !IsOnTime(client, xid, op))
            return;
        if (!client.IsAuthorized && opClass != OpClass.Connection)
            Refuse(client, xid, runtime.Replica.Tree.LastProcessed, ErrorCode.SessionClosedRequireAuth);
        else if (opClass == OpClass.Read && !link.HasUnanswered
            && !(op == OpCode.Sync && runtime.Replica.IsEnsemble))
            AnswerRead(client, xid, op, body);
        else if (opClass is OpClass.Read or OpClass.Write)
            PostRequest(client, xid, op, body);
        else if (opClass == OpClass.Connection)
            Authenticate(client, xid, op, body);
        else
            Refuse(client, xid, new Zxid(-1), ErrorCode.Unimplemented);
    }

    /// <summary>Answers a request that the throttle has held back for too long; false if it did.</summary>
    private bool IsOnTime(ClientConnection client, int xid, OpCode op)
    {
        bool isLate = ThrottleTimeIsOver(client) && op is not (OpCode.Ping or OpCode.CloseSession);
        client.ThrottledSinceMs = 0;
        if (!isLate)
            return true;
        runtime.Metrics.ThrottledOps.Add();
        PostToReplica(client, RequestKind.Throttled, op, xid, default);
        return false;
    }

    private void AnswerRead(ClientConnection client, int xid, OpCode op, ReadOnlySpan<byte> body)
    {
        ClientLink link = client.Link;
        runtime.Replica.Reads.Answer(link, xid, op, body);
        link.Statistics.Answered(op, xid, runtime.Replica.Tree.LastProcessed, nowMs, nowMs);
        counters.ReadsAnswered++;
        Touch(client);
        if (link.Output.Length + client.QueuedBytes > UnsentBytesSoftMax)
            client.WaitsForPeer = true;
    }

    private void PostRequest(ClientConnection client, int xid, OpCode op, ReadOnlySpan<byte> body)
    {
        if (!TryTakeLarge(client, body.Length))
            return;
        if (OpTable.Find(op).Class == OpClass.Read)
        {
            client.WaitingReads++;
            client.WaitingReadBytes += body.Length + runtime.Replica.Reads.EstimateReplyBytes(op, body);
        }
        PostToReplica(client, RequestKind.Request, op, xid, body);
        client.WaitsForSync |= op == OpCode.Sync && runtime.Replica.IsEnsemble;
        // The server as a whole has enough in hand, or this client: whoever already has a request under way waits.
        if (runtime.IsOverloaded || HasTooManyReads(client))
            client.WaitsForReplica = true;
    }

    private static bool HasTooManyReads(ClientConnection client) =>
        client.WaitingReads >= WaitingReadsMax || client.WaitingReadBytes > UnsentBytesSoftMax;

    private bool TryTakeLarge(ClientConnection client, int bytes)
    {
        int threshold = runtime.Options.LargeRequestThresholdBytes;
        if (threshold <= 0 || bytes <= threshold)
            return true;
        if (!runtime.TryTakeLarge(bytes))
        {
            runtime.LogLargeRequests(client.Link.Session, client.Remote, bytes, runtime.Options.LargeRequestBytesMax);
            // Before the peer can see the end: what it leaves free is there for others at once.
            ReturnLarge(client);
            Break(client, CloseReason.Overflow);
            return false;
        }
        client.LargeBytes += bytes;
        return true;
    }

    private void ReturnLarge(ClientConnection client)
    {
        if (client.LargeBytes == 0)
            return;
        runtime.ReturnLarge(client.LargeBytes);
        client.LargeBytes = 0;
    }

    private void PostToReplica(
        ClientConnection client, RequestKind kind, OpCode op, int xid, ReadOnlySpan<byte> body)
    {
        client.Link.Posted++;
        (batch ??= runtime.Driver.RentBatch()).Add(kind, client.Link, op, xid, body);
    }

    private void Authenticate(ClientConnection client, int xid, OpCode op, ReadOnlySpan<byte> body)
    {
        ClientLink link = client.Link;
        if (op == OpCode.Sasl)
        {
            // No SASL here: an empty token says so, as Apache's server without a login context does.
            int frame = Replies.Begin(link.Output, xid, Zxid.Zero, ErrorCode.Ok);
            link.Output.WriteInt32(-1);
            link.Output.EndFrame(frame);
            Touch(client);
            return;
        }
        var reader = new JuteReader(body);
        reader.ReadInt32();
        string? scheme = reader.ReadString();
        ReadOnlySpan<byte> credentials = reader.ReadBuffer();
        if (reader.Failed)
        {
            Replies.WriteEmpty(link.Output, xid, Zxid.Zero, ErrorCode.MarshallingError);
            Touch(client);
            return;
        }
        IReadOnlyList<AuthId>? identities =
            runtime.FindProvider(scheme)?.Authenticate(credentials, client.Remote.Address);
        if (identities is null)
        {
            runtime.LogAuthFailed(scheme ?? "", client.Remote);
            runtime.Metrics.AuthFailed.Add();
            Refuse(client, xid, Zxid.Zero, ErrorCode.AuthFailed);
            return;
        }
        foreach (AuthId identity in identities)
            link.AddIdentity(identity);
        client.IsAuthorized |= runtime.SatisfiesEnforcedAuth(scheme!);
        Replies.WriteEmpty(link.Output, xid, Zxid.Zero, ErrorCode.Ok);
        Touch(client);
    }

    /// <summary>Answers with an error and closes once that is sent, behind the answers still owed.</summary>
    private void Refuse(ClientConnection client, int xid, Zxid zxid, ErrorCode error)
    {
        if (client.Link.HasUnanswered)
        {
            client.PendingRefusal = (xid, zxid, error);
            client.Phase = ConnectionPhase.Done;
            return;
        }
        Replies.WriteEmpty(client.Link.Output, xid, zxid, error);
        client.Link.IsClosing = true;
        client.Phase = ConnectionPhase.Done;
        Touch(client);
    }

    private static void Break(ClientConnection client, CloseReason reason)
    {
        client.Phase = ConnectionPhase.Done;
        client.Close(reason, flush: false);
    }

    private void Touch(ClientConnection client)
    {
        if (client.IsTouched)
            return;
        client.IsTouched = true;
        touched.Add(client);
    }

    private void FlushDirty()
    {
        List<ClientLink> links;
        lock (dirtyLock)
        {
            links = dirty;
            if (links.Count == 0)
                return;
            dirty = dirtySpare;
        }
        foreach (ClientLink link in links)
        {
            var client = (ClientConnection)link.Owner!;
            if (link.IsHangingUp)
                client.Close(CloseReason.Server, flush: false);
            else
                Flush(client);
        }
        links.Clear();
        dirtySpare = links;
    }

    /// <summary>Takes a link's output from the replica's reach and sends it.</summary>
    private void Flush(ClientConnection client)
    {
        ClientLink link = client.Link;
        JuteBuffer empty = emptyBuffers.TryPop(out JuteBuffer? spare) ? spare : new JuteBuffer();
        runtime.Gate.EnterShared(slot);
        JuteBuffer output = link.Output;
        link.Output = empty;
        link.IsDirty = false;
        bool isAnswered = !link.HasUnanswered;
        bool isEstablished = link.IsEstablished;
        bool isClosing = link.IsClosing;
        runtime.Gate.ExitShared(slot);
        if (isAnswered && client.PendingRefusal is { } refusal)
        {
            Replies.WriteEmpty(output, refusal.Xid, refusal.Zxid, refusal.Error);
            client.PendingRefusal = null;
            isClosing = true;
        }
        if (isAnswered)
        {
            ReturnLarge(client);
            client.WaitingReads = 0;
            client.WaitingReadBytes = 0;
        }
        Send(client, output);
        AwaitPeer(client);
        if (isClosing)
        {
            client.Phase = ConnectionPhase.Done;
            client.Close(CloseReason.Server, flush: true);
            return;
        }
        if (client.Phase == ConnectionPhase.Connecting && isEstablished)
            client.Phase = ConnectionPhase.Established;
        if (client.WaitsForSync && isAnswered)
        {
            client.WaitsForSync = false;
            ResumeIfFree(client);
        }
        if (client.WaitsForReplica && client.Phase != ConnectionPhase.Connecting
            && (isAnswered || !(runtime.IsOverloaded || HasTooManyReads(client))))
        {
            client.WaitsForReplica = false;
            ResumeIfFree(client);
        }
    }

    private void Send(ClientConnection client, JuteBuffer output)
    {
        if (output.Length == 0)
        {
            output.Reset();
            emptyBuffers.Push(output);
            return;
        }
        counters.BytesSent += output.Length;
        runtime.Metrics.ResponseSizes.Note(output.Length);
        if (client.QueuedBytes == 0 || output.Length > UnsentBytesSoftMax)
            client.LargeReplyBytes = output.Length > UnsentBytesSoftMax ? output.Length : 0;
        if (client.QueuedBytes > 0 || output.Length > ReusedBytesMax)
        {
            client.Send(output);
        }
        else
        {
            client.Send(output.WrittenSpan);
            output.Reset();
            emptyBuffers.Push(output);
        }
        if (client.QueuedBytes <= UnsentBytesHardMax + client.LargeReplyBytes)
            return;
        runtime.LogSlowReader(client.Link.Session, client.Remote, client.QueuedBytes);
        client.Close(CloseReason.Overflow, flush: false);
    }

    /// <summary>Stops reading while too much is unsent; goes on if the peer took all of it at once.</summary>
    private static void AwaitPeer(ClientConnection client)
    {
        if (client.QueuedBytes > UnsentBytesSoftMax)
        {
            client.WaitsForPeer = true;
            client.PauseReading();
        }
        else if (client.WaitsForPeer && client.QueuedBytes == 0)
        {
            client.WaitsForPeer = false;
            ResumeIfFree(client);
        }
    }

    private static void ResumeIfFree(ClientConnection client)
    {
        if (!client.IsWaiting)
            client.ResumeReading();
    }
}
