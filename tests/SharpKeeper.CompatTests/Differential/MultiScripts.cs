using SharpKeeper.Protocol;
using static SharpKeeper.CompatTests.Differential.Requests;

namespace SharpKeeper.CompatTests.Differential;

/// <summary>Section 7: multi and multiRead.</summary>
[Collection(ServerPairCollection.Name)]
public sealed class MultiScripts(ServerPair pair)
{
    [Fact]
    public Task Multi_that_succeeds_gives_every_result_in_its_form() => pair.CompareAsync(async side =>
    {
        Talker a = await side.ConnectAsync("a");
        await a.DoAsync(Multi(), Exists("/"));
        await a.DoAsync(Multi(
            Create("/multi", "m"), Create("/multi/c2", "x"), Create("/multi/s-", "", 2),
            Create("/multi/s-", "", 2), Create("/multi/e", "", 1),
            Create("/multi/box", "", 4, op: OpCode.CreateContainer), Create("/multi/box1", "", 4),
            Create("/multi/box2", "", 4, op: OpCode.Create2), CreateTtl("/multi/t0", 0, 10_000),
            CreateTtl("/multi/t4", 4, 10_000), CreateTtl("/multi/t1", 1, -1), CreateTtl("/multi/ttl", 5, 10_000),
            CreateTtl("/multi/ttl-", 6, 10_000), SetData("/multi", "n"), Check("/multi", 1), SetData("/multi", "o", 1),
            Delete("/multi/c2"), Check("/multi/e"), Create("/multi/c2", "again")));
        await a.DoAsync(GetChildren2("/multi"), GetData("/multi"), Exists("/multi/box"), Exists("/multi/box1"));
        await a.DoAsync(
            Exists("/multi/t0"), Exists("/multi/t1"), Exists("/multi/t4"), Exists("/multi/box2"), Exists("/multi/ttl"),
            Exists("/multi/c2"), GetEphemerals(null));
        await a.DoAsync(Create("/multi/box/x"), Delete("/multi/box/x"), Exists("/multi/box"));
    });

    [Fact]
    public Task Multi_with_create2_gives_stats() => pair.CompareAsync(async side =>
    {
        const string Reason = "ZOOKEEPER-4026: 3.9 answers create2 and createContainer in a multi by their own type";
        const string Stat = "stat(c @1 m @1 p @1 v 0 cv 0 av 0 owner 0 len 1 ch 0)";
        Talker a = await side.ConnectAsync("a");
        await side.DifferAsync(
            new ExpectedDifference(
                Reason,
                "a: xid 1 zxid @1 err 0 (1 False 0: /create2) (1 False 0: /container) (-1 True -1:)",
                $"a: xid 1 zxid @1 err 0 (15 False 0: /create2 {Stat}) (15 False 0: /container {Stat}) (-1 True -1:)"),
            () => a.DoAsync(Multi(
                Create("/create2", "x", op: OpCode.Create2), Create("/container", "x", op: OpCode.CreateContainer))));
        await a.DoAsync(Delete("/create2"), Delete("/container"));
    });

    [Fact]
    public Task Multi_that_fails_changes_nothing_and_says_where() => pair.CompareAsync(async side =>
    {
        Talker a = await side.ConnectAsync("a");
        await a.DoAsync(Create("/fail", "0"), Create("/fail/x"));
        WireRequest[] failing =
        [
            Create("/fail/x"), Create("/absent/x"), Create("bad"), CreateWithAcl("/fail/acl", [Entry(31, "none", "x")]),
            CreateWithAcl("/fail/acl", []), Delete("/fail"), Delete("/absent"), Delete("/fail/x", 9), Delete("/"),
            SetData("/absent", ""), SetData("/fail", "", 9), SetData("bad", ""), Check("/absent"), Check("/fail", 9),
            Check("bad"), CreateTtl("/fail/t", 5, 0), CreateTtl("/fail/t", 5, 1L << 40), CreateTtl("/fail/t", 7, 9),
            CreateTtl("/fail/x", 0, 9), Create("/zookeeper", "x"), Delete("/zookeeper/config"),
            SetData("/zookeeper/config", "x"),
        ];
        foreach (WireRequest request in failing)
        {
            await a.DoAsync(Multi(request));
            await a.DoAsync(
                Multi(SetData("/fail", "1"), Create("/fail/y"), request, Delete("/fail/x"), Create("/fail/z")));
            await a.DoAsync(Multi(Delete("/fail/x"), Create("/fail/e", "", 1), request));
        }
        await a.DoAsync(GetData("/fail"), GetChildren2("/fail"), GetEphemerals(null));
        await a.DoAsync(Create("/fail/s-", "", 2), SetData("/fail", "end"), Delete("/fail/x"));
    });

