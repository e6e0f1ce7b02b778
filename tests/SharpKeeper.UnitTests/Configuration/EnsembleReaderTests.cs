using System.Net;
using SharpKeeper.Core;
using SharpKeeper.Protocol;
using SharpKeeper.Protocol.Quorum;
using SharpKeeper.Server;
using SharpKeeper.Server.Configuration;

namespace SharpKeeper.ServerTests;

public sealed class EnsembleReaderTests
{
    private const string Base = "dataDir=/data\ninitLimit=10\nsyncLimit=5\n";
    private const string Servers = "server.1=a:2888:3888\nserver.2=b:2888:3888\nserver.3=c:2888:3888\n";
    private const string Three = Base + "clientPort=2181\n" + Servers;

    private readonly Dictionary<string, string> files = new() { ["/data/myid"] = "2\n" };

    [Fact]
    public void Parse_of_three_servers_makes_an_ensemble()
    {
        ServerOptions options = Parse(Three);
        EnsembleSettings ensemble = Assert.IsType<EnsembleSettings>(options.Ensemble);
        Assert.Equal(new ServerId(2), ensemble.Self);
        Assert.Equal([1L, 2L, 3L], ensemble.Config.Servers.Select(static server => server.Id.Value));
        Assert.Equal(0, ensemble.Config.Version);
        Assert.Null(ensemble.NextConfig);
        Assert.False(ensemble.IsObserver);
        Assert.Equal(10, ensemble.InitLimitTicks);
        Assert.Equal(5, ensemble.SyncLimitTicks);
        Assert.Empty(options.Warnings);
        Assert.Equal(2181, options.ClientPort);
    }

