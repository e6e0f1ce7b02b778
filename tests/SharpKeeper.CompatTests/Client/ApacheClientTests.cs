using SharpKeeper.CompatTests.Peers;

namespace SharpKeeper.CompatTests.Client;

/// <summary>One Apache server for all tests of <see cref="ApacheClientTests"/>.</summary>
public sealed class ApacheFixture : IAsyncLifetime
{
    public ApacheServer? Server { get; private set; }

    public async ValueTask InitializeAsync()
    {
        if (ApacheServer.IsInstalled)
            Server = await ApacheServer.StartAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (Server is not null)
            await Server.DisposeAsync();
    }
}

/// <summary>The client suite against Apache's server.</summary>
public sealed class ApacheClientTests(ApacheFixture apache) : ClientSuite, IClassFixture<ApacheFixture>
{
    protected override string ConnectString
    {
        get
        {
            ApacheServer.SkipUnlessInstalled();
            return apache.Server!.ConnectString;
        }
    }
}
