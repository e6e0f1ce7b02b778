using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace SharpKeeper.Server.Admin;

/// <summary>Numbers, dates and addresses in the form Java prints them, which tools parse.</summary>
internal static class JavaText
{
    /// <summary>As <c>Double.toString</c>: always a fraction, and an exponent below 0.001 and from 10,000,000.</summary>
    internal static string Of(double value)
    {
        double size = Math.Abs(value);
        if (value == 0 || (size >= 1e-3 && size < 1e7))
        {
            string plain = value.ToString("0.0################", CultureInfo.InvariantCulture);
            return plain;
        }
        string scientific = value.ToString("0.0################E0", CultureInfo.InvariantCulture);
        return scientific;
    }

    /// <summary>As <c>Date.toString</c> in the given zone: <c>Sun Nov 22 17:23:46 UTC 2026</c>.</summary>
    internal static string Of(DateTimeOffset time, TimeZoneInfo zone)
    {
        DateTimeOffset local = TimeZoneInfo.ConvertTime(time, zone);
        string name = ZoneName(local, zone);
        return string.Create(CultureInfo.InvariantCulture, $"{local:ddd MMM dd HH:mm:ss} {name} {local:yyyy}");
    }

    /// <summary>As <c>InetSocketAddress.toString</c> of an address without a host name: <c>/127.0.0.1:2181</c>.</summary>
    internal static string Of(EndPoint endPoint) => endPoint is IPEndPoint ip
        ? string.Create(CultureInfo.InvariantCulture, $"/{Of(ip.Address)}:{ip.Port}")
        : endPoint.ToString() ?? "";

    private static string Of(IPAddress address)
    {
        if (address.IsIPv4MappedToIPv6)
            address = address.MapToIPv4();
        if (address.AddressFamily != AddressFamily.InterNetworkV6)
            return address.ToString();
        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out _);
        StringBuilder text = new("[", 48);
        for (int i = 0; i < bytes.Length; i += 2)
        {
            int group = (bytes[i] << 8) | bytes[i + 1];
            text.Append(i == 0 ? "" : ":").Append(group.ToString("x", CultureInfo.InvariantCulture));
        }
        if (address.ScopeId != 0)
            text.Append('%').Append(address.ScopeId);
        return text.Append(']').ToString();
    }

    /// <summary>The abbreviation where the system knows one, else the offset, as Java does for unnamed zones.</summary>
    private static string ZoneName(DateTimeOffset local, TimeZoneInfo zone)
    {
        string name = zone.IsDaylightSavingTime(local) ? zone.DaylightName : zone.StandardName;
        if (name == "Coordinated Universal Time")
            return "UTC";
        if (name.Length is >= 3 and <= 5 && name.All(char.IsAsciiLetterUpper))
            return name;
        TimeSpan offset = local.Offset;
        string sign = offset < TimeSpan.Zero ? "-" : "+";
        return $"GMT{sign}{offset:hh\\:mm}";
    }
}
