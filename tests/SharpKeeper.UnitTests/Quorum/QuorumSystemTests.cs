using CsCheck;
using SharpKeeper.Core.Zab;
using SharpKeeper.Protocol;
using SharpKeeper.Protocol.Quorum;
using SharpKeeper.ReplicaTests;

namespace SharpKeeper.QuorumTests;

/// <summary>What is a quorum. The sets of the groups were put to Apache 3.8.0's own classes.</summary>
public sealed class QuorumSystemTests
{
    private const string Six =
        "server.1=a:1:2\nserver.2=a:1:2\nserver.3=a:1:2\nserver.4=a:1:2\nserver.5=a:1:2\nserver.6=a:1:2\n";

    private const string TwoGroups = Six + "group.1=1:2:3\ngroup.2=4:5:6\n";

    [Theory]
    [InlineData("server.1=a:1:2", "1", true)]
    [InlineData("server.1=a:1:2", "", false)]
    [InlineData("server.1=a:1:2\nserver.2=a:1:2", "1", false)]
    [InlineData("server.1=a:1:2\nserver.2=a:1:2", "1,2", true)]
    [InlineData("server.1=a:1:2\nserver.2=a:1:2\nserver.3=a:1:2:observer", "1,3", false)]
    [InlineData("server.1=a:1:2\nserver.2=a:1:2\nserver.3=a:1:2", "1,9", false)]
    [InlineData("server.1=a:1:2\nserver.2=a:1:2\nserver.3=a:1:2", "1,3", true)]
    [InlineData(Six, "1,2,3", false)]
    [InlineData(Six, "1,2,3,6", true)]
    [InlineData(TwoGroups, "1,2,4,5", true)]
    [InlineData(TwoGroups, "1,2,3,4", false)]
    [InlineData(TwoGroups + "weight.1=3\nweight.4=0\nweight.5=0\nweight.6=0", "1", true)]
    [InlineData(TwoGroups + "weight.1=3\nweight.4=0\nweight.5=0\nweight.6=0", "2,3,4,5,6", false)]
    [InlineData(Six + "group.1=1:2\ngroup.2=3:4\ngroup.3=5:6", "1,2,3,4", true)]
    [InlineData(Six + "group.1=1:2\ngroup.2=3:4\ngroup.3=5:6", "1,2,3,5", false)]
    [InlineData(TwoGroups + "server.7=a:1:2:observer\ngroup.2=4:5:6:7\nweight.7=9", "1,2,3,4,5,6,7", false)]
    public void IsQuorum_is_what_Apache_says(string text, string acks, bool expected)
    {
        var system = QuorumSystem.Of(EnsembleConfigTests.Parse(text));
        Assert.Equal(expected, system.IsQuorum(Ids(acks)));
    }

    [Theory]
    [InlineData("", 0)]
    [InlineData("1=5", 0)]
    [InlineData("1=5,2=3", 3)]
    [InlineData("1=5,2=3,3=4", 4)]
    [InlineData("1=5,2=5,3=5", 5)]
    [InlineData("1=5,4=9,5=9", 0)]
    public void AckedByQuorum_of_three_voters_is_the_second_highest(string acked, long expected)
    {
        var system = QuorumSystem.Of(EnsembleConfigTests.Parse(
            "server.1=a:1:2\nserver.2=a:1:2\nserver.3=a:1:2\nserver.4=a:1:2:observer"));
        Assert.Equal(new Zxid(expected), system.AckedByQuorum(Acked(acked)));
    }

    [Fact]
    public void AckedByQuorum_is_the_highest_that_a_quorum_has_reached() =>
        Gen.Select(Configs.Gen, Configs.Gen, Gen.Int).Sample(
            (committed, next, seed) =>
            {
                var dice = new Dice(seed);
                var membership = new Membership(committed, next);
                var acked = new Dictionary<ServerId, Zxid>();
                foreach (EnsembleServer server in committed.Servers.Concat(next.Servers))
                {
                    if (dice.Hits(80))
                        acked[server.Id] = new Zxid(dice.Roll(6));
                }
                Zxid expected = Enumerable.Range(0, 6).Select(static value => new Zxid(value))
                    .LastOrDefault(zxid => membership.IsQuorum(
                        new HashSet<ServerId>(acked.Where(pair => pair.Value >= zxid).Select(pair => pair.Key))));
                Assert.Equal(expected, membership.AckedByQuorum(acked));
            },
            iter: TestScale.Of(2000), threads: 1);

    [Fact]
    public void IsQuorum_two_quorums_of_one_configuration_have_a_voter_in_common() =>
        Gen.Select(Configs.Gen, Gen.Int).Sample(
            (config, seed) =>
            {
                var dice = new Dice(seed);
                var system = QuorumSystem.Of(config);
                var left = new HashSet<ServerId>();
                var right = new HashSet<ServerId>();
                foreach (ServerId id in config.Voters)
                    (dice.Hits(50) ? left : right).Add(id);
                Assert.False(system.IsQuorum(left) && system.IsQuorum(right));
                Assert.True(system.IsQuorum(new HashSet<ServerId>(config.Voters)));
            },
            iter: TestScale.Of(2000), threads: 1);

    [Theory]
    [InlineData(Six)]
    [InlineData(TwoGroups)]
    public void AckedByQuorum_does_not_allocate(string text)
    {
        var membership = new Membership(EnsembleConfigTests.Parse(text), null);
        Dictionary<ServerId, Zxid> acked = Acked("1=5,2=6,3=7,4=8,5=9");
        membership.AckedByQuorum(acked);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 100; i++)
            membership.AckedByQuorum(acked);
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    [Fact]
    public void Membership_counts_the_next_configuration_only_if_it_is_newer()
    {
        EnsembleConfig old = EnsembleConfigTests.Parse("server.1=a:1:2\nserver.2=a:1:2\nserver.3=a:1:2\nversion=5");
        EnsembleConfig other = EnsembleConfigTests.Parse("server.7=a:1:2\nserver.3=a:1:2:observer\nversion=6");
        var both = new Membership(old, other);
        Assert.Same(other, both.Next);
        Assert.Equal([1, 2, 3, 7], both.Voters.Select(static id => id.Value));
        Assert.True(both.IsVoter(new ServerId(3)));
        Assert.True(both.IsVoter(new ServerId(7)));
        Assert.False(both.IsQuorum(Ids("1,2,3")));
        Assert.False(both.IsQuorum(Ids("1,7")));
        Assert.True(both.IsQuorum(Ids("1,2,7")));
        Assert.Equal(new Zxid(4), both.AckedByQuorum(Acked("1=9,2=8,7=4")));

        var one = new Membership(old, other.WithVersion(5));
        Assert.Null(one.Next);
        Assert.Equal([1, 2, 3], one.Voters.Select(static id => id.Value));
        Assert.False(one.IsVoter(new ServerId(7)));
        Assert.True(one.IsQuorum(Ids("1,2")));
    }

    private static HashSet<ServerId> Ids(string list) =>
        [.. list.Split(',', StringSplitOptions.RemoveEmptyEntries).Select(static id => new ServerId(long.Parse(id)))];

    private static Dictionary<ServerId, Zxid> Acked(string list) => list
        .Split(',', StringSplitOptions.RemoveEmptyEntries).Select(static pair => pair.Split('='))
        .ToDictionary(static pair => new ServerId(long.Parse(pair[0])), static pair => new Zxid(long.Parse(pair[1])));
}
