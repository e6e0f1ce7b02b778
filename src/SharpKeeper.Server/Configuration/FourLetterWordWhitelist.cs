using System.Collections.Frozen;

namespace SharpKeeper.Server.Configuration;

/// <summary>Which four-letter words a server answers: those listed and always <c>srvr</c>.</summary>
public sealed class FourLetterWordWhitelist
{
    private const string AlwaysAllowed = "srvr";
    private readonly FrozenSet<string>? _words;

    private FourLetterWordWhitelist(FrozenSet<string>? words, string text)
    {
        _words = words;
        Text = text;
    }

    /// <summary>Apache's default: <c>srvr</c> alone.</summary>
    public static FourLetterWordWhitelist Default { get; } = Parse("srvr");

    /// <summary>Every word.</summary>
    public static FourLetterWordWhitelist All { get; } = Parse("*");

    /// <summary>The list as it was written.</summary>
    public string Text { get; }

    /// <summary>Reads a comma list as Apache does: blanks are ignored and a <c>*</c> stands for every word.</summary>
    public static FourLetterWordWhitelist Parse(string list)
    {
        string[] words = list.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        return Array.IndexOf(words, "*") >= 0
            ? new FourLetterWordWhitelist(null, list)
            : new FourLetterWordWhitelist(words.Append(AlwaysAllowed).ToFrozenSet(StringComparer.Ordinal), list);
    }

    /// <summary>This list and one word more.</summary>
    public FourLetterWordWhitelist With(string word) =>
        Allows(word) ? this : Parse(Text.Length == 0 ? word : $"{Text},{word}");

    /// <summary>Whether <paramref name="word"/> is answered.</summary>
    public bool Allows(string word) => _words is null || _words.Contains(word);

    /// <summary>The listed words in alphabetical order; empty when every word is allowed.</summary>
    internal IReadOnlyList<string> Words => _words is null ? [] : [.. _words.Order(StringComparer.Ordinal)];

    /// <inheritdoc/>
    public override string ToString() => Text;
}
