using System.Buffers.Binary;
using SharpKeeper.Protocol;
using SharpKeeper.Protocol.Quorum;

namespace SharpKeeper.Core.Zab;

internal sealed partial class LearnerRole
{
    /// <summary>Is a snapshot expected over that link?</summary>
    public bool AwaitsSnapshot(PeerLink link) => phase == Phase.AwaitSnapshot && ReferenceEquals(link, Link);

    private void TakePlan(in QuorumPacket packet)
    {
        switch (packet.Type)
        {
            case QuorumPacketType.Diff when peer.NeedsSnapshot && packet.Zxid < peer.LastLogged:
                Fail("the leader has no snapshot for this server");
                break;
            case QuorumPacketType.Diff:
                // The leader knows all that is in this log: it is part of the history that the epoch begins with.
                peer.Commit(peer.LastLogged);
                BeginSync(peer.LastLogged);
                break;
            case QuorumPacketType.Trunc:
                if (packet.Zxid >= peer.LastLogged)
                {
                    Fail($"the leader wants the log cut behind {packet.Zxid}, and it ends with {peer.LastLogged}");
                    return;
                }
                phase = Phase.Truncating;
                lastQueued = lastTaken = packet.Zxid;
                peer.TruncateLog(packet.Zxid);
                break;
            case QuorumPacketType.Snap:
                phase = Phase.AwaitSnapshot;
                snapshot = packet.Zxid;
                break;
            default:
                Fail($"the leader sent {packet.Type} in place of DIFF, TRUNC or SNAP");
                break;
        }
    }

    /// <summary>The log ends where the leader wanted.</summary>
    public void LogTruncated(Zxid last, long nowMs)
    {
        if (phase != Phase.Truncating)
            return;
        if (last != lastTaken)
        {
            // The leader goes on behind a transaction that this log does not have; it must hear where the log ends now.
            Fail($"the log could only be cut behind {last}");
            return;
        }
        lastHeardMs = nowMs;
        peer.Commit(last);
        phase = Phase.Syncing;
        TakeHeldCommits();
        TakeHeldNewLeader();
    }

    /// <summary>The leader's tree is here and in place.</summary>
    public void SnapshotReceived(PeerLink link, long nowMs)
    {
        if (!AwaitsSnapshot(link))
            return;
        lastHeardMs = nowMs;
        isUnlogged = true;
        peer.TreeCameFromLeader();
        peer.Commit(snapshot);
        BeginSync(snapshot);
    }

    private void BeginSync(Zxid from)
    {
        lastQueued = lastTaken = from;
        phase = Phase.Syncing;
    }

    private void TakeWhileSyncing(in QuorumPacket packet)
    {
        switch (packet.Type)
        {
            case QuorumPacketType.Proposal:
                Hold(packet.Zxid, packet.Data);
                break;
            case QuorumPacketType.Commit:
                HoldCommit(packet.Zxid);
                break;
            case QuorumPacketType.CommitAndActivate:
                HoldCommit(packet.Zxid);
                NoteActivation(packet);
                break;
            case QuorumPacketType.Inform:
                Hold(packet.Zxid, packet.Data);
                HoldCommit(packet.Zxid);
                break;
            case QuorumPacketType.InformAndActivate:
                if (packet.Data.Length < 8)
                    goto default;
                Hold(packet.Zxid, packet.Data[8..]);
                HoldCommit(packet.Zxid);
                NoteActivation(packet);
                break;
            case QuorumPacketType.NewLeader:
                TakeNewLeader(packet);
                break;
            case QuorumPacketType.UpToDate:
                TakeUpToDate();
                break;
            case QuorumPacketType.Ping:
                // Apache's leader takes nothing but the acknowledgement of NEWLEADER before that.
                break;
            default:
                Fail($"the leader sent {packet.Type} during synchronisation");
                break;
        }
    }

    private void Hold(Zxid zxid, ReadOnlySpan<byte> payload)
    {
        // The end of a synchronisation may repeat what was sent before.
        if (zxid <= lastQueued)
            return;
        if (!IsNext(lastQueued, zxid))
        {
            Fail($"the leader sent {zxid} behind {lastQueued}: something is missing between them");
            return;
        }
        if (!host.IsTxn(payload))
        {
            Fail($"the leader sent {zxid}, which cannot be decoded");
            return;
        }
        lastQueued = zxid;
        notLogged.Enqueue(new Held(zxid, payload.ToArray()));
        if (host.ReadReconfig(payload) is { } config)
            peer.SetNextConfig(config);
    }

    private static bool IsNext(Zxid last, Zxid next) =>
        next == last.Next || (next.Epoch > last.Epoch && next.Counter == 1);

    private void HoldCommit(Zxid zxid)
    {
        if (zxid <= lastTaken)
            return;
        heldCommits.Enqueue(zxid);
        if (phase == Phase.Syncing && !peer.Has(PlantedBug.LogAfterNewLeader))
            TakeHeldCommits();
    }

