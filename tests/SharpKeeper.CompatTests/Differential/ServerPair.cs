using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using SharpKeeper.CompatTests.Peers;
using SharpKeeper.Server;
using SharpKeeper.Server.Configuration;

namespace SharpKeeper.CompatTests.Differential;

/// <summary>Apache's server and ours with the same settings, shared by all differential tests.</summary>
public sealed class ServerPair : IAsyncLifetime
{
    /// <summary>The digest of super:secret.</summary>

    private const int DifferencesShownMax = 3;
    private const int ContextLines = 10;

    private static readonly TimeSpan TickTime = TimeSpan.FromSeconds(2);

    private readonly long startMs = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();
    private readonly List<long> skippedByApache = [];
    private ApacheServer? apache;
    private ServerHost? ours;

    public async ValueTask InitializeAsync()
    {
        if (!ApacheServer.IsInstalled)
            return;
        apache = await ApacheServer.StartAsync(new ApacheServerOptions
        {
            SystemProperties = new Dictionary<string, string>
            {
                ["zookeeper.enforceQuota"] = "true",
                ["zookeeper.DigestAuthenticationProvider.superDigest"] = SuperUser.Digest,
                ["znode.container.checkIntervalMs"] = "3600000",
            },
        });
        ours = await StartOursAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (ours is not null)
            await ours.DisposeAsync();
        if (apache is not null)
            await apache.DisposeAsync();
    }

    /// <summary>Runs a script against both servers and fails where their answers differ unexpectedly.</summary>
    internal async Task CompareAsync(Func<Side, Task> script)
    {
        ApacheServer.SkipUnlessInstalled();
        IReadOnlyList<AnswerLine> expected = await RunAsync(apache!.Port, isApache: true, script);
        IReadOnlyList<AnswerLine> actual = await RunAsync(ours!.ClientPort, isApache: false, script);
        var differences = new List<string>();
        for (int i = 0; i < Math.Max(expected.Count, actual.Count) && differences.Count < DifferencesShownMax; i++)
        {
            if (DifferenceAt(expected, actual, i) is { } difference)
                differences.Add(difference);
        }
        Assert.True(differences.Count == 0, string.Join('\n', differences));
    }

    /// <summary>
    /// Runs a script against a fresh server of ours alone and expects certain answers: for requests that a 3.8.0 server
    /// answers in a way that is nothing to follow, or does not survive.
    /// </summary>
    internal async Task ExpectAsync(Func<Side, Task> script, params string[] answers)
    {
        await using ServerHost fresh = await StartOursAsync();
        IReadOnlyList<AnswerLine> lines = await RunAsync(fresh.ClientPort, isApache: false, script);
        IEnumerable<string> said = lines.Select(line => line.Text).Where(text =>
            !text.Contains("> ", StringComparison.Ordinal) && !text.Contains(" connected: ", StringComparison.Ordinal));
        Assert.Equal(answers, said);
    }

    private async Task<IReadOnlyList<AnswerLine>> RunAsync(int port, bool isApache, Func<Side, Task> script)
    {
        await using var side = new Side(
            port, isApache, startMs, isApache ? skippedByApache : [], TestContext.Current.CancellationToken);
        await script(side);
        return side.Lines;
    }

    private static Task<ServerHost> StartOursAsync() => ServerHost.StartAsync(
        new ServerOptions
        {
            InMemory = true,
            ClientPort = 0,
            TickTime = TickTime,
            ConnectionsPerAddressMax = 0,
            EnforceQuota = true,
            ExtendedTypesEnabled = true,
            SuperDigest = SuperUser.Digest,
            FourLetterWords = FourLetterWordWhitelist.All,
            ContainerCheckInterval = TimeSpan.FromHours(1),
        },
        NullLoggerFactory.Instance);

    private static string? DifferenceAt(
        IReadOnlyList<AnswerLine> expected, IReadOnlyList<AnswerLine> actual, int index)
    {
        AnswerLine? apacheLine = index < expected.Count ? expected[index] : null;
        AnswerLine? ourLine = index < actual.Count ? actual[index] : null;
        if (apacheLine?.Difference is { } difference)
        {
            if (apacheLine.Text == difference.Apache && ourLine?.Text == difference.Ours)
                return null;
            return $"Expected a difference ({difference.Reason}):\n  Apache expected: {difference.Apache}\n"
                + $"  Apache said:     {apacheLine.Text}\n"
                + $"  ours expected:   {difference.Ours}\n  ours said:       {ourLine?.Text}";
        }
        if (apacheLine?.Text == ourLine?.Text)
            return null;
        var message = new StringBuilder("The servers differ:\n");
        for (int i = Math.Max(0, index - ContextLines); i < index && i < expected.Count; i++)
            message.Append("          ").AppendLine(expected[i].Text);
        message.Append("  Apache: ").AppendLine(apacheLine?.Text ?? "(nothing more)");
        message.Append("  ours:   ").Append(ourLine?.Text ?? "(nothing more)");
        return message.ToString();
    }
}

/// <summary>The tests that share one <see cref="ServerPair"/>; they run one after the other.</summary>
[CollectionDefinition(Name)]
public sealed class ServerPairCollection : ICollectionFixture<ServerPair>
{
    public const string Name = "Apache beside SharpKeeper";
}
