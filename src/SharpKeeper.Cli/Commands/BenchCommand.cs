using System.CommandLine;
using System.Runtime.InteropServices;
using System.Text.Json;
using SharpKeeper.Cli.Bench;
using SharpKeeper.Cli.Bench.Report;

namespace SharpKeeper.Cli.Commands;

/// <summary><c>sharpkeeper bench</c>.</summary>
internal static class BenchCommand
{
    /// <summary>Builds the command with its subcommands.</summary>
    public static Command Create()
    {
        var flags = new BenchFlags();
        var operations = new Argument<string[]>("operation")
        {
            Description = "What to measure, one or more of: " + string.Join(", ", OperationNames) + ".",
            Arity = ArgumentArity.OneOrMore,
        };
        operations.AcceptOnlyFromAmong(OperationNames);
        var json = new Option<bool>("--json") { Description = "Print the results as one JSON array." };
        var command = new Command("bench", "Measure a server that speaks ZooKeeper's protocol; verifies every reply.");
        command.Arguments.Add(operations);
        command.Options.Add(json);
        flags.AddTo(command);
        command.SetAction(parsed => Guard(parsed.InvocationConfiguration.Error, cancel =>
        {
            BenchOptions options = flags.Read(parsed);
            var results = new List<BenchResult>();
            foreach (string name in parsed.GetRequiredValue(operations))
            {
                if (cancel.IsCancellationRequested)
                    break;
                results.Add(BenchRun.Execute(
                    Enum.Parse<BenchOperation>(name, ignoreCase: true), options,
                    parsed.InvocationConfiguration.Error, cancel));
                if (!parsed.GetValue(json))
                    TextReport.Write(parsed.InvocationConfiguration.Output, results[^1]);
            }
            if (parsed.GetValue(json))
                parsed.InvocationConfiguration.Output.WriteLine(
                    JsonSerializer.Serialize(results.ToArray(), BenchJson.Default.BenchResultArray));
        }));
        return command;
    }

    private static string[] OperationNames { get; } = [.. Enum.GetValues<BenchOperation>().Select(BenchRun.NameOf)];

    /// <summary>Runs an action with Ctrl-C as its cancellation; 0 when it went well, 1 with a message, 130 stopped.</summary>
    private static int Guard(TextWriter errors, Action<CancellationToken> action)
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
            errors.WriteLine($"sharpkeeper bench: {e.Message}");
            return 1;
        }
    }
}
