using SharpKeeper.Protocol;

namespace SharpKeeper.ZabTests;

/// <summary>Servers without a vote.</summary>
public class ObserverTests
{
    [Fact]
    public void Observer_that_keeps_no_log_serves_and_catches_up_after_a_restart()
    {
        using var world = new EnsembleHarness(3, observers: 1) { ObserversLog = false };
        world.StartAll();
        HarnessServer observer = world[4];
        observer.Connect().Create("/a");
        Assert.Empty(observer.Log);
        Assert.False(observer.Tree.Find("/a"u8).IsNone);
        world.Leader.Crash();
        world.Run(3000);
        Assert.Equal(ServerState.Observing, observer.State);
        observer.Connect().Create("/b");
        observer.Crash();
        observer.Start();
        world.Run(3000);
        Assert.False(observer.Tree.Find("/a"u8).IsNone);
        Assert.False(observer.Tree.Find("/b"u8).IsNone);
        Assert.Equal(world.Leader.Tree.Digest, observer.Tree.Digest);
    }

    [Fact]
    public void Observers_make_no_quorum()
    {
        using var world = new EnsembleHarness(3, observers: 2);
        world.StartAll();
        world[1].Crash();
        world[2].Crash();
        world.Run(3000);
        Assert.All([world[3], world[4], world[5]], server => Assert.False(server.Replica.IsServing));
    }
}
