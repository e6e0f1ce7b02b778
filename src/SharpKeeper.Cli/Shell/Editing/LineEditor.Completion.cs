using System.Globalization;
using System.Text;

namespace SharpKeeper.Cli.Shell.Editing;

internal sealed partial class LineEditor
{
    private const int ListedMax = 200;

    // The keys typed meanwhile wait their turn, for they were typed behind the tab; only Ctrl-C gives the wait up.
    private async Task CompleteAsync(CancellationToken cancellation)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        string before = buffer.ToString(0, cursor);
        Task<Completion> search = completer.CompleteAsync(before, stop.Token);
        while (!search.IsCompleted)
        {
            Task<bool> key = keys.WaitToReadAsync(stop.Token).AsTask();
            await Task.WhenAny(search, key).ConfigureAwait(false);
            if (search.IsCompleted)
                break;
            if (!keys.TryPeek(out ConsoleKeyInfo next) || EditorKeys.ActionOf(next) == EditorAction.Interrupt)
                await stop.CancelAsync().ConfigureAwait(false);
            await Task.WhenAny(search).ConfigureAwait(false);
        }
        if (search.IsCompletedSuccessfully)
            Apply(await search.ConfigureAwait(false), before);
        await stop.CancelAsync().ConfigureAwait(false);
    }

    private void Apply(Completion completion, string before)
    {
        IReadOnlyList<Candidate> candidates = completion.Candidates;
        if (candidates.Count == 0)
            return;
        string word = before[completion.Start..];
        string common = CommonPrefix(candidates);
        if (candidates is [{ IsWhole: true }])
            common += " ";
        lock (gate)
        {
            string list = "";
            if (common.Length > word.Length || candidates.Count == 1)
            {
                Remove(completion.Start, cursor);
                Insert(common);
            }
            else
            {
                list = FormatList(candidates);
            }
            terminal.Write(list.Length == 0 ? Erase() + Draw() : Leave() + list + Draw());
        }
    }

    // Leaves the line on the screen as it is and goes on below it.
    private string Leave()
    {
        int place = cursor;
        cursor = buffer.Length;
        string line = Erase() + Draw() + "\r\n";
        cursor = place;
        cursorRow = 0;
        return line;
    }

    private string FormatList(IReadOnlyList<Candidate> candidates)
    {
        int shown = Math.Min(candidates.Count, ListedMax);
        int width = 2;
        for (int i = 0; i < shown; i++)
            width = Math.Max(width, TextLayout.Width(candidates[i].Label) + 2);
        int perRow = Math.Max(1, terminal.Columns / width);
        int rows = (shown + perRow - 1) / perRow;
        StringBuilder list = new();
        for (int row = 0; row < rows; row++)
        {
            for (int i = row; i < shown; i += rows)
            {
                string label = candidates[i].Label;
                bool isLast = i + rows >= shown;
                list.Append(label).Append(' ', isLast ? 0 : width - TextLayout.Width(label));
            }
            list.Append("\r\n");
        }
        if (shown < candidates.Count)
            list.Append(CultureInfo.InvariantCulture, $"... and {candidates.Count - shown} more\r\n");
        return list.ToString();
    }

    private static string CommonPrefix(IReadOnlyList<Candidate> candidates)
    {
        string prefix = candidates[0].Text;
        foreach (Candidate candidate in candidates)
            prefix = prefix[..prefix.AsSpan().CommonPrefixLength(candidate.Text)];
        return prefix;
    }
}
