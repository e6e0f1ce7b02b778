namespace SharpKeeper.ZabTests;

/// <summary>Clients that connect while there is no leader.</summary>
public class ArrivalTests
{
    [Fact]
    public void Client_that_connects_after_the_leader_has_gone_is_served_by_the_next_one()
    {
        using var world = new EnsembleHarness(3);
        world.StartAll();
        EnsembleClient before = world[1].Connect();
        world.IsLinked = static (_, _) => false;
        world.Leader.Crash();
        world.Run(10);
        EnsembleClient[] clients = [world[1].Connect(), world[2].Resume(before)];
        Assert.DoesNotContain(clients, static client => client.IsConnected || client.Link.IsHangingUp);
        world.IsLinked = static (_, _) => true;

        world.Run(2000);

        Assert.All(clients, static client => Assert.True(client.IsConnected));
        Assert.Equal(before.SessionId, clients[1].SessionId);
    }

    [Fact]
    public void Client_that_waits_for_a_leader_in_vain_is_sent_on()
    {
        using var world = new EnsembleHarness(3);
        world.StartAll();
        world[2].Crash();
        world[3].Crash();
        world.Run(10);
        EnsembleClient waiting = world[1].Connect();
        EnsembleClient gone = world[1].Connect();
        gone.Disconnect();

        world.Run(200);
        Assert.False(waiting.Link.IsHangingUp);
        world.Run(50);

        Assert.True(waiting.Link.IsHangingUp);
        Assert.False(gone.Link.IsHangingUp);
    }

    [Fact]
    public void Client_that_connects_during_a_lasting_outage_is_sent_on_at_once()
    {
        using var world = new EnsembleHarness(3);
        world.StartAll();
        world[2].Crash();
        world[3].Crash();
        world.Run(300);

        Assert.True(world[1].Connect().Link.IsHangingUp);
    }

    [Fact]
    public void Client_of_a_server_that_has_just_started_waits_for_the_first_leader()
    {
        using var world = new EnsembleHarness(3);
        world[1].Start();
        EnsembleClient client = world[1].Connect();
        world[2].Start();

        world.Run(300);

        Assert.True(client.IsConnected);
    }
}
