using System.Buffers.Binary;
using SharpKeeper.Protocol;
using SharpKeeper.Protocol.Quorum;

namespace SharpKeeper.Core.Zab;

internal sealed partial class LeaderRole
{
    private void TakeInfo(LearnerState learner, in QuorumPacket packet)
    {
        if (packet.Type is not (QuorumPacketType.FollowerInfo or QuorumPacketType.ObserverInfo))
        {
            Drop(learner, $"it began with {packet.Type} in place of FOLLOWERINFO");
            return;
        }
        LearnerInfo info = LearnerInfo.Read(packet.Data);
        if (info.ProtocolVersion < LearnerInfo.CurrentVersion)
        {
            Drop(learner, $"it speaks version {info.ProtocolVersion} of the protocol, older than ZooKeeper 3.4");
            return;
        }
        if (info.ConfigVersion > peer.Members.Committed.Version)
        {
            Drop(learner, $"its configuration {info.ConfigVersion:x} is newer than this leader's");
            return;
        }
        if (info.Server == peer.Self)
        {
            Drop(learner, "it has the number of this server; two servers have the same myid");
            return;
        }
        long accepted = packet.Zxid.Value >> 32;
        if (accepted >= EpochMax)
        {
            Drop(learner, $"it has promised epoch {accepted}, behind which there is none");
            return;
        }
        learner.Server = info.Server == ServerId.Nobody ? new ServerId(unknownIds--) : info.Server;
        learner.IsObserver = packet.Type == QuorumPacketType.ObserverInfo;
        if (learners.Find(other => other != learner && other.Server == learner.Server) is { } former)
            Drop(former, "it has connected again");
        // What it acknowledged over an earlier link it may now be told to cut off: it counts when it says so again.
        if (learner.Server != peer.Self)
            acked.Remove(learner.Server);
        learner.Phase = LearnerPhase.AwaitEpoch;
        if (phase == Phase.Discovery)
        {
            // What anybody has promised must be outbid, but only voters make the quorum that closes the question.
            if (!peer.Has(PlantedBug.ReuseEpoch))
                Epoch = Math.Max(Epoch, accepted + 1);
            if (peer.Members.Committed.IsVoter(learner.Server) && !learner.IsObserver)
                connected.Add(learner.Server);
            else if (learner.IsObserver)
                AddCounting(connected, learner);
            CloseDiscovery();
        }
        else if (phase != Phase.AcceptingEpoch)
        {
            SendEpoch(learner);
        }
    }

    private void CloseDiscovery()
    {
        if (phase != Phase.Discovery || Epoch > EpochMax || !peer.CommittedMembers.IsQuorum(connected)
            || !connected.Contains(peer.Self))
            return;
        phase = Phase.AcceptingEpoch;
        peer.PersistAcceptedEpoch(Epoch);
    }

    /// <summary>The new epoch is durable as accepted: nobody may lead an older one through this server.</summary>
    public void AcceptedEpochDurable(long epoch)
    {
        if (phase != Phase.AcceptingEpoch || epoch != Epoch)
            return;
        phase = Phase.CollectingPromises;
        promised.Add(peer.Self);
        foreach (LearnerState learner in learners)
        {
            if (learner.Phase == LearnerPhase.AwaitEpoch)
                SendEpoch(learner);
        }
        CloseCollection();
    }

    private void SendEpoch(LearnerState learner)
    {
        Span<byte> version = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(version, LearnerInfo.CurrentVersion);
        learner.Phase = LearnerPhase.AwaitAckEpoch;
        Send(learner, QuorumPacketType.LeaderInfo, EpochStart, version);
    }

