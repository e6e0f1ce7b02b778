using SharpKeeper.Core.Sessions;
using SharpKeeper.Protocol;

namespace SharpKeeper.ZabTests;

public class SessionMoveTests
{
    private const int First = 1;
    private const int Second = 2;
    private const int Leader = 3;

    [Theory]
    [InlineData(First, Second)]
    [InlineData(First, Leader)]
    [InlineData(Leader, First)]
    [InlineData(First, First)]
    public void Move_takes_ephemerals_along(int from, int to)
    {
        using EnsembleHarness world = Started();
        EnsembleClient before = world[from].Connect();
        before.Create("/e", CreateMode.Ephemeral);
        EnsembleClient after = world[to].Resume(before);
        Assert.True(after.IsConnected);
        Assert.Equal(before.SessionId, after.SessionId);
        world.Run(3000);
        Assert.All(world.Servers, server => Assert.False(server.Tree.Find("/e"u8).IsNone));
        after.Create("/f", CreateMode.Ephemeral);

        int closing = after.Send(OpCode.CloseSession, []);
        Assert.Equal([(closing, ErrorCode.Ok)], after.TakeReplies());
        Assert.All(world.Servers, server => Assert.Equal(0, server.Tree.EphemeralCount));
        Assert.All(world.Servers, server => Assert.Equal(0, server.Replica.CommittedSessions.Count));
    }

    [Theory]
    [InlineData(First, Second)]
    [InlineData(First, Leader)]
    [InlineData(Leader, First)]
    public void Write_over_the_connection_of_before_closes_it_and_changes_nothing(int from, int to)
    {
        using EnsembleHarness world = Started();
        EnsembleClient before = world[from].Connect();
        EnsembleClient after = world[to].Resume(before);
        before.Send(OpCode.Create, EnsembleClient.CreateBody("/a"));
        Assert.False(before.IsConnected);
        Assert.All(world.Servers, server => Assert.True(server.Tree.Find("/a"u8).IsNone));
        Assert.True(after.IsConnected);
        after.Create("/a");
    }

    [Theory]
    [InlineData(First, Second)]
    [InlineData(First, Leader)]
    [InlineData(Leader, First)]
    public void End_of_the_connection_of_before_does_not_end_the_session(int from, int to)
    {
        using EnsembleHarness world = Started();
        EnsembleClient before = world[from].Connect(4000);
        before.Create("/e", CreateMode.Ephemeral);
        EnsembleClient after = world[to].Resume(before, 4000);
        before.Disconnect();
        for (int i = 0; i < 10; i++)
        {
            after.Link.LastHeardMs = world.NowMs;
            world.Run(1000);
        }
        Assert.True(after.IsConnected);
        Assert.All(world.Servers, server => Assert.False(server.Tree.Find("/e"u8).IsNone));
    }

    [Fact]
    public void Watches_stay_behind_unless_the_client_sets_them_again()
    {
        using EnsembleHarness world = Started();
        EnsembleClient before = world[First].Connect();
        before.Create("/a");
        before.Send(OpCode.Exists, [.. EnsembleClient.PathBody("/a"), 1]);
        EnsembleClient after = world[Second].Resume(before);
        after.TakeReplies();
        EnsembleClient other = world[Leader].Connect();
        other.Send(OpCode.Delete, [.. EnsembleClient.PathBody("/a"), 255, 255, 255, 255]);
        Assert.Empty(after.TakeReplies());

        after.Send(OpCode.Exists, [.. EnsembleClient.PathBody("/a"), 1]);
        after.TakeReplies();
        other.Create("/a");
        Assert.Equal(-1, Assert.Single(after.TakeReplies()).Xid);
    }

    [Theory]
    [InlineData(First)]
    [InlineData(Second)]
    [InlineData(Leader)]
    public void Wrong_password_is_refused_and_the_session_lives_on(int to)
    {
        using EnsembleHarness world = Started();
        EnsembleClient owner = world[First].Connect();
        owner.Create("/e", CreateMode.Ephemeral);
        EnsembleClient stranger = world[to].Resume(owner, password: new byte[SessionPassword.Bytes]);
        Assert.True(stranger.Link is { IsEstablished: false, IsClosing: true });
        Assert.True(world[Second].Resume(owner).IsConnected);
        Assert.All(world.Servers, server => Assert.False(server.Tree.Find("/e"u8).IsNone));
    }

    [Fact]
    public void Session_that_nobody_has_begun_is_refused_everywhere()
    {
        using EnsembleHarness world = Started();
        foreach (HarnessServer server in world.Servers)
        {
            var client = new EnsembleClient(world, server, 10_000, session: 0x0100_1234_5678_0000);
            Assert.True(client.Link is { IsEstablished: false, IsClosing: true });
        }
    }

