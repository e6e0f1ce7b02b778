using System.Buffers;
using System.Collections.Concurrent;
using System.Net;
using System.Runtime.InteropServices;
using SharpKeeper.Core;

namespace SharpKeeper.Server.Connections;

/// <summary>
/// One thread and the connections it owns. What a connection does is done on this thread, so nothing of a connection
/// is locked; other threads reach it through <see cref="Wake"/> and <see cref="Post"/>.
/// </summary>
internal abstract unsafe class ConnectionLoop
{
    /// <summary>Bytes received at most from one connection per wake-up.</summary>
    internal const int ReceiveBytesMax = 256 * 1024;

    /// <summary>How long output may take after <see cref="Connection.Close"/> with flush.</summary>
    internal const int FlushMsMax = 5000;

    private const int TickMs = 100;

    // How long a peer may take to end its side after it was sent everything and our end of stream.
    private const int LingerMsMax = 1000;
    private const int StopFlushMsMax = 1000;

    // A rest up to this size is copied in front of what the next receive brings; a larger one is added to where it is.
    private const int CopiedRestBytesMax = 16 * 1024;

    private readonly ILoopHandler handler;
    private readonly Action<Exception> failed;
    private readonly Thread thread;
    private readonly byte* receiveBuffer;
    private readonly ConcurrentQueue<Action> posts = new();
    private readonly Stack<int> freeSlots = new();
    private readonly List<Connection> resumed = [];
    private readonly List<Connection> condemned = [];
    private readonly List<Connection> flushing = [];
    private readonly TaskCompletionSource ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Connection?[] slots = new Connection?[64];
    private int slotsUsed;
    private int connectionCount;
    private int sleeping;
    private int woken;
    private int stopRequested;
    private bool inPass;
    private long nextTickMs;

    /// <summary>Creates the loop; <see cref="Start"/> starts its thread.</summary>
    /// <param name="index">Place among the transport's loops.</param>
    /// <param name="handler">What the loop calls.</param>
    /// <param name="failed">Is told of an exception that ended the loop.</param>
    protected ConnectionLoop(int index, ILoopHandler handler, Action<Exception> failed)
    {
        Index = index;
        this.handler = handler;
        this.failed = failed;
        receiveBuffer = (byte*)NativeMemory.Alloc(ReceiveBytesMax);
        thread = new Thread(Run) { IsBackground = true, Name = $"connections-{index}" };
    }

    /// <summary>Place among the transport's loops, from 0.</summary>
    public int Index { get; }

    /// <summary>Number of connections; any thread may ask.</summary>
    public int ConnectionCount => Volatile.Read(ref connectionCount);

    /// <summary>The connections, those being closed included; loop thread only.</summary>
    public IEnumerable<Connection> Connections
    {
        get
        {
            for (int i = 0; i < slotsUsed; i++)
            {
                if (slots[i] is { } connection)
                    yield return connection;
            }
        }
    }

    /// <summary>Completes when the loop's thread has ended and its connections are closed.</summary>
    internal Task Ended => ended.Task;

    /// <summary>Whether the caller runs on the loop's thread.</summary>
    internal bool IsCurrent => Thread.CurrentThread == thread;

    /// <summary>Connections with input, filled by <see cref="WaitForEvents"/>.</summary>
    protected List<Connection> Ready { get; } = [];

    /// <summary>Makes the loop call <see cref="ILoopHandler.Woken"/> soon; calls before that count as one.</summary>
    public void Wake()
    {
        if (Interlocked.Exchange(ref woken, 1) == 0)
            Signal();
    }

    /// <summary>Runs <paramref name="action"/> on the loop's thread; dropped when the loop has ended.</summary>
    public void Post(Action action)
    {
        posts.Enqueue(action);
        Interlocked.MemoryBarrier();
        Signal();
    }

    /// <summary>Starts the thread.</summary>
    internal void Start()
    {
        nextTickMs = Environment.TickCount64 + TickMs;
        thread.Start();
    }

    /// <summary>Asks the loop to close its connections and end; any thread.</summary>
    internal void RequestStop()
    {
        Interlocked.Exchange(ref stopRequested, 1);
        Signal();
    }