    private void TakePromise(LearnerState learner, in QuorumPacket packet)
    {
        if (packet.Type != QuorumPacketType.AckEpoch || packet.Data.Length < 4)
        {
            Drop(learner, $"it sent {packet.Type} in place of ACKEPOCH");
            return;
        }
        long current = BinaryPrimitives.ReadInt32BigEndian(packet.Data);
        learner.LastLogged = packet.Zxid;
        learner.Phase = LearnerPhase.Promised;
        if (phase != Phase.CollectingPromises)
        {
            StartSync(learner);
            return;
        }
        // A learner that has promised this epoch before says -1: it has been counted or will be by its first link.
        if (current < 0)
            return;
        if (current > inheritedEpoch || (current == inheritedEpoch && packet.Zxid > inherited))
        {
            Drop(learner, $"its history ({current}, {packet.Zxid}) is ahead of this leader's ({inheritedEpoch}, {inherited})");
            return;
        }
        if (peer.Members.IsVoter(learner.Server) && !learner.IsObserver)
            promised.Add(learner.Server);
        else if (learner.IsObserver)
            AddCounting(promised, learner);
        CloseCollection();
    }

    private void CloseCollection()
    {
        if (phase != Phase.CollectingPromises || !IsQuorum(promised))
            return;
        phase = Phase.Synchronising;
        peer.NameFirstConfig(Epoch);
        // The epoch covers what is in the own log: that must be durable before.
        if (peer.Durable >= inherited)
            PersistOwnEpoch();
        foreach (LearnerState learner in learners.ToArray())
        {
            if (learner.Phase == LearnerPhase.Promised)
                StartSync(learner);
        }
    }

    private void PersistOwnEpoch()
    {
        if (isPersistingEpoch)
            return;
        isPersistingEpoch = true;
        outbox.Effects.Enqueue(new Effect(EffectKind.PersistCurrentEpoch) { Number = Epoch });
    }

    /// <summary>The epoch is durable as current: this server's vote for itself counts.</summary>
    public void CurrentEpochDurable(long epoch)
    {
        if (epoch != Epoch)
            return;
        ownEpochDurable = true;
        AckOwn();
    }

    private void TakeNewLeaderAck(LearnerState learner, in QuorumPacket packet)
    {
        if (packet.Type == QuorumPacketType.Ping)
            return;
        if (packet.Type != QuorumPacketType.Ack)
        {
            Drop(learner, $"it sent {packet.Type} in place of the acknowledgement of NEWLEADER");
            return;
        }
        if (packet.Zxid != EpochStart)
            return;
        learner.Phase = LearnerPhase.Synchronised;
        // Pings that it got before UPTODATE it has passed over.
        learner.PingsSent = learner.PingsAnswered = 0;
        if (phase == Phase.Established)
        {
            SendUpToDate(learner);
            return;
        }
        if (peer.Members.IsVoter(learner.Server) && !learner.IsObserver)
            synchronised.Add(learner.Server);
        else if (learner.IsObserver)
            AddCounting(synchronised, learner);
        TryEstablish();
    }

    private void TryEstablish()
    {
        if (phase != Phase.Synchronising || !ownEpochDurable || !IsQuorum(synchronised) || !synchronised.Contains(peer.Self))
            return;
        phase = Phase.Established;
        establishedMs = peer.NowMs;
        lastCommitted = EpochStart;
        acked[peer.Self] = EpochStart;
        peer.ActivateNextConfig(designated: null);
        peer.Established(Epoch);
        foreach (LearnerState learner in learners)
        {
            // From here on it is to be heard of within syncLimit; waiting for the others was no fault of its own.
            learner.LastHeardMs = peer.NowMs;
            if (learner.Phase == LearnerPhase.Synchronised)
                SendUpToDate(learner);
        }
    }

    /// <summary>Lets a learner serve; what was held back since NEWLEADER follows.</summary>
    private void SendUpToDate(LearnerState learner)
    {
        JuteBuffer held = learner.Held!;
        learner.Held = null;
        Send(learner, QuorumPacketType.UpToDate, new Zxid(-1));
        learner.Link.Output.WriteRaw(held.WrittenSpan);
        held.Dispose();
        learner.IsUpToDate = true;
    }
}
