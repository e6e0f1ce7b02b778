namespace SharpKeeper.Cli.Bench.Ensembles;

/// <summary>How ensembles are measured; the defaults are those of the command line.</summary>
internal sealed record EnsembleBenchOptions
{
    /// <summary>The ensemble to compare with.</summary>
    public required EnsembleSide A { get; init; }

    /// <summary>The other one; null measures A alone.</summary>
    public EnsembleSide? B { get; init; }

    /// <summary>Servers of each ensemble; all vote.</summary>
    public int Servers { get; init; } = 3;

    /// <summary>How often each measurement is made.</summary>
    public int Rounds { get; init; } = 3;

    /// <summary>The unit of time of the servers.</summary>
    public int TickTimeMs { get; init; } = 2000;

    /// <summary>Further lines of zoo.cfg.</summary>
    public IReadOnlyList<string> Config { get; init; } = [];

    /// <summary>Where the servers' directories are made; null for the system's temporary directory.</summary>
    public string? Directory { get; init; }

    /// <summary>Longest wait for a server to start, to serve or to catch up.</summary>
    public TimeSpan ReadyMax { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>Operations of the scenario load.</summary>
    public IReadOnlyList<ComparedOperation> Operations { get; init; } = [];

    /// <summary>Measured time of each operation, and of the writes before and after a leader is killed.</summary>
    public TimeSpan Duration { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Unmeasured time before.</summary>
    public TimeSpan Warmup { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>Sessions that write while a leader is killed.</summary>
    public int Sessions { get; init; } = 9;

    /// <summary>Writes that each of them has under way.</summary>
    public int Depth { get; init; } = 16;

    /// <summary>Sessions that write, one by one, to the leader while another server catches up.</summary>
    public int ProbeSessions { get; init; } = 8;

    /// <summary>Bytes of data of each znode.</summary>
    public int Size { get; init; } = 100;

    /// <summary>Transactions that a stopped server misses.</summary>
    public long Txns { get; init; } = 100_000;

    /// <summary>Znodes that the servers hold when one of them catches up; a fresh one has to take them over.</summary>
    public long Znodes { get; init; } = 1_000_000;
}
