using System.Net;
using SharpKeeper.Core.Clients;
using SharpKeeper.Core.Watches;
using SharpKeeper.Protocol;
using SharpKeeper.Server.Auth;
using SharpKeeper.Server.Connections;

namespace SharpKeeper.Server.Runtime;

/// <summary>
/// What one connection thread does: cuts frames, answers reads on the spot, hands everything else to the replica in one
/// batch per pass, and flushes what the replica wrote.
/// </summary>
internal sealed partial class ClientLoop : ILoopHandler
{
    // A connection with so much unsent output is not read any more: its peer must take some first.
    private const int UnsentBytesSoftMax = 4 << 20;

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
}
