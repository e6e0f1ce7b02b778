using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace SharpKeeper.Cli.Shell;

/// <summary>
/// Cuts a typed line into words by zkCli's rules: blanks separate, a word that starts with a quote runs to the next
/// such quote, there are no escapes, and a quote inside a word is an ordinary character.
/// </summary>
internal static class CommandLine
{
    /// <summary>The words of a line, without their quotes.</summary>
    /// <exception cref="ShellUsageException">A quote is not closed.</exception>
    public static List<string> Split(string line)
    {
        List<string> words = [];
        int at = 0;
        while (SkipBlanks(line, ref at))
        {
            if (!TryReadWord(line, ref at, out string? word))
                throw new ShellUsageException($"The quote at column {at + 1} is not closed: {line[at..]}");
            words.Add(word);
        }
        return words;
    }

    /// <summary>
    /// The words of the part of a line before the cursor for completion; the last is the one being typed, empty after a
    /// blank, and <paramref name="start"/> says where it begins, its opening quote included.
    /// </summary>
    public static List<string> SplitForCompletion(string line, out int start)
    {
        List<string> words = [];
        int at = 0;
        start = line.Length;
        while (SkipBlanks(line, ref at))
        {
            int wordStart = at;
            bool isClosed = TryReadWord(line, ref at, out string? word);
            if (!isClosed || at == line.Length)
            {
                start = wordStart;
                words.Add(word ?? line[(wordStart + 1)..]);
                return words;
            }
            words.Add(word!);
        }
        words.Add("");
        return words;
    }

    /// <summary>Quotes a word where the rules above need it; null if no quoting can express it.</summary>
    public static string? Quote(string word)
    {
        if (word.Length > 0 && word[0] is not ('"' or '\'') && !ContainsBlank(word))
            return word;
        if (!word.Contains('"', StringComparison.Ordinal))
            return $"\"{word}\"";
        return word.Contains('\'', StringComparison.Ordinal) ? null : $"'{word}'";
    }

    /// <summary>Joins words to a line that <see cref="Split"/> cuts into the same words, if that can be.</summary>
    public static string Join(IEnumerable<string> words)
    {
        StringBuilder line = new();
        foreach (string word in words)
        {
            if (line.Length > 0)
                line.Append(' ');
            line.Append(Quote(word) ?? word);
        }
        return line.ToString();
    }

    private static bool TryReadWord(string line, ref int at, [NotNullWhen(true)] out string? word)
    {
        char first = line[at];
        if (first is '"' or '\'')
        {
            int end = line.IndexOf(first, at + 1);
            word = end < 0 ? null : line[(at + 1)..end];
            if (end >= 0)
                at = end + 1;
            return end >= 0;
        }
        int start = at;
        while (at < line.Length && !IsBlank(line[at]))
            at++;
        word = line[start..at];
        return true;
    }

    private static bool SkipBlanks(string line, ref int at)
    {
        while (at < line.Length && IsBlank(line[at]))
            at++;
        return at < line.Length;
    }

    private static bool ContainsBlank(string word)
    {
        foreach (char c in word)
        {
            if (IsBlank(c))
                return true;
        }
        return false;
    }

    private static bool IsBlank(char c) => c is ' ' or (>= '\t' and <= '\r');
}
