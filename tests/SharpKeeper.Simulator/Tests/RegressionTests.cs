using Xunit;

namespace SharpKeeper.Simulation;

/// <summary>Runs in which something was wrong once, with the faults that it took.</summary>
public class RegressionTests
{
    [Fact]
    public void Sync_is_answered_after_the_followers_that_were_asked_have_gone() => Pass(
        44,
        "partial-to-leader@4198+379:9b5d618deb571388,split-majority-without-leader@12513+25:9a2b34b23b3765bc,"
        + "votes-late@12721+4972:82533c5494e54aac,crash-mid-proposal@23185+770:dd89e2f93844024d,"
        + "split-majority-without-leader@24306+107:fbcc4ed200aa56d4");

    [Fact]
    public void Log_that_a_killed_process_left_is_durable_before_it_is_built_on() => Pass(
        41, "quick-restart@862+38:5c1e9a77,kill@1500+40:7,power-loss@1900+200:9", servers: 1);

    private static void Pass(ulong seed, string faults, int servers = 0) => SeedTests.Pass(new RunOptions
    {
        Seed = seed,
        Servers = servers,
        Schedule = [.. faults.Split(',').Select(static (word, number) => Fault.Parse(word, number)
            ?? throw new ArgumentException($"there is no fault {word}"))],
    });
}
