using System.Buffers.Binary;
using SharpKeeper.Protocol;
using SharpKeeper.Protocol.Quorum;

namespace SharpKeeper.Core.Zab;

internal sealed partial class LearnerRole
{
    private void TakeWhileServing(in QuorumPacket packet)
    {
        switch (packet.Type)
        {
            case QuorumPacketType.Proposal:
                TakeProposal(packet.Zxid, packet.Data);
                break;
            case QuorumPacketType.Commit:
                CommitNext(packet.Zxid);
                break;
            case QuorumPacketType.CommitAndActivate:
                CommitNext(packet.Zxid);
                Activate(packet.Data);
                break;
            case QuorumPacketType.Inform:
                TakeInform(packet.Zxid, packet.Data);
                break;
            case QuorumPacketType.InformAndActivate:
                if (packet.Data.Length < 8)
                    goto default;
                TakeInform(packet.Zxid, packet.Data[8..]);
                Activate(packet.Data);
                break;
            case QuorumPacketType.Ping:
                AnswerPing(packet.Zxid);
                break;
            case QuorumPacketType.Revalidate:
                if (packet.Data.Length < 9)
                    goto default;
                host.Revalidated(BinaryPrimitives.ReadInt64BigEndian(packet.Data), packet.Data[8] != 0);
                break;
            case QuorumPacketType.Sync:
                host.SyncAnswered();
                break;
            default:
                Fail($"the leader sent {packet.Type} in the middle of its epoch");
                break;
        }
    }

    private void TakeProposal(Zxid zxid, ReadOnlySpan<byte> payload)
    {
        if (zxid <= lastQueued)
            return;
        if (!IsNext(lastQueued, zxid) && !peer.Has(PlantedBug.AcceptOldLeader))
        {
            Fail($"the leader proposed {zxid} behind {lastQueued}: something is missing between them");
            return;
        }
        if (!host.IsTxn(payload))
        {
            Fail($"the leader proposed {zxid}, which cannot be decoded");
            return;
        }
        lastQueued = zxid;
        peer.Counters = peer.Counters with { ProposalsReceived = peer.Counters.ProposalsReceived + 1 };
        if (host.ReadReconfig(payload) is { } config)
        {
            peer.SetNextConfig(config);
            if (peer.Has(PlantedBug.ActivateAtProposal))
                peer.ActivateNextConfig(designated: null);
        }
        peer.Log(zxid, payload);
        if (peer.Has(PlantedBug.AckBeforeDurable))
            Send(QuorumPacketType.Ack, zxid);
    }

    private void TakeInform(Zxid zxid, ReadOnlySpan<byte> payload)
    {
        if (zxid <= lastQueued)
            return;
        TakeProposal(zxid, payload);
        if (phase == Phase.Serving && lastQueued == zxid)
            peer.Commit(zxid);
    }

    private void CommitNext(Zxid zxid)
    {
        TxnHistory history = peer.History;
        if (zxid <= history.Committed)
            return;
        int next = history.IndexAfter(history.Committed);
        if (next >= history.Count || history.ZxidAt(next) != zxid)
        {
            Fail($"the leader committed {zxid}, which is not the next one proposed");
            return;
        }
        peer.Counters = peer.Counters with { CommitsReceived = peer.Counters.CommitsReceived + 1 };
        peer.Commit(zxid);
    }

    private void Activate(ReadOnlySpan<byte> data)
    {
        if (phase != Phase.Serving || data.Length < 8)
            return;
        if (peer.ActivateNextConfig(new ServerId(BinaryPrimitives.ReadInt64BigEndian(data))))
            peer.TakeUpVote(peer.NowMs);
    }

    /// <summary>Acknowledges what has become durable since the last time, one by one as Apache's leader counts them.</summary>
    private void Acknowledge()
    {
        if (peer.IsObserver || peer.Has(PlantedBug.AckBeforeDurable))
            return;
        TxnHistory history = peer.History;
        int index = history.IndexAfter(acknowledged);
        for (; index < history.Count && history.ZxidAt(index) <= peer.Durable; index++)
        {
            acknowledged = history.ZxidAt(index);
            QuorumPackets.WriteEmpty(Link.Output, QuorumPacketType.Ack, acknowledged);
            outbox.MarkDirty(Link);
        }
    }

    private void AnswerPing(Zxid zxid)
    {
        int begun = QuorumPackets.Begin(Link.Output, QuorumPacketType.Ping, zxid);
        host.WriteTouches(Link.Output);
        QuorumPackets.End(Link.Output, begun);
        outbox.MarkDirty(Link);
    }
}
