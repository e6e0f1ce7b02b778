using SharpKeeper.Client.Internal;

namespace SharpKeeper.UnitTests.Client;

public class ConnectStringTests
{
    [Theory]
    [InlineData("a", "a:2181", "")]
    [InlineData("a:1,b:2", "a:1 b:2", "")]
    [InlineData("a:1, b:2/app/x", "a:1 b:2", "/app/x")]
    [InlineData("a/", "a:2181", "")]
    [InlineData("[::1]:2182,[fe80::2]/r", "[::1]:2182 [fe80::2]:2181", "/r")]
    [InlineData("a,a,b", "a:2181 b:2181", "")]
    public void Parse_of_a_legal_text_gives_servers_and_chroot(string text, string servers, string chroot)
    {
        ConnectString parsed = ConnectString.Parse(text);

        Assert.Equal(servers, string.Join(' ', parsed.Servers));
        Assert.Equal(chroot, parsed.Chroot);
    }

    [Theory]
    [InlineData("", "a server is missing")]
    [InlineData("a,,b", "a server is missing")]
    [InlineData("/app", "a server is missing")]
    [InlineData("a:", "no port")]
    [InlineData("a:0", "no port")]
    [InlineData("a:65536", "no port")]
    [InlineData("a:x", "no port")]
    [InlineData(":2181", "no host")]
    [InlineData("::1", "brackets")]
    [InlineData("[::1", "[address]")]
    [InlineData("[::1]2181", "[address]")]
    [InlineData("a/b/", "must not end")]
    [InlineData("a/b//c", "empty part")]
    public void Parse_of_a_bad_text_says_what_is_wrong(string text, string reason)
    {
        ArgumentException error = Assert.Throws<ArgumentException>(() => ConnectString.Parse(text));

        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
    }
}
