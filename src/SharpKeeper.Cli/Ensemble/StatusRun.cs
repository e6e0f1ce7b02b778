using System.Globalization;
using System.Text.Json;

namespace SharpKeeper.Cli.Ensemble;

/// <summary>Prints the status of an ensemble, once or again and again.</summary>
internal sealed class StatusRun(IReadOnlyList<ServerAddress> servers, WordAsker ask, TextWriter output)
{
    // Clears the screen and goes to its upper left corner.
    private const string ClearScreen = "\u001b[H\u001b[2J";

    /// <summary>Print JSON, one line a report.</summary>
    internal bool AsJson { get; init; }

    /// <summary>Show each report in place of the one before: the output is a terminal.</summary>
    internal bool ClearsScreen { get; init; }

    /// <summary>Prints one report; 0 if there is a quorum with one leader, else 1.</summary>
    internal async Task<int> OnceAsync(CancellationToken cancel)
    {
        EnsembleReport report = await EnsembleReport.AskAsync(servers, ask, cancel).ConfigureAwait(false);
        Print(report);
        return ExitCodeOf(report);
    }

    /// <summary>Prints a report every <paramref name="interval"/> until it is cancelled; the result is that of the
    /// last.
    /// </summary>
    internal async Task<int> WatchAsync(TimeSpan interval, TimeProvider time, CancellationToken cancel)
    {
        int exitCode = ExitCodes.Failed;
        try
        {
            while (true)
            {
                EnsembleReport report = await EnsembleReport.AskAsync(servers, ask, cancel).ConfigureAwait(false);
                if (!AsJson)
                {
                    output.Write(ClearsScreen ? ClearScreen : "");
                    output.WriteLine(time.GetLocalNow().ToString("HH:mm:ss", CultureInfo.InvariantCulture));
                }
                Print(report);
                output.Flush();
                exitCode = ExitCodeOf(report);
                await Task.Delay(interval, time, cancel).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException)
        {
            return exitCode;
        }
    }

    private static int ExitCodeOf(EnsembleReport report) => report.HasQuorum ? ExitCodes.Finished : ExitCodes.Failed;

    private void Print(EnsembleReport report)
    {
        if (AsJson)
            output.WriteLine(JsonSerializer.Serialize(report, EnsembleJson.Default.EnsembleReport));
        else
            output.Write(StatusTable.Of(report));
    }
}
