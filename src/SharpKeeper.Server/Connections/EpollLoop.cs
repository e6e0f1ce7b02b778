using System.ComponentModel;
using System.Net;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace SharpKeeper.Server.Connections;

/// <summary>A loop on Linux epoll: level-triggered input, output events only while output is stuck.</summary>
[SupportedOSPlatform("linux")]
internal sealed unsafe class EpollLoop : ConnectionLoop
{
    private const int EventsMax = 512;
    private const long WakeData = -1;
    private const long ListenerData = -2;

    private readonly int epoll;
    private readonly Lock wakeLock = new();
    private readonly byte* events;
    private int wakeDescriptor;
    private EpollListener? listener;

    public EpollLoop(int index, ILoopHandler handler, Action<Exception> failed)
        : base(index, handler, failed)
    {
        epoll = Checked(Epoll.Create(Epoll.CloseOnExec), "epoll_create1");
        wakeDescriptor = Checked(Epoll.EventDescriptor(0, Epoll.CloseOnExec | Epoll.NonBlocking), "eventfd");
        // Edge-triggered, so each write is one event and the counter need not be read.
        uint interest = Epoll.In | Epoll.EdgeTriggered;
        Checked(Epoll.Control(epoll, Epoll.Add, wakeDescriptor, interest, WakeData), "epoll_ctl");
        events = (byte*)NativeMemory.Alloc(EventsMax, (nuint)Epoll.EventBytes);
    }

    /// <summary>Takes over an accepted socket.</summary>
    public void Adopt(int descriptor, IPEndPoint remote)
    {
        if (Admit(remote) is not { } connection)
        {
            _ = Epoll.Close(descriptor);
            return;
        }
        connection.Descriptor = descriptor;
        connection.Interest = Epoll.In;
        if (Epoll.Control(epoll, Epoll.Add, descriptor, Epoll.In, connection.Slot) < 0)
            connection.Fail();
    }

    /// <summary>Accepts from a listener on this loop's thread, or goes on with it after a pause.</summary>
    public void Listen(EpollListener source)
    {
        listener = source;
        Checked(Epoll.Control(epoll, Epoll.Add, source.Descriptor, Epoll.In, ListenerData), "epoll_ctl");
    }

    /// <summary>Stops accepting.</summary>
    public void Unlisten()
    {
        if (listener is null)
            return;
        _ = Epoll.Control(epoll, Epoll.Delete, listener.Descriptor, 0, 0);
        listener = null;
    }

    /// <inheritdoc/>
    internal override int TrySend(Connection connection, ReadOnlySpan<byte> bytes)
    {
        fixed (byte* start = bytes)
        {
            while (true)
            {
                nint sent = Epoll.Send(connection.Descriptor, start, (nuint)bytes.Length,
                    Epoll.MessageDontWait | Epoll.MessageNoSignal);
                if (sent >= 0)
                    return (int)sent;
                int error = Marshal.GetLastPInvokeError();
                if (error == Epoll.ErrorInterrupted)
                    continue;
                return error == Epoll.ErrorAgain ? 0 : -1;
            }
        }
    }

    /// <inheritdoc/>
    internal override void AwaitWritable(Connection connection) =>
        SetInterest(connection, connection.Interest | Epoll.Out);

    /// <inheritdoc/>
    protected override int TryReceive(Connection connection, Span<byte> bytes)
    {
        fixed (byte* start = bytes)
        {
            while (true)
            {
                nint count = Epoll.Receive(connection.Descriptor, start, (nuint)bytes.Length, Epoll.MessageDontWait);
                if (count >= 0)
                    return (int)count;
                int error = Marshal.GetLastPInvokeError();
                if (error == Epoll.ErrorInterrupted)
                    continue;
                return error == Epoll.ErrorAgain ? -1 : -2;
            }
        }
    }

