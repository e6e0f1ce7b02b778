using SharpKeeper.Cli.Shell;

namespace SharpKeeper.ShellTests;

public class CommandArgumentsTests
{
    private static readonly OptionSpec[] Specs = [.. OptionSpec.List("s e v: t:"), .. OptionSpec.List("c d", 1)];

    private static CommandArguments Parse(string line) =>
        CommandArguments.Parse(Specs, CommandLine.Split(line));

    [Theory]
    [InlineData("-s /a")]
    [InlineData("/a -s")]
    [InlineData("-se /a")]
    [InlineData("-s -- /a")]
    public void Parse_finds_an_option_before_and_behind_the_words(string line)
    {
        CommandArguments arguments = Parse(line);
        Assert.True(arguments.Has("s"));
        Assert.Equal(["/a"], arguments.Words);
    }

    [Theory]
    [InlineData("-v 3 /a", 3)]
    [InlineData("/a -v 3", 3)]
    [InlineData("-v3 /a", 3)]
    [InlineData("-v=3 /a", 3)]
    [InlineData("-sv 3 /a", 3)]
    [InlineData("-v -1 /a", -1)]
    public void Parse_reads_a_value_in_every_form(string line, int version)
    {
        CommandArguments arguments = Parse(line);
        Assert.Equal(version, arguments.Int32("v"));
        Assert.Equal(["/a"], arguments.Words);
    }

    [Fact]
    public void Parse_takes_words_with_dashes_behind_two_dashes() =>
        Assert.Equal(["/a", "-5", "-s"], Parse("/a -- -5 -s").Words);

    [Fact]
    public void Parse_takes_a_lone_dash_as_a_word() => Assert.Equal(["/a", "-"], Parse("/a -").Words);

    [Theory]
    [InlineData("-q /a", "Unrecognized option: -q")]
    [InlineData("/a -5", "Unrecognized option: -5")]
    [InlineData("--watch /a", "Unrecognized option: --watch")]
    [InlineData("-v", "Missing argument for option: v")]
    [InlineData("-v -s", "Missing argument for option: v")]
    [InlineData("-c -d /a", "-d cannot be combined with -c")]
    [InlineData("-s=1 /a", "-s takes no value")]
    public void Parse_of_bad_options_says_what_is_wrong(string line, string message) =>
        Assert.Equal(message, Assert.Throws<ShellUsageException>(() => Parse(line)).Message);

    [Fact]
    public void Int32_of_no_number_says_so() => Assert.Equal("-v takes a whole number, not 'x'",
        Assert.Throws<ShellUsageException>(() => Parse("-v x").Int32("v")).Message);
}
