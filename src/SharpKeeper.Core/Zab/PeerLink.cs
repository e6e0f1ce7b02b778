using SharpKeeper.Protocol;

namespace SharpKeeper.Core.Zab;

/// <summary>
/// One connection between a leader and a learner as the replica sees it: packets come in as inputs, bytes to be sent
/// gather in <see cref="Output"/>.
/// </summary>
/// <remarks>
/// The leader's driver makes one for each connection it accepts, the replica makes one for each that it wants dialled.
/// Only the thread that runs the replica touches it.
/// </remarks>
public sealed class PeerLink
{
    /// <summary>What the driver needs to find its connection again; opaque to Core.</summary>
    public object? Owner { get; set; }

    /// <summary>How the other end is named in messages.</summary>
    public string Description { get; set; } = "";

    /// <summary>Whole packets that are to be sent, in order. The driver takes them away.</summary>
    public JuteBuffer Output { get; set; } = new();

    /// <summary>
    /// A snapshot or a part of the log is being sent by the driver: <see cref="Output"/> waits until that is done.
    /// </summary>
    public bool IsTransferring { get; set; }

    /// <summary>Is the link on the list of links with new output?</summary>
    public bool IsDirty { get; set; }

    /// <summary>The connection has gone or is to go; nothing more is read or written.</summary>
    public bool IsClosed { get; set; }

    /// <summary>Why it was closed, once it is; for the log.</summary>
    public string CloseReason { get; internal set; } = "";

    /// <summary>What the leader knows of the learner at the other end.</summary>
    internal object? Learner { get; set; }
}
