using System.Globalization;
using System.Text;
using SharpKeeper.Core;
using SharpKeeper.Core.Zab;
using SharpKeeper.Protocol;
using SharpKeeper.Protocol.Election;
using SharpKeeper.Protocol.Quorum;

namespace SharpKeeper.ZabTests;

/// <summary>
/// Whole ensembles on a perfect network with disks in memory and a clock that moves by hand. Every message between
/// servers is a line of <see cref="Trace"/>.
/// </summary>
internal sealed class EnsembleHarness : IDisposable
{
    private readonly List<HarnessServer> servers = [];
    private readonly Queue<Action> deliveries = new();
    private readonly StringBuilder trace = new();

    public EnsembleHarness(int voters, int observers = 0, bool reconfigEnabled = false, int initialVoters = 0)
    {
        ReconfigEnabled = reconfigEnabled;
        var members = new List<EnsembleServer>();
        for (int i = 1; i <= voters + observers; i++)
            members.Add(Member(i, i > voters ? ServerRole.Observer : ServerRole.Participant));
        Config = new EnsembleConfig(initialVoters > 0 ? members.Take(initialVoters) : members, 0);
        foreach (EnsembleServer member in members)
            servers.Add(new HarnessServer(this, member.Id, Config));
    }

    public EnsembleConfig Config { get; }

    public bool ReconfigEnabled { get; }

    public long NowMs { get; private set; } = 10_000;

    /// <summary>Changes the settings that each server starts with.</summary>
    public Func<EnsembleOptions, EnsembleOptions> Settings { get; init; } = static settings => settings;

    /// <summary>Transactions after which a leader makes way.</summary>
    public uint CounterMax { get; init; } = uint.MaxValue;

    /// <summary>Do observers keep a log?</summary>
    public bool ObserversLog { get; init; } = true;

    /// <summary>So many connections to the leader end as soon as they are there.</summary>
    public int DialsBroken { get; set; }

    /// <summary>Is a message between these two delivered?</summary>
    public Func<ServerId, ServerId, bool> IsLinked { get; set; } = static (_, _) => true;

    /// <summary>Does log writing end in durability at once?</summary>
    public bool IsDiskFast { get; set; } = true;

    public HarnessServer this[int id] => servers[id - 1];

    public IReadOnlyList<HarnessServer> Servers => servers;

    public string Trace => trace.ToString();

    private long traceStartMs = 10_000;

    /// <summary>Starts the trace, and its clock, anew.</summary>
    public void ClearTrace()
    {
        trace.Clear();
        traceStartMs = NowMs;
    }

    public static EnsembleServer Member(int id, ServerRole role = ServerRole.Participant) => new(
        new ServerId(id), [new ServerAddress("s" + id.ToString(CultureInfo.InvariantCulture), 2888, 3888)], role,
        new ClientAddress("s" + id.ToString(CultureInfo.InvariantCulture), 2181), null);

    public HarnessServer Leader => servers.Single(static server => server.IsUp && server.Replica.Zab!.Leader is { IsEstablished: true });

    public void Note(string line) => trace.Append(NowMs - traceStartMs).Append(' ').Append(line).Append('\n');

    public void StartAll()
    {
        foreach (HarnessServer server in servers)
            server.Start();
        Run(2000);
    }

    /// <summary>Lets time pass in steps of 10 ms and delivers everything that is sent.</summary>
    public void Run(int ms)
    {
        for (int passed = 0; passed < ms; passed += 10)
        {
            NowMs += 10;
            foreach (HarnessServer server in servers)
                server.Tick();
            Deliver();
        }
    }

    public void Deliver()
    {
        int limit = 1_000_000;
        while (deliveries.TryDequeue(out Action? delivery))
        {
            Assert.True(limit-- > 0, "messages go round in circles");
            delivery();
        }
    }

    public void Post(Action delivery) => deliveries.Enqueue(delivery);

    public void SendVote(HarnessServer from, ServerId to, byte[] payload)
    {
        Assert.True(VoteNotification.TryRead(payload, out VoteNotification vote));
        Note(string.Create(CultureInfo.InvariantCulture,
            $"{from.Id}->{to} vote {vote.State} leader={vote.Leader} zxid={vote.Zxid} round={vote.Round} epoch={vote.PeerEpoch}"));
        HarnessServer? target = servers.Find(server => server.Id == to);
        Post(() =>
        {
            if (target is { IsUp: true } && from.IsUp && IsLinked(from.Id, to) && IsLinked(to, from.Id))
                target.Step(Input.VoteReceived(from.Id, payload, NowMs, NowMs));
            else
                from.Step(Input.VoteLinkChanged(to, false, NowMs, NowMs));
        });
    }

    public void Dial(HarnessServer from, ServerId to, PeerLink link)
    {
        HarnessServer? target = servers.Find(server => server.Id == to);
        Post(() =>
        {
            if (link.IsClosed || !from.IsUp)
                return;
            if (target is not { IsUp: true, IsListening: true } || !IsLinked(from.Id, to))
            {
                from.DialLater(to, link);
                return;
            }
            if (DialsBroken > 0)
            {
                DialsBroken--;
                from.Step(Input.PeerConnected(link, NowMs, NowMs));
                from.Step(Input.PeerClosed(link, NowMs, NowMs));
                return;
            }
            var accepted = new PeerLink { Description = $"server {from.Id}" };
            var pair = new Wire(from, link, target, accepted);
            link.Owner = accepted.Owner = pair;
            target.Step(Input.LearnerConnected(accepted, NowMs, NowMs));
            from.Step(Input.PeerConnected(link, NowMs, NowMs));
        });
    }

    public void Transmit(HarnessServer from, PeerLink link, byte[] bytes)
    {
        if (link.Owner is not Wire wire)
            return;
        (HarnessServer target, PeerLink other) = wire.Other(link);
        NotePackets(from, target, bytes);
        Post(() =>
        {
            if (!IsLinked(from.Id, target.Id))
                wire.Break();
            else if (target.IsUp && !other.IsClosed)
                target.Step(Input.PeerPackets(other, bytes, NowMs, NowMs));
        });
    }

    public void Dispose()
    {
        foreach (HarnessServer server in servers)
            server.Dispose();
    }

    private void NotePackets(HarnessServer from, HarnessServer to, ReadOnlySpan<byte> bytes)
    {
        while (QuorumPackets.TryRead(bytes, 1 << 24, out QuorumPacket packet, out int consumed) == PacketReadResult.Complete)
        {
            Note($"{from.Id}->{to.Id} {packet.Type} {packet.Zxid}");
            bytes = bytes[consumed..];
        }
    }

    /// <summary>A connection between a learner and its leader.</summary>
    public sealed class Wire(HarnessServer learner, PeerLink learnerLink, HarnessServer leader, PeerLink leaderLink)
    {
        private bool isBroken;

        public (HarnessServer Server, PeerLink Link) Other(PeerLink link) =>
            ReferenceEquals(link, learnerLink) ? (leader, leaderLink) : (learner, learnerLink);

        public void Break()
        {
            if (isBroken)
                return;
            isBroken = true;
            learner.LinkGone(learnerLink);
            leader.LinkGone(leaderLink);
        }
    }
}
