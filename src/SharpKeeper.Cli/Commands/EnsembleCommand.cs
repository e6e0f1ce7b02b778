using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using System.Runtime.InteropServices;
using SharpKeeper.Cli.Ensemble;

namespace SharpKeeper.Cli.Commands;

/// <summary><c>sharpkeeper ensemble status</c> and <c>ensemble demo</c>.</summary>
internal static class EnsembleCommand
{
    private const int WatchSecondsDefault = 2;

    internal static Command Create()
    {
        Command command = new("ensemble", "Look at an ensemble, Apache's too, or try one out");
        command.Subcommands.Add(CreateStatus());
        command.Subcommands.Add(CreateDemo());
        return command;
    }

    private static Command CreateStatus()
    {
        Argument<string> servers = new("servers") { Description = "host:port,host:port,... of the client ports" };
        Option<bool> json = new("--json") { Description = "Print one JSON object a report" };
        Option<double?> watch = new("--watch")
        {
            Description = $"Report again every so many seconds ({WatchSecondsDefault}) until Ctrl-C",
            Arity = ArgumentArity.ZeroOrOne,
            HelpName = "seconds",
        };
        Option<double> timeout = new("--timeout")
        {
            Description = "Seconds to wait for a server",
            DefaultValueFactory = static _ => 5,
            HelpName = "seconds",
        };
        RequireSeconds(watch);
        RequireSeconds(timeout);
        Command command = new("status", "Show mode, epoch, zxid and lag of each server; 0 if one leads with a quorum");
        command.Arguments.Add(servers);
        foreach (Option option in new Option[] { json, watch, timeout })
            command.Options.Add(option);
        command.SetAction(parsed => RunAsync(parsed, async cancel =>
        {
            TextWriter output = parsed.InvocationConfiguration.Output;
            TimeSpan patience = TimeSpan.FromSeconds(parsed.GetValue(timeout));
            StatusRun run = new(
                ServerAddress.ParseList(parsed.GetRequiredValue(servers)),
                (server, word, stop) => FourLetterClient.AskAsync(server, word, patience, stop), output)
            {
                AsJson = parsed.GetValue(json),
                ClearsScreen = !Console.IsOutputRedirected,
            };
            if (parsed.GetResult(watch) is null)
                return await run.OnceAsync(cancel).ConfigureAwait(false);
            TimeSpan interval = TimeSpan.FromSeconds(parsed.GetValue(watch) ?? WatchSecondsDefault);
            return await run.WatchAsync(interval, TimeProvider.System, cancel).ConfigureAwait(false);
        }));
        return command;
    }

    private static void RequireSeconds<T>(Option<T> option) => option.Validators.Add(result =>
    {
        foreach (Token token in result.Tokens)
        {
            if (!double.TryParse(token.Value, NumberStyles.Float, CultureInfo.InvariantCulture, out double seconds)
                || seconds is not (>= 0.1 and <= 86400))
                result.AddError($"{option.Name} must be a number of seconds from 0.1 to 86400, not {token.Value}");
        }
    });

    private static Command CreateDemo()
    {
        Option<int> servers = new("--servers")
        {
            Description = "How many servers vote, 1 to 9",
            DefaultValueFactory = static _ => 3,
            HelpName = "number",
        };
        servers.Validators.Add(result =>
        {
            if (result.Tokens.Any(static token => token.Value is not { Length: 1 } text || text[0] is < '1' or > '9'))
                result.AddError("--servers must be a number from 1 to 9");
        });
        Command command = new("demo", "Run an ensemble on free ports of this machine, in a temporary directory");
        command.Options.Add(servers);
        command.SetAction(parsed => RunAsync(parsed, async cancel =>
        {
            EnsembleDemo demo = new(parsed.GetValue(servers), parsed.InvocationConfiguration.Output, Console.In);
            await using (demo.ConfigureAwait(false))
                return await demo.RunAsync(cancel).ConfigureAwait(false);
        }));
        return command;
    }

    /// <summary>Runs an action that Ctrl-C and SIGTERM stop.</summary>
    private static async Task<int> RunAsync(ParseResult parsed, Func<CancellationToken, Task<int>> action)
    {
        using CancellationTokenSource stop = new();
        using PosixSignalRegistration interrupt = Listen(PosixSignal.SIGINT, stop);
        using PosixSignalRegistration terminate = Listen(PosixSignal.SIGTERM, stop);
        try
        {
            return await action(stop.Token).ConfigureAwait(false);
        }
        catch (FormatException e)
        {
            parsed.InvocationConfiguration.Error.WriteLine($"sharpkeeper: {e.Message}");
            return ExitCodes.InvalidInvocation;
        }
        catch (OperationCanceledException)
        {
            return ExitCodes.Failed;
        }
    }

    /// <summary>The first signal ends the work in good order, the second one the process.</summary>
    private static PosixSignalRegistration Listen(PosixSignal signal, CancellationTokenSource stop) =>
        PosixSignalRegistration.Create(signal, context =>
        {
            context.Cancel = !stop.IsCancellationRequested;
            stop.Cancel();
        });
}
