using System.Diagnostics.CodeAnalysis;

namespace SharpKeeper.Protocol.Quorum;

/// <summary>A group of servers of a hierarchical quorum.</summary>
/// <param name="Id">Its number.</param>
/// <param name="Members">Who belongs to it, ascending.</param>
public sealed record ServerGroup(long Id, IReadOnlyList<ServerId> Members);

/// <summary>The servers of an ensemble, replicated as the data of <c>/zookeeper/config</c>. Immutable.</summary>
/// <remarks>
/// A configuration with groups needs, for a quorum, more than half of the weight in more than half of the groups;
/// one without needs more than half of the voters.
/// </remarks>
public sealed class EnsembleConfig
{
    private readonly Dictionary<ServerId, EnsembleServer> byId;
    private readonly SortedDictionary<ServerId, long> weights;

    /// <summary>Creates a configuration without groups: the majority of the voters is a quorum.</summary>
    /// <param name="servers">The servers in any order.</param>
    /// <param name="version">The reconfiguration's zxid; 0 for one read from a file.</param>
    /// <exception cref="ArgumentException">Two servers have the same id.</exception>
    public EnsembleConfig(IEnumerable<EnsembleServer> servers, long version)
        : this(servers, version, [], [])
    {
    }

    /// <summary>Creates a configuration.</summary>
    /// <param name="servers">The servers in any order.</param>
    /// <param name="version">The reconfiguration's zxid; 0 for one read from a file.</param>
    /// <param name="groups">Groups in any order; none for a majority.</param>
    /// <param name="weights">Weights other than 1; of use with groups only.</param>
    /// <exception cref="ArgumentException">Two servers have the same id, or two weights are for the same.</exception>
    public EnsembleConfig(
        IEnumerable<EnsembleServer> servers, long version, IEnumerable<ServerGroup> groups,
        IEnumerable<KeyValuePair<ServerId, long>> weights)
    {
        Servers = [.. servers.OrderBy(static server => server.Id.Value)];
        byId = Servers.ToDictionary(static server => server.Id);
        Voters = [.. Servers.Where(static server => server.Role == ServerRole.Participant).Select(static s => s.Id)];
        Version = version;
        Groups = [.. groups.OrderBy(static group => group.Id)];
        this.weights = [];
        foreach ((ServerId id, long weight) in weights)
            this.weights.Add(id, weight);
        if (!IsHierarchical)
            return;
        foreach (ServerId id in Voters)
            this.weights.TryAdd(id, 1);
    }

    private EnsembleConfig(EnsembleConfig other, long version)
    {
        (Servers, byId, Voters, Groups, weights) =
            (other.Servers, other.byId, other.Voters, other.Groups, other.weights);
        Version = version;
    }

    /// <summary>The servers, ascending by id.</summary>
    public IReadOnlyList<EnsembleServer> Servers { get; }

    /// <summary>The servers that vote, ascending.</summary>
    public IReadOnlyList<ServerId> Voters { get; }

    /// <summary>The groups, ascending; none where the majority of the voters is a quorum.</summary>
    public IReadOnlyList<ServerGroup> Groups { get; }

    /// <summary>The weights of a configuration with groups, ascending by server; voters without a given one have 1.
    /// </summary>
    public IReadOnlyDictionary<ServerId, long> Weights => weights;

    /// <summary>Has it groups?</summary>
    public bool IsHierarchical => Groups.Count > 0;

    /// <summary>The reconfiguration's zxid; 0 for one read from a file.</summary>
    public long Version { get; }

    /// <summary>The server with this number; null if there is none.</summary>
    public EnsembleServer? Find(ServerId id) => byId.GetValueOrDefault(id);

    /// <summary>Does this server vote?</summary>
    public bool IsVoter(ServerId id) => byId.TryGetValue(id, out EnsembleServer? server)
        && server.Role == ServerRole.Participant;

    /// <summary>What its vote counts: 1 without groups; with groups its weight, 0 if it has none.</summary>
    public long WeightOf(ServerId id) => IsHierarchical ? weights.GetValueOrDefault(id) : 1;

    /// <summary>The same servers with another version.</summary>
    public EnsembleConfig WithVersion(long version) => version == Version ? this : new EnsembleConfig(this, version);

    /// <summary>Same servers, roles, addresses, groups and weights, whatever the versions?</summary>
    public bool HasSameMembers(EnsembleConfig other) => Servers.SequenceEqual(other.Servers)
        && Groups.Count == other.Groups.Count
        && Groups.Zip(other.Groups).All(static pair =>
            pair.First.Id == pair.Second.Id && pair.First.Members.SequenceEqual(pair.Second.Members))
        && weights.SequenceEqual(other.weights);

    /// <summary>
    /// Reads Apache's text: <c>server.N</c>, <c>group.N</c>, <c>weight.N</c> and <c>version</c> lines by the rules of
    /// Java's properties, escapes included; later lines replace earlier ones with the same key.
    /// </summary>
    /// <param name="text">The lines.</param>
    /// <param name="config">The configuration; null if the text is malformed.</param>
    /// <param name="problem">What is wrong and how to mend it; empty on success.</param>
    public static bool TryParse(
        string text, [NotNullWhen(true)] out EnsembleConfig? config, out string problem) =>
        EnsembleConfigText.TryParse(text, out config, out problem);

    /// <summary>Reads Apache's text from UTF-8; other bytes are a problem.</summary>
    /// <inheritdoc cref="TryParse(string, out EnsembleConfig?, out string)"/>
    public static bool TryParse(
        ReadOnlySpan<byte> text, [NotNullWhen(true)] out EnsembleConfig? config, out string problem) =>
        EnsembleConfigText.TryParse(text, out config, out problem);

    /// <summary>Apache's text: the servers, groups and weights in ascending order, and the version last, without a
    /// line end.</summary>
    public string Format() => EnsembleConfigText.Format(this);

    /// <summary>Makes the configuration that a reconfiguration asks for; its version is still this one's.</summary>
    /// <param name="joining"><c>server.N=...</c> entries between commas, each with a client port; null for none.</param>
    /// <param name="leaving">Ids between commas; unknown ones are ignored; null for none.</param>
    /// <param name="newMembers">A whole configuration between commas or line ends; replaces the other two; null for
    /// none.</param>
    /// <param name="changed">The new configuration, which has at least one voter; null if it is refused.</param>
    /// <param name="error">What the client is told; <see cref="ErrorCode.Ok"/> on success.</param>
    /// <param name="problem">What is wrong and how to mend it, for the log; empty on success.</param>
    public bool TryChange(
        string? joining, string? leaving, string? newMembers, [NotNullWhen(true)] out EnsembleConfig? changed,
        out ErrorCode error, out string problem) =>
        EnsembleConfigChange.TryApply(this, joining, leaving, newMembers, out changed, out error, out problem);

    /// <inheritdoc/>
    public override string ToString() => Format();
}
