using SharpKeeper.Client;
using SharpKeeper.Protocol;

namespace SharpKeeper.CompatTests.Client;

public abstract partial class ClientSuite
{
    [Fact]
    public async Task CreateAsync_with_sequential_modes_numbers_the_names()
    {
        string first = await Client.CreateAsync(
            At("s-"), mode: CreateMode.PersistentSequential, cancellation: Cancellation);
        string second = await Client.CreateAsync(
            At("e-"), mode: CreateMode.EphemeralSequential, cancellation: Cancellation);
        string bare = await Client.CreateAsync(
            Home + "/", mode: CreateMode.PersistentSequential, cancellation: Cancellation);

        Assert.Equal(At("s-0000000000"), first);
        Assert.Equal(At("e-0000000001"), second);
        Assert.Equal(At("0000000002"), bare);
    }

    [Fact]
    public async Task CreateWithStatAsync_of_every_mode_gives_path_and_stat()
    {
        foreach (CreateMode mode in Enum.GetValues<CreateMode>())
        {
            TimeSpan? ttl = mode.IsTtl() ? TimeSpan.FromHours(1) : null;

            CreatedZnode created = await Client.CreateWithStatAsync(
                At($"{mode}-"), Bytes("x"), mode, ttl: ttl, cancellation: Cancellation);

            Assert.StartsWith(At($"{mode}-"), created.Path, StringComparison.Ordinal);
            Assert.Equal(mode.IsSequential(), created.Path != At($"{mode}-"));
            Assert.Equal(mode.IsEphemeral() ? Client.Session.Id.Value : 0, created.Stat.EphemeralOwner);
            Assert.Equal(created.Stat, await Client.ExistsAsync(created.Path, cancellation: Cancellation));
        }
    }

    [Fact]
    public async Task CreateAsync_of_every_mode_gives_the_path()
    {
        foreach (CreateMode mode in Enum.GetValues<CreateMode>())
        {
            TimeSpan? ttl = mode.IsTtl() ? TimeSpan.FromHours(1) : null;

            string path = await Client.CreateAsync(At($"{mode}-"), null, mode, ttl: ttl, cancellation: Cancellation);

            Assert.NotNull(await Client.ExistsAsync(path, cancellation: Cancellation));
        }
    }

    [Fact]
    public async Task CreateAsync_without_parent_or_under_an_ephemeral_fails()
    {
        await Client.CreateAsync(At("e"), mode: CreateMode.Ephemeral, cancellation: Cancellation);

        await ThrowsAsync<NoNodeException>(
            ErrorCode.NoNode, async () => await Client.CreateAsync(At("no/child"), cancellation: Cancellation));
        await ThrowsAsync<KeeperException>(ErrorCode.NoChildrenForEphemerals,
            async () => await Client.CreateAsync(At("e/child"), cancellation: Cancellation));
    }

    [Theory]
    [InlineData("")]
    [InlineData("a")]
    [InlineData("/a/")]
    [InlineData("/a//b")]
    [InlineData("/a/../b")]
    [InlineData("/a\u0000")]
    public async Task Bad_path_is_refused_before_anything_is_sent(string path)
    {
        await Assert.ThrowsAsync<ArgumentException>(async () =>
            await Client.CreateAsync(path, cancellation: Cancellation));
        await Assert.ThrowsAsync<ArgumentException>(async () =>
            await Client.GetAsync(path, cancellation: Cancellation));
        await Assert.ThrowsAsync<ArgumentException>(async () =>
            await Client.DeleteAsync(path, cancellation: Cancellation));
        Assert.Throws<ArgumentException>(() => MultiOp.Check(path));
    }

    [Fact]
    public async Task Bad_ttl_or_mode_is_refused_before_anything_is_sent()
    {
        await Assert.ThrowsAsync<ArgumentException>(
            async () => await Client.CreateAsync(At("a"), ttl: TimeSpan.FromDays(1), cancellation: Cancellation));
        await Assert.ThrowsAsync<ArgumentException>(
            async () => await Client.CreateAsync(
                At("a"), mode: CreateMode.PersistentWithTtl, cancellation: Cancellation));
        await Assert.ThrowsAsync<ArgumentException>(async () => await Client.CreateAsync(
            At("a"), mode: CreateMode.PersistentWithTtl, ttl: TimeSpan.FromDays(20_000), cancellation: Cancellation));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(
            async () => await Client.CreateAsync(At("a"), mode: (CreateMode)9, cancellation: Cancellation));
    }

