using System.Globalization;
using System.Net;
using System.Net.Sockets;
using SharpKeeper.Cli.Daemon;
using SharpKeeper.Server.Configuration;

namespace SharpKeeper.Cli.Ensemble;

/// <summary>
/// An ensemble to try things out on: all its servers run in this process, each with a zoo.cfg, a port and a directory
/// of its own, and so end with it whatever happens. Their directory is deleted at the end.
/// </summary>
internal sealed class EnsembleDemo : IAsyncDisposable
{
    private static readonly TimeSpan s_startMax = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan s_pollInterval = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan s_answerMax = TimeSpan.FromSeconds(2);

    private readonly TextWriter output;
    private readonly TextReader input;
    private readonly DemoServer[] servers;
    private readonly ServerStarter start;
    private readonly string directory = Directory.CreateTempSubdirectory("sharpkeeper-demo-").FullName;

    /// <summary>Prepares the servers' ports and files.</summary>
    internal EnsembleDemo(int count, TextWriter output, TextReader input)
        : this(count, output, input, HostedServer.StartAsync)
    {
    }

    /// <summary>As the other one, with servers from elsewhere.</summary>
    internal EnsembleDemo(int count, TextWriter output, TextReader input, ServerStarter start)
    {
        this.output = output;
        this.input = input;
        this.start = start;
        int[] ports = FreePorts(3 * count);
        servers = [.. Enumerable.Range(1, count).Select(id => new DemoServer(
            id, ports[(3 * id) - 3], ports[(3 * id) - 2], ports[(3 * id) - 1],
            Path.Combine(directory, $"server-{id}")))];
        foreach (DemoServer server in servers)
            server.WriteFiles(servers);
    }

    /// <summary>Where clients connect.</summary>
    internal string ConnectString =>
        string.Join(',', servers.Select(static server => server.Address.ToString()));

    /// <summary>Starts the servers, says where they are, and runs until it is cancelled or told to quit.</summary>
    internal async Task<int> RunAsync(CancellationToken cancel)
    {
        output.WriteLine($"Starting {servers.Length} servers in {directory}");
        try
        {
            await Task.WhenAll(servers.Select(server => server.StartAsync(start, cancel))).ConfigureAwait(false);
            if (!await WaitForQuorumAsync(cancel).ConfigureAwait(false))
                return ExitCodes.Failed;
            PrintHelp();
            await ObeyAsync(cancel).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
            output.WriteLine();
        }
        catch (Exception e) when (e is IOException or SocketException or ServerConfigurationException)
        {
            output.WriteLine($"The ensemble did not start: {e.Message}");
            return ExitCodes.Failed;
        }
        output.WriteLine("Stopping");
        return ExitCodes.Finished;
    }

    /// <summary>Stops what runs and deletes the directory.</summary>
    public async ValueTask DisposeAsync()
    {
        await Task.WhenAll(servers.Select(static server => server.StopAsync())).ConfigureAwait(false);
        Directory.Delete(directory, recursive: true);
    }

    private async Task<bool> WaitForQuorumAsync(CancellationToken cancel)
    {
        using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        limit.CancelAfter(s_startMax);
        EnsembleReport? report = null;
        try
        {
            do
            {
                if (report is not null)
                    await Task.Delay(s_pollInterval, limit.Token).ConfigureAwait(false);
                report = await AskAsync(limit.Token).ConfigureAwait(false);
            }
            while (!report.HasQuorum || report.Servers.Any(static server => server.Mode is null));
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            output.WriteLine($"No quorum after {s_startMax.TotalSeconds:0} s; the logs are in {directory}");
            if (report is not null)
                output.Write(StatusTable.Of(report));
            return false;
        }
        output.Write(StatusTable.Of(report));
        return true;
    }

    private Task<EnsembleReport> AskAsync(CancellationToken cancel) => EnsembleReport.AskAsync(
        [.. servers.Select(static server => server.Address)],
        static (server, word, stop) => FourLetterClient.AskAsync(server, word, s_answerMax, stop), cancel);

    private void PrintHelp()
    {
        output.WriteLine();
        output.WriteLine($"Connect string: {ConnectString}");
        output.WriteLine($"  sharpkeeper shell -server {ConnectString}");
        output.WriteLine($"  sharpkeeper ensemble status {ConnectString} --watch");
        output.WriteLine("Type status, stop N, start N or quit; Ctrl-C quits too.");
        output.Flush();
    }

    /// <summary>Does what is typed. Without anybody who types, the ensemble runs until it is cancelled.</summary>
    private async Task ObeyAsync(CancellationToken cancel)
    {
        while (true)
        {
            // A console does not let go of a reader; cancelling leaves it behind, and the process ends over it.
            string? line = await Task.Run(input.ReadLine, CancellationToken.None).WaitAsync(cancel)
                .ConfigureAwait(false);
            if (line is null)
                await Task.Delay(Timeout.Infinite, cancel).ConfigureAwait(false);
            string[] words = line!.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (words is ["quit" or "exit"])
                return;
            if (words.Length > 0)
                await ObeyAsync(words, cancel).ConfigureAwait(false);
            output.Flush();
        }
    }

    private async Task ObeyAsync(string[] words, CancellationToken cancel)
    {
        DemoServer? server = words.Length == 2
            ? servers.FirstOrDefault(one => one.Id.ToString(CultureInfo.InvariantCulture) == words[1]) : null;
        switch (words[0])
        {
            case "status" when words.Length == 1:
                output.Write(StatusTable.Of(await AskAsync(cancel).ConfigureAwait(false)));
                break;
            case "stop" when server is not null:
                await server.StopAsync().ConfigureAwait(false);
                output.WriteLine($"server {server.Id} is stopped");
                break;
            case "start" when server is not null:
                await server.StartAsync(start, cancel).ConfigureAwait(false);
                output.WriteLine($"server {server.Id} is started");
                break;
            default:
                output.WriteLine($"status, stop N, start N (N from 1 to {servers.Length}) or quit");
                break;
        }
    }

    /// <summary>Ports that were free a moment ago, all different.</summary>
    private static int[] FreePorts(int count)
    {
        List<TcpListener> listeners = [];
        try
        {
            for (int i = 0; i < count; i++)
            {
                listeners.Add(new TcpListener(IPAddress.Loopback, 0));
                listeners[^1].Start();
            }
            return [.. listeners.Select(static listener => ((IPEndPoint)listener.LocalEndpoint).Port)];
        }
        finally
        {
            listeners.ForEach(static listener => listener.Dispose());
        }
    }
}
