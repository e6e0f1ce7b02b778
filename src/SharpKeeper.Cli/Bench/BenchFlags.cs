using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using System.Net;
using SharpKeeper.Cli.Bench.Transport;
using SharpKeeper.Protocol;

namespace SharpKeeper.Cli.Bench;

/// <summary>The options that every kind of benchmark takes.</summary>
internal sealed class BenchFlags
{
    private readonly Option<string> server = new("--server", "-s", "--servers")
    {
        Description = "host:port[,host:port...]; sessions are spread evenly over them.",
        DefaultValueFactory = _ => "127.0.0.1:2181",
    };

    private readonly Option<int?> sessions = new("--sessions")
    {
        Description = "Sessions, each on its own connection (8; stall: always 1; watch, connect and idle: 1,000).",
    };

    private readonly Option<int?> depth = new("--depth")
    {
        Description = "Requests in flight per session (64; watch and stall: always 1; connect and idle: handshakes "
            + "at once, 32).",
    };

    private readonly Option<int> size = Number("--size", "Bytes of data of each znode.", 100, 0, 1_000_000);

    private readonly Option<double> duration = new("--duration")
    {
        Description = "Measured seconds.",
        DefaultValueFactory = _ => 10,
    };

    private readonly Option<long?> count = new("--count")
    {
        Description = "Measured requests instead of a duration: notifications for watch, sessions for connect, "
            + "znodes for fill (100,000).",
    };

    private readonly Option<double?> warmup = new("--warmup")
    {
        Description = "Unmeasured seconds before (2; none with --count).",
    };

    private readonly Option<int[]> serverPids = new("--server-pid")
    {
        Description = "Process of the server on this machine, for its CPU time and memory; may be given several times. "
            + "Servers on loopback are found by their ports.",
    };

    private readonly Option<string> root = new("--root")
    {
        Description = "Everything is created below this znode.",
        DefaultValueFactory = _ => "/bench",
    };

    private readonly Option<bool> keep = new("--keep") { Description = "Leave the znodes that were created." };

    private readonly Option<double> readRatio = new("--read-ratio")
    {
        Description = "mixed: share of reads, 0 to 1.",
        DefaultValueFactory = _ => 0.9,
    };

    private readonly Option<int> multiSize = Number("--multi-size", "multi: writes in each.", 10, 1, 1000);

    private readonly Option<int> children = Number("--children", "children: how many there are.", 1000, 1, 1_000_000);

    private readonly Option<bool> persistent = new("--persistent")
    {
        Description = "watch: persistent recursive watches instead of one-shot watches that are set again.",
    };

    private readonly Option<bool> close = new("--close")
    {
        Description = "connect: close each session as soon as it stands.",
    };

    private readonly Option<string?> probe = new("--probe")
    {
        Description = "Run one more session beside the operation that does get or set, one by one.",
    };

    private readonly Option<double> replyTimeout = new("--reply-timeout")
    {
        Description = "Seconds of silence after which a run is given up.",
        DefaultValueFactory = _ => 60,
    };

    private readonly Option<bool> portable = new("--portable-sockets")
    {
        Description = "Use the socket loop of other operating systems instead of Linux's epoll.",
    };

    public BenchFlags()
    {
        probe.AcceptOnlyFromAmong("get", "set");
        Limit(sessions, 1, 100_000);
        Limit(depth, 1, 65536);
        Limit(count, 1, 1_000_000_000);
        Limit(duration, 0.001, 86400);
        Limit(warmup, 0, 86400);
        Limit(readRatio, 0, 1);
        Limit(replyTimeout, 1, 86400);
        root.Validators.Add(result =>
        {
            string path = result.GetValueOrDefault<string>();
            if (!ZnodePath.IsValid(System.Text.Encoding.UTF8.GetBytes(path), out string? reason))
                result.AddError($"--root {path}: {reason}");
        });
    }

    /// <summary>Declares the options.</summary>
    public void AddTo(Command command, bool withServer = true)
    {
        if (withServer)
        {
            command.Options.Add(server);
            command.Options.Add(serverPids);
        }
        Option[] all = [sessions, depth, size, duration, count, warmup, root, keep, readRatio, multiSize, children,
            persistent, close, probe, replyTimeout, portable];
        foreach (Option option in all)
            command.Options.Add(option);
    }

    /// <summary>Declares only the options that say where.</summary>
    public void AddAddressTo(Command command)
    {
        command.Options.Add(server);
        command.Options.Add(root);
        command.Options.Add(replyTimeout);
    }

    /// <summary>Reads them.</summary>
    /// <exception cref="BenchException">A server address is wrong or unknown.</exception>
    public BenchOptions Read(ParseResult parsed) =>
        Read(parsed, parsed.GetValue(server) ?? "", parsed.GetValue(serverPids) ?? []);

    /// <summary>Reads them, with a server and its processes from elsewhere.</summary>
    /// <exception cref="BenchException">A server address is wrong or unknown.</exception>
    public BenchOptions Read(ParseResult parsed, string servers, IReadOnlyList<int> pids)
    {
        IReadOnlyList<IPEndPoint> addresses = ServerAddresses.Parse(servers);
        return Read(parsed, addresses, pids.Count > 0 ? pids : ListeningProcess.FindAll(addresses));
    }

    private BenchOptions Read(ParseResult parsed, IReadOnlyList<IPEndPoint> servers, IReadOnlyList<int> pids) => new()
    {
        Servers = servers,
        ServerPids = pids,
        Sessions = parsed.GetValue(sessions),
        Depth = parsed.GetValue(depth),
        Size = parsed.GetValue(size),
        Duration = TimeSpan.FromSeconds(parsed.GetValue(duration)),
        Count = parsed.GetValue(count),
        Warmup = parsed.GetValue(warmup) is { } seconds ? TimeSpan.FromSeconds(seconds) : null,
        Root = parsed.GetValue(root)!,
        Keep = parsed.GetValue(keep),
        ReadRatio = parsed.GetValue(readRatio),
        MultiSize = parsed.GetValue(multiSize),
        Children = parsed.GetValue(children),
        Persistent = parsed.GetValue(persistent),
        Close = parsed.GetValue(close),
        Probe = parsed.GetValue(probe) is { } name ? Enum.Parse<BenchOperation>(name, ignoreCase: true) : null,
        ReplyTimeout = TimeSpan.FromSeconds(parsed.GetValue(replyTimeout)),
        Transport = parsed.GetValue(portable)
            ? () => Transports.Create(portable: true) : () => Transports.Create(),
    };

    /// <summary>Makes a value outside of a range, or one that is no number, an error of the command line.</summary>
    public static void Limit<T>(Option<T> option, double min, double max) => option.Validators.Add(result =>
    {
        foreach (Token token in result.Tokens)
        {
            if (!double.TryParse(token.Value, NumberStyles.Float, CultureInfo.InvariantCulture, out double value)
                || !(value >= min && value <= max))
                result.AddError($"{option.Name} must be {min} to {max}, and {token.Value} is not.");
        }
    });

    private static Option<int> Number(string name, string description, int value, int min, int max)
    {
        var option = new Option<int>(name) { Description = description, DefaultValueFactory = _ => value };
        Limit(option, min, max);
        return option;
    }
}