    /// <summary>Presents unconsumed bytes of the connection again and goes on reading.</summary>
    internal void Resume(Connection connection)
    {
        resumed.Add(connection);
        AwaitReadable(connection);
    }

    /// <summary>Closes the connection's socket after the current call.</summary>
    internal void Condemn(Connection connection) => condemned.Add(connection);

    /// <summary>Lets the connection's output go out before it is closed.</summary>
    internal void Flush(Connection connection)
    {
        connection.SetDeadline(Environment.TickCount64 + FlushMsMax);
        flushing.Add(connection);
        if (connection.IsStuck)
            AwaitReadable(connection);
        else
            Flushed(connection);
    }

    /// <summary>Sends without blocking; returns the bytes taken, 0 when there is no room, -1 after an error.</summary>
    internal abstract int TrySend(Connection connection, ReadOnlySpan<byte> bytes);

    /// <summary>Arranges a call of <see cref="Writable"/> when the connection's queue can go on.</summary>
    internal abstract void AwaitWritable(Connection connection);

    /// <summary>Receives without blocking; 0 at the end of input, -1 if there is none, -2 after an error.</summary>
    protected abstract int TryReceive(Connection connection, Span<byte> bytes);

    /// <summary>Arranges that input puts the connection into <see cref="Ready"/>.</summary>
    protected abstract void AwaitReadable(Connection connection);

    /// <summary>Is told that a pass has read what it may from a connection, or that it must not be read.</summary>
    protected abstract void ReadingDone(Connection connection);

    /// <summary>Waits for events, at most so long, and puts connections with input into <see cref="Ready"/>.</summary>
    protected abstract void WaitForEvents(int timeoutMs);

    /// <summary>Ends a wait from another thread.</summary>
    protected abstract void Interrupt();

    /// <summary>Tells the peer that nothing follows.</summary>
    protected abstract void ShutdownSend(Connection connection);

    /// <summary>Closes the socket; returns whether queued output is free to be released.</summary>
    protected abstract bool CloseSocket(Connection connection);

    /// <summary>Is called about every 100 ms.</summary>
    protected abstract void OnTick(long nowMs);

    /// <summary>Frees what the loop holds, on its thread, at the end.</summary>
    protected abstract void Release();

    /// <summary>Asks the handler about a new peer and gives its connection a slot; null when it is refused.</summary>
    protected Connection? Admit(IPEndPoint remote)
    {
        if (Volatile.Read(ref stopRequested) != 0 || handler.Accept(this, remote) is not { } connection)
            return null;
        if (!freeSlots.TryPop(out int slot))
        {
            slot = slotsUsed++;
            if (slot == slots.Length)
                Array.Resize(ref slots, slots.Length * 2);
        }
        slots[slot] = connection;
        Volatile.Write(ref connectionCount, connectionCount + 1);
        connection.Attach(this, remote, slot);
        return connection;
    }

    /// <summary>The connection in a slot, or null when it has ended.</summary>
    protected Connection? InSlot(int slot) => slots[slot];

    /// <summary>Goes on with queued output.</summary>
    protected void Writable(Connection connection)
    {
        if (connection.State is ConnectionState.Closing or ConnectionState.Closed)
            return;
        if (!connection.Drain())
        {
            if (connection.IsStuck && connection.State != ConnectionState.Closing)
                AwaitWritable(connection);
        }
        else if (connection.State == ConnectionState.Flushing)
        {
            Flushed(connection);
        }
        else if (connection.State == ConnectionState.Open)
        {
            handler.Drained(connection);
        }
    }

    private void Signal()
    {
        if (Volatile.Read(ref sleeping) == 1 && Interlocked.Exchange(ref sleeping, 0) == 1)
            Interrupt();
    }

    private void Run()
    {
        try
        {
            while (Volatile.Read(ref stopRequested) == 0)
                RunOnce();
            CloseAll();
        }
        catch (Exception exception)
        {
            failed(exception);
        }
        finally
        {
            foreach (Connection connection in Connections)
                CloseSocket(connection);
            Release();
            NativeMemory.Free(receiveBuffer);
            ended.SetResult();
        }
    }

