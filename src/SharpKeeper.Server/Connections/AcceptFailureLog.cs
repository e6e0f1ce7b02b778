using Microsoft.Extensions.Logging;

namespace SharpKeeper.Server.Connections;

/// <summary>Reports that peers cannot be accepted, once a second at most.</summary>
internal sealed partial class AcceptFailureLog(ILogger logger)
{
    private const int IntervalMs = 1000;

    private readonly ILogger logger = logger;
    private long? lastMs;

    public void Report(string error)
    {
        long nowMs = Environment.TickCount64;
        if (lastMs is { } last && nowMs - last < IntervalMs)
            return;
        lastMs = nowMs;
        LogOutOfDescriptors(error);
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "Connections cannot be accepted ({Error}): the process or the "
        + "system is out of file descriptors or memory. Raise the limit (ulimit -n, LimitNOFILE); retrying.")]
    private partial void LogOutOfDescriptors(string error);
}
