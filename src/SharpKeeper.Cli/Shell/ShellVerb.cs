namespace SharpKeeper.Cli.Shell;

/// <summary>Runs a command.</summary>
internal delegate Task VerbAction(ShellSession session, CommandArguments arguments, CancellationToken cancellation);

/// <summary>What a positional word of a command is, for completion.</summary>
internal enum WordKind
{
    /// <summary>Anything.</summary>
    Text,

    /// <summary>A path of the tree.</summary>
    Path,

    /// <summary>The name of a command.</summary>
    Verb,

    /// <summary>on or off.</summary>
    Switch,
}

/// <summary>A command of the shell.</summary>
/// <param name="Name">The word that calls it.</param>
/// <param name="Syntax">What follows the word, as the usage shows it.</param>
/// <param name="Summary">What it does, for the help.</param>
/// <param name="Action">Runs it.</param>
internal sealed record ShellVerb(string Name, string Syntax, string Summary, VerbAction Action)
{
    /// <summary>Its options.</summary>
    public IReadOnlyList<OptionSpec> Options { get; init; } = [];

    /// <summary>How many words it needs.</summary>
    public int WordsMin { get; init; }

    /// <summary>How many words it takes.</summary>
    public int WordsMax { get; init; } = int.MaxValue;

    /// <summary>What the words are.</summary>
    public IReadOnlyList<WordKind> Words { get; init; } = [];

    /// <summary>Does it need a session?</summary>
    public bool NeedsSession { get; init; } = true;

    /// <summary>An old spelling that works but is not listed.</summary>
    public bool IsHidden { get; init; }

    /// <summary>The usage line.</summary>
    public string Usage => $"{Name} {Syntax}";
}
