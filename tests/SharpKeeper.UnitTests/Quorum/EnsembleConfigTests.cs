using System.Text;
using CsCheck;
using SharpKeeper.Protocol;
using SharpKeeper.Protocol.Quorum;
using SharpKeeper.ReplicaTests;

namespace SharpKeeper.QuorumTests;

/// <summary>The text of a configuration. What is expected comes from Apache 3.8.0's own parser.</summary>
public sealed class EnsembleConfigTests
{
    private const string Six =
        "server.1=a:1:2\nserver.2=a:1:2\nserver.3=a:1:2\nserver.4=a:1:2\nserver.5=a:1:2\nserver.6=a:1:2\n";

    [Theory]
    [InlineData(
        "server.3=[2001:db8::1]:1:2;[::1]:9\nserver.2=h2:1:2:observer;3\nserver.1=h1:1:2\nversion=1f",
        "server.1=h1:1:2:participant\nserver.2=h2:1:2:observer;0.0.0.0:3\n"
        + "server.3=[2001:db8:0:0:0:0:0:1]:1:2:participant;[0:0:0:0:0:0:0:1]:9\nversion=1f")]
    [InlineData("server.1=zz:1:2|aa:3:4;5", "server.1=aa:3:4|zz:1:2:participant;0.0.0.0:5\nversion=0")]
    [InlineData(
        "server.2=a:1:2:observer|b:1:2\nserver.1=a:1:2",
        "server.1=a:1:2:participant\nserver.2=a:1:2|b:1:2:observer\nversion=0")]
    [InlineData("server.1=a:1:2;", "server.1=a:1:2:participant\nversion=0")]
    [InlineData("server.1=a:1:2;;x:4", "server.1=a:1:2:participant;;x:4\nversion=0")]
    [InlineData("server.1=a:1:2;3;4", "server.1=a:1:2:participant;0.0.0.0:3;0.0.0.0:4\nversion=0")]
    [InlineData("server.1=a\\:1\\:2", "server.1=a:1:2:participant\nversion=0")]
    [InlineData("  server.1 : a:1:2:PARTICIPANT  \r\n#x\n!y\n\n", "server.1=a:1:2:participant\nversion=0")]
    [InlineData("server.1=a:1:\\\n   2", "server.1=a:1:2:participant\nversion=0")]
    [InlineData("server.1=a:1:2\nserver.1=b:1:2\nversion=7FFFFFFFFFFFFFFF", "server.1=b:1:2:participant\n"
        + "version=7fffffffffffffff")]
    [InlineData("server.1=[::ffff:10.0.0.1]:1:2", "server.1=10.0.0.1:1:2:participant\nversion=0")]
    [InlineData("server.9223372036854775807=a:1:2", "server.9223372036854775807=a:1:2:participant\nversion=0")]
    [InlineData("server.1=\u4e2d.example:1:2", "server.1=\u4e2d.example:1:2:participant\nversion=0")]
    public void Format_of_parsed_text_is_that_of_Apache(string text, string expected)
    {
        EnsembleConfig config = Parse(text);
        Assert.Equal(expected, config.Format());
        Assert.Equal(expected, Parse(expected).Format());
    }

    [Theory]
    [InlineData(
        "group.1=1:2:3\ngroup.2=4:5:6\nversion=5",
        "group.1=1:2:3\ngroup.2=4:5:6\nweight.1=1\nweight.2=1\nweight.3=1\nweight.4=1\nweight.5=1\nweight.6=1\n"
        + "version=5")]
    [InlineData(
        "weight.4=0\nweight.5=0\nweight.1=3\ngroup.2=6:5:4\nweight.6=0\ngroup.1=3:1:2\n",
        "group.1=1:2:3\ngroup.2=4:5:6\nweight.1=3\nweight.2=1\nweight.3=1\nweight.4=0\nweight.5=0\nweight.6=0\n"
        + "version=0")]
    public void Format_of_groups_is_that_of_Apache(string groups, string expected)
    {
        string servers = Six.Replace(":2\n", ":2:participant\n", StringComparison.Ordinal);
        EnsembleConfig config = Parse(Six + groups);
        Assert.Equal(servers + expected, config.Format());
        Assert.Equal(servers + expected, Parse(config.Format()).Format());
        Assert.True(config.IsHierarchical);
    }

