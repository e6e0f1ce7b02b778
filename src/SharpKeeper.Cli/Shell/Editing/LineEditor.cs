using System.Globalization;
using System.Text;
using System.Threading.Channels;

namespace SharpKeeper.Cli.Shell.Editing;

/// <summary>
/// Edits one line on a terminal: cursor keys, history, completion, and text that others print meanwhile goes above the
/// line, which stays as it was typed. Keys come from a channel, so that reading them never blocks the editor.
/// </summary>
internal sealed partial class LineEditor(
    ITerminal terminal, ChannelReader<ConsoleKeyInfo> keys, LineHistory history, ICompleter completer)
{
    private readonly Lock gate = new();
    private readonly StringBuilder buffer = new();
    private string prompt = "";
    private int cursor;
    private int cursorRow;
    private bool isActive;
    private string killed = "";
    private bool isMeta;
    private int historyIndex;
    private string draft = "";

    /// <summary>Reads a line.</summary>
    /// <returns>The line; or null at the end of input (Ctrl-D or Ctrl-C in an empty line).</returns>
    public async Task<string?> ReadAsync(string linePrompt, CancellationToken cancellation = default)
    {
        Begin(linePrompt);
        try
        {
            while (await keys.WaitToReadAsync(cancellation).ConfigureAwait(false))
            {
                while (keys.TryRead(out ConsoleKeyInfo key))
                {
                    if (key.KeyChar == '\t')
                        await CompleteAsync(cancellation).ConfigureAwait(false);
                    else if (Handle(key) is { } outcome)
                        return outcome.Line;
                }
            }
            End("");
            return null;
        }
        finally
        {
            lock (gate)
                isActive = false;
        }
    }

    /// <summary>Prints text above the line being edited, or where the cursor is if there is none.</summary>
    public void Print(string text)
    {
        if (text.Length == 0)
            return;
        lock (gate)
        {
            if (!isActive)
            {
                terminal.Write(text);
                return;
            }
            terminal.Write(Erase() + text + (text.EndsWith('\n') ? "" : "\r\n") + Draw());
        }
    }

    /// <summary>Replaces the prompt of the line that is being edited, if one is.</summary>
    public void ChangePrompt(string linePrompt)
    {
        lock (gate)
        {
            if (!isActive || prompt == linePrompt)
                return;
            string erased = Erase();
            prompt = linePrompt;
            terminal.Write(erased + Draw());
        }
    }

    private void Begin(string linePrompt)
    {
        lock (gate)
        {
            prompt = linePrompt;
            buffer.Clear();
            cursor = 0;
            cursorRow = 0;
            historyIndex = history.Lines.Count;
            draft = "";
            isActive = true;
            terminal.Write(Draw());
        }
    }

    private void End(string mark)
    {
        lock (gate)
        {
            cursor = buffer.Length;
            terminal.Write(Erase() + Draw() + mark + "\r\n");
            isActive = false;
        }
    }

    // A line that was ended; a struct because "ended without a line" and "not ended" are different.
    private readonly record struct Outcome(string? Line);

    private Outcome? Handle(ConsoleKeyInfo key)
    {
        // Escape and a letter is how most terminals send Alt and the letter.
        bool isAfterEscape = isMeta;
        isMeta = key.KeyChar == '\u001b';
        switch (EditorKeys.ActionOf(key, isAfterEscape))
        {
            case EditorAction.Submit:
                End("");
                return new Outcome(buffer.ToString());
            case EditorAction.Interrupt:
                return Interrupt();
            case EditorAction.DeleteOrEnd when buffer.Length == 0:
                End("");
                return new Outcome(null);
            case var action:
                lock (gate)
                {
                    Edit(action, key.KeyChar);
                    terminal.Write(Erase() + Draw());
                }
                return null;
        }
    }

    private Outcome Interrupt()
    {
        bool isEmpty = buffer.Length == 0;
        End("^C");
        return new Outcome(isEmpty ? null : "");
    }

    private void Edit(EditorAction action, char character)
    {
        string text = buffer.ToString();
        switch (action)
        {
            case EditorAction.Insert:
                buffer.Insert(cursor++, character);
                break;
            case EditorAction.Left:
                cursor = TextLayout.Previous(text, cursor);
                break;
            case EditorAction.Right:
                cursor = TextLayout.Next(text, cursor);
                break;
            case EditorAction.WordLeft:
                cursor = TextLayout.PreviousWord(text, cursor);
                break;
            case EditorAction.WordRight:
                cursor = TextLayout.NextWord(text, cursor);
                break;
            case EditorAction.Home:
                cursor = 0;
                break;
            case EditorAction.End:
                cursor = text.Length;
                break;
            case EditorAction.Backspace:
                Remove(TextLayout.Previous(text, cursor), cursor);
                break;
            case EditorAction.DeleteOrEnd or EditorAction.Delete:
                Remove(cursor, TextLayout.Next(text, cursor));
                break;
            case EditorAction.KillToEnd:
                Kill(cursor, text.Length);
                break;
            case EditorAction.KillToStart:
                Kill(0, cursor);
                break;
            case EditorAction.KillWord:
                Kill(TextLayout.PreviousBlank(text, cursor), cursor);
                break;
            case EditorAction.Yank:
                Insert(killed);
                break;
            case EditorAction.Older:
                ShowHistory(historyIndex - 1);
                break;
            case EditorAction.Newer:
                ShowHistory(historyIndex + 1);
                break;
            case EditorAction.ClearScreen:
                terminal.Write("\u001b[H\u001b[2J");
                cursorRow = 0;
                break;
        }
    }

    private void Insert(string text)
    {
        buffer.Insert(cursor, text);
        cursor += text.Length;
    }

    private void Remove(int start, int end)
    {
        buffer.Remove(start, end - start);
        cursor = start;
    }

    private void Kill(int start, int end)
    {
        if (start == end)
            return;
        killed = buffer.ToString(start, end - start);
        Remove(start, end);
    }

    private void ShowHistory(int index)
    {
        if (index < 0 || index > history.Lines.Count)
            return;
        if (historyIndex == history.Lines.Count)
            draft = buffer.ToString();
        historyIndex = index;
        buffer.Clear().Append(index == history.Lines.Count ? draft : history.Lines[index]);
        cursor = buffer.Length;
    }

    // Takes the line off the screen; the cursor stays where the prompt begins.
    private string Erase()
    {
        string up = cursorRow > 0 ? string.Create(CultureInfo.InvariantCulture, $"\u001b[{cursorRow}A") : "";
        cursorRow = 0;
        return up + "\r\u001b[J";
    }

    private string Draw()
    {
        int columns = Math.Max(terminal.Columns, 1);
        string text = buffer.ToString();
        StringBuilder drawn = new(prompt.Length + text.Length + 16);
        drawn.Append(prompt).Append(text);
        (int Row, int Column) promptEnd = TextLayout.Advance(prompt, columns);
        (int Row, int Column) end = TextLayout.Advance(text, columns, promptEnd);
        (int Row, int Column) place = TextLayout.Advance(text.AsSpan(0, cursor), columns, promptEnd);
        // Terminals stay in the last column until another character comes; the line break makes them move on.
        if (end.Column == 0 && end.Row > 0)
            drawn.Append("\r\n");
        if (end.Row > place.Row)
            drawn.Append(CultureInfo.InvariantCulture, $"\u001b[{end.Row - place.Row}A");
        if (end != place)
        {
            drawn.Append('\r');
            if (place.Column > 0)
                drawn.Append(CultureInfo.InvariantCulture, $"\u001b[{place.Column}C");
        }
        cursorRow = place.Row;
        return drawn.ToString();
    }
}
