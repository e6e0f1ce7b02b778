using SharpKeeper.CompatTests.Client;
using SharpKeeper.CompatTests.Peers;

namespace SharpKeeper.CompatTests.Clients;

/// <summary>Compiles and runs the programs on Apache's client libraries.</summary>
internal static class ClientPrograms
{
    private const string Javac = "/usr/bin/javac";
    private const string Node = "/usr/bin/node";
    private const string Gcc = "/usr/bin/gcc";
    private const string Header = "/usr/include/zookeeper/zookeeper.h";

    /// <summary>
    /// Runs a class of Clients/java, which may use other classes there; it must say that all is well.
    /// </summary>
    /// <param name="name">The class.</param>
    /// <param name="peer">Whom it connects to.</param>
    /// <param name="libraries">Jars that it needs besides Apache's client, each with how to get it.</param>
    public static async Task RunJavaAsync(
        string name, IClientsPeer peer, params (string Jar, string HowToGet)[] libraries)
    {
        SkipUnlessThere(ApacheProgram.Jar, "apt install libzookeeper-java");
        SkipUnlessThere(Javac, "apt install default-jdk-headless");
        foreach ((string jar, string howToGet) in libraries)
            SkipUnlessThere(jar, howToGet);
        string classPath = string.Join(':', libraries.Select(library => library.Jar).Prepend(ApacheProgram.Jar));
        string sources = Path.Combine(ClientProcess.Sources, "java");
        using var directory = new TemporaryDirectory();
        await ClientProcess.RunWellAsync(
            Javac,
            [
                "-cp", classPath, "-sourcepath", sources, "-d", directory.Path, Path.Combine(sources, name + ".java"),
            ]);
        await RunAsync(
            "/usr/bin/java",
            ["-Xmx128m", "-XX:TieredStopAtLevel=1", "-cp", $"{classPath}:{directory.Path}", name], peer);
    }

    /// <summary>Runs a program of Clients/c; it must say that all is well.</summary>
    public static async Task RunCAsync(string name, IClientsPeer peer)
    {
        SkipUnlessThere(Gcc, "apt install gcc");
        SkipUnlessThere(Header, "apt install libzookeeper-mt-dev");
        using var directory = new TemporaryDirectory();
        string program = Path.Combine(directory.Path, name);
        await ClientProcess.RunWellAsync(
            Gcc,
            [
                "-DTHREADED", "-o", program, Path.Combine(ClientProcess.Sources, "c", name + ".c"), "-lzookeeper_mt",
                "-lpthread",
            ]);
        await RunAsync(program, [], peer);
    }

    /// <summary>Runs the program of Clients/go; it must say that all is well.</summary>
    public static async Task RunGoAsync(string name, IClientsPeer peer)
    {
        GoPackage.SkipUnlessInstalled();
        using var directory = new TemporaryDirectory();
        string program = Path.Combine(directory.Path, name);
        await GoPackage.RunToolAsync(
            GoPackage.Home, ["build", "-o", program, Path.Combine(ClientProcess.Sources, "go", name + ".go")]);
        await RunAsync(program, [], peer);
    }

    /// <summary>Runs a script of Clients/node; it must say that all is well.</summary>
    public static async Task RunNodeAsync(string name, IClientsPeer peer)
    {
        SkipUnlessThere(Node, "apt install nodejs npm");
        // Where npm has put the client: beside the script in the sources.
        string sources = Path.Combine(
            ClientGuideTests.FindRoot(), "tests", "SharpKeeper.CompatTests", "Clients", "node");
        if (!Directory.Exists(Path.Combine(sources, "node_modules", "node-zookeeper-client")))
            Assert.Skip($"node-zookeeper-client is missing (npm ci --prefix {sources}).");
        await RunAsync(Node, [Path.Combine(sources, name + ".js")], peer);
    }

    /// <summary>Ends the test as skipped where a file is missing.</summary>
    public static void SkipUnlessThere(string file, string howToGet)
    {
        if (!File.Exists(file))
            Assert.Skip($"{file} is missing (on Debian: {howToGet}).");
    }

    private static Task RunAsync(string program, IReadOnlyList<string> arguments, IClientsPeer peer) =>
        peer.ExplainAsync(async () =>
        {
            ClientRun run = await ClientProcess.RunWellAsync(
                program, [.. arguments, peer.ConnectString], fulfil: peer.FulfilAsync);
            Assert.EndsWith("all is well", run.Output.TrimEnd(), StringComparison.Ordinal);
        });
}
