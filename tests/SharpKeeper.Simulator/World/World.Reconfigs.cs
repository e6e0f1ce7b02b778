namespace SharpKeeper.Simulation;

/// <summary>How far a reconfiguration has come at a server.</summary>
internal enum ReconfigStage
{
    /// <summary>A leader gives it to its log.</summary>
    Proposed,

    /// <summary>A learner gives it to its log.</summary>
    Logged,

    /// <summary>A server counts it as proposed.</summary>
    Seen,

    /// <summary>A server has it in force.</summary>
    Used,

    /// <summary>A server has its file written.</summary>
    Saved,
}

internal sealed partial class World
{
    private readonly List<(ReconfigStage Stage, Action<SimServer> Action)> reconfigHooks = [];

    /// <summary>Does something once, when a server reaches that stage of a reconfiguration.</summary>
    public void AtReconfig(ReconfigStage stage, Action<SimServer> action) => reconfigHooks.Add((stage, action));

    /// <summary>A server has reached a stage of a reconfiguration.</summary>
    public void Reached(ReconfigStage stage, SimServer server)
    {
        int index = reconfigHooks.FindIndex(hook => hook.Stage == stage);
        if (index < 0 || AreFaultsOver)
            return;
        Action<SimServer> action = reconfigHooks[index].Action;
        reconfigHooks.RemoveAt(index);
        // Not in the middle of the server's own turn.
        Scheduler.After(0, () => action(server));
    }
}
