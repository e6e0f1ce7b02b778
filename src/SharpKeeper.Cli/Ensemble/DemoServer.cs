using System.Globalization;
using Microsoft.Extensions.Logging;
using SharpKeeper.Cli.Daemon;
using SharpKeeper.Cli.Logging;
using SharpKeeper.Server;
using SharpKeeper.Server.Configuration;

namespace SharpKeeper.Cli.Ensemble;

/// <summary>One server of a demonstration: its files, and the server while it runs.</summary>
internal sealed class DemoServer(int id, int clientPort, int quorumPort, int electionPort, string directory)
{
    private RunningServer? running;
    private ILoggerFactory? loggers;
    private FileStream? log;

    /// <summary>Its number.</summary>
    internal int Id => id;

    /// <summary>Where it takes clients.</summary>
    internal ServerAddress Address => new("127.0.0.1", clientPort);

    private string ConfigFile => Path.Combine(directory, "zoo.cfg");

    private string ServerLine => string.Create(
        CultureInfo.InvariantCulture, $"server.{id}=127.0.0.1:{quorumPort}:{electionPort};127.0.0.1:{clientPort}");

    /// <summary>Writes the files that a server of an ensemble needs: a zoo.cfg and its number.</summary>
    internal void WriteFiles(IEnumerable<DemoServer> all)
    {
        string data = Path.Combine(directory, "data");
        Directory.CreateDirectory(data);
        File.WriteAllText(Path.Combine(data, "myid"), string.Create(CultureInfo.InvariantCulture, $"{id}\n"));
        string[] lines =
        [
            $"dataDir={data.Replace("\\", "\\\\", StringComparison.Ordinal)}",
            "tickTime=500",
            "initLimit=20",
            "syncLimit=10",
            "standaloneEnabled=false",
            "4lw.commands.whitelist=*",
            .. all.Select(static server => server.ServerLine),
        ];
        File.WriteAllLines(ConfigFile, lines);
    }

    /// <summary>Starts it unless it runs; it may take a while until it has found the others.</summary>
    internal async Task StartAsync(ServerStarter start, CancellationToken cancel)
    {
        if (running is not null)
            return;
        ServerOptions options = ServerOptionsLoader.Load(ConfigFile, [], new ServerOverrides());
        log = new FileStream(
            Path.Combine(directory, "server.log"), FileMode.Append, FileAccess.Write, FileShare.ReadWrite);
        loggers = LineLoggerProvider.CreateFactory(log, LogFormat.Text, LogLevel.Information);
        running = await start(options, loggers, cancel).ConfigureAwait(false);
    }

    /// <summary>Stops it if it runs.</summary>
    internal async Task StopAsync()
    {
        if (running is not null)
            await running.StopAsync().ConfigureAwait(false);
        running = null;
        loggers?.Dispose();
        if (log is not null)
            await log.DisposeAsync().ConfigureAwait(false);
        (loggers, log) = (null, null);
    }
}
