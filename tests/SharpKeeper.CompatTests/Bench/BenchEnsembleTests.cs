using System.CommandLine;
using System.Text.Json;
using SharpKeeper.Cli.Commands;
using SharpKeeper.CompatTests.Peers;

namespace SharpKeeper.CompatTests.Bench;

/// <summary>The benchmark of ensembles as a user runs it, on servers that it starts itself.</summary>
public sealed class BenchEnsembleTests
{
    [Fact]
    public void Every_scenario_on_Apache_ends_well_and_loses_nothing()
    {
        ApacheProgram.SkipUnlessInstalled();
        CheckEveryScenario("--a", "apache", "--java-options", string.Join(' ', ApacheProgram.SmallMachine));
    }

    [Fact]
    public void A_command_that_does_not_start_is_named()
    {
        (int exit, _, string errors) = Run("cold-start", "--a", "/nowhere/keeper {cfg}", "--b", "none");

        Assert.Equal(1, exit);
        Assert.Contains("cold-start: ensemble A: cannot start /nowhere/keeper", errors, StringComparison.Ordinal);
    }

    [Fact]
    public void A_server_that_ends_by_itself_is_shown_with_its_last_words()
    {
        (int exit, _, string errors) = Run("cold-start", "--a", "ls {cfg}.none", "--b", "none");

        Assert.Equal(1, exit);
        Assert.Contains("ended with exit code", errors, StringComparison.Ordinal);
        Assert.Contains("zoo.cfg.none", errors, StringComparison.Ordinal);
    }

    private static void CheckEveryScenario(params string[] program)
    {
        string directory = Directory.CreateTempSubdirectory("bench-ensemble-test-").FullName;
        try
        {
            (int exit, string output, string errors) = Run([
                "load", "cold-start", "failover", "catch-up", "snapshot", .. program, "--b", "none", "--rounds", "1",
                "--duration", "0.5", "--warmup", "0.5", "--sessions", "3", "--depth", "4", "--txns", "2000", "--znodes",
                "5000", "--tick-time", "500", "--ops", "set:3x4,get:3x4", "--json", "--dir", directory]);

            Assert.True(exit == 0, errors);
            using JsonDocument document = JsonDocument.Parse(output);
            Assert.Equal(5, document.RootElement.GetArrayLength());
            Assert.Equal(0, Figure(document, "failover", "acknowledged writes lost"));
            Assert.Equal(0, Figure(document, "failover", "sessions expired"));
            Assert.True(Figure(document, "load", "set 3x4 servers' CPU us/op") > 0);
            Assert.True(Figure(document, "snapshot", "in sync after ms") > 0);
            Assert.Empty(Directory.EnumerateFileSystemEntries(directory));
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    private static double Figure(JsonDocument document, string scenario, string name)
    {
        JsonElement result = document.RootElement.EnumerateArray()
            .Single(one => one.GetProperty("scenario").GetString() == scenario);
        return result.GetProperty("figures").EnumerateArray()
            .Single(one => one.GetProperty("name").GetString() == name).GetProperty("a").GetDouble();
    }

    private static (int Exit, string Output, string Errors) Run(params string[] arguments)
    {
        var output = new StringWriter();
        var errors = new StringWriter();
        int exit = BenchCommand.Create().Parse(["ensemble", .. arguments])
            .Invoke(new InvocationConfiguration { Output = output, Error = errors });
        return (exit, output.ToString(), errors.ToString());
    }
}
