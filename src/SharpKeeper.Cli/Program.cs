using System.CommandLine;
using SharpKeeper.Cli;
using SharpKeeper.Cli.Commands;
using SharpKeeper.Cli.Daemon;

if (ShellCommand.IsMeant(args))
    return await ShellCommand.RunAsync(args).ConfigureAwait(false);

RootCommand root = new("A coordination server for ZooKeeper clients, with its shell, benchmark and file tools.");
root.Subcommands.Add(ServerCommand.Create(HostedServer.StartAsync));
foreach (Command command in DaemonCommands.Create())
    root.Subcommands.Add(command);
root.Subcommands.Add(ShellCommand.Create());
root.Subcommands.Add(VersionCommand.Create());
root.Subcommands.Add(EnsembleCommand.Create());
root.Subcommands.Add(BenchCommand.Create());
root.Subcommands.Add(LogCommand.Create());
root.Subcommands.Add(SnapshotCommand.Create());

// Words of the shell such as "-server", "-e" or "@file" belong to the commands: no bundling, no response files.
ParserConfiguration parsing = new() { EnablePosixBundling = false, ResponseFileTokenReplacer = null };
// The server ends itself on a signal and decides itself how long that takes.
InvocationConfiguration invocation = new() { ProcessTerminationTimeout = null };
ParseResult parsed = root.Parse(args, parsing);
int exitCode = await parsed.InvokeAsync(invocation).ConfigureAwait(false);
return parsed.Errors.Count > 0 ? ExitCodes.InvalidInvocation : exitCode;
