using SharpKeeper.Server.Testing;

namespace SharpKeeper.CompatTests.Client;

/// <summary>One SharpKeeper server for all tests of <see cref="SharpKeeperClientTests"/>.</summary>
public sealed class SharpKeeperFixture : IAsyncLifetime
{
    public KeeperTestServer Server { get; private set; } = null!;

    public async ValueTask InitializeAsync() => Server = await KeeperTestServer.StartAsync();

    public ValueTask DisposeAsync() => Server.DisposeAsync();
}

/// <summary>The client suite against SharpKeeper's server.</summary>
public sealed class SharpKeeperClientTests(SharpKeeperFixture fixture) : ClientSuite, IClassFixture<SharpKeeperFixture>
{
    protected override string ConnectString => fixture.Server.ConnectString;
}
