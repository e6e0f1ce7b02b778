using System.Globalization;
using SharpKeeper.CompatTests.Ensembles;

namespace SharpKeeper.CompatTests.Clients;

/// <summary>Programs on Apache Curator, as it is, against our servers.</summary>
public abstract class CuratorSuite
{
    /// <summary>So short that a program can wait until empty containers and old nodes are gone.</summary>
    private protected static readonly TimeSpan ContainerCheckInterval = TimeSpan.FromMilliseconds(500);

    private const string Java = "/usr/share/java";

    private static readonly (string Jar, string HowToGet)[] Libraries =
    [
        ($"{Java}/curator-recipes.jar", "apt install libcurator-recipes-java"),
        ($"{Java}/curator-framework.jar", "apt install libcurator-recipes-java"),
        ($"{Java}/curator-client.jar", "apt install libcurator-recipes-java"),
        ($"{Java}/curator-x-discovery.jar", "apt install libcurator-discovery-java"),
        ($"{Java}/guava.jar", "apt install libguava-java"),
    ];

    [Fact]
    public Task Operations_do_what_Curator_expects() => RunAsync("CuratorOperations");

    [Fact]
    public Task Recipes_work_among_several_clients() => RunAsync("CuratorRecipes");

    [Fact]
    public Task Caches_follow_a_tree_across_restarts() => RunAsync("CuratorCaches");

    [Fact]
    public Task Leadership_and_locks_outlive_the_servers() => RunAsync("CuratorFailover");

    private protected abstract Task<IClientsPeer> StartAsync();

    private async Task RunAsync(string program)
    {
        await using IClientsPeer peer = await StartAsync();
        await ClientPrograms.RunJavaAsync(program, peer, Libraries);
    }
}

/// <summary>Curator with one server.</summary>
public sealed class CuratorTests : CuratorSuite
{
    private protected override async Task<IClientsPeer> StartAsync() => await ClientsServer.StartAsync(
        options => options with { ContainerCheckInterval = ContainerCheckInterval });
}

/// <summary>Curator with three servers.</summary>
[Collection(EnsembleCollection.Name)]
public sealed class EnsembleCuratorTests : CuratorSuite
{
    private protected override async Task<IClientsPeer> StartAsync() => await ClientsEnsemble.StartAsync(
        "SSS",
        ("znode.container.checkIntervalMs",
            ContainerCheckInterval.TotalMilliseconds.ToString(CultureInfo.InvariantCulture)));
}
