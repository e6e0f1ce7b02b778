using SharpKeeper.Protocol;
using SharpKeeper.Protocol.Quorum;

namespace SharpKeeper.Simulation;

/// <summary>
/// What whoever runs the ensemble does: changes who is in it when a fault says so, and else reads the configuration.
/// </summary>
internal sealed class OperatorWorkload : Workload
{
    /// <summary>Where servers show the configuration.</summary>
    public const string ConfigPath = "/zookeeper/config";

    private const int TriesMax = 6;
    private const int AgainUs = 250_000;

    /// <summary>A change that is wanted.</summary>
    /// <param name="Change">Gives the request for a configuration, or null if it makes no sense for that.</param>
    /// <param name="Tries">How often it may still be asked for.</param>
    private readonly record struct Wish(Func<EnsembleConfig, string?> Change, int Tries);

    private readonly World world;
    private readonly SimRandom random;
    private readonly Queue<Wish> wishes = new();
    private Wish asked;
    private long nextUs;

    public OperatorWorkload(World world)
        : base(world, SimRandom.For(world.Options.Seed, "operator"))
    {
        this.world = world;
        random = SimRandom.For(world.Options.Seed, "operator", 1);
    }

    /// <summary>Asks for a change as soon as that can be done.</summary>
    /// <param name="change">
    /// The request for a configuration: joining servers, leaving servers, all members and the expected version, with a
    /// stroke between them; null if there is nothing to do.
    /// </param>
    /// <param name="tries">How often it is asked for before it is given up.</param>
    public void Want(Func<EnsembleConfig, string?> change, int tries = TriesMax)
    {
        wishes.Enqueue(new Wish(change, tries));
        nextUs = world.Scheduler.NowUs;
        if (Client.IsConnected && Client.Outstanding == 0)
            Think();
    }

    /// <summary>Has a client ask for a reconfiguration.</summary>
    public static void Ask(SimClient client, string request) => client.Ask(
        OperationKind.Reconfig, "", [new WritePart(OperationKind.Reconfig, request, null, -1, default)]);

    /// <inheritdoc/>
    public override void Think()
    {
        if (Client.Outstanding > 0 || world.Scheduler.NowUs < nextUs)
            return;
        if (world.AreFaultsOver)
            wishes.Clear();
        while (wishes.TryDequeue(out asked))
        {
            if (asked.Change(world.Checkers.Config) is not { } request)
                continue;
            Ask(Client, request);
            return;
        }
        if (!random.PerMille(100) && !world.AreFaultsOver)
            return;
        Operation? sync = Client.Ask(OperationKind.Sync, ConfigPath);
        if (sync is not null)
            Client.Ask(OperationKind.Get, ConfigPath, behindSync: sync);
    }

    /// <inheritdoc/>
    public override void Returned(Operation operation)
    {
        if (operation.Kind != OperationKind.Reconfig || operation.Error == ErrorCode.Ok || asked.Tries <= 1)
            return;
        // No quorum may be in step, or another change is under way: that will pass.
        if (operation.Error is ErrorCode.NewConfigNoQuorum or ErrorCode.ReconfigInProgress)
            wishes.Enqueue(asked with { Tries = asked.Tries - 1 });
        nextUs = world.Scheduler.NowUs + AgainUs;
    }

    /// <inheritdoc/>
    public override void SessionEnded()
    {
    }
}
