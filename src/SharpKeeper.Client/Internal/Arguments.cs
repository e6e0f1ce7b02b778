using SharpKeeper.Protocol;

namespace SharpKeeper.Client.Internal;

/// <summary>Checks of arguments that need no server.</summary>
internal static class Arguments
{
    /// <summary>The longest time to live that a znode can store: 40 bits of milliseconds.</summary>
    public const long TtlMsMax = (1L << 40) - 1;

    public static void CheckAcl(IReadOnlyList<Acl> acl)
    {
        for (int i = 0; i < acl.Count; i++)
        {
            if (acl[i] is null)
                throw new ArgumentException($"Entry {i} of the access control list is null.", nameof(acl));
        }
    }

    public static void CheckCreate(string path, CreateMode mode, IReadOnlyList<Acl>? acl, TimeSpan? ttl)
    {
        if (acl is not null)
            CheckAcl(acl);
        if (!CreateModes.IsDefined(mode))
            throw new ArgumentOutOfRangeException(nameof(mode), mode, "There is no such create mode.");
        ZnodePath.Validate(path, mode.IsSequential());
        if (!mode.IsTtl())
        {
            if (ttl is not null)
                throw new ArgumentException($"The mode {mode} takes no time to live.", nameof(ttl));
        }
        else if (ttl is not { TotalMilliseconds: >= 1 and <= TtlMsMax })
        {
            throw new ArgumentException(
                $"The mode {mode} needs a time to live between 1 ms and {TtlMsMax} ms (about 34 years).", nameof(ttl));
        }
    }
}
