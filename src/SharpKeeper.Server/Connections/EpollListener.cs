using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace SharpKeeper.Server.Connections;

/// <summary>Accepts peers on the first epoll loop and deals them out to all loops.</summary>
[SupportedOSPlatform("linux")]
internal sealed unsafe class EpollListener : IListener
{
    private const int AcceptedMax = 64;
    private const int AddressBytesMax = 28;

    private readonly Socket socket;
    private readonly EpollLoop[] loops;
    private readonly AcceptGuard guard;
    private int next;

    /// <summary>Takes over a listening socket.</summary>
    public EpollListener(Socket socket, EpollLoop[] loops, AcceptGuard guard)
    {
        this.socket = socket;
        this.loops = loops;
        this.guard = guard;
        // Accepted sockets inherit the option on Linux, which saves a call for each.
        socket.NoDelay = true;
        // Takes effect on the descriptor itself.
        socket.Blocking = false;
        Descriptor = (int)socket.Handle;
    }

    /// <summary>The listening descriptor.</summary>
    public int Descriptor { get; }

    /// <summary>Whether accepting pauses until the next tick because the process has no descriptors left.</summary>
    public bool IsBackingOff { get; set; }

    /// <inheritdoc/>
    public void Start() => loops[0].Post(() => loops[0].Listen(this));

    /// <inheritdoc/>
    public void Stop()
    {
        loops[0].Unlisten();
        socket.Dispose();
    }

    /// <summary>Accepts the peers that wait, up to a limit; false when the system lacks resources for more.</summary>
    public bool AcceptBatch()
    {
        byte* address = stackalloc byte[AddressBytesMax];
        for (int i = 0; i < AcceptedMax; i++)
        {
            uint length = AddressBytesMax;
            int descriptor = Epoll.Accept(Descriptor, address, &length, Epoll.NonBlocking | Epoll.CloseOnExec);
            if (descriptor >= 0 && !guard.Allows(descriptor))
            {
                _ = Epoll.Close(descriptor);
                continue;
            }
            if (descriptor >= 0)
            {
                var bytes = new ReadOnlySpan<byte>(address, (int)Math.Min(length, AddressBytesMax));
                HandOver(descriptor, ReadAddress(bytes));
                continue;
            }
            int error = Marshal.GetLastPInvokeError();
            if (error == Epoll.ErrorAgain)
                return true;
            if (error is Epoll.ErrorTooManyFiles or Epoll.ErrorTooManyFilesSystem or Epoll.ErrorNoMemory
                or Epoll.ErrorNoBuffers)
            {
                guard.Report($"errno {error}");
                return false;
            }
            // Anything else is the fate of one peer that has gone already.
        }
        return true;
    }

    private static IPEndPoint ReadAddress(ReadOnlySpan<byte> address)
    {
        int family = address.Length >= 2 ? MemoryMarshal.Read<ushort>(address) : 0;
        if (family is not (Epoll.AddressFamilyV4 or Epoll.AddressFamilyV6))
            return new IPEndPoint(IPAddress.None, 0);
        int port = BinaryPrimitives.ReadUInt16BigEndian(address[2..]);
        if (family == Epoll.AddressFamilyV4)
            return new IPEndPoint(new IPAddress(address.Slice(4, 4)), port);
        var v6 = new IPAddress(address.Slice(8, 16), MemoryMarshal.Read<uint>(address[24..]));
        return new IPEndPoint(v6.IsIPv4MappedToIPv6 ? v6.MapToIPv4() : v6, port);
    }

    private void HandOver(int descriptor, IPEndPoint remote)
    {
        EpollLoop loop = loops[next];
        next = (next + 1) % loops.Length;
        if (loop.IsCurrent)
            loop.Adopt(descriptor, remote);
        else
            loop.Post(() => loop.Adopt(descriptor, remote));
    }
}
