using SharpKeeper.Protocol;
using static SharpKeeper.CompatTests.Differential.Requests;

namespace SharpKeeper.CompatTests.Differential;

/// <summary>Sections 4, 5 and 8: creates of all kinds, paths, versions, sequence numbers, stats.</summary>
[Collection(ServerPairCollection.Name)]
public sealed class TreeScripts(ServerPair pair)
{
    /// <summary>Paths that are right, odd, or wrong.</summary>
    private static readonly string?[] Paths =
    [
        null, "", "/", "//", "t", "t/", "/t", "/t/", "//t", "/t//a", "/t/./b", "/t/../b", "/t/.", "/t/..", "/t/...",
        "/t/a.", "/t/.a", "/t/a b", "/t/ ", "/t/\0", "/t/\u0001", "/t/\u001f", "/t/\u0020", "/t/\u007e", "/t/\u007f",
        "/t/\u009f", "/t/\u00a0", "/t/\ud7ff", "/t/\ue000", "/t/\uf8ff", "/t/\uf900", "/t/\uffef", "/t/\ufff0",
        "/t/\uffff", "/t/\ufffd", "/t/\U0001f600", "/t/é", "/t/名", "/t/%0d", "/t/a\nb", "/t/a\\b", "/zookeeper",
        "/zookeeper/quota", "/zookeeper/config", "/zookeeper/own", "/absent/child", "/t/a/b/c",
    ];

    [Theory]
    [InlineData(OpCode.Create)]
    [InlineData(OpCode.Create2)]
    [InlineData(OpCode.CreateContainer)]
    public Task Creates_with_all_flags_make_the_same_znodes(OpCode op) => pair.CompareAsync(async side =>
    {
        Talker a = await side.ConnectAsync("a");
        string home = $"/flags-{op}";
        await a.DoAsync(Create(home));
        for (int flags = -2; flags <= 9; flags++)
        {
            string path = $"{home}/n{flags}-";
            await a.DoAsync(Create(path, "d", flags, op: op));
            await a.DoAsync(GetChildren2(home));
            await a.DoAsync(Exists(path), Create(path + "/child", "", 0), GetChildren2(path), Delete(path + "/child"));
            if (op == OpCode.Create && flags is >= 0 and <= 4)
                await a.DoAsync(Multi(Create(path + "m", "d", flags, op: op)), GetChildren2(home));
        }
        await a.DoAsync(GetEphemerals("/"), GetAllChildrenNumber(home));
    });

    [Fact]
    public Task CreateTtl_with_all_flags_and_limits_makes_the_same_znodes() => pair.CompareAsync(async side =>
    {
        Talker a = await side.ConnectAsync("a");
        await a.DoAsync(Create("/ttl"));
        long[] lifetimes = [-2, -1, 0, 1, 60_000, (1L << 40) - 1, 1L << 40, long.MaxValue, long.MinValue];
        for (int flags = -1; flags <= 7; flags++)
        {
            foreach (long ttl in lifetimes)
            {
                // Trap 14: 3.8.0 would write a transaction that it cannot apply, and stop for good.
                if (flags is >= 0 and <= 4 && ttl < 0)
                    continue;
                await a.DoAsync(CreateTtl($"/ttl/n{flags}-{ttl}-", flags, ttl));
            }
        }
        await a.DoAsync(GetChildren2("/ttl"), Exists("/ttl/n5-1-"), Create("/ttl/n5-1-/child"), GetEphemerals(null));
        await a.DoAsync(Multi(CreateTtl("/ttl/multi", 5, 60_000), CreateTtl("/ttl/multi-", 6, 60_000)));
        await a.DoAsync(Create("/ttl/plain5", "", 5), Create("/ttl/plain6", "", 6, op: OpCode.Create2));
        await a.DoAsync(Exists("/ttl/multi"), GetChildren2("/ttl"));
    });

