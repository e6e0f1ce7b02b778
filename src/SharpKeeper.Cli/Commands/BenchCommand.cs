using System.CommandLine;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using SharpKeeper.Cli.Bench;
using SharpKeeper.Cli.Bench.Report;

namespace SharpKeeper.Cli.Commands;

/// <summary><c>sharpkeeper bench</c>, <c>bench compare</c>, <c>bench startup</c>, <c>bench ensemble</c> and <c>bench clean</c>.</summary>
internal static class BenchCommand
{
    private static readonly string[] operationNames = [.. Enum.GetValues<BenchOperation>().Select(BenchRun.NameOf)];

    /// <summary>Builds the command with its subcommands.</summary>
    public static Command Create()
    {
        var flags = new BenchFlags();
        Option<bool> json = JsonOption();
        var operations = new Argument<string[]>("operation")
        {
            Description = "What to measure, one or more.",
            Arity = ArgumentArity.OneOrMore,
        };
        operations.AcceptOnlyFromAmong(operationNames);
        var command = new Command("bench", "Measure a server that speaks ZooKeeper's protocol; verifies every reply.");
        command.Arguments.Add(operations);
        command.Options.Add(json);
        flags.AddTo(command);
        command.SetAction(parsed => Guard(parsed, cancel =>
        {
            BenchOptions options = flags.Read(parsed);
            var results = new List<BenchResult>();
            foreach (string name in parsed.GetRequiredValue(operations))
            {
                if (cancel.IsCancellationRequested)
                    break;
                results.Add(BenchRun.Execute(Enum.Parse<BenchOperation>(name, ignoreCase: true), options,
                    parsed.InvocationConfiguration.Error, cancel));
                if (!parsed.GetValue(json))
                    TextReport.Write(parsed.InvocationConfiguration.Output, results[^1]);
            }
            if (parsed.GetValue(json))
                WriteJson(parsed, results.ToArray(), BenchJson.Default.BenchResultArray);
        }));
        command.Subcommands.Add(CreateCompare());
        command.Subcommands.Add(CreateStartup());
        command.Subcommands.Add(BenchEnsembleCommand.Create());
        command.Subcommands.Add(CreateClean());
        return command;
    }

    private static Command CreateCompare()
    {
        var flags = new BenchFlags();
        Option<bool> json = JsonOption();
        Option<string> a = Required("--a", "Server A, host:port, or a list of them: the one to compare with.");
        Option<string> b = Required("--b", "Server B, or a list.");
        var pidsOfA = new Option<int[]>("--pid-a") { Description = "Process of server A, for CPU time and memory." };
        var pidsOfB = new Option<int[]>("--pid-b") { Description = "Process of server B, for CPU time and memory." };
        var operations = new Option<string>("--ops")
        {
            Description = "Operations, separated by commas; get:8x64 is get with 8 sessions of depth 64.",
            DefaultValueFactory = _ => "get,exists,set,create,delete,mixed,multi,children,get:1x1,set:1x1",
        };
        var rounds = new Option<int>("--rounds") { Description = "Runs on each server.", DefaultValueFactory = _ => 5 };
        BenchFlags.Limit(rounds, 1, 1000);
        var command = new Command("compare", "Measure two servers in turns, and print the ratios.");
        Option[] own = [a, b, pidsOfA, pidsOfB, operations, rounds, json];
        foreach (Option option in own)
            command.Options.Add(option);
        flags.AddTo(command, withServer: false);
        command.SetAction(parsed => Guard(parsed, cancel =>
        {
            BenchOptions OptionsOf(Option<string> server, Option<int[]> pids) => flags.Read(
                parsed, parsed.GetRequiredValue(server), parsed.GetValue(pids) ?? []);
            var options = new CompareOptions(
                OptionsOf(a, pidsOfA), OptionsOf(b, pidsOfB),
                ComparedOperation.ParseList(parsed.GetRequiredValue(operations)), parsed.GetValue(rounds));
            List<ComparisonResult> results = Compare.Execute(options, parsed.InvocationConfiguration.Error, result =>
            {
                if (!parsed.GetValue(json))
                    CompareText.Write(parsed.InvocationConfiguration.Output, result);
            }, cancel);
            if (parsed.GetValue(json))
                WriteJson(parsed, results.ToArray(), BenchJson.Default.ComparisonResultArray);
        }));
        return command;
    }

