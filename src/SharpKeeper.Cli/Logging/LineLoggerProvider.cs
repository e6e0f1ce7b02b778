using System.Text;
using Microsoft.Extensions.Logging;

namespace SharpKeeper.Cli.Logging;

/// <summary>
/// Writes each event as one line to a stream, at once and under a lock. It starts in microseconds, needs no thread,
/// and a line is in the file when the call that logged it returns, even if the process then dies.
/// </summary>
internal sealed class LineLoggerProvider(Stream output, LogFormat format, TimeProvider time) : ILoggerProvider
{
    private const int KeptCharsMax = 16 * 1024;

    private readonly Lock _lock = new();
    private readonly StringBuilder _text = new();

    /// <summary>A factory that logs from <paramref name="minimum"/> upwards to <paramref name="output"/>.</summary>
    internal static ILoggerFactory CreateFactory(Stream output, LogFormat format, LogLevel minimum) =>
        new LoggerFactory(
            [new LineLoggerProvider(output, format, TimeProvider.System)],
            new LoggerFilterOptions { MinLevel = minimum });

    /// <inheritdoc/>
    public ILogger CreateLogger(string categoryName) => new LineLogger(this, categoryName);

    /// <inheritdoc/>
    public void Dispose()
    {
    }

    private void Write(in LogLine line)
    {
        lock (_lock)
        {
            _text.Clear();
            if (format == LogFormat.Json)
                JsonLines.Append(_text, line);
            else
                TextLines.Append(_text, line);
            try
            {
                output.Write(Encoding.UTF8.GetBytes(_text.ToString()));
                output.Flush();
            }
            catch (IOException)
            {
                // Nobody reads the log any more (a closed pipe) or its disk is full: serving goes on without it.
            }
            if (_text.Capacity > KeptCharsMax)
                _text.Capacity = KeptCharsMax;
        }
    }

    private sealed class LineLogger(LineLoggerProvider provider, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel != LogLevel.None;

        public void Log<TState>(
            LogLevel logLevel,
            EventId eventId,
            TState state,
            Exception? exception,
            Func<TState, Exception?, string> formatter)
        {
            if (!IsEnabled(logLevel))
                return;
            provider.Write(new LogLine(
                provider.Now, logLevel, category, eventId, formatter(state, exception),
                state as IReadOnlyList<KeyValuePair<string, object?>>, exception));
        }
    }

    private DateTimeOffset Now => time.GetUtcNow();
}
