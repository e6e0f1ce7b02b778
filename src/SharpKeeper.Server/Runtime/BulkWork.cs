using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;

namespace SharpKeeper.Server.Runtime;

/// <summary>
/// Long work that nobody waits for in milliseconds: loading and saving whole trees. It runs on threads of its own, which
/// make room at once for those that answer clients and other servers, in this process and in others. They are not
/// starved: with all processors busy they still get a share.
/// </summary>
/// <remarks>
/// On Linux and Windows; elsewhere the threads are like any other. The work must hold nothing that the replica may wait
/// for: it may be interrupted meanwhile. It must post nothing to the replica, since it would run it, and queue nothing
/// to the thread pool, whose new threads would come out like itself.
/// </remarks>
internal static partial class BulkWork
{
    // A third of what another busy thread of the server gets.
    private const int LoweredBy = 5;
    private const int NiceMax = 19;

    // A thread that wakes up interrupts one that asked for longer slices than its own at once, instead of after some
    // milliseconds. The usual slice is about 3 ms; Linux before 6.12 knows none of this.
    private const ulong SliceNs = 20_000_000;

    // A batch thread that wakes up interrupts nobody.
    private const int PolicyBatch = 3;

    // Threads that it starts after all have slices of the usual length.
    private const ulong FlagResetOnFork = 1;

    /// <summary>
    /// Runs <paramref name="work"/> and waits for its end; it gets less than other threads while all processors are busy.
    /// What it throws is thrown here.
    /// </summary>
    public static T Run<T>(Func<T> work) => RunWith(LoweredBy, work);

    /// <summary>
    /// As <see cref="Run"/>, and it gets as much as other threads: for what another
    /// server waits for in the end, like a part of the log that it lacks.
    /// </summary>
    public static T RunSoon<T>(Func<T> work) => RunWith(0, work);

    private static T RunWith<T>(int loweredBy, Func<T> work)
    {
        T result = default!;
        ExceptionDispatchInfo? failure = null;
        var thread = new Thread(() =>
        {
            MarkThread(loweredBy);
            try
            {
                result = work();
            }
            catch (Exception exception)
            {
                failure = ExceptionDispatchInfo.Capture(exception);
            }
        })
        {
            IsBackground = true,
            Name = "bulk-work",
        };
        thread.Start();
        thread.Join();
        failure?.Throw();
        return result;
    }

    private static void MarkThread(int loweredBy)
    {
        if (OperatingSystem.IsLinux())
            MarkLinuxThread(loweredBy);
        else if (loweredBy > 0)
            Thread.CurrentThread.Priority = ThreadPriority.BelowNormal;
    }

    private static unsafe void MarkLinuxThread(int loweredBy)
    {
        // The C library has no function for sched_setattr.
        int number = RuntimeInformation.ProcessArchitecture switch
        {
            Architecture.X64 => 314,
            Architecture.Arm64 => 274,
            _ => 0,
        };
        if (number == 0)
            return;
        var attributes = new SchedulingAttributes
        {
            Size = (uint)sizeof(SchedulingAttributes),
            Policy = PolicyBatch,
            Flags = FlagResetOnFork,
            // Nobody may go below what the server was started with.
            Nice = Math.Min(GetNice(0, 0) + loweredBy, NiceMax),
            Runtime = SliceNs,
        };
        // Where it is forbidden the work is done all the same, and disturbs the others more.
        _ = Call(number, 0, in attributes, 0);
    }

    [LibraryImport("libc", EntryPoint = "getpriority")]
    private static partial int GetNice(int which, uint who);

    [LibraryImport("libc", EntryPoint = "syscall")]
    private static partial nint Call(nint number, nint thread, in SchedulingAttributes attributes, nint flags);

    // The first version of Linux' struct sched_attr.
    [StructLayout(LayoutKind.Sequential)]
    private struct SchedulingAttributes
    {
        public uint Size;
        public uint Policy;
        public ulong Flags;
        public int Nice;
        public uint Priority;
        public ulong Runtime;
        public ulong Deadline;
        public ulong Period;
    }
}
