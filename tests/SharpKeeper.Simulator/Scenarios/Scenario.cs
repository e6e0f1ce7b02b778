namespace SharpKeeper.Simulation;

/// <summary>A story that is played in place of faults: it goes on when the world is so far, not when it is time.</summary>
/// <param name="Name">What happens in it, for people.</param>
/// <param name="Play">Plays it.</param>
internal sealed record Scenario(string Name, Action<Stage> Play);
