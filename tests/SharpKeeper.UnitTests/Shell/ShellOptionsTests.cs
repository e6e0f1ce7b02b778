using SharpKeeper.Cli.Shell;

namespace SharpKeeper.ShellTests;

public class ShellOptionsTests
{
    private static ShellOptions Parse(params string[] arguments) => ShellOptions.Parse(arguments);

    [Fact]
    public void Parse_of_nothing_gives_zkClis_defaults()
    {
        ShellOptions options = Parse();
        Assert.Equal("localhost:2181", options.ConnectString);
        Assert.Equal(TimeSpan.FromSeconds(30), options.SessionTimeout);
        Assert.False(options.ReadOnlyAllowed);
        Assert.Empty(options.Command);
    }

    [Fact]
    public void Parse_leaves_the_options_of_the_command_to_the_command()
    {
        ShellOptions options = Parse(
            "-server", "h:1,h:2/app", "-timeout", "5000", "-r", "create", "-e", "-s", "/a", "-r");
        Assert.Equal("h:1,h:2/app", options.ConnectString);
        Assert.Equal(TimeSpan.FromSeconds(5), options.SessionTimeout);
        Assert.True(options.ReadOnlyAllowed);
        Assert.Equal(["create", "-e", "-s", "/a", "-r"], options.Command);
    }

    [Fact]
    public void Parse_takes_json_before_and_behind_the_command()
    {
        Assert.True(Parse("--json", "ls", "/").Json);
        ShellOptions behind = Parse("ls", "/", "--json");
        Assert.True(behind.Json);
        Assert.Equal(["ls", "/"], behind.Command);
        Assert.False(Parse("set", "/a", "--", "--json").Json);
    }

    [Theory]
    [InlineData("-server", "Error: no argument found for option -server")]
    [InlineData("-timeout", "Error: no argument found for option -timeout")]
    [InlineData("-timeout x", "-timeout takes a number of milliseconds above zero, not 'x'")]
    [InlineData("-timeout 0", "-timeout takes a number of milliseconds above zero, not '0'")]
    [InlineData("-foo", "There is no option -foo; \"sharpkeeper shell --help\" lists the options")]
    [InlineData("-secure", "The option -secure is for TLS, which this release does not have")]
    public void Parse_of_bad_options_says_what_is_wrong(string line, string message) =>
        Assert.Equal(message, Assert.Throws<ShellUsageException>(() => Parse(line.Split(' '))).Message);
}