    [Fact]
    public async Task SetAsync_of_null_data_can_be_read_back()
    {
        await Client.CreateAsync(At("a"), "x", cancellation: Cancellation);

        await Client.SetAsync(At("a"), (ReadOnlyMemory<byte>?)null, cancellation: Cancellation);

        Assert.Null((await Client.GetAsync(At("a"), cancellation: Cancellation)).Data);
    }

    [Fact]
    public async Task Names_in_any_script_survive()
    {
        string path = await Client.CreateAsync(At("Ünï-世界-ключ"), "смысл 意味", cancellation: Cancellation);

        Assert.Equal("смысл 意味", (await Client.GetAsync(path, cancellation: Cancellation)).Text);
        Assert.Equal(["Ünï-世界-ключ"], await Client.GetChildrenAsync(Home, cancellation: Cancellation));
    }

    [Fact]
    public async Task Data_just_below_the_limit_is_stored_and_above_it_refused()
    {
        byte[] large = new byte[1_048_575 - 8 - 4 - At("a").Length - 4 - 4 - 31 - 4];
        new Random(5).NextBytes(large);

        await Client.CreateAsync(At("a"), large, cancellation: Cancellation);

        Assert.Equal(large, (await Client.GetAsync(At("a"), cancellation: Cancellation)).Data);
        await ThrowsAsync<KeeperException>(ErrorCode.MarshallingError,
            async () => await Client.SetAsync(At("a"), new byte[1_048_575], cancellation: Cancellation));
        Assert.Equal(KeeperState.Connected, Client.State);
    }

    [Fact]
    public async Task SetAclAsync_replaces_the_list_at_its_version()
    {
        await Client.CreateAsync(At("a"), cancellation: Cancellation);
        Acl[] list = [new(Permissions.All, AclIds.Digest("bob", "pw")), new(Permissions.Read, AclIds.Anyone)];

        Stat stat = await Client.SetAclAsync(At("a"), list, 0, Cancellation);

        Assert.Equal(1, stat.Aversion);
        await Client.AddAuthAsync(AuthInfo.Digest("bob", "pw"), Cancellation);
        ZnodeAcl acl = await Client.GetAclAsync(At("a"), Cancellation);
        Assert.Equal(list, acl.Acl);
        Assert.Equal(stat, acl.Stat);
        await ThrowsAsync<BadVersionException>(
            ErrorCode.BadVersion, async () => await Client.SetAclAsync(At("a"), Acl.OpenUnsafe, 0, Cancellation));
        await ThrowsAsync<KeeperException>(
            ErrorCode.InvalidAcl, async () => await Client.SetAclAsync(At("a"), [], cancellation: Cancellation));
    }

    [Fact]
    public async Task AddAuthAsync_opens_what_the_creator_has_closed()
    {
        KeeperClient owner =
            await ConnectAsync(change: options => options with { Auth = [AuthInfo.Digest("al", "pw")] });
        await owner.CreateAsync(At("mine"), Bytes("x"), acl: Acl.CreatorAll, cancellation: Cancellation);

        NoAuthException error = await ThrowsAsync<NoAuthException>(
            ErrorCode.NoAuth, async () => await Client.GetAsync(At("mine"), cancellation: Cancellation));
        await Client.AddAuthAsync(AuthInfo.Digest("al", "pw"), Cancellation);

        Assert.Equal(At("mine"), error.Path);
        Assert.Equal("x", (await Client.GetAsync(At("mine"), cancellation: Cancellation)).Text);
        Assert.Contains(await Client.WhoAmIAsync(Cancellation), identity => identity is { Scheme: "digest", Id: "al" });
    }

    [Fact]
    public async Task AddAuthAsync_of_an_unknown_scheme_ends_the_client()
    {
        KeeperClient client = await ConnectAsync();

        await ThrowsAsync<KeeperException>(
            ErrorCode.AuthFailed, () => client.AddAuthAsync(new AuthInfo("nonsense", default), Cancellation));

        Assert.Equal(KeeperState.AuthFailed, client.State);
        await ThrowsAsync<KeeperException>(
            ErrorCode.AuthFailed, async () => await client.ExistsAsync(Home, cancellation: Cancellation));
    }

