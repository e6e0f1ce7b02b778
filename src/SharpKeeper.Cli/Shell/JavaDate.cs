using System.Globalization;

namespace SharpKeeper.Cli.Shell;

/// <summary>Dates as Java's Date.toString prints them: users of ZooKeeper's tools read and parse these.</summary>
internal static class JavaDate
{
    /// <summary>For example <c>Sun Nov 22 18:52:26 UTC 2026</c>.</summary>
    /// <param name="milliseconds">Since 1970, UTC.</param>
    /// <param name="zone">The zone to print in.</param>
    public static string Format(long milliseconds, TimeZoneInfo zone)
    {
        // A server may send any 64 bits; a time that no calendar holds is printed as the number it is.
        if (milliseconds is < -62_135_596_800_000 + Day or > 253_402_300_799_999 - Day)
            return milliseconds.ToString(CultureInfo.InvariantCulture) + " ms";
        var time = DateTimeOffset.FromUnixTimeMilliseconds(milliseconds);
        DateTimeOffset local = TimeZoneInfo.ConvertTime(time, zone);
        return string.Create(CultureInfo.InvariantCulture,
            $"{local:ddd MMM dd HH:mm:ss} {ZoneName(zone, local)} {local:yyyy}");
    }

    private const long Day = 86_400_000;

    // With invariant globalization the names are the short ones of tzdata. Windows has long ones: there the offset says
    // as much.
    private static string ZoneName(TimeZoneInfo zone, DateTimeOffset local)
    {
        if (zone.BaseUtcOffset == TimeSpan.Zero && !zone.SupportsDaylightSavingTime)
            return zone.Id is "GMT" or "Etc/GMT" ? "GMT" : "UTC";
        string name = zone.IsDaylightSavingTime(local) ? zone.DaylightName : zone.StandardName;
        if (name.Length is > 0 and <= 5 && char.IsAsciiLetter(name[0]))
            return name;
        char sign = local.Offset < TimeSpan.Zero ? '-' : '+';
        return string.Create(CultureInfo.InvariantCulture, $"GMT{sign}{local.Offset.Duration():hh\\:mm}");
    }
}
