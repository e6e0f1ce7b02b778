using SharpKeeper.Client.Internal;

namespace SharpKeeper.UnitTests.Client;

public class ServerListTests
{
    private static readonly ServerEndpoint[] Three = [new("a", 1), new("b", 2), new("c", 3)];

    private static ServerList Make(double delayMaxMs = 1000, double ceilingMs = 4000) =>
        new(Three, new Random(7), TimeSpan.FromMilliseconds(delayMaxMs), TimeSpan.FromMilliseconds(ceilingMs));

    [Fact]
    public void Next_goes_round_all_servers()
    {
        ServerList list = Make();

        ServerEndpoint[] first = [list.Next(out _), list.Next(out _), list.Next(out _)];
        ServerEndpoint[] second = [list.Next(out _), list.Next(out _), list.Next(out _)];

        Assert.Equal(Three.OrderBy(s => s.Host), first.OrderBy(s => s.Host));
        Assert.Equal(first, second);
    }

    [Fact]
    public void Next_of_different_clients_starts_at_different_servers()
    {
        var random = new Random(3);
        IEnumerable<string> firsts = Enumerable.Range(0, 60)
            .Select(_ => new ServerList(Three, random, TimeSpan.Zero, TimeSpan.Zero).Next(out TimeSpan _).Host);

        Assert.Equal(3, firsts.Distinct().Count());
    }

    [Fact]
    public void Next_before_any_connection_waits_from_the_second_round_on()
    {
        ServerList list = Make();

        TimeSpan[] delays = [.. Enumerable.Range(0, 6).Select(_ => Delay(list))];

        Assert.All(delays[..3], delay => Assert.Equal(TimeSpan.Zero, delay));
        Assert.InRange(delays[3], TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(2));
        Assert.All(delays[4..], delay => Assert.InRange(delay, TimeSpan.Zero, TimeSpan.FromSeconds(1)));
    }

    [Fact]
    public void Next_after_a_lost_connection_waits_at_random()
    {
        ServerList list = Make();
        list.Next(out _);
        list.Connected();

        TimeSpan[] delays = [.. Enumerable.Range(0, 3).Select(_ => Delay(list))];

        Assert.All(delays, delay => Assert.InRange(delay, TimeSpan.Zero, TimeSpan.FromSeconds(1)));
        Assert.Equal(3, delays.Distinct().Count());
    }

    [Fact]
    public void Next_in_later_rounds_waits_longer_up_to_the_ceiling()
    {
        ServerList list = Make();
        TimeSpan[] firstOfRound = new TimeSpan[8];
        for (int round = 0; round < firstOfRound.Length; round++)
        {
            firstOfRound[round] = Delay(list);
            list.Next(out _);
            list.Next(out _);
        }

        Assert.InRange(firstOfRound[2], TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(3));
        Assert.InRange(firstOfRound[3], TimeSpan.FromSeconds(4), TimeSpan.FromSeconds(5));
        Assert.InRange(firstOfRound[7], TimeSpan.FromSeconds(4), TimeSpan.FromSeconds(5));
    }

    [Fact]
    public void Next_after_Prefer_is_that_server_at_once()
    {
        ServerList list = Make();
        list.Next(out _);
        list.Connected();

        list.Prefer(Three[1]);

        Assert.Equal(Three[1], list.Next(out TimeSpan delay));
        Assert.Equal(TimeSpan.Zero, delay);
    }

    private static TimeSpan Delay(ServerList list)
    {
        list.Next(out TimeSpan delay);
        return delay;
    }
}