    /// <inheritdoc/>
    protected override void AwaitReadable(Connection connection)
    {
        if (!connection.InputEnded)
            SetInterest(connection, connection.Interest | Epoll.In);
    }

    /// <inheritdoc/>
    protected override void ReadingDone(Connection connection)
    {
        // The event is level-triggered: what is not to be read must not be reported again.
        if (connection.IsPaused || connection.InputEnded)
            SetInterest(connection, connection.Interest & ~Epoll.In);
    }

    /// <inheritdoc/>
    protected override void WaitForEvents(int timeoutMs)
    {
        int count = Epoll.Wait(epoll, events, EventsMax, timeoutMs);
        if (count < 0)
        {
            int error = Marshal.GetLastPInvokeError();
            if (error != Epoll.ErrorInterrupted)
                throw new Win32Exception(error, $"epoll_wait failed with errno {error}.");
        }
        for (int i = 0; i < count; i++)
        {
            uint happened = Epoll.ReadEvent(events, i, out long data);
            if (data == ListenerData)
                AcceptBatch();
            else if (data >= 0 && InSlot((int)data) is { } connection)
                Dispatch(connection, happened);
        }
    }

    /// <inheritdoc/>
    protected override void Interrupt()
    {
        ulong one = 1;
        // The lock keeps a late caller from writing to a descriptor that is something else by now.
        lock (wakeLock)
        {
            if (wakeDescriptor >= 0)
                _ = Epoll.Write(wakeDescriptor, (byte*)&one, sizeof(ulong));
        }
    }

    /// <inheritdoc/>
    protected override void ShutdownSend(Connection connection) =>
        _ = Epoll.Shutdown(connection.Descriptor, Epoll.ShutdownWrite);

    /// <inheritdoc/>
    protected override bool CloseSocket(Connection connection)
    {
        _ = Epoll.Close(connection.Descriptor);
        connection.Descriptor = -1;
        return true;
    }

    /// <inheritdoc/>
    protected override void OnTick(long nowMs)
    {
        if (listener is { IsBackingOff: true } source)
        {
            source.IsBackingOff = false;
            _ = Epoll.Control(epoll, Epoll.Modify, source.Descriptor, Epoll.In, ListenerData);
        }
    }

    /// <inheritdoc/>
    protected override void Release()
    {
        lock (wakeLock)
        {
            _ = Epoll.Close(wakeDescriptor);
            wakeDescriptor = -1;
        }
        _ = Epoll.Close(epoll);
        NativeMemory.Free(events);
    }

    private static int Checked(int result, string call)
    {
        if (result >= 0)
            return result;
        int error = Marshal.GetLastPInvokeError();
        throw new Win32Exception(error, $"{call} failed with errno {error}.");
    }

    private void Dispatch(Connection connection, uint happened)
    {
        if ((happened & Epoll.Out) != 0)
        {
            Writable(connection);
            if (!connection.IsStuck)
                SetInterest(connection, connection.Interest & ~Epoll.Out);
        }
        if ((happened & (Epoll.In | Epoll.Error | Epoll.HangUp)) == 0)
            return;
        // A hang-up is reported whether or not it was asked for.
        bool gone = (happened & (Epoll.Error | Epoll.HangUp)) != 0;
        if (gone && (connection.IsPaused || connection.InputEnded))
            connection.Fail();
        else
            Ready.Add(connection);
    }

    private void SetInterest(Connection connection, uint interest)
    {
        if (connection.Interest == interest || connection.Descriptor < 0)
            return;
        connection.Interest = interest;
        if (Epoll.Control(epoll, Epoll.Modify, connection.Descriptor, interest, connection.Slot) < 0)
            connection.Fail();
    }

    private void AcceptBatch()
    {
        if (listener is not { } source)
            return;
        if (!source.AcceptBatch())
        {
            source.IsBackingOff = true;
            _ = Epoll.Control(epoll, Epoll.Modify, source.Descriptor, 0, ListenerData);
        }
    }
}
