using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using SharpKeeper.Protocol.Quorum;

namespace SharpKeeper.Protocol.Election;

/// <summary>Where a server exchanges votes.</summary>
/// <param name="Host">A name or an address, without brackets.</param>
/// <param name="Port">The port.</param>
public sealed record ElectionAddress(string Host, int Port);

/// <summary>
/// What the connecting side of an election connection sends first, in one piece; nothing is answered.
/// </summary>
/// <param name="Server">Who connects.</param>
/// <param name="Addresses">Where it can be reached; none if it did not say, or named wildcards only: then what the
/// configuration says holds.</param>
/// <param name="IsMultiAddress">Is it of the second version, which may hold several addresses?</param>
public readonly record struct ElectionHandshake(
    ServerId Server, IReadOnlyList<ElectionAddress> Addresses, bool IsMultiAddress)
{
    /// <summary>Longest text of the addresses, bytes.</summary>
    public const int AddressBytesMax = 2048;

    /// <summary>Longest handshake, bytes.</summary>
    public const int BytesMax = HeadBytes + AddressBytesMax;

    private const long FirstVersion = -65536;
    private const long SecondVersion = -65535;
    private const int HeadBytes = 20;

    /// <summary>An observer without an id says this; it is to be given a negative one.</summary>
    public static ServerId AnonymousObserver => new(long.MaxValue);

    /// <summary>Reads the handshake at the start of <paramref name="bytes"/>, also the form from before 3.5, which is
    /// an id only.</summary>
    /// <param name="bytes">What has been received.</param>
    /// <param name="handshake">The handshake, if complete.</param>
    /// <param name="consumed">Its length in bytes, if complete.</param>
    /// <param name="reason">Why it is corrupt, if it is.</param>
    public static PacketReadResult TryRead(
        ReadOnlySpan<byte> bytes, out ElectionHandshake handshake, out int consumed, out string reason)
    {
        handshake = default;
        consumed = 0;
        reason = "";
        if (bytes.Length < 8)
            return PacketReadResult.Incomplete;
        long first = BinaryPrimitives.ReadInt64BigEndian(bytes);
        if (first >= 0)
        {
            handshake = new ElectionHandshake(new ServerId(first), [], false);
            consumed = 8;
            return PacketReadResult.Complete;
        }
        if (first is not (FirstVersion or SecondVersion))
            return Corrupt($"the handshake has the unknown version {first}", out reason);
        if (bytes.Length < HeadBytes)
            return PacketReadResult.Incomplete;
        long server = BinaryPrimitives.ReadInt64BigEndian(bytes[8..]);
        if (server < 0)
            return Corrupt($"the handshake comes from server {server}; ids are not negative", out reason);
        int length = BinaryPrimitives.ReadInt32BigEndian(bytes[16..]);
        if (length is < 1 or > AddressBytesMax)
        {
            return Corrupt(
                $"the handshake has {length} bytes of addresses; 1 to {AddressBytesMax} are allowed", out reason);
        }
        if (bytes.Length < HeadBytes + length)
            return PacketReadResult.Incomplete;
        if (!TryReadAddresses(bytes.Slice(HeadBytes, length), out List<ElectionAddress> addresses, out reason))
            return PacketReadResult.Corrupt;
        handshake = new ElectionHandshake(new ServerId(server), addresses, first == SecondVersion);
        consumed = HeadBytes + length;
        return PacketReadResult.Complete;
    }

    /// <summary>Appends the handshake: the first address in the first version, all of them in the second.</summary>
    /// <exception cref="InvalidOperationException">There is no address, or they are too long.</exception>
    public void Write(JuteBuffer output)
    {
        if (Addresses is not { Count: > 0 })
            throw new InvalidOperationException("A handshake needs the address of its sender.");
        var text = new StringBuilder();
        foreach (ElectionAddress address in IsMultiAddress ? Addresses : Addresses.Take(1))
        {
            if (text.Length > 0)
                text.Append('|');
            HostText.Append(text, address.Host).Append(CultureInfo.InvariantCulture, $":{address.Port}");
        }
        byte[] bytes = Encoding.UTF8.GetBytes(text.ToString());
        if (bytes.Length > AddressBytesMax)
        {
            throw new InvalidOperationException(
                $"The addresses of server {Server} take {bytes.Length} bytes; {AddressBytesMax} are allowed.");
        }
        output.WriteInt64(IsMultiAddress ? SecondVersion : FirstVersion);
        output.WriteInt64(Server.Value);
        output.WriteBuffer(bytes);
    }

    /// <inheritdoc/>
    public bool Equals(ElectionHandshake other) => Server == other.Server && IsMultiAddress == other.IsMultiAddress
        && (Addresses ?? []).SequenceEqual(other.Addresses ?? []);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Server, IsMultiAddress, Addresses?.Count ?? 0);

    private static PacketReadResult Corrupt(string why, out string reason)
    {
        reason = why;
        return PacketReadResult.Corrupt;
    }

    private static bool TryReadAddresses(
        ReadOnlySpan<byte> bytes, out List<ElectionAddress> addresses, out string reason)
    {
        addresses = [];
        reason = "";
        foreach (string text in Encoding.UTF8.GetString(bytes).Split('|'))
        {
            if (!HostText.TrySplit(text, out string host, out string[] fields) || fields.Length != 1
                || !HostText.IsHost(host) || !HostText.TryParsePort(fields[0], out int port) || port == 0)
            {
                reason = $"the handshake has the address '{Printable(text)}'; host:port is expected";
                return false;
            }
            if (!HostText.IsWildcard(host))
                addresses.Add(new ElectionAddress(host, port));
        }
        return true;
    }

    private static string Printable(string text)
    {
        string start = text.Length > 100 ? text[..100] + "..." : text;
        return string.Concat(start.Select(static c => char.IsControl(c) ? '?' : c));
    }
}
