using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using SharpKeeper.Protocol;
using SharpKeeper.Server;
using SharpKeeper.Server.Admin;
using SharpKeeper.Server.Configuration;
using SharpKeeper.Server.Metrics;

namespace SharpKeeper.ServerTests;

/// <summary>Replies against what Apache 3.8.0 sent in the same situation.</summary>
public sealed class FourLetterWordsTests
{
    private const string NotServing = "This ZooKeeper instance is not currently serving requests";
    private static readonly SessionId s_first = new(0x100001c4f390000);
    private static readonly SessionId s_second = new(0x100001c4f390001);

    private readonly FixedStatusSource _source = new();
    private readonly ServerMetrics _metrics = new();
    private readonly FourLetterWords _words;

    public FourLetterWordsTests() => _words = new FourLetterWords(_source, _metrics, new UtcTimeProvider());

    [Theory]
    [InlineData("ruok", FourLetterWord.Ruok)]
    [InlineData("srvr", FourLetterWord.Srvr)]
    [InlineData("stat", FourLetterWord.Stat)]
    [InlineData("mntr", FourLetterWord.Mntr)]
    [InlineData("conf", FourLetterWord.Conf)]
    [InlineData("cons", FourLetterWord.Cons)]
    [InlineData("crst", FourLetterWord.Crst)]
    [InlineData("srst", FourLetterWord.Srst)]
    [InlineData("dump", FourLetterWord.Dump)]
    [InlineData("envi", FourLetterWord.Envi)]
    [InlineData("dirs", FourLetterWord.Dirs)]
    [InlineData("wchs", FourLetterWord.Wchs)]
    [InlineData("wchc", FourLetterWord.Wchc)]
    [InlineData("wchp", FourLetterWord.Wchp)]
    [InlineData("isro", FourLetterWord.Isro)]
    [InlineData("hash", FourLetterWord.Hash)]
    [InlineData("gtmk", FourLetterWord.Gtmk)]
    [InlineData("stmk", FourLetterWord.Stmk)]
    [InlineData("\u00ff\u00f4\u00ff\u00fd", FourLetterWord.TelnetClose)]
    [InlineData("lead", FourLetterWord.None)]
    [InlineData("icfg", FourLetterWord.None)]
    [InlineData("RUOK", FourLetterWord.None)]
    [InlineData("\0\0\0\u002d", FourLetterWord.None)]
    public void Recognize_tells_words_from_frame_lengths(string bytes, object word)
    {
        int first = BinaryPrimitives.ReadInt32BigEndian(Encoding.Latin1.GetBytes(bytes));
        Assert.Equal(word, FourLetterWordRecognizer.Recognize(first));
    }

    [Fact]
    public void Recognize_asks_for_more_bytes_only_for_the_trace_mask()
    {
        Assert.Equal(8, FourLetterWordRecognizer.ArgumentBytes(FourLetterWord.Stmk));
        Assert.Equal(0, FourLetterWordRecognizer.ArgumentBytes(FourLetterWord.Ruok));
    }

    [Fact]
    public void Reply_to_a_word_outside_the_whitelist_says_so()
    {
        _source.Options = new ServerOptions();
        Assert.Equal("ruok is not executed because it is not in the whitelist.\n", _words.Reply(FourLetterWord.Ruok));
        Assert.StartsWith("Zookeeper version: ", _words.Reply(FourLetterWord.Srvr), StringComparison.Ordinal);
        Assert.Equal("", _words.Reply(FourLetterWord.TelnetClose));
    }

    [Theory]
    [InlineData("", "srvr", true)]
    [InlineData("", "ruok", false)]
    [InlineData("*", "wchc", true)]
    [InlineData("ruok , mntr", "mntr", true)]
    [InlineData("ruok,*", "dump", true)]
    [InlineData("ruok,mntr", "RUOK", false)]
    [InlineData("ruok", "srvr", true)]
    public void Whitelist_follows_the_rules_of_the_key(string list, string word, bool allowed)
    {
        Assert.Equal(allowed, FourLetterWordWhitelist.Parse(list).Allows(word));
    }

