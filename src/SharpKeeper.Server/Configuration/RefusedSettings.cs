namespace SharpKeeper.Server.Configuration;

/// <summary>
/// Keys that ask for something this release does not do. Ignoring them would leave an operator with a server that is
/// less safe, or another one, than the file says, so they stop the start; a value that turns the thing off passes.
/// </summary>
internal static class RefusedSettings
{
    private const string Tls = "TLS, which this release does not have";
    private const string Sasl = "SASL authentication, which this release does not have";
    private const string X509 = "X.509 authentication, which this release does not have";
    private const string Audit = "the audit log, which this release does not have";

    private static readonly Dictionary<string, string> s_capabilityByKey = new(StringComparer.Ordinal)
    {
        ["secureClientPort"] = Tls,
        ["secureClientPortAddress"] = Tls,
        ["sslQuorum"] = Tls,
        ["sslQuorumReloadCertFiles"] = Tls,
        ["portUnification"] = Tls,
        ["client.portUnification"] = Tls,
        ["client.certReload"] = Tls,
        ["fips-mode"] = Tls,
        ["netty.server.outstandingHandshake.limit"] = Tls,
        ["admin.portUnification"] = Tls,
        ["admin.forceHttps"] = Tls,
        ["admin.needClientAuth"] = Tls,
        ["X509AuthenticationProvider.superUser"] = X509,
        ["superUser"] = "SASL or X.509 authentication, which this release does not have",
        ["letAnySaslUserDoX"] = Sasl,
        ["allowSaslFailedClients"] = Sasl,
        ["sessionRequireClientSASLAuth"] = Sasl,
        ["java.security.auth.login.config"] = Sasl,
        ["jaasLoginRenew"] = Sasl,
        ["requireClientAuthScheme"] = Sasl,
        ["kerberos.removeHostFromPrincipal"] = Sasl,
        ["kerberos.removeRealmFromPrincipal"] = Sasl,
        ["ensembleAuthName"] = "the ensemble authentication provider, which this release does not have",
        ["oraclePath"] = "an oracle for ensembles of two, which this release does not have",
        ["observerMasterPort"] = "followers that feed observers, which this release does not have; observers "
            + "connect to the leader",
        ["audit.enable"] = Audit,
        ["audit.impl.class"] = Audit,
    };

    private static readonly (string Prefix, string Capability)[] s_capabilityByPrefix =
    [
        ("ssl.", Tls),
        ("sasl.", Sasl),
        ("quorum.auth.", Sasl),
        ("authProvider.", "an authentication provider of its own, and this server knows digest and ip only"),
    ];

    private static readonly string[] s_builtInProviders =
    [
        "org.apache.zookeeper.server.auth.DigestAuthenticationProvider",
        "org.apache.zookeeper.server.auth.IPAuthenticationProvider",
    ];

    /// <summary>The keys compared as a whole.</summary>
    internal static IEnumerable<string> Keys => s_capabilityByKey.Keys;

    /// <summary>The beginnings of keys that are refused whatever follows.</summary>
    internal static IEnumerable<string> Prefixes => s_capabilityByPrefix.Select(static entry => entry.Prefix);

    /// <summary>What <paramref name="key"/> asks for, as the end of a sentence, or null if it is no such key.</summary>
    internal static string? FindCapability(string key)
    {
        if (s_capabilityByKey.TryGetValue(key, out string? capability))
            return capability;
        foreach ((string prefix, string byPrefix) in s_capabilityByPrefix)
        {
            if (key.StartsWith(prefix, StringComparison.Ordinal))
                return byPrefix;
        }
        return null;
    }

    /// <summary>Whether the value turns the key's capability off, or asks for what is built in.</summary>
    internal static bool AsksForNothing(string key, string value)
    {
        if (key.StartsWith("authProvider.", StringComparison.Ordinal))
            return s_builtInProviders.Contains(value, StringComparer.Ordinal);
        return key switch
        {
            "secureClientPort" => value is "" or "-1",
            "observerMasterPort" => value is "" or "0",
            _ => value.Length == 0 || value.Equals("false", StringComparison.OrdinalIgnoreCase),
        };
    }
}
