using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Logging.Abstractions;
using SharpKeeper.Client;
using SharpKeeper.CompatTests.Peers;
using SharpKeeper.Protocol;
using SharpKeeper.Server;
using SharpKeeper.Server.Configuration;

namespace SharpKeeper.CompatTests.Admin;

/// <summary>Our replies to four-letter words beside those of Apache's server after the same traffic.</summary>
public sealed partial class FourLetterWordPeerTests
{
    private const string Python = "/usr/bin/python3";

    /// <summary>Ours, and not of 3.8: Apache's 3.9 has them, or its admin server does.</summary>
    private static readonly string[] s_newerMetrics =
    [
        "zk_snapshot_error_count", "zk_snapshot_rate_limited_count", "zk_restore_error_count",
        "zk_restore_rate_limited_count", "zk_avg_restore_time", "zk_min_restore_time", "zk_max_restore_time",
        "zk_cnt_restore_time", "zk_sum_restore_time", "zk_fsync_threshold_exceed_count",
    ];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Replies_have_the_lines_of_Apaches()
    {
        await using ApacheServer apache = await ApacheServer.StartAsync(cancellation: Cancellation);
        await using ServerHost ours = await StartAsync();
        await using Traffic there = await Traffic.MakeAsync(apache.ConnectString);
        await using Traffic here = await Traffic.MakeAsync($"127.0.0.1:{ours.ClientPort}");

        foreach (string word in new[] { "ruok", "isro", "gtmk", "wchs" })
            Assert.Equal(await AskAsync(apache.Port, word), await AskAsync(ours.ClientPort, word));
        foreach (string word in new[]
            { "srvr", "stat", "cons", "conf", "dirs", "dump", "wchc", "wchp", "lead", "crst", "srst" })
        {
            Assert.Equal((word, ShapeOf(await AskAsync(apache.Port, word))),
                (word, ShapeOf(await AskAsync(ours.ClientPort, word))));
        }
    }

    [Fact]
    public async Task Metrics_have_the_names_and_kinds_of_Apaches()
    {
        await using ApacheServer apache = await ApacheServer.StartAsync(cancellation: Cancellation);
        await using ServerHost ours = await StartAsync();
        Dictionary<string, string> theirs = MetricsOf(await AskAsync(apache.Port, "mntr"));
        Dictionary<string, string> here = MetricsOf(await AskAsync(ours.ClientPort, "mntr"));
        Assert.Equal([], here.Keys.Except(theirs.Keys).Except(s_newerMetrics));
        Assert.Equal([], here.Where(pair => theirs.TryGetValue(pair.Key, out string? value)
            && ShapeOf(value) != ShapeOf(pair.Value)).Select(static pair => $"{pair.Key}={pair.Value}"));
    }

    [Fact]
    public async Task Kazoo_reads_the_version_of_the_server()
    {
        Assert.SkipUnless(File.Exists(Python), $"{Python} is missing; on Debian: apt install python3-kazoo.");
        await using ServerHost ours = await StartAsync();
        string script = string.Create(CultureInfo.InvariantCulture, $"""
            try:
                from kazoo.client import KazooClient
            except ImportError:
                print('no kazoo'); raise SystemExit
            client = KazooClient(hosts='127.0.0.1:{ours.ClientPort}')
            client.start(timeout=30)
            print(client.server_version(), client.command(b'ruok'))
            client.stop()
            """);
        using Process python = Process.Start(new ProcessStartInfo(Python, ["-c", script])
        {
            RedirectStandardOutput = true,
        })!;
        string output = await python.StandardOutput.ReadToEndAsync(Cancellation);
        await python.WaitForExitAsync(Cancellation);
        Assert.SkipWhen(output.StartsWith("no kazoo", StringComparison.Ordinal),
            "kazoo is not installed; on Debian: apt install python3-kazoo.");
        Assert.Equal("(3, 9, 5) imok", output.Trim());
    }

