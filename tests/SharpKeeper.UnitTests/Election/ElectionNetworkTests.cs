using SharpKeeper.Protocol;
using SharpKeeper.ReplicaTests;

namespace SharpKeeper.ElectionTests;

/// <summary>Whole ensembles that elect in virtual time.</summary>
public class ElectionNetworkTests
{
    [Theory]
    [InlineData(3)]
    [InlineData(5)]
    [InlineData(7)]
    public void Start_in_a_quiet_network_elects_the_greatest_vote_in_no_more_than_three_delays(int voters)
    {
        for (int seed = 0; seed < TestScale.Of(100); seed++)
        {
            Dice dice = new(seed);
            ElectionWorld world = new(Ensembles.Of(voters));
            for (int id = 1; id <= voters; id++)
            {
                long epoch = 1 + dice.Roll(3);
                world.Add(id, zxid: (epoch << 32) + dice.Roll(3), epoch, roundsBefore: dice.Roll(4));
            }
            ElectionServer best = world.Servers.MaxBy(static s => (s.Epoch, s.LastLogged.Value, s.Id))!;
            foreach (ElectionServer server in world.Servers.ToArray())
                world.At(dice.Roll(2), () => world.Run(server.Id));

            // All agree, and nobody waits for more; rounds are caught up with on the way.
            Assert.True(world.RunUntil(50, () => IsSettledOn(world, best.Id)), $"seed {seed}\n{world.Trace}");
        }
    }

    [Fact]
    public void Start_with_a_server_missing_and_its_link_not_known_to_be_down_takes_the_wait()
    {
        ElectionWorld world = new(Ensembles.Of(3)) { DelayMs = static (_, to) => to == 3 ? -1 : 2 };
        foreach (int id in new[] { 1, 2 })
            world.Add(id);
        world.Add(3).IsRunning = true;
        world.Run(1);
        world.Run(2);

        Assert.False(world.RunUntil(199, () => world.Servers.Any(static s => s.State != ServerState.Looking)));
        Assert.True(world.RunUntil(210, () => IsSettledOn(world, 2, 1, 2)), world.Trace);
    }

    [Fact]
    public void Kill_of_the_leader_elects_another_without_a_wait()
    {
        for (int seed = 0; seed < TestScale.Of(100); seed++)
        {
            Dice dice = new(seed);
            ElectionWorld world = AllRunning(voters: 3 + (2 * dice.Roll(3)));
            ElectionServer leader = world.Servers.Single(static s => s.State == ServerState.Leading);
            world.RunUntil(1000);
            world.Kill(leader.Id);
            foreach (ElectionServer server in world.Running.ToArray())
                world.At(1000 + dice.Roll(20), () => world.Look(server));

            long next = world.Running.Max(static s => s.Id);
            Assert.True(world.RunUntil(1060, () => IsSettledOn(world, next)), $"seed {seed}\n{world.Trace}");
        }
    }

    [Fact]
    public void Run_of_a_late_joiner_follows_the_leader_there_is_however_good_its_vote()
    {
        ElectionWorld world = new(Ensembles.Of(3));
        world.Add(1);
        world.Add(2);
        world.Add(3, zxid: 0x9_0000_0009, epoch: 9);
        world.Run(1);
        world.Run(2);
        world.RunUntil(500);
        Assert.True(IsSettledOn(world, 2, 1, 2), world.Trace);
        world.Run(3);
        world.RunUntil(510);

        Assert.Equal((ServerState.Following, 2), (world[3].State, world[3].Vote.Leader.Value));
    }

    [Fact]
    public void Run_of_observers_learns_the_leader_whenever_they_start()
    {
        ElectionWorld world = new(Ensembles.Of(3, observers: 2));
        for (int id = 1; id <= 5; id++)
            world.Add(id);
        world.Run(4);
        world.RunUntil(100);
        foreach (int id in new[] { 1, 2, 3 })
            world.Run(id);
        world.At(400, () => world.Run(5));

        world.RunUntil(500);
        Assert.True(IsSettledOn(world, 3), world.Trace);
        Assert.Equal(ServerState.Observing, world[4].State);
        Assert.Equal(ServerState.Observing, world[5].State);
    }

