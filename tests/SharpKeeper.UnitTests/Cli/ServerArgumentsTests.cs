using System.CommandLine;
using System.Net.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using SharpKeeper.Cli;
using SharpKeeper.Cli.Daemon;
using SharpKeeper.Core;
using SharpKeeper.Server;
using SharpKeeper.Server.Configuration;

namespace SharpKeeper.CliTests;

public sealed class ServerArgumentsTests
{
    [Fact]
    public void Read_takes_file_settings_and_options_in_any_order()
    {
        ServerWords words = Read("-Dzookeeper.snapCount=5", "--port", "99", "zoo.cfg", "-Djute.maxbuffer=0x10",
            "--data=/d", "--listen", "*", "--memory", "-Dflag", "-Da=b=c");
        Assert.Equal("zoo.cfg", words.ConfigFile);
        Assert.Equal(["zookeeper.snapCount=5", "jute.maxbuffer=0x10", "flag=", "a=b=c"],
            words.Properties.Select(static p => $"{p.Key}={p.Value}"));
        Assert.Equal(new ServerOverrides { DataDir = "/d", Port = 99, Listen = "*", InMemory = true },
            words.Overrides);
    }

    [Fact]
    public void Read_of_nothing_leaves_the_defaults()
    {
        ServerWords words = Read();
        Assert.Null(words.ConfigFile);
        Assert.Equal(new ServerOverrides(), words.Overrides);
        Assert.Empty(words.ToArguments());
    }

    [Fact]
    public void ToArguments_says_the_same_again()
    {
        ServerWords words = Read("-Da=b c", "--port=0", "my zoo.cfg", "--data=/d", "--listen=::1", "--memory");
        ServerWords again = Read([.. words.ToArguments()]);
        Assert.Equal(words.ConfigFile, again.ConfigFile);
        Assert.Equal(words.Properties, again.Properties);
        Assert.Equal(words.Overrides, again.Overrides);
    }

    [Theory]
    [InlineData("one configuration file is enough, not a.cfg, b.cfg", "a.cfg", "b.cfg")]
    [InlineData("--prot is not an option of this command", "--prot", "99")]
    [InlineData("-D is not an option of this command", "-D")]
    public void Read_of_other_words_says_what_is_wrong(string problem, params string[] words) =>
        Assert.Equal(problem, Assert.Throws<ServerConfigurationException>(() => Read(words)).Message);

    [Theory]
    [InlineData(true, "/opt/sharpkeeper", "server", "zoo.cfg")]
    [InlineData(true, "/usr/bin/dotnet", "/opt/sharpkeeper.dll", "server")]
    [InlineData(true, "java", "-cp", "x", "org.apache.zookeeper.server.quorum.QuorumPeerMain", "zoo.cfg")]
    [InlineData(false, "/opt/sharpkeeper", "shell")]
    [InlineData(false, "java", "-jar", "other.jar")]
    [InlineData(false, "vi", "sharpkeeper", "server.cs")]
    [InlineData(false, "")]
    public void LooksLikeServer_knows_servers_from_other_programs(bool isServer, params string[] words) =>
        Assert.Equal(isServer, PidFile.LooksLikeServer(words));

    public static TheoryData<Exception, int> StartErrors => new()
    {
        { new ServerConfigurationException("x"), ExitCodes.InvalidInvocation },
        { new UnauthorizedAccessException("x"), ExitCodes.DataDirectoryNotAccessible },
        { new DirectoryNotFoundException("x"), ExitCodes.DataDirectoryNotAccessible },
        { new CorruptDataException("x"), ExitCodes.Failed },
        { new SocketException((int)SocketError.AddressAlreadyInUse), ExitCodes.Failed },
    };

    [Theory]
    [MemberData(nameof(StartErrors))]
    public async Task RunAsync_of_a_failing_start_reports_why_and_tells_it_by_the_exit_code(
        Exception error, int exitCode)
    {
        List<string?> reports = [];
        ServerRun run = new((_, _, _) => Task.FromException<RunningServer>(error), NullLoggerFactory.Instance,
            reports.Add);
        Assert.Equal(exitCode, await run.RunAsync(new ServerOptions()));
        Assert.Equal([error.Message], reports);
    }

    [Fact]
    public async Task RunAsync_of_a_server_that_breaks_down_fails()
    {
        List<string?> reports = [];
        bool stopped = false;
        RunningServer server = new(1, Task.FromException(new IOException("disk gone")), () =>
        {
            stopped = true;
            return default;
        });
        ServerRun run = new((_, _, _) => Task.FromResult(server), NullLoggerFactory.Instance, reports.Add);
        Assert.Equal(ExitCodes.Failed, await run.RunAsync(new ServerOptions()));
        Assert.True(stopped);
        Assert.Equal([null], reports);
    }

    private static ServerWords Read(params string[] words)
    {
        Command command = new("server");
        ServerArguments arguments = new();
        arguments.AddTo(command);
        ParserConfiguration parsing = new() { EnablePosixBundling = false, ResponseFileTokenReplacer = null };
        return arguments.Read(command.Parse(words, parsing));
    }
}
