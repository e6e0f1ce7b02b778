using SharpKeeper.Protocol;
using static SharpKeeper.CompatTests.Differential.Requests;

namespace SharpKeeper.CompatTests.Differential;

/// <summary>Section 10: what fires, when, for whom, and what stays.</summary>
[Collection(ServerPairCollection.Name)]
public sealed class WatchScripts(ServerPair pair)
{
    [Fact]
    public Task One_shot_watches_fire_once_for_what_they_watch() => pair.CompareAsync(async side =>
    {
        Talker a = await side.ConnectAsync("a");
        Talker b = await side.ConnectAsync("b");
        await a.DoAsync(Create("/w"), Create("/w/c"));
        WireRequest[] changes =
        [
            SetData("/w", "x"), SetData("/w/c", "x"), SetAcl("/w", Open), Create("/w/new"), Delete("/w/new"),
            Create("/w/e", "", 1), Delete("/w/e"), Delete("/w/c"), Create("/w/c"), SetData("/absent", ""),
            Multi(SetData("/w", "m"), Create("/w/m"), Delete("/w/m")), Multi(SetData("/w", "m"), Delete("/absent")),
        ];
        WireRequest[] watches =
        [
            GetData("/w", true), Exists("/w", true), Exists("/w/new", true), GetData("/w/new", true),
            GetChildren("/w", true), GetChildren2("/w", true), GetChildren("/w/c", true), GetData("/w/c", true),
            Exists("/w/m", true), GetChildren("/absent", true), GetData("/absent", true),
        ];
        foreach (WireRequest change in changes)
        {
            foreach (WireRequest watch in watches)
                await b.DoAsync(watch);
            await a.DoAsync(change);
            await b.DrainAsync();
            await a.DoAsync(change);
            await b.DrainAsync();
            foreach (WireRequest watch in watches)
                await a.DoAsync(watch);
            await a.DoAsync(change);
            await b.DrainAsync();
        }
        await b.DoAsync(Delete("/w/c"), Delete("/w/e"), Delete("/w"), GetChildren2("/w"));
        await a.DrainAsync();
    });

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public Task Persistent_watches_stay_and_fire_for_what_their_mode_says(int mode) => pair.CompareAsync(async side =>
    {
        Talker a = await side.ConnectAsync("a");
        Talker b = await side.ConnectAsync("b");
        string home = $"/persistent{mode}";
        await b.DoAsync(AddWatch(home, mode), AddWatch(home + "/x", mode));
        await a.DoAsync(
            Create(home, "1"), Create(home + "/x", "1"), Create(home + "/x/y", "1"), Create(home + "/x/y/z", "1"));
        await b.DrainAsync();
        await a.DoAsync(
            SetData(home, "2"), SetData(home + "/x", "2"), SetData(home + "/x/y/z", "2"), SetAcl(home, Open));
        await b.DrainAsync();
        await a.DoAsync(
            Multi(Create(home + "/m"), SetData(home + "/m", "x"), Delete(home + "/m"), Create(home + "/s-", "", 3)));
        await b.DrainAsync();
        await a.DoAsync(Delete(home + "/x/y/z"), Delete(home + "/x/y"), Delete(home + "/x"), Create(home + "/x"));
        await b.DrainAsync();
        await b.DoAsync(SetData(home, "own"), Create(home + "/own"), GetData(home), Delete(home + "/own"));
        await b.DoAsync(RemoveWatches(home, 3));
        await a.DoAsync(SetData(home, "after"), SetData(home + "/x", "after"), Create(home + "similar"));
        await b.DrainAsync();
        await b.DoAsync(RemoveWatches(home + "/x", 3), RemoveWatches(home + "/x", 3));
        await a.DoAsync(SetData(home + "/x", "end"));
        await b.DrainAsync();
    });

