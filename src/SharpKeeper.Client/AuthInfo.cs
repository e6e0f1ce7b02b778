using System.Security.Cryptography;
using System.Text;
using SharpKeeper.Protocol;

namespace SharpKeeper.Client;

/// <summary>Credentials that a client sends on each of its connections.</summary>
/// <param name="Scheme">The scheme, for example digest.</param>
/// <param name="Credentials">What the scheme asks for, for example user:password in UTF-8.</param>
public sealed record AuthInfo(string Scheme, ReadOnlyMemory<byte> Credentials)
{
    /// <summary>Credentials of the digest scheme.</summary>
    public static AuthInfo Digest(string user, string password) =>
        new("digest", DigestAuth.Credentials(user, password));
}

/// <summary>The digest scheme: identities made of a user name and the hash of "user:password".</summary>
public static class DigestAuth
{
    /// <summary>The scheme's name.</summary>
    public const string Scheme = "digest";

    /// <summary>The id as ACLs hold it: user:base64(sha1(user:password)).</summary>
    /// <exception cref="ArgumentException">The user name is empty or holds a colon.</exception>
    public static string CreateId(string user, string password)
    {
        byte[] credentials = Credentials(user, password);
#pragma warning disable CA5350 // SHA-1 is what the scheme is made of; servers compare this very text.
        return $"{user}:{Convert.ToBase64String(SHA1.HashData(credentials))}";
#pragma warning restore CA5350
    }

    /// <summary>What addAuth sends: user:password in UTF-8.</summary>
    /// <exception cref="ArgumentException">The user name is empty or holds a colon.</exception>
    public static byte[] Credentials(string user, string password)
    {
        ArgumentException.ThrowIfNullOrEmpty(user);
        ArgumentNullException.ThrowIfNull(password);
        if (user.Contains(':', StringComparison.Ordinal))
            throw new ArgumentException($"The user name \"{user}\" must not hold a colon.", nameof(user));
        return Encoding.UTF8.GetBytes($"{user}:{password}");
    }
}

/// <summary>Identities for access control lists.</summary>
public static class AclIds
{
    /// <summary>Everybody.</summary>
    public static AuthId Anyone => AuthId.Anyone;

    /// <summary>Whoever has authenticated on the connection that sets the list.</summary>
    public static AuthId Authenticated { get; } = new("auth", "");

    /// <summary>Whoever knows the user's password.</summary>
    public static AuthId Digest(string user, string password) =>
        new(DigestAuth.Scheme, DigestAuth.CreateId(user, password));

    /// <summary>An address or a network, for example 10.1.0.0/16.</summary>
    public static AuthId Ip(string addressOrNetwork)
    {
        ArgumentException.ThrowIfNullOrEmpty(addressOrNetwork);
        return new AuthId("ip", addressOrNetwork);
    }
}
