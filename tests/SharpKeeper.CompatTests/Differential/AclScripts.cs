using SharpKeeper.Protocol;
using static SharpKeeper.CompatTests.Differential.Requests;

namespace SharpKeeper.CompatTests.Differential;

/// <summary>Section 16 and the order of checks of section 6: identities, ACLs, rights.</summary>
[Collection(ServerPairCollection.Name)]
public sealed class AclScripts(ServerPair pair)
{
    private const string BobDigest = "bob:SBgazSKz7a68ikR4aKfffOYpkgo=";

    [Fact]
    public Task Auth_packets_add_identities() => pair.CompareAsync(async side =>
    {
        Talker a = await side.ConnectAsync("a");
        await a.DoAsync(WhoAmI());
        await a.DoAsync(Auth("digest", "bob:pw"));
        await a.DoAsync(CreateWithAcl("/identities", [Entry(31, "auth", "ignored")]));
        await a.DoAsync(GetAcl("/identities"));
        string[] all = ["bob:pw", "bob:pw", "amy:x:y", "nocolon", "", ":", "é:ü", "super:wrong"];
        foreach (string credentials in all)
        {
            await a.DoAsync(Auth("digest", credentials));
            await a.DoAsync(WhoAmI());
        }
        await a.DoAsync(Auth("ip", "whatever"));
        await a.DoAsync(WhoAmI());
        await a.DoAsync(Auth("digest", "super:secret"));
        await a.DoAsync(WhoAmI(), SetAcl("/identities", [Entry(1, "digest", BobDigest)]), GetAcl("/identities"));
        // The order in which "auth" is replaced by several identities is Apache's own secret.
        await a.DoAsync(SetAcl("/identities", [Entry(1, "auth", "")]));
        await a.DoAsync(Delete("/identities"));
    });

    [Theory]
    [InlineData("world")]
    [InlineData("auth")]
    [InlineData("nosuch")]
    [InlineData("")]
    [InlineData(null)]
    [InlineData("super")]
    [InlineData("x509")]
    [InlineData("sasl")]
    public Task Auth_with_a_scheme_that_is_not_there_ends_the_connection(string? scheme) =>
        pair.CompareAsync(async side =>
        {
            Talker a = await side.ConnectAsync("a");
            await a.DoAsync(Auth(scheme, "x"));
            await a.ExpectCloseAsync();
            Talker again = await side.OpenAsync("again");
            await again.HandshakeAsync(new ConnectRequest(0, 0, 10_000, a.SessionId, a.Password, false));
            await again.CloseAsync();
        });

    [Fact]
    public Task Sasl_packets_get_an_empty_answer() => pair.CompareAsync(async side =>
    {
        Talker a = await side.ConnectAsync("a");
        await a.DoAsync(Sasl("token"));
        await a.DoAsync(Sasl(""));
        await a.DoAsync(Exists("/"));
    });

    [Fact]
    public Task Acls_are_accepted_or_refused_alike() => pair.CompareAsync(async side =>
    {
        (string Scheme, string Id)[] ids =
        [
            ("world", "anyone"), ("world", "other"), ("world", ""), ("auth", ""), ("auth", "x"), ("digest", BobDigest),
            ("digest", "bob"), ("digest", "bob:"), ("digest", ":"), ("digest", "a:b:c"), ("digest", ""),
            ("ip", "127.0.0.1"),
            ("ip", "127.0.0.0/8"), ("ip", "0.0.0.0/0"), ("ip", "1.2.3"), ("ip", "1.2.3.4.5"), ("ip", "1.2.3.256"),
            ("ip", "1.2.3.4/33"), ("ip", "1.2.3.4/32"), ("ip", "1.2.3.4/-1"), ("ip", "1.2.3.4/x"), ("ip", "1.2.3.4/"),
            ("ip", "/8"), ("ip", ""), ("ip", "localhost"), ("ip", "1.2.3.-4"),
            ("ip", "0127.0.00.1"), ("ip", "0177.0.0.1"), ("digest", ":x"), ("ip", "01.2.3.4"), ("ip", "1.2.3.4/8/8"),
            ("super", ""), ("super", "x"), ("sasl", "x"), ("x509", "CN=x"), ("none", "x"), ("", ""), ("key", "x"),
        ];
        Talker a = await side.ConnectAsync("a");
        Talker b = await side.ConnectAsync("b");
        await b.DoAsync(Auth("digest", "bob:pw"));
        await a.DoAsync(Create("/acls"));
        int number = 0;
        foreach ((string scheme, string id) in ids)
        {
            string path = $"/acls/n{number++}";
            await a.DoAsync(CreateWithAcl(path, [Entry(31, scheme, id)]), GetAcl(path));
            await a.DoAsync(
                CreateWithAcl(path + "w", [Entry(31, "world", "anyone"), Entry(3, scheme, id)]), GetAcl(path + "w"));
            await b.DoAsync(
                CreateWithAcl(path + "b", [Entry(31, scheme, id)]), GetAcl(path + "b"), SetData(path + "b", "x"));
            await b.DoAsync(SetAcl(path + "w", [Entry(7, scheme, id), Entry(1, scheme, id), Entry(7, scheme, id)]));
            await b.DoAsync(GetAcl(path + "w"), GetData(path), SetData(path, "y"));
        }
        await a.DoAsync(GetChildren2("/acls"));
    });

