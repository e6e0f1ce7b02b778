using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace SharpKeeper.Server.Connections;

/// <summary>The system calls of the epoll transport and the constants they take.</summary>
[SupportedOSPlatform("linux")]
internal static unsafe partial class Epoll
{
    public const uint In = 0x1;
    public const uint Out = 0x4;
    public const uint Error = 0x8;
    public const uint HangUp = 0x10;
    public const uint EdgeTriggered = 0x8000_0000;

    public const int Add = 1;
    public const int Delete = 2;
    public const int Modify = 3;

    public const int MessageDontWait = 0x40;
    public const int MessageNoSignal = 0x4000;
    public const int CloseOnExec = 0x80000;
    public const int NonBlocking = 0x800;
    public const int ShutdownWrite = 1;
    public const int AddressFamilyV4 = 2;
    public const int AddressFamilyV6 = 10;

    public const int ErrorInterrupted = 4;
    public const int ErrorAgain = 11;
    public const int ErrorNoMemory = 12;
    public const int ErrorTooManyFilesSystem = 23;
    public const int ErrorTooManyFiles = 24;
    public const int ErrorNoBuffers = 105;

    // struct epoll_event is packed on x86 only: an int, then eight bytes of ours.
    private static readonly bool Packed =
        RuntimeInformation.ProcessArchitecture is Architecture.X64 or Architecture.X86;

    /// <summary>Size of one event record.</summary>
    public static readonly int EventBytes = Packed ? 12 : 16;

    private static readonly int DataOffset = Packed ? 4 : 8;

    /// <summary>Reads the record at <paramref name="index"/>.</summary>
    public static uint ReadEvent(byte* events, int index, out long data)
    {
        byte* record = events + (nint)index * EventBytes;
        data = Unsafe.ReadUnaligned<long>(record + DataOffset);
        return Unsafe.ReadUnaligned<uint>(record);
    }

    /// <summary>Registers, changes or removes a descriptor; 0 or -1.</summary>
    public static int Control(int epoll, int operation, int descriptor, uint events, long data)
    {
        byte* record = stackalloc byte[16];
        Unsafe.WriteUnaligned(record, events);
        Unsafe.WriteUnaligned(record + DataOffset, data);
        return ControlCore(epoll, operation, descriptor, record);
    }

    [LibraryImport("libc", EntryPoint = "epoll_create1", SetLastError = true)]
    public static partial int Create(int flags);

    [LibraryImport("libc", EntryPoint = "epoll_wait", SetLastError = true)]
    public static partial int Wait(int epoll, byte* events, int maxEvents, int timeoutMs);

    [LibraryImport("libc", EntryPoint = "eventfd", SetLastError = true)]
    public static partial int EventDescriptor(uint initial, int flags);

    [LibraryImport("libc", EntryPoint = "accept4", SetLastError = true)]
    public static partial int Accept(int listener, byte* address, uint* addressLength, int flags);

    [LibraryImport("libc", EntryPoint = "recv", SetLastError = true)]
    public static partial nint Receive(int descriptor, byte* bytes, nuint length, int flags);

    [LibraryImport("libc", EntryPoint = "send", SetLastError = true)]
    public static partial nint Send(int descriptor, byte* bytes, nuint length, int flags);

    [LibraryImport("libc", EntryPoint = "write", SetLastError = true)]
    public static partial nint Write(int descriptor, byte* bytes, nuint length);

    [LibraryImport("libc", EntryPoint = "shutdown", SetLastError = true)]
    public static partial int Shutdown(int descriptor, int how);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    public static partial int Close(int descriptor);

    [LibraryImport("libc", EntryPoint = "epoll_ctl", SetLastError = true)]
    private static partial int ControlCore(int epoll, int operation, int descriptor, byte* record);
}
