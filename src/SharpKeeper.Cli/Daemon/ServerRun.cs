using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;
using SharpKeeper.Core;
using SharpKeeper.Server;

namespace SharpKeeper.Cli.Daemon;

/// <summary>
/// Runs one server from its start until a signal or an error ends it. <paramref name="report"/> hears once how the
/// start went: null when clients are served, else why not.
/// </summary>
internal sealed partial class ServerRun(ServerStarter start, ILoggerFactory loggers, Action<string?> report)
{
    private readonly ILogger _logger = loggers.CreateLogger("SharpKeeper.Cli");
    private readonly TaskCompletionSource<string> _signalled =
        new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Serves until the end and returns the exit code.</summary>
    internal async Task<int> RunAsync(ServerOptions options)
    {
        foreach (string warning in options.Warnings)
            LogWarning(warning);
        using PosixSignalRegistration terminate = Listen(PosixSignal.SIGTERM);
        using PosixSignalRegistration interrupt = Listen(PosixSignal.SIGINT);
        RunningServer server;
        try
        {
            server = await start(options, loggers, CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            LogStartFailed(e.Message, IsExpected(e) ? null : e);
            report(e.Message);
            return ExitCodeOf(e);
        }
        report(null);
        return await ServeAsync(server).ConfigureAwait(false);
    }

    /// <summary>What an error at start means to the caller of the process.</summary>
    internal static int ExitCodeOf(Exception error) => error switch
    {
        Server.Configuration.ServerConfigurationException => ExitCodes.InvalidInvocation,
        IOException or UnauthorizedAccessException => ExitCodes.DataDirectoryNotAccessible,
        _ => ExitCodes.Failed,
    };

    /// <summary>Errors of the world around, whose message says all; a stack would only hide it.</summary>
    private static bool IsExpected(Exception error) =>
        error is Server.Configuration.ServerConfigurationException or IOException or UnauthorizedAccessException
            or CorruptDataException or System.Net.Sockets.SocketException;

    private async Task<int> ServeAsync(RunningServer server)
    {
        Task ended = await Task.WhenAny(server.Completion, _signalled.Task).ConfigureAwait(false);
        if (ended == _signalled.Task)
            LogStopping(await _signalled.Task.ConfigureAwait(false));
        try
        {
            await server.StopAsync().ConfigureAwait(false);
            await server.Completion.ConfigureAwait(false);
            return ExitCodes.Finished;
        }
        catch (Exception e)
        {
            LogEndedByError(e.Message, e);
            return ExitCodes.Failed;
        }
    }

    /// <summary>The first signal asks for a clean end; a second one ends the process where it stands.</summary>
    private PosixSignalRegistration Listen(PosixSignal signal) =>
        PosixSignalRegistration.Create(signal, context => context.Cancel = _signalled.TrySetResult(signal.ToString()));

    [LoggerMessage(EventId = 101, Level = LogLevel.Warning, Message = "{Warning}")]
    private partial void LogWarning(string warning);

    [LoggerMessage(EventId = 102, Level = LogLevel.Critical, Message = "The server did not start: {Reason}")]
    private partial void LogStartFailed(string reason, Exception? exception);

    [LoggerMessage(EventId = 103, Level = LogLevel.Information, Message = "{Signal} received, stopping.")]
    private partial void LogStopping(string signal);

    [LoggerMessage(EventId = 104, Level = LogLevel.Critical, Message = "The server ended by an error: {Reason}")]
    private partial void LogEndedByError(string reason, Exception exception);
}
