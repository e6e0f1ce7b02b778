using System.Text;
using SharpKeeper.Cli.Shell;
using SharpKeeper.Protocol;

namespace SharpKeeper.ShellTests;

public class TextFormsTests
{
    [Fact]
    public void AclText_splits_at_the_first_and_the_last_colon()
    {
        IReadOnlyList<Acl> acl = AclText.Parse("world:anyone:r,digest:bob:x+/=:cdrwa,ip:10.0.0.0/8:rw");
        Assert.Equal(
            [
                new Acl(Permissions.Read, AuthId.Anyone),
                new Acl(Permissions.All, new AuthId("digest", "bob:x+/=")),
                new Acl(Permissions.Read | Permissions.Write, new AuthId("ip", "10.0.0.0/8")),
            ], acl);
    }

    [Theory]
    [InlineData("world", "world does not have the form scheme:id:perm")]
    [InlineData("world:anyone:r,a:b", "a:b does not have the form scheme:id:perm")]
    [InlineData("", " does not have the form scheme:id:perm")]
    [InlineData("world:anyone:rx", "Unknown perm type: x in world:anyone:rx (the letters are c d r w a)")]
    public void AclText_of_bad_text_names_the_entry(string text, string message) =>
        Assert.Equal(message, Assert.Throws<ShellUsageException>(() => AclText.Parse(text)).Message);

    [Fact]
    public void AclText_prints_letters_in_zkClis_order() => Assert.Equal("cdrwa", AclText.Format(Permissions.All));

    [Theory]
    [InlineData("count=2,bytes=-1=;byteHardLimit=1000;countHardLimit=10", 2, -1, 10, 1000)]
    [InlineData("count=5,bytes=100", 5, 100, -1, -1)]
    [InlineData("count=,bytes=", -1, -1, -1, -1)]
    [InlineData("", -1, -1, -1, -1)]
    [InlineData("count=1,,;bytes=2,later=3", 1, 2, -1, -1)]
    public void QuotaText_reads_what_servers_and_tools_have_written(
        string text, long count, long bytes, long countHard, long bytesHard) =>
        Assert.Equal(new QuotaText(count, bytes, countHard, bytesHard),
            QuotaText.Parse(Encoding.UTF8.GetBytes(text), "/q"));

    [Fact]
    public void QuotaText_writes_the_form_of_zookeeper() =>
        Assert.Equal("count=2,bytes=-1=;byteHardLimit=1000;countHardLimit=-1",
            new QuotaText(2, -1, -1, 1000).Format());

    [Fact]
    public void QuotaText_without_a_number_names_the_znode() => Assert.Contains("/q ",
        Assert.Throws<ShellCommandException>(() => QuotaText.Parse("count=many"u8, "/q")).Message,
        StringComparison.Ordinal);

    [Fact]
    public void QuotaText_ancestors_come_nearest_first_without_the_root() =>
        Assert.Equal(["/a/b", "/a"], QuotaText.Ancestors("/a/b/c"));

    [Fact]
    public void JavaDate_prints_as_java_does()
    {
        var berlin = TimeZoneInfo.CreateCustomTimeZone("T", TimeSpan.FromHours(1), "T", "CET");
        Assert.Equal("Sun Nov 22 18:52:26 UTC 2026", JavaDate.Format(1795373546_000, TimeZoneInfo.Utc));
        Assert.Equal("Sun Nov 22 19:52:26 CET 2026", JavaDate.Format(1795373546_000, berlin));
        Assert.Equal("Thu Jan 01 00:00:00 UTC 1970", JavaDate.Format(0, TimeZoneInfo.Utc));
    }

    [Fact]
    public void JavaDate_without_a_short_zone_name_prints_the_offset()
    {
        var zone = TimeZoneInfo.CreateCustomTimeZone("T", TimeSpan.FromMinutes(-150), "T", "T Standard Time");
        Assert.Equal("Wed Dec 31 21:30:00 GMT-02:30 1969", JavaDate.Format(0, zone));
    }

    [Theory]
    [InlineData(long.MinValue)]
    [InlineData(long.MaxValue)]
    public void JavaDate_beyond_the_calendar_prints_the_number(long milliseconds) =>
        Assert.Equal($"{milliseconds} ms", JavaDate.Format(milliseconds, TimeZoneInfo.Utc));

    [Fact]
    public void HexDump_shows_offsets_bytes_and_characters()
    {
        string[] lines = HexDump.Format("0123456789abcdefA\0\u007f"u8).Split('\n');
        Assert.Equal("|00000000| 30 31 32 33 34 35 36 37 38 39 61 62 63 64 65 66 |0123456789abcdef|", lines[3]);
        Assert.Equal("|00000010| 41 00 7f                                        |A..             |", lines[4]);
    }

    [Fact]
    public void EnsembleText_lists_the_client_addresses() => Assert.Equal("100000000 h1:2181,0.0.0.0:2182",
        EnsembleText.ClientAddresses("server.1=h1:2888:3888:participant;h1:2181\n"
            + "server.2=h2:2888:3888:observer;2182\nserver.3=h3:1:2\nversion=100000000"));

    [Theory]
    [InlineData("", "Path length must be > 0")]
    [InlineData("a", "Path must start with / character")]
    [InlineData("/a/", "Path must not end with / character")]
    [InlineData("/a//b", "Invalid path \"/a//b\": a path must not have an empty part.")]
    public void ShellPath_says_what_is_wrong(string path, string message) =>
        Assert.Equal(message, Assert.Throws<ShellCommandException>(() => ShellPath.Validate(path)).Message);

    [Theory]
    [InlineData("sl", "ls")]
    [InlineData("craete", "create")]
    [InlineData("getacl", "getAcl")]
    [InlineData("deletall", "deleteall")]
    [InlineData("frobnicate", null)]
    public void Nearest_finds_the_command_that_was_meant(string typed, string? meant) =>
        Assert.Equal(meant, ShellVerbs.Nearest(typed));
}