    [Fact]
    public Task Recursive_watch_on_the_root_sees_everything() => pair.CompareAsync(async side =>
    {
        Talker a = await side.ConnectAsync("a");
        Talker b = await side.ConnectAsync("b");
        await b.DoAsync(AddWatch("/", 1));
        await a.DoAsync(
            Create("/deep"), Create("/deep/er"), SetData("/deep/er", ""), Delete("/deep/er"), SetData("/", ""));
        await b.DrainAsync();
        await b.DoAsync(RemoveWatches("/", 3));
        await a.DoAsync(Delete("/deep"));
        await b.DrainAsync();
    });

    [Fact]
    public Task Recursive_and_child_watches_on_one_parent_give_two_events() => pair.CompareAsync(async side =>
    {
        Talker a = await side.ConnectAsync("a");
        Talker b = await side.ConnectAsync("b");
        await a.DoAsync(Create("/two"), Create("/two/c"));
        await b.DoAsync(AddWatch("/two", 1), GetChildren("/two/c", true), Exists("/two/c/d", true));
        await a.DoAsync(Create("/two/c/d"));
        await b.DrainAsync();
        await b.DoAsync(GetChildren("/two/c", true), GetData("/two/c/d", true), GetChildren("/two/c/d", true));
        await a.DoAsync(Delete("/two/c/d"), Delete("/two/c"));
        await b.DrainAsync();
    });

    [Fact]
    public Task A_watch_beside_a_persistent_one_does_not_end_it() => pair.CompareAsync(async side =>
    {
        Talker a = await side.ConnectAsync("a");
        await a.DoAsync(Create("/beside"), AddWatch("/beside", 0), GetData("/beside", true));
        await side.DifferAsync(
            new ExpectedDifference(
                "trap 5: in 3.8 the last registration wins, since 3.9 both stay",
                "a: event NodeDataChanged /beside state 3 err 0 | "
                + "a: xid 4 zxid @2 err 0 stat(c @1 m @2 p @1 v 1 cv 0 av 0 owner 0 len 1 ch 0) | "
                + "a: xid 5 zxid @3 err 0 stat(c @1 m @3 p @1 v 2 cv 0 av 0 owner 0 len 1 ch 0)",
                "a: event NodeDataChanged /beside state 3 err 0 | "
                + "a: xid 4 zxid @2 err 0 stat(c @1 m @2 p @1 v 1 cv 0 av 0 owner 0 len 1 ch 0) | "
                + "a: event NodeDataChanged /beside state 3 err 0 | "
                + "a: xid 5 zxid @3 err 0 stat(c @1 m @3 p @1 v 2 cv 0 av 0 owner 0 len 1 ch 0)"),
            async () =>
            {
                await a.DoAsync(SetData("/beside", "1"));
                await a.DoAsync(SetData("/beside", "2"));
            });
    });

    [Fact]
    public Task Events_carry_the_zxid_of_their_change_and_rearmed_ones_none() => pair.ExpectAsync(
        // Trap 4: -1 in 3.8, the transaction's since 3.9.
        async side =>
        {
            Talker a = await side.ConnectAsync("a");
            await a.DoAsync(Create("/zxid"), GetData("/zxid", true), GetChildren("/zxid", true));
            await a.DoAsync(SetData("/zxid", ""));
            Assert.Equal([a.LastZxid], a.EventZxids);
            await a.DoAsync(Create("/zxid/a"));
            Assert.Equal(a.LastZxid, a.EventZxids[1]);
            await a.DoAsync(SetWatches(0, ["/zxid"], [], []));
            Assert.Equal(-1, a.EventZxids[2]);
        },
        "a: xid 1 zxid @1 err 0 /zxid",
        "a: xid 2 zxid @1 err 0 '' stat(c @1 m @1 p @1 v 0 cv 0 av 0 owner 0 len 0 ch 0)",
        "a: xid 3 zxid @1 err 0 {}", "a: event NodeDataChanged /zxid state 3 err 0",
        "a: xid 4 zxid @2 err 0 stat(c @1 m @2 p @1 v 1 cv 0 av 0 owner 0 len 0 ch 0)",
        "a: event NodeChildrenChanged /zxid state 3 err 0", "a: xid 5 zxid @3 err 0 /zxid/a",
        "a: event NodeDataChanged /zxid state 3 err 0", "a: xid -8 zxid @3 err 0");

