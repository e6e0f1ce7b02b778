using SharpKeeper.Protocol;

namespace SharpKeeper.CompatTests.Ensembles;

/// <summary>What a client did to a register, which is a znode whose data are written and read.</summary>
internal enum Deed
{
    /// <summary>Set the data, whatever they were.</summary>
    Write,

    /// <summary>A sync and then a read: it must see everything that was acknowledged before.</summary>
    FreshRead,

    /// <summary>A read by itself: it may be behind, but never behind what its session has seen.</summary>
    Read,
}

/// <summary>One operation of a client.</summary>
/// <param name="Session">The client.</param>
/// <param name="Register">The znode.</param>
/// <param name="Deed">What was done.</param>
/// <param name="Value">What was written or read; every write has a value of its own.</param>
/// <param name="Stat">What the server answered; null where the outcome is not known.</param>
/// <param name="Invoked">When the client asked, in ticks of one clock.</param>
/// <param name="Completed">When it had the answer; the largest number there is where it had none.</param>
internal sealed record Operation(
    int Session, string Register, Deed Deed, string Value, Stat? Stat, long Invoked, long Completed);

/// <summary>What all clients did, in no order.</summary>
internal sealed class History
{
    private readonly List<Operation> operations = [];

    /// <summary>Everything so far.</summary>
    public Operation[] Operations
    {
        get
        {
            lock (operations)
                return [.. operations];
        }
    }

    /// <summary>Adds an operation that has ended one way or the other.</summary>
    public void Add(Operation operation)
    {
        lock (operations)
            operations.Add(operation);
    }
}
