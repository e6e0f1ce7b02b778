using System.Globalization;

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
    ClientAddress? SecureClient)
{
    /// <summary>What stands behind <c>server.N=</c>.</summary>
    public string Format()
    {
        string role = Role == ServerRole.Observer ? "observer" : "participant";
        string addresses = string.Join('|', Addresses.Select(static address => string.Create(
            CultureInfo.InvariantCulture, $"{Bracketed(address.Host)}:{address.QuorumPort}:{address.ElectionPort}")));
        string client = Client is null ? SecureClient is null ? "" : ";" : FormatClient(Client);
        return $"{addresses}:{role}{client}{(SecureClient is null ? "" : FormatClient(SecureClient))}";
    }

    private static string FormatClient(ClientAddress address) =>
        string.Create(CultureInfo.InvariantCulture, $";{Bracketed(address.Host)}:{address.Port}");

    private static string Bracketed(string host) =>
        host.Contains(':', StringComparison.Ordinal) ? $"[{host}]" : host;
}

/// <summary>The servers of an ensemble, replicated as the data of <c>/zookeeper/config</c>. Immutable.</summary>
public sealed partial class EnsembleConfig
{
    private readonly Dictionary<ServerId, EnsembleServer> byId = [];

    /// <summary>Creates a configuration.</summary>
    /// <param name="servers">The servers in any order, each id once.</param>
    /// <param name="version">The reconfiguration's zxid; 0 for one read from a file.</param>
    /// <param name="groups">Members of each group of a hierarchical quorum; null or empty for a majority.</param>
    /// <param name="weights">Weights of voters in their groups where they are not 1.</param>
    public EnsembleConfig(
        IEnumerable<EnsembleServer> servers, long version,
        IReadOnlyDictionary<long, IReadOnlyList<ServerId>>? groups = null,
        IReadOnlyDictionary<ServerId, long>? weights = null)
    {
        Servers = [.. servers.OrderBy(static server => server.Id.Value)];
        Version = version;
        Groups = groups ?? new Dictionary<long, IReadOnlyList<ServerId>>();
        Weights = weights ?? new Dictionary<ServerId, long>();
        foreach (EnsembleServer server in Servers)
            byId[server.Id] = server;
        Voters = [.. Servers.Where(static server => server.Role == ServerRole.Participant).Select(static server => server.Id)];
    }

    /// <summary>The servers, ascending by id.</summary>
    public IReadOnlyList<EnsembleServer> Servers { get; }

    /// <summary>The reconfiguration's zxid; 0 for one read from a file.</summary>
    public long Version { get; }

    /// <summary>The servers that vote, ascending.</summary>
    public IReadOnlyList<ServerId> Voters { get; }

    /// <summary>Members of each group of a hierarchical quorum; empty for a majority.</summary>
    public IReadOnlyDictionary<long, IReadOnlyList<ServerId>> Groups { get; }

    /// <summary>Weights as they were given.</summary>
    public IReadOnlyDictionary<ServerId, long> Weights { get; }

    /// <summary>Do groups decide, rather than the majority of all voters?</summary>
    public bool IsHierarchical => Groups.Count > 0;

    /// <summary>The server of that number; null if there is none.</summary>
    public EnsembleServer? Find(ServerId id) => byId.GetValueOrDefault(id);

    /// <summary>Does that server vote?</summary>
    public bool IsVoter(ServerId id) => byId.TryGetValue(id, out EnsembleServer? server)
        && server.Role == ServerRole.Participant;

    /// <summary>Weight of a voter; 1 unless something else was given, and always 1 with a majority.</summary>
    public long WeightOf(ServerId id) => IsHierarchical && Weights.TryGetValue(id, out long weight) ? weight : 1;

    /// <summary>The same servers under another version.</summary>
    public EnsembleConfig WithVersion(long version) => new(Servers, version, Groups, Weights);

    /// <summary>Has it the same servers with the same addresses and roles, and the same groups and weights?</summary>
    public bool HasSameMembers(EnsembleConfig other)
    {
        ArgumentNullException.ThrowIfNull(other);
        return string.Equals(FormatMembers(), other.FormatMembers(), StringComparison.Ordinal);
    }
}
