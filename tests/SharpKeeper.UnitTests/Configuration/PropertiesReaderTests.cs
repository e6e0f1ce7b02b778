using SharpKeeper.Protocol;

namespace SharpKeeper.ServerTests;

public sealed class PropertiesReaderTests
{
    [Theory]
    [InlineData("a=b", "a", "b")]
    [InlineData("a:b", "a", "b")]
    [InlineData("a b", "a", "b")]
    [InlineData("  a \t = \t b ", "a", "b ")]
    [InlineData("a = = b", "a", "= b")]
    [InlineData("a", "a", "")]
    [InlineData("a=", "a", "")]
    [InlineData("=b", "", "b")]
    [InlineData(@"a\=b\:c\ d=e", "a=b:c d", "e")]
    [InlineData(@"path=C:\\data\tx", "path", "C:\\data\tx")]
    [InlineData(@"a=\n\r\f\z", "a", "\n\r\fz")]
    [InlineData(@"a=\u0041\u00e4", "a", "A\u00e4")]
    [InlineData(@"\u0061=b", "a", "b")]
    [InlineData("a=b\\\n   c", "a", "bc")]
    [InlineData("a=b\\\r\n\tc", "a", "bc")]
    [InlineData("a=b\\\n# no comment", "a", "b# no comment")]
    [InlineData("a\\\nb=c", "ab", "c")]
    [InlineData(@"a=b\", "a", "b")]
    [InlineData("a=b\\\\\nc=d", "a", "b\\", "c", "d")]
    [InlineData("a=1\rb=2\r\nc=3\nd=4", "a", "1", "b", "2", "c", "3", "d", "4")]
    [InlineData("# a=1\n ! b=2\n\n \t\nc=3 # kept", "c", "3 # kept")]
    [InlineData("a=1\na=2", "a", "1", "a", "2")]
    public void Read_follows_the_rules_of_java_properties(string text, params string[] keysAndValues)
    {
        IReadOnlyList<Property> entries = PropertiesReader.Read(text);
        Assert.Equal(keysAndValues, entries.SelectMany(static e => new[] { e.Key, e.Value }));
    }

    [Fact]
    public void Read_counts_lines_as_an_editor_does()
    {
        IReadOnlyList<Property> entries = PropertiesReader.Read("# one\na=1\\\n  2\r\n\r\nb=2\rc=3");
        Assert.Equal([2, 5, 6], entries.Select(static e => e.Line));
    }

    [Theory]
    [InlineData("a=1\nb=\\u12", 2)]
    [InlineData("a=\\u12g4", 1)]
    public void Read_of_a_broken_unicode_escape_names_the_line(string text, int line)
    {
        PropertiesSyntaxException e = Assert.Throws<PropertiesSyntaxException>(() => PropertiesReader.Read(text));
        Assert.Equal(line, e.Line);
    }
}
