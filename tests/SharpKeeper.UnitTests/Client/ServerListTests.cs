using SharpKeeper.Client.Internal;

namespace SharpKeeper.UnitTests.Client;

public class ServerListTests
{
    private static readonly ServerEndpoint[] Three = [new("a", 1), new("b", 2), new("c", 3)];

    private static ServerList Make(double delayMaxMs = 1000) =>
        new(Three, new Random(7), TimeSpan.FromMilliseconds(delayMaxMs));

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
            .Select(_ => new ServerList(Three, random, TimeSpan.Zero).Next(out TimeSpan _).Host);

        Assert.Equal(3, firsts.Distinct().Count());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Next_waits_only_when_all_have_failed(bool hadConnection)
    {
        ServerList list = Make();
        if (hadConnection)
        {
            list.Next(out _);
            list.Connected();
        }

        TimeSpan[] delays = [.. Enumerable.Range(0, 7).Select(_ => Delay(list))];

        Assert.All([.. delays[..3], .. delays[4..6]], delay => Assert.Equal(TimeSpan.Zero, delay));
        Assert.InRange(delays[3], TimeSpan.FromMilliseconds(10), TimeSpan.FromMilliseconds(20));
        Assert.InRange(delays[6], TimeSpan.FromMilliseconds(20), TimeSpan.FromMilliseconds(40));
    }

    [Fact]
    public void Next_in_later_rounds_waits_longer_up_to_the_limit()
    {
        ServerList list = Make();
        TimeSpan[] firstOfRound = new TimeSpan[80];
        for (int round = 0; round < firstOfRound.Length; round++)
        {
            firstOfRound[round] = Delay(list);
            list.Next(out _);
            list.Next(out _);
        }

        Assert.All(firstOfRound[7..], delay =>
            Assert.InRange(delay, TimeSpan.FromMilliseconds(500), TimeSpan.FromMilliseconds(1000)));
        Assert.True(firstOfRound[7..].Distinct().Count() > 40);
    }

    [Fact]
    public void Next_after_a_loss_tries_the_lost_server_last()
    {
        ServerList list = Make();
        ServerEndpoint lost = list.Next(out _);
        list.Connected();

        ServerEndpoint[] order = [list.Next(out _), list.Next(out _), list.Next(out _)];

        Assert.Equal(lost, order[^1]);
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

    [Theory]
    [InlineData("abc", "abcde")]
    [InlineData("abcde", "abc")]
    [InlineData("abc", "ab")]
    [InlineData("abc", "bcd")]
    [InlineData("abcd", "cde")]
    [InlineData("abc", "cdefgh")]
    [InlineData("abc", "xyz")]
    public void Update_leaves_clients_that_were_spread_evenly_spread_evenly(string before, string after)
    {
        const int Clients = 30_000;
        var random = new Random(11);
        var load = new Dictionary<ServerEndpoint, int>();
        int moved = 0;
        for (int i = 0; i < Clients; i++)
        {
            var list = new ServerList(Servers(before), random, TimeSpan.Zero);
            ServerEndpoint at = list.Next(out _);
            list.Connected();
            if (list.Update(Servers(after), at))
            {
                moved++;
                at = list.Next(out TimeSpan delay);
                Assert.Equal(TimeSpan.Zero, delay);
            }
            load[at] = load.GetValueOrDefault(at) + 1;
        }

        Assert.Equal(Servers(after).OrderBy(s => s.Host), load.Keys.OrderBy(s => s.Host));
        int fair = Clients / after.Length;
        bool grewAndLost = after.Length > before.Length && before.Except(after).Any();
        if (!grewAndLost)
            Assert.All(load.Values, count => Assert.InRange(count, fair * 0.95, fair * 1.05));
        Assert.True(moved < Clients || !before.Intersect(after).Any());
    }

    [Fact]
    public void Update_with_the_same_servers_moves_nobody()
    {
        ServerList list = Make();
        ServerEndpoint current = list.Next(out _);
        list.Connected();

        Assert.False(list.Update(Three, current));
        ServerEndpoint[] order = [list.Next(out _), list.Next(out _), list.Next(out _)];
        Assert.Equal(current, order[^1]);
    }

    [Fact]
    public void Update_without_the_current_server_never_tries_it_again()
    {
        ServerList list = Make();
        ServerEndpoint current = list.Next(out _);
        list.Connected();
        ServerEndpoint[] rest = [.. Three.Where(server => server != current)];

        Assert.True(list.Update(rest, current));

        Assert.DoesNotContain(current, Enumerable.Range(0, 6).Select(_ => list.Next(out TimeSpan _)));
    }

    [Fact]
    public void Update_before_any_connection_moves_nothing()
    {
        ServerList list = Make();

        Assert.False(list.Update(Servers("xy"), null));

        Assert.Equal(["x", "y"], Enumerable.Range(0, 2).Select(_ => list.Next(out TimeSpan _).Host).Order());
    }

    private static ServerEndpoint[] Servers(string hosts) =>
        [.. hosts.Select(host => new ServerEndpoint($"{host}", 1))];

    private static TimeSpan Delay(ServerList list)
    {
        list.Next(out TimeSpan delay);
        return delay;
    }
}
