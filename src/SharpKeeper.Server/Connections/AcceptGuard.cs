using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;

namespace SharpKeeper.Server.Connections;

/// <summary>
/// Keeps peers from using up the process's file descriptors, which the server needs for its logs and snapshots, and
/// reports that peers cannot be accepted, once a second at most.
/// </summary>
internal sealed partial class AcceptGuard
{
    private const int IntervalMs = 1000;
    private const int ReservedMax = 128;
    private const int LimitDescriptorsLinux = 7;

    private readonly ILogger logger;
    private readonly long descriptorEnd;
    private long? lastMs;

    /// <summary>Creates a guard for the process's own limit, or for another.</summary>
    public AcceptGuard(ILogger logger, int? descriptorsMax)
    {
        this.logger = logger;
        long limit = descriptorsMax ?? ProcessLimit();
        descriptorEnd = limit - Math.Min(ReservedMax, limit / 4);
    }

    /// <summary>
    /// Whether an accepted socket leaves enough descriptors free; if not, it has to be closed. The system gives out
    /// the lowest number that is free.
    /// </summary>
    public bool Allows(long descriptor)
    {
        if (descriptor < descriptorEnd)
            return true;
        Report("limit of file descriptors reached");
        return false;
    }

    /// <summary>Logs that peers cannot be accepted.</summary>
    public void Report(string error)
    {
        long nowMs = Environment.TickCount64;
        if (lastMs is { } last && nowMs - last < IntervalMs)
            return;
        lastMs = nowMs;
        LogOutOfDescriptors(error);
    }

    private static unsafe long ProcessLimit()
    {
        if (!OperatingSystem.IsLinux())
            return int.MaxValue;
        nuint* limits = stackalloc nuint[2];
        return GetLimit(LimitDescriptorsLinux, limits) == 0 ? (long)Math.Min(limits[0], int.MaxValue) : int.MaxValue;
    }

    [LibraryImport("libc", EntryPoint = "getrlimit")]
    private static unsafe partial int GetLimit(int resource, nuint* limits);

    [LoggerMessage(Level = LogLevel.Error, Message = "Connections cannot be accepted: {Error}. Raise the limit of open "
        + "files (ulimit -n, LimitNOFILE) or close some connections; trying again.")]
    private partial void LogOutOfDescriptors(string error);
}
