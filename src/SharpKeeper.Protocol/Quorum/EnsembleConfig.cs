namespace SharpKeeper.Protocol.Quorum;

/// <summary>What a server of an ensemble is there for.</summary>
public enum ServerRole
{
    /// <summary>It votes.</summary>
    Participant,

    /// <summary>It does not vote.</summary>
    Observer,
}

/// <summary>One address of a server for the other servers.</summary>
/// <param name="Host">A name or an address, without brackets.</param>
/// <param name="QuorumPort">Where learners connect when it leads.</param>
/// <param name="ElectionPort">Where votes are exchanged.</param>
public sealed record ServerAddress(string Host, int QuorumPort, int ElectionPort);

/// <summary>Where a server takes clients.</summary>
/// <param name="Host">A name or an address, without brackets.</param>
/// <param name="Port">The port.</param>
public sealed record ClientAddress(string Host, int Port);

/// <summary>One server of an ensemble.</summary>
/// <param name="Id">Its number.</param>
/// <param name="Addresses">At least one.</param>
/// <param name="Role">What it is there for.</param>
/// <param name="Client">Where it takes clients; null if only its own configuration file says so.</param>
/// <param name="SecureClient">Where it takes clients over TLS; null for nowhere.</param>
public sealed record EnsembleServer(
    ServerId Id, IReadOnlyList<ServerAddress> Addresses, ServerRole Role, ClientAddress? Client,
    ClientAddress? SecureClient);

/// <summary>The servers of an ensemble, replicated as the data of <c>/zookeeper/config</c>. Immutable.</summary>
public sealed class EnsembleConfig
{
    /// <summary>Creates a configuration.</summary>
    /// <param name="servers">The servers in any order.</param>
    /// <param name="version">The reconfiguration's zxid; 0 for one read from a file.</param>
    public EnsembleConfig(IEnumerable<EnsembleServer> servers, long version)
    {
        Servers = [.. servers.OrderBy(static server => server.Id.Value)];
        Version = version;
    }

    /// <summary>The servers, ascending by id.</summary>
    public IReadOnlyList<EnsembleServer> Servers { get; }

    /// <summary>The reconfiguration's zxid; 0 for one read from a file.</summary>
    public long Version { get; }
}