    [Theory]
    [InlineData("::1")]
    [InlineData("fe80::/10")]
    [InlineData("2001:db8::1/128")]
    public Task Ipv6_ids_are_accepted_as_in_newer_servers(string id) => pair.CompareAsync(async side =>
    {
        // In a multi that fails in any case, so that the trees stay equal.
        const string Apache = "a: xid 1 zxid @1 err 0 (-1 False -114: -114) (-1 False -2: -2) (-1 True -1:)";
        const string Ours = "a: xid 1 zxid @1 err 0 (-1 False 0: 0) (-1 False -101: -101) (-1 True -1:)";
        Talker a = await side.ConnectAsync("a");
        await side.DifferAsync(
            new ExpectedDifference("section 16: IPv6 addresses in ACLs since 3.9", Apache, Ours),
            () => a.DoAsync(Multi(CreateWithAcl("/ipv6", [Entry(31, "ip", id)]), Delete("/absent"))));
    });

    [Fact]
    public Task Rights_are_checked_alike_for_every_operation() => pair.CompareAsync(async side =>
    {
        Talker owner = await side.ConnectAsync("owner");
        Talker other = await side.ConnectAsync("other");
        Talker super = await side.ConnectAsync("super");
        await owner.DoAsync(Auth("digest", "bob:pw"));
        await super.DoAsync(Auth("digest", "super:secret"));
        await owner.DoAsync(Create("/rights"));
        for (int permissions = 0; permissions < 32; permissions++)
        {
            string path = $"/rights/p{permissions}";
            await owner.DoAsync(CreateWithAcl(path, [Entry(permissions, "digest", BobDigest)]));
            foreach (Talker talker in (Talker[])[owner, other])
                await TryEverythingAsync(talker, path);
            await super.DoAsync(GetAcl(path), GetData(path), Create(path + "/s"), Delete(path + "/s"));
        }
        await super.DoAsync(Exists("/rights"), GetChildren2("/rights"));
    });

    private static async Task TryEverythingAsync(Talker talker, string path)
    {
        await talker.DoAsync(GetData(path), GetChildren(path), GetChildren2(path), GetAcl(path));
        await talker.DoAsync(GetAllChildrenNumber(path), MultiRead(GetData(path), GetChildren(path)), Sync(path));
        await talker.DoAsync(SetData(path, "x"), SetData(path, "x", 99), Multi(Check(path)), Multi(Check(path, 99)));
        await talker.DoAsync(
            Create(path + "/c"), Create(path + "/.."), Create(path + "/e", "", 1), Delete(path + "/c"));
        await talker.DoAsync(Delete(path + "/e"), Delete(path + "/absent"), Delete(path + "/absent", 9));
        await talker.DoAsync(SetAcl(path, [Entry(31, "nosuch", "")]), SetAcl(path, [Entry(1, "auth", "")], 99));
        await talker.DoAsync(Multi(Create(path + "/m"), Delete(path + "/m")), Multi(SetData(path, "m")));
    }