    [Theory]
    [InlineData(FourLetterWord.Ruok, "imok")]
    [InlineData(FourLetterWord.Isro, "null")]
    [InlineData(FourLetterWord.Gtmk, "306")]
    [InlineData(FourLetterWord.Hash, NotServing)]
    [InlineData(FourLetterWord.Srvr, NotServing + "\n")]
    [InlineData(FourLetterWord.Stat, NotServing + "\n")]
    [InlineData(FourLetterWord.Mntr, NotServing + "\n")]
    [InlineData(FourLetterWord.Conf, NotServing + "\n")]
    [InlineData(FourLetterWord.Cons, NotServing + "\n")]
    [InlineData(FourLetterWord.Crst, NotServing + "\n")]
    [InlineData(FourLetterWord.Srst, NotServing + "\n")]
    [InlineData(FourLetterWord.Dump, NotServing + "\n")]
    [InlineData(FourLetterWord.Dirs, NotServing + "\n")]
    [InlineData(FourLetterWord.Wchs, NotServing + "\n")]
    [InlineData(FourLetterWord.Wchc, NotServing + "\n")]
    [InlineData(FourLetterWord.Wchp, NotServing + "\n")]
    public void Reply_of_a_server_that_does_not_serve(object word, string reply)
    {
        _source.IsServing = false;
        Assert.Equal(reply, _words.Reply((FourLetterWord)word));
    }

    [Fact]
    public void Reply_to_isro_ends_without_a_newline()
    {
        Assert.Equal("rw", _words.Reply(FourLetterWord.Isro));
        _source.IsReadOnly = true;
        Assert.Equal("ro", _words.Reply(FourLetterWord.Isro));
    }

    [Fact]
    public void Reply_to_stmk_is_the_mask_and_gtmk_repeats_it()
    {
        Assert.Equal("306", _words.Reply(FourLetterWord.Gtmk));
        Assert.Equal("-7", _words.Reply(FourLetterWord.Stmk, -7));
        Assert.Equal("-7", _words.Reply(FourLetterWord.Gtmk));
    }

    [Fact]
    public void Reply_to_srvr()
    {
        AddTraffic();
        AssertText("""
            Zookeeper version: 3.9.5-sharpkeeper-0.1.0, built on 11/22/2026 00:00 UTC
            Latency min/avg/max: 0/0.5202/35
            Received: 524
            Sent: 526
            Connections: 3
            Outstanding: 0
            Zxid: 0x134
            Mode: standalone
            Node count: 11

            """, _words.Reply(FourLetterWord.Srvr));
    }

    [Fact]
    public void Reply_to_srvr_of_a_read_only_server_says_so_on_its_second_line()
    {
        _source.IsReadOnly = true;
        string[] lines = _words.Reply(FourLetterWord.Srvr).Split('\n');
        Assert.Equal("READ-ONLY mode; serving only read-only clients", lines[1]);
        Assert.Equal("Latency min/avg/max: 0/0.0/0", lines[2]);
    }

    [Fact]
    public void Reply_to_stat_lists_clients_before_the_numbers()
    {
        AddTraffic();
        AddConnections();
        AssertText("""
            Zookeeper version: 3.9.5-sharpkeeper-0.1.0, built on 11/22/2026 00:00 UTC
            Clients:
             /127.0.0.1:57424[1](queued=0,recved=509,sent=510)
             /127.0.0.1:57434[5](queued=2,recved=10,sent=11)
             /127.0.0.1:57462[0](queued=0,recved=1,sent=0)

            Latency min/avg/max: 0/0.5202/35
            Received: 524
            Sent: 526
            Connections: 3
            Outstanding: 0
            Zxid: 0x134
            Mode: standalone
            Node count: 11

            """, _words.Reply(FourLetterWord.Stat));
    }

    [Fact]
    public void Reply_to_cons_shows_session_fields_only_once_there_is_a_session()
    {
        AddConnections();
        Assert.Equal(
            " /127.0.0.1:57424[1](queued=0,recved=509,sent=510,sid=0x100001c4f390000,lop=GETD,est=1795374580987," +
            "to=20000,lcxid=0x1fc,lzxid=0x134,lresp=2584003,llat=0,minlat=0,avglat=0,maxlat=35)\n" +
            " /127.0.0.1:57434[5](queued=2,recved=10,sent=11,sid=0x100001c4f390001,lop=SESS,est=1795374581078," +
            "to=10000,lzxid=0xffffffffffffffff,lresp=2584014,llat=1,minlat=0,avglat=0,maxlat=1)\n" +
            " /127.0.0.1:57462[0](queued=0,recved=1,sent=0)\n\n",
            _words.Reply(FourLetterWord.Cons));
    }

    [Fact]
    public void Reply_to_conf()
    {
        _source.Options = _source.Options with { DataDir = Path.GetFullPath("zkd"), ListenBacklog = 7 };
        AssertText($"""
            clientPort=23981
            secureClientPort=-1
            dataDir={Path.Combine(Path.GetFullPath("zkd"), "version-2")}
            dataDirSize=457
            dataLogDir={Path.Combine(Path.GetFullPath("zkd"), "version-2")}
            dataLogSize=67109337
            tickTime=3000
            maxClientCnxns=60
            minSessionTimeout=6000
            maxSessionTimeout=60000
            clientPortListenBacklog=7
            serverId=0

            """, _words.Reply(FourLetterWord.Conf));
    }

