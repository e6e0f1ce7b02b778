using System.Net;
using SharpKeeper.Core;
using SharpKeeper.Protocol;

namespace SharpKeeper.Server.Connections;

/// <summary>
/// One accepted socket. All members belong to the thread of <see cref="Loop"/>. An idle connection holds no buffer.
/// </summary>
internal class Connection
{
    // Output below this size is copied behind what is queued already rather than kept as a segment of its own.
    private const int CopiedBytesMax = 1024;
    private const int SegmentBytesMin = 1024;
    private const int SegmentBytesMax = 64 * 1024;

    // Output of one connection sent per wake-up, so that one fast reader does not hold up the others.
    private const int DrainedBytesMax = 1024 * 1024;

    private OutputSegment? head;
    private OutputSegment? tail;

    /// <summary>The loop that owns the connection; set before the first call that names it.</summary>
    public ConnectionLoop Loop { get; private set; } = null!;

    /// <summary>The peer's address; an IPv4 peer of an IPv6 listener has its IPv4 address here.</summary>
    public IPEndPoint Remote { get; private set; } = null!;

    /// <summary>Whether the connection has been closed or has failed; nothing is received or sent any more.</summary>
    public bool IsClosed => State != ConnectionState.Open;

    /// <summary>Bytes handed to <c>Send</c> that the operating system has not taken yet.</summary>
    public int QueuedBytes { get; private set; }

    /// <summary>The socket's descriptor (epoll).</summary>
    internal int Descriptor { get; set; } = -1;

    /// <summary>Events the descriptor is registered for (epoll).</summary>
    internal uint Interest { get; set; }

    /// <summary>The socket and its operations (portable).</summary>
    internal SocketLink? Link { get; set; }

    /// <summary>Place in the loop's table.</summary>
    internal int Slot { get; private set; } = -1;

    /// <summary>Received bytes that the handler has not consumed; null when there are none.</summary>
    internal byte[]? Rest { get; set; }

    /// <summary>Number of bytes in <see cref="Rest"/>.</summary>
    internal int RestLength { get; set; }

    /// <summary>Where the connection is in its life.</summary>
    internal ConnectionState State { get; private set; }

    /// <summary>Why it ended.</summary>
    internal CloseReason Reason { get; private set; }

    /// <summary>Whether the handler wants no more input for now.</summary>
    internal bool IsPaused { get; private set; }

    /// <summary>Whether the peer has ended its side.</summary>
    internal bool InputEnded { get; set; }

    /// <summary>Whether output waits for room in the operating system's buffer.</summary>
    internal bool IsStuck => head is not null;

    /// <summary>When a flushing connection is closed at the latest.</summary>
    internal long DeadlineMs { get; private set; }

    /// <summary>What has to be sent first; there must be queued output.</summary>
    internal OutputSegment FirstSegment => head!;

    /// <summary>
    /// Sends bytes: at once if nothing is queued, as far as the operating system takes them, and queues the rest.
    /// Ignored when the connection is closed.
    /// </summary>
    public void Send(ReadOnlySpan<byte> bytes)
    {
        if (IsClosed)
            return;
        int sent = head is null ? SendNow(bytes) : 0;
        if (sent < 0 || sent == bytes.Length)
            return;
        Enqueue(bytes[sent..]);
    }

    /// <summary>
    /// Sends a filled buffer without copying it and takes its ownership: it is disposed when its last byte was sent
    /// or the connection ends.
    /// </summary>
    public void Send(JuteBuffer buffer)
    {
        if (IsClosed || buffer.Length == 0)
        {
            buffer.Dispose();
            return;
        }
        int sent = head is null ? SendNow(buffer.WrittenSpan) : 0;
        if (sent < 0 || sent == buffer.Length)
        {
            buffer.Dispose();
        }
        else if (buffer.Length - sent <= CopiedBytesMax)
        {
            Enqueue(buffer.WrittenSpan[sent..]);
            buffer.Dispose();
        }
        else
        {
            QueuedBytes += buffer.Length - sent;
            AppendSegment(new OutputSegment(buffer, sent));
        }
    }

    /// <summary>
    /// Stops further <see cref="ILoopHandler.Received"/> calls: for back-pressure, or while an answer is prepared
    /// elsewhere that a peer which has already ended its side shall still get.
    /// </summary>
    public void PauseReading() => IsPaused = true;