    [Fact]
    public void Follower_that_lags_sends_a_client_that_has_seen_more_away()
    {
        using EnsembleHarness world = Started();
        EnsembleClient client = world[Leader].Connect();
        client.Create("/a");
        world.IsLinked = (from, to) => from.Value != Leader || to.Value != First;
        client.Create("/b");
        long seen = world.Leader.Tree.LastProcessed.Value;
        EnsembleClient lagging = world[First].Resume(client, lastZxid: seen);
        Assert.False(lagging.IsConnected);
        Assert.True(world[Second].Resume(client, lastZxid: seen).IsConnected);
        world.Run(300);
        Assert.True(lagging.Link is { IsHangingUp: true, IsEstablished: false });
    }

    [Fact]
    public void Session_of_a_server_that_crashed_moves()
    {
        using EnsembleHarness world = Started();
        EnsembleClient before = world[First].Connect();
        before.Create("/e", CreateMode.Ephemeral);
        world[First].Crash();
        world.Run(1000);
        EnsembleClient after = world[Second].Resume(before);
        Assert.True(after.IsConnected);
        after.Create("/f", CreateMode.Ephemeral);
        Assert.False(world.Leader.Tree.Find("/e"u8).IsNone);
    }

    [Fact]
    public void New_leader_gives_every_session_its_full_timeout()
    {
        using EnsembleHarness world = Started();
        EnsembleClient client = world[First].Connect(6000);
        client.Create("/e", CreateMode.Ephemeral);
        world.Run(5000);
        world[Leader].Crash();
        int waited = 0;
        for (; !world[Second].Replica.IsServing; waited += 10)
        {
            Assert.True(waited < 5000, "no leader is elected");
            world.Run(10);
        }
        world.Run(5500);
        Assert.False(world[Second].Tree.Find("/e"u8).IsNone);
        EnsembleClient again = world[First].Resume(client, 6000);
        Assert.True(again.IsConnected);
        world.Run(9000);
        Assert.True(world[Second].Tree.Find("/e"u8).IsNone);
    }

    [Fact]
    public void Last_sign_of_life_over_a_connection_that_closed_counts()
    {
        using EnsembleHarness world = Started();
        EnsembleClient client = world[First].Connect(4000);
        client.Create("/e", CreateMode.Ephemeral);
        world.Run(3950);
        client.Link.LastHeardMs = world.NowMs;
        client.Disconnect();
        world.Run(3500);
        Assert.False(world.Leader.Tree.Find("/e"u8).IsNone);
        world.Run(3000);
        Assert.True(world.Leader.Tree.Find("/e"u8).IsNone);
    }

    [Fact]
    public void Learner_ends_no_session_that_its_leader_keeps()
    {
        using EnsembleHarness world = Started();
        EnsembleClient client = world[First].Connect(4000);
        client.Create("/e", CreateMode.Ephemeral);
        EnsembleClient after = world[Leader].Resume(client, 4000);
        for (int i = 0; i < 10; i++)
        {
            after.Link.LastHeardMs = world.NowMs;
            world.Run(1000);
        }
        Assert.All(world.Servers, server => Assert.Equal(1, server.Replica.CommittedSessions.Count));
        Assert.Equal(0, world[First].Replica.Statistics.SessionsExpired);
    }

    [Fact]
    public void Ids_differ_between_servers_and_from_those_of_before_a_restart()
    {
        using EnsembleHarness world = Started();
        var seen = new HashSet<long>();
        for (int round = 0; round < 3; round++)
        {
            foreach (HarnessServer server in world.Servers)
            {
                Assert.True(seen.Add(server.Connect().SessionId));
                Assert.True(seen.Add(server.Connect().SessionId));
            }
            world[First].Crash();
            // The clock of the machine was set back to the time of the first start.
            world[First].SessionSeedMs = 10_000;
            world[First].Start();
            world.Run(3000);
        }
    }

    [Fact]
    public void CreateSession_under_way_when_the_leader_dies_is_made_or_not_and_never_half()
    {
        using EnsembleHarness world = Started();
        world.IsLinked = (from, to) => from.Value != First || to.Value != Leader;
        EnsembleClient lost = world[First].Connect();
        Assert.False(lost.IsConnected);
        world[Leader].Crash();
        world.IsLinked = static (_, _) => true;
        world.Run(3000);
        Assert.False(world[First].Resume(lost).IsConnected);
        Assert.Equal(0, world[First].Replica.CommittedSessions.Count);

        // This one reaches a quorum, and only its answer is lost.
        world[Leader].Start();
        world.Run(3000);
        HarnessServer leader = world.Leader;
        HarnessServer follower = world.Servers.First(server => server != leader);
        HarnessServer third = world.Servers.First(server => server != leader && server != follower);
        world.IsLinked = (from, to) => from != leader.Id || to != follower.Id;
        EnsembleClient made = follower.Connect();
        Assert.False(made.IsConnected);
        leader.Crash();
        world.IsLinked = static (_, _) => true;
        world.Run(3000);
        Assert.Equal(1, third.Replica.CommittedSessions.Count);
        EnsembleClient again = third.Resume(made);
        Assert.True(again.IsConnected);
        again.Create("/e", CreateMode.Ephemeral);
    }

    private static EnsembleHarness Started()
    {
        var world = new EnsembleHarness(3);
        world.StartAll();
        return world;
    }
}
