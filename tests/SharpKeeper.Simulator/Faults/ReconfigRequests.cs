using System.Globalization;
using SharpKeeper.Protocol;
using SharpKeeper.Protocol.Quorum;

namespace SharpKeeper.Simulation;

/// <summary>
/// The text of reconfigurations: joining servers, leaving servers, all members and the expected version, with a stroke
/// between them. Null where a configuration has nothing to change in that way.
/// </summary>
internal static class ReconfigRequests
{
    private const int VotersMin = 2;

    /// <summary>Servers join or change.</summary>
    public static string Join(params EnsembleServer[] servers) =>
        Text(joining: string.Join(',', servers.Select(Entry)));

    /// <summary>A server that must not be the last but one goes.</summary>
    public static string? Leave(EnsembleConfig config, int server)
    {
        bool votes = QuorumModel.IsVoter(config, server);
        return votes && config.Voters.Count <= VotersMin ? null : Text(leaving: Number(server));
    }

    /// <summary>One of the servers changes from voter to observer, or back.</summary>
    public static string? ChangeRole(EnsembleConfig config, SimRandom random, ServerRole role)
    {
        EnsembleServer[] candidates = [.. config.Servers.Where(server => server.Role != role)];
        if (candidates.Length == 0 || (role == ServerRole.Observer && config.Voters.Count <= VotersMin))
            return null;
        EnsembleServer chosen = random.Pick(candidates);
        return Join(new EnsembleServer(chosen.Id, chosen.Addresses, role, chosen.Client, null));
    }

    /// <summary>A server gets another quorum port.</summary>
    public static string? ChangePort(EnsembleConfig config, int server, SimRandom random)
    {
        if (config.Find(new ServerId(server)) is not { } member)
            return null;
        return Join(EnsembleSetup.Member(server, member.Role, random.Between(2_000, 2_999)));
    }

    /// <summary>A server that is in no configuration joins.</summary>
    public static string? Add(EnsembleConfig config, int server, ServerRole role) =>
        config.Find(new ServerId(server)) is null ? Join(EnsembleSetup.Member(server, role)) : null;

    /// <summary>One voter goes and another server comes, both at once.</summary>
    public static string? Swap(EnsembleConfig config, int leaving, int joining) =>
        !QuorumModel.IsVoter(config, leaving) || config.Find(new ServerId(joining)) is not null ? null
        : Text(joining: Entry(EnsembleSetup.Member(joining, ServerRole.Participant)), leaving: Number(leaving));

    /// <summary>All members anew: some of those that are there, in whatever role, and now and then in groups.</summary>
    public static string? Replace(IReadOnlyList<int> candidates, SimRandom random, int groupsPerMille)
    {
        List<int> chosen = [.. candidates];
        random.Shuffle(chosen);
        int voters = random.Between(VotersMin, chosen.Count);
        int observers = random.Between(0, chosen.Count - voters);
        IEnumerable<EnsembleServer> servers = chosen.Take(voters + observers).Select((id, index) =>
            EnsembleSetup.Member(id, index < voters ? ServerRole.Participant : ServerRole.Observer));
        if (!random.PerMille(groupsPerMille))
            return Text(members: string.Join(',', servers.Select(Entry)));
        EnsembleConfig grouped = EnsembleSetup.Grouped([.. servers], random);
        return Text(members: string.Join(',', grouped.Format().Split('\n').Where(
            static line => !line.StartsWith("version=", StringComparison.Ordinal))));
    }

    /// <summary>A request that must be refused.</summary>
    public static string Refused(EnsembleConfig config, SimRandom random) => random.Below(5) switch
    {
        0 => Text(leaving: Number((int)config.Servers[0].Id.Value), version: 12345),
        1 => Text(leaving: "x"),
        2 => Text(leaving: string.Join(',', config.Voters.Skip(1))),
        3 => Text(joining: "server.9=nonsense"),
        _ => Join([.. Enumerable.Range(50, config.Voters.Count + 2).Select(
            static id => EnsembleSetup.Member(id, ServerRole.Participant))]),
    };

    /// <summary>The same with the version that must be in force.</summary>
    public static string? Expecting(string? request, long version) =>
        request is null ? null
            : request[..(request.LastIndexOf('|') + 1)] + version.ToString(CultureInfo.InvariantCulture);

    private static string Number(int id) => id.ToString(CultureInfo.InvariantCulture);

    private static string Entry(EnsembleServer server) => $"server.{server.Id}={server.Format()}";

    private static string Text(string joining = "", string leaving = "", string members = "", long version = -1) =>
        string.Create(CultureInfo.InvariantCulture, $"{joining}|{leaving}|{members}|{version}");
}
