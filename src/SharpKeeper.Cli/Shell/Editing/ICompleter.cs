namespace SharpKeeper.Cli.Shell.Editing;

/// <summary>Says how a line can go on.</summary>
internal interface ICompleter
{
    /// <summary>Candidates for the word before the cursor.</summary>
    Task<Completion> CompleteAsync(string textBeforeCursor, CancellationToken cancellation);
}

/// <summary>How a line can go on.</summary>
/// <param name="Start">Where the word begins that the candidates replace.</param>
/// <param name="Candidates">The candidates in the order to show.</param>
internal sealed record Completion(int Start, IReadOnlyList<Candidate> Candidates)
{
    /// <summary>Nothing fits.</summary>
    public static Completion None { get; } = new(0, []);
}

/// <summary>One way to go on.</summary>
/// <param name="Text">What replaces the word.</param>
/// <param name="Label">What a list of candidates shows.</param>
/// <param name="IsWhole">Is the word done, so that a blank follows it?</param>
internal sealed record Candidate(string Text, string Label, bool IsWhole);