    [Fact]
    public Task Exists_asks_for_read_as_in_newer_servers() => pair.CompareAsync(async side =>
    {
        Talker a = await side.ConnectAsync("a");
        await a.DoAsync(CreateWithAcl("/unseen", [Entry(30, "world", "anyone")]));
        await side.DifferAsync(
            new ExpectedDifference(
                "trap 3: exists needs READ since 3.9",
                "a: xid 2 zxid @1 err 0 stat(c @1 m @1 p @1 v 0 cv 0 av 0 owner 0 len 0 ch 0)",
                "a: xid 2 zxid @1 err -102"),
            () => a.DoAsync(Exists("/unseen")));
        await side.DifferAsync(
            new ExpectedDifference(
                "trap 3: nor is a watch registered",
                "a: xid 3 zxid @1 err 0 stat(c @1 m @1 p @1 v 0 cv 0 av 0 owner 0 len 0 ch 0) | a: xid 4 zxid @1 err 0",
                "a: xid 3 zxid @1 err -102 | a: xid 4 zxid @1 err -121"),
            () => a.DoAsync(Exists("/unseen", true), CheckWatches("/unseen", 2)));
        await a.DoAsync(Delete("/unseen"));
    });

    [Fact]
    public Task Digests_are_masked_for_those_who_may_not_administer() => pair.CompareAsync(async side =>
    {
        Talker a = await side.ConnectAsync("a");
        await a.DoAsync(CreateWithAcl(
            "/masked", [Entry(1, "world", "anyone"), Entry(31, "digest", BobDigest), Entry(31, "ip", "10.0.0.1")]));
        await a.DoAsync(GetAcl("/masked"));
        await a.DoAsync(Auth("digest", "bob:pw"));
        await a.DoAsync(
            GetAcl("/masked"), SetAcl("/masked", [Entry(0x7fffffff, "world", "anyone"), Entry(0, "auth", "")]));
        await a.DoAsync(
            GetAcl("/masked"), SetAcl("/masked", [Entry(int.MinValue, "world", "anyone")]), GetAcl("/masked"));
        await a.DoAsync(GetData("/masked"), Delete("/masked"));
    });

    [Fact]
    public Task Checks_come_in_the_same_order() => pair.CompareAsync(async side =>
    {
        Talker a = await side.ConnectAsync("a");
        Acl[] bad = [Entry(31, "nosuch", "")];
        await a.DoAsync(
            CreateWithAcl("/shut", [Entry(1, "world", "anyone")]), Create("/open"), Create("/open/e", "", 1));
        string[] paths =
            ["bad", "/absent/x", "/shut/x", "/shut/..", "/open/..", "/open", "/open/e/x", "/open/e"];
        foreach (string path in paths)
        {
            await a.DoAsync(
                CreateWithAcl(path, bad), CreateWithAcl(path, []), Create(path, "", 9), Create(path, "", 5));
            await a.DoAsync(
                Create(path), CreateTtl(path, 5, 0), CreateTtl(path, 0, 5), CreateTtl(path, 9, 0), Delete(path, 9));
            await a.DoAsync(SetAcl(path, bad, 9), SetAcl(path, Open, 9), SetData(path, "", 9), Multi(Check(path, 9)));
        }
        await a.DoAsync(Create("/open/x/y"), Delete("/open", 9), Delete("/open"), Delete("/shut"));
    });

    [Fact]
    public Task Identities_end_with_the_connection() => pair.CompareAsync(async side =>
    {
        Talker a = await side.ConnectAsync("a");
        await a.DoAsync(Auth("digest", "bob:pw"));
        await a.DoAsync(CreateWithAcl("/mine", [Entry(31, "auth", "")]), GetData("/mine"));
        Talker b = await side.OpenAsync("b");
        await b.HandshakeAsync(new ConnectRequest(0, 0, 10_000, a.SessionId, a.Password, false));
        await b.DoAsync(WhoAmI(), GetData("/mine"), CreateWithAcl("/mine2", [Entry(31, "auth", "")]));
        await b.DoAsync(Auth("digest", "bob:pw"));
        await b.DoAsync(GetData("/mine"), Delete("/mine"));
    });
}
