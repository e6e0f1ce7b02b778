using SharpKeeper.Protocol;

namespace SharpKeeper.Server.Peers;

/// <summary>What the <see cref="ElectionNetwork"/> reports; any thread.</summary>
internal interface IElectionEvents
{
    /// <summary>A vote notification has come in.</summary>
    void VoteReceived(ServerId from, byte[] payload);

    /// <summary>
    /// The connection to a server is there, or it has gone or could not be made;
    /// <see cref="ElectionNetwork.IsConnected"/> tells which, at the time it is asked.
    /// </summary>
    void VoteLinkChanged(ServerId server);
}
