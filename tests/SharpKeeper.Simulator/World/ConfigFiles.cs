using System.Text;
using SharpKeeper.Core.Log;
using SharpKeeper.Core.Tree;
using SharpKeeper.Core.Zab;
using SharpKeeper.Protocol.Quorum;

namespace SharpKeeper.Simulation;

/// <summary>The files in which a server keeps the configuration in force and the proposed one.</summary>
internal static class ConfigFiles
{
    private const string Committed = "zoo.cfg.dynamic";
    private const string Next = "zoo.cfg.dynamic.next";

    /// <summary>What a server that starts with this disk works with.</summary>
    public static (EnsembleConfig Config, EnsembleConfig? Next) Load(SimDisk disk, World world, DataTree tree)
    {
        EnsembleConfig config = Read(disk, Committed) ?? world.Setup.Config;
        if (world.Options.Bugs.HasFlag(PlantedBug.ForgetNextConfig))
            return (config, Read(disk, Next) is { } next && next.Version > config.Version ? next : null);
        return (config, ConfigNode.NextAtStart(config, Read(disk, Next), tree));
    }

    /// <summary>Makes the files durable, the proposed one first.</summary>
    public static void Save(SimDisk disk, EnsembleConfig committed, EnsembleConfig? next)
    {
        if (next?.Version > committed.Version)
            disk.WriteFile(StorageArea.Snapshots, Next, Encoding.UTF8.GetBytes(next.Format()));
        if (committed.Version != 0 && Read(disk, Committed)?.Version != committed.Version)
            disk.WriteFile(StorageArea.Snapshots, Committed, Encoding.UTF8.GetBytes(committed.Format()));
        bool isNextThere = disk.TryFind(StorageArea.Snapshots, Next) is not null;
        if (isNextThere && (next is null || next.Version <= committed.Version))
        {
            disk.Delete(StorageArea.Snapshots, Next);
            disk.SyncDirectory(StorageArea.Snapshots);
        }
    }

    private static EnsembleConfig? Read(SimDisk disk, string name)
    {
        if (disk.TryFind(StorageArea.Snapshots, name) is not { } file)
            return null;
        return EnsembleConfig.TryParse(file.Contents, out EnsembleConfig? config, out string problem)
            ? config : throw new SimulationFailure("Configs", $"{name} cannot be read: {problem}");
    }
}