    [Fact]
    public Task Paths_right_and_wrong_get_the_same_answers() => pair.CompareAsync(async side =>
    {
        Talker a = await side.ConnectAsync("a");
        await a.DoAsync(Create("/t"));
        foreach (string? path in Paths)
        {
            // Requests that cannot be decoded take a zxid in 3.8: they have a script of their own.
            if (path is not null)
                await WriteAsync(a, path);
            await a.DoAsync(Exists(path), GetData(path), GetChildren(path), GetChildren2(path), GetAcl(path));
            // Apache writes characters beyond the BMP as two surrogates of three bytes; section 1 of the reference.
            if (path is null || !path.Any(char.IsSurrogate))
                await a.DoAsync(Sync(path));
            await a.DoAsync(GetEphemerals(path));
            // The one read where "" is not quite "/" to Apache: it counts "/" itself as below "".
            if (path != "")
                await a.DoAsync(GetAllChildrenNumber(path));
            await a.DoAsync(MultiRead(GetData(path ?? "/t"), GetChildren(path ?? "/t")));
        }
        foreach (string? path in Paths)
        {
            if (path is not null)
                await a.DoAsync(Delete(path));
        }
        await a.DoAsync(GetChildren2("/t"), GetChildren2("/"), GetAllChildrenNumber("/"));
    });

    private static async Task WriteAsync(Talker a, string path)
    {
        await a.DoAsync(
            Create(path, "x", op: OpCode.Create2), SetData(path, "yy"), Multi(Check(path), SetData(path, "z")));
        await a.DoAsync(
            Multi(Check(path, 7)), Create(path, "x", 2), Create(path + "/", "x", 2), Create(path + "/", "x"));
        if (path is not ("/" or "/zookeeper" or "/zookeeper/quota" or "/zookeeper/config"))
            await a.DoAsync(SetAcl(path, Open));
    }

    [Fact]
    public Task Versions_are_checked_alike() => pair.CompareAsync(async side =>
    {
        Talker a = await side.ConnectAsync("a");
        await a.DoAsync(Create("/versions", "0"), SetData("/versions", "1", 0), SetData("/versions", "2", 1));
        foreach (int version in (int[])[-3, -2, -1, 0, 1, 2, 3, int.MaxValue, int.MinValue])
        {
            await a.DoAsync(SetData("/versions", "n", version), Multi(Check("/versions", version)));
            await a.DoAsync(SetAcl("/versions", Open, version), Create("/versions/c"), Delete("/versions/c", version));
        }
        await a.DoAsync(Delete("/versions"), Delete("/versions/c"), Delete("/versions", 99), Delete("/versions"));
        await a.DoAsync(Delete("/versions"), SetData("/versions", ""), SetAcl("/versions", Open));
    });

    [Fact]
    public Task Null_and_empty_data_stay_apart() => pair.CompareAsync(async side =>
    {
        Talker a = await side.ConnectAsync("a");
        await a.DoAsync(Create("/null", null), Create("/empty", ""), GetData("/null"), GetData("/empty"));
        await a.DoAsync(SetData("/null", ""), SetData("/empty", null), GetData("/null"), GetData("/empty"));
        await a.DoAsync(Multi(Create("/null2", null), SetData("/null", null)), GetData("/null2"), GetData("/null"));
        await a.DoAsync(
            MultiRead(GetData("/null"), GetData("/empty")), SetData("/", "root"), GetData("/"), GetData(""));
        await a.DoAsync(SetData("/", ""), Delete("/null"), Delete("/null2"), Delete("/empty"));
    });

