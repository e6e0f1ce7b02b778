using SharpKeeper.Protocol;
using static SharpKeeper.CompatTests.Differential.Requests;

namespace SharpKeeper.CompatTests.Differential;

/// <summary>Requests that no sane client sends: cut off, too long, unknown, or reserved for servers.</summary>
[Collection(ServerPairCollection.Name)]
public sealed class OddRequestScripts(ServerPair pair)
{
    private const string Undecodable = "section 6: 3.8 spends a zxid on a write that it cannot decode, 3.9 does not";

    [Theory]
    [InlineData(0)]
    [InlineData(-2)]
    [InlineData(10)]
    [InlineData(23)]
    [InlineData(99)]
    [InlineData(108)]
    [InlineData(200)]
    [InlineData(int.MaxValue)]
    [InlineData(int.MinValue)]
    public Task Unknown_operations_are_refused_and_end_the_connection(int op) => pair.CompareAsync(async side =>
    {
        Talker a = await side.ConnectAsync("a");
        await a.DoAsync(Create("/unknown", "", 1));
        await a.DoAsync(Raw((OpCode)op, [1, 2, 3]));
        await a.ExpectCloseAsync();
        await ResumeAndCloseAsync(side, a);
    });

    [Fact]
    public Task Unknown_operation_in_a_pipeline_is_answered_behind_the_others() => pair.ExpectAsync(
        // Apache's refusal overtakes requests under way and drops their answers.
        async side =>
        {
            Talker a = await side.ConnectAsync("a");
            await a.DoAsync(Create("/unknown", "", 1), GetAllChildrenNumber("/"), Raw((OpCode)99, []), Exists("/"));
            await a.ExpectCloseAsync();
            await ResumeAndCloseAsync(side, a);
        },
        "a: xid 1 zxid @1 err 0 /unknown", "a: xid 2 zxid @1 err 0 4", "a: xid 3 zxid -1 err -6", "a closed",
        "again: xid 1 zxid @1 err 0 {/unknown}", "again: xid 2 zxid @2 err 0", "again closed");

    [Theory]
    [InlineData(20)]
    [InlineData(-10)]
    [InlineData(-1)]
    public Task Operations_of_servers_are_refused_from_clients(int op) => pair.ExpectAsync(
        // Trap 15: Apache executes a deleteContainer without looking at rights, and answers -10 with a handshake.
        async side =>
        {
            Talker a = await side.ConnectAsync("a");
            await a.DoAsync(Create("/reserved", "", 1));
            await a.DoAsync(Raw((OpCode)op, GetAcl("/reserved").Body));
            await a.ExpectCloseAsync();
            await ResumeAndCloseAsync(side, a);
        },
        "a: xid 1 zxid @1 err 0 /reserved", "a: xid 2 zxid -1 err -6", "a closed",
        "again: xid 1 zxid @1 err 0 {/reserved}", "again: xid 2 zxid @2 err 0", "again closed");

    [Fact]
    public Task Check_outside_a_multi_is_no_operation() => pair.ExpectAsync(
        // Trap 16: 3.8 executes it and never answers when it succeeds; 3.9 refuses it.
        async side =>
        {
            Talker a = await side.ConnectAsync("a");
            await a.DoAsync(Check("/"));
            await a.ExpectCloseAsync();
        },
        "a: xid 1 zxid -1 err -6", "a closed");

    [Fact]
    public Task CreateTtl_without_a_lifetime_does_not_poison_the_log() => pair.ExpectAsync(
        // Trap 14: 3.8.0 and 3.9.5 write a transaction that they cannot apply, and stop for good.
        async side =>
        {
            Talker a = await side.ConnectAsync("a");
            await a.DoAsync(CreateTtl("/poison", 0, -1), CreateTtl("/poison", 2, -2), CreateTtl("/poison", 4, -1));
            await a.DoAsync(GetAllChildrenNumber("/"));
        },
        "a: xid 1 zxid @1 err -8", "a: xid 2 zxid @2 err -8", "a: xid 3 zxid @3 err -8", "a: xid 4 zxid @3 err 0 3");

    [Fact]
    public Task AddWatch_without_a_path_is_refused() => pair.ExpectAsync(
        // Apache registers it and cannot close the connection any more.
        async side =>
        {
            Talker a = await side.ConnectAsync("a");
            await a.DoAsync(AddWatch(null, 0), AddWatch(null, 1), RemoveWatches(null, 3));
            await a.CloseAsync();
        },
        "a: xid 1 zxid @0 err -5", "a: xid 2 zxid @0 err -5", "a: xid 3 zxid @0 err -5", "a: xid 4 zxid @1 err 0",
        "a closed");

