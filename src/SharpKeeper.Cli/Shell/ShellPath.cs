using SharpKeeper.Protocol;

namespace SharpKeeper.Cli.Shell;

/// <summary>Checks paths before they are sent, with the sentences that zkCli's users know.</summary>
internal static class ShellPath
{
    /// <summary>Refuses a path that no server takes.</summary>
    /// <exception cref="ShellCommandException">The path is wrong; the message says how.</exception>
    public static void Validate(string path, bool isSequential = false)
    {
        string full = isSequential ? path + "1" : path;
        string? message = full switch
        {
            "" => "Path length must be > 0",
            _ when full[0] != '/' => "Path must start with / character",
            _ when full.Length > 1 && full[^1] == '/' => "Path must not end with / character",
            _ => null,
        };
        if (message is not null)
            throw new ShellCommandException(message, "BadArguments", path);
        try
        {
            ZnodePath.Validate(full);
        }
        catch (ArgumentException e)
        {
            string reason = e.Message.Split(" (Parameter", 2)[0];
            throw new ShellCommandException(reason, "BadArguments", path);
        }
    }

    /// <summary>The child's path.</summary>
    public static string Child(string parent, string name) =>
        parent == ZnodePath.Root ? parent + name : parent + "/" + name;
}
