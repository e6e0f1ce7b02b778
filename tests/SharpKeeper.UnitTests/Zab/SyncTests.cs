using SharpKeeper.Protocol;

namespace SharpKeeper.ZabTests;

/// <summary>How servers that were away are brought up to date, and what happens to what nobody committed.</summary>
public class SyncTests
{
    [Fact]
    public void Follower_that_missed_transactions_gets_a_diff()
    {
        using EnsembleHarness world = Started();
        world[1].Crash();
        CreateThrough(world[2], "/a", "/b", "/c");
        world.ClearTrace();
        world[1].Start();
        world.Run(2000);
        AssertAllEqual(world, "/a", "/b", "/c");
        Assert.Contains("3->1 Diff", world.Trace, StringComparison.Ordinal);
        GoldenTrace.Check("diff", world.Trace);
    }

    [Fact]
    public void Uncommitted_tail_of_a_former_leader_is_cut()
    {
        using EnsembleHarness world = Started();
        HarnessServer old = world[3];
        ProposeAlone(world, old, "/lost1", "/lost2");
        old.Crash();
        world.Run(3000);
        world.ClearTrace();
        old.Start();
        world.Run(2000);
        AssertAllEqual(world, "/base");
        Assert.True(old.Tree.Find("/lost1"u8).IsNone);
        Assert.Contains("2->3 Trunc", world.Trace, StringComparison.Ordinal);
        GoldenTrace.Check("trunc", world.Trace);
    }

    [Fact]
    public void Tail_of_a_former_leader_that_diverged_across_epochs_is_replaced_by_a_snapshot()
    {
        using EnsembleHarness world = Started();
        HarnessServer old = world[3];
        ProposeAlone(world, old, "/lost");
        old.Crash();
        world.Run(3000);
        CreateThrough(world[1], "/kept");
        world.ClearTrace();
        old.Start();
        world.Run(3000);
        AssertAllEqual(world, "/base", "/kept");
        Assert.True(old.Tree.Find("/lost"u8).IsNone);
        Assert.Contains("3 installs the snapshot", world.Trace, StringComparison.Ordinal);
        GoldenTrace.Check("snap", world.Trace);
        old.Crash();
        old.Start();
        world.Run(3000);
        AssertAllEqual(world, "/base", "/kept");
    }

    [Fact]
    public void Log_that_cannot_be_cut_is_replaced_by_a_snapshot()
    {
        using EnsembleHarness world = Started();
        HarnessServer old = world[3];
        ProposeAlone(world, old, "/lost1", "/lost2");
        old.Crash();
        world.Run(3000);
        old.CanTruncate = false;
        old.Start();
        world.Run(5000);
        AssertAllEqual(world, "/base");
        Assert.True(old.Tree.Find("/lost1"u8).IsNone);
        Assert.Contains("3 installs the snapshot", world.Trace, StringComparison.Ordinal);
    }

    [Fact]
    public void Crash_of_the_leader_between_proposal_and_commit_keeps_what_a_follower_has_logged()
    {
        using EnsembleHarness world = Started();
        EnsembleClient client = world[3].Connect();
        world.IsDiskFast = false;
        client.Send(OpCode.Create, EnsembleClient.CreateBody("/a"));
        world[1].Sync();
        world.ClearTrace();
        world[3].Crash();
        world.IsDiskFast = true;
        world[2].Crash();
        world[2].Start();
        world.Run(3000);
        Assert.Equal(1, world.Leader.Id.Value);
        Assert.False(world[2].Tree.Find("/a"u8).IsNone);
        GoldenTrace.Check("leader-crash-between-proposal-and-commit", world.Trace);
    }

    [Fact]
    public void Counter_that_is_used_up_leads_to_a_new_epoch()
    {
        using var world = new EnsembleHarness(3) { CounterMax = 3 };
        world.StartAll();
        world.ClearTrace();
        EnsembleClient client = world.Leader.Connect();
        client.Create("/a");
        client.SendOnly(OpCode.Create, EnsembleClient.CreateBody("/b"));
        world.Run(2000);
        Assert.True(client.Link.IsClosed);
        Assert.Equal(2, world.Leader.Tree.LastProcessed.Epoch);
        CreateThrough(world.Leader, "/c");
        AssertAllEqual(world, "/a", "/b", "/c");
        GoldenTrace.Check("rollover", world.Trace);
    }

    [Theory]
    [InlineData(3, 0)]
    [InlineData(5, 1)]
    public void Random_crashes_and_cuts_never_lose_an_acknowledged_write(int voters, int observers)
    {
        for (int seed = 1; seed <= 20; seed++)
            new RandomRun(voters, observers, seed).Run();
    }

    private static EnsembleHarness Started()
    {
        var world = new EnsembleHarness(3);
        world.StartAll();
        CreateThrough(world[1], "/base");
        return world;
    }

    private static void CreateThrough(HarnessServer server, params string[] paths)
    {
        EnsembleClient client = server.Connect();
        foreach (string path in paths)
            client.Create(path);
    }

    /// <summary>Has a leader log transactions that no follower hears of.</summary>
    private static void ProposeAlone(EnsembleHarness world, HarnessServer leader, params string[] paths)
    {
        EnsembleClient client = leader.Connect();
        world.IsLinked = (from, to) => from != leader.Id && to != leader.Id;
        foreach (string path in paths)
            client.SendOnly(OpCode.Create, EnsembleClient.CreateBody(path));
        world.Deliver();
        world.IsLinked = static (_, _) => true;
    }

    private static void AssertAllEqual(EnsembleHarness world, params string[] paths)
    {
        foreach (HarnessServer server in world.Servers)
        {
            Assert.Equal(world.Leader.Tree.LastProcessed, server.Tree.LastProcessed);
            Assert.Equal(world.Leader.Tree.Digest, server.Tree.Digest);
            foreach (string path in paths)
                Assert.False(server.Tree.Find(System.Text.Encoding.UTF8.GetBytes(path)).IsNone, path);
        }
    }
}
