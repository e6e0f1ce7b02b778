using System.Globalization;
using System.Text;
using SharpKeeper.Cli.Shell.Editing;

namespace SharpKeeper.ShellTests;

/// <summary>
/// A terminal that remembers what is on it: printable characters, line ends and the few ANSI sequences that the line
/// editor uses. It delays wrapping after the last column, as real terminals do.
/// </summary>
internal sealed class ScreenModel(int columns) : ITerminal
{
    private readonly List<StringBuilder> rows = [new()];
    private int row;
    private int column;

    public int Columns { get; set; } = columns;

    /// <summary>The rows up to the last that holds something, without blanks at their ends.</summary>
    public string[] Rows
    {
        get
        {
            List<string> text = [.. rows.Select(line => line.ToString().TrimEnd())];
            while (text.Count > 0 && text[^1].Length == 0)
                text.RemoveAt(text.Count - 1);
            return [.. text];
        }
    }

    /// <summary>Where the cursor is, counted from 0.</summary>
    public (int Row, int Column) Cursor => (row, column);

    public void Write(string text)
    {
        for (int i = 0; i < text.Length; i++)
        {
            switch (text[i])
            {
                case '\r':
                    column = 0;
                    break;
                case '\n':
                    MoveTo(row + 1);
                    break;
                case '\u001b':
                    i = Escape(text, i + 2);
                    break;
                default:
                    Put(text[i]);
                    break;
            }
        }
    }

    private int Escape(string text, int start)
    {
        int end = start;
        while (char.IsAsciiDigit(text[end]))
            end++;
        int count = end == start ? 1 : int.Parse(text.AsSpan(start, end - start), CultureInfo.InvariantCulture);
        switch (text[end])
        {
            case 'A':
                row = Math.Max(0, row - count);
                break;
            case 'C':
                column = Math.Min(Columns - 1, column + count);
                break;
            case 'H':
                row = 0;
                column = 0;
                break;
            case 'J':
                Clear(wholeScreen: end > start && count == 2);
                break;
            default:
                throw new InvalidOperationException($"The screen does not know ESC[{text[start..(end + 1)]}.");
        }
        return end;
    }

    private void Clear(bool wholeScreen)
    {
        int from = wholeScreen ? 0 : row;
        for (int i = wholeScreen ? 0 : row + 1; i < rows.Count; i++)
            rows[i].Clear();
        if (!wholeScreen && rows[from].Length > column)
            rows[from].Length = column;
    }

    private void Put(char c)
    {
        if (column == Columns)
        {
            MoveTo(row + 1);
            column = 0;
        }
        StringBuilder line = rows[row];
        while (line.Length <= column)
            line.Append(' ');
        line[column++] = c;
    }

    private void MoveTo(int target)
    {
        row = target;
        while (rows.Count <= row)
            rows.Add(new StringBuilder());
    }
}