    /// <summary>Ends the pause; bytes left unconsumed are presented again.</summary>
    public void ResumeReading()
    {
        if (!IsPaused || IsClosed)
            return;
        IsPaused = false;
        Loop.Resume(this);
    }

    /// <summary>
    /// Closes the connection; <see cref="ILoopHandler.Closed"/> follows after the current call has returned. With
    /// <paramref name="flush"/> queued output goes out first and the peer may take it in peace, within 5 seconds.
    /// </summary>
    public void Close(CloseReason reason, bool flush)
    {
        if (State is ConnectionState.Closing or ConnectionState.Closed)
            return;
        if (State == ConnectionState.Open)
            Reason = reason;
        else if (flush)
            return;
        if (flush)
        {
            State = ConnectionState.Flushing;
            IsPaused = false;
            Loop.Flush(this);
        }
        else
        {
            State = ConnectionState.Closing;
            Loop.Condemn(this);
        }
    }

    /// <summary>Ties the new connection to its loop.</summary>
    internal void Attach(ConnectionLoop loop, IPEndPoint remote, int slot)
    {
        Invariant.Check(Loop is null, "a connection object was returned by Accept twice");
        Loop = loop;
        Remote = remote;
        Slot = slot;
    }

    /// <summary>Marks the end and drops unsent output.</summary>
    internal void Detach(bool releaseFirstSegment)
    {
        State = ConnectionState.Closed;
        QueuedBytes = 0;
        for (OutputSegment? segment = head; segment is not null; segment = segment.Next)
        {
            // A portable send that is under way still reads the first one; the collector takes care of it.
            if (segment != head || releaseFirstSegment)
                segment.Release();
        }
        head = tail = null;
    }

    /// <summary>Sets when flushing must be over.</summary>
    internal void SetDeadline(long deadlineMs) => DeadlineMs = deadlineMs;

    /// <summary>Sends queued output as far as it goes; false when some is left.</summary>
    internal bool Drain()
    {
        int budget = DrainedBytesMax;
        while (head is { } segment)
        {
            ReadOnlyMemory<byte> unsent = segment.Unsent;
            int sent = budget > 0 ? Loop.TrySend(this, unsent.Span) : 0;
            if (sent < 0)
            {
                Fail();
                return false;
            }
            NoteSent(sent);
            if (sent < unsent.Length)
                return false;
            budget -= sent;
        }
        return true;
    }

    /// <summary>Takes <paramref name="count"/> sent bytes off the first segment.</summary>
    internal void NoteSent(int count)
    {
        OutputSegment segment = head!;
        QueuedBytes -= count;
        segment.Advance(count);
        if (!segment.Unsent.IsEmpty)
            return;
        head = segment.Next;
        if (head is null)
            tail = null;
        segment.Release();
    }

    /// <summary>Ends the connection after an error of its socket.</summary>
    internal void Fail() => Close(CloseReason.Error, flush: false);

    private int SendNow(ReadOnlySpan<byte> bytes)
    {
        if (bytes.IsEmpty)
            return 0;
        int sent = Loop.TrySend(this, bytes);
        if (sent < 0)
            Fail();
        return sent;
    }

    private void Enqueue(ReadOnlySpan<byte> bytes)
    {
        QueuedBytes += bytes.Length;
        if (tail is { Room: > 0 } last)
        {
            int fitting = Math.Min(last.Room, bytes.Length);
            last.Append(bytes[..fitting]);
            bytes = bytes[fitting..];
        }
        if (bytes.IsEmpty)
            return;
        int wanted = Math.Clamp((tail?.Capacity ?? 0) * 2, SegmentBytesMin, SegmentBytesMax);
        var segment = new OutputSegment(Math.Max(wanted, bytes.Length));
        segment.Append(bytes);
        AppendSegment(segment);
    }

    private void AppendSegment(OutputSegment segment)
    {
        if (tail is null)
        {
            head = tail = segment;
            Loop.AwaitWritable(this);
            return;
        }
        tail.Next = segment;
        tail = segment;
    }
}

/// <summary>Where a connection is in its life.</summary>
internal enum ConnectionState : byte
{
    /// <summary>Receives and sends.</summary>
    Open,

    /// <summary>Closed by the server; queued output still goes out, input is discarded.</summary>
    Flushing,

    /// <summary>Ends after the current call.</summary>
    Closing,

    /// <summary>Its socket is closed.</summary>
    Closed,
}
