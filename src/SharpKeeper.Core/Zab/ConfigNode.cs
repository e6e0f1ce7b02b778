using SharpKeeper.Core.Tree;
using SharpKeeper.Protocol;
using SharpKeeper.Protocol.Quorum;

namespace SharpKeeper.Core.Zab;

/// <summary>The configuration as a tree shows it.</summary>
internal static class ConfigNode
{
    /// <summary>The configuration that a tree shows; null if there is none in it.</summary>
    public static EnsembleConfig? Read(DataTree tree)
    {
        ZnodeId id = tree.Find("/zookeeper/config"u8);
        return !id.IsNone && EnsembleConfig.TryParse(tree.GetData(id, out _), out EnsembleConfig? config, out _)
            ? config : null;
    }

    /// <summary>
    /// The configuration that is to be taken for proposed at the start: the last one in the log, committed or not, if it
    /// is newer than the committed one that is known. It is in the recovered tree. The file that is kept of it may be
    /// missing, since it is written beside the log; or be left from a proposal that was never logged or was cut off.
    /// </summary>
    /// <param name="committed">The committed configuration that was kept.</param>
    /// <param name="kept">The proposed configuration that was kept; null for none.</param>
    /// <param name="recovered">The tree up to the end of the log.</param>
    public static EnsembleConfig? NextAtStart(EnsembleConfig committed, EnsembleConfig? kept, DataTree recovered)
    {
        EnsembleConfig? logged = Read(recovered);
        // The first leader's naming is in no log, and changes nothing.
        if (kept is not null && new Zxid(kept.Version) is { Counter: > 0 } zxid && zxid > recovered.LastProcessed)
            kept = null;
        if (logged is not null && (kept is null || logged.Version > kept.Version))
            kept = logged;
        return kept?.Version > committed.Version ? kept : null;
    }
}
