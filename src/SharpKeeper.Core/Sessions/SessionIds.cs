namespace SharpKeeper.Core.Sessions;

/// <summary>How session ids are made: the server's id in the high byte, then 40 bits of milliseconds, then a count.</summary>
public static class SessionIds
{
    /// <summary>The first id of a server that starts at <paramref name="seedMs"/>.</summary>
    public static long First(byte serverId, long seedMs)
    {
        long id = (long)((ulong)(seedMs << 24) >> 8) | ((long)serverId << 56);
        // This one value marks containers among the owners of znodes.
        return id == long.MinValue ? id + 1 : id;
    }
}
