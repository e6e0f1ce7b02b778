using SharpKeeper.Client;
using SharpKeeper.Protocol;

namespace SharpKeeper.CompatTests.Client;

public abstract partial class ClientSuite
{
    [Fact]
    public async Task ConnectAsync_to_a_server_negotiates_a_session()
    {
        Assert.Equal(KeeperState.Connected, Client.State);
        Assert.NotEqual(0, Client.Session.Id.Value);
        Assert.Equal(16, Client.Session.Password.Length);
        Assert.InRange(Client.SessionTimeout, TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(2));
        Assert.Equal(ConnectString, Client.ConnectedServer);
    }

    [Fact]
    public async Task CreateAsync_of_a_new_znode_can_be_read_back()
    {
        string path = await Client.CreateAsync(At("a"), Bytes("hello"), cancellation: Cancellation);

        ZnodeData read = await Client.GetAsync(path, cancellation: Cancellation);
        Assert.Equal(At("a"), path);
        Assert.Equal("hello", read.Text);
        Assert.Equal(0, read.Stat.Version);
        Assert.Equal(5, read.Stat.DataLength);
        Assert.Equal(Client.LastZxid.Value, read.Stat.Czxid);
    }

    [Fact]
    public async Task CreateAsync_with_null_and_with_empty_data_are_told_apart()
    {
        await Client.CreateAsync(At("null"), cancellation: Cancellation);
        await Client.CreateAsync(At("empty"), Array.Empty<byte>(), cancellation: Cancellation);

        Assert.Null((await Client.GetAsync(At("null"), cancellation: Cancellation)).Data);
        Assert.Empty((await Client.GetAsync(At("empty"), cancellation: Cancellation)).Data!);
    }

    [Fact]
    public async Task CreateAsync_of_an_existing_znode_says_so()
    {
        await Client.CreateAsync(At("a"), cancellation: Cancellation);

        NodeExistsException error = await ThrowsAsync<NodeExistsException>(
            ErrorCode.NodeExists, async () => await Client.CreateAsync(At("a"), cancellation: Cancellation));

        Assert.Equal(At("a"), error.Path);
        Assert.StartsWith($"KeeperErrorCode = NodeExists for {At("a")}", error.Message, StringComparison.Ordinal);
        Assert.Null(await Client.TryCreateAsync(At("a"), cancellation: Cancellation));
        Assert.Equal(At("b"), await Client.TryCreateAsync(At("b"), cancellation: Cancellation));
    }

    [Fact]
    public async Task SetAsync_with_the_right_version_only_replaces_the_data()
    {
        await Client.CreateAsync(At("a"), "0", cancellation: Cancellation);

        Stat stat = await Client.SetAsync(At("a"), "1", 0, Cancellation);

        Assert.Equal(1, stat.Version);
        await ThrowsAsync<BadVersionException>(
            ErrorCode.BadVersion, async () => await Client.SetAsync(At("a"), "2", 0, Cancellation));
        Assert.Null(await Client.TrySetAsync(At("a"), Bytes("2"), 7, Cancellation));
        Assert.Equal(2, (await Client.TrySetAsync(At("a"), Bytes("2"), 1, Cancellation))!.Value.Version);
        Assert.Equal("2", (await Client.GetAsync(At("a"), cancellation: Cancellation)).Text);
    }

    [Fact]
    public async Task DeleteAsync_checks_version_children_and_existence()
    {
        await Client.CreateAsync(At("a"), cancellation: Cancellation);
        await Client.CreateAsync(At("a/b"), cancellation: Cancellation);

        await ThrowsAsync<NotEmptyException>(
            ErrorCode.NotEmpty, async () => await Client.DeleteAsync(At("a"), cancellation: Cancellation));
        await ThrowsAsync<BadVersionException>(
            ErrorCode.BadVersion, async () => await Client.DeleteAsync(At("a/b"), 3, Cancellation));
        await Client.DeleteAsync(At("a/b"), 0, Cancellation);
        Assert.True(await Client.TryDeleteAsync(At("a"), cancellation: Cancellation));
        Assert.False(await Client.TryDeleteAsync(At("a"), cancellation: Cancellation));
        await ThrowsAsync<NoNodeException>(
            ErrorCode.NoNode, async () => await Client.DeleteAsync(At("a"), cancellation: Cancellation));
    }

    [Fact]
    public async Task ExistsAsync_of_a_missing_znode_gives_null()
    {
        Assert.Null(await Client.ExistsAsync(At("none"), cancellation: Cancellation));
        Assert.NotNull(await Client.ExistsAsync(Home, cancellation: Cancellation));
    }

    [Fact]
    public async Task GetChildrenAsync_lists_names()
    {
        await Client.CreateAsync(At("a"), cancellation: Cancellation);
        await Client.CreateAsync(At("b"), cancellation: Cancellation);

        IReadOnlyList<string> names = await Client.GetChildrenAsync(Home, cancellation: Cancellation);
        ZnodeChildren children = await Client.GetChildrenWithStatAsync(Home, cancellation: Cancellation);

        Assert.Equal(["a", "b"], names.Order(StringComparer.Ordinal));
        Assert.Equal(["a", "b"], children.Names.Order(StringComparer.Ordinal));
        Assert.Equal(2, children.Stat.NumChildren);
    }

    [Fact]
    public async Task CloseAsync_ends_the_session_and_its_ephemerals()
    {
        KeeperClient other = await ConnectAsync();
        await other.CreateAsync(At("e"), mode: CreateMode.Ephemeral, cancellation: Cancellation);

        await other.CloseAsync();

        Assert.Equal(KeeperState.Closed, other.State);
        Assert.Null(await Client.ExistsAsync(At("e"), cancellation: Cancellation));
        await ThrowsAsync<KeeperException>(
            ErrorCode.Closing, async () => await other.ExistsAsync(Home, cancellation: Cancellation));
    }
}
