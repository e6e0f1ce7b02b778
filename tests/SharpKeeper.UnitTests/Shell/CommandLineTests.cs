using CsCheck;
using SharpKeeper.Cli.Shell;

namespace SharpKeeper.ShellTests;

public class CommandLineTests
{
    [Theory]
    [InlineData("", new string[0])]
    [InlineData("   \t ", new string[0])]
    [InlineData("ls /", new[] { "ls", "/" })]
    [InlineData("  create   /a  b ", new[] { "create", "/a", "b" })]
    [InlineData("create /a \"b c\"", new[] { "create", "/a", "b c" })]
    [InlineData("create /a 'b \"c'", new[] { "create", "/a", "b \"c" })]
    [InlineData("create /a \"\"", new[] { "create", "/a", "" })]
    [InlineData("create /a b\"c d\"", new[] { "create", "/a", "b\"c", "d\"" })]
    [InlineData("create /a \"b\"c", new[] { "create", "/a", "b", "c" })]
    [InlineData("set /a it's", new[] { "set", "/a", "it's" })]
    [InlineData("set /a a\\nb", new[] { "set", "/a", "a\\nb" })]
    public void Split_follows_the_quoting_of_zkCli(string line, string[] words) =>
        Assert.Equal(words, CommandLine.Split(line));

    [Theory]
    [InlineData("set /a \"b c", 8)]
    [InlineData("'", 1)]
    public void Split_of_an_open_quote_names_its_column(string line, int column)
    {
        ShellUsageException error = Assert.Throws<ShellUsageException>(() => CommandLine.Split(line));
        Assert.Contains($"column {column} ", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Join_gives_a_line_that_splits_into_the_same_words() =>
        Gen.String[Gen.Char["ab \"/-"], 0, 8].List[1, 5].Sample(words =>
            CommandLine.Split(CommandLine.Join(words)).SequenceEqual(words));

    [Fact]
    public void Quote_of_both_quotes_and_a_blank_is_impossible() => Assert.Null(CommandLine.Quote("a \" '"));

    [Theory]
    [InlineData("", 0, new[] { "" })]
    [InlineData("ls", 0, new[] { "ls" })]
    [InlineData("ls ", 3, new[] { "ls", "" })]
    [InlineData("ls -s /wo", 6, new[] { "ls", "-s", "/wo" })]
    [InlineData("get \"/a b", 4, new[] { "get", "/a b" })]
    public void SplitForCompletion_finds_the_word_being_typed(string line, int start, string[] words)
    {
        Assert.Equal(words, CommandLine.SplitForCompletion(line, out int found));
        Assert.Equal(start, found);
    }
}
