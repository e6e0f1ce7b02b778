using Microsoft.Extensions.Logging;

namespace SharpKeeper.Cli.Logging;

/// <summary>The shape of log lines.</summary>
internal enum LogFormat
{
    /// <summary>Time, level, category and message, for people.</summary>
    Text,

    /// <summary>One JSON object with the named values of the message, for machines.</summary>
    Json,
}

/// <summary>What is known of one event that is logged.</summary>
internal readonly record struct LogLine(
    DateTimeOffset Time,
    LogLevel Level,
    string Category,
    EventId Event,
    string Message,
    IReadOnlyList<KeyValuePair<string, object?>>? Values,
    Exception? Exception);
