using System.Text;
using SharpKeeper.Protocol;
using SharpKeeper.Protocol.Quorum;
using SharpKeeper.Server;
using SharpKeeper.Server.Configuration;

namespace SharpKeeper.ServerTests;

/// <summary>The files beside zoo.cfg, with the contents that Apache 3.8.0 wrote for the same ensemble.</summary>
public sealed class DynamicConfigFilesTests : IDisposable
{
    private const string Members =
        "server.1=127.0.0.1:37281:37381:participant\n" +
        "server.2=127.0.0.1:37282:37382:participant\n" +
        "server.3=localhost:37283:37383:participant;0.0.0.0:37183";

    private readonly string directory = Directory.CreateTempSubdirectory("sharpkeeper-config-").FullName;

    private string ConfigFile => Path.Combine(directory, "zoo.cfg");

    private string[] Names => [.. Directory.GetFiles(directory).Select(path => Path.GetFileName(path)).Order()];

    public void Dispose() => Directory.Delete(directory, recursive: true);

    [Fact]
    public void Use_of_the_first_configuration_moves_the_members_out_of_zoo_cfg()
    {
        string text = Write(self: 1);
        new DynamicConfigFiles(ConfigFile, new ServerId(1)).Use(Config(Members, 0x100000000), null);

        Assert.Equal(["zoo.cfg", "zoo.cfg.bak", "zoo.cfg.dynamic.100000000"], Names);
        Assert.Equal(Members, Read("zoo.cfg.dynamic.100000000"));
        Assert.Equal(text, Read("zoo.cfg.bak"));
        string rewritten = Read("zoo.cfg");
        Assert.Contains("clientPort=37181\n", rewritten, StringComparison.Ordinal);
        Assert.Contains("# kept: caf\u00e9\n", rewritten, StringComparison.Ordinal);
        Assert.EndsWith($"dynamicConfigFile={ConfigFile}.dynamic.100000000\n", rewritten, StringComparison.Ordinal);
        Assert.DoesNotContain("server.", rewritten, StringComparison.Ordinal);

        ServerOptions options = ServerOptionsLoader.Load(ConfigFile, [], new ServerOverrides());
        Assert.Equal(0x100000000, options.Ensemble!.Config.Version);
        Assert.Equal(37181, options.ClientPort);
    }

    [Fact]
    public void Use_of_a_configuration_that_has_the_client_port_takes_it_out_of_zoo_cfg()
    {
        Write(self: 2);
        DynamicConfigFiles files = new(ConfigFile, new ServerId(2));
        files.Use(Config(Members, 0x100000000), null);
        Assert.Contains("clientPort=", Read("zoo.cfg"), StringComparison.Ordinal);
        files.Use(Config(Members.Replace("37382:participant", "37382:observer;37182", StringComparison.Ordinal),
            0x100000005), null);
        Assert.DoesNotContain("clientPort=", Read("zoo.cfg"), StringComparison.Ordinal);
        Assert.Contains("server.2=127.0.0.1:37282:37382:observer;0.0.0.0:37182", Read("zoo.cfg.dynamic.100000005"),
            StringComparison.Ordinal);
        Assert.Equal(
            ["zoo.cfg", "zoo.cfg.bak", "zoo.cfg.dynamic.100000000", "zoo.cfg.dynamic.100000005"], Names);

        ServerOptions options = ServerOptionsLoader.Load(ConfigFile, [], new ServerOverrides());
        Assert.Equal((37182, true), (options.ClientPort, options.Ensemble!.IsObserver));
    }

    [Fact]
    public void Use_keeps_the_proposed_configuration_until_it_is_committed()
    {
        Write(self: 1);
        DynamicConfigFiles files = new(ConfigFile, new ServerId(1));
        EnsembleConfig first = Config(Members, 0x100000000);
        EnsembleConfig second = Config(Members + "\nserver.4=h:1:2:observer;5", 0x100000002);
        files.Use(first, second);
        Assert.Equal(Members + "\nserver.4=h:1:2:observer;0.0.0.0:5\nversion=100000002", Read("zoo.cfg.dynamic.next"));
        ServerOptions options = ServerOptionsLoader.Load(
            ConfigFile, [KeyValuePair.Create("zookeeper.reconfigEnabled", "true")], new ServerOverrides());
        Assert.Equal(0x100000002, options.Ensemble!.NextConfig!.Version);

        files.Use(second, null);
        Assert.DoesNotContain("zoo.cfg.dynamic.next", Names);
        Assert.EndsWith(".dynamic.100000002\n", Read("zoo.cfg"), StringComparison.Ordinal);
    }

