using System.Globalization;
using System.Net;
using SharpKeeper.Server.Admin;

namespace SharpKeeper.ServerTests;

public sealed class JavaTextTests
{
    [Theory]
    [InlineData(0, "0.0")]
    [InlineData(1, "1.0")]
    [InlineData(0.5202, "0.5202")]
    [InlineData(75.9567, "75.9567")]
    [InlineData(0.001, "0.001")]
    [InlineData(0.0003, "3.0E-4")]
    [InlineData(9999999, "9999999.0")]
    [InlineData(12345678.5, "1.23456785E7")]
    public void Of_prints_a_double_as_Java_does(double value, string text) => Assert.Equal(text, JavaText.Of(value));

    [Theory]
    [InlineData("127.0.0.1", "/127.0.0.1:5")]
    [InlineData("::ffff:10.1.2.3", "/10.1.2.3:5")]
    [InlineData("::1", "/[0:0:0:0:0:0:0:1]:5")]
    [InlineData("fe80::1:ab%3", "/[fe80:0:0:0:0:0:1:ab%3]:5")]
    public void Of_prints_an_address_as_Java_does(string address, string text) =>
        Assert.Equal(text, JavaText.Of(new IPEndPoint(IPAddress.Parse(address), 5)));

    [Theory]
    [InlineData("2026-11-22T17:23:46Z", 0, "Sun Nov 22 17:23:46 UTC 2026")]
    [InlineData("2026-01-05T07:03:04Z", 0, "Mon Jan 05 07:03:04 UTC 2026")]
    [InlineData("2026-12-31T23:30:00Z", 90, "Fri Jan 01 01:00:00 GMT+01:30 2027")]
    [InlineData("2026-12-31T23:30:00Z", -60, "Thu Dec 31 22:30:00 GMT-01:00 2026")]
    public void Of_prints_a_date_as_Java_does(string time, int offsetMinutes, string text)
    {
        TimeZoneInfo zone = offsetMinutes == 0 ? TimeZoneInfo.Utc : TimeZoneInfo.CreateCustomTimeZone(
            "a zone", TimeSpan.FromMinutes(offsetMinutes), "a zone", "a zone");
        Assert.Equal(text, JavaText.Of(DateTimeOffset.Parse(time, CultureInfo.InvariantCulture), zone));
    }

    [Theory]
    [InlineData("Max open files            1024                 4096                 files", 1024)]
    [InlineData("Max open files            unlimited            unlimited            files", long.MaxValue)]
    [InlineData("Max processes             1024                 4096                 processes", long.MaxValue)]
    public void ReadLimit_finds_the_soft_limit(string line, long limit) =>
        Assert.Equal(limit, ProcessFiles.ReadLimit(["Limit  Soft Limit  Hard Limit  Units", line]));
}
