using System.Globalization;
using System.Text;
using SharpKeeper.Core;
using SharpKeeper.Core.Zab;
using SharpKeeper.Protocol;
using SharpKeeper.Protocol.Election;
using SharpKeeper.Protocol.Quorum;

namespace SharpKeeper.ElectionTests;

/// <summary>
/// Servers that elect over a network in memory, in virtual time. Everything that happens follows from the calls and the
/// hooks; what was sent and decided is written down for people to read.
/// </summary>
internal sealed class ElectionWorld(EnsembleConfig config)
{
    private readonly PriorityQueue<Action, (long AtMs, long Order)> agenda = new();
    private readonly SortedDictionary<long, ElectionServer> servers = [];
    private readonly HashSet<(long, long)> cuts = [];
    private readonly StringBuilder trace = new();
    private long order;

    public EnsembleConfig Config => config;

    public long NowMs { get; private set; }

    /// <summary>How long a message takes; less than 0 if it is lost. By default 2 ms.</summary>
    public Func<long, long, int> DelayMs { get; set; } = static (_, _) => 2;

    /// <summary>How many times more a message arrives. By default never.</summary>
    public Func<int> Copies { get; set; } = static () => 0;

    /// <summary>What follows a decision; by default the server stays settled.</summary>
    public Action<ElectionServer> Decided { get; set; } = static _ => { };

    /// <summary>
    /// Are servers told of the connections that a starting one makes? They send their votes once more then, which makes
    /// traces long.
    /// </summary>
    public bool TellsOfConnections { get; set; } = true;

    public string Trace => trace.ToString();

    public IEnumerable<ElectionServer> Servers => servers.Values;

    public ElectionServer this[long id] => servers[id];

    public IEnumerable<ElectionServer> Running => Servers.Where(static server => server.IsRunning);

    public ElectionServer Add(long id, long zxid = 0, long epoch = 0, long roundsBefore = 0, PlantedBug bugs = default)
    {
        ElectionServer server = new(id, config, bugs) { LastLogged = new Zxid(zxid), Epoch = epoch };
        for (long round = 0; round < roundsBefore; round++)
            server.LookUnheard(NowMs);
        servers.Add(id, server);
        return server;
    }

    /// <summary>Starts the server as a process: those that it reaches learn that it is there.</summary>
    public void Run(long id)
    {
        ElectionServer server = servers[id];
        server.IsRunning = true;
        foreach (ElectionServer other in Running.Where(other => other != server && CanTalk(id, other.Id)))
        {
            if (TellsOfConnections)
                ReportLink(id, other.Id, isUp: true);
        }
        Look(server);
    }

    /// <summary>Ends the process; its election begins with round 1 when it runs again.</summary>
    public void Kill(long id)
    {
        servers[id].IsRunning = false;
        servers[id].Reset(config);
        foreach (ElectionServer other in Running)
            ReportLink(id, other.Id, isUp: false);
    }

    public void Look(ElectionServer server)
    {
        server.Look(NowMs);
        AfterStep(server);
    }

    /// <summary>Cuts or heals the network between two servers.</summary>
    public void Cut(long one, long other, bool isCut)
    {
        bool isChanged = isCut ? cuts.Add(Pair(one, other)) : cuts.Remove(Pair(one, other));
        if (isChanged && servers[one].IsRunning && servers[other].IsRunning)
            ReportLink(one, other, !isCut);
    }

    public bool CanTalk(long one, long other) =>
        servers[one].IsRunning && servers[other].IsRunning && !cuts.Contains(Pair(one, other));

    public void At(long atMs, Action what) => agenda.Enqueue(what, (atMs, order++));

    /// <summary>Starts the server in the middle of its life, as one that follows or leads.</summary>
    public void RunSettled(long id, ServerState state, Vote vote)
    {
        ElectionServer server = servers[id];
        server.IsRunning = true;
        server.State = state;
        server.Vote = vote;
        server.Election.Settle(state, vote);
        Note($"{id} is {Word(state)}   for {vote.Leader}  {ProofOf(vote)}");
    }

    /// <summary>What a looking server of this configuration sends.</summary>
    public byte[] PayloadOf(Vote vote) =>
        new VoteNotification(
            ServerState.Looking, vote.Leader, vote.Zxid, vote.Round, vote.PeerEpoch, VoteNotification.CurrentVersion,
            Encoding.UTF8.GetBytes(config.Format())).ToArray();

    /// <summary>A message that was on its way for very long arrives.</summary>
    public void DeliverStale(long from, long to, byte[] payload)
    {
        Assert.True(VoteNotification.TryRead(payload, out VoteNotification sent));
        Vote vote = new(sent.Leader, sent.Zxid, sent.Round, sent.PeerEpoch);
        Note($"{from} -> {to} {Word(sent.State)} for {vote.Leader}  {ProofOf(vote)}  stale");
        servers[to].Election.Receive(new ServerId(from), payload, NowMs);
        AfterStep(servers[to]);
    }

    /// <summary>Adds a line for the reader.</summary>
    public void Comment(string line) => trace.Append("# ").Append(line).Append('\n');

    public void Note(string what) =>
        trace.Append(CultureInfo.InvariantCulture, $"{NowMs,6}  {what}\n");

    /// <summary>Lets time pass up to a moment.</summary>
    public void RunUntil(long untilMs)
    {
        while (agenda.TryPeek(out Action? what, out (long AtMs, long Order) key) && key.AtMs <= untilMs)
        {
            agenda.Dequeue();
            NowMs = Math.Max(NowMs, key.AtMs);
            what();
        }
        NowMs = untilMs;
    }

