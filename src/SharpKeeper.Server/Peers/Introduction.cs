using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using SharpKeeper.Protocol;

namespace SharpKeeper.Server.Peers;

/// <summary>What a server says first on a connection to an election port.</summary>
/// <param name="Server">Its number.</param>
/// <param name="Addresses">Its election addresses as it knows them; empty if it gave none that can be reached.</param>
internal readonly record struct Introduction(ServerId Server, IReadOnlyList<PeerAddress> Addresses)
{
    private const long Version1 = -65536;
    private const long Version2 = -65535;
    private const int AddressBytesMax = 2048;

    /// <summary>The bytes to send, in one piece: Apache reads the addresses with a single call.</summary>
    /// <param name="self">This server.</param>
    /// <param name="addresses">Its election addresses.</param>
    /// <param name="multiAddress">Are all of them told, in the second version? Else the first one in the first.</param>
    public static byte[] Write(ServerId self, IReadOnlyList<PeerAddress> addresses, bool multiAddress)
    {
        using var buffer = new JuteBuffer();
        buffer.WriteInt64(multiAddress ? Version2 : Version1);
        buffer.WriteInt64(self.Value);
        buffer.WriteString(multiAddress ? string.Join('|', addresses) : addresses[0].ToString());
        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>Reads one of any version; null if the bytes are none.</summary>
    public static async Task<Introduction?> ReadAsync(Socket socket, CancellationToken cancellationToken)
    {
        byte[] head = new byte[20];
        if (!await PeerSockets.ReceiveAllAsync(socket, head.AsMemory(0, 8), cancellationToken).ConfigureAwait(false))
            return null;
        long version = BinaryPrimitives.ReadInt64BigEndian(head);
        // Before 3.5 the number was all.
        if (version >= 0)
            return new Introduction(new ServerId(version), []);
        if (version is not (Version1 or Version2)
            || !await PeerSockets.ReceiveAllAsync(socket, head.AsMemory(8), cancellationToken).ConfigureAwait(false))
            return null;
        int length = BinaryPrimitives.ReadInt32BigEndian(head.AsSpan(16));
        if (length is < 1 or > AddressBytesMax)
            return null;
        byte[] text = new byte[length];
        if (!await PeerSockets.ReceiveAllAsync(socket, text, cancellationToken).ConfigureAwait(false))
            return null;
        var server = new ServerId(BinaryPrimitives.ReadInt64BigEndian(head.AsSpan(8)));
        return TryParse(Encoding.UTF8.GetString(text), out List<PeerAddress> addresses)
            ? new Introduction(server, addresses)
            : null;
    }

    private static bool TryParse(string text, out List<PeerAddress> addresses)
    {
        addresses = [];
        foreach (string part in text.Split('|'))
        {
            int colon = part.LastIndexOf(':');
            if (colon <= 0 || !ushort.TryParse(
                part.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out ushort port) || port == 0)
                return false;
            string host = part[..colon];
            if (host.StartsWith('[') && host.EndsWith(']'))
                host = host[1..^1];
            if (host.Length == 0)
                return false;
            bool isWildcard = IPAddress.TryParse(host, out IPAddress? ip)
                && (ip.Equals(IPAddress.Any) || ip.Equals(IPAddress.IPv6Any));
            if (!isWildcard)
                addresses.Add(new PeerAddress(host, port));
        }
        return true;
    }
}
