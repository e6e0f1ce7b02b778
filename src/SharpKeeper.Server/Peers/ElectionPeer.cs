using SharpKeeper.Protocol;

namespace SharpKeeper.Server.Peers;

/// <summary>What is known of one other server on the election port; guarded by the network's lock.</summary>
internal sealed class ElectionPeer(ServerId id)
{
    /// <summary>Its number.</summary>
    public ServerId Id { get; } = id;

    /// <summary>What is to be sent next; a later message takes the place of an earlier one.</summary>
    public byte[]? Pending { get; set; }

    /// <summary>What was sent last; a new connection without anything to send begins with it.</summary>
    public byte[]? LastSent { get; set; }

    /// <summary>The connection; null without one.</summary>
    public ElectionConnection? Connection { get; set; }

    /// <summary>Where it is by the configurations, the committed one first; empty if they do not know it.</summary>
    public IReadOnlyList<IReadOnlyList<PeerAddress>> Configured { get; set; } = [];

    /// <summary>Where it says it is; empty if it has not said so.</summary>
    public IReadOnlyList<PeerAddress> Told { get; set; } = [];

    /// <summary>Attempts that are to be made although there is nothing to send.</summary>
    public int AttemptsOwed { get; set; }

    /// <summary>Ends the wait before the next attempt; null while nobody waits.</summary>
    public TaskCompletionSource? Waiting { get; set; }

    /// <summary>Is somebody trying to connect?</summary>
    public bool IsConnecting { get; set; }

    /// <summary>Is it part of a configuration?</summary>
    public bool IsKnown => Configured.Count > 0;
}
