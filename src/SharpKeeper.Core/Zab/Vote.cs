using SharpKeeper.Protocol;

namespace SharpKeeper.Core.Zab;

/// <summary>Who is to lead, and what speaks for it.</summary>
/// <param name="Leader">The server proposed; <see cref="ServerId.Nobody"/> from a server without a vote.</param>
/// <param name="Zxid">The last transaction in that server's log, committed or not.</param>
/// <param name="Round">The election it was proposed in, Apache's logical clock.</param>
/// <param name="PeerEpoch">That server's currentEpoch.</param>
internal readonly record struct Vote(ServerId Leader, Zxid Zxid, long Round, long PeerEpoch)
{
    /// <summary>What a server proposes that has no vote: less than every real vote.</summary>
    public static Vote ForNobody(long round) => new(ServerId.Nobody, new Zxid(long.MinValue), round, long.MinValue);

    /// <summary>
    /// Is this vote greater? The epoch decides, then the log, then the number of the server; never the round, which
    /// only says which votes belong together.
    /// </summary>
    public bool IsAfter(in Vote other)
    {
        if (PeerEpoch != other.PeerEpoch)
            return PeerEpoch > other.PeerEpoch;
        if (Zxid != other.Zxid)
            return Zxid > other.Zxid;
        return Leader.CompareTo(other.Leader) > 0;
    }
}
