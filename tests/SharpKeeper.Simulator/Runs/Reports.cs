using System.Globalization;
using System.Text;
using SharpKeeper.Core.Zab;

namespace SharpKeeper.Simulation;

/// <summary>Words about runs.</summary>
internal static class Reports
{
    /// <summary>A run in a line.</summary>
    public static string Summary(RunReport report) => string.Create(CultureInfo.InvariantCulture,
        $"seed {report.Options.Seed}: {report.Failure?.Message ?? "ok"}; {report.Setup}; "
        + $"{report.VirtualUs / 1e6:F1} virtual s, "
        + $"{report.Steps} steps, {report.Committed} committed, {report.Answered} answered, fingerprint "
        + $"{report.Fingerprint:x}");

    /// <summary>A failure with all that is needed to see it again.</summary>
    public static string Failure(RunReport report)
    {
        var text = new StringBuilder();
        text.AppendLine(Summary(report));
        foreach (Fault fault in report.Faults)
            text.AppendLine($"    {fault}");
        text.Append("  again: dotnet run --project tests/SharpKeeper.Simulator -- --replay "
        + "").Append(report.Options.Seed);
        if (report.Options.Servers > 0)
            text.Append(" --servers ").Append(report.Options.Servers);
        if (report.Options.Observers >= 0)
            text.Append(" --observers ").Append(report.Options.Observers);
        if (report.Options.Bugs != PlantedBug.None)
            text.Append(" --bug ").Append(report.Options.Bugs.ToString().Replace(" ", ""));
        text.Append(report.SetupFlags).Append(" --faults ").Append(report.Faults.Count == 0
            ? "none" : string.Join(',', report.Faults.Select(static fault => fault.Word)));
        return text.ToString();
    }
}
