using SharpKeeper.Core.Zab;

namespace SharpKeeper.Core;

public sealed partial class Replica
{
    /// <summary>This server's part in its ensemble at this moment, for monitoring; null if it stands alone.</summary>
    public EnsembleStatus? EnsembleStatus => null;
}