    private void RunOnce()
    {
        // The flag is raised before the reasons not to sleep are looked at, and others set a reason before they look
        // at the flag: one of the two sees the other.
        Interlocked.Exchange(ref sleeping, 1);
        bool busy = Volatile.Read(ref woken) != 0 || !posts.IsEmpty || resumed.Count > 0
            || Volatile.Read(ref stopRequested) != 0;
        WaitForEvents(busy ? 0 : (int)Math.Clamp(nextTickMs - Environment.TickCount64, 0, TickMs));
        Volatile.Write(ref sleeping, 0);

        while (posts.TryDequeue(out Action? action))
            action();
        if (Interlocked.Exchange(ref woken, 0) != 0)
            handler.Woken();
        ReadPass();
        CloseCondemned();
        long nowMs = Environment.TickCount64;
        if (nowMs >= nextTickMs)
            Tick(nowMs);
    }

    private void Tick(long nowMs)
    {
        nextTickMs = nowMs + TickMs;
        OnTick(nowMs);
        handler.Tick(nowMs);
        for (int i = flushing.Count - 1; i >= 0; i--)
        {
            Connection connection = flushing[i];
            if (connection.State == ConnectionState.Flushing && nowMs < connection.DeadlineMs)
                continue;
            flushing[i] = flushing[^1];
            flushing.RemoveAt(flushing.Count - 1);
            connection.Close(connection.Reason, flush: false);
        }
        CloseCondemned();
    }

    private void ReadPass()
    {
        int resumedCount = resumed.Count;
        for (int i = 0; i < resumedCount; i++)
        {
            Connection connection = resumed[i];
            if (connection is { IsClosed: false, IsPaused: false, RestLength: > 0 })
                PresentRest(connection);
        }
        resumed.RemoveRange(0, resumedCount);
        foreach (Connection connection in Ready)
        {
            if (connection.State is ConnectionState.Closing or ConnectionState.Closed)
                continue;
            if (!connection.IsPaused)
                Read(connection);
            if (connection.State is not (ConnectionState.Closing or ConnectionState.Closed))
                ReadingDone(connection);
        }
        Ready.Clear();
        if (inPass)
        {
            inPass = false;
            handler.PassCompleted();
        }
    }

    private void Read(Connection connection)
    {
        if (connection.State == ConnectionState.Flushing)
        {
            Discard(connection);
            return;
        }
        int held = connection.RestLength;
        if (held > CopiedRestBytesMax)
        {
            ReadBehindRest(connection);
            return;
        }
        var buffer = new Span<byte>(receiveBuffer, ReceiveBytesMax);
        if (held > 0)
            connection.Rest.AsSpan(0, held).CopyTo(buffer);
        int count = TryReceive(connection, buffer[held..]);
        if (count <= 0)
        {
            InputStopped(connection, count);
            return;
        }
        ReadOnlySpan<byte> bytes = buffer[..(held + count)];
        int used = Present(connection, bytes);
        if (!connection.IsClosed)
            KeepRest(connection, bytes[used..]);
    }

    // Memory is doubled as bytes arrive, whatever length a frame claims to have.
    private void ReadBehindRest(Connection connection)
    {
        byte[] rest = connection.Rest!;
        int held = connection.RestLength;
        if (rest.Length - held < held)
        {
            byte[] larger = ArrayPool<byte>.Shared.Rent(checked(held * 2));
            rest.AsSpan(0, held).CopyTo(larger);
            ArrayPool<byte>.Shared.Return(rest);
            connection.Rest = rest = larger;
        }
        int count = TryReceive(connection, rest.AsSpan(held, Math.Min(rest.Length - held, ReceiveBytesMax)));
        if (count <= 0)
        {
            InputStopped(connection, count);
            return;
        }
        connection.RestLength = held + count;
        PresentRest(connection);
    }

    private void PresentRest(Connection connection)
    {
        byte[] rest = connection.Rest!;
        int length = connection.RestLength;
        int used = Present(connection, rest.AsSpan(0, length));
        if (used == 0 || connection.IsClosed)
            return;
        int left = length - used;
        if (left == 0 || left * 4 < rest.Length)
        {
            connection.Rest = null;
            connection.RestLength = 0;
            KeepRest(connection, rest.AsSpan(used, left));
            ArrayPool<byte>.Shared.Return(rest);
            return;
        }
        rest.AsSpan(used, left).CopyTo(rest);
        connection.RestLength = left;
    }