    private static Command CreateStartup()
    {
        Option<bool> json = JsonOption();
        Option<string> server = Required("--server", "Where it will answer, host:port.");
        server.Aliases.Add("-s");
        var rounds = new Option<int>("--rounds") { Description = "How often.", DefaultValueFactory = _ => 5 };
        var readyMax = new Option<int>("--ready-timeout")
        {
            Description = "Seconds after which a start is given up.",
            DefaultValueFactory = _ => 120,
        };
        var settle = new Option<int>("--settle")
        {
            Description = "Seconds between the first reply and the second look at the memory.",
            DefaultValueFactory = _ => 2,
        };
        BenchFlags.Limit(rounds, 1, 1000);
        BenchFlags.Limit(readyMax, 1, 3600);
        BenchFlags.Limit(settle, 0, 3600);
        var launch = new Argument<string[]>("command")
        {
            Description = "Behind --: program and arguments of the server; a script must end in exec.",
            Arity = ArgumentArity.OneOrMore,
        };
        var command = new Command("startup", "Start a server several times, and measure the time to its first reply.");
        Option[] own = [server, rounds, readyMax, settle, json];
        foreach (Option option in own)
            command.Options.Add(option);
        command.Arguments.Add(launch);
        command.SetAction(parsed => Guard(parsed, cancel =>
        {
            var options = new StartupOptions(
                ServerAddresses.Parse(parsed.GetRequiredValue(server))[0], parsed.GetRequiredValue(launch),
                parsed.GetValue(rounds), TimeSpan.FromSeconds(parsed.GetValue(readyMax)),
                TimeSpan.FromSeconds(parsed.GetValue(settle)));
            StartupResult result = Startup.Execute(options, parsed.InvocationConfiguration.Error, cancel);
            if (parsed.GetValue(json))
                WriteJson(parsed, result, BenchJson.Default.StartupResult);
            else
                result.Write(parsed.InvocationConfiguration.Output);
        }));
        return command;
    }

    private static Command CreateClean()
    {
        var flags = new BenchFlags();
        var command = new Command("clean", "Delete all that benchmarks left below --root, and the root itself.");
        flags.AddAddressTo(command);
        command.SetAction(parsed => Guard(parsed, cancel =>
        {
            BenchOptions options = flags.Read(parsed);
            if (options.Root == "/")
                throw new BenchException("clean: --root / is the whole tree; name the znode that the benchmarks used");
            long deleted = BenchRun.Clean(options, parsed.InvocationConfiguration.Error, cancel);
            parsed.InvocationConfiguration.Output.WriteLine($"{deleted} znodes deleted");
        }));
        return command;
    }

    private static Option<bool> JsonOption() => new("--json") { Description = "Print the results as JSON." };

    private static Option<string> Required(string name, string description) =>
        new(name) { Description = description, Required = true };

    private static void WriteJson<T>(ParseResult parsed, T value, JsonTypeInfo<T> type) =>
        parsed.InvocationConfiguration.Output.WriteLine(JsonSerializer.Serialize(value, type));

    /// <summary>Runs an action that Ctrl-C stops; returns 0 when it went well, 1 with a message, 130 stopped.</summary>
    internal static int Guard(ParseResult parsed, Action<CancellationToken> action)
    {
        using var stop = new CancellationTokenSource();
        using var signal = PosixSignalRegistration.Create(PosixSignal.SIGINT, context =>
        {
            // The first one ends the run and cleans up; the second one ends the process.
            context.Cancel = !stop.IsCancellationRequested;
            stop.Cancel();
        });
        try
        {
            action(stop.Token);
            return stop.IsCancellationRequested ? 130 : 0;
        }
        catch (BenchException e)
        {
            parsed.InvocationConfiguration.Error.WriteLine($"sharpkeeper bench: {e.Message}");
            return 1;
        }
    }
}
