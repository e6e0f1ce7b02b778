using SharpKeeper.Core.Tree;
using SharpKeeper.Core.Zab;
using SharpKeeper.Protocol;
using SharpKeeper.Protocol.Quorum;

namespace SharpKeeper.ZabTests;

/// <summary>Changes of the ensemble itself.</summary>
public class ReconfigTests
{
    [Fact]
    public void Removing_the_leader_hands_over_to_a_designated_server_without_an_election()
    {
        using var world = new EnsembleHarness(3, reconfigEnabled: true);
        world.StartAll();
        world[1].Connect().Create("/a");
        EnsembleClient client = world[1].Connect();
        world.ClearTrace();
        client.Send(OpCode.Reconfig, Body(leaving: "3"));
        world.Run(2000);
        Assert.Equal([1L, 2L], world.Leader.Config.Voters.Select(static id => id.Value));
        Assert.NotEqual(3, world.Leader.Id.Value);
        Assert.Equal(ServerState.Following, world[3].State);
        world[2].Connect().Create("/b");
        Assert.False(world[3].Tree.Find("/b"u8).IsNone);
        Assert.All(world.Servers, server => Assert.Equal(world.Leader.Config.Version, server.Config.Version));
        GoldenTrace.Check("reconfig-removes-leader", world.Trace);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void Who_removes_the_leader_is_told_so_before_the_connection_ends(int through)
    {
        using var world = new EnsembleHarness(3, reconfigEnabled: true);
        world.StartAll();
        Assert.Equal(3, world.Leader.Id.Value);
        EnsembleClient client = world[through].Connect();
        client.TakeReplies();
        int xid = client.Send(OpCode.Reconfig, Body(leaving: "3"));
        world.Run(2000);
        Assert.Equal([(xid, ErrorCode.Ok)], client.TakeReplies());
        Assert.False(client.IsConnected);
    }

    [Fact]
    public void Server_that_joins_and_is_added_votes()
    {
        using var world = new EnsembleHarness(4, reconfigEnabled: true, initialVoters: 3);
        world.StartAll();
        Assert.Equal(ServerState.Following, world[4].State);
        EnsembleClient client = world[2].Connect();
        client.TakeReplies();
        int xid = client.Send(OpCode.Reconfig, Body(joining: "server.4=" + EnsembleHarness.Member(4).Format()));
        Assert.Equal([(xid, ErrorCode.Ok)], client.TakeReplies());
        world.Run(1000);
        Assert.Equal(4, world.Leader.Config.Voters.Count);
        Assert.All(world.Servers, server => Assert.Null(server.NextConfig));
        world[1].Crash();
        world.Run(3000);
        world[2].Connect().Create("/a");
        Assert.False(world[4].Tree.Find("/a"u8).IsNone);
    }

    [Fact]
    public void Reconfiguration_in_the_log_counts_as_proposed_after_a_restart_whatever_files_say()
    {
        using var world = new EnsembleHarness(4, reconfigEnabled: true);
        world.StartAll();
        EnsembleConfig before = world.Leader.Config;
        world.Leader.Connect().Send(OpCode.Reconfig, Body(leaving: "1"));
        world.Run(2000);
        EnsembleConfig after = world.Leader.Config;
        DataTree tree = world.Leader.Tree;
        EnsembleConfig neverLogged = before.WithVersion(tree.LastProcessed.Value + 5);
        Assert.Equal(after.Version, ConfigNode.NextAtStart(before, kept: null, tree)?.Version);
        Assert.Equal(after.Version, ConfigNode.NextAtStart(before, neverLogged, tree)?.Version);
        Assert.Null(ConfigNode.NextAtStart(after, neverLogged, tree));
        Assert.Null(ConfigNode.NextAtStart(after, before, tree));
    }

    [Fact]
    public void Joining_servers_that_a_pending_reconfiguration_needs_vote_for_its_leader()
    {
        using var world = new EnsembleHarness(5, reconfigEnabled: true, initialVoters: 2);
        world.StartAll();
        string joining = string.Join(',', Enumerable.Range(3, 3).Select(
            static id => $"server.{id}=" + EnsembleHarness.Member(id).Format()));
        HarnessServer leader = world.Leader;
        EnsembleClient client = leader.Connect();
        // The proposal is on the disk of its leader alone when everybody ends.
        world.IsDiskFast = false;
        client.Send(OpCode.Reconfig, Body(joining: joining));
        leader.Sync();
        foreach (HarnessServer server in world.Servers)
            server.Crash();
        world.IsDiskFast = true;
        world.StartAll();
        world.Run(5000);
        Assert.All(world.Servers, static server => Assert.True(server.Replica.IsSettled));
        Assert.Equal(5, world.Leader.Config.Voters.Count);
    }

    [Fact]
    public void Follower_becomes_an_observer()
    {
        using var world = new EnsembleHarness(4, reconfigEnabled: true);
        world.StartAll();
        EnsembleClient client = world.Leader.Connect();
        client.Send(
            OpCode.Reconfig, Body(joining: "server.1=" + EnsembleHarness.Member(1, ServerRole.Observer).Format()));
        world.Run(3000);
        Assert.Equal(ServerState.Observing, world[1].State);
        Assert.True(world[1].Replica.IsServing);
        world[1].Connect().Create("/a");
    }

    [Theory]
    [InlineData(null, "7,x", null, -1, ErrorCode.MarshallingError)]
    [InlineData(null, null, "server.x=s4:2888:3888:participant;2181", -1, ErrorCode.MarshallingError)]
    [InlineData(null, "3", null, 5, ErrorCode.BadVersion)]
    [InlineData(null, "2,3", null, -1, ErrorCode.BadArguments)]
    [InlineData("server.4=s4:2888:3888:participant;s4:2181,server.5=s5:2888:3888:participant;s5:2181,server.6=s6:2888:3888:participant;s6:2181,server.7=s7:2888:3888:participant;s7:2181", null, null, -1, ErrorCode.NewConfigNoQuorum)]
    [InlineData("server.4=s4:2888:3888:participant", null, null, -1, ErrorCode.BadArguments)]
    public void Request_that_cannot_be_granted_is_refused_and_changes_nothing(
        string? joining, string? leaving, string? members, long version, ErrorCode expected)
    {
        using var world = new EnsembleHarness(3, reconfigEnabled: true);
        world.StartAll();
        long before = world.Leader.Config.Version;
        EnsembleClient client = world[1].Connect();
        client.TakeReplies();
        int xid = client.Send(OpCode.Reconfig, Body(joining, leaving, members, version));
        Assert.Equal([(xid, expected)], client.TakeReplies());
        Assert.Equal(before, world.Leader.Config.Version);
    }

    [Fact]
    public void Request_while_reconfig_is_disabled_is_refused()
    {
        using var world = new EnsembleHarness(3);
        world.StartAll();
        EnsembleClient client = world[1].Connect();
        client.TakeReplies();
        int xid = client.Send(OpCode.Reconfig, Body(leaving: "3"));
        Assert.Equal([(xid, ErrorCode.ReconfigDisabled)], client.TakeReplies());
    }

    private static byte[] Body(
        string? joining = null, string? leaving = null, string? members = null, long version = -1)
    {
        var body = new JuteBuffer();
        body.WriteString(joining);
        body.WriteString(leaving);
        body.WriteString(members);
        body.WriteInt64(version);
        return body.WrittenSpan.ToArray();
    }
}
