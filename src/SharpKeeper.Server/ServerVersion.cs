namespace SharpKeeper.Server;

/// <summary>What this server calls itself.</summary>
public static class ServerVersion
{
    /// <summary>The release number of SharpKeeper.</summary>
    public const string Number = "0.1.0";

    /// <summary>The Apache ZooKeeper release whose behaviour this server follows.</summary>
    public const string FollowedRelease = "3.9.5";

    /// <summary>
    /// The day of the release, month first, as Apache printed its build time up to 3.6: the Go client's FLWSrvr reads a
    /// build time in no other form.
    /// </summary>
    public const string BuiltOn = "11/22/2026 00:00 UTC";

    /// <summary>
    /// The text behind <c>Zookeeper version: </c>. Monitoring tools cut the digits off its front and kazoo derives
    /// from them what the server can do, so it starts with the followed release and ends with a build date.
    /// </summary>
    public const string Text = FollowedRelease + "-sharpkeeper-" + Number + ", built on " + BuiltOn;
}
