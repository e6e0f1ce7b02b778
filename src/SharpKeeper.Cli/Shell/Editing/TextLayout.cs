using System.Globalization;
using System.Text;

namespace SharpKeeper.Cli.Shell.Editing;

/// <summary>Where text lands on a terminal whose lines wrap.</summary>
internal static class TextLayout
{
    /// <summary>
    /// Row and column behind the text when it is written from a place. A full last
    /// column counts as the start of the next row.
    /// </summary>
    public static (int Row, int Column) Advance(
        ReadOnlySpan<char> text, int columns, (int Row, int Column) from = default)
    {
        (int row, int column) = from;
        foreach (Rune rune in text.EnumerateRunes())
        {
            int width = Width(rune);
            if (column + width > columns)
            {
                row++;
                column = 0;
            }
            column += width;
            if (column >= columns)
            {
                row++;
                column = 0;
            }
        }
        return (row, column);
    }

    /// <summary>Columns that the text takes where nothing wraps.</summary>
    public static int Width(ReadOnlySpan<char> text)
    {
        int width = 0;
        foreach (Rune rune in text.EnumerateRunes())
            width += Width(rune);
        return width;
    }

    /// <summary>Start of the text element before a position.</summary>
    public static int Previous(string text, int position)
    {
        int at = 0;
        while (at < position)
        {
            int next = at + StringInfo.GetNextTextElementLength(text, at);
            if (next >= position)
                return at;
            at = next;
        }
        return 0;
    }

    /// <summary>End of the text element at a position.</summary>
    public static int Next(string text, int position) => position >= text.Length
        ? text.Length
        : position + StringInfo.GetNextTextElementLength(text, position);

    /// <summary>Start of the word before a position; words are divided by blanks and slashes.</summary>
    public static int PreviousWord(string text, int position)
    {
        while (position > 0 && IsDivider(text[position - 1]))
            position--;
        while (position > 0 && !IsDivider(text[position - 1]))
            position--;
        return position;
    }

    /// <summary>Start of the word before a position; only blanks divide words.</summary>
    public static int PreviousBlank(string text, int position)
    {
        while (position > 0 && text[position - 1] == ' ')
            position--;
        while (position > 0 && text[position - 1] != ' ')
            position--;
        return position;
    }

    /// <summary>End of the word behind a position.</summary>
    public static int NextWord(string text, int position)
    {
        while (position < text.Length && IsDivider(text[position]))
            position++;
        while (position < text.Length && !IsDivider(text[position]))
            position++;
        return position;
    }

    private static bool IsDivider(char c) => c is ' ' or '/';

    private static int Width(Rune rune)
    {
        UnicodeCategory category = Rune.GetUnicodeCategory(rune);
        if (category is UnicodeCategory.NonSpacingMark or UnicodeCategory.EnclosingMark or UnicodeCategory.Format)
            return 0;
        return IsWide(rune.Value) ? 2 : 1;
    }

    // The blocks that terminals draw two columns wide: East Asian scripts and pictographs.
    private static bool IsWide(int c) =>
        c is (>= 0x1100 and <= 0x115f) or (>= 0x2e80 and <= 0x303e) or (>= 0x3041 and <= 0x33ff)
            or (>= 0x3400 and <= 0x4dbf) or (>= 0x4e00 and <= 0x9fff) or (>= 0xa000 and <= 0xa4cf)
            or (>= 0xac00 and <= 0xd7a3) or (>= 0xf900 and <= 0xfaff) or (>= 0xfe30 and <= 0xfe6f)
            or (>= 0xff00 and <= 0xff60) or (>= 0xffe0 and <= 0xffe6) or (>= 0x1f300 and <= 0x1faff)
            or (>= 0x20000 and <= 0x3fffd);
}
