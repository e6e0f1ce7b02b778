using System.Globalization;
using System.Text;

namespace SharpKeeper.Cli.Ensemble;

/// <summary>The report for people.</summary>
internal static class StatusTable
{
    private const string Gap = "  ";

    private static readonly string[] s_heads =
        ["SERVER", "MODE", "EPOCH", "ZXID", "LAG", "FOLLOWERS", "CONNS", "QUEUED", "AVG/MAX MS", "ZNODES", "VERSION"];

    /// <summary>A line for each server and one that sums up.</summary>
    internal static string Of(EnsembleReport report)
    {
        string[][] rows = [s_heads, .. report.Servers.Select(CellsOf)];
        // A problem needs no columns: it runs to the end of its line.
        int[] widths = [.. s_heads.Select((_, column) => rows
            .Where(row => row.Length == s_heads.Length || column == 0)
            .Max(row => row[column].Length))];
        StringBuilder text = new();
        foreach (string[] row in rows)
        {
            IEnumerable<string> padded = row.Select((cell, column) => cell.PadRight(widths[column]));
            text.Append(string.Join(Gap, padded).TrimEnd()).Append('\n');
        }
        return text.Append(report.Summary).Append('\n').ToString();
    }

    private static string[] CellsOf(ServerReport server) => server.Mode is null
        ? [server.Server, $"- {server.Problem}"]
        :
        [
            server.Server, server.Mode, Text(server.Epoch), server.Zxid ?? "-",
            server.Mode is "leader" or "standalone" ? "-" : Text(server.Lag),
            FollowersOf(server), Text(server.Connections), Text(server.Outstanding),
            $"{Text(server.LatencyAvgMs)}/{Text(server.LatencyMaxMs)}", Text(server.Znodes), server.Version ?? "-",
        ];

    private static string FollowersOf(ServerReport server)
    {
        if (server.SyncedFollowers is not int followers)
            return "-";
        string observers = server.SyncedObservers > 0
            ? string.Create(CultureInfo.InvariantCulture, $"+{server.SyncedObservers} obs") : "";
        string of = server.Voters is int voters
            ? string.Create(CultureInfo.InvariantCulture, $"/{voters - 1}") : "";
        return string.Create(CultureInfo.InvariantCulture, $"{followers}{of}{observers}");
    }

    private static string Text(long? value) => value?.ToString(CultureInfo.InvariantCulture) ?? "-";

    private static string Text(double? value) => value?.ToString("0.##", CultureInfo.InvariantCulture) ?? "-";
}
