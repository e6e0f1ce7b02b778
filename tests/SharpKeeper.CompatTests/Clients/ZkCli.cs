using System.Diagnostics;
using System.Text.RegularExpressions;
using System.Threading.Channels;

namespace SharpKeeper.CompatTests.Clients;

/// <summary>Apache's zkCli, command by command.</summary>
internal sealed partial class ZkCli : IAsyncDisposable
{
    /// <summary>A znode that the servers need to have.</summary>
    public const string Mark = "/zkcli-mark";

    /// <summary>What the znode has to hold; printed, it tells where the answer to a command has ended.</summary>
    public const string MarkText = "the answers end here";

    private const string Program = "/usr/share/zookeeper/bin/zkCli.sh";
    private static readonly TimeSpan AnswerMax = TimeSpan.FromSeconds(60);

    private readonly Process process;
    private readonly Channel<string> lines = Channel.CreateUnbounded<string>();
    private readonly List<string> everything = [];
    private readonly Task reading;

    private ZkCli(Process process)
    {
        this.process = process;
        reading = ReadAsync(process.StandardOutput);
    }

    /// <summary>Events that it has printed, without those of the connection.</summary>
    public IEnumerable<string> Events => everything.Where(IsNodeEvent);

    /// <summary>Ends the test as skipped where zkCli is missing.</summary>
    public static void SkipUnlessInstalled() => ClientPrograms.SkipUnlessThere(Program, "apt install zookeeper");

    /// <summary>Starts it with what stands behind its name.</summary>
    public static ZkCli Start(params string[] arguments)
    {
        // Errors come in one stream with the answers, and so in their order.
        var start = new ProcessStartInfo("/bin/sh")
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        foreach (string argument in (string[])["-c", "exec \"$0\" \"$@\" 2>&1", Program, .. arguments])
            start.ArgumentList.Add(argument);
        start.Environment["CLIENT_JVMFLAGS"] = "-Xmx128m -XX:TieredStopAtLevel=1";
        return new ZkCli(Process.Start(start)!);
    }

    /// <summary>Has a command run and gives what was printed, without events, times, ids and ports.</summary>
    public async Task<string[]> AskAsync(string command)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(AnswerMax);
        try
        {
            await SendAsync(command, limit.Token);
            await SendAsync("get " + Mark, limit.Token);
            return [.. await ReadAnswerAsync(limit.Token)];
        }
        catch (Exception e) when (e is OperationCanceledException or IOException)
        {
            throw new TimeoutException($"zkCli did not answer {command}:\n{string.Join('\n', everything)}", e);
        }
    }

    /// <summary>Ends its session and begins one with other servers.</summary>
    public async Task ReconnectAsync(string servers)
    {
        await SendAsync("close", TestContext.Current.CancellationToken);
        await AskAsync("connect " + servers);
    }

    /// <summary>Waits until an event was printed.</summary>
    public async Task ExpectEventAsync(string text)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(AnswerMax);
        while (!Events.Any(line => line.Contains(text, StringComparison.Ordinal)))
        {
            if (!await lines.Reader.WaitToReadAsync(limit.Token))
                throw new InvalidOperationException($"zkCli ended without {text}.");
            everything.Add(await lines.Reader.ReadAsync(limit.Token));
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (!process.HasExited)
            process.Kill(entireProcessTree: true);
        await reading;
        process.Dispose();
    }

    private async Task<List<string>> ReadAnswerAsync(CancellationToken cancellation)
    {
        var answer = new List<string>();
        while (true)
        {
            string line = await lines.Reader.ReadAsync(cancellation);
            everything.Add(line);
            if (line == MarkText)
                return answer;
            if (line.Contains("for " + Mark, StringComparison.Ordinal))
                await SendAsync("get " + Mark, cancellation);
            else if (!IsChatter(line))
                answer.Add(Normalise(line));
        }
    }

    private async Task SendAsync(string command, CancellationToken cancellation)
    {
        await process.StandardInput.WriteLineAsync(command.AsMemory(), cancellation);
        await process.StandardInput.FlushAsync(cancellation);
    }

    private async Task ReadAsync(StreamReader reader)
    {
        while (await reader.ReadLineAsync() is { } line)
            lines.Writer.TryWrite(line.TrimEnd());
    }

    private static bool IsChatter(string line) => line.Length == 0 || line.Contains("SLF4J", StringComparison.Ordinal)
        || line.StartsWith("WATCHER::", StringComparison.Ordinal)
        || line.StartsWith("WatchedEvent", StringComparison.Ordinal)
        || line.StartsWith("Connecting to", StringComparison.Ordinal)
        || line.StartsWith("Welcome to", StringComparison.Ordinal)
        || line.StartsWith("JLine support", StringComparison.Ordinal);

    private static bool IsNodeEvent(string line) => line.StartsWith("WatchedEvent", StringComparison.Ordinal)
        && !line.Contains("type:None", StringComparison.Ordinal);

    private static string Normalise(string line)
    {
        line = Servers().Replace(line, "server=$1");
        line = Addresses().Replace(line, "ADDRESS");
        line = Versions().Replace(line, "version=V");
        line = Hosts().Replace(line, "V $1");
        line = Sessions().Replace(line, "SESSION");
        return Times().Replace(line, "$1 = T");
    }

    [GeneratedRegex(@"server\.\d+=127\.0\.0\.1:\d+:\d+(.*);127\.0\.0\.1:\d+")]
    private static partial Regex Servers();

    [GeneratedRegex(@"127\.0\.0\.1:\d+")]
    private static partial Regex Addresses();

    [GeneratedRegex("^[0-9a-f]+ (ADDRESS.*)$")]
    private static partial Regex Hosts();

    [GeneratedRegex("version=[0-9a-f]+")]
    private static partial Regex Versions();

    [GeneratedRegex("0x[0-9a-f]+")]
    private static partial Regex Sessions();

    [GeneratedRegex("^([cm]time) = .*$")]
    private static partial Regex Times();
}
