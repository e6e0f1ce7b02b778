using SharpKeeper.Protocol;

namespace SharpKeeper.Core.Zab;

/// <summary>A vote as a server sent it.</summary>
/// <param name="Vote">The vote.</param>
/// <param name="State">What the sender was doing.</param>
/// <param name="Version">The form of its message; 0 for servers so old that their epochs say nothing.</param>
internal readonly record struct Ballot(Vote Vote, ServerState State, int Version)
{
    /// <summary>
    /// Do both mean the same? Between servers that have settled only leader and epoch count: followers of one leader
    /// may have joined in different rounds, with different zxids.
    /// </summary>
    public bool Agrees(in Ballot other)
    {
        if (State == ServerState.Looking || other.State == ServerState.Looking)
            return Vote == other.Vote;
        bool isEpochKnown = Version > 0 == other.Version > 0;
        return Vote.Leader == other.Vote.Leader && (!isEpochKnown || Vote.PeerEpoch == other.Vote.PeerEpoch);
    }
}