    [Fact]
    public void Parse_of_servers_reads_roles_client_ports_groups_and_weights()
    {
        ServerOptions options = Parse(Base + """
            server.1=a:2888:3888:participant;2181
            server.2=[::1]:2888:3888:participant;127.0.0.1:2182
            server.3=c:2888:3888
            server.4=d:2888:3888:observer
            group.1=1:2
            group.2=3
            weight.1=2
            clientPort=2182
            """);
        EnsembleConfig config = options.Ensemble!.Config;
        Assert.Equal(new ClientAddress("0.0.0.0", 2181), config.Find(new ServerId(1))!.Client);
        Assert.Equal([new ServerAddress("0:0:0:0:0:0:0:1", 2888, 3888)], config.Find(new ServerId(2))!.Addresses);
        Assert.Equal(ServerRole.Observer, config.Find(new ServerId(4))!.Role);
        Assert.Equal([1L, 2L, 3L], config.Voters.Select(static id => id.Value));
        Assert.Equal(new IPEndPoint(IPAddress.Loopback, 2182), options.ClientEndPoint);
        Assert.Contains("group.1=1:2", config.Format(), StringComparison.Ordinal);
        Assert.Contains("weight.1=2", config.Format(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(null, "the file /data/myid is missing; write this server's number into it, which is one of 1, 2, 3")]
    [InlineData("",
        "the first line of /data/myid is empty; write this server's number into it, which is one of 1, 2, 3")]
    [InlineData("\n2\n",
        "the first line of /data/myid is empty; write this server's number into it, which is one of 1, 2, 3")]
    [InlineData("two\n",
        "/data/myid: two is not a number; write this server's number into it, which is one of 1, 2, 3")]
    [InlineData("7\n", "/data/myid says 7, but there is no line server.7; write this server's number into it, " +
        "which is one of 1, 2, 3, or add the line")]
    public void Parse_with_a_bad_myid_names_the_file_and_the_cure(string? content, string problem)
    {
        files.Remove("/data/myid");
        if (content is not null)
            files["/data/myid"] = content;
        Assert.Equal([problem], Problems(Three));
    }

    [Theory]
    [InlineData("3")]
    [InlineData("3\r\n")]
    [InlineData(" 3 \nand more\n")]
    public void Parse_takes_the_first_line_of_myid(string content)
    {
        files["/data/myid"] = content;
        Assert.Equal(new ServerId(3), Parse(Three).Ensemble!.Self);
    }

    [Fact]
    public void Parse_looks_for_myid_where_the_data_are()
    {
        files["/other/myid"] = "1";
        ServerOptions options = Parse(Three, new ServerOverrides { DataDir = "/other" });
        Assert.Equal(new ServerId(1), options.Ensemble!.Self);
    }

    [Theory]
    [InlineData("initLimit=10\n", "", "initLimit is not set; add a line initLimit=10 (ticks)")]
    [InlineData("syncLimit=5\n", "", "syncLimit is not set; add a line syncLimit=5 (ticks)")]
    [InlineData("syncLimit=5", "syncLimit=0", "syncLimit is not set; add a line syncLimit=5 (ticks)")]
    [InlineData("a:2888:3888", "a:2888:3888|d:2888:3888",
        "a server line has several addresses (|), which needs multiAddress.enabled=true")]
    [InlineData("b:2888:3888", "b:2888:3888;2181;2281", "server.2 has a secure client port, which asks for TLS, " +
        "which this release does not have; remove it")]
    [InlineData("clientPort=2181\n", "",
        "zoo.cfg: clientPort is not set, so clients could not connect; add a line clientPort=2181")]
    [InlineData("clientPort=2181", "clientPort=2181\nfastleader.minNotificationInterval=100000",
        "fastleader.minNotificationInterval must be 1 or more and not above fastleader.maxNotificationInterval")]
    [InlineData("clientPort=2181", "clientPort=2181\ndb.autocreate=false", "db.autocreate=false keeps an empty " +
        "server from voting in an ensemble, which this release does not do; remove it")]
    [InlineData("b:2888:3888", "b:2888:3888;2182", "zoo.cfg line 6: server.2 says that clients connect to " +
        "0.0.0.0:2182, and clientPort and clientPortAddress say 0.0.0.0:2181; remove those two lines")]
    [InlineData("b:2888:3888", "b:2888:2888",
        "server.2 has port 2888 for two things; the quorum port and the election port must differ")]
    public void Parse_of_an_ensemble_that_cannot_run_says_why(string replaced, string by, string problem)
    {
        Assert.Equal([problem], Problems(Three.Replace(replaced, by, StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("server.2=b:2888:3888:voter")]
    [InlineData("server.2=b")]
    [InlineData("server.2=b:2888")]
    [InlineData("server.2=b:x:3888")]
    [InlineData("server.2=b:2888:3888;no host!:2181")]
    [InlineData("server.two=b:2888:3888")]
    [InlineData("weight.2=much")]
    public void Parse_of_a_bad_server_line_names_the_line(string line)
    {
        string text = Base + "clientPort=2181\nserver.1=a:2888:3888\nserver.3=c:2888:3888\n" + line + "\n";
        string key = line[..line.IndexOf('=', StringComparison.Ordinal)];
        Assert.StartsWith("zoo.cfg line 7: ", Assert.Single(Problems(text)), StringComparison.Ordinal);
        Assert.Contains(key, Assert.Single(Problems(text)), StringComparison.Ordinal);
    }

    [Fact]
    public void Parse_of_several_addresses_with_the_feature_on_takes_them()
    {
        ServerOptions options = Parse(Three.Replace("b:2888:3888", "b:2888:3888|d:2889:3889", StringComparison.Ordinal)
            + "multiAddress.enabled=true\n");
        Assert.Equal(2, options.Ensemble!.Config.Find(new ServerId(2))!.Addresses.Count);
    }

    [Fact]
    public void Parse_of_a_single_server_line_runs_standalone_with_a_warning()
    {
        ServerOptions options = Parse("dataDir=/d\nserver.1=127.0.0.1:2888:3888;127.0.0.1:2299\n");
        Assert.Null(options.Ensemble);
        Assert.Equal(new IPEndPoint(IPAddress.Loopback, 2299), options.ClientEndPoint);
        Assert.Equal(["zoo.cfg line 2: only one server is configured, so it runs standalone and server.1 is ignored"],
            options.Warnings);
    }

    [Fact]
    public void Parse_of_a_single_server_line_with_standalone_off_makes_an_ensemble_of_one()
    {
        files["/data/myid"] = "1";
        ServerOptions options = Parse(Base + "standaloneEnabled=false\nserver.1=a:2888:3888;2181\n");
        Assert.Equal([1L], options.Ensemble!.Config.Voters.Select(static id => id.Value));
        Assert.StartsWith("with one voter the ensemble does not survive", Assert.Single(options.Warnings),
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("standaloneEnabled=false\n", "zoo.cfg: standaloneEnabled=false needs at least one line server.N")]
    [InlineData("server.1=a:1:2\nserver.2=b:1:2:observer\n", "zoo.cfg: observers need an ensemble, and a single " +
        "voter runs standalone; add voters, or standaloneEnabled=false")]
    public void Parse_of_too_few_voters_says_why(string lines, string problem)
    {
        Assert.Equal([problem], Problems(Base + "clientPort=2181\n" + lines));
    }

    [Fact]
    public void Parse_warns_of_numbers_of_voters_that_help_nobody()
    {
        Assert.Equal(["with two voters the ensemble does not survive the loss of any; three are needed for that"],
            Parse(Base + "clientPort=1\nserver.1=a:1:2\nserver.2=b:1:2\n").Warnings);
        Assert.Equal(["4 voters survive no more losses than 3; an odd number is better"],
            Parse(Three + "server.4=d:1:2\n").Warnings);
    }

    [Fact]
    public void Parse_warns_of_servers_that_may_begin_sessions_with_the_same_id()
    {
        ServerOptions options = Parse(Three + "server.257=d:1:2\nserver.300=e:1:2\n");
        Assert.Collection(options.Warnings,
            both => Assert.Matches(
                "^zoo.cfg line [0-9]+: server.257 and server.1 \\(zoo.cfg line [0-9]+\\) may begin sessions with the " +
                "SAME id, .* 1 for both; use numbers from 1 to 255$", both),
            alone => Assert.Matches(
                "^zoo.cfg line [0-9]+: .*server.300, which is 44; never add a server.44, or use numbers from 1 to 255$",
                alone));
    }

    [Theory]
    [InlineData(
        "localSessionsUpgradingEnabled=true",
        "localSessionsUpgradingEnabled has no effect without localSessionsEnabled=true")]
    public void Parse_of_an_ensemble_warns_of_what_is_not_done(string line, string warning)
    {
        Assert.StartsWith(warning, Assert.Single(Parse(Three + line + "\n").Warnings), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("observer", "participant", false, "makes this server a participant")]
    [InlineData("participant", "observer", true, "makes this server an observer")]
    public void Parse_lets_the_server_line_win_over_peerType(
        string peerType, string role, bool isObserver, string warning)
    {
        ServerOptions options = Parse($"{Base}clientPort=1\npeerType={peerType}\nserver.1=a:1:2\nserver.3=c:1:2\n" +
            $"server.4=d:1:2\nserver.2=b:1:2:{role}\n");
        Assert.Equal(isObserver, options.Ensemble!.IsObserver);
        Assert.Contains(options.Warnings, text => text.Contains(warning, StringComparison.Ordinal));
    }

    [Fact]
    public void Parse_refuses_an_ensemble_in_memory()
    {
        ServerConfigurationException e = Assert.Throws<ServerConfigurationException>(
            () => Parse(Three, new ServerOverrides { InMemory = true }));
        Assert.StartsWith("--memory is for a server that stands alone", Assert.Single(e.Problems),
            StringComparison.Ordinal);
    }

    [Fact]
    public void Parse_lets_the_command_line_choose_the_client_port()
    {
        ServerOptions options = Parse(Three.Replace("b:2888:3888", "b:2888:3888;2182", StringComparison.Ordinal),
            new ServerOverrides { Port = 0, Listen = "127.0.0.1" });
        Assert.Equal(new IPEndPoint(IPAddress.Loopback, 0), options.ClientEndPoint);
    }

    [Fact]
    public void Parse_reads_the_dynamic_file_and_takes_its_version_from_its_name()
    {
        files["/etc/zoo.cfg.dynamic.100000002"] = Servers.TrimEnd();
        ServerOptions options = Parse(Base + "clientPort=2181\ndynamicConfigFile=/etc/zoo.cfg.dynamic.100000002\n");
        Assert.Equal(0x100000002, options.Ensemble!.Config.Version);
        Assert.Equal("/etc/zoo.cfg.dynamic.100000002", options.Ensemble.DynamicConfigFile);
        Assert.Equal([1L, 2L, 3L], options.Ensemble.Config.Voters.Select(static id => id.Value));
    }

    [Fact]
    public void Parse_of_a_dynamic_file_without_a_version_in_its_name_takes_0()
    {
        files["/etc/my.dynamic"] = Servers;
        Assert.Equal(0, Parse(Base + "clientPort=1\ndynamicConfigFile=/etc/my.dynamic\n").Ensemble!.Config.Version);
    }

    [Theory]
    [InlineData(null, "", "there is no file /etc/d.1, which dynamicConfigFile names")]
    [InlineData(Servers, "server.1=a:1:2\n", "zoo.cfg line 6: server.1 must stand in /etc/d.1, which " +
        "dynamicConfigFile names; move all lines server.N, group.N and weight.N there")]
    [InlineData(Servers + "version=1", "", "/etc/d.1 line 4: the version of this file is the end of its name; " +
        "remove the line")]
    [InlineData(Servers + "tickTime=1", "", "/etc/d.1 line 4: tickTime is no setting of a dynamic configuration; " +
        "move it to zoo.cfg")]
    public void Parse_of_a_bad_dynamic_file_says_why(string? content, string more, string problem)
    {
        if (content is not null)
            files["/etc/d.1"] = content;
        Assert.Equal([problem], Problems(Base + "clientPort=1\ndynamicConfigFile=/etc/d.1\n" + more));
    }

    [Theory]
    [InlineData("100000005", true)]
    [InlineData("100000002", false)]
    [InlineData("1", false)]
    public void Parse_reads_the_proposed_configuration_if_it_is_newer(string version, bool counts)
    {
        files["/etc/d.100000002"] = Servers;
        files["zoo.cfg.dynamic.next"] = Servers + "server.4=d:1:2\nversion=" + version;
        ServerOptions options = Parse(
            Base + "clientPort=1\nreconfigEnabled=true\ndynamicConfigFile=/etc/d.100000002\n");
        Assert.Equal(counts ? 0x100000005 : null, options.Ensemble!.NextConfig?.Version);
    }

    [Theory]
    [InlineData(Servers, "zoo.cfg.dynamic.next: version is not set")]
    [InlineData(Servers + "version=soon",
        "zoo.cfg.dynamic.next line 4: version=soon is not valid; allowed: a hexadecimal number")]
    public void Parse_of_a_bad_proposed_configuration_says_why(string content, string problem)
    {
        files["/etc/d.1"] = Servers;
        files["zoo.cfg.dynamic.next"] = content;
        Assert.Equal([problem], Problems(Base + "clientPort=1\nreconfigEnabled=true\ndynamicConfigFile=/etc/d.1\n"));
    }

    [Fact]
    public void Parse_leaves_the_proposed_configuration_alone_where_none_can_be_proposed()
    {
        files["/etc/d.1"] = Servers;
        files["zoo.cfg.dynamic.next"] = "rubbish";
        Assert.Null(Parse(Base + "clientPort=1\ndynamicConfigFile=/etc/d.1\n").Ensemble!.NextConfig);
    }

    [Theory]
    [InlineData("zoo.cfg.dynamic.1a", 0x1a)]
    [InlineData("/x.1/zoo.cfg.dynamic.next", 0)]
    [InlineData("/x.1/plain", 0)]
    [InlineData("/x/d.100000000", 0x100000000)]
    public void VersionOf_reads_the_end_of_the_name(string path, long version) =>
        Assert.Equal(version, EnsembleReader.VersionOf(path));

    [Fact]
    public void ToReplicaOptions_hands_on_every_setting()
    {
        ServerOptions options = Parse(Three + """
            fastleader.minNotificationInterval=10
            fastleader.maxNotificationInterval=20
            leaderServes=no
            syncEnabled=false
            localSessionsEnabled=true
            localSessionsUpgradingEnabled=true
            readonlymode.enabled=true
            forceSnapshotSync=true
            snapshotSizeFactor=-1
            commitLogCount=501
            leader.maxConcurrentSnapSyncs=6
            leader.maxConcurrentDiffSyncs=7
            standaloneEnabled=false
            jute.maxbuffer=100000000
            """);
        EnsembleOptions core = options.Ensemble!.ToReplicaOptions(options, acceptedEpoch: 4, currentEpoch: 3);
        Assert.Equal(
            new EnsembleOptions
            {
                Self = new ServerId(2),
                Config = options.Ensemble.Config,
                AcceptedEpoch = 4,
                CurrentEpoch = 3,
                InitLimitTicks = 10,
                SyncLimitTicks = 5,
                MinNotificationIntervalMs = 10,
                MaxNotificationIntervalMs = 20,
                LeaderServes = false,
                AllowsSingleVoter = true,
                ObserverLogs = false,
                LocalSessions = true,
                LocalSessionsUpgrade = true,
                ReadOnlyMode = true,
                ForceSnapshotSync = true,
                UsesLogOnDisk = false,
                HistoryTxnsMin = 501,
                PacketBytesMax = 200_000_000,
                ConcurrentSnapSyncsMax = 6,
                ConcurrentDiffSyncsMax = 7,
            },
            core);
    }

    private ServerOptions Parse(string text, ServerOverrides? overrides = null) =>
        ServerOptionsLoader.Parse(
            text, "zoo.cfg", [], overrides ?? new ServerOverrides(), path => files.GetValueOrDefault(path));

    private IReadOnlyList<string> Problems(string text) =>
        Assert.Throws<ServerConfigurationException>(() => Parse(text)).Problems;
}