    [Fact]
    public void Run_in_weighted_groups_elects_a_server_of_weight()
    {
        ElectionWorld world = new(Ensembles.InGroups());
        for (int id = 1; id <= 9; id++)
            world.Add(id, epoch: id > 6 ? 5 : 1);
        for (int id = 1; id <= 9; id++)
            world.Run(id);

        Assert.True(world.RunUntil(5000, () => IsSettledOn(world, 6)), world.Trace);
    }

    [Fact]
    public void Cut_off_minority_decides_nothing_and_joins_after_the_cut()
    {
        ElectionWorld world = new(Ensembles.Of(5));
        for (int id = 1; id <= 5; id++)
            world.Add(id);
        foreach (int minor in new[] { 4, 5 })
        {
            foreach (int major in new[] { 1, 2, 3 })
                world.Cut(minor, major, isCut: true);
        }
        for (int id = 1; id <= 5; id++)
            world.Run(id);
        world.RunUntil(100_000);
        Assert.True(IsSettledOn(world, 3, 1, 2, 3), world.Trace);
        Assert.Equal(ServerState.Looking, world[4].State);
        Assert.Equal(ServerState.Looking, world[5].State);
        foreach (int minor in new[] { 4, 5 })
        {
            foreach (int major in new[] { 1, 2, 3 })
                world.Cut(minor, major, isCut: false);
        }

        Assert.True(world.RunUntil(100_010, () => IsSettledOn(world, 3)), world.Trace);
    }

    /// <summary>
    /// Whatever happened before: once the network is quiet, all servers come to one leader, and nobody leads beside it.
    /// </summary>
    [Theory]
    [InlineData(3, 0)]
    [InlineData(3, 1)]
    [InlineData(5, 1)]
    [InlineData(7, 0)]
    public void Random_schedules_end_with_one_leader_soon_after_the_faults(int voters, int observers)
    {
        for (int seed = 0; seed < TestScale.Of(150); seed++)
        {
            ElectionWorld world = new(Ensembles.Of(voters, observers));
            ElectionChaos chaos = new(world, voters + observers, new Dice(seed));
            chaos.Run(untilMs: 4000);
            bool isSettled = world.RunUntil(4000 + ElectionChaos.SettlesWithinMs, chaos.IsServing);
            Assert.True(isSettled, $"seed {seed}\n{Tail(world.Trace)}");
        }
    }

    [Fact]
    public void Random_schedule_goes_the_same_way_again()
    {
        string[] traces = new string[2];
        foreach (ref string trace in traces.AsSpan())
        {
            ElectionWorld world = new(Ensembles.Of(5, observers: 1));
            new ElectionChaos(world, 6, new Dice(12)).Run(untilMs: 3000);
            trace = world.Trace;
        }
        Assert.Equal(traces[0], traces[1]);
    }

    private static string Tail(string trace) => trace[Math.Max(0, trace.Length - 6000)..];

    private static ElectionWorld AllRunning(int voters)
    {
        ElectionWorld world = new(Ensembles.Of(voters));
        for (int id = 1; id <= voters; id++)
            world.Add(id);
        for (int id = 1; id <= voters; id++)
            world.Run(id);
        Assert.True(world.RunUntil(100, () => IsSettledOn(world, voters)), world.Trace);
        return world;
    }

    private static bool IsSettledOn(ElectionWorld world, long leader, params long[] ids) =>
        world.Running.Where(server => ids.Length == 0 || ids.Contains(server.Id)).All(server =>
            server.State != ServerState.Looking && server.Vote.Leader.Value == leader
            && server.State == ServerState.Leading == (server.Id == leader));
}
