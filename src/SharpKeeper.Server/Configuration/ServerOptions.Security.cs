namespace SharpKeeper.Server;

public sealed partial record ServerOptions
{
    /// <summary>Whether ACLs are not checked at all. Default false. Key <c>skipACL</c> (yes or no).</summary>
    public bool SkipAcl { get; init; }

    /// <summary>The digest id (<c>user:base64hash</c>) that passes every ACL, or null for none (default).
    /// Key <c>DigestAuthenticationProvider.superDigest</c>.</summary>
    public string? SuperDigest { get; init; }

    /// <summary>The hash of digest ids. Default SHA-1.
    /// Key <c>DigestAuthenticationProvider.digestAlg</c>.</summary>
    public DigestAlgorithm DigestAlgorithm { get; init; } = DigestAlgorithm.Sha1;

    /// <summary>Whether the digest scheme is offered. Default true.
    /// Key <c>DigestAuthenticationProvider.enabled</c>.</summary>
    public bool DigestAuthEnabled { get; init; } = true;

    /// <summary>Whether a client must authenticate by one of <see cref="EnforceAuthSchemes"/> before it may do
    /// anything else. Default false. Key <c>enforce.auth.enabled</c>.</summary>
    public bool EnforceAuthEnabled { get; init; }

    /// <summary>The schemes that satisfy <see cref="EnforceAuthEnabled"/>. Default none.
    /// Key <c>enforce.auth.schemes</c> (a comma list).</summary>
    public IReadOnlyList<string> EnforceAuthSchemes { get; init; } = [];
}

/// <summary>The hash that turns <c>user:password</c> into a digest id.</summary>
public enum DigestAlgorithm
{
    /// <summary>SHA-1, Apache's default.</summary>
    Sha1,

    /// <summary>SHA-256.</summary>
    Sha256,

    /// <summary>SHA-384.</summary>
    Sha384,

    /// <summary>SHA-512.</summary>
    Sha512,

    /// <summary>MD5, for trees that already use it.</summary>
    Md5,
}

/// <summary>Settings of the admin server, read and checked now and used once that server is part of a release.</summary>
public sealed record AdminOptions
{
    /// <summary>Whether the admin server runs. Default true. Key <c>admin.enableServer</c>.</summary>
    public bool Enabled { get; init; } = true;

    /// <summary>The address it listens on. Default 127.0.0.1, where Apache listens on all interfaces.
    /// Key <c>admin.serverAddress</c>.</summary>
    public string Address { get; init; } = "127.0.0.1";

    /// <summary>The port it listens on. Default 8080. Key <c>admin.serverPort</c>.</summary>
    public int Port { get; init; } = 8080;

    /// <summary>The path in front of command names. Default <c>/commands</c>. Key <c>admin.commandURL</c>.</summary>
    public string CommandUrl { get; init; } = "/commands";

    /// <summary>How long an idle connection is kept. Default 30 s. Key <c>admin.idleTimeout</c> (ms).</summary>
    public TimeSpan IdleTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Shortest time between snapshots or restores by request. Default 5 minutes.
    /// Key <c>admin.rateLimiterIntervalInMS</c>.</summary>
    public TimeSpan RateLimiterInterval { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>Whether a snapshot may be asked for. Default true. Key <c>admin.snapshot.enabled</c>.</summary>
    public bool SnapshotEnabled { get; init; } = true;

    /// <summary>Whether a restore may be asked for. Default true. Key <c>admin.restore.enabled</c>.</summary>
    public bool RestoreEnabled { get; init; } = true;
}
