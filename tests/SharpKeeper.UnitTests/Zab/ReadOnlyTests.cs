using SharpKeeper.Core.Clients;
using SharpKeeper.Protocol;

namespace SharpKeeper.ZabTests;

public class ReadOnlyTests
{
    private const int Alone = 1;

    [Fact]
    public void Loss_of_the_quorum_closes_connections_and_after_a_while_serves_who_allows_it()
    {
        using EnsembleHarness world = Started();
        EnsembleClient before = world[Alone].Connect();
        world[2].Crash();
        world[3].Crash();
        world.Run(100);
        Assert.False(before.IsConnected);
        Assert.False(world[Alone].Connect(readOnly: true).IsConnected);
        world.Run(3000);

        Assert.True(world[Alone].Replica.IsReadOnly);
        Assert.True(world[Alone].Replica.EnsembleStatus!.IsReadOnly);
        Assert.False(world[Alone].Connect(readOnly: false).IsConnected);
        Assert.False(world[Alone].Connect(readOnly: null).IsConnected);
        EnsembleClient client = world[Alone].Connect(readOnly: true);
        Assert.True(client.IsConnected);
        Assert.True(client.Link.IsReadOnly);
    }

    [Fact]
    public void Server_without_the_setting_serves_nobody()
    {
        using var world = new EnsembleHarness(3);
        world.StartAll();
        world[2].Crash();
        world[3].Crash();
        world.Run(10_000);
        Assert.False(world[Alone].Replica.IsReadOnly);
        Assert.False(world[Alone].Connect(readOnly: true).IsConnected);
    }

    [Fact]
    public void Reads_are_answered_and_all_else_is_refused()
    {
        using EnsembleHarness world = Cut(out _);
        EnsembleClient client = world[Alone].Connect(readOnly: true);
        Zxid before = world[Alone].Tree.LastProcessed;
        client.TakeReplies();
        Answers(client, OpCode.Exists, [.. EnsembleClient.PathBody("/a"), 0], ErrorCode.Ok);
        Answers(client, OpCode.GetChildren, [.. EnsembleClient.PathBody("/"), 1], ErrorCode.Ok);
        foreach (OpCode op in new[]
        {
            OpCode.Create, OpCode.Create2, OpCode.CreateContainer, OpCode.CreateTtl, OpCode.Delete, OpCode.SetData,
            OpCode.SetAcl, OpCode.Check, OpCode.Multi, OpCode.Reconfig, OpCode.Sync,
        })
            Answers(client, op, EnsembleClient.PathBody("/a"), ErrorCode.NotReadOnly);
        Assert.Equal(before, world[Alone].Tree.LastProcessed);
        Assert.True(client.IsConnected);
    }

    [Fact]
    public void Session_begun_read_only_is_resumed_closed_and_expires_at_its_server()
    {
        using EnsembleHarness world = Cut(out _);
        EnsembleClient first = world[Alone].Connect(timeoutMs: 4000, readOnly: true);
        EnsembleClient second = world[Alone].Resume(first, timeoutMs: 4000, readOnly: true);
        Assert.True(second.IsConnected);
        Assert.False(first.IsConnected);
        second.TakeReplies();
        Answers(second, OpCode.CloseSession, [], ErrorCode.Ok);
        Assert.True(second.Link.IsClosing);
        AssertRefused(world[Alone].Resume(second, readOnly: true));

        EnsembleClient silent = world[Alone].Connect(timeoutMs: 4000, readOnly: true);
        world.Run(6000);
        Assert.False(silent.IsConnected);
        AssertRefused(world[Alone].Resume(silent, readOnly: true));
    }

    [Fact]
    public void Session_of_the_ensemble_is_neither_taken_in_nor_declared_dead()
    {
        using EnsembleHarness world = Cut(out EnsembleClient global);
        EnsembleClient again = world[Alone].Resume(global, readOnly: true);
        Assert.True(again.Link is { IsHangingUp: true, IsClosing: false, IsEstablished: false });
        Assert.Equal(0, again.Link.Output.Length);
    }

    [Fact]
    public void Return_of_the_quorum_closes_connections_and_ends_what_was_begun_without_it()
    {
        using EnsembleHarness world = Cut(out EnsembleClient global);
        EnsembleClient client = world[Alone].Connect(readOnly: true);
        world[2].Start();
        world.Run(3000);

        Assert.False(world[Alone].Replica.IsReadOnly);
        Assert.False(client.IsConnected);
        AssertRefused(world[Alone].Resume(client, readOnly: true));
        AssertRefused(world[2].Resume(client));
        EnsembleClient fresh = world[Alone].Connect(readOnly: true);
        Assert.True(fresh.IsConnected);
        Assert.False(fresh.Link.IsReadOnly);
        fresh.Create("/b");
        EnsembleClient moved = world[2].Resume(global);
        Assert.True(moved.IsConnected);
        Assert.Equal(global.SessionId, moved.SessionId);
    }

    [Fact]
    public void Local_session_of_before_has_ended_with_its_leader()
    {
        using var world = new EnsembleHarness(3)
        {
            Settings = settings => settings with { ReadOnlyMode = true, LocalSessions = true },
        };
        world.StartAll();
        EnsembleClient local = world[Alone].Connect();
        world[2].Crash();
        world[3].Crash();
        world.Run(3000);
        AssertRefused(world[Alone].Resume(local, readOnly: true));
    }

    [Fact]
    public void Client_that_has_seen_more_is_not_served()
    {
        using EnsembleHarness world = Cut(out _);
        long ahead = world[Alone].Tree.LastProcessed.Value + 1;
        Assert.False(new EnsembleClient(world, world[Alone], 10_000, lastZxid: ahead, readOnly: true).IsConnected);
    }

    private static void AssertRefused(EnsembleClient client)
    {
        ClientLink link = client.Link;
        Assert.True(link is { IsEstablished: false, IsClosing: true });
        Assert.True(link.Output.Length > 0);
    }

    private static void Answers(EnsembleClient client, OpCode op, byte[] body, ErrorCode expected)
    {
        int sent = client.Send(op, body);
        Assert.Equal([(sent, expected)], client.TakeReplies());
    }

    private static EnsembleHarness Started()
    {
        var world = new EnsembleHarness(3) { Settings = settings => settings with { ReadOnlyMode = true } };
        world.StartAll();
        return world;
    }

    /// <summary>A server that has lost the two others, and a client of all that it had before.</summary>
    private static EnsembleHarness Cut(out EnsembleClient global)
    {
        EnsembleHarness world = Started();
        global = world[Alone].Connect(timeoutMs: 60_000);
        global.Create("/a");
        world[2].Crash();
        world[3].Crash();
        world.Run(3000);
        Assert.True(world[Alone].Replica.IsReadOnly);
        return world;
    }
}
