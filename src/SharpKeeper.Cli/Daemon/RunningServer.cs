using Microsoft.Extensions.Logging;
using SharpKeeper.Server;

namespace SharpKeeper.Cli.Daemon;

/// <summary>A server that serves clients, as far as the commands need to know it.</summary>
/// <param name="ClientPort">The port that clients connect to.</param>
/// <param name="Completion">Ends with the server; faulted if it could not go on.</param>
/// <param name="StopAsync">Ends the server in good order.</param>
internal sealed record RunningServer(int ClientPort, Task Completion, Func<ValueTask> StopAsync);

/// <summary>Starts a server; the result is there once clients are served.</summary>
internal delegate Task<RunningServer> ServerStarter(
    ServerOptions options, ILoggerFactory loggers, CancellationToken cancellationToken);

/// <summary>Starts the server of this program.</summary>
internal static class HostedServer
{
    internal static async Task<RunningServer> StartAsync(
        ServerOptions options, ILoggerFactory loggers, CancellationToken cancellationToken)
    {
        ServerHost host = await ServerHost.StartAsync(options, loggers, cancellationToken).ConfigureAwait(false);
        return new RunningServer(host.ClientPort, host.Completion, host.DisposeAsync);
    }
}
