using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace SharpKeeper.Server.Configuration;

/// <summary>A value that its key does not allow; the message says what is allowed.</summary>
internal sealed class SettingException(string allowed) : Exception(allowed);

/// <summary>The text of one setting, and the ways to read it. Each throws with what is allowed.</summary>
internal sealed class SettingValue(string key, string text)
{
    private readonly List<string> _warnings = [];

    /// <summary>The key as the operator wrote it, without the prefix <c>zookeeper.</c>.</summary>
    internal string Key { get; } = key;

    /// <summary>The value without blanks around it.</summary>
    internal string Text { get; } = text.Trim();

    /// <summary>What reading the value gave reason to warn of.</summary>
    internal IReadOnlyList<string> Warnings => _warnings;

    internal void Warn(string text) => _warnings.Add(text);

    internal bool Boolean()
    {
        if (Text.Equals("true", StringComparison.OrdinalIgnoreCase))
            return true;
        if (Text.Equals("false", StringComparison.OrdinalIgnoreCase))
            return false;
        throw new SettingException("true or false");
    }

    internal bool YesNo()
    {
        if (Text.Equals("yes", StringComparison.OrdinalIgnoreCase))
            return true;
        if (Text.Equals("no", StringComparison.OrdinalIgnoreCase))
            return false;
        throw new SettingException("yes or no");
    }

    internal int Int(int min = int.MinValue, int max = int.MaxValue) => (int)Long(min, max);

    internal long Long(long min = long.MinValue, long max = long.MaxValue)
    {
        if (TryParseNumber(out long value) && value >= min && value <= max)
            return value;
        throw new SettingException(DescribeRange(min, max));
    }

    /// <summary>Decimal, or hexadecimal with 0x as Java's system properties allow.</summary>
    private bool TryParseNumber(out long value) =>
        Text.StartsWith("0x", StringComparison.OrdinalIgnoreCase)
            ? long.TryParse(Text.AsSpan(2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out value)
            : long.TryParse(Text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out value);

    internal double Fraction()
    {
        if (double.TryParse(Text, NumberStyles.Float, CultureInfo.InvariantCulture, out double value)
            && value is >= 0 and <= 1)
            return value;
        throw new SettingException("a number from 0 to 1");
    }

    internal double Number() =>
        double.TryParse(Text, NumberStyles.Float, CultureInfo.InvariantCulture, out double value)
            && double.IsFinite(value)
            ? value : throw new SettingException("a number");

    internal int Port() => Int(0, 65535);

    internal TimeSpan Milliseconds(int min = 0) => TimeSpan.FromMilliseconds(Int(min));

    /// <summary>Kibibytes as bytes; zero and less mean "no limit" and become 0.</summary>
    internal long KibibytesOrNone() => Math.Max(0, Long(max: long.MaxValue >> 10)) << 10;

    /// <summary>A number of hours, or a number with one of the units ms, s, m, h, d.</summary>
    internal TimeSpan HoursOrUnits()
    {
        // Apache takes any negative number for "off".
        if (Text.StartsWith('-') && TryParseNumber(out _))
            return TimeSpan.Zero;
        int digits = Text.AsSpan().IndexOfAnyExceptInRange('0', '9');
        string unit = digits < 0 ? "h" : Text[digits..].Trim();
        string number = digits < 0 ? Text : Text[..digits];
        TimeSpan? step = unit switch
        {
            "ms" => TimeSpan.FromMilliseconds(1),
            "s" => TimeSpan.FromSeconds(1),
            "m" => TimeSpan.FromMinutes(1),
            "h" => TimeSpan.FromHours(1),
            "d" => TimeSpan.FromDays(1),
            _ => null,
        };
        if (step is TimeSpan length && int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out int n)
            && n <= TimeSpan.FromDays(36_500) / length)
            return n * length;
        throw new SettingException("a number of hours, or a number with ms, s, m, h or d; 0 turns it off");
    }

    internal string NonEmpty(string what) => Text.Length > 0 ? Text : throw new SettingException(what);

    internal T OneOf<T>(params ReadOnlySpan<(string Name, T Value)> choices)
    {
        foreach ((string name, T value) in choices)
        {
            if (Text.Equals(name, StringComparison.OrdinalIgnoreCase))
                return value;
        }
        List<string> names = [];
        foreach ((string name, _) in choices)
        {
            if (name.Length > 0)
                names.Add(name);
        }
        throw new SettingException("one of " + string.Join(", ", names));
    }

    /// <summary>An address, or a host name that resolves; null for all interfaces.</summary>
    internal IPAddress? Address()
    {
        if (IPAddress.TryParse(Text.Trim('[', ']'), out IPAddress? literal))
            return literal.Equals(IPAddress.Any) || literal.Equals(IPAddress.IPv6Any) ? null : literal;
        if (Text.Length > 0 && Uri.CheckHostName(Text) == UriHostNameType.Dns)
        {
            try
            {
                IPAddress[] found = Dns.GetHostAddresses(Text);
                if (found.Length > 0)
                    return Array.Find(found, a => a.AddressFamily == AddressFamily.InterNetwork) ?? found[0];
            }
            catch (SocketException)
            {
                throw new SettingException("an IP address, or a host name that can be resolved on this machine");
            }
        }
        throw new SettingException("an IP address or a host name");
    }

    private static string DescribeRange(long min, long max)
    {
        bool hasMin = min > int.MinValue;
        bool hasMax = max < int.MaxValue;
        return (hasMin, hasMax) switch
        {
            (true, true) => string.Create(CultureInfo.InvariantCulture, $"a whole number from {min} to {max}"),
            (true, false) => string.Create(CultureInfo.InvariantCulture, $"a whole number, {min} or more"),
            (false, true) => string.Create(CultureInfo.InvariantCulture, $"a whole number, at most {max}"),
            _ => "a whole number",
        };
    }
}
