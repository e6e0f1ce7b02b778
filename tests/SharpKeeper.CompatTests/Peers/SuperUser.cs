using SharpKeeper.Client;

namespace SharpKeeper.CompatTests.Peers;

/// <summary>The super user that all servers of these tests know.</summary>
internal static class SuperUser
{
    /// <summary>What the servers are told: user and hash of the password.</summary>
    public const string Digest = "super:lK75jTNcA+U9vtVEw5vB51mj/w4=";

    /// <summary>What a client sends.</summary>
    public static AuthInfo Auth { get; } = AuthInfo.Digest("super", "secret");
}