    [Fact]
    public void Reply_to_dirs()
    {
        Assert.Equal("datadir_size: 457\nlogdir_size: 67109337\n", _words.Reply(FourLetterWord.Dirs));
    }

    [Fact]
    public void Reply_to_dump_without_anything_to_dump()
    {
        AssertText("""
            SessionTracker dump:
            Session Sets (0)/(0):
            ephemeral nodes dump:
            Sessions with Ephemerals (0):
            Connections dump:
            Connections Sets (0)/(0):

            """, _words.Reply(FourLetterWord.Dump));
    }

    [Fact]
    public void Reply_to_dump()
    {
        _source.SessionExpiries =
        [
            new(At("19:09:52"), [s_second]), new(At("19:10:01"), []), new(At("19:10:04"), [s_first]),
        ];
        _source.EphemeralsBySession = [new(s_second, ["/bb"]), new(s_first, ["/hold/f", "/hold/e"])];
        _source.ConnectionExpiries =
        [
            new(At("19:09:57"),
                [
                    new ConnectionId(FixedStatusSource.Local(57434), s_second),
                    new ConnectionId(FixedStatusSource.Local(57480), SessionId.None),
                ]),
        ];
        AssertText("""
            SessionTracker dump:
            Session Sets (3)/(2):
            1 expire at Sun Nov 22 19:09:52 UTC 2026:
            	0x100001c4f390001
            0 expire at Sun Nov 22 19:10:01 UTC 2026:
            1 expire at Sun Nov 22 19:10:04 UTC 2026:
            	0x100001c4f390000
            ephemeral nodes dump:
            Sessions with Ephemerals (2):
            0x100001c4f390001:
            	/bb
            0x100001c4f390000:
            	/hold/f
            	/hold/e
            Connections dump:
            Connections Sets (1)/(2):
            2 expire at Sun Nov 22 19:09:57 UTC 2026:
            	ip: /127.0.0.1:57434 sessionId: 0x100001c4f390001
            	ip: /127.0.0.1:57480 sessionId: 0x0

            """, _words.Reply(FourLetterWord.Dump));
    }

    [Fact]
    public void Reply_to_wchs_wchc_and_wchp()
    {
        _source.DataWatches = new WatchCounts(2, 2, 3);
        _source.WatchedPathsBySession = [new(s_first, ["/hold", "/hold/e"]), new(s_second, ["/hold"])];
        _source.WatchingSessionsByPath = [new("/hold", [s_first, s_second]), new("/hold/e", [s_first])];
        Assert.Equal("2 connections watching 2 paths\nTotal watches:3\n", _words.Reply(FourLetterWord.Wchs));
        Assert.Equal("0x100001c4f390000\n\t/hold\n\t/hold/e\n0x100001c4f390001\n\t/hold\n\n",
            _words.Reply(FourLetterWord.Wchc));
        Assert.Equal("/hold\n\t0x100001c4f390000\n\t0x100001c4f390001\n/hold/e\n\t0x100001c4f390000\n\n",
            _words.Reply(FourLetterWord.Wchp));
    }

    [Fact]
    public void Reply_to_wchc_and_wchp_without_watches_is_an_empty_line()
    {
        Assert.Equal("\n", _words.Reply(FourLetterWord.Wchc));
        Assert.Equal("\n", _words.Reply(FourLetterWord.Wchp));
    }

    [Fact]
    public void Reply_to_hash_prints_digests_as_signed_numbers()
    {
        Assert.Equal("", _words.Reply(FourLetterWord.Hash));
        _source.Digests = [new(new Zxid(0x80), 17_535_673_935), new(new Zxid(0x100), ulong.MaxValue)];
        Assert.Equal("80: 17535673935\n100: -1\n", _words.Reply(FourLetterWord.Hash));
    }

    [Fact]
    public void Reply_to_envi_starts_with_the_version_that_kazoo_parses()
    {
        string reply = _words.Reply(FourLetterWord.Envi);
        Assert.StartsWith("Environment:\nzookeeper.version=3.9.5-sharpkeeper-0.1.0, built on ", reply,
            StringComparison.Ordinal);
        string[] keys = [.. reply.Split('\n', StringSplitOptions.RemoveEmptyEntries).Skip(1).Select(KeyOf)];
        Assert.Equal(["zookeeper.version", "host.name", "runtime.version", "os.name", "os.arch", "os.version",
            "user.name", "user.home", "user.dir", "os.memory.free", "os.memory.max", "os.memory.total"], keys);
        Assert.Matches(new Regex(@"os\.memory\.total=\d+MB\n$"), reply);
    }

