namespace SharpKeeper.CompatTests.Clients;

/// <summary>The Go client as Debian packages it, and the tools that compile with it.</summary>
internal static class GoPackage
{
    /// <summary>The place under which Debian's packages of Go sources are.</summary>
    public const string Home = "/usr/share/gocode";

    private const string Go = "/usr/bin/go";
    private const string Name = "github.com/samuel/go-zookeeper/zk";

    /// <summary>Ends the test as skipped where Go or the client is missing.</summary>
    public static void SkipUnlessInstalled()
    {
        ClientPrograms.SkipUnlessThere(Go, "apt install golang-go");
        ClientPrograms.SkipUnlessThere(
            Path.Combine(Home, "src", Name, "conn.go"), "apt install golang-github-samuel-go-zookeeper-dev");
    }

    /// <summary>Compiles something.</summary>
    /// <param name="home">The place whose src has the packages.</param>
    /// <param name="arguments">What the tool is to do.</param>
    public static Task RunToolAsync(string home, IEnumerable<string> arguments) => ClientProcess.RunWellAsync(
        Go,
        arguments,
        new Dictionary<string, string>
        {
            ["GO111MODULE"] = "off",
            ["GOPATH"] = home,
            ["GOFLAGS"] = "",
            ["CGO_ENABLED"] = "0",
            ["GOCACHE"] = Path.Combine(Path.GetTempPath(), "sharpkeeper-go-cache"),
        });

    /// <summary>Compiles the tests that the client ships.</summary>
    /// <param name="home">A directory of the caller's, in which the sources are copied.</param>
    /// <returns>The program.</returns>
    public static async Task<string> CompileOwnTestsAsync(string home)
    {
        string sources = Path.Combine(home, "src", Name);
        Directory.CreateDirectory(sources);
        foreach (string file in Directory.EnumerateFiles(Path.Combine(Home, "src", Name), "*.go"))
        {
            // This client is of 2018 and reads an average latency without a fraction only, which servers have printed
            // until 3.5. Its successor reads both.
            string text = (await File.ReadAllTextAsync(file)).Replace(
                @"min/avg/max: (\d+)/(\d+)/(\d+)", @"min/avg/max: (\d+)/([0-9.]+)/(\d+)", StringComparison.Ordinal);
            await File.WriteAllTextAsync(Path.Combine(sources, Path.GetFileName(file)), text);
        }
        string program = Path.Combine(home, "zk.test");
        await RunToolAsync(home, ["test", "-c", "-o", program, Name]);
        return program;
    }
}
