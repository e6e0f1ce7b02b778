using System.Collections.Concurrent;
using System.Net;
using Microsoft.Extensions.Logging.Abstractions;
using SharpKeeper.Protocol;
using SharpKeeper.Protocol.Quorum;
using SharpKeeper.Server.Peers;

namespace SharpKeeper.PeersTests;

/// <summary>An election network on a free port that keeps what it reports.</summary>
internal sealed class ElectionHarness : IElectionEvents, IAsyncDisposable
{
    private readonly BlockingCollection<(ServerId From, byte[] Payload)> votes = [];
    private readonly BlockingCollection<(ServerId Server, bool IsUp)> links = [];

    private ElectionHarness(ElectionNetworkOptions options) =>
        Network = new ElectionNetwork(options, this, NullLogger.Instance);

    public ElectionNetwork Network { get; }

    public IPEndPoint End => Network.ListeningOn[0];

    public static async Task<ElectionHarness> StartAsync(
        long self, Func<ElectionNetworkOptions, ElectionNetworkOptions>? configure = null)
    {
        var options = new ElectionNetworkOptions
        {
            Self = new ServerId(self),
            RetryDelayMin = TimeSpan.FromMilliseconds(5),
            RetryDelayMax = TimeSpan.FromMilliseconds(20),
        };
        var harness = new ElectionHarness(configure?.Invoke(options) ?? options);
        await harness.Network.ListenAsync(
            [new PeerAddress("127.0.0.1", 0)], TestContext.Current.CancellationToken);
        return harness;
    }

    /// <summary>Tells of servers with their election ports.</summary>
    public void Use(params (long Id, int Port)[] servers) => Network.Use(Config(servers), null);

    public static EnsembleConfig Config(params (long Id, int Port)[] servers) => new(
        servers.Select(static it => new EnsembleServer(
            new ServerId(it.Id), [new ServerAddress("127.0.0.1", 1, it.Port)], ServerRole.Participant, null, null)), 0);

    public (ServerId From, byte[] Payload) TakeVote()
    {
        Assert.True(votes.TryTake(out (ServerId, byte[]) vote, ScriptedPeer.WaitMs), "no vote comes");
        return vote;
    }

    /// <summary>Waits for the report that a connection is there, or not.</summary>
    public void AwaitLink(long server, bool isUp)
    {
        while (true)
        {
            Assert.True(links.TryTake(out (ServerId Server, bool IsUp) link, ScriptedPeer.WaitMs), "no report comes");
            if (link == (new ServerId(server), isUp))
                return;
        }
    }

    public bool HasVotes => votes.Count > 0;

    public void VoteReceived(ServerId from, byte[] payload) => votes.Add((from, payload));

    public void VoteLinkChanged(ServerId server) => links.Add((server, Network.IsConnected(server)));

    public ValueTask DisposeAsync() => Network.DisposeAsync();
}
