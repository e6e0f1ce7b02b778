using SharpKeeper.CompatTests.Client;

namespace SharpKeeper.CompatTests.Shell;

/// <summary>Our shell against SharpKeeper's server.</summary>
public sealed class SharpKeeperShellTests(SharpKeeperFixture fixture) : ShellSuite, IClassFixture<SharpKeeperFixture>
{
    protected override string ConnectString => fixture.Server.ConnectString;
}