    [Theory]
    [InlineData("", "names no server")]
    [InlineData("version=5", "names no server")]
    [InlineData("server.1=a:1:2:observer", "no server that votes")]
    [InlineData("foo=1\nserver.1=a:1:2", "'foo' is no entry")]
    [InlineData("server.x=a:1:2", "'server.x' has no number")]
    [InlineData("server=a:1:2", "'server' has no number")]
    [InlineData("server.-1=a:1:2", "'server.-1' has no number")]
    [InlineData("server.9223372036854775808=a:1:2", "has no number")]
    [InlineData("server.1=a:1", "server.1 has the address 'a:1'; write host:quorumPort:electionPort")]
    [InlineData("server.1=", "server.1 has the address ''")]
    [InlineData("server.1=a:1:2:observer:3", "server.1 has the address")]
    [InlineData("server.1=2001:db8::1:1:2", "an IPv6 host in brackets")]
    [InlineData("server.1=[::1:1:2", "an IPv6 host in brackets")]
    [InlineData("server.1=[::1]1:2", "an IPv6 host in brackets")]
    [InlineData("server.1=:1:2", "server.1 has the host ''")]
    [InlineData("server.1=a b:1:2", "server.1 has the host 'a b'")]
    [InlineData("server.1=a\\nserver.2=b:1:2", "server.1 has the host")]
    [InlineData("server.1=a:x:2", "the quorum port 'x'; use a number from 0 to 65535")]
    [InlineData("server.1=a:1:65536", "the election port '65536'")]
    [InlineData("server.1=a:-1:2", "the quorum port '-1'")]
    [InlineData("server.1=a:1:2:leader", "the role 'leader'; use participant or observer")]
    [InlineData("server.1=a:1:2:observer|b:1:2:participant", "different roles")]
    [InlineData("server.1=a:1:2;x", "the client port 'x'")]
    [InlineData("server.1=a:1:2;b:1:2", "the client part 'b:1:2'")]
    [InlineData("server.1=a:1:2;1;y", "the secure client port 'y'")]
    [InlineData("server.1=a:1:2;1;2;3", "more than two parts for clients")]
    [InlineData("server.1=a:1:2\nversion=0x10", "the version is '0x10'")]
    [InlineData("server.1=a:1:2\nversion=-1", "the version is '-1'")]
    [InlineData("server.1=a:1:2\nversion=8000000000000000", "the version is")]
    [InlineData("server.1=\\u12", "line 1 of the configuration")]
    public void TryParse_malformed_text_names_what_is_wrong(string text, string problem) =>
        AssertProblem(text, problem);

    [Theory]
    [InlineData("group.1=1:2:3\ngroup.2=4:5", "server 6 is in no group")]
    [InlineData("group.1=1:2:3\ngroup.2=3:4:5:6", "server 3 is in group.1 and in group.2")]
    [InlineData("group.1=1:2:3:3\ngroup.2=4:5:6", "names server 3 twice")]
    [InlineData("group.1=1:2:3\ngroup.2=4:5:6:99", "group.2 names server 99, which is no participant")]
    [InlineData("server.7=a:1:2:observer\ngroup.1=1:2:3\ngroup.2=4:5:6:7", "names server 7, which is no participant")]
    [InlineData("weight.1=2", "server 1 is in no group")]
    [InlineData("group.x=1", "'group.x' has no number")]
    [InlineData("group.1=1,2", "group.1 names '1,2'")]
    [InlineData("group.1=1:2:3:4:5:6\nweight.1=-1", "weight.1 is '-1'")]
    [InlineData("group.1=1:2:3:4:5:6\nweight.1=2147483648", "weight.1 is '2147483648'")]
    [InlineData(
        "group.1=1:2:3:4:5:6\nweight.1=0\nweight.2=0\nweight.3=0\nweight.4=0\nweight.5=0\nweight.6=0", "no quorum")]
    public void TryParse_malformed_groups_names_what_is_wrong(string groups, string problem) =>
        AssertProblem(Six + groups, problem);

