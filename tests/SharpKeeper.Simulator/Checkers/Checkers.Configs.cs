using System.Text;
using SharpKeeper.Core.Tree;
using SharpKeeper.Protocol;
using SharpKeeper.Protocol.Quorum;

namespace SharpKeeper.Simulation;

internal sealed partial class Checkers
{
    private readonly Dictionary<int, long> configVersions = [];

    /// <summary>The configuration in force: that of the last committed reconfiguration.</summary>
    public EnsembleConfig Config => Committed.Config ?? world.Setup.Config;

    /// <summary>A server's configuration must be a committed one, and never an older one than before.</summary>
    public void CheckConfig(SimServer server)
    {
        EnsembleConfig config = server.Replica.Config!;
        long before = configVersions.GetValueOrDefault(server.Id);
        if (config.Version == before)
            return;
        if (config.Version < before)
        {
            throw new SimulationFailure("Configs",
                $"server {server.Id} goes back from configuration {before:x} to {config.Version:x}");
        }
        // A leader that hands over says so by this alone.
        Zxid zxid = new(config.Version);
        if (server.Zab is { Leader: not null } && zxid > Committed.Last && zxid.Counter > 0)
            Commit(server, zxid, "activates");
        CheckIsCommitted(config, $"server {server.Id} works with");
        configVersions[server.Id] = config.Version;
    }

    /// <summary>A server has started: it may have lost a configuration that was not on its disk yet.</summary>
    public void ConfigRecovered(SimServer server, EnsembleConfig config)
    {
        CheckIsCommitted(config, $"server {server.Id} starts with");
        configVersions[server.Id] = config.Version;
    }

    /// <summary>At the end every member must know the configuration in force, and show it.</summary>
    public void CheckConfigAtEnd(SimServer server)
    {
        EnsembleConfig config = server.Replica.Config!;
        DataTree tree = server.Replica.Tree;
        string shown = Encoding.UTF8.GetString(tree.GetData(tree.Find("/zookeeper/config"u8), out _));
        if (Committed.Config is { } inForce && (config.Version != inForce.Version || shown != inForce.Format()))
        {
            throw new SimulationFailure("Configs",
                $"server {server.Id} works with configuration {config.Version:x} and shows {shown}; "
                + $"{inForce.Version:x} is in force");
        }
        if (server.Zab!.Members.Next is { } next)
        {
            throw new SimulationFailure("Configs",
                $"server {server.Id} takes configuration {next.Version:x} for proposed when nothing is under way");
        }
    }

    private void CheckIsCommitted(EnsembleConfig config, string what)
    {
        if (config.Version == 0)
            return;
        EnsembleConfig? committed = Committed.FindConfig(new Zxid(config.Version));
        // The first leader only names the one that all were started with.
        bool isFirst = new Zxid(config.Version).Counter == 0;
        if (isFirst ? config.HasSameMembers(world.Setup.Config)
            : committed is not null && committed.HasSameMembers(config))
            return;
        throw new SimulationFailure("Configs", $"{what} configuration {config.Version:x}, which is not committed");
    }

    private void CheckConfigRead(Operation operation, Zxid seen)
    {
        if (operation.Error != ErrorCode.Ok || operation.Kind != OperationKind.Get)
            return;
        if (!EnsembleConfig.TryParse(operation.Value ?? [], out EnsembleConfig? config, out string problem))
            throw new SimulationFailure("Configs", $"{operation} read no configuration: {problem}");
        CheckIsCommitted(config, operation.ToString());
        if (Committed.ConfigAt(seen) is { } known && config.Version < known.Version)
        {
            throw new SimulationFailure("Configs",
                $"{operation} read configuration {config.Version:x} behind {known.Version:x}");
        }
    }
}
