using System.Net;
using System.Security.Cryptography;
using System.Text;
using SharpKeeper.Core.Transactions;
using SharpKeeper.Protocol;

namespace SharpKeeper.Server.Auth;

/// <summary>A scheme of identities together with how a connection proves that it has one.</summary>
internal interface IAuthProvider : IAuthScheme
{
    /// <summary>The identities that an auth packet proves; null refuses it, and the connection is closed.</summary>
    IReadOnlyList<AuthId>? Authenticate(ReadOnlySpan<byte> credentials, IPAddress remote);
}

/// <summary>The scheme <c>digest</c>: a user name and the hash of name and password.</summary>
internal sealed class DigestProvider(string? superDigest, HashAlgorithmName algorithm) : IAuthProvider
{
    /// <inheritdoc/>
    public string Name => "digest";

    /// <inheritdoc/>
    public bool IsAuthenticated => true;

    /// <inheritdoc/>
    public IReadOnlyList<AuthId>? Authenticate(ReadOnlySpan<byte> credentials, IPAddress remote)
    {
        string text = Encoding.UTF8.GetString(credentials);
        string id = Digest(text);
        var identities = new List<AuthId>(2) { new(Name, id) };
        if (id == superDigest)
            identities.Add(new AuthId("super", ""));
        return identities;
    }

    /// <summary>The id that stands in ACLs for <c>user:password</c>.</summary>
    public string Digest(string userAndPassword)
    {
        int colon = userAndPassword.IndexOf(':', StringComparison.Ordinal);
        string user = colon < 0 ? userAndPassword : userAndPassword[..colon];
        byte[] hash = CryptographicOperations.HashData(algorithm, Encoding.UTF8.GetBytes(userAndPassword));
        return user + ":" + Convert.ToBase64String(hash);
    }

    /// <inheritdoc/>
    public bool IsValidId(string id)
    {
        int colon = id.IndexOf(':', StringComparison.Ordinal);
        return colon >= 0 && colon < id.Length - 1 && id.IndexOf(':', colon + 1) < 0;
    }

    /// <inheritdoc/>
    public bool Matches(string identity, string aclId) => identity == aclId;
}

/// <summary>The scheme <c>ip</c>: the address a connection comes from, given by the connection itself.</summary>
internal sealed class IpProvider : IAuthProvider
{
    /// <inheritdoc/>
    public string Name => "ip";

    /// <inheritdoc/>
    public bool IsAuthenticated => false;

    /// <inheritdoc/>
    public IReadOnlyList<AuthId>? Authenticate(ReadOnlySpan<byte> credentials, IPAddress remote) =>
        [IdentityOf(remote)];

    /// <summary>The identity every connection has from the start.</summary>
    public static AuthId IdentityOf(IPAddress remote) => new("ip", remote.ToString());

    /// <inheritdoc/>
    public bool IsValidId(string id) => TryParse(id, out _, out _);

    /// <inheritdoc/>
    public bool Matches(string identity, string aclId)
    {
        if (!TryParse(aclId, out byte[] wanted, out int bits) || !TryParse(identity, out byte[] actual, out _)
            || wanted.Length != actual.Length)
            return false;
        for (int i = 0; i < wanted.Length && bits > 0; i++, bits -= 8)
        {
            int mask = bits >= 8 ? 0xff : 0xff << (8 - bits) & 0xff;
            if (((wanted[i] ^ actual[i]) & mask) != 0)
                return false;
        }
        return true;
    }

    private static bool TryParse(string text, out byte[] address, out int bits)
    {
        address = [];
        bits = 0;
        int slash = text.IndexOf('/', StringComparison.Ordinal);
        string host = slash < 0 ? text : text[..slash];
        if (host.Contains(':', StringComparison.Ordinal))
        {
            if (!IPAddress.TryParse(host, out IPAddress? ip))
                return false;
            address = ip.GetAddressBytes();
        }
        else if (!TryParseDotted(host, out address))
        {
            return false;
        }
        bits = address.Length * 8;
        if (slash < 0)
            return true;
        int most = bits;
        return int.TryParse(text.AsSpan(slash + 1), System.Globalization.NumberStyles.None,
            System.Globalization.CultureInfo.InvariantCulture, out bits) && bits <= most;
    }

    // Four decimal numbers; the framework also takes "1" and "0x7f.1", and 010 for 8, which no ZooKeeper does.
    private static bool TryParseDotted(string host, out byte[] address)
    {
        string[] parts = host.Split('.');
        address = new byte[parts.Length];
        for (int i = 0; i < parts.Length; i++)
        {
            if (!byte.TryParse(parts[i], System.Globalization.NumberStyles.None,
                System.Globalization.CultureInfo.InvariantCulture, out address[i]))
                return false;
        }
        return parts.Length == 4;
    }
}