    [Fact]
    public void TryParse_bytes_that_are_not_utf8_says_where()
    {
        byte[] bytes = [.. "server.1=a"u8, 0xFF, .. ":1:2"u8];
        Assert.False(EnsembleConfig.TryParse(bytes, out EnsembleConfig? config, out string problem));
        Assert.Null(config);
        Assert.Contains("not UTF-8 from byte 10", problem, StringComparison.Ordinal);
    }

    [Fact]
    public void TryParse_any_text_gives_a_configuration_or_a_problem() =>
        Gen.OneOf(
            Gen.String, Gen.OneOf(
                "server.1=", "server.2=", "a:1:2", ":observer", ";", "|", "[", "]", "::1", "group.1=1:2", "weight.1=",
                "0", "\n", "\\", "\\u", "=", "version=", "ff", " ").Array[0, 12].Select(string.Concat)).Sample(
            text =>
            {
                bool isParsed = EnsembleConfig.TryParse(text, out EnsembleConfig? config, out string problem);
                Assert.Equal(isParsed, problem.Length == 0);
                if (isParsed)
                    Assert.Equal(config!.Format(), Parse(config.Format()).Format());
            },
            iter: TestScale.Of(2000), threads: 1);

    [Fact]
    public void TryParse_of_formatted_text_gives_an_equal_configuration() =>
        Configs.Gen.Sample(
            config =>
            {
                byte[] text = Encoding.UTF8.GetBytes(config.Format());
                Assert.True(EnsembleConfig.TryParse(text, out EnsembleConfig? parsed, out string problem), problem);
                Assert.True(parsed.HasSameMembers(config));
                Assert.Equal(config.Version, parsed.Version);
                Assert.Equal(config.Voters, parsed.Voters);
                Assert.Equal(config.Format(), parsed.Format());
            },
            iter: TestScale.Of(500), threads: 1);

    [Theory]
    [InlineData("server.1=a:1:2", "server.1=a:1:2:participant\nversion=5", true)]
    [InlineData("server.1=a:1:2|b:1:2", "server.1=b:1:2|a:1:2", true)]
    [InlineData("server.1=a:1:2", "server.1=a:1:3", false)]
    [InlineData("server.1=a:1:2", "server.1=a:1:2;3", false)]
    [InlineData("server.1=a:1:2;3", "server.1=a:1:2;0.0.0.0:3", true)]
    [InlineData("server.1=a:1:2;3;4", "server.1=a:1:2;3;5", false)]
    [InlineData("server.1=a:1:2\nserver.2=a:1:2", "server.1=a:1:2\nserver.2=a:1:2:observer", false)]
    [InlineData("server.1=a:1:2\nserver.2=a:1:2", "server.1=a:1:2", false)]
    [InlineData("server.1=a:1:2\ngroup.1=1", "server.1=a:1:2", false)]
    [InlineData("server.1=a:1:2\ngroup.1=1", "server.1=a:1:2\ngroup.1=1\nweight.1=1", true)]
    [InlineData("server.1=a:1:2\ngroup.1=1", "server.1=a:1:2\ngroup.1=1\nweight.1=2", false)]
    [InlineData("server.1=a:1:2\ngroup.1=1", "server.1=a:1:2\ngroup.2=1", false)]
    [InlineData("server.1=[::1]:1:2", "server.1=[0:0::1]:1:2", true)]
    public void HasSameMembers_compares_everything_but_the_version(string left, string right, bool expected)
    {
        Assert.Equal(expected, Parse(left).HasSameMembers(Parse(right)));
        Assert.Equal(expected, Parse(right).HasSameMembers(Parse(left)));
    }

