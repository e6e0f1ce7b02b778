using System.Text;
using SharpKeeper.Client;
using SharpKeeper.Protocol;

namespace SharpKeeper.CompatTests.Client;

/// <summary>
/// What the client does with a real server, whichever it is: a subclass says where the server is. All tests of a
/// subclass share a server; each works below a znode of its own.
/// </summary>
public abstract partial class ClientSuite : IAsyncLifetime
{
    private readonly List<KeeperClient> clients = [];

    protected static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>The server under test, without a chroot.</summary>
    protected abstract string ConnectString { get; }

    /// <summary>A znode that belongs to the test.</summary>
    protected string Home { get; } = "/suite-" + Guid.NewGuid().ToString("n");

    protected KeeperClient Client { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Client = await ConnectAsync();
        await Client.CreateAsync(Home, cancellation: Cancellation);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (KeeperClient client in clients)
            await client.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    protected async Task<KeeperClient> ConnectAsync(
        string chroot = "", Func<KeeperClientOptions, KeeperClientOptions>? change = null)
    {
        var options = new KeeperClientOptions { ConnectString = ConnectString + chroot };
        KeeperClient client = await KeeperClient.ConnectAsync(change?.Invoke(options) ?? options, Cancellation);
        clients.Add(client);
        return client;
    }

    protected static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);

    protected string At(string name) => $"{Home}/{name}";

    protected static async Task<T> ThrowsAsync<T>(ErrorCode code, Func<Task> act)
        where T : KeeperException
    {
        T error = await Assert.ThrowsAsync<T>(act);
        Assert.Equal(code, error.Code);
        return error;
    }
}