    [Fact]
    public Task Trailing_bytes_are_ignored() => pair.CompareAsync(async side =>
    {
        Talker a = await side.ConnectAsync("a");
        WireRequest[] requests =
        [
            Create("/trail"), SetData("/trail", "x"), Exists("/trail"), GetData("/trail"), GetAcl("/trail"),
            SetAcl("/trail", Open), GetChildren("/trail"), GetChildren2("/trail"), Sync("/trail"),
            AddWatch("/trail", 0),
            CheckWatches("/trail", 3), RemoveWatches("/trail", 3), SetWatches(0, [], [], []), WhoAmI(),
            SetWatches(0, [], [], [], [], []), Multi(Check("/trail")), MultiRead(GetData("/trail")), GetEphemerals("/"),
            GetAllChildrenNumber("/trail"), Auth("digest", "t:t"), Sasl("x"), CreateTtl("/trail/t", 5, 9),
            Delete("/trail/t"), Delete("/trail"),
        ];
        foreach (WireRequest request in requests)
            await a.DoAsync(Trailing(request));
        await a.DoAsync(Raw(OpCode.Ping, [1, 2, 3]), Trailing(CloseSession()));
        await a.ExpectCloseAsync();
    });

    [Fact]
    public Task Short_reads_get_a_marshalling_error() => pair.CompareAsync(async side =>
    {
        Talker a = await side.ConnectAsync("a");
        WireRequest[] requests =
        [
            Exists("/"), GetData("/"), GetAcl("/"), GetChildren("/"), GetChildren2("/"), Sync("/"), AddWatch("/", 0),
            CheckWatches("/", 3), RemoveWatches("/", 3), SetWatches(0, ["/"], [], []),
            SetWatches(0, [], [], [], [], ["/"]), MultiRead(GetData("/")), GetEphemerals("/"),
            GetAllChildrenNumber("/"),
        ];
        foreach (WireRequest request in requests)
        {
            foreach (int bytes in (int[])[1, request.Body.Length])
                await a.DoAsync(Cut(request, bytes));
        }
        await a.DoAsync(Exists(null), GetData(null), GetAcl(null), GetChildren(null), GetChildren2(null), Sync(null));
        await a.DoAsync(CheckWatches(null, 3), GetAllChildrenNumber(null));
        await a.DoAsync(AddWatch("/", 2), AddWatch("/", -1), CheckWatches("/", 0), RemoveWatches("/", 6));
        await a.DoAsync(SetWatches(0, null, [], []), SetWatches(0, [], null, []), SetWatches(0, [], [], null));
        await a.DoAsync(SetWatches(0, [], [], [], null, []), SetWatches(0, [], [], [], [], null));
        await a.DoAsync(MultiRead(GetData(null)), MultiRead(GetData("/"), GetChildren(null), GetData("/absent")));
        await a.DoAsync(Raw(OpCode.MultiRead, []), MultiRead(), Exists("/"));
    });

    [Fact]
    public Task Short_writes_get_a_marshalling_error() => pair.CompareAsync(async side =>
    {
        Talker a = await side.ConnectAsync("a");
        await a.DoAsync(Create("/short", "x"));
        WireRequest[] requests =
        [
            Create("/short/a"), Create("/short/a", op: OpCode.Create2), Create("/short/a", op: OpCode.CreateContainer),
            CreateTtl("/short/a", 5, 9), Delete("/short"), SetData("/short", "x"), SetAcl("/short", Open),
            Multi(Delete("/short")),
        ];
        foreach (WireRequest request in requests)
        {
            foreach (int bytes in (int[])[1, request.Body.Length])
            {
                int xid = a.NextXid;
                await side.DifferAsync(
                    new ExpectedDifference(
                        Undecodable, $"a: xid {xid} zxid @2 err -5", $"a: xid {xid} zxid @1 err -5"),
                    a, Cut(request, bytes));
            }
        }
        await a.DoAsync(Exists("/short"), SetData("/short", "end"), Delete("/short"));
    });

    [Fact]
    public Task Null_paths_and_vectors_in_writes_get_errors() => pair.CompareAsync(async side =>
    {
        Talker a = await side.ConnectAsync("a");
        await a.DoAsync(CreateWithAcl("/nulls", null), CreateWithAcl("/nulls", []), Create("/nulls"));
        await a.DoAsync(SetAcl("/nulls", null), SetAcl("/nulls", []), Multi(CreateWithAcl("/nulls/x", null)));
        await a.DoAsync(Delete("/nulls"));
    });

    [Fact]
    public Task Reconfig_is_disabled() => pair.CompareAsync(async side =>
    {
        Talker a = await side.ConnectAsync("a");
        await a.DoAsync(Reconfig("server.2=127.0.0.1:1:2:participant;3", null, null, -1), Reconfig(null, null, "", -1));
        await a.DoAsync(Reconfig(null, "1", null, 7), GetData("/zookeeper/config"), GetAcl("/zookeeper/config"));
        await a.DoAsync(
            SetData("/zookeeper/config", "x"), SetAcl("/zookeeper/config", Open), Delete("/zookeeper/config"));
    });

    private static async Task ResumeAndCloseAsync(Side side, Talker broken)
    {
        Talker again = await side.OpenAsync("again");
        await again.HandshakeAsync(new ConnectRequest(0, 0, 10_000, broken.SessionId, broken.Password, false));
        await again.DoAsync(GetEphemerals("/"));
        await again.CloseAsync();
    }
}
