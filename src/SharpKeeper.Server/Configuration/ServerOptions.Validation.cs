namespace SharpKeeper.Server;

public sealed partial record ServerOptions
{
    /// <summary>
    /// Checks single values and those that must agree. Returns one sentence for each problem, or nothing when a
    /// server can run with these options.
    /// </summary>
    public IReadOnlyList<string> Validate()
    {
        List<string> problems = [];
        void Require(bool holds, string problem)
        {
            if (!holds)
                problems.Add(problem);
        }

        Require(ClientPort is >= 0 and <= 65535, $"clientPort={ClientPort} must be from 0 to 65535");
        Require(TickTime > TimeSpan.Zero, "tickTime must be more than 0 ms");
        Require(SessionTimeoutMin >= TimeSpan.Zero, "minSessionTimeout must not be negative");
        Require(SessionTimeoutMin <= SessionTimeoutMax, DescribeSessionTimeouts());
        Require(InMemory || DataDir.Length > 0, "dataDir is not set");
        Require(!InMemory || Ensemble is null,
            "a server of an ensemble must remember what it promised, so it cannot keep everything in memory");
        Require(SnapCount >= 2, $"snapCount={SnapCount} must be 2 or more");
        Require(SnapshotsRetained >= 3, $"autopurge.snapRetainCount={SnapshotsRetained} must be 3 or more");
        Require(PacketBytesMax >= 64, $"jute.maxbuffer={PacketBytesMax} must be 64 or more");
        Require(OutstandingRequestsMax > 0, "globalOutstandingLimit must be 1 or more");
        Require(ConnectionThreads > 0, "nio.numSelectorThreads must be 1 or more");
        Require(PurgeInterval >= TimeSpan.Zero, "autopurge.purgeInterval must not be negative");
        ValidateAuthentication(Require);
        if (Ensemble is not null)
            ValidateEnsemble(Ensemble, Require);
        return problems;
    }

    private void ValidateAuthentication(Action<bool, string> require)
    {
        require(!EnforceAuthEnabled || EnforceAuthSchemes.Count > 0,
            "enforce.auth.enabled=true needs enforce.auth.schemes, a list of digest and ip");
        foreach (string scheme in EnforceAuthSchemes)
        {
            require(scheme is "digest" or "ip",
                $"enforce.auth.schemes names {scheme}; this server knows digest and ip");
            require(scheme != "digest" || DigestAuthEnabled,
                "enforce.auth.schemes names digest, which DigestAuthenticationProvider.enabled=false turns off");
        }
    }

    private string DescribeSessionTimeouts()
    {
        string min = IsSessionTimeoutMinSet ? "as set" : "2 x tickTime";
        string max = IsSessionTimeoutMaxSet ? "as set" : "20 x tickTime";
        return $"minSessionTimeout is {SessionTimeoutMin.TotalMilliseconds:0} ms ({min}) and maxSessionTimeout is " +
            $"{SessionTimeoutMax.TotalMilliseconds:0} ms ({max}); the minimum must not exceed the maximum";
    }
}