    /// <summary>
    /// Logs and applies what is committed. Before NEWLEADER that is safe: it is a prefix of the history that the leader's
    /// epoch begins with, in its order and without holes.
    /// </summary>
    private void TakeHeldCommits()
    {
        while (heldCommits.TryDequeue(out Zxid zxid))
        {
            if (zxid <= lastTaken)
                continue;
            if (!notLogged.TryDequeue(out Held held) || held.Zxid != zxid)
            {
                Fail($"the leader committed {zxid}, which is not the next one proposed");
                return;
            }
            lastTaken = zxid;
            if (isUnlogged)
                peer.QueueUnlogged(zxid, held.Payload);
            else
                peer.Log(zxid, held.Payload);
            peer.Commit(zxid);
        }
    }

    // The new configuration comes into force with UPTODATE; if it names another leader, that one is to be found.
    private void NoteActivation(in QuorumPacket packet)
    {
        if (packet.Data.Length < 8 || peer.Members.Next is not { } next || peer.NextConfigZxid != packet.Zxid)
            return;
        designated = new ServerId(BinaryPrimitives.ReadInt64BigEndian(packet.Data));
        activated = next;
    }

    private void TakeNewLeader(in QuorumPacket packet)
    {
        epoch = epoch == 0 ? packet.Zxid.Value >> 32 : epoch;
        if (packet.Zxid != EpochStart)
        {
            Fail($"NEWLEADER says {packet.Zxid} in epoch {epoch}");
            return;
        }
        EnsembleConfig? config = peer.ReadConfig(packet.Data);
        if (config is not null && config.Version > (activated?.Version ?? peer.Members.Committed.Version))
        {
            activated = config;
            // Before the acknowledgement, like everything that the epoch begins with: the leader may commit it with that.
            peer.SetNextConfig(config);
        }
        hasHeldNewLeader = true;
        TakeHeldNewLeader();
    }

    private void TakeHeldNewLeader()
    {
        if (!hasHeldNewLeader || phase != Phase.Syncing)
            return;
        hasHeldNewLeader = false;
        phase = isUnlogged ? Phase.Installing : Phase.AwaitDurable;
        if (!isUnlogged && peer.Has(PlantedBug.EpochBeforeData | PlantedBug.LogDuringNewLeader))
            PersistEpoch();
    }

    /// <summary>Goes on if what had to be awaited has happened.</summary>
    public void GoOn()
    {
        // The snapshot must hold everything that was committed before NEWLEADER, since none of it is in the log.
        if (phase == Phase.Installing && !installSent && host.Applied >= lastTaken)
        {
            installSent = true;
            peer.InstallSnapshot();
        }
        if (phase == Phase.AwaitDurable && IsLogDurable())
            PersistEpoch();
    }

    private bool IsLogDurable() =>
        peer.Durable >= peer.LastLogged || peer.Has(PlantedBug.AckNewLeaderBeforeDurable);

    /// <summary>The leader's tree is on disk.</summary>
    public void SnapshotInstalled()
    {
        if (phase != Phase.Installing)
            return;
        isUnlogged = false;
        phase = Phase.AwaitDurable;
    }

    /// <summary>More of the log is on disk.</summary>
    public void LogDurable()
    {
        if (phase == Phase.Serving)
            Acknowledge();
    }

    private void PersistEpoch()
    {
        phase = Phase.PersistingEpoch;
        if (peer.Has(PlantedBug.ForgetCurrentEpoch))
        {
            CurrentEpochDurable(epoch);
            return;
        }
        outbox.Effects.Enqueue(new Effect(EffectKind.PersistCurrentEpoch) { Number = epoch });
    }

    /// <summary>Data and epoch are durable: the leader may count on this server.</summary>
    public void CurrentEpochDurable(long current)
    {
        if (phase != Phase.PersistingEpoch || current != epoch)
            return;
        if (peer.Has(PlantedBug.EpochBeforeData) && peer.Durable < peer.LastLogged)
        {
            phase = Phase.AwaitDurable;
            return;
        }
        phase = Phase.AwaitUpToDate;
        Send(QuorumPacketType.Ack, EpochStart);
    }

    private void TakeUpToDate()
    {
        if (phase != Phase.AwaitUpToDate)
        {
            Fail("the leader sent UPTODATE before NEWLEADER was acknowledged");
            return;
        }
        if (activated is not null && peer.ActivateConfig(activated, designated))
        {
            peer.GoLooking("the configuration in force gives this server another part", peer.NowMs);
            return;
        }
        phase = Phase.Serving;
        acknowledged = peer.LastLogged;
        Send(QuorumPacketType.Ack, EpochStart);
        peer.Election.RaisePeerEpoch(epoch);
        host.StartLearning(epoch);
        // Proposed meanwhile, and perhaps committed meanwhile: they take the usual way from here.
        while (notLogged.TryDequeue(out Held held))
            peer.Log(held.Zxid, held.Payload);
        while (peer.Learner == this && heldCommits.TryDequeue(out Zxid zxid))
        {
            if (zxid > lastTaken)
                CommitNext(zxid);
        }
    }
}
