namespace SharpKeeper.Server.Configuration;

/// <summary>What the command line says in place of the configuration file; it wins over everything else.</summary>
public sealed record ServerOverrides
{
    /// <summary>Replaces <c>dataDir</c> and <c>dataLogDir</c>.</summary>
    public string? DataDir { get; init; }

    /// <summary>Replaces <c>clientPort</c>; 0 takes a free port.</summary>
    public int? Port { get; init; }

    /// <summary>Replaces <c>clientPortAddress</c>; <c>*</c> is all interfaces.</summary>
    public string? Listen { get; init; }

    /// <summary>Keeps nothing on disk.</summary>
    public bool InMemory { get; init; }
}
