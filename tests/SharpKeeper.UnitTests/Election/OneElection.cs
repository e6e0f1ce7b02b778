using SharpKeeper.Core;
using SharpKeeper.Core.Zab;
using SharpKeeper.Protocol;
using SharpKeeper.Protocol.Election;
using SharpKeeper.Protocol.Quorum;

namespace SharpKeeper.ElectionTests;

/// <summary>One server's election; the test plays the others.</summary>
internal sealed class OneElection
{
    private readonly Outbox outbox = new();
    private readonly EnsembleConfig config;
    private readonly EnsembleConfig? next;

    public OneElection(
        long self, EnsembleConfig config, EnsembleConfig? next = null, PlantedBug bugs = PlantedBug.None)
    {
        this.config = config;
        this.next = next;
        Election = new Election(Ensembles.Options(config, self, bugs), outbox);
    }

    public Election Election { get; }

    public long NowMs { get; set; }

    /// <summary>Starts and returns what was sent.</summary>
    public string Start(long zxid = 0, long epoch = 0, bool isVoter = true, bool isCandidate = true)
    {
        Election.Start(isVoter, new Zxid(zxid), epoch, new Membership(config, next), NowMs, isCandidate);
        return Sent();
    }

    /// <summary>Has a vote come in and returns what was sent.</summary>
    public string Get(
        long from, ServerState state, long leader, long zxid = 0, long round = 1, long epoch = 0, int version = 2,
        string? configText = null)
    {
        byte[]? text = version < 2 ? null : System.Text.Encoding.UTF8.GetBytes(configText ?? config.Format());
        VoteNotification notification = new(
            state, new ServerId(leader), new Zxid(zxid), round, epoch, version, text);
        const int unversionedBytes = 40;
        byte[] payload = notification.ToArray();
        Election.Receive(new ServerId(from), version < 2 ? payload[..unversionedBytes] : payload, NowMs);
        return Sent();
    }

    public string GetLooking(long from, long leader, long zxid = 0, long round = 1, long epoch = 0) =>
        Get(from, ServerState.Looking, leader, zxid, round, epoch);

    public string Link(long server, bool isUp)
    {
        Election.LinkChanged(new ServerId(server), isUp, NowMs);
        return Sent();
    }

    public string TickAt(long nowMs)
    {
        NowMs = nowMs;
        Election.Tick(nowMs);
        return Sent();
    }

    /// <summary>The decision, as "state leader", or "none".</summary>
    public string Decision() =>
        Election.TryTakeDecision(out ServerState state, out Vote vote) ? $"{state} {vote.Leader}" : "none";

    /// <summary>What was sent since, as "to: state leader zxid/round/epoch", separated by semicolons.</summary>
    public string Sent()
    {
        List<string> sent = [];
        while (outbox.Effects.TryDequeue(out Effect effect))
        {
            Assert.Equal(EffectKind.SendVote, effect.Kind);
            Assert.True(VoteNotification.TryRead(effect.Bytes, out VoteNotification notification));
            Assert.Equal(2, notification.Version);
            Assert.Equal(config.Format(), System.Text.Encoding.UTF8.GetString(notification.Config!));
            string leader = notification.Leader == ServerId.Nobody ? "nobody" : notification.Leader.ToString();
            string proof = notification.Leader == ServerId.Nobody
                ? $"{notification.Round}"
                : $"{notification.Zxid.Value:x}/{notification.Round}/{notification.PeerEpoch}";
            sent.Add($"{effect.Server}: {notification.State} {leader} {proof}");
        }
        return string.Join("; ", sent);
    }
}
