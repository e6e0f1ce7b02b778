namespace SharpKeeper.Cli.Bench.Ensembles;

/// <summary>The program whose servers form one of the ensembles.</summary>
/// <param name="Name">A or B.</param>
/// <param name="Program">What the user gave: a kind or a command.</param>
/// <param name="Command">Program and arguments; {cfg} stands for the server's zoo.cfg.</param>
internal sealed record EnsembleSide(string Name, string Program, IReadOnlyList<string> Command)
{
    /// <summary>What stands for the configuration file in a command.</summary>
    public const string ConfigMark = "{cfg}";

    /// <summary>Where Debian's package puts Apache's server; its manifest names the other jars.</summary>
    private const string ApacheJar = "/usr/share/java/zookeeper.jar";

    /// <summary>
    /// Reads <c>sharpkeeper</c> (this program), <c>apache</c> (Java with Debian's jars), or a command with {cfg} in it,
    /// whose words are separated by blanks.
    /// </summary>
    /// <exception cref="BenchException">It is none of these, or Apache is not installed.</exception>
    public static EnsembleSide Parse(string name, string program, string javaOptions)
    {
        string[] command = program switch
        {
            "sharpkeeper" => [.. OwnProgram(), "server", ConfigMark],
            "apache" => ApacheCommand(javaOptions),
            _ => Words(program),
        };
        if (!command.Any(word => word.Contains(ConfigMark, StringComparison.Ordinal)))
        {
            throw new BenchException($"--{name.ToLowerInvariant()}: \"{program}\" is neither sharpkeeper nor apache; a "
                + $"command must contain {ConfigMark}, which becomes the path of a server's zoo.cfg");
        }
        return new EnsembleSide(name, program, command);
    }

    /// <summary>The command for one server.</summary>
    public string[] CommandFor(string config) =>
        [.. Command.Select(word => word.Replace(ConfigMark, config, StringComparison.Ordinal))];

    private static string[] ApacheCommand(string javaOptions)
    {
        if (!File.Exists(ApacheJar))
            throw new BenchException($"Apache ZooKeeper is not installed: {ApacheJar} is missing");
        return
        [
            "java", .. Words(javaOptions), "-cp", ApacheJar, "org.apache.zookeeper.server.quorum.QuorumPeerMain",
            ConfigMark,
        ];
    }

    /// <summary>This program; where a runtime runs it, the runtime with the program's file.</summary>
    private static string[] OwnProgram()
    {
        string process = Environment.ProcessPath ?? throw new BenchException("this program's own path is not known");
        return Path.GetFileNameWithoutExtension(process) == "dotnet"
            ? [process, Path.Combine(AppContext.BaseDirectory, "sharpkeeper.dll")] : [process];
    }

    private static string[] Words(string text) => text.Split(' ', StringSplitOptions.RemoveEmptyEntries);
}
