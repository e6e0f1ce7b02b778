using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace SharpKeeper.Cli.Bench.Transport;

/// <summary>
/// Bare system calls on Linux: no task, no callback, no allocation per event, because the driver shares its cores with
/// the server it measures.
/// </summary>
[SupportedOSPlatform("linux")]
internal sealed unsafe class EpollTransport : ITransport
{
    private const int EventsMax = 512;

    // The kernel packs struct epoll_event on x86 and aligns its 64-bit part elsewhere.
    private static readonly int TagOffset =
        RuntimeInformation.ProcessArchitecture is Architecture.X64 or Architecture.X86 ? 4 : 8;
    private static readonly int EventBytes = TagOffset + 8;

    private readonly int epoll;
    private readonly byte* events;
    private readonly Dictionary<int, int> tags = [];
    private bool disposed;

    public EpollTransport()
    {
        epoll = LinuxCalls.EpollCreate(LinuxCalls.EpollCloseOnExec);
        if (epoll < 0)
            throw Failure("epoll_create1");
        events = (byte*)NativeMemory.AllocZeroed((nuint)(EventsMax * EventBytes));
    }

    public int Connect(IPEndPoint endPoint, int tag)
    {
        SocketAddress address = endPoint.Serialize();
        int descriptor = LinuxCalls.Socket(endPoint.AddressFamily == AddressFamily.InterNetwork ? 2 : 10,
            LinuxCalls.StreamNonBlockingCloseOnExec, LinuxCalls.ProtocolTcp);
        if (descriptor < 0)
            throw Failure("socket");
        try
        {
            int on = 1;
            LinuxCalls.SetSocketOption(descriptor, LinuxCalls.ProtocolTcp, LinuxCalls.TcpNoDelay, &on, 4);
            fixed (byte* bytes = address.Buffer.Span)
            {
                if (LinuxCalls.Connect(descriptor, bytes, (uint)address.Size) < 0
                    && Marshal.GetLastPInvokeError() != LinuxCalls.InProgress)
                    throw Failure($"connect to {endPoint}");
            }
            tags[descriptor] = tag;
            Control(LinuxCalls.EpollAdd, descriptor, LinuxCalls.EpollIn);
            return descriptor;
        }
        catch
        {
            Close(descriptor);
            throw;
        }
    }

    public void Close(int handle)
    {
        tags.Remove(handle);
        _ = LinuxCalls.Close(handle);
    }

    public int Send(int handle, ReadOnlySpan<byte> bytes)
    {
        fixed (byte* start = bytes)
        {
            while (true)
            {
                nint sent = LinuxCalls.Send(handle, start, (nuint)bytes.Length, LinuxCalls.MessageNoSignal);
                if (sent >= 0)
                    return (int)sent;
                int error = Marshal.GetLastPInvokeError();
                if (error == LinuxCalls.Again)
                    return 0;
                if (error != LinuxCalls.Interrupted)
                    throw Failure("send");
            }
        }
    }

    public int Receive(int handle, Span<byte> bytes)
    {
        fixed (byte* start = bytes)
        {
            while (true)
            {
                nint count = LinuxCalls.Receive(handle, start, (nuint)bytes.Length, 0);
                if (count >= 0)
                    return (int)count;
                int error = Marshal.GetLastPInvokeError();
                if (error == LinuxCalls.Again)
                    return -1;
                if (error != LinuxCalls.Interrupted)
                    throw Failure("receive");
            }
        }
    }

    public void WatchWritable(int handle, bool watch) => Control(LinuxCalls.EpollModify, handle,
        watch ? LinuxCalls.EpollIn | LinuxCalls.EpollOut : LinuxCalls.EpollIn);

    public int Wait(Span<Readiness> ready, int timeoutMs)
    {
        int count = LinuxCalls.EpollWait(epoll, events, Math.Min(ready.Length, EventsMax), timeoutMs);
        if (count < 0)
        {
            if (Marshal.GetLastPInvokeError() == LinuxCalls.Interrupted)
                return 0;
            throw Failure("epoll_wait");
        }
        for (int i = 0; i < count; i++)
        {
            byte* at = events + i * EventBytes;
            uint mask = *(uint*)at;
            // Errors and hang-ups show in the receive that follows.
            bool canRead = (mask & (LinuxCalls.EpollIn | LinuxCalls.EpollError | LinuxCalls.EpollHangUp)) != 0;
            ready[i] = new Readiness(*(int*)(at + TagOffset), canRead, (mask & LinuxCalls.EpollOut) != 0);
        }
        return count;
    }

    public void Dispose()
    {
        if (disposed)
            return;
        disposed = true;
        foreach (int descriptor in tags.Keys)
            _ = LinuxCalls.Close(descriptor);
        tags.Clear();
        _ = LinuxCalls.Close(epoll);
        NativeMemory.Free(events);
    }

    private void Control(int operation, int descriptor, uint mask)
    {
        byte* entry = stackalloc byte[16];
        *(uint*)entry = mask;
        *(long*)(entry + TagOffset) = tags[descriptor];
        if (LinuxCalls.EpollControl(epoll, operation, descriptor, entry) < 0)
            throw Failure("epoll_ctl");
    }

    private static TransportException Failure(string call) =>
        new($"{call}: {Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError())}");
}
