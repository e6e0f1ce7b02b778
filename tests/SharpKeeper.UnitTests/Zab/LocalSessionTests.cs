using SharpKeeper.Protocol;

namespace SharpKeeper.ZabTests;

public class LocalSessionTests
{
    private const int Follower = 1;
    private const int OtherFollower = 2;
    private const int Leader = 3;

    [Theory]
    [InlineData(Follower)]
    [InlineData(Leader)]
    public void Connect_begins_a_session_that_no_other_server_knows_and_makes_no_transaction(int id)
    {
        using EnsembleHarness world = Started();
        Zxid before = world.Leader.Tree.LastProcessed;
        EnsembleClient client = world[id].Connect();

        Assert.True(client.IsConnected);
        Assert.NotNull(world[id].Replica.LocalSessions.Find(client.SessionId));
        Assert.All(world.Servers, server => Assert.Equal(0, server.Replica.CommittedSessions.Count));
        Assert.Equal(before, world.Leader.Tree.LastProcessed);
    }

    [Theory]
    [InlineData(Follower)]
    [InlineData(Leader)]
    public void Writes_of_a_local_session_reach_all_servers(int id)
    {
        using EnsembleHarness world = Started();
        EnsembleClient client = world[id].Connect();
        client.Create("/a");
        client.Create("/b");
        Assert.All(world.Servers, server => Assert.False(server.Tree.Find("/b"u8).IsNone));
    }

    [Theory]
    [InlineData(Follower)]
    [InlineData(Leader)]
    public void CloseSession_of_a_local_session_is_answered_without_a_transaction(int id)
    {
        using EnsembleHarness world = Started();
        EnsembleClient client = world[id].Connect();
        client.Create("/a");
        Zxid before = world.Leader.Tree.LastProcessed;

        int sent = client.Send(OpCode.CloseSession, []);
        Assert.Equal([(sent, ErrorCode.Ok)], client.TakeReplies());
        Assert.True(client.Link.IsClosing);
        Assert.Equal(before, world.Leader.Tree.LastProcessed);
        Assert.Equal(0, world[id].Replica.LocalSessions.Count);
        Assert.False(world[id].Resume(client).IsConnected);
    }

    [Theory]
    [InlineData(Follower)]
    [InlineData(Leader)]
    public void Silence_ends_a_local_session_at_its_server_alone(int id)
    {
        using EnsembleHarness world = Started();
        EnsembleClient client = world[id].Connect(timeoutMs: 4000);
        Zxid before = world.Leader.Tree.LastProcessed;
        world.Run(3900);
        Assert.True(client.IsConnected);
        world.Run(2000);
        Assert.False(client.IsConnected);
        Assert.Equal(0, world[id].Replica.LocalSessions.Count);
        Assert.Equal(before, world.Leader.Tree.LastProcessed);
        Assert.False(world[id].Resume(client).IsConnected);
    }

    [Theory]
    [InlineData(Follower)]
    [InlineData(Leader)]
    public void Reconnect_to_the_same_server_keeps_a_local_session_and_to_another_one_does_not(int id)
    {
        using EnsembleHarness world = Started();
        EnsembleClient first = world[id].Connect();
        EnsembleClient second = world[id].Resume(first);
        Assert.True(second.IsConnected);
        Assert.False(first.IsConnected);
        Assert.Equal(first.SessionId, second.SessionId);

        EnsembleClient moved = world[OtherFollower].Resume(second);
        Assert.False(moved.IsConnected);
        Assert.True(moved.Link.IsClosing);
        second.Create("/still-here");
    }

    [Theory]
    [InlineData(Follower, false)]
    [InlineData(Leader, false)]
    [InlineData(Follower, true)]
    [InlineData(Leader, true)]
    public void Ephemeral_makes_a_local_session_global_before_it_is_created(int id, bool inMulti)
    {
        using EnsembleHarness world = Started();
        EnsembleClient client = world[id].Connect();
        client.Create("/a");
        Zxid before = world.Leader.Tree.LastProcessed;
        int sent = inMulti
            ? client.Send(OpCode.Multi, EnsembleClient.MultiBody(
                (OpCode.Create, EnsembleClient.CreateBody("/b")),
                (OpCode.Create2, EnsembleClient.CreateBody("/e", CreateMode.Ephemeral))))
            : client.Send(OpCode.Create, EnsembleClient.CreateBody("/e", CreateMode.Ephemeral));

        Assert.Equal([(sent, ErrorCode.Ok)], client.TakeReplies());
        Assert.Equal(before.Value + 2, world.Leader.Tree.LastProcessed.Value);
        Assert.Equal(0, world[id].Replica.LocalSessions.Count);
        Assert.All(world.Servers, server => Assert.Equal(1, server.Replica.CommittedSessions.Count));
        Assert.False(client.Link.HasUnanswered);

        EnsembleClient moved = world[OtherFollower].Resume(client);
        Assert.True(moved.IsConnected);
        int closing = moved.Send(OpCode.CloseSession, []);
        Assert.Equal([(closing, ErrorCode.Ok)], moved.TakeReplies());
        Assert.All(world.Servers, server => Assert.True(server.Tree.Find("/e"u8).IsNone));
    }

