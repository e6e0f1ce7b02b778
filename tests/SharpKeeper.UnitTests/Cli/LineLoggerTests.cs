using System.Text;
using Microsoft.Extensions.Logging;
using SharpKeeper.Cli.Logging;

namespace SharpKeeper.CliTests;

public sealed class LineLoggerTests
{
    private static readonly DateTimeOffset s_time = new(2026, 11, 22, 18, 0, 0, 123, TimeSpan.Zero);

    [Fact]
    public void Text_line_has_time_level_category_and_message()
    {
        Assert.Equal("2026-11-22 18:00:00.123Z INFO  [Some.Category] Serving 3 clients\n",
            Write(LogFormat.Text, LogLevel.Information, "Serving 3 clients"));
        Assert.Equal("2026-11-22 18:00:00.123Z FATAL [Some.Category] x\n",
            Write(LogFormat.Text, LogLevel.Critical, "x"));
    }

    [Fact]
    public void Text_line_stays_one_line_whatever_the_message_holds() =>
        Assert.Equal("2026-11-22 18:00:00.123Z WARN  [Some.Category] a\\u000ab\\u001b[31m\n",
            Write(LogFormat.Text, LogLevel.Warning, "a\nb\u001b[31m"));

    [Fact]
    public void Text_lines_of_an_exception_are_indented() =>
        Assert.Equal("2026-11-22 18:00:00.123Z ERROR [Some.Category] failed\n" +
            "    System.InvalidOperationException: why\n",
            Write(LogFormat.Text, LogLevel.Error, "failed", new InvalidOperationException("why")));

    [Fact]
    public void Json_line_carries_the_named_values()
    {
        using MemoryStream output = new();
        using LineLoggerProvider provider = new(output, LogFormat.Json, new FixedTime());
        provider.CreateLogger("c").LogInformation(new EventId(7), "{Count} of {Name} at {Share} {On} {Gone}",
            3, "x\u00e4", 0.5, true, null);
        string expected = "{'time':'2026-11-22T18:00:00.123Z','level':'Information','category':'c','event':7," +
            "'message':'3 of x\u00e4 at 0.5 True (null)'," +
            "'values':{'Count':3,'Name':'x\u00e4','Share':0.5,'On':true,'Gone':null}}\n";
        Assert.Equal(expected.Replace('\'', '"'), Encoding.UTF8.GetString(output.ToArray()));
    }

    [Fact]
    public void Logger_goes_on_when_nobody_reads_the_log()
    {
        using LineLoggerProvider provider = new(new BrokenStream(), LogFormat.Text, new FixedTime());
        provider.CreateLogger("c").LogInformation("lost");
    }

    [Fact]
    public void Factory_leaves_out_events_below_the_minimum()
    {
        using MemoryStream output = new();
        using ILoggerFactory factory = LineLoggerProvider.CreateFactory(output, LogFormat.Text, LogLevel.Warning);
        ILogger logger = factory.CreateLogger("c");
        logger.LogInformation("quiet");
        Assert.Equal(0, output.Length);
        logger.LogWarning("loud");
        Assert.EndsWith("WARN  [c] loud\n", Encoding.UTF8.GetString(output.ToArray()), StringComparison.Ordinal);
    }

    private static string Write(LogFormat format, LogLevel level, string message, Exception? exception = null)
    {
        using MemoryStream output = new();
        using LineLoggerProvider provider = new(output, format, new FixedTime());
        provider.CreateLogger("Some.Category").Log(level, default, message, exception, static (text, _) => text);
        return Encoding.UTF8.GetString(output.ToArray());
    }

    private sealed class FixedTime : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => s_time;
    }

    private sealed class BrokenStream : MemoryStream
    {
        public override void Write(ReadOnlySpan<byte> buffer) => throw new IOException("nobody reads");
    }
}