    [Fact]
    public Task Multi_sees_its_own_earlier_operations() => pair.CompareAsync(async side =>
    {
        Talker a = await side.ConnectAsync("a");
        await a.DoAsync(Multi(Create("/own"), Create("/own/a"), Create("/own/a/b"), Delete("/own/a")));
        await a.DoAsync(Multi(Create("/own"), Create("/own/a"), Delete("/own/a"), Delete("/own"), Check("/own")));
        await a.DoAsync(Multi(Create("/own"), Create("/own/a"), Delete("/own/a"), Delete("/own"), Create("/own", "2")));
        await a.DoAsync(
            Exists("/own"), Multi(SetData("/own", "3", 0), SetData("/own", "4", 1), SetData("/own", "5", 1)));
        await a.DoAsync(Multi(Create("/own/e", "", 1), Create("/own/e/x")), Exists("/own"));
        await a.DoAsync(Multi(Create("/own/s-", "", 2), Delete("/own/s-0000000000"), Create("/own/s-", "", 2)));
        await a.DoAsync(GetChildren2("/own"), Create("/own/s-", "", 2), GetChildren2("/own"));
        await a.DoAsync(
            Create("/own/p"), Multi(Delete("/own/p"), Create("/own/p", "x")), Multi(Check("/own/p", 0)),
            Exists("/own/p"));
        await a.DoAsync(Multi(CreateWithAcl("/own/shut", [Entry(1, "world", "anyone")]), Create("/own/shut/x")));
        await a.DoAsync(Multi(CreateWithAcl("/own/shut", [Entry(4, "world", "anyone")]), Create("/own/shut/x")));
        await a.DoAsync(Multi(Delete("/own/shut/x")), Multi(SetData("/own/shut", "")), Multi(Check("/own/shut")));
    });

    [Fact]
    public Task MultiRead_answers_each_part_on_its_own() => pair.CompareAsync(async side =>
    {
        Talker a = await side.ConnectAsync("a");
        await a.DoAsync(Create("/mr", "d"), Create("/mr/a"), Create("/mr/b"));
        await a.DoAsync(CreateWithAcl("/mr/shut", [Entry(30, "world", "anyone")]));
        await a.DoAsync(MultiRead(
            GetData("/mr", true), GetChildren("/mr", true), GetData("/absent"), GetChildren("/absent"),
            GetData("/mr/shut"),
            GetChildren("/mr/shut"), GetData(""), GetChildren("/mr/a"), GetData("bad")));
        await a.DoAsync(MultiRead(), SetData("/mr", "e"), Create("/mr/c"), Delete("/mr/c"));
        WireRequest[] strangers =
            [Exists("/mr"), Delete("/mr"), Check("/mr"), GetChildren2("/mr"), GetAcl("/mr"), Raw((OpCode)99, [])];
        foreach (WireRequest odd in strangers)
        {
            await a.DoAsync(MultiRead(odd), MultiRead(GetData("/mr"), odd), Exists("/mr"));
        }
    });

    [Fact]
    public Task Multi_with_operations_that_do_not_belong_is_refused_whole() => pair.CompareAsync(async side =>
    {
        const string Reason = "section 6: 3.8 spends a zxid on a multi that it cannot decode, 3.9 does not";
        Talker a = await side.ConnectAsync("a");
        await a.DoAsync(Create("/mix"));
        WireRequest[] odd =
        [
            GetData("/mix"), Exists("/mix"), GetChildren("/mix"), SetAcl("/mix", Open), Sync("/mix"), CloseSession(),
            Multi(), Raw((OpCode)20, Delete("/mix").Body), Raw((OpCode)99, []), Raw((OpCode)(-1), [0, 0, 0, 0]),
        ];
        foreach (WireRequest request in odd)
        {
            int xid = a.NextXid;
            await side.DifferAsync(
                new ExpectedDifference(Reason, $"a: xid {xid} zxid @2 err -5", $"a: xid {xid} zxid @1 err -5"),
                a, Multi(Check("/mix"), request, Check("/mix")));
        }
        await a.DoAsync(Delete("/mix"));
    });

    [Fact]
    public Task Multi_with_a_ttl_mode_but_no_ttl_is_refused_whole() => pair.CompareAsync(async side =>
    {
        const string Reason = "section 6: 3.8 spends a zxid on a multi that it cannot decode, 3.9 does not";
        Talker a = await side.ConnectAsync("a");
        await side.DifferAsync(
            new ExpectedDifference(Reason, "a: xid 1 zxid @1 err -5", "a: xid 1 zxid @0 err -5"),
            a, Multi(Check("/"), Create("/ttlflag", "", 5)));
        await side.DifferAsync(
            new ExpectedDifference(Reason, "a: xid 2 zxid @1 err -5", "a: xid 2 zxid @0 err -5"),
            a, Multi(Create("/ttlflag", "", 6, op: OpCode.Create2)));
    });

    [Fact]
    public Task Multi_with_a_flag_that_does_not_exist_is_refused_whole() => pair.CompareAsync(async side =>
    {
        const string Reason = "section 7.1: 3.8 answers the part with -8, 3.9 the whole with -5 and no zxid";
        Talker a = await side.ConnectAsync("a");
        foreach (OpCode op in (OpCode[])[OpCode.Create, OpCode.Create2, OpCode.CreateContainer])
        {
            foreach (int flags in (int[])[-1, 7, int.MaxValue])
            {
                int xid = a.NextXid;
                await side.DifferAsync(
                    new ExpectedDifference(
                        Reason,
                        $"a: xid {xid} zxid @1 err 0 (-1 False -8: -8) (-1 True -1:)",
                        $"a: xid {xid} zxid @0 err -5"),
                    a, Multi(Create("/flag", "", flags, op: op)));
            }
        }
        await a.DoAsync(Exists("/flag"));
    });
}