    private static Task<ServerHost> StartAsync() => ServerHost.StartAsync(
        new ServerOptions { InMemory = true, ClientPort = 0, FourLetterWords = FourLetterWordWhitelist.All },
        NullLoggerFactory.Instance, Cancellation);

    private static async Task<string> AskAsync(int port, string word)
    {
        using TcpClient client = new();
        await client.ConnectAsync(IPAddress.Loopback, port, Cancellation);
        await using NetworkStream stream = client.GetStream();
        await stream.WriteAsync(Encoding.ASCII.GetBytes(word), Cancellation);
        using StreamReader reader = new(stream);
        return await reader.ReadToEndAsync(Cancellation);
    }

    private static Dictionary<string, string> MetricsOf(string reply) =>
        reply.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(static line => line.Split('\t'))
            .Where(static parts => parts[0] != "zk_version")
            .ToDictionary(static parts => parts[0], static parts => parts[1]);

    /// <summary>
    /// Leaves what tools rely on and blanks what differs from run to run: numbers (but whether they have a fraction),
    /// times, directories, the version, the order of clients, and how full the expiry buckets happen to be.
    /// </summary>
    private static string ShapeOf(string reply)
    {
        string shape = Version().Replace(reply, "version: V");
        shape = Directories().Replace(shape, "$1=D");
        shape = BucketLines().Replace(shape, "");
        shape = BucketCounts().Replace(shape, "Sets (N)");
        shape = Operations().Replace(shape, "lop=X");
        shape = Interest().Replace(shape, "[I]");
        shape = Hexadecimal().Replace(shape, "0xH");
        shape = Fractions().Replace(shape, "R");
        shape = Numbers().Replace(shape, "N");
        return string.Join('\n', shape.Split('\n').Order(StringComparer.Ordinal));
    }

    [GeneratedRegex("version: .*")]
    private static partial Regex Version();

    [GeneratedRegex("(dataDir|dataLogDir)=.*")]
    private static partial Regex Directories();

    [GeneratedRegex(@"\d+ expire at .*\n")]
    private static partial Regex BucketLines();

    [GeneratedRegex(@"Sets \(\d+\)")]
    private static partial Regex BucketCounts();

    [GeneratedRegex("lop=[A-Z0-9]+")]
    private static partial Regex Operations();

    [GeneratedRegex(@"\[[0-9a-f]\]")]
    private static partial Regex Interest();

    [GeneratedRegex("0x[0-9a-f]+")]
    private static partial Regex Hexadecimal();

    [GeneratedRegex(@"-?\d+\.\d+(E-?\d+)?")]
    private static partial Regex Fractions();

    [GeneratedRegex(@"-?\d+")]
    private static partial Regex Numbers();

    /// <summary>Two sessions with nodes, ephemerals and watches.</summary>
    private sealed class Traffic(KeeperClient first, KeeperClient second) : IAsyncDisposable
    {
        public static async Task<Traffic> MakeAsync(string connectString)
        {
            KeeperClientOptions options = new() { ConnectString = connectString };
            Traffic traffic = new(
                await KeeperClient.ConnectAsync(options, Cancellation),
                await KeeperClient.ConnectAsync(options, Cancellation));
            await traffic.RunAsync();
            return traffic;
        }

        public async ValueTask DisposeAsync()
        {
            await first.DisposeAsync();
            await second.DisposeAsync();
        }

        private async Task RunAsync()
        {
            await first.CreateAsync("/hold", new byte[10], cancellation: Cancellation);
            await first.CreateAsync("/hold/e", default, CreateMode.Ephemeral, cancellation: Cancellation);
            await second.CreateAsync("/bb", default, CreateMode.Ephemeral, cancellation: Cancellation);
            await first.WatchDataAsync("/hold", Cancellation);
            await first.WatchDataAsync("/bb", Cancellation);
            await second.WatchDataAsync("/hold", Cancellation);
            await second.WatchChildrenAsync("/hold", Cancellation);
        }
    }
}