    /// <summary>Lets time pass until a condition holds; false if it does not until then.</summary>
    public bool RunUntil(long untilMs, Func<bool> condition)
    {
        while (!condition())
        {
            if (!agenda.TryPeek(out _, out (long AtMs, long Order) key) || key.AtMs > untilMs)
                return false;
            RunUntil(key.AtMs);
        }
        return true;
    }

    /// <summary>Hands a payload over, if there is a way for it.</summary>
    public void Deliver(long from, long to, byte[] payload)
    {
        if (!CanTalk(from, to))
            return;
        servers[to].Election.Receive(new ServerId(from), payload, NowMs);
        AfterStep(servers[to]);
    }

    private static (long, long) Pair(long one, long other) => (Math.Min(one, other), Math.Max(one, other));

    private void ReportLink(long one, long other, bool isUp)
    {
        ReportLinkTo(one, other, isUp);
        ReportLinkTo(other, one, isUp);
    }

    private void ReportLinkTo(long id, long other, bool isUp) => At(NowMs + 1, () =>
    {
        ElectionServer server = servers[id];
        if (!server.IsRunning || CanTalk(id, other) != isUp)
            return;
        server.Election.LinkChanged(new ServerId(other), isUp, NowMs);
        AfterStep(server);
    });

    private void AfterStep(ElectionServer server)
    {
        while (server.Outbox.Effects.TryDequeue(out Effect effect))
            Send(server.Id, effect.Server.Value, effect.Bytes!);
        if (server.Election.TryTakeDecision(out ServerState state, out Vote vote))
        {
            server.State = state;
            server.Vote = vote;
            server.DecidedAtMs = NowMs;
            Note($"{server.Id} is {Word(state)}   for {vote.Leader}  {ProofOf(vote)}");
            Decided(server);
        }
        ScheduleTick(server);
    }

    private void ScheduleTick(ElectionServer server)
    {
        long due = server.Election.DueMs;
        if (due == long.MaxValue || server.TickAtMs == due)
            return;
        server.TickAtMs = due;
        Election ticked = server.Election;
        At(Math.Max(due, NowMs), () =>
        {
            if (server.Election != ticked || server.TickAtMs != due)
                return;
            server.TickAtMs = 0;
            server.Election.Tick(NowMs);
            AfterStep(server);
        });
    }

    private void Send(long from, long to, byte[] payload)
    {
        bool canTalk = servers.ContainsKey(to) && CanTalk(from, to);
        int delayMs = canTalk ? DelayMs(from, to) : -1;
        Assert.True(VoteNotification.TryRead(payload, out VoteNotification sent));
        Vote vote = new(sent.Leader, sent.Zxid, sent.Round, sent.PeerEpoch);
        Note($"{from} -> {to} {Word(sent.State)} for {vote.Leader}  {ProofOf(vote)}{(delayMs < 0 ? "  lost" : "")}");
        if (!canTalk)
            ReportLinkTo(from, to, isUp: false);
        if (delayMs < 0)
            return;
        servers[from].Archive(to, payload);
        At(NowMs + delayMs, () => Deliver(from, to, payload));
        for (int copy = Copies(); copy > 0; copy--)
            At(NowMs + delayMs + (copy * 7), () => Deliver(from, to, payload));
    }

    private static string Word(ServerState state) => state switch
    {
        ServerState.Looking => "looking  ",
        ServerState.Following => "following",
        ServerState.Leading => "leading  ",
        _ => "observing",
    };

    private static string ProofOf(in Vote vote) =>
        vote.Leader == ServerId.Nobody
            ? $"round {vote.Round}"
            : $"zxid {vote.Zxid}  round {vote.Round}  epoch {vote.PeerEpoch}";
}

/// <summary>One server of an <see cref="ElectionWorld"/>.</summary>
internal sealed class ElectionServer
{
    private readonly List<(long To, byte[] Payload)> archive = [];
    private readonly PlantedBug bugs;
    private readonly Membership members;

    public ElectionServer(long id, EnsembleConfig config, PlantedBug bugs)
    {
        Id = id;
        this.bugs = bugs;
        members = new Membership(config, null);
        Outbox = new Outbox();
        Election = new Election(Ensembles.Options(config, id, bugs), Outbox);
    }

    public long Id { get; }

    public Election Election { get; private set; }

    public Outbox Outbox { get; private set; }

    public Zxid LastLogged { get; set; }

    public long Epoch { get; set; }

    public bool IsRunning { get; set; }

    public bool IsVoter => members.IsVoter(new ServerId(Id));

    /// <summary>Looking, or what the last election ended with.</summary>
    public ServerState State { get; set; }

    public Vote Vote { get; set; }

    public long DecidedAtMs { get; set; }

    public long TickAtMs { get; set; }

    /// <summary>What was sent to others, for sending it again much later.</summary>
    public IReadOnlyList<(long To, byte[] Payload)> Archived => archive;

    public void Look(long nowMs)
    {
        State = ServerState.Looking;
        Election.Start(IsVoter, LastLogged, Epoch, members, nowMs);
    }

    /// <summary>Takes a round of which nobody learns.</summary>
    public void LookUnheard(long nowMs)
    {
        Look(nowMs);
        Outbox.Effects.Clear();
    }

    public void Reset(EnsembleConfig config)
    {
        Outbox = new Outbox();
        Election = new Election(Ensembles.Options(config, Id, bugs), Outbox);
        State = ServerState.Looking;
        TickAtMs = 0;
    }

    public void Archive(long to, byte[] payload)
    {
        const int keptMax = 200;
        if (archive.Count < keptMax)
            archive.Add((to, payload));
    }
}
