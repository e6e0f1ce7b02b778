using System.Text.Json.Serialization;

namespace SharpKeeper.Cli.Ensemble;

/// <summary>What the servers of a list say of themselves and so of their ensemble.</summary>
internal sealed record EnsembleReport
{
    /// <summary>Every server asked, in the order of the list.</summary>
    public required IReadOnlyList<ServerReport> Servers { get; init; }

    /// <summary>The one leader; null if there is none among the servers, or more than one.</summary>
    public string? Leader { get; init; }

    /// <summary>Voters of the ensemble: as it says itself, else the servers of the list that are no
    /// observers.</summary>
    public int Voters { get; init; }

    /// <summary>Voters that serve with the leader, itself included.</summary>
    public int ServingVoters { get; init; }

    /// <summary>Is there one leader, and do more than half of the voters serve with it? A standalone server is its own
    /// quorum.</summary>
    public bool HasQuorum { get; init; }

    /// <summary>All of it in a sentence.</summary>
    public required string Summary { get; init; }

    /// <summary>Asks every server at the same time.</summary>
    internal static async Task<EnsembleReport> AskAsync(
        IReadOnlyList<ServerAddress> servers, WordAsker ask, CancellationToken cancel) =>
        Of(await Task.WhenAll(servers.Select(server => AskOneAsync(server, ask, cancel))).ConfigureAwait(false));

    /// <summary>Draws the conclusions.</summary>
    internal static EnsembleReport Of(IReadOnlyList<ServerReport> servers)
    {
        ServerReport[] leaders = [.. servers.Where(static server => server.Mode is "leader" or "standalone")];
        if (leaders.Length != 1)
        {
            return new EnsembleReport
            {
                Servers = servers,
                Voters = VotersOf(servers, null),
                Summary = leaders.Length == 0
                    ? "no leader among the servers that answered: no writes are possible through them"
                    : $"{leaders.Length} servers say that they lead: {Join(leaders)} (one may just be giving up, or " +
                        "the list names servers of more than one ensemble)",
            };
        }
        ServerReport leader = leaders[0];
        int voters = VotersOf(servers, leader);
        int serving = leader.SyncedFollowers + 1
            ?? 1 + servers.Count(server => server.Mode == "follower" && server.Epoch <= leader.Epoch);
        bool hasQuorum = serving > voters / 2;
        return new EnsembleReport
        {
            Servers = [.. servers.Select(server => server with { Lag = LagOf(server, leader) })],
            Leader = leader.Server,
            Voters = voters,
            ServingVoters = serving,
            HasQuorum = hasQuorum,
            Summary = leader.Mode == "standalone"
                ? $"{leader.Server} stands alone"
                : $"{leader.Server} leads, {serving} of {voters} voters serve: " +
                    (hasQuorum ? "there is a quorum" : "there is NO quorum"),
        };
    }

    private static async Task<ServerReport> AskOneAsync(ServerAddress server, WordAsker ask, CancellationToken cancel)
    {
        try
        {
            ServerReport report = ServerReport.FromSrvr(
                server, await ask(server, "srvr", cancel).ConfigureAwait(false));
            if (report.Mode != "leader")
                return report;
            try
            {
                return report.WithMntr(await ask(server, "mntr", cancel).ConfigureAwait(false));
            }
            catch (IOException)
            {
                // What srvr said is enough; a server may end between two words.
                return report;
            }
        }
        catch (IOException e)
        {
            return new ServerReport { Server = server.ToString(), Problem = e.Message };
        }
    }

    private static int VotersOf(IReadOnlyList<ServerReport> servers, ServerReport? leader) =>
        leader?.Mode == "standalone" ? 1
            : leader?.Voters ?? servers.Count(static server => server.Mode != "observer");

    private static string Join(IEnumerable<ServerReport> servers) =>
        string.Join(", ", servers.Select(static server => server.Server));

    // The servers are asked at the same time, so one may be asked later than the leader and know more.
    private static long? LagOf(ServerReport server, ServerReport leader) =>
        server.Zxid is not null && server.Epoch == leader.Epoch
            ? Math.Max(0, leader.ZxidNumber - server.ZxidNumber) : null;
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(EnsembleReport))]
internal sealed partial class EnsembleJson : JsonSerializerContext;
