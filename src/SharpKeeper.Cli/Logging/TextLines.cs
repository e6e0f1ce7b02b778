using System.Globalization;
using System.Text;
using Microsoft.Extensions.Logging;

namespace SharpKeeper.Cli.Logging;

/// <summary>
/// Writes <c>2026-11-22 18:00:00.123Z INFO  [category] message</c>, an exception indented below it.
/// </summary>
internal static class TextLines
{
    internal static void Append(StringBuilder text, in LogLine line)
    {
        text.Append(CultureInfo.InvariantCulture,
            $"{line.Time.UtcDateTime:yyyy-MM-dd HH:mm:ss.fff}Z {NameOf(line.Level)} [{line.Category}] ");
        AppendOnOneLine(text, line.Message);
        text.Append('\n');
        if (line.Exception is Exception exception)
            AppendIndented(text, exception.ToString());
    }

    /// <summary>What clients send ends up in messages, and must not look like lines of the log.</summary>
    private static void AppendOnOneLine(StringBuilder text, string message)
    {
        foreach (char c in message)
        {
            if (!char.IsControl(c))
                text.Append(c);
            else
                text.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}");
        }
    }

    private static void AppendIndented(StringBuilder text, string lines)
    {
        foreach (ReadOnlySpan<char> line in lines.AsSpan().EnumerateLines())
            text.Append("    ").Append(line).Append('\n');
    }

    private static string NameOf(LogLevel level) => level switch
    {
        LogLevel.Trace => "TRACE",
        LogLevel.Debug => "DEBUG",
        LogLevel.Information => "INFO ",
        LogLevel.Warning => "WARN ",
        LogLevel.Error => "ERROR",
        _ => "FATAL",
    };
}
