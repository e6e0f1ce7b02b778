using System.CommandLine;
using Microsoft.Extensions.Logging;
using SharpKeeper.Cli.Daemon;
using SharpKeeper.Cli.Logging;
using SharpKeeper.Server;
using SharpKeeper.Server.Configuration;

namespace SharpKeeper.Cli.Commands;

/// <summary><c>sharpkeeper server</c>: a server in the foreground until a signal ends it.</summary>
internal static class ServerCommand
{
    internal static Command Create(ServerStarter start)
    {
        Command command = new("server", "Run a server in the foreground");
        ServerArguments arguments = new();
        arguments.AddTo(command);
        Option<LogLevel> level = new("--log-level")
        {
            Description = "Least important events to log",
            DefaultValueFactory = static _ => LogLevel.Information,
        };
        Option<LogFormat> format = new("--log-format")
        {
            Description = "Text for people or JSON for machines",
            DefaultValueFactory = static _ => LogFormat.Text,
        };
        // Used by "start": where to log, and the pipe that hears how the start went.
        Option<string?> background = new("--background") { Hidden = true };
        Option<string?> readyPipe = new("--ready-pipe") { Hidden = true };
        foreach (Option option in new Option[] { level, format, background, readyPipe })
            command.Options.Add(option);
        command.SetAction(async (parsed, _) =>
        {
            using StartReport report = new(parsed.GetValue(readyPipe));
            Stream output = parsed.GetValue(background) is string logFile
                ? BackgroundProcess.Detach(logFile) : Console.OpenStandardOutput();
            using ILoggerFactory loggers = LineLoggerProvider.CreateFactory(
                output, parsed.GetValue(format), parsed.GetValue(level));
            ServerOptions options;
            try
            {
                options = arguments.Read(parsed).Load();
            }
            catch (ServerConfigurationException e)
            {
                report.Tell(e.Message);
                PrintProblems(parsed.InvocationConfiguration.Error, e);
                return ExitCodes.InvalidInvocation;
            }
            return await new ServerRun(start, loggers, report.Tell).RunAsync(options).ConfigureAwait(false);
        });
        return command;
    }

    /// <summary>One line for each problem of a configuration.</summary>
    internal static void PrintProblems(TextWriter error, ServerConfigurationException problems)
    {
        foreach (string problem in problems.Problems)
            error.WriteLine($"sharpkeeper: {problem}");
    }
}
