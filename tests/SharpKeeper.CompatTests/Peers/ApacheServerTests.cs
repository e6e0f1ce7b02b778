namespace SharpKeeper.CompatTests.Peers;

public class ApacheServerTests
{
    [Fact]
    public async Task RestartAsync_after_a_start_serves_on_the_same_port()
    {
        CancellationToken cancellation = TestContext.Current.CancellationToken;
        await using ApacheServer server = await ApacheServer.StartAsync(cancellation: cancellation);
        int port = server.Port;

        await server.RestartAsync(cancellation);

        Assert.Equal(port, server.Port);
        Assert.Equal("imok", await server.CommandAsync("ruok", cancellation));
    }
}
