using SharpKeeper.Cli.Shell.Editing;
using SharpKeeper.Protocol;

namespace SharpKeeper.Cli.Shell;

/// <summary>Reads the names of a znode's children for completion; throws what the client throws.</summary>
internal delegate Task<IReadOnlyList<string>> ChildNames(string path, CancellationToken cancellation);

/// <summary>Completes commands, their options, and paths from the live tree.</summary>
internal sealed class ShellCompleter(ChildNames childNames) : ICompleter
{
    // A server that does not answer must not hold up the typist.
    private static readonly TimeSpan SearchMax = TimeSpan.FromSeconds(2);

    /// <inheritdoc/>
    public async Task<Completion> CompleteAsync(string textBeforeCursor, CancellationToken cancellation)
    {
        List<string> words = CommandLine.SplitForCompletion(textBeforeCursor, out int start);
        string word = words[^1];
        if (words.Count == 1)
            return new Completion(start, MatchVerbs(word));
        if (ShellVerbs.Find(words[0]) is not { } verb)
            return Completion.None;
        if (word.StartsWith('-'))
            return new Completion(start, MatchOptions(verb, word));
        return KindOf(verb, words) switch
        {
            WordKind.Verb => new Completion(start, MatchVerbs(word)),
            WordKind.Switch => new Completion(start, Match(["on", "off"], word)),
            WordKind.Path => new Completion(start, await MatchPathsAsync(
                word, OpenQuote(textBeforeCursor, start), cancellation).ConfigureAwait(false)),
            _ when words[^2] == "-m" => new Completion(start, Match(WatchModes, word)),
            _ => Completion.None,
        };
    }

    private static readonly string[] WatchModes = ["PERSISTENT", "PERSISTENT_RECURSIVE"];

    private static WordKind KindOf(ShellVerb verb, List<string> words)
    {
        int position = 0;
        for (int i = 1; i < words.Count - 1; i++)
        {
            if (!words[i].StartsWith('-'))
                position++;
            else if (TakesValue(verb, words[i]) && ++i == words.Count - 1)
                return WordKind.Text;
        }
        return position < verb.Words.Count ? verb.Words[position] : WordKind.Text;
    }

    private static bool TakesValue(ShellVerb verb, string option) =>
        verb.Options.Any(spec => spec.TakesValue && "-" + spec.Name == option);

    private static List<Candidate> MatchVerbs(string word) =>
        Match(ShellVerbs.All.Where(verb => !verb.IsHidden).Select(verb => verb.Name), word);

    private static List<Candidate> MatchOptions(ShellVerb verb, string word) =>
        Match(verb.Options.Select(spec => "-" + spec.Name), word);

    private static List<Candidate> Match(IEnumerable<string> all, string word)
    {
        List<Candidate> matches = [];
        foreach (string text in all)
        {
            if (text.StartsWith(word, StringComparison.Ordinal))
                matches.Add(new Candidate(text, text, IsWhole: true));
        }
        return matches;
    }

    private static char? OpenQuote(string text, int start) =>
        start < text.Length && text[start] is '"' or '\'' ? text[start] : null;

    private async Task<List<Candidate>> MatchPathsAsync(string word, char? quote, CancellationToken cancellation)
    {
        if (word.Length == 0)
            return [Present("/", "/", quote, isWhole: false)];
        int slash = word.LastIndexOf('/');
        if (slash < 0)
            return [];
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(SearchMax);
        string parent = slash == 0 ? ZnodePath.Root : word[..slash];
        List<Candidate> matches = [];
        foreach (string name in await ReadNamesAsync(parent, limit.Token).ConfigureAwait(false))
        {
            if (name.AsSpan().StartsWith(word.AsSpan(slash + 1), StringComparison.Ordinal))
                matches.Add(Present(ShellPath.Child(parent, name), name, quote, isWhole: false));
        }
        if (matches is not [var only] || ShellPath.Child(parent, only.Label) != word)
            return matches;
        // A path that is complete goes on with its children, if it has any.
        string[] below = await ReadNamesAsync(word, limit.Token).ConfigureAwait(false);
        return below.Length > 0
            ? [Present(word + "/", only.Label, quote, isWhole: false)]
            : [Present(word, only.Label, quote, isWhole: true)];
    }

    // A quote that was typed stays, and stays open while the path may go on. A path that no quotes can hold is offered
    // as it is.
    private static Candidate Present(string path, string label, char? quote, bool isWhole)
    {
        string text = quote is { } typed && !path.Contains(typed, StringComparison.Ordinal)
            ? $"{typed}{path}{typed}"
            : CommandLine.Quote(path) ?? path;
        return new Candidate(text != path && !isWhole ? text[..^1] : text, label, isWhole);
    }

    private async Task<string[]> ReadNamesAsync(string path, CancellationToken cancellation)
    {
        IReadOnlyList<string> names = await childNames(path, cancellation).ConfigureAwait(false);
        string[] sorted = [.. names];
        Array.Sort(sorted, string.CompareOrdinal);
        return sorted;
    }
}
