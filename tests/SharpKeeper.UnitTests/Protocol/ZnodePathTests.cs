using System.Text;
using SharpKeeper.Protocol;

namespace SharpKeeper.ProtocolTests;

/// <summary>The rules of paths, which look at units of UTF-16 as Java does.</summary>
public class ZnodePathTests
{
    [Theory]
    [InlineData("/")]
    [InlineData("/a")]
    [InlineData("/a/b")]
    [InlineData("/a.")]
    [InlineData("/.a/..b/c../...")]
    [InlineData("/ ")]
    [InlineData("/~")]
    [InlineData("/\u00a0")]
    [InlineData("/\ud7ff")]
    [InlineData("/\uf900")]
    [InlineData("/\uffef")]
    [InlineData("/数据/é")]
    public void IsValid_legal_path_is_true(string path)
    {
        Assert.True(ZnodePath.IsValid(Encoding.UTF8.GetBytes(path), out string? reason));
        Assert.Null(reason);
        ZnodePath.Validate(path);
    }

    [Theory]
    [InlineData("", "empty")]
    [InlineData("a", "start with '/'")]
    [InlineData("a/b", "start with '/'")]
    [InlineData("//", "end with '/'")]
    [InlineData("/a/", "end with '/'")]
    [InlineData("//a", "empty part")]
    [InlineData("/a//b", "empty part")]
    [InlineData("/.", "'.' or '..'")]
    [InlineData("/..", "'.' or '..'")]
    [InlineData("/a/./b", "'.' or '..'")]
    [InlineData("/a/../b", "'.' or '..'")]
    [InlineData("/a/..", "'.' or '..'")]
    [InlineData("/\0", "U+0000")]
    [InlineData("/a\u0001", "U+0001")]
    [InlineData("/\u001f", "U+001F")]
    [InlineData("/\u007f", "U+007F")]
    [InlineData("/\u0080", "U+0080")]
    [InlineData("/\u009f", "U+009F")]
    [InlineData("/\ue000", "U+E000")]
    [InlineData("/\uf8ff", "U+F8FF")]
    [InlineData("/\ufff0", "U+FFF0")]
    [InlineData("/\uffff", "U+FFFF")]
    [InlineData("/\ud83d\ude00", "U+1F600")]
    [InlineData("/\ud800\udc00", "U+10000")]
    public void IsValid_illegal_path_says_why(string path, string reason)
    {
        Assert.False(ZnodePath.IsValid(Encoding.UTF8.GetBytes(path), out string? actual));
        Assert.Contains(reason, actual, StringComparison.Ordinal);
        ArgumentException refusal = Assert.Throws<ArgumentException>(() => ZnodePath.Validate(path));
        Assert.Contains(actual!, refusal.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("2fff")]
    [InlineData("2fc3")]
    [InlineData("2fc080")]
    [InlineData("2feda080")]
    [InlineData("2ff0288cbc")]
    public void IsValid_malformed_utf8_is_false(string hex)
    {
        Assert.False(ZnodePath.IsValid(Convert.FromHexString(hex), out string? reason));
        Assert.Contains("UTF-8", reason, StringComparison.Ordinal);
    }

    [Fact]
    public void IsValid_agrees_with_the_rule_for_every_unit()
    {
        for (int unit = 0; unit <= 0xffff; unit++)
        {
            if (char.IsSurrogate((char)unit) || unit is '/' or '.')
                continue;
            bool isForbidden = unit is <= 0x1f or (>= 0x7f and <= 0x9f) or (>= 0xd800 and <= 0xf8ff) or >= 0xfff0;
            byte[] path = Encoding.UTF8.GetBytes("/" + (char)unit);
            Assert.True(isForbidden != ZnodePath.IsValid(path), $"U+{unit:X4}");
        }
    }

    [Theory]
    [InlineData("/a/")]
    [InlineData("/")]
    [InlineData("/a/.")]
    public void Validate_sequential_path_may_end_where_the_number_goes(string path) =>
        ZnodePath.Validate(path, isSequential: true);

    [Theory]
    [InlineData("/", 1, "")]
    [InlineData("/a", 1, "a")]
    [InlineData("/a/b", 2, "b")]
    [InlineData("/a/", 2, "")]
    [InlineData("//a", 1, "a")]
    [InlineData("a", 0, "a")]
    [InlineData("", 0, "")]
    public void ParentLength_and_Name_split_at_the_last_slash(string path, int parentLength, string name)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(path);
        Assert.Equal(parentLength, ZnodePath.ParentLength(bytes));
        Assert.Equal(name, Encoding.UTF8.GetString(ZnodePath.Name(bytes)));
    }
}
