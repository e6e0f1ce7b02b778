using SharpKeeper.Protocol;
using SharpKeeper.Protocol.Quorum;

namespace SharpKeeper.Core.Zab;

/// <summary>
/// Keeps what is committed after a learner's sync was asked for behind the answer to that sync.
/// </summary>
/// <remarks>
/// Neither commits nor the answers to syncs name the request that they are for: Apache's learners match both with their
/// own requests in the order in which these were forwarded, and one that sees a commit before the answer to an earlier
/// sync gives its clients no answer any more. Apache's leader answers a sync at the commit of what was proposed last, so
/// the order comes by itself there; here the answer waits for a quorum besides.
/// </remarks>
internal sealed class SyncFence
{
    private readonly Queue<Zxid> syncs = new();
    private readonly Queue<(Zxid Zxid, int Bytes)> held = new();
    private readonly JuteBuffer packets = new();
    private int released;

    /// <summary>A sync was asked for when this was the last proposal.</summary>
    public void Add(Zxid lastProposed) => syncs.Enqueue(lastProposed);

    /// <summary>Is the commit of a transaction to wait for the answer to a sync?</summary>
    public bool IsBehind(Zxid zxid) => syncs.TryPeek(out Zxid first) && zxid > first;

    /// <summary>
    /// Where to write the commit of a transaction that <see cref="IsBehind"/> a sync; <see cref="Held"/> is to be called
    /// when it is there.
    /// </summary>
    public JuteBuffer Packets => packets;

    /// <summary>A packet about this transaction was written to <see cref="Packets"/> from <paramref name="begun"/> on.</summary>
    public void Held(Zxid zxid, int begun) => held.Enqueue((zxid, packets.Length - begun));

    /// <summary>Writes the answer to the first sync, and what may follow it.</summary>
    public void Answer(JuteBuffer output)
    {
        syncs.Dequeue();
        QuorumPackets.WriteEmpty(output, QuorumPacketType.Sync, Zxid.Zero);
        Release(output);
    }

    /// <summary>Writes all that is held; the syncs get no answer any more.</summary>
    public void GiveUp(JuteBuffer output)
    {
        syncs.Clear();
        Release(output);
    }

    private void Release(JuteBuffer output)
    {
        int begin = released;
        while (held.TryPeek(out (Zxid Zxid, int Bytes) next) && !IsBehind(next.Zxid))
        {
            held.Dequeue();
            released += next.Bytes;
        }
        output.WriteRaw(packets.WrittenSpan[begin..released]);
        if (held.Count == 0)
            packets.Reset();
        else if (released < packets.Length / 2)
            return;
        else
            MoveToFront();
        released = 0;
    }

    private void MoveToFront()
    {
        Span<byte> rest = packets.Written[released..];
        rest.CopyTo(packets.Written);
        packets.Truncate(rest.Length);
    }
}