    [Fact]
    public void Lookups_know_servers_voters_and_weights()
    {
        EnsembleConfig config = Parse("server.5=e:1:2\nserver.2=b:1:2;3\nserver.3=c:1:2:observer\nversion=a");
        Assert.Equal([2, 5], config.Voters.Select(static id => id.Value));
        Assert.Equal([2, 3, 5], config.Servers.Select(static server => server.Id.Value));
        Assert.Equal("c", config.Find(new ServerId(3))!.Addresses[0].Host);
        Assert.Equal(new ClientAddress("0.0.0.0", 3), config.Find(new ServerId(2))!.Client);
        Assert.Null(config.Find(new ServerId(1)));
        Assert.True(config.IsVoter(new ServerId(5)));
        Assert.False(config.IsVoter(new ServerId(3)));
        Assert.False(config.IsVoter(new ServerId(1)));
        Assert.Equal(1, config.WeightOf(new ServerId(2)));
        Assert.False(config.IsHierarchical);
        Assert.Equal(10, config.Version);
        Assert.Equal(11, config.WithVersion(11).Version);
        Assert.True(config.WithVersion(11).HasSameMembers(config));
    }

    internal static EnsembleConfig Parse(string text)
    {
        Assert.True(EnsembleConfig.TryParse(text, out EnsembleConfig? config, out string problem), problem);
        Assert.Equal("", problem);
        return config;
    }

    private static void AssertProblem(string text, string expected)
    {
        Assert.False(EnsembleConfig.TryParse(text, out EnsembleConfig? config, out string problem));
        Assert.Null(config);
        Assert.Contains(expected, problem, StringComparison.Ordinal);
    }
}

/// <summary>Random configurations.</summary>
internal static class Configs
{
    private static readonly Gen<string> Host =
        CsCheck.Gen.OneOf("a", "h1.example", "10.0.0.1", "0:0:0:0:0:0:0:1", "2001:db8:0:0:0:0:0:1", "x-y_z");

    private static readonly Gen<int> Port = CsCheck.Gen.Int[0, 65535];

    private static readonly Gen<ServerAddress> Address =
        CsCheck.Gen.Select(Host, Port, Port, static (host, first, second) => new ServerAddress(host, first, second));

    private static readonly Gen<ClientAddress?> Client = CsCheck.Gen.Select(
        CsCheck.Gen.Bool, Host, Port, static (has, host, port) => has ? new ClientAddress(host, port) : null);

    private static readonly Gen<EnsembleServer> Server = CsCheck.Gen.Select(
        CsCheck.Gen.Long[0, 300], Address.Array[1, 3], CsCheck.Gen.Int[0, 3], Client, Client,
        static (id, addresses, role, client, secure) => new EnsembleServer(
            new ServerId(id), [.. addresses.Distinct()], role == 0 ? ServerRole.Observer : ServerRole.Participant,
            client, secure));

    /// <summary>With a voter at least; half of them with groups.</summary>
    public static Gen<EnsembleConfig> Gen { get; } = CsCheck.Gen.Select(
        Server.Array[1, 7], CsCheck.Gen.Long[0, long.MaxValue], CsCheck.Gen.Int[0, 3], CsCheck.Gen.Int[0, 3].Array[7],
        static (servers, version, groups, weights) => Make(servers, version, groups, weights));

    private static EnsembleConfig Make(EnsembleServer[] drawn, long version, int groups, int[] weights)
    {
        EnsembleServer[] servers = [.. drawn.DistinctBy(static server => server.Id)];
        servers[0] = servers[0] with { Role = ServerRole.Participant };
        if (groups == 0)
            return new EnsembleConfig(servers, version);
        ServerId[] voters = [.. servers.Where(static s => s.Role == ServerRole.Participant).Select(static s => s.Id)];
        IEnumerable<ServerGroup> sets = voters.Select((id, at) => (id, at)).GroupBy(pair => pair.at % groups)
            .Select(static set => new ServerGroup(set.Key, [.. set.Select(static pair => pair.id).Order()]));
        // The first has a weight above 0, so that there can be a quorum.
        return new EnsembleConfig(
            servers, version, sets,
            voters.Select((id, at) => KeyValuePair.Create(id, at == 0 ? 1L : weights[at])));
    }
}
