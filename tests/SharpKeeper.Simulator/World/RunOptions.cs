using SharpKeeper.Core.Zab;

namespace SharpKeeper.Simulation;

/// <summary>How a run is set up. Everything follows from the seed unless it is said here.</summary>
internal sealed record RunOptions
{
    /// <summary>Decides everything.</summary>
    public required ulong Seed { get; init; }

    /// <summary>Number of voters; 0 lets the seed choose 3, 5 or 7.</summary>
    public int Servers { get; init; }

    /// <summary>Number of observers; -1 lets the seed choose.</summary>
    public int Observers { get; init; } = -1;

    /// <summary>Number of clients; 0 lets the seed choose.</summary>
    public int Clients { get; init; }

    /// <summary>Virtual milliseconds during which faults happen.</summary>
    public int FaultMs { get; init; } = 40_000;

    /// <summary>Virtual milliseconds within which the ensemble must serve again once faults have stopped.</summary>
    public int RecoveryMs { get; init; } = 30_000;

    /// <summary>Virtual milliseconds without faults after that.</summary>
    public int CalmMs { get; init; } = 9_000;

    /// <summary>Session timeout that clients ask for, milliseconds.</summary>
    public int SessionTimeoutMs { get; init; } = 3_000;

    /// <summary>Length of a tick, milliseconds.</summary>
    public int TickMs { get; init; } = 200;

    /// <summary>Deliberate mistakes.</summary>
    public PlantedBug Bugs { get; init; }

    /// <summary>Faults by their number in the seed's schedule; null for all of it.</summary>
    public IReadOnlyList<int>? Faults { get; init; }

    /// <summary>
    /// The faults themselves instead of the seed's schedule; they mean the same whatever kinds are added.
    /// </summary>
    public IReadOnlyList<Fault>? Schedule { get; init; }

    /// <summary>Kinds of fault by name that the seed's schedule is made of; null for what the seed chooses.</summary>
    public IReadOnlyList<string>? Kinds { get; init; }

    /// <summary>Does every learner that was away need a snapshot?</summary>
    public bool NeedsSnapshots { get; init; }

    /// <summary>Does every other client only read?</summary>
    public bool HasReaders { get; init; }

    /// <summary>Are servers added and removed during the run? Null lets the seed choose.</summary>
    public bool? Reconfigs { get; init; }

    /// <summary>Have groups of servers and weights a say in what a quorum is? Null lets the seed choose.</summary>
    public bool? Groups { get; init; }

    /// <summary>Are sessions local to one server at first? Null lets the seed choose.</summary>
    public bool? LocalSessions { get; init; }

    /// <summary>What is played in place of faults; null for a run of faults.</summary>
    public Scenario? Scenario { get; init; }

    /// <summary>Is what happens written down?</summary>
    public bool IsTraced { get; init; }

    /// <summary>Does a lone server stand alone instead of being an ensemble of one?</summary>
    public bool IsStandalone => Servers == 1;
}
