namespace SharpKeeper.Server.Configuration;

internal static partial class SettingTable
{
    private const string DigestPrefix = "DigestAuthenticationProvider.";

    private static IEnumerable<Setting> Security() =>
    [
        Setting.Applied("skipACL", ApplySkipAcl),
        Setting.Applied(DigestPrefix + "superDigest", ApplySuperDigest),
        Setting.Applied(DigestPrefix + "digestAlg", (o, v) => o with
        {
            DigestAlgorithm = v.OneOf(
                ("SHA1", DigestAlgorithm.Sha1), ("SHA-1", DigestAlgorithm.Sha1), ("SHA", DigestAlgorithm.Sha1),
                ("SHA-256", DigestAlgorithm.Sha256), ("SHA256", DigestAlgorithm.Sha256),
                ("SHA-384", DigestAlgorithm.Sha384), ("SHA384", DigestAlgorithm.Sha384),
                ("SHA-512", DigestAlgorithm.Sha512), ("SHA512", DigestAlgorithm.Sha512),
                ("MD5", DigestAlgorithm.Md5)),
        }),
        Setting.Applied(DigestPrefix + "enabled", (o, v) => o with { DigestAuthEnabled = v.Boolean() }),
        Setting.Applied("enforce.auth.enabled", (o, v) => o with { EnforceAuthEnabled = v.Boolean() }),
        Setting.Applied("enforce.auth.schemes", (o, v) => o with
        {
            EnforceAuthSchemes =
                v.Text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries),
        }),
    ];

    private static IEnumerable<Setting> Admin()
    {
        static Setting Of(string key, Func<AdminOptions, SettingValue, AdminOptions> apply) =>
            Setting.Applied("admin." + key, (o, v) => o with { Admin = apply(o.Admin, v) });
        return
        [
            Of("enableServer", (a, v) => a with { Enabled = v.Boolean() }),
            Of("serverAddress", (a, v) => a with { Address = v.NonEmpty("an IP address or a host name") }),
            Of("serverPort", (a, v) => a with { Port = v.Port() }),
            Of("commandURL", (a, v) => a with
            {
                CommandUrl = v.Text.StartsWith('/')
                    ? v.Text : throw new SettingException("a path that begins with a slash"),
            }),
            Of("idleTimeout", (a, v) => a with { IdleTimeout = v.Milliseconds() }),
            Of("rateLimiterIntervalInMS", (a, v) => a with { RateLimiterInterval = v.Milliseconds() }),
            Of("snapshot.enabled", (a, v) => a with { SnapshotEnabled = v.Boolean() }),
            Of("restore.enabled", (a, v) => a with { RestoreEnabled = v.Boolean() }),
            Setting.NoEffect("admin.httpVersion", "the admin server speaks whatever version it is asked in"),
            Setting.Applied(MetricsPrefix + "className", (o, v) => o with { MetricsProvider = v.Text }),
        ];
    }

    private static ServerOptions ApplySkipAcl(ServerOptions options, SettingValue value)
    {
        bool skip = value.YesNo();
        if (skip)
            value.Warn("skipACL=yes: every client may read and change every node, whatever its ACL says");
        return options with { SkipAcl = skip };
    }

    private static ServerOptions ApplySuperDigest(ServerOptions options, SettingValue value)
    {
        if (value.Text.Length == 0)
            return options with { SuperDigest = null };
        int colon = value.Text.IndexOf(':');
        if (colon <= 0 || colon == value.Text.Length - 1)
            throw new SettingException("user:hash, where hash is the Base64 digest of user:password");
        return options with { SuperDigest = value.Text };
    }
}