    [Fact]
    public Task Events_are_kept_from_those_who_may_not_read() => pair.CompareAsync(async side =>
    {
        Talker a = await side.ConnectAsync("a");
        Talker b = await side.ConnectAsync("b");
        Acl[] open = [Entry(31, "world", "anyone")];
        Acl[] shut = [Entry(30, "world", "anyone")];
        await a.DoAsync(Create("/dark"), Create("/dark/c"));
        await b.DoAsync(
            GetData("/dark", true), GetChildren("/dark", true), GetData("/dark/c", true), AddWatch("/dark/d", 1));
        await a.DoAsync(SetAcl("/dark", shut), SetAcl("/dark/c", shut), SetData("/dark", "1"), SetData("/dark/c", "1"));
        await a.DoAsync(
            Create("/dark/x"), CreateWithAcl("/dark/d", shut), SetData("/dark/d", "x"),
            CreateWithAcl("/dark/d/e", open));
        await b.DrainAsync();
        await a.DoAsync(SetAcl("/dark", open), SetAcl("/dark/c", open), SetData("/dark", "2"), SetData("/dark/c", "2"));
        await a.DoAsync(Create("/dark/y"), SetAcl("/dark/d", open), SetData("/dark/d", "y"), SetData("/dark/d/e", "y"));
        await b.DrainAsync();
        await b.DoAsync(
            GetData("/dark/c", true), GetChildren("/dark", true), Exists("/dark/z", true), Exists("/dark/y", true));
        await a.DoAsync(SetAcl("/dark/c", shut), Delete("/dark/c"), CreateWithAcl("/dark/z", shut), Delete("/dark/y"));
        await b.DrainAsync();
        await a.DoAsync(Delete("/dark/d/e"), SetAcl("/dark/d", shut), Delete("/dark/d"));
        await b.DrainAsync();
    });

    [Fact]
    public Task Watches_end_with_the_connection_and_sessions_end_with_events() => pair.CompareAsync(async side =>
    {
        Talker a = await side.ConnectAsync("a");
        Talker b = await side.ConnectAsync("b");
        await a.DoAsync(Create("/ends"), Create("/ends/e", "", 1), GetData("/ends", true));
        await b.DoAsync(
            GetChildren("/ends", true), Exists("/ends/e", true), GetData("/ends/e", true), AddWatch("/", 1));
        await a.CloseAsync();
        await b.DrainAsync();
        Talker c = await side.OpenAsync("c");
        await b.DoAsync(GetData("/ends", true));
        await c.HandshakeAsync(new ConnectRequest(0, 0, 10_000, b.SessionId, b.Password, false));
        await c.DoAsync(SetData("/ends", "x"), CheckWatches("/ends", 3), Delete("/ends"));
        await c.DrainAsync();
    });

    [Fact]
    public Task SetWatches_catches_up_and_registers_the_rest() => pair.CompareAsync(async side =>
    {
        Talker a = await side.ConnectAsync("a");
        await a.DoAsync(
            Create("/re"), Create("/re/old"), Create("/re/changed"), Create("/re/gone"), Create("/re/kids"));
        long seen = a.LastZxid;
        await a.DoAsync(SetData("/re/changed", "x"), Delete("/re/gone"), Create("/re/kids/k"), Create("/re/born"));
        string[] all = ["/re", "/re/old", "/re/changed", "/re/gone", "/re/kids", "/re/born", "/re/never", "bad", ""];
        await a.DoAsync(
            SetWatches(seen, all, [], []), SetData("/re/old", ""), SetData("/re/never", ""), Create("/re/never"));
        await a.DoAsync(SetWatches(seen, [], all, []), Create("/re/gone"), Delete("/re/gone"), SetData("/re/born", ""));
        await a.DoAsync(SetWatches(seen, [], [], all), Create("/re/old/k"), Delete("/re/kids/k"), Delete("/re/born"));
        await a.DoAsync(SetWatches(a.LastZxid, all, all, all), SetWatches(long.MaxValue, all, [], []));
        await a.DoAsync(Delete("/re/never"), Create("/re/born"), SetData("/re/kids", ""), Create("/re/kids/n"));
        string[] kept = ["/re2", "/re2/a", "/nowhere"];
        await a.DoAsync(
            SetWatches(0, [], [], [], kept, ["/re3"]), Create("/re2"), Create("/re2/a"), SetData("/re2/a", ""));
        await a.DoAsync(
            Create("/re3"), Create("/re3/a"), Create("/re3/a/b"), SetData("/re3/a/b", ""), Create("/re2/b"));
        await a.DoAsync(
            RemoveWatches("/re3", 3), RemoveWatches("/re2", 3), RemoveWatches("/re2/a", 3), SetData("/re3", ""));
        await a.DoAsync(SetWatches(0, [], [], []), SetWatches(0, [], [], [], [], []));
    });

