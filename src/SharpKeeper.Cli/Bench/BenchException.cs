namespace SharpKeeper.Cli.Bench;

/// <summary>The run cannot go on: its message goes to the user as it is.</summary>
internal class BenchException(string message) : Exception(message);

/// <summary>The server answered something that no correct server answers.</summary>
internal sealed class WrongReplyException(string message) : BenchException(message);
