using static SharpKeeper.CompatTests.Differential.Requests;

namespace SharpKeeper.CompatTests.Differential;

/// <summary>Section 9: quotas, enforced.</summary>
[Collection(ServerPairCollection.Name)]
public sealed class QuotaScripts(ServerPair pair)
{
    [Fact]
    public Task Usage_is_counted_alike() => pair.CompareAsync(async side =>
    {
        Talker a = await side.ConnectAsync("a");
        await SetQuotaAsync(a, "usage", "count=2,bytes=5");
        await a.EachAsync(
            Create("/usage/a", "123456"), Create("/usage/b", null), Create("/usage/b/c", "x"), Stats("usage"));
        await a.EachAsync(
            SetData("/usage", "longer than it was"), Stats("usage"), SetData("/usage/a", ""), Stats("usage"));
        await a.EachAsync(SetData("/usage/b", null), Delete("/usage/b/c"), Stats("usage"), Create("/usage/e", "ee", 1));
        await a.EachAsync(
            Stats("usage"), Multi(Create("/usage/m", "mm"), Create("/usage/n", "nn"), Delete("/usage/m")));
        await a.EachAsync(Stats("usage"), GetData("/zookeeper/quota/usage/zookeeper_limits"), Create("/usage2", "x"));
        await a.EachAsync(Stats("usage"), Exists("/zookeeper/quota/usage/zookeeper_stats"));
        await a.EachAsync(
            Delete("/zookeeper/quota/usage/zookeeper_limits"), Create("/usage/after", "x"), Stats("usage"));
        await a.EachAsync(
            Delete("/zookeeper/quota/usage/zookeeper_stats"), Create("/usage/later", "x"), Exists("/usage"));
    });

    [Theory]
    [InlineData("count=3,bytes=-1")]
    [InlineData("count=-1,bytes=-1=;byteHardLimit=-1;countHardLimit=3")]
    [InlineData("count=-1,bytes=-1=;byteHardLimit=10;countHardLimit=-1")]
    [InlineData("count=1,bytes=1=;byteHardLimit=10;countHardLimit=3")]
    [InlineData("count=-1,bytes=-1;countHardLimit=3")]
    [InlineData("countHardLimit=3")]
    [InlineData("byteHardLimit=0,countHardLimit=0")]
    [InlineData("")]
    public Task Hard_limits_are_enforced_alike(string limits) => pair.CompareAsync(async side =>
    {
        Talker a = await side.ConnectAsync("a");
        string name = "hard" + string.Concat(limits.Where(char.IsLetterOrDigit));
        await SetQuotaAsync(a, name, limits);
        foreach (string child in (string[])["a", "b", "c", "d"])
        {
            await a.EachAsync(Create($"/{name}/{child}", "123"), Stats(name));
        }
        await a.EachAsync(SetData($"/{name}/a", "1234567890"), SetData($"/{name}", "x"), Stats(name));
        await a.EachAsync(SetData($"/{name}/a", "1234567890123456", 9), SetData($"/{name}/a", ""), Stats(name));
        await a.EachAsync(Multi(Create($"/{name}/m", "1"), Create($"/{name}/n", "1"), Create($"/{name}/o", "1")));
        await a.EachAsync(
            Stats(name), GetChildren2($"/{name}"), Delete($"/{name}/a"), Create($"/{name}/z", ""), Stats(name));
        await a.EachAsync(Create($"/{name}/a/x"), Create($"/{name}/c/x", "12345678901234567890"), Stats(name));
    });

    [Fact]
    public Task A_limit_without_a_number_is_no_limit() => pair.ExpectAsync(
        // 3.8.0 fails over it while it applies the create.
        async side =>
        {
            Talker a = await side.ConnectAsync("a");
            await SetQuotaAsync(a, "blank", "count=,bytes=");
            await a.EachAsync(Create("/blank/a", "123"), Delete("/blank/a"));
        },
        "a: xid 1 zxid @1 err 0 /blank", "a: xid 2 zxid @2 err 0 /zookeeper/quota/blank",
        "a: xid 3 zxid @3 err 0 /zookeeper/quota/blank/zookeeper_limits",
        "a: xid 4 zxid @4 err 0 /zookeeper/quota/blank/zookeeper_stats",
        "a: xid 5 zxid @4 err 0 'count=1,bytes=4' stat(c @4 m @4 p @4 v 0 cv 0 av 0 owner 0 len 15 ch 0)",
        "a: xid 6 zxid @5 err 0 /blank/a", "a: xid 7 zxid @6 err 0");

    [Fact]
    public Task Nested_and_odd_quotas_are_taken_alike() => pair.CompareAsync(async side =>
    {
        Talker a = await side.ConnectAsync("a");
        await SetQuotaAsync(a, "nest", "count=-1,bytes=-1=;byteHardLimit=-1;countHardLimit=6");
        await a.EachAsync(Create("/nest/in"), Create("/zookeeper/quota/nest/in"));
        await a.EachAsync(Create("/zookeeper/quota/nest/in/zookeeper_limits", "countHardLimit=2"));
        await a.EachAsync(Create("/zookeeper/quota/nest/in/zookeeper_stats", "count=0,bytes=0"), Stats("nest/in"));
        string[] paths = ["/nest/in/a", "/nest/in/b", "/nest/b", "/nest/c", "/nest/d", "/nest/e", "/nest/f"];
        foreach (string path in paths)
        {
            await a.EachAsync(Create(path, "x"), Stats("nest"), Stats("nest/in"));
        }
        await a.EachAsync(SetData("/zookeeper/quota/nest/zookeeper_limits", "countHardLimit=20"), Create("/nest/g"));
        await a.EachAsync(SetData("/zookeeper/quota/nest/zookeeper_stats", "count=0,bytes=0"), Stats("nest"));
        await a.EachAsync(Create("/nest/h"), Stats("nest"), Create("/zookeeper/own", "data"), Delete("/zookeeper/own"));
    });

    private static WireRequest Stats(string name) => GetData($"/zookeeper/quota/{name}/zookeeper_stats");

    private static Task SetQuotaAsync(Talker talker, string name, string limits) => talker.EachAsync(
        Create($"/{name}", "root"), Create($"/zookeeper/quota/{name}"),
        Create($"/zookeeper/quota/{name}/zookeeper_limits", limits),
        Create($"/zookeeper/quota/{name}/zookeeper_stats", "count=0,bytes=0"), Stats(name));
}