    [Fact]
    public Task CheckWatches_and_removeWatches_know_the_kinds_they_share() => pair.CompareAsync(async side =>
    {
        Talker a = await side.ConnectAsync("a");
        await a.DoAsync(Create("/kinds"));
        for (int type = -1; type <= 7; type++)
        {
            // 4 and 5 are unknown to 3.8.
            if (type is 4 or 5)
                continue;
            await a.DoAsync(CheckWatches("/kinds", type), RemoveWatches("/kinds", type));
            await a.DoAsync(GetData("/kinds", true), CheckWatches("/kinds", type), RemoveWatches("/kinds", type));
            await a.DoAsync(GetChildren("/kinds", true), CheckWatches("/kinds", type), RemoveWatches("/kinds", type));
            await a.DoAsync(
                Exists("/kinds/no", true), CheckWatches("/kinds/no", type), RemoveWatches("/kinds/no", type));
            await a.DoAsync(SetData("/kinds", ""), Create("/kinds/no"), Delete("/kinds/no"));
        }
        await a.DoAsync(
            AddWatch("/kinds", 0), CheckWatches("/kinds", 3), RemoveWatches("/kinds", 3), CheckWatches("/kinds", 3));
        await a.DoAsync(
            AddWatch("/kinds", 1), CheckWatches("/kinds", 3), CheckWatches("/kinds/x", 3), RemoveWatches("/kinds", 3));
        await a.DoAsync(
            GetData("/kinds", true), GetChildren("/kinds", true), RemoveWatches("/kinds", 1),
            CheckWatches("/kinds", 2));
        await a.DoAsync(
            CheckWatches("/kinds", 1), RemoveWatches("/kinds", 2), CheckWatches("/kinds", 3), SetData("/kinds", ""));
    });

    [Fact]
    public Task CheckWatches_tells_the_kinds_of_newer_servers_apart() => pair.ExpectAsync(
        // Section 10.5: 3.8 has no types 4 and 5, and its 1 and 2 also mean persistent watches.
        async side =>
        {
            Talker a = await side.ConnectAsync("a");
            await a.DoAsync(
                AddWatch("/", 0), CheckWatches("/", 1), CheckWatches("/", 2), CheckWatches("/", 4),
                CheckWatches("/", 5));
            await a.DoAsync(
                RemoveWatches("/", 5), RemoveWatches("/", 4), AddWatch("/", 1), CheckWatches("/", 4),
                CheckWatches("/", 5));
            await a.DoAsync(GetData("/", true), RemoveWatches("/", 5), CheckWatches("/", 2));
        },
        "a: xid 1 zxid @0 err 0 0", "a: xid 2 zxid @0 err -121", "a: xid 3 zxid @0 err -121", "a: xid 4 zxid @0 err 0",
        "a: xid 5 zxid @0 err -121", "a: xid 6 zxid @0 err -121", "a: xid 7 zxid @0 err 0", "a: xid 8 zxid @0 err 0 0",
        "a: xid 9 zxid @0 err -121", "a: xid 10 zxid @0 err 0",
        "a: xid 11 zxid @0 err 0 '' stat(c 0 m 0 p 0 v 0 cv -1 av 0 owner 0 len 0 ch 1 untimed)",
        "a: xid 12 zxid @0 err 0", "a: xid 13 zxid @0 err 0");
}
