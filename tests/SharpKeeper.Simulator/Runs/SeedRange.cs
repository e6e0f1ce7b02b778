using System.Globalization;

namespace SharpKeeper.Simulation;

/// <summary>Seeds as they are written: <c>17</c> or <c>1..1000</c>.</summary>
internal static class SeedRange
{
    /// <summary>Reads a range; false if it is none.</summary>
    public static bool TryParse(string text, out ulong first, out ulong last)
    {
        int dots = text.IndexOf("..", StringComparison.Ordinal);
        string from = dots < 0 ? text : text[..dots];
        string to = dots < 0 ? text : text[(dots + 2)..];
        last = 0;
        return ulong.TryParse(from, NumberStyles.None, CultureInfo.InvariantCulture, out first)
            && ulong.TryParse(to, NumberStyles.None, CultureInfo.InvariantCulture, out last) && first <= last;
    }
}
