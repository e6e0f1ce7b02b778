using System.Globalization;
using System.Text;

namespace SharpKeeper.Cli.Shell;

/// <summary>Bytes as a table: offset, sixteen bytes in hexadecimal, their printable characters.</summary>
internal static class HexDump
{
    private const int BytesPerLine = 16;
    private const string Rule = "+--------+-------------------------------------------------+----------------+";

    /// <summary>The table, each line ended.</summary>
    public static string Format(ReadOnlySpan<byte> data)
    {
        StringBuilder table = new();
        table.Append("         +-------------------------------------------------+\n");
        table.Append("         |  0  1  2  3  4  5  6  7  8  9  a  b  c  d  e  f |\n");
        table.Append(Rule).Append('\n');
        for (int at = 0; at < data.Length; at += BytesPerLine)
            AppendLine(table, at, data[at..Math.Min(at + BytesPerLine, data.Length)]);
        return table.Append(Rule).Append('\n').ToString();
    }

    private static void AppendLine(StringBuilder table, int offset, ReadOnlySpan<byte> bytes)
    {
        table.Append(CultureInfo.InvariantCulture, $"|{offset:x8}| ");
        for (int i = 0; i < BytesPerLine; i++)
        {
            if (i < bytes.Length)
                table.Append(CultureInfo.InvariantCulture, $"{bytes[i]:x2} ");
            else
                table.Append("   ");
        }
        table.Append('|');
        for (int i = 0; i < BytesPerLine; i++)
            table.Append(i >= bytes.Length ? ' ' : bytes[i] is >= 0x20 and < 0x7f ? (char)bytes[i] : '.');
        table.Append("|\n");
    }
}