    [Fact]
    public void Reply_to_crst_resets_connections_only()
    {
        AddTraffic();
        Assert.Equal("Connection stats reset.\n", _words.Reply(FourLetterWord.Crst));
        Assert.Equal(1, _source.ResetsOfConnections);
        Assert.Equal(524, _metrics.PacketsReceived.Value);
    }

    [Fact]
    public void Reply_to_srst_resets_the_server_only()
    {
        AddTraffic();
        _metrics.ReadLatency.Add(3);
        Assert.Equal("Server stats reset.\n", _words.Reply(FourLetterWord.Srst));
        Assert.Equal(0, _source.ResetsOfConnections);
        Assert.Equal(0, _metrics.PacketsReceived.Value);
        Assert.Equal(default, _metrics.RequestLatency.Read());
        Assert.Equal(default, _metrics.ReadLatency.Read());
    }

    [Fact]
    public void Reply_to_mntr_gives_one_tabbed_line_for_each_metric()
    {
        AddTraffic();
        _source.Quotas = [new QuotaStatus("q", 10, -1, 3, 44)];
        string reply = _words.Reply(FourLetterWord.Mntr);
        Assert.StartsWith("zk_version\t3.9.5-sharpkeeper-0.1.0, built on 11/22/2026 00:00 UTC\n" +
            "zk_server_state\tstandalone\nzk_avg_latency\t0.5202\n", reply, StringComparison.Ordinal);
        Assert.All(reply.Split('\n', StringSplitOptions.RemoveEmptyEntries),
            static line => Assert.Matches(new Regex("^zk_[a-z0-9_]+\t[^\t]+$"), line));
        Dictionary<string, string> values = Values(reply);
        Assert.Equal("0.0", values["zk_connection_drop_probability"]);
        Assert.Equal("728797", values["zk_uptime"]);
        Assert.Equal("4", values["zk_watch_count"]);
        Assert.Equal("-1", values["zk_last_client_response_size"]);
        Assert.Equal("0.0", values["zk_avg_fsynctime"]);
        Assert.Equal("10", values["zk_q_quota_count_limit_per_namespace"]);
        Assert.Equal("44", values["zk_q_quota_bytes_usage_per_namespace"]);
        Assert.Equal("0", values["zk_p999_readlatency"]);
        Assert.True(values.ContainsKey("zk_open_file_descriptor_count") || !OperatingSystem.IsLinux());
    }

    private static Dictionary<string, string> Values(string reply) =>
        reply.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(static line => line.Split('\t'))
            .ToDictionary(static parts => parts[0], static parts => parts[1]);

    private static string KeyOf(string line) => line[..line.IndexOf('=', StringComparison.Ordinal)];

    private static DateTimeOffset At(string time) =>
        DateTimeOffset.Parse($"2026-11-22T{time}Z", CultureInfo.InvariantCulture);

    private static void AssertText(string expected, string actual) =>
        Assert.Equal(expected.ReplaceLineEndings("\n"), actual);

    private void AddTraffic()
    {
        _metrics.PacketsReceived.Add(524);
        _metrics.PacketsSent.Add(526);
        _metrics.RequestLatency.Add(0, 5104);
        _metrics.RequestLatency.Add(35, 77);
    }

    private void AddConnections() => _source.Connections =
    [
        new ConnectionStatus
        {
            Remote = FixedStatusSource.Local(57424),
            Received = 509,
            Sent = 510,
            Session = s_first,
            LastOperation = "GETD",
            Established = DateTimeOffset.FromUnixTimeMilliseconds(1_795_374_580_987),
            SessionTimeout = TimeSpan.FromSeconds(20),
            LastXid = 0x1fc,
            LastZxid = new Zxid(0x134),
            LastResponseMs = 2_584_003,
            MaxLatencyMs = 35,
        },
        new ConnectionStatus
        {
            Remote = FixedStatusSource.Local(57434),
            InterestOps = 5,
            Queued = 2,
            Received = 10,
            Sent = 11,
            Session = s_second,
            LastOperation = "SESS",
            Established = DateTimeOffset.FromUnixTimeMilliseconds(1_795_374_581_078),
            SessionTimeout = TimeSpan.FromSeconds(10),
            LastResponseMs = 2_584_014,
            LastLatencyMs = 1,
            MaxLatencyMs = 1,
        },
        new ConnectionStatus { Remote = FixedStatusSource.Local(57462), InterestOps = 0, Received = 1 },
    ];
}
