using System.Diagnostics;
using System.Globalization;
using SharpKeeper.CompatTests.Ensembles;

namespace SharpKeeper.CompatTests.Clients;

/// <summary>The Go client (samuel/go-zookeeper) against our server.</summary>
public sealed class GoTests
{
    [Fact]
    public async Task Go_client_works_unchanged()
    {
        await using ClientsServer server = await ClientsServer.StartAsync();
        await ClientPrograms.RunGoAsync("go_client", server);
    }

    [Fact]
    public Task Client_passes_its_own_tests() => GoOwnTests.RunAsync(
        "MultiFailures", "IfAuthdataSurvivesReconnect", "GetSetACL", "ChildWatch", "SetWatchers", "ExpiringWatch",
        "MaxBufferSize", "Lock");
}

/// <summary>The Go client against ensembles of ours.</summary>
[Collection(EnsembleCollection.Name)]
public sealed class EnsembleGoTests
{
    [Fact]
    public async Task Go_client_moves_between_servers()
    {
        await using ClientsEnsemble ensemble = await ClientsEnsemble.StartAsync(
            "SSS", ("4lw.commands.whitelist", "*"));
        await ClientPrograms.RunGoAsync("go_client", ensemble);
    }

    [Fact]
    public Task Client_passes_its_own_tests() => GoOwnTests.RunAsync("BasicCluster", "ClientClusterFailover");
}

/// <summary>
/// Tests that the Go client ships. They start servers themselves, as <c>java -jar ZOOKEEPER server zoo.cfg</c>; a java of
/// ours in front of the real one starts our server instead.
/// </summary>
internal static class GoOwnTests
{
    /// <summary>
    /// Runs tests by name. Left out are those that no server of today passes (Auth reads an ACL without a right to it),
    /// those that need no server, and for the sake of time others that pass too.
    /// </summary>
    public static async Task RunAsync(params string[] names)
    {
        GoPackage.SkipUnlessInstalled();
        using var directory = new TemporaryDirectory();
        string program = await GoPackage.CompileOwnTestsAsync(directory.Path);
        string jars = Path.Combine(directory.Path, "zookeeper", "contrib", "fatjar");
        Directory.CreateDirectory(jars);
        await File.WriteAllTextAsync(Path.Combine(jars, "zookeeper-3.9.5-fatjar.jar"), "");
        string java = Path.Combine(directory.Path, "java");
        string server = Path.Combine(AppContext.BaseDirectory, "sharpkeeper");
        string started = Path.Combine(directory.Path, "started");
        await File.WriteAllTextAsync(java, $"#!/bin/sh\necho $$ >> '{started}'\nexec '{server}' server \"$4\"\n");
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(java, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        ClientRun run;
        try
        {
            run = await ClientProcess.RunWellAsync(
                program,
                ["-test.v", "-test.run", $"^Test({string.Join('|', names)})$"],
                new Dictionary<string, string>
                {
                    ["PATH"] = $"{directory.Path}:{Environment.GetEnvironmentVariable("PATH")}",
                    ["ZOOKEEPER_PATH"] = Path.Combine(directory.Path, "zookeeper"),
                    ["TMPDIR"] = directory.Path,
                });
        }
        finally
        {
            // Not every one of these tests stops the servers that it has started.
            if (File.Exists(started))
                EndAll(await File.ReadAllLinesAsync(started));
        }
        foreach (string name in names)
            Assert.Contains($"--- PASS: Test{name} ", run.Output, StringComparison.Ordinal);
    }

    private static void EndAll(string[] processIds)
    {
        foreach (string processId in processIds)
        {
            // Those that have ended are no longer known by their number.
            if (Process.GetProcesses().FirstOrDefault(it => it.Id == int.Parse(processId, CultureInfo.InvariantCulture))
                is not { ProcessName: "sharpkeeper" } left)
                continue;
            left.Kill();
            left.WaitForExit();
        }
    }
}
