using System.CommandLine;
using SharpKeeper.Server;

namespace SharpKeeper.Cli.Commands;

/// <summary><c>sharpkeeper version</c>: the release, and the Apache release it follows.</summary>
internal static class VersionCommand
{
    internal static Command Create()
    {
        Command command = new("version", "Print the version");
        command.SetAction(static result =>
        {
            TextWriter output = result.InvocationConfiguration.Output;
            output.WriteLine($"sharpkeeper {ServerVersion.Number}");
            output.WriteLine($"follows Apache ZooKeeper {ServerVersion.FollowedRelease}, " +
                $"built on {ServerVersion.BuiltOn}");
        });
        return command;
    }
}
