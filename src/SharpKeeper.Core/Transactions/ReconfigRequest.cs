using SharpKeeper.Protocol;

namespace SharpKeeper.Core.Transactions;

/// <summary>What a client asks for with the operation reconfig. An empty text is not the same as null.</summary>
/// <param name="Joining">Servers that join or change, <c>server.N=...</c> between commas; or null.</param>
/// <param name="Leaving">Ids of servers that leave, between commas; or null.</param>
/// <param name="NewMembers">All members, which replaces the other two; or null.</param>
/// <param name="FromVersion">The version of the configuration it starts from; -1 for whichever there is.</param>
internal readonly record struct ReconfigRequest(
    string? Joining, string? Leaving, string? NewMembers, long FromVersion)
{
    /// <summary>Any configuration may be the one it starts from.</summary>
    public const long AnyVersion = -1;

    /// <summary>Reads a request's body; false if it cannot be decoded.</summary>
    public static bool TryRead(ReadOnlySpan<byte> body, out ReconfigRequest request)
    {
        var reader = new JuteReader(body);
        request = new ReconfigRequest(
            reader.ReadString(), reader.ReadString(), reader.ReadString(), reader.ReadInt64());
        return !reader.Failed;
    }
}