    private int Present(Connection connection, ReadOnlySpan<byte> bytes)
    {
        if (!inPass)
        {
            inPass = true;
            handler.PassStarting();
        }
        int used = handler.Received(connection, bytes);
        Invariant.Check((uint)used <= (uint)bytes.Length, "a connection's handler consumed more than it was given");
        return used;
    }

    private static void KeepRest(Connection connection, ReadOnlySpan<byte> left)
    {
        byte[]? rest = connection.Rest;
        if (rest is not null && (left.IsEmpty || rest.Length < left.Length))
        {
            connection.Rest = null;
            ArrayPool<byte>.Shared.Return(rest);
            rest = null;
        }
        connection.RestLength = left.Length;
        if (left.IsEmpty)
            return;
        rest ??= ArrayPool<byte>.Shared.Rent(left.Length);
        left.CopyTo(rest);
        connection.Rest = rest;
    }

    // A closed connection's input is taken off the socket all the same: closing a socket with unread input would
    // reset the connection, and the peer could lose what it was sent last.
    private void Discard(Connection connection)
    {
        int count = TryReceive(connection, new Span<byte>(receiveBuffer, ReceiveBytesMax));
        if (count <= 0)
            InputStopped(connection, count);
    }

    private static void InputStopped(Connection connection, int result)
    {
        if (result == -1)
            return;
        connection.InputEnded = true;
        if (result == -2)
            connection.Fail();
        else if (connection.State == ConnectionState.Open)
            connection.Close(CloseReason.Peer, flush: false);
        else if (!connection.IsStuck)
            connection.Close(connection.Reason, flush: false);
    }

    private void Flushed(Connection connection)
    {
        if (connection.InputEnded || Volatile.Read(ref stopRequested) != 0)
        {
            connection.Close(connection.Reason, flush: false);
            return;
        }
        ShutdownSend(connection);
        connection.SetDeadline(Math.Min(connection.DeadlineMs, Environment.TickCount64 + LingerMsMax));
        AwaitReadable(connection);
    }

    private void CloseCondemned()
    {
        // Closed may condemn others.
        for (int i = 0; i < condemned.Count; i++)
            CloseNow(condemned[i]);
        condemned.Clear();
    }

    private void CloseNow(Connection connection)
    {
        bool released = CloseSocket(connection);
        if (connection.Rest is { } rest)
        {
            connection.Rest = null;
            connection.RestLength = 0;
            ArrayPool<byte>.Shared.Return(rest);
        }
        connection.Detach(released);
        slots[connection.Slot] = null;
        freeSlots.Push(connection.Slot);
        Volatile.Write(ref connectionCount, connectionCount - 1);
        handler.Closed(connection, connection.Reason);
    }

    private void CloseAll()
    {
        for (int i = 0; i < slotsUsed; i++)
            slots[i]?.Close(CloseReason.Server, flush: slots[i]!.IsStuck);
        CloseCondemned();
        long untilMs = Environment.TickCount64 + StopFlushMsMax;
        while (connectionCount > 0 && Environment.TickCount64 < untilMs)
        {
            WaitForEvents(TickMs / 10);
            foreach (Connection connection in Ready)
            {
                Discard(connection);
                if (connection.State == ConnectionState.Flushing)
                    ReadingDone(connection);
            }
            Ready.Clear();
            CloseLingering();
        }
        for (int i = 0; i < slotsUsed; i++)
            slots[i]?.Close(CloseReason.Server, flush: false);
        CloseCondemned();
        // What was posted meanwhile may hold a socket that must not stay open.
        while (posts.TryDequeue(out Action? action))
            action();
    }

    private void CloseLingering()
    {
        for (int i = 0; i < slotsUsed; i++)
        {
            if (slots[i] is { IsStuck: false } connection)
                connection.Close(connection.Reason, flush: false);
        }
        CloseCondemned();
    }
}
