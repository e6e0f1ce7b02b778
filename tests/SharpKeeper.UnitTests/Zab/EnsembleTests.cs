using SharpKeeper.Core;
using SharpKeeper.Protocol;
using SharpKeeper.Protocol.Election;

namespace SharpKeeper.ZabTests;

public class EnsembleTests
{
    [Fact]
    public void Start_three_servers_elect_the_greatest_id_and_serve()
    {
        using var world = new EnsembleHarness(3);
        world.StartAll();
        Assert.Equal(3, world.Leader.Id.Value);
        Assert.All(world.Servers, server => Assert.True(server.Replica.IsServing));
        Assert.Equal(ServerState.Following, world[1].State);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void Write_through_any_server_reaches_all(int through)
    {
        using var world = new EnsembleHarness(3, observers: 1);
        world.StartAll();
        EnsembleClient client = world[through].Connect();
        Assert.True(client.IsConnected);
        client.Create("/a");
        Assert.All(world.Servers, server => Assert.False(server.Tree.Find("/a"u8).IsNone));
        Assert.All(world.Servers, server => Assert.Equal(world.Leader.Tree.LastProcessed, server.Tree.LastProcessed));
        Assert.All(world.Servers, server => Assert.Equal(world.Leader.Tree.Digest, server.Tree.Digest));
    }

    [Fact]
    public void Crash_of_the_leader_loses_nothing_acknowledged()
    {
        using var world = new EnsembleHarness(3);
        world.StartAll();
        world[1].Connect().Create("/a");
        world[3].Crash();
        world.Run(3000);
        Assert.Equal(2, world.Leader.Id.Value);
        EnsembleClient client = world[1].Connect();
        client.Create("/b");
        world[3].Start();
        world.Run(3000);
        Assert.Equal(ServerState.Following, world[3].State);
        Assert.False(world[3].Tree.Find("/a"u8).IsNone);
        Assert.False(world[3].Tree.Find("/b"u8).IsNone);
    }

    [Fact]
    public void Voters_that_change_their_votes_are_not_waited_for()
    {
        using var world = new EnsembleHarness(3);
        world[2].Start();
        world.Run(100);
        // The first server votes for the second while the third is not there yet; then it comes and is preferred.
        Vote(world, from: 1, leader: 2);
        Assert.Equal(ServerState.Leading, world[2].State);

        Vote(world, from: 3, leader: 3);
        Assert.Equal(ServerState.Leading, world[2].State);
        Vote(world, from: 1, leader: 3);

        Assert.Equal(ServerState.Looking, world[2].State);
    }

    [Fact]
    public void Voters_that_begin_another_election_are_not_waited_for()
    {
        using var world = new EnsembleHarness(3);
        world[2].Start();
        world.Run(100);
        Vote(world, from: 1, leader: 2);
        long next = world[2].Replica.Zab!.Election.Round + 1;

        Vote(world, from: 1, leader: 1, next);
        Assert.Equal(ServerState.Leading, world[2].State);
        Vote(world, from: 3, leader: 1, next);

        Assert.Equal(ServerState.Looking, world[2].State);
    }

    [Theory]
    [InlineData(2, 1)]
    [InlineData(3, 0)]
    public void Leader_that_looks_for_another_is_not_dialled_any_more(int leader, int roundsLater)
    {
        using var world = new EnsembleHarness(3);
        world[1].Start();
        world.Run(100);
        long round = world[1].Replica.Zab!.Election.Round;
        Vote(world, from: 2, leader: 2, isDelivered: false, to: 1);
        Assert.Equal(ServerState.Following, world[1].State);

        Vote(world, from: 2, leader: 2, round, isDelivered: false, to: 1);
        Assert.Equal(ServerState.Following, world[1].State);
        Vote(world, from: 2, leader, round + roundsLater, isDelivered: false, to: 1);

        Assert.Equal(ServerState.Looking, world[1].State);
    }

    [Fact]
    public void Voters_that_vote_for_less_are_waited_for()
    {
        using var world = new EnsembleHarness(3);
        world[2].Start();
        world.Run(100);
        Vote(world, from: 1, leader: 2);

        Vote(world, from: 1, leader: 1);
        Vote(world, from: 3, leader: 2);

        Assert.Equal(ServerState.Leading, world[2].State);
    }

    [Fact]
    public void Sync_is_answered_after_a_quorum_has_confirmed_the_leader()
    {
        using var world = new EnsembleHarness(3);
        world.StartAll();
        foreach (HarnessServer server in world.Servers)
        {
            EnsembleClient client = server.Connect();
            client.TakeReplies();
            int sync = client.Send(OpCode.Sync, EnsembleClient.PathBody("/"));
            Assert.Equal([(sync, ErrorCode.Ok)], client.TakeReplies());
        }
    }

    [Fact]
    public void Reconnect_to_another_server_keeps_the_session()
    {
        using var world = new EnsembleHarness(3);
        world.StartAll();
        EnsembleClient first = world[1].Connect();
        first.Create("/e", CreateMode.Ephemeral);
        var second = new EnsembleClient(world, world[2], 10_000, first.SessionId);
        Assert.True(second.IsConnected);
        Assert.Equal(first.SessionId, second.SessionId);
        second.Create("/f");
        first.Send(OpCode.Create, EnsembleClient.CreateBody("/g"));
        Assert.True(first.Link.IsHangingUp);
        Assert.True(world[1].Tree.Find("/g"u8).IsNone);
    }

    [Fact]
    public void Session_that_is_silent_expires_on_all_servers_and_one_with_signs_of_life_does_not()
    {
        using var world = new EnsembleHarness(3);
        world.StartAll();
        EnsembleClient silent = world[1].Connect(4000);
        silent.Create("/silent", CreateMode.Ephemeral);
        EnsembleClient lively = world[2].Connect(4000);
        lively.Create("/lively", CreateMode.Ephemeral);
        for (int i = 0; i < 12; i++)
        {
            lively.Link.LastHeardMs = world.NowMs;
            world.Run(1000);
        }
        Assert.All(world.Servers, server => Assert.True(server.Tree.Find("/silent"u8).IsNone));
        Assert.All(world.Servers, server => Assert.False(server.Tree.Find("/lively"u8).IsNone));
        Assert.True(silent.Link.IsHangingUp);
    }

    [Fact]
    public void Leader_whose_port_closes_connections_at_first_is_dialled_again()
    {
        using var world = new EnsembleHarness(3) { DialsBroken = 3 };
        world.StartAll();
        Assert.All(world.Servers, server => Assert.True(server.Replica.IsServing));
        Assert.DoesNotContain("round=2", world.Trace, StringComparison.Ordinal);
    }

    private static void Vote(
        EnsembleHarness world, int from, int leader, long? round = null, bool isDelivered = true, int to = 2)
    {
        HarnessServer target = world[to];
        byte[] vote = new VoteNotification(
            ServerState.Looking, new ServerId(leader), new Zxid(0), round ?? target.Replica.Zab!.Election.Round, 0,
            VoteNotification.CurrentVersion, null).ToArray();
        target.Step(Input.VoteReceived(new ServerId(from), vote, world.NowMs, world.NowMs));
        // What this gives rise to finds nobody there, and tells so.
        if (isDelivered)
            world.Deliver();
    }
}
