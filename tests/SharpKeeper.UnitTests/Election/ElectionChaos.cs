using SharpKeeper.Core.Zab;
using SharpKeeper.Protocol;
using SharpKeeper.ReplicaTests;

namespace SharpKeeper.ElectionTests;

/// <summary>
/// Faults from one seed over an <see cref="ElectionWorld"/>, with as much of the protocol behind an election as decides
/// whether servers look again: a leader is established if a quorum follows it in time, a follower gives up on a server
/// that does not lead.
/// </summary>
internal sealed class ElectionChaos
{
    /// <summary>
    /// Faults have lost messages, so that repetitions may be far apart, and a decision from before their end may have
    /// to be given up. In 6,000 schedules it was 0.9 s at most.
    /// </summary>
    public const int SettlesWithinMs = 3_000;

    private const int PatienceMs = 400;

    private readonly ElectionWorld world;
    private readonly Dice dice;
    private readonly int count;
    private readonly Membership members;
    private readonly Dictionary<long, long> leaderOfEpoch = [];
    private bool isQuiet;

    public ElectionChaos(ElectionWorld world, int count, Dice dice)
    {
        this.world = world;
        this.dice = dice;
        this.count = count;
        members = new Membership(world.Config, null);
        world.DelayMs = (_, _) => DelayMs();
        world.Copies = () => !isQuiet && dice.Hits(10) ? 1 + dice.Roll(40) : 0;
        world.Decided = server => world.At(world.NowMs + PatienceMs, () => Review(server, server.DecidedAtMs));
    }

    public void Run(long untilMs)
    {
        for (int id = 1; id <= count; id++)
        {
            long server = id;
            world.Add(id, zxid: dice.Roll(3), roundsBefore: dice.Roll(3));
            world.At(dice.Roll(300), () => world.Run(server));
        }
        for (long at = 300; at < untilMs; at += 20 + dice.Roll(100))
            world.At(at, Disturb);
        world.At(untilMs, Quieten);
        world.RunUntil(untilMs);
    }

    /// <summary>Does one leader lead, with every server following it?</summary>
    public bool IsServing() =>
        world.Running.Count() == count
        && world.Running.All(server => server.State != ServerState.Looking)
        && world.Running.Select(static server => server.Vote.Leader).Distinct().Count() == 1
        && world.Running.Count(static server => server.State == ServerState.Leading) == 1;

    private int DelayMs()
    {
        if (isQuiet)
            return 1 + dice.Roll(5);
        return dice.Hits(15) ? -1 : 1 + dice.Roll(dice.Hits(10) ? 400 : 20);
    }

    private void Disturb()
    {
        long one = 1 + dice.Roll(count);
        long other = 1 + dice.Roll(count);
        ElectionServer server = world[one];
        switch (dice.Roll(6))
        {
            case 0 when server.IsRunning && dice.Hits(50):
                world.Kill(one);
                break;
            case 1 when !server.IsRunning:
            case 2 when !server.IsRunning:
                world.Run(one);
                break;
            case 3 when one != other:
                world.Cut(one, other, isCut: dice.Hits(60));
                break;
            case 4 when server.IsRunning:
                world.Look(server);
                break;
            case 5 when server.IsRunning && server.Archived.Count > 0:
                (long to, byte[] payload) = dice.Pick(server.Archived);
                world.Deliver(one, to, payload);
                break;
        }
    }

    private void Quieten()
    {
        isQuiet = true;
        for (int id = 1; id <= count; id++)
        {
            for (int other = 1; other < id; other++)
                world.Cut(id, other, isCut: false);
            if (!world[id].IsRunning)
                world.Run(id);
        }
    }

    /// <summary>A while after its decision: is the server part of an ensemble, or does it look again?</summary>
    private void Review(ElectionServer server, long decidedAtMs)
    {
        if (!server.IsRunning || server.State == ServerState.Looking || server.DecidedAtMs != decidedAtMs)
            return;
        ElectionServer leader = world[server.Vote.Leader.Value];
        bool isReached = leader == server || world.CanTalk(server.Id, leader.Id);
        if (!isReached || leader.State != ServerState.Leading || !members.IsQuorum(FollowersOf(leader)))
        {
            world.Look(server);
            return;
        }
        if (server == leader)
            Establish(leader);
        world.At(world.NowMs + PatienceMs, () => Review(server, decidedAtMs));
    }

    private HashSet<ServerId> FollowersOf(ElectionServer leader) =>
    [
        .. world.Running.Where(server => server.IsVoter && server.State != ServerState.Looking
            && server.Vote.Leader.Value == leader.Id && (server == leader || world.CanTalk(server.Id, leader.Id)))
            .Select(static server => new ServerId(server.Id)),
    ];

    /// <summary>What discovery and synchronisation come to: a new epoch, which all followers take over.</summary>
    private void Establish(ElectionServer leader)
    {
        ElectionServer[] followers = [.. FollowersOf(leader).Select(id => world[id.Value])];
        if (leaderOfEpoch.TryGetValue(leader.Epoch, out long established) && established == leader.Id)
        {
            foreach (ElectionServer server in followers.Where(server => server.Epoch < leader.Epoch))
                Raise(server, leader.Epoch);
            return;
        }
        long epoch = followers.Max(static server => server.Epoch) + 1;
        leaderOfEpoch[epoch] = leader.Id;
        foreach (ElectionServer server in followers)
            Raise(server, epoch);
    }

    private static void Raise(ElectionServer server, long epoch)
    {
        server.Epoch = epoch;
        server.LastLogged = new Zxid(epoch << 32);
        server.Election.RaisePeerEpoch(epoch);
    }
}
