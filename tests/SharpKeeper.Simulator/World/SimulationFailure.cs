namespace SharpKeeper.Simulation;

/// <summary>A checker found that something does not hold. Ends the run.</summary>
internal sealed class SimulationFailure(string checker, string message) : Exception($"{checker}: {message}")
{
    /// <summary>Name of what does not hold.</summary>
    public string Checker { get; } = checker;
}

/// <summary>The server ends here, in the middle of what it does: the power fails, or the process is killed.</summary>
internal sealed class SimulatedCrash() : Exception("the simulated server crashes");
