using SharpKeeper.Protocol;
using SharpKeeper.Protocol.Quorum;

namespace SharpKeeper.QuorumTests;

/// <summary>What a reconfiguration makes of a configuration. Apache 3.8.0 was asked the same.</summary>
public sealed class EnsembleChangeTests
{
    private const string Three =
        "server.1=10.0.0.1:1:2;3\nserver.2=10.0.0.2:1:2;3\nserver.3=10.0.0.3:1:2:observer;3\nversion=64";

    [Theory]
    [InlineData(null, null, "1,2,3")]
    [InlineData(null, "", "1,2,3")]
    [InlineData(null, "9", "1,2,3")]
    [InlineData(null, "3", "1,2")]
    [InlineData(null, " 1 , 3 ,", "2")]
    [InlineData("server.7=10.0.0.7:1:2:participant;3", null, "1,2,3,7")]
    [InlineData("  server.7 = 10.0.0.7:1:2:observer;33 , ", " 3 ", "1,2,7")]
    [InlineData("server.2=10.0.0.2:1:2;4", null, "1,2,3")]
    [InlineData("server.3=10.0.0.3:1:2:participant;3", "3", "1,2,3")]
    [InlineData("7=10.0.0.7:1:2;3", null, "1,2,3,7")]
    [InlineData("server.7=10.0.0.7:1:2;;3", null, "1,2,3,7")]
    public void TryChange_one_by_one_gives_the_members(string? joining, string? leaving, string expected)
    {
        EnsembleConfig changed = Change(Three, joining, leaving, null);
        Assert.Equal(expected, string.Join(',', changed.Servers.Select(static server => server.Id)));
        Assert.Equal(0x64, changed.Version);
    }

    [Fact]
    public void TryChange_joining_member_replaces_what_was_known_of_it()
    {
        EnsembleConfig changed = Change(Three, "server.3=10.0.0.9:1:2:participant;4", null, null);
        Assert.Equal("10.0.0.9:1:2:participant;0.0.0.0:4", changed.Find(new ServerId(3))!.Format());
        Assert.Equal([1, 2, 3], changed.Voters.Select(static id => id.Value));
    }

    [Theory]
    [InlineData("garbage", null, ErrorCode.BadArguments, "'garbage' is to join")]
    [InlineData("server.1=a=b", null, ErrorCode.BadArguments, "is to join")]
    [InlineData("server.x=10.0.0.7:1:2;3", null, ErrorCode.MarshallingError, "'server.x' is to join")]
    [InlineData("server.7=h:1", null, ErrorCode.BadArguments, "the address 'h:1'")]
    [InlineData("server.7=h:1:2", null, ErrorCode.BadArguments, "without a client port")]
    [InlineData("server.7=h:q:1;1", null, ErrorCode.BadArguments, "the quorum port 'q'")]
    [InlineData("server.7=10.0.0.1:1:5;6", null, ErrorCode.BadArguments, "10.0.0.1:1, which is an address of server.1")]
    [InlineData("server.7=10.0.0.1:7:8;10.0.0.2:2", null, ErrorCode.BadArguments, "an address of server.2")]
    [InlineData(
        "server.7=10.0.0.7:1:2;3,server.8=10.0.0.7:2:9;3", null, ErrorCode.BadArguments, "an address of server.7")]
    [InlineData(null, "x", ErrorCode.MarshallingError, "'x' is to leave")]
    [InlineData(null, "server.1", ErrorCode.MarshallingError, "'server.1' is to leave")]
    [InlineData(null, "1,2", ErrorCode.BadArguments, "keep at least one participant")]
    [InlineData(null, "1,2,3", ErrorCode.BadArguments, "keep at least one participant")]
    public void TryChange_wrong_change_is_refused(string? joining, string? leaving, ErrorCode error, string problem) =>
        AssertRefused(Three, joining, leaving, null, error, problem);

    [Theory]
    [InlineData("server.7=127.0.0.1:1:2;3,server.8=127.0.0.1:1:2;3")]
    [InlineData("server.7=localhost:1:2;3,server.8=localhost:1:2;3")]
    [InlineData("server.7=[::1]:1:2;3,server.8=[::1]:1:2;3")]
    [InlineData("server.7=10.0.0.7:1:2;3,server.8=10.0.0.8:1:2;3")]
    public void TryChange_addresses_that_depend_on_who_asks_may_be_shared(string joining) =>
        Assert.Equal(5, Change(Three, joining, null, null).Servers.Count);

    [Fact]
    public void TryChange_all_members_replaces_them_and_keeps_the_version()
    {
        EnsembleConfig changed =
            Change(Three, "ignored", "ignored", "server.4=a:1:2,server.5=b\\:1:2\nserver.6=c:1:2:observer,version=77");
        Assert.Equal(
            "server.4=a:1:2:participant\nserver.5=b:1:2:participant\nserver.6=c:1:2:observer\nversion=64",
            changed.Format());
    }

    [Fact]
    public void TryChange_all_members_may_bring_groups_and_take_them_away()
    {
        EnsembleConfig grouped = Change(Three, null, null, "server.1=a:1:2,server.2=a:1:2,group.1=1:2,weight.1=2");
        Assert.True(grouped.IsHierarchical);
        AssertRefused(
            grouped.Format(), null, "2", null, ErrorCode.BadArguments, "give all members at once");
        Assert.False(Change(grouped.Format(), null, null, Three).IsHierarchical);
    }

    [Theory]
    [InlineData("server.x=h:1:2")]
    [InlineData("server.1=h:1:2,server.=h:3:4")]
    public void TryChange_members_without_a_number_are_refused_like_a_request_that_cannot_be_read(string members) =>
        AssertRefused(Three, null, null, members, ErrorCode.MarshallingError, "has no number");

    [Theory]
    [InlineData("", "names no server")]
    [InlineData("foo=1", "'foo' is no entry")]
    [InlineData("server.1=h:1:2:observer", "no server that votes")]
    [InlineData("server.1=h:1:2,server.5=x", "server.5 has the address 'x'")]
    public void TryChange_wrong_members_are_refused(string members, string problem) =>
        AssertRefused(Three, null, null, members, ErrorCode.BadArguments, problem);

    private static EnsembleConfig Change(string text, string? joining, string? leaving, string? members)
    {
        EnsembleConfig config = EnsembleConfigTests.Parse(text);
        bool isChanged = config.TryChange(
            joining, leaving, members, out EnsembleConfig? changed, out ErrorCode error, out string problem);
        Assert.True(isChanged, problem);
        Assert.Equal(ErrorCode.Ok, error);
        Assert.Equal("", problem);
        return changed!;
    }

    private static void AssertRefused(
        string text, string? joining, string? leaving, string? members, ErrorCode expected, string expectedProblem)
    {
        EnsembleConfig config = EnsembleConfigTests.Parse(text);
        bool isChanged = config.TryChange(
            joining, leaving, members, out EnsembleConfig? changed, out ErrorCode error, out string problem);
        Assert.False(isChanged);
        Assert.Null(changed);
        Assert.Equal(expected, error);
        Assert.Contains(expectedProblem, problem, StringComparison.Ordinal);
    }
}
