using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Text;

namespace SharpKeeper.Protocol.Quorum;

/// <summary>Hosts and ports as they stand in configurations and handshakes: IPv6 addresses in brackets.</summary>
internal static class HostText
{
    private const int HostCharsMax = 255;

    /// <summary>Appends a host, in brackets where its colons would be taken for separators.</summary>
    public static StringBuilder Append(StringBuilder text, string host) =>
        host.Contains(':', StringComparison.Ordinal) ? text.Append('[').Append(host).Append(']') : text.Append(host);

    /// <summary>Splits <c>host:a:b</c> into host and fields. The host loses its brackets, and an IPv6 address gets the
    /// form that Java gives it, so that texts from either side compare as equal.</summary>
    public static bool TrySplit(string text, out string host, out string[] fields)
    {
        host = "";
        fields = [];
        if (!text.StartsWith('['))
        {
            string[] parts = text.Split(':');
            host = parts[0];
            fields = parts[1..];
            return true;
        }
        int end = text.IndexOf(']', StringComparison.Ordinal);
        if (end < 0)
            return false;
        host = JavaForm(text[1..end]);
        string rest = text[(end + 1)..];
        if (rest.Length == 0)
            return true;
        if (rest[0] != ':')
            return false;
        fields = rest[1..].Split(':');
        return true;
    }

    /// <summary>Letters, digits and what else occurs in names and addresses; nothing that would break a line.</summary>
    public static bool IsHost(string host)
    {
        if (host.Length is 0 or > HostCharsMax)
            return false;
        foreach (char c in host)
        {
            if (!char.IsLetterOrDigit(c) && c is not ('.' or '-' or '_' or ':' or '%'))
                return false;
        }
        return true;
    }

    /// <summary>Reads a port from 0 to 65535, digits only.</summary>
    public static bool TryParsePort(string text, out int port) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out port) && port is >= 0 and <= 65535;

    /// <summary>Is it the address that stands for every address of a machine?</summary>
    public static bool IsWildcard(string host) =>
        IPAddress.TryParse(host, out IPAddress? address) && (address.Equals(IPAddress.Any)
        || address.Equals(IPAddress.IPv6Any));

    /// <summary>Does it mean the machine itself, whichever that is?</summary>
    public static bool IsLoopback(string host) => host.Equals("localhost", StringComparison.OrdinalIgnoreCase)
        || (IPAddress.TryParse(host, out IPAddress? address) && IPAddress.IsLoopback(address));

    private static string JavaForm(string host)
    {
        // A zone is left as it is: it means something on one machine only.
        int zone = host.IndexOf('%', StringComparison.Ordinal);
        string literal = zone < 0 ? host : host[..zone];
        if (!literal.Contains(':', StringComparison.Ordinal) || !IPAddress.TryParse(literal, out IPAddress? address))
            return host;
        if (address.IsIPv4MappedToIPv6)
            return address.MapToIPv4().ToString();
        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out _);
        var text = new StringBuilder();
        for (int i = 0; i < bytes.Length; i += 2)
        {
            text.Append(i == 0 ? "" : ":")
                .Append(CultureInfo.InvariantCulture, $"{BinaryPrimitives.ReadUInt16BigEndian(bytes[i..]):x}");
        }
        return text.Append(host.AsSpan(literal.Length)).ToString();
    }
}
