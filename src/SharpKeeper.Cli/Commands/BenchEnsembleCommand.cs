using System.CommandLine;
using System.Text.Json;
using SharpKeeper.Cli.Bench;
using SharpKeeper.Cli.Bench.Ensembles;
using SharpKeeper.Cli.Bench.Report;

namespace SharpKeeper.Cli.Commands;

/// <summary><c>sharpkeeper bench ensemble</c>.</summary>
internal static class BenchEnsembleCommand
{
    private static readonly EnsembleBenchOptions Defaults = new() { A = new EnsembleSide("A", "", []) };

    private static readonly Option<string> a = new("--a")
    {
        Description = "Ensemble A: sharpkeeper (this program), apache (Java, jars in /usr/share/java), or a command in "
            + "quotes with {cfg} where the path of a zoo.cfg goes.",
        DefaultValueFactory = _ => "apache",
    };

    private static readonly Option<string> b = new("--b")
    {
        Description = "Ensemble B, as --a; \"none\" measures A alone.",
        DefaultValueFactory = _ => "sharpkeeper",
    };

    private static readonly Option<string> javaOptions = new("--java-options")
    {
        Description = "Options of Java for apache.",
        DefaultValueFactory = _ => "-Xmx2g",
    };

    private static readonly Option<string> operations = new("--ops")
    {
        Description = "load: operations, separated by commas; get:9x64 is get with 9 sessions of depth 64.",
        DefaultValueFactory = _ => "set:9x64,get:9x64,set:1x1,create:9x64",
    };

    private static readonly Option<string[]> config = new("--config")
    {
        Description = "A further line of each zoo.cfg, key=value; may be given several times.",
    };

    private static readonly Option<string?> directory = new("--dir")
    {
        Description = "Where the servers' directories are made and deleted again (the system's temporary directory).",
    };

    private static readonly Option<double> duration = new("--duration")
    {
        Description = "Seconds measured of each operation, and before and after a leader is killed.",
        DefaultValueFactory = _ => Defaults.Duration.TotalSeconds,
    };

    private static readonly Option<double> warmup = new("--warmup")
    {
        Description = "Unmeasured seconds before.",
        DefaultValueFactory = _ => Defaults.Warmup.TotalSeconds,
    };

    private static readonly Option<bool> json = new("--json") { Description = "Print the results as JSON." };

    private static readonly Option<int> servers = Number(
        "--servers", "Servers of each ensemble.", Defaults.Servers, 1, 15);
    private static readonly Option<int> rounds = Number(
        "--rounds", "Rounds on each ensemble.", Defaults.Rounds, 1, 1000);
    private static readonly Option<int> tick = Number(
        "--tick-time", "tickTime in ms.", Defaults.TickTimeMs, 10, 60_000);
    private static readonly Option<int> sessions = Number(
        "--sessions", "failover: sessions that write.", Defaults.Sessions, 1, 1000);
    private static readonly Option<int> depth = Number(
        "--depth", "failover: writes that each session has under way.", Defaults.Depth, 1, 1000);
    private static readonly Option<int> probes = Number(
        "--probe-sessions", "catch-up, snapshot: sessions that write one by one to the leader.", Defaults.ProbeSessions,
        1, 1000);
    private static readonly Option<int> size = Number(
        "--size", "Bytes of data of each znode.", Defaults.Size, 4, 1_000_000);
    private static readonly Option<int> txns = Number(
        "--txns", "catch-up: transactions that the server misses.", (int)Defaults.Txns, 1, 100_000_000);
    private static readonly Option<int> znodes = Number(
        "--znodes", "catch-up, snapshot: znodes that the servers hold, and that a fresh one takes over.",
        (int)Defaults.Znodes, 1, 100_000_000);
    private static readonly Option<int> readyMax = Number(
        "--ready-timeout", "Seconds after which a wait for a server is given up.",
        (int)Defaults.ReadyMax.TotalSeconds, 1, 3600);

    /// <summary>Builds the command.</summary>
    public static Command Create()
    {
        var scenarios = new Argument<string[]>("scenario")
        {
            Description = "What to measure, one or more.",
            Arity = ArgumentArity.OneOrMore,
        };
        scenarios.AcceptOnlyFromAmong([.. EnsembleBench.Names.Keys]);
        var command = new Command("ensemble",
            "Start ensembles of servers on free ports, measure them under load, failure and catch-up, and end them.");
        command.Arguments.Add(scenarios);
        Option[] all = [a, b, servers, rounds, duration, warmup, operations, sessions, depth, probes, size, txns,
            znodes, tick, config, javaOptions, directory, readyMax, json];
        foreach (Option option in all)
            command.Options.Add(option);
        command.SetAction(parsed => BenchCommand.Guard(parsed, cancel =>
        {
            EnsembleBenchOptions options = Read(parsed);
            var results = new List<EnsembleResult>();
            foreach (string scenario in parsed.GetRequiredValue(scenarios))
            {
                if (cancel.IsCancellationRequested)
                    break;
                results.Add(
                    EnsembleBench.Execute(scenario, options, parsed.InvocationConfiguration.Error, cancel));
                if (!parsed.GetValue(json))
                    results[^1].Write(parsed.InvocationConfiguration.Output);
            }
            if (parsed.GetValue(json))
            {
                parsed.InvocationConfiguration.Output.WriteLine(
                    JsonSerializer.Serialize(results.ToArray(), BenchJson.Default.EnsembleResultArray));
            }
        }));
        return command;
    }

    private static EnsembleBenchOptions Read(ParseResult parsed)
    {
        string java = parsed.GetRequiredValue(javaOptions);
        string other = parsed.GetRequiredValue(b);
        return new EnsembleBenchOptions
        {
            A = EnsembleSide.Parse("A", parsed.GetRequiredValue(a), java),
            B = other == "none" ? null : EnsembleSide.Parse("B", other, java),
            Servers = parsed.GetValue(servers),
            Rounds = parsed.GetValue(rounds),
            TickTimeMs = parsed.GetValue(tick),
            Config = parsed.GetValue(config) ?? [],
            Directory = parsed.GetValue(directory),
            ReadyMax = TimeSpan.FromSeconds(parsed.GetValue(readyMax)),
            Operations = ComparedOperation.ParseList(parsed.GetRequiredValue(operations)),
            Duration = TimeSpan.FromSeconds(parsed.GetValue(duration)),
            Warmup = TimeSpan.FromSeconds(parsed.GetValue(warmup)),
            Sessions = parsed.GetValue(sessions),
            Depth = parsed.GetValue(depth),
            ProbeSessions = parsed.GetValue(probes),
            Size = parsed.GetValue(size),
            Txns = parsed.GetValue(txns),
            Znodes = parsed.GetValue(znodes),
        };
    }

    private static Option<int> Number(string name, string description, int standard, int min, int max)
    {
        var option = new Option<int>(name) { Description = description, DefaultValueFactory = _ => standard };
        BenchFlags.Limit(option, min, max);
        return option;
    }
}
