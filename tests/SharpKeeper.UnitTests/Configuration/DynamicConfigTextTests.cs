using SharpKeeper.Protocol;
using SharpKeeper.Protocol.Quorum;
using SharpKeeper.Server.Configuration;

namespace SharpKeeper.ServerTests;

public sealed class DynamicConfigTextTests
{
    private const string Dynamic = "/etc/zoo.cfg.dynamic.100000000";

    [Fact]
    public void Rewrite_removes_members_and_keeps_all_else_byte_for_byte()
    {
        const string Text = """
            # The number of milliseconds of each tick
            tickTime=2000

              # indented comment
            initLimit = 10
            syncLimit:5
            clientPort=2181
            peerType=participant
            ! another comment
            some.path=C:\\temp
            long=one \
               two
            server.1=127.0.0.1:2888:3888:participant
              server.2=127.0.0.1:2889:\
              3889
            group.1=1:2
            weight.1=3
            last=line
            """;
        const string Expected = """
            # The number of milliseconds of each tick
            tickTime=2000

              # indented comment
            initLimit = 10
            syncLimit:5
            clientPort=2181
            ! another comment
            some.path=C:\\temp
            long=one \
               two
            last=line
            dynamicConfigFile=/etc/zoo.cfg.dynamic.100000000

            """;
        Assert.Equal(Expected, DynamicConfigFiles.Rewrite(Text, Dynamic, removesClient: false, out bool wasStatic));
        Assert.True(wasStatic);
        Assert.Equal(Expected, DynamicConfigFiles.Rewrite(Expected, Dynamic, removesClient: false, out wasStatic));
        Assert.False(wasStatic);
    }

    [Fact]
    public void Rewrite_removes_the_client_address_where_the_configuration_has_it()
    {
        string text = DynamicConfigFiles.Rewrite(
            "clientPort=1\nclientPortAddress=::1\nclientPortListenBacklog=5\n", Dynamic, removesClient: true, out _);
        Assert.Equal("clientPortListenBacklog=5\ndynamicConfigFile=" + Dynamic + "\n", text);
    }

    [Fact]
    public void Rewrite_replaces_an_older_reference()
    {
        string text = DynamicConfigFiles.Rewrite(
            "dynamicConfigFile=/etc/old.1\r\na=b\r\n", Dynamic, removesClient: false, out _);
        Assert.Equal("a=b\r\ndynamicConfigFile=" + Dynamic + "\r\n", text);
    }

    [Fact]
    public void Rewrite_writes_a_path_so_that_every_reader_takes_it_for_the_same()
    {
        string text = DynamicConfigFiles.Rewrite("", "C:\\a b\\ü.dynamic.1", removesClient: false, out _);
        Assert.Equal("dynamicConfigFile=C:/a b/\\u00fc.dynamic.1\n", text);
        Assert.Equal("C:/a b/ü.dynamic.1", Assert.Single(PropertiesReader.Read(text)).Value);
    }

    [Fact]
    public void MembersOf_sorts_the_lines_as_text_and_leaves_the_version_out()
    {
        Assert.True(EnsembleConfig.TryParse(
            "server.2=b:1:2\nserver.10=a:1:2:observer\nserver.1=c:1:2;[::1]:5\nversion=5",
            out EnsembleConfig? config, out string problem), problem);
        Assert.Equal(
            "server.10=a:1:2:observer\nserver.1=c:1:2:participant;[0:0:0:0:0:0:0:1]:5\nserver.2=b:1:2:participant",
            DynamicConfigFiles.MembersOf(config));
    }
}
