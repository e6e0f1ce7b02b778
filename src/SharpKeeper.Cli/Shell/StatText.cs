using System.Globalization;
using SharpKeeper.Protocol;

namespace SharpKeeper.Cli.Shell;

/// <summary>The eleven lines of a stat.</summary>
internal static class StatText
{
    /// <summary>Names and values in the order of the lines.</summary>
    public static (string Name, string Value)[] Lines(in Stat stat, TimeZoneInfo zone) =>
    [
        ("cZxid", Hex(stat.Czxid)),
        ("ctime", JavaDate.Format(stat.Ctime, zone)),
        ("mZxid", Hex(stat.Mzxid)),
        ("mtime", JavaDate.Format(stat.Mtime, zone)),
        ("pZxid", Hex(stat.Pzxid)),
        ("cversion", Number(stat.Cversion)),
        ("dataVersion", Number(stat.Version)),
        ("aclVersion", Number(stat.Aversion)),
        ("ephemeralOwner", Hex(stat.EphemeralOwner)),
        ("dataLength", Number(stat.DataLength)),
        ("numChildren", Number(stat.NumChildren)),
    ];

    /// <summary>0x and lower-case digits.</summary>
    public static string Hex(long value) => "0x" + value.ToString("x", CultureInfo.InvariantCulture);

    private static string Number(int value) => value.ToString(CultureInfo.InvariantCulture);
}