    [Fact]
    public Task Sequence_numbers_and_child_versions_follow_the_same_counter() => pair.CompareAsync(async side =>
    {
        Talker a = await side.ConnectAsync("a");
        await a.DoAsync(Create("/seq"), Create("/seq/a"), Create("/seq/b"), Create("/seq/c"), Delete("/seq/b"));
        await a.DoAsync(Exists("/seq"), Create("/seq/s-", "", 2), Create("/seq/s-", "", 3), Create("/seq/", "", 2));
        await a.DoAsync(Create("/seq/", "", 0), Create("/seq/s-0000000007", ""), Create("/seq/s-", "", 2));
        await a.DoAsync(Create("/seq/s-", "", 2), Multi(Create("/seq/m-", "", 2), Create("/seq/m-", "", 3)));
        await a.DoAsync(Multi(Create("/seq/f-", "", 2), Delete("/seq/absent")), Create("/seq/after-", "", 2));
        await a.DoAsync(
            SetData("/seq/a", "x"), Exists("/seq"), SetAcl("/seq/a", Open), Exists("/seq"), Exists("/seq/a"));
        await a.DoAsync(Create("/seq/a/b"), Create("/seq/a/b/c"), Exists("/seq"), GetChildren2("/seq/a"));
        await a.DoAsync(GetAllChildrenNumber("/seq"), GetChildren2("/seq"));
    });

    [Fact]
    public Task Ephemerals_have_no_children_and_go_with_their_session() => pair.CompareAsync(async side =>
    {
        Talker a = await side.ConnectAsync("a");
        Talker b = await side.ConnectAsync("b");
        await a.DoAsync(Create("/eph"), Create("/eph/a", "", 1), Create("/eph/b-", "", 3), Create("/eph/a/x"));
        await a.DoAsync(Create("/eph/a/x/y"), Create("/eph/a", ""), Create("/eph/p", ""), Create("/eph/p/e", "", 1));
        await b.DoAsync(Create("/eph/ofb", "", 1), GetEphemerals(""), GetEphemerals("/eph"), SetData("/eph/a", "b"));
        await a.DoAsync(GetEphemerals(null), GetEphemerals("/"), GetEphemerals("/eph/p"), GetEphemerals("/ep"));
        await a.DoAsync(GetEphemerals("/none"), Multi(Create("/eph/q", "", 1), Create("/eph/q/r", "")));
        await b.DoAsync(Exists("/eph/a"), Delete("/eph/b-0000000001"), GetChildren2("/eph"));
        await a.CloseAsync();
        await b.DoAsync(GetChildren2("/eph"), GetChildren2("/eph/p"), Exists("/eph"), GetEphemerals(null));
    });

    [Fact]
    public Task Pipelined_requests_are_answered_in_order_with_their_own_zxids() => pair.CompareAsync(async side =>
    {
        Talker a = await side.ConnectAsync("a");
        var requests = new List<WireRequest> { Create("/pipe") };
        for (int i = 0; i < 40; i++)
        {
            requests.Add(SetData("/pipe", $"{i}"));
            requests.Add(GetData("/pipe", i % 3 == 0));
            requests.Add(Create("/pipe/s-", "", 2));
            requests.Add(GetChildren2("/pipe"));
            requests.Add(Delete("/pipe/absent"));
            requests.Add(Ping());
            requests.Add(Sync("/pipe"));
            requests.Add(Multi(SetData("/pipe", $"m{i}"), Check("/pipe", (2 * i) + 2)));
        }
        await a.DoAsync([.. requests]);
    });

    [Fact]
    public Task Xids_of_any_value_are_echoed() => pair.CompareAsync(async side =>
    {
        Talker a = await side.ConnectAsync("a");
        foreach (int xid in (int[])[0, -7, -1000, int.MinValue, int.MaxValue, 1, 1])
        {
            await a.DoAsync(Exists("/") with { Xid = xid }, Create("/", "") with { Xid = xid });
            await a.DoAsync(Raw(OpCode.Ping, []) with { Xid = xid });
        }
        await a.DoAsync(Auth("digest", "a:b") with { Xid = 3 }, SetWatches(0, [], [], []) with { Xid = 4 });
        await a.DoAsync(Exists("/") with { Xid = Xids.Auth }, CloseSession() with { Xid = 0 });
        await a.ExpectCloseAsync();
    });
}
