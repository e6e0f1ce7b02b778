using SharpKeeper.Protocol;
using SharpKeeper.Protocol.Quorum;

namespace SharpKeeper.Core.Zab;

/// <summary>How far a server of an ensemble has got on its way to serving, as monitoring names it.</summary>
public enum ZabPhase
{
    /// <summary>A leader is being elected.</summary>
    Election,

    /// <summary>The epoch is being agreed on.</summary>
    Discovery,

    /// <summary>Learners are being brought up to date.</summary>
    Synchronization,

    /// <summary>Transactions are proposed and committed.</summary>
    Broadcast,
}

/// <summary>What a replica tells of its part in the ensemble: true at one moment between two steps.</summary>
public sealed record EnsembleStatus
{
    /// <summary>What this server is doing.</summary>
    public required ServerState State { get; init; }

    /// <summary>Why it does that, for people.</summary>
    public string Reason { get; init; } = "";

    /// <summary>How far it has got.</summary>
    public ZabPhase Phase { get; init; }

    /// <summary>Are clients served, with writes?</summary>
    public bool IsServing { get; init; }

    /// <summary>Are clients that ask for it served read-only, for lack of a quorum?</summary>
    public bool IsReadOnly { get; init; }

    /// <summary>The leader that this server follows, observes or is; null while it looks for one.</summary>
    public ServerId? Leader { get; init; }

    /// <summary>The durable currentEpoch.</summary>
    public long Epoch { get; init; }

    /// <summary>The last transaction that is appended to the log, committed or not.</summary>
    public Zxid LastLogged { get; init; }

    /// <summary>The last transaction known to be committed.</summary>
    public Zxid Committed { get; init; }

    /// <summary>The committed configuration.</summary>
    public required EnsembleConfig Config { get; init; }

    /// <summary>The configuration that is proposed and not committed; or null.</summary>
    public EnsembleConfig? NextConfig { get; init; }

    /// <summary>The servers connected to this leader, ascending by id; empty unless this server leads.</summary>
    public IReadOnlyList<LearnerStatus> Learners { get; init; } = [];

    /// <summary>Client operations <c>sync</c> that wait for a commit on this leader.</summary>
    public int PendingSyncs { get; init; }

    /// <summary>Milliseconds since this leader was established; 0 unless it is.</summary>
    public long LeaderUptimeMs { get; init; }

    /// <summary>How long the elections took that this server has finished.</summary>
    public DurationTally ElectionTimes { get; init; }

    /// <summary>Bytes of the transactions proposed since this leader was established.</summary>
    public ProposalSizes ProposalSizes { get; init; } = ProposalSizes.None;

    /// <summary>Events since the server started.</summary>
    public EnsembleCounters Counters { get; init; }
}

/// <summary>One learner, as its leader knows it.</summary>
/// <param name="Id">Its number.</param>
/// <param name="Role">Has it a vote?</param>
/// <param name="IsSynced">Did it acknowledge NEWLEADER, and is it in time with its signs of life?</param>
/// <param name="Acked">The last transaction it acknowledged as durable, or that it began this epoch with; observers
/// acknowledge none.</param>
/// <param name="Lag">Transactions proposed in this epoch that it has not acknowledged; 0 for observers.</param>
public readonly record struct LearnerStatus(ServerId Id, ServerRole Role, bool IsSynced, Zxid Acked, long Lag);

/// <summary>Bytes of proposals; each is -1 while there was none.</summary>
/// <param name="Last">The latest.</param>
/// <param name="Min">The smallest.</param>
/// <param name="Max">The largest.</param>
public readonly record struct ProposalSizes(int Last, int Min, int Max)
{
    /// <summary>No proposal yet.</summary>
    public static ProposalSizes None { get; } = new(-1, -1, -1);

    /// <summary>With one proposal more.</summary>
    public ProposalSizes With(int bytes) =>
        new(bytes, Last < 0 ? bytes : Math.Min(Min, bytes), Math.Max(Max, bytes));
}

/// <summary>Durations in milliseconds, added up.</summary>
/// <param name="Count">How many.</param>
/// <param name="SumMs">All together.</param>
/// <param name="MinMs">The shortest; 0 while there is none.</param>
/// <param name="MaxMs">The longest; 0 while there is none.</param>
public readonly record struct DurationTally(long Count, long SumMs, long MinMs, long MaxMs)
{
    /// <summary>With one duration more.</summary>
    public DurationTally With(long ms) =>
        new(Count + 1, SumMs + ms, Count == 0 ? ms : Math.Min(MinMs, ms), Math.Max(MaxMs, ms));
}

/// <summary>How often each thing happened in the life of this process.</summary>
public readonly record struct EnsembleCounters
{
    /// <summary>Elections begun.</summary>
    public long Looking { get; init; }

    /// <summary>Transactions proposed as leader.</summary>
    public long Proposals { get; init; }

    /// <summary>Transactions committed as leader.</summary>
    public long Commits { get; init; }

    /// <summary>Learners brought up to date by transactions alone, TRUNC included.</summary>
    public long DiffsSent { get; init; }

    /// <summary>Learners brought up to date by a snapshot.</summary>
    public long SnapshotsSent { get; init; }

    /// <summary>PROPOSAL packets received as learner.</summary>
    public long ProposalsReceived { get; init; }

    /// <summary>COMMIT and INFORM packets received as learner.</summary>
    public long CommitsReceived { get; init; }

    /// <summary>Sessions that learners asked this leader about.</summary>
    public long Revalidations { get; init; }
}