    [Theory]
    [InlineData(Follower)]
    [InlineData(Leader)]
    public void Requests_behind_the_upgrade_are_answered_in_their_order(int id)
    {
        using EnsembleHarness world = Started();
        EnsembleClient client = world[id].Connect();
        client.TakeReplies();
        client.SendOnly(OpCode.Create, EnsembleClient.CreateBody("/a"));
        client.SendOnly(OpCode.Create, EnsembleClient.CreateBody("/a/e", CreateMode.EphemeralSequential));
        client.SendOnly(OpCode.Create, EnsembleClient.CreateBody("/a/e", CreateMode.Ephemeral));
        client.SendOnly(OpCode.Exists, [.. EnsembleClient.PathBody("/a/e"), 0]);
        client.SendOnly(OpCode.Delete, [.. EnsembleClient.PathBody("/a/e"), 255, 255, 255, 255]);
        client.SendOnly(OpCode.CloseSession, []);
        world.Deliver();
        Assert.Equal(
            [
                (1, ErrorCode.Ok), (2, ErrorCode.Ok), (3, ErrorCode.Ok), (4, ErrorCode.Ok), (5, ErrorCode.Ok),
                (6, ErrorCode.Ok),
            ],
            client.TakeReplies());
        Assert.All(world.Servers, server => Assert.Equal(0, server.Replica.CommittedSessions.Count));
    }

    [Theory]
    [InlineData(Follower)]
    [InlineData(Leader)]
    public void Ephemeral_is_refused_where_sessions_stay_local(int id)
    {
        using EnsembleHarness world = Started(upgrades: false);
        EnsembleClient client = world[id].Connect();
        client.Create("/a");
        int create = client.Send(OpCode.Create, EnsembleClient.CreateBody("/a/e", CreateMode.Ephemeral));
        Assert.Equal([(create, ErrorCode.EphemeralOnLocalSession)], client.TakeReplies());
        int multi = client.Send(OpCode.Multi, EnsembleClient.MultiBody(
            (OpCode.Create, EnsembleClient.CreateBody("/a/b")),
            (OpCode.Create, EnsembleClient.CreateBody("/a/e", CreateMode.Ephemeral))));
        Assert.Equal([(multi, ErrorCode.Ok)], client.TakeReplies());
        Assert.All(world.Servers, server => Assert.True(server.Tree.Find("/a/b"u8).IsNone));
        Assert.All(world.Servers, server => Assert.Equal(0, server.Tree.EphemeralCount));
        Assert.NotNull(world[id].Replica.LocalSessions.Find(client.SessionId));
    }

    [Fact]
    public void Session_that_became_global_expires_at_the_leader_when_its_server_is_cut_off()
    {
        using EnsembleHarness world = Started();
        EnsembleClient client = world[Follower].Connect(timeoutMs: 4000);
        client.Create("/e", CreateMode.Ephemeral);
        world.IsLinked = (from, to) => from.Value != Leader || to.Value != Follower;
        Assert.NotNull(world.Leader.Replica.Sessions.Find(client.SessionId));
        world.Run(8000);
        Assert.Null(world.Leader.Replica.Sessions.Find(client.SessionId));
        Assert.True(world.Leader.Tree.Find("/e"u8).IsNone);
        Assert.Equal(0, world.Leader.Tree.EphemeralCount);
    }

    [Fact]
    public void New_leader_ends_all_local_sessions()
    {
        using EnsembleHarness world = Started();
        EnsembleClient client = world[Follower].Connect();
        world[Leader].Crash();
        world.Run(3000);
        Assert.False(client.IsConnected);
        EnsembleClient again = world[Follower].Resume(client);
        Assert.False(again.IsConnected);
        Assert.True(again.Link.IsClosing);
        Assert.True(world[Follower].Connect().IsConnected);
    }

    private static EnsembleHarness Started(bool upgrades = true)
    {
        var world = new EnsembleHarness(3)
        {
            Settings = settings => settings with { LocalSessions = true, LocalSessionsUpgrade = upgrades },
        };
        world.StartAll();
        return world;
    }
}
