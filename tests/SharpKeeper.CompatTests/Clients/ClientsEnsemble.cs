using System.Globalization;
using SharpKeeper.CompatTests.Peers;

namespace SharpKeeper.CompatTests.Clients;

/// <summary>
/// An ensemble as client programs meet it. A wish may name the server that it is about; without a number it is about all
/// of them.
/// </summary>
internal sealed class ClientsEnsemble : IClientsPeer
{
    // The super user that kazoo's own tests expect has the password "test".
    private const string KazooSuperUser = "super:D/InIHSb7yEEbrWz8b9l71RjZJU=";

    private readonly Ensemble ensemble;

    private ClientsEnsemble(Ensemble ensemble) => this.ensemble = ensemble;

    public string ConnectString => ensemble.ConnectString;

    public static async Task<ClientsEnsemble> StartAsync(
        string kinds, params (string Key, string Value)[] lines) => new(await Ensemble.StartAsync(
        EnsembleSetup.Of(kinds).With(
            ("DigestAuthenticationProvider.superDigest", KazooSuperUser), ("extendedTypesEnabled", "true"),
            ("maxSessionTimeout", "40000")).With(lines) with
        {
            CanReconfigure = true,
            Properties = new Dictionary<string, string> { ["readonlymode.enabled"] = "true" },
        }));

    public Task ExplainAsync(Func<Task> part) => ensemble.ExplainAsync(part);

    public async Task FulfilAsync(string wish)
    {
        string[] words = wish.Split(' ');
        EnsembleServer[] meant = words.Length == 1
            ? [.. ensemble.Servers]
            : [ensemble[int.Parse(words[1], CultureInfo.InvariantCulture)]];
        switch (words[0])
        {
            case "stop":
                await Task.WhenAll(meant.Select(server => server.StopAsync()));
                break;
            case "kill":
                await Task.WhenAll(meant.Select(server => server.KillAsync()));
                break;
            case "start":
                foreach (EnsembleServer server in meant)
                    server.Start();
                await ensemble.WaitServingAsync(meant);
                break;
            default:
                throw new ArgumentException($"The wish {wish} is not known.");
        }
    }

    public ValueTask DisposeAsync() => ensemble.DisposeAsync();
}

/// <summary>Follower 1 of an ensemble of which a client program knows no other server.</summary>
internal sealed class ClientsFollower : IClientsPeer
{
    private readonly ClientsEnsemble all;

    private ClientsFollower(ClientsEnsemble all) => this.all = all;

    public string ConnectString => all.ConnectString.Split(',')[0];

    public static async Task<ClientsFollower> StartAsync(string kinds) => new(await ClientsEnsemble.StartAsync(kinds));

    public Task ExplainAsync(Func<Task> part) => all.ExplainAsync(part);

    public Task FulfilAsync(string wish) => all.FulfilAsync(wish);

    public ValueTask DisposeAsync() => all.DisposeAsync();
}
