namespace SharpKeeper.Cli.Shell.Editing;

/// <summary>What the line editor draws on.</summary>
internal interface ITerminal
{
    /// <summary>Columns of the screen, at least 1.</summary>
    int Columns { get; }

    /// <summary>Writes text with ANSI sequences and makes it visible.</summary>
    void Write(string text);
}