    [Fact]
    public void Use_of_version_0_leaves_zoo_cfg_alone()
    {
        string text = Write(self: 1);
        new DynamicConfigFiles(ConfigFile, new ServerId(1)).Use(Config(Members, 0), null);
        Assert.Equal(["zoo.cfg"], Names);
        Assert.Equal(text, Read("zoo.cfg"));
    }

    [Fact]
    public void Use_after_a_restart_keeps_the_first_backup_and_the_older_files()
    {
        string text = Write(self: 1);
        new DynamicConfigFiles(ConfigFile, new ServerId(1)).Use(Config(Members, 0x100000000), null);
        new DynamicConfigFiles(ConfigFile, new ServerId(1)).Use(Config(Members, 0x200000001), null);
        Assert.Equal(text, Read("zoo.cfg.bak"));
        Assert.Equal(
            ["zoo.cfg", "zoo.cfg.bak", "zoo.cfg.dynamic.100000000", "zoo.cfg.dynamic.200000001"], Names);
    }

    [Fact]
    public void Use_of_a_linked_zoo_cfg_changes_the_file_and_keeps_the_link()
    {
        Write(self: 1);
        string real = Path.Combine(directory, "real.cfg");
        File.Move(ConfigFile, real);
        File.CreateSymbolicLink(ConfigFile, real);
        new DynamicConfigFiles(ConfigFile, new ServerId(1)).Use(Config(Members, 5), null);
        Assert.NotNull(new FileInfo(ConfigFile).LinkTarget);
        Assert.EndsWith("zoo.cfg.dynamic.5\n", Read("real.cfg"), StringComparison.Ordinal);
    }

    [Fact]
    public void Of_a_server_that_allows_no_reconfiguration_is_nothing()
    {
        Write(self: 1);
        ServerOptions options = ServerOptionsLoader.Load(ConfigFile, [], new ServerOverrides());
        Assert.Null(DynamicConfigFiles.Of(options));
        Assert.NotNull(DynamicConfigFiles.Of(options with { ReconfigEnabled = true }));
        Assert.Null(DynamicConfigFiles.Of(options with { ReconfigEnabled = true, ConfigFile = null }));
        Assert.Null(DynamicConfigFiles.Of(options with { ReconfigEnabled = true, Ensemble = null }));
    }

    [Theory]
    [InlineData("9", "says 9, but there is no line server.9")]
    [InlineData(null, "is missing; write this server's number into it, which is one of 1, 2, 3")]
    public void Load_with_a_bad_myid_on_disk_names_the_file(string? content, string problem)
    {
        Write(self: 1);
        string path = Path.Combine(directory, "data", "myid");
        File.Delete(path);
        if (content is not null)
            File.WriteAllText(path, content);
        ServerConfigurationException e = Assert.Throws<ServerConfigurationException>(
            () => ServerOptionsLoader.Load(ConfigFile, [], new ServerOverrides()));
        Assert.Contains(path, Assert.Single(e.Problems), StringComparison.Ordinal);
        Assert.Contains(problem, e.Problems[0], StringComparison.Ordinal);
    }

    private static EnsembleConfig Config(string members, long version)
    {
        Assert.True(EnsembleConfig.TryParse(members, out EnsembleConfig? config, out string problem), problem);
        return config.WithVersion(version);
    }

    // A file in Latin-1, which is no valid UTF-8.
    private string Read(string name) => Encoding.Latin1.GetString(File.ReadAllBytes(Path.Combine(directory, name)));

    private string Write(int self)
    {
        string data = Path.Combine(directory, "data");
        Directory.CreateDirectory(data);
        File.WriteAllText(Path.Combine(data, "myid"), $"{self}\n");
        string text = $"# kept: caf\u00e9\ndataDir={data.Replace("\\", "\\\\", StringComparison.Ordinal)}\n" +
            $"initLimit=10\nsyncLimit=5\nclientPort=3718{self}\n{Members}\n";
        if (self == 3)
            text = text.Replace("clientPort=37183\n", "", StringComparison.Ordinal);
        File.WriteAllBytes(ConfigFile, Encoding.Latin1.GetBytes(text));
        return text;
    }
}
