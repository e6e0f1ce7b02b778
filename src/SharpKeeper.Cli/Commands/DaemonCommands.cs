using System.CommandLine;
using SharpKeeper.Cli.Daemon;
using SharpKeeper.Server;
using SharpKeeper.Server.Configuration;

namespace SharpKeeper.Cli.Commands;

/// <summary><c>sharpkeeper start | stop | restart | status</c>: a server in the background.</summary>
internal static class DaemonCommands
{
    internal static IEnumerable<Command> Create() =>
    [
        Create("start", "Start a server in the background", Load, static control => control.StartAsync()),
        Create("stop", "Stop the server in the background", Locate, static control => control.StopAsync()),
        Create("restart", "Stop the server in the background and start it again", Load, RestartAsync),
        Create("status", "Tell the mode of the server", Locate, static control => control.StatusAsync()),
    ];

    private static ServerOptions Load(ServerWords words) => words.Load();

    private static ServerOptions Locate(ServerWords words) => words.Locate();

    private static async Task<int> RestartAsync(DaemonControl control)
    {
        int stopped = await control.StopAsync().ConfigureAwait(false);
        return stopped == ExitCodes.Finished ? await control.StartAsync().ConfigureAwait(false) : stopped;
    }

    private static Command Create(
        string name, string description, Func<ServerWords, ServerOptions> read, Func<DaemonControl, Task<int>> act)
    {
        Command command = new(name, description);
        ServerArguments arguments = new();
        arguments.AddTo(command);
        command.SetAction(async (parsed, _) =>
        {
            TextWriter output = parsed.InvocationConfiguration.Output;
            TextWriter error = parsed.InvocationConfiguration.Error;
            try
            {
                ServerWords words = arguments.Read(parsed);
                if (words.ConfigFile is string file)
                    error.WriteLine($"Using config: {file}");
                ServerOptions options = read(words);
                return await act(new DaemonControl(words, options, output, error)).ConfigureAwait(false);
            }
            catch (ServerConfigurationException e)
            {
                ServerCommand.PrintProblems(error, e);
                return ExitCodes.InvalidInvocation;
            }
        });
        return command;
    }
}