    [Fact]
    public async Task MultiAsync_carries_out_all_and_gives_each_result()
    {
        await Client.CreateAsync(At("a"), "0", cancellation: Cancellation);
        await Client.CreateAsync(At("gone"), cancellation: Cancellation);

        IReadOnlyList<MultiResult> results = await Client.MultiAsync(
            [
                MultiOp.Check(At("a"), 0),
                MultiOp.Set(At("a"), Bytes("1")),
                MultiOp.Create(At("parent")),
                MultiOp.Create(At("parent/n-"), Bytes("x"), CreateMode.EphemeralSequential),
                MultiOp.Create(At("box"), mode: CreateMode.Container),
                MultiOp.Create(At("ttl"), mode: CreateMode.PersistentWithTtl, ttl: TimeSpan.FromHours(1)),
                MultiOp.Delete(At("gone")),
            ], Cancellation);

        Assert.All(results, result => Assert.Equal(ErrorCode.Ok, result.Error));
        Assert.Equal(1, results[1].Stat!.Value.Version);
        Assert.Equal(At("parent"), results[2].Path);
        Assert.Equal(At("parent/n-0000000000"), results[3].Path);
        Assert.Equal(At("box"), results[4].Path);
        Assert.Equal(At("ttl"), results[5].Path);
        Assert.Equal(["a", "box", "parent", "ttl"],
            (await Client.GetChildrenAsync(Home, cancellation: Cancellation)).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task MultiAsync_that_fails_changes_nothing_and_says_which()
    {
        await Client.CreateAsync(At("a"), "0", cancellation: Cancellation);
        MultiOp[] operations =
        [
            MultiOp.Set(At("a"), Bytes("1")), MultiOp.Check(At("a"), 7), MultiOp.Create(At("b")),
        ];

        MultiException error = await ThrowsAsync<MultiException>(
            ErrorCode.BadVersion, async () => await Client.MultiAsync(operations, Cancellation));
        IReadOnlyList<MultiResult> results = await Client.TryMultiAsync(operations, Cancellation);

        Assert.Equal(1, error.FailedIndex);
        Assert.Equal(At("a"), error.Path);
        ErrorCode[] expected = [ErrorCode.Ok, ErrorCode.BadVersion, ErrorCode.RuntimeInconsistency];
        Assert.Equal(expected, error.Results.Select(result => result.Error));
        Assert.Equal(expected, results.Select(result => result.Error));
        Assert.Equal("0", (await Client.GetAsync(At("a"), cancellation: Cancellation)).Text);
        Assert.Null(await Client.ExistsAsync(At("b"), cancellation: Cancellation));
    }

    [Fact]
    public async Task MultiAsync_of_nothing_gives_nothing()
    {
        Assert.Empty(await Client.MultiAsync([], Cancellation));
        await Assert.ThrowsAsync<ArgumentException>(
            async () => await Client.MultiAsync([MultiOp.Get(Home)], Cancellation));
        await Assert.ThrowsAsync<ArgumentException>(
            async () => await Client.MultiReadAsync([MultiOp.Delete(Home)], Cancellation));
    }

    [Fact]
    public async Task MultiReadAsync_answers_each_on_its_own()
    {
        await Client.CreateAsync(At("a"), "x", cancellation: Cancellation);

        IReadOnlyList<MultiResult> results = await Client.MultiReadAsync(
            [MultiOp.Get(At("a")), MultiOp.Get(At("none")), MultiOp.GetChildren(Home)], Cancellation);

        Assert.Equal([ErrorCode.Ok, ErrorCode.NoNode, ErrorCode.Ok], results.Select(result => result.Error));
        Assert.Equal(Bytes("x"), results[0].Data);
        Assert.Equal(1, results[0].Stat!.Value.DataLength);
        Assert.Equal(["a"], results[2].Children);
    }

    [Fact]
    public async Task GetEphemeralsAsync_lists_those_of_the_session_below_the_prefix()
    {
        await Client.CreateAsync(At("e1"), mode: CreateMode.Ephemeral, cancellation: Cancellation);
        await Client.CreateAsync(At("e2"), mode: CreateMode.Ephemeral, cancellation: Cancellation);

        Assert.Equal([At("e1"), At("e2")],
            (await Client.GetEphemeralsAsync(cancellation: Cancellation)).Order(StringComparer.Ordinal));
        Assert.Equal([At("e2")], await Client.GetEphemeralsAsync(At("e2"), Cancellation));
    }

    [Fact]
    public async Task GetAllChildrenNumberAsync_counts_descendants()
    {
        await Client.EnsurePathAsync(At("a/b/c"), cancellation: Cancellation);

        Assert.Equal(3, await Client.GetAllChildrenNumberAsync(Home, Cancellation));
    }

    [Fact]
    public async Task SyncAsync_and_GetConfigAsync_are_answered()
    {
        await Client.SyncAsync(Home, Cancellation);

        ZnodeData config = await Client.GetConfigAsync(cancellation: Cancellation);
        Assert.Equal(0, config.Stat.EphemeralOwner);
    }

    [Fact]
    public async Task ReconfigAsync_of_a_standalone_server_is_refused()
    {
        KeeperException error = await Assert.ThrowsAnyAsync<KeeperException>(
            async () => await Client.ReconfigAsync(null, "9", null, cancellation: Cancellation));

        Assert.Contains(
            error.Code, (ErrorCode[])[ErrorCode.ReconfigDisabled, ErrorCode.Unimplemented, ErrorCode.NoAuth]);
    }

    [Fact]
    public async Task EnsurePathAsync_creates_what_is_missing_only()
    {
        await Client.CreateAsync(At("a"), "kept", cancellation: Cancellation);

        await Client.EnsurePathAsync(At("a/b/c"), cancellation: Cancellation);
        await Client.EnsurePathAsync(At("a/b/c"), cancellation: Cancellation);

        Assert.Equal("kept", (await Client.GetAsync(At("a"), cancellation: Cancellation)).Text);
        Assert.NotNull(await Client.ExistsAsync(At("a/b/c"), cancellation: Cancellation));
    }

    [Fact]
    public async Task DeleteRecursiveAsync_removes_the_whole_tree()
    {
        await Client.EnsurePathAsync(At("a/b/c"), cancellation: Cancellation);
        await Task.WhenAll(Enumerable.Range(0, 1200).Select(
            i => Client.CreateAsync(At($"a/n{i}"), cancellation: Cancellation).AsTask()));

        int deleted = await Client.DeleteRecursiveAsync(At("a"), Cancellation);

        Assert.Equal(1203, deleted);
        Assert.Null(await Client.ExistsAsync(At("a"), cancellation: Cancellation));
        Assert.Equal(0, await Client.DeleteRecursiveAsync(At("a"), Cancellation));
    }

    [Fact]
    public async Task Chroot_hides_everything_above_it()
    {
        KeeperClient inner = await ConnectAsync(Home);
        await inner.CreateAsync("/a", "x", cancellation: Cancellation);
        string numbered =
            await inner.CreateAsync("/s-", mode: CreateMode.EphemeralSequential, cancellation: Cancellation);
        await inner.CreateAsync("/e", mode: CreateMode.Ephemeral, cancellation: Cancellation);
        IReadOnlyList<MultiResult> multi = await inner.MultiAsync([MultiOp.Create("/m")], Cancellation);

        Assert.Equal(Home, inner.Chroot);
        Assert.Equal("/s-0000000001", numbered);
        Assert.Equal("/m", multi[0].Path);
        Assert.Equal("x", (await Client.GetAsync(At("a"), cancellation: Cancellation)).Text);
        Assert.Equal(4, (await inner.ExistsAsync("/", cancellation: Cancellation))!.Value.NumChildren);
        Assert.Equal(["/e", "/s-0000000001"],
            (await inner.GetEphemeralsAsync(cancellation: Cancellation)).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Requests_by_the_thousand_under_way_at_once_are_answered_in_order()
    {
        await Client.CreateAsync(At("n"), "0", cancellation: Cancellation);

        Task<Stat>[] sets =
        [
            .. Enumerable.Range(0, 5000).Select(i =>
                Client.SetAsync(At("n"), $"{i}", cancellation: Cancellation).AsTask())
        ];
        Stat[] stats = await Task.WhenAll(sets);

        Assert.Equal(Enumerable.Range(1, 5000), stats.Select(stat => stat.Version));
        Assert.Equal("4999", (await Client.GetAsync(At("n"), cancellation: Cancellation)).Text);
    }

    [Fact]
    public async Task Requests_of_many_threads_at_once_get_their_own_answers()
    {
        await Task.WhenAll(Enumerable.Range(0, 16).Select(worker => Task.Run(async () =>
        {
            for (int i = 0; i < 100; i++)
            {
                string path =
                    await Client.CreateAsync(At($"{worker}-{i}"), $"{worker}:{i}", cancellation: Cancellation);
                Assert.Equal($"{worker}:{i}", (await Client.GetAsync(path, cancellation: Cancellation)).Text);
            }
        })));
    }
}
